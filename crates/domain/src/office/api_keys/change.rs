//! Changes, revokes and deletes API keys.

use serde_json::{Map, Value, json};

use crate::office::Office;
use crate::office::api_keys::add::{
    check_expiry, check_texts, compute_rights, fix_permissions, resolve_device, user_and_device,
};
use crate::office::context::AuditContext;
use crate::office::differences::diff_fields;
use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::{
    Action, ApiKey, ApiKeyId, Device, DeviceName, Instant, KnownRight, Rights, Scope, StoreError, StoreExt, Subject,
    TenantId, User, UserName,
};

/// A change of an API key; `None` keeps a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiKeyChange {
    /// A new name for people.
    pub name: Option<String>,
    /// A new description.
    pub description: Option<String>,
    /// Whether the key is active from now on.
    pub active: Option<bool>,
    /// The user as whom requests act from now on.
    pub user: Option<UserName>,
    /// The device on which requests act from now on; the user must be allowed to log in on it.
    pub device: Option<DeviceName>,
    /// The new permissions of the key, which limit the rights that it grants.
    pub permissions: Option<Rights>,
    /// The new instant from which the key is not accepted any more, in the future; the inner `None`
    /// for never.
    pub expires_at: Option<Option<Instant>>,
}

impl Office<'_> {
    /// Changes the key and returns it. With `versions`, fails if the key has none of them.
    /// Requires the right `apiKeyUpdate`, every right that the key grants before and after, and
    /// every right among new permissions.
    ///
    /// If anybody but an admin changes the user, the device, the permissions or the expiry, or
    /// activates a revoked key, a key without permissions is restricted to its current rights, as
    /// in [`add_api_key`](Self::add_api_key).
    ///
    /// Signatures are verified with the changed key immediately. A change without a difference
    /// writes nothing.
    pub fn change_api_key(
        &self,
        id: ApiKeyId,
        versions: Option<&[i64]>,
        change: &ApiKeyChange,
    ) -> UseCaseResult<ApiKey> {
        self.store.write("change_api_key", |tx| commit_refusal(apply(tx, self, id, versions, change)))
    }

    /// Deletes the key for good and returns it. Requires the right `apiKeyDelete`, and every right
    /// that the key grants.
    pub fn delete_api_key(&self, id: ApiKeyId, versions: Option<&[i64]>) -> UseCaseResult<ApiKey> {
        self.store.write("delete_api_key", |tx| commit_refusal(delete(tx, self, id, versions)))
    }
}

fn apply(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: ApiKeyId,
    versions: Option<&[i64]>,
    change: &ApiKeyChange,
) -> Result<ApiKey, UseCaseError> {
    office.require(KnownRight::ApiKeyUpdate)?;
    office.require_recent_proof()?;
    let before = load_key(tx, office.tenant, id, versions)?;
    office.require_all(&compute_rights(tx, &before)?)?;
    let mut after = apply_change(tx, &office.context, &before, change)?;
    let granted_rights = compute_rights(tx, &after)?;
    office.require_all(&granted_rights)?;
    let renamed = ApiKey { name: after.name.clone(), description: after.description.clone(), ..before.clone() };
    if after != renamed && after.active {
        fix_permissions(&office.context, &mut after, granted_rights)?;
    }
    if after == before {
        return Ok(before);
    }
    if !tx.api_keys().update(&after)? {
        return Err(conflict_error());
    }
    invalidate_users(tx, &before, &after, &office.context)?;
    let (action, details) = audit_details(&before, &after);
    tx.audit().record(&office.build_event(action, Subject::ApiKey(id), details))?;
    Ok(tx
        .api_keys()
        .find(id)?
        .ok_or_else(|| StoreError::Fault("a changed API key does not exist any more".to_owned()))?)
}

fn delete(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: ApiKeyId,
    versions: Option<&[i64]>,
) -> Result<ApiKey, UseCaseError> {
    office.require(KnownRight::ApiKeyDelete)?;
    office.require_recent_proof()?;
    let key = load_key(tx, office.tenant, id, versions)?;
    office.require_all(&compute_rights(tx, &key)?)?;
    if !tx.api_keys().remove(id, key.version)? {
        return Err(conflict_error());
    }
    invalidate_users(tx, &key, &key, &office.context)?;
    let details = Map::from_iter([("name".to_owned(), json!(key.name)), ("client".to_owned(), json!(key.client_id))]);
    tx.audit().record(&office.build_event(Action::ApiKeyDelete, Subject::ApiKey(id), details))?;
    Ok(key)
}

/// The key, if it belongs to this tenant and has one of the given versions.
pub(in crate::office) fn load_key(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    id: ApiKeyId,
    versions: Option<&[i64]>,
) -> Result<ApiKey, UseCaseError> {
    let found = tx.api_keys().find(id)?.filter(|key| key.tenant == tenant);
    let key = found.ok_or_else(|| OfficeError::NotFound { field: FieldName::ApiKey, value: id.to_string() })?;
    OfficeError::check_version(Subject::ApiKey(id), versions, key.version)?;
    Ok(key)
}

/// The key after the change.
fn apply_change(
    tx: &mut dyn OfficeTx,
    context: &AuditContext,
    before: &ApiKey,
    change: &ApiKeyChange,
) -> Result<ApiKey, UseCaseError> {
    let mut refusals = FieldRefusals::default();
    let mut after = apply_values(before, change, context.at, &mut refusals)?;
    if let Some(permissions) = &change.permissions {
        context.authority.require_all(permissions)?;
    }
    let named = refusals.gather(resolve_names(tx, before, change))?.flatten();
    refusals.checked()?;
    if let Some((user, device)) = named {
        (after.user, after.device) = (user.id, device.id);
    }
    Ok(after)
}

/// The key after the change of everything but its user and device. Errors of invalid fields are
/// collected.
pub(in crate::office) fn apply_values(
    before: &ApiKey,
    change: &ApiKeyChange,
    now: Instant,
    refusals: &mut FieldRefusals,
) -> Result<ApiKey, UseCaseError> {
    let ApiKeyChange { name, description, active, permissions, expires_at, user: _, device: _ } = change.clone();
    let after = ApiKey {
        name: name.unwrap_or_else(|| before.name.clone()),
        description: description.unwrap_or_else(|| before.description.clone()),
        active: active.unwrap_or(before.active),
        permissions: permissions.unwrap_or_else(|| before.permissions.clone()),
        expires_at: expires_at.unwrap_or(before.expires_at),
        ..before.clone()
    };
    refusals.gather(check_texts(&after.name, &before.name, &after.description))?;
    if after.expires_at != before.expires_at {
        refusals.gather(check_expiry(after.expires_at, now))?;
    }
    Ok(after)
}

/// The new user and device of the key, if the change names one of them.
fn resolve_names(
    tx: &mut dyn OfficeTx,
    before: &ApiKey,
    change: &ApiKeyChange,
) -> Result<Option<(User, Device)>, UseCaseError> {
    if change.user.is_none() && change.device.is_none() {
        return Ok(None);
    }
    let device_name = match &change.device {
        Some(name) => name.clone(),
        None => tx.devices().find(before.device)?.ok_or_else(|| dangling_reference("device"))?.name,
    };
    if let Some(name) = &change.user {
        return user_and_device(tx, before.tenant, name, &device_name).map(Some);
    }
    let user = tx.users().find(before.user)?.ok_or_else(|| dangling_reference("user"))?;
    let device = resolve_device(tx, before.tenant, &user, &device_name)?;
    Ok(Some((user, device)))
}

fn dangling_reference(what: &str) -> StoreError {
    StoreError::Fault(format!("an API key references a {what} that does not exist"))
}

/// The error if somebody has changed the key concurrently: the unit of work runs again with the new
/// state.
pub(in crate::office) fn conflict_error() -> UseCaseError {
    StoreError::Conflict("the API key was changed in the meantime".to_owned()).into()
}

/// Invalidates the users of the key, with whom cached keys are outdated.
pub(in crate::office) fn invalidate_users(
    tx: &mut dyn OfficeTx,
    before: &ApiKey,
    after: &ApiKey,
    context: &AuditContext,
) -> Result<(), UseCaseError> {
    tx.revocations().invalidate(Scope::User(before.user), context.at)?;
    if after.user != before.user {
        tx.revocations().invalidate(Scope::User(after.user), context.at)?;
    }
    Ok(())
}

/// The action and the changed fields of the audit event.
fn audit_details(before: &ApiKey, after: &ApiKey) -> (Action, Map<String, Value>) {
    let details = diff_fields([
        ("name", json!(before.name), json!(after.name)),
        ("description", json!(before.description), json!(after.description)),
        ("user", json!(before.user), json!(after.user)),
        ("device", json!(before.device), json!(after.device)),
        ("permissions", json!(before.permissions), json!(after.permissions)),
        ("active", json!(before.active), json!(after.active)),
        ("expires_at", json!(before.expires_at.map(Instant::millis)), json!(after.expires_at.map(Instant::millis))),
    ]);
    let only_active = details.len() == 1 && details.contains_key("active");
    (if only_active { Action::ApiKeyStatus } else { Action::ApiKeyUpdate }, details)
}
