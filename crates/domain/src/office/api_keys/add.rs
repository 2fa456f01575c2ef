//! Adds an API key.

use serde_json::{Map, json};

use crate::office::context::AuditContext;
use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::{Office, text};
use crate::{
    Action, ApiKey, ApiKeyId, Device, DeviceName, DeviceStatus, Instant, KnownRight, Rights, Scope, StoreError,
    StoreExt, Subject, TenantId, User, UserName, principal_access,
};

/// The API key to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    /// The identifier of the key.
    pub id: ApiKeyId,
    /// The random client id.
    pub client_id: String,
    /// The encrypted secret.
    pub wrapped_secret: Vec<u8>,
    /// The name for people.
    pub name: String,
    /// The purpose of the key, in free text.
    pub description: String,
    /// Whether the key is active.
    pub active: bool,
    /// The user as whom requests act.
    pub user: UserName,
    /// The device on which requests act; the user must be allowed to log in on it.
    pub device: DeviceName,
    /// The rights to which the user's rights are restricted; if empty, they are not.
    pub permissions: Rights,
    /// The instant from which the key is not accepted any more, in the future; `None` for never.
    pub expires_at: Option<Instant>,
}

impl Office<'_> {
    /// Adds the key. Requires the right `apiKeyCreate`, every right that the key grants, and every
    /// right among its permissions, because the user may be given those later: nobody can create a
    /// key with more rights than their own.
    ///
    /// A key without permissions grants whatever its user is given later, so only an admin can
    /// create one. For anybody else, the key gets its current rights as permissions.
    pub fn add_api_key(&self, new: &NewApiKey) -> UseCaseResult<ApiKey> {
        self.store.write("add_api_key", |tx| commit_refusal(add(tx, self, new)))
    }
}

fn add(tx: &mut dyn OfficeTx, office: &Office<'_>, new: &NewApiKey) -> Result<ApiKey, UseCaseError> {
    office.require(KnownRight::ApiKeyCreate)?;
    office.require_recent_proof()?;
    office.require_all(&new.permissions)?;
    let mut refusals = FieldRefusals::default();
    refusals.gather(check_texts(&new.name, "", &new.description))?;
    refusals.gather(check_expiry(new.expires_at, office.context.at))?;
    let named = refusals.gather(user_and_device(tx, office.tenant, &new.user, &new.device))?;
    refusals.checked()?;
    let (user, device) = named.ok_or_else(missing_user_error)?;
    let mut key = ApiKey {
        id: new.id,
        tenant: office.tenant,
        client_id: new.client_id.clone(),
        name: new.name.clone(),
        description: new.description.clone(),
        active: new.active,
        user: user.id,
        device: device.id,
        permissions: new.permissions.clone(),
        created_at: office.context.at,
        expires_at: new.expires_at,
        last_used_at: None,
        previous_secret_until: None,
        version: 1,
    };
    let given = compute_rights(tx, &key)?;
    office.require_all(&given)?;
    fix_permissions(&office.context, &mut key, given)?;
    if !tx.api_keys().insert(&key, &new.wrapped_secret)? {
        return Err(OfficeError::AlreadyExists { field: FieldName::ApiKey, value: key.client_id }.into());
    }
    tx.revocations().invalidate(Scope::User(user.id), office.context.at)?;
    let details = Map::from_iter([
        ("name".to_owned(), json!(key.name)),
        ("client".to_owned(), json!(key.client_id)),
        ("user".to_owned(), json!(user.id)),
        ("device".to_owned(), json!(device.id)),
        ("permissions".to_owned(), json!(key.permissions)),
        ("active".to_owned(), json!(key.active)),
        ("expires_at".to_owned(), json!(key.expires_at.map(Instant::millis))),
    ]);
    tx.audit().record(&office.build_event(Action::ApiKeyAdd, Subject::ApiKey(key.id), details))?;
    Ok(key)
}

/// Restricts a key without permissions to the rights that it grants now, unless an admin creates or
/// changes it.
pub(in crate::office) fn fix_permissions(
    context: &AuditContext,
    key: &mut ApiKey,
    given: Rights,
) -> Result<(), OfficeError> {
    if !key.permissions.is_empty() || context.authority.covers_everything() {
        return Ok(());
    }
    if given.is_empty() {
        return Err(OfficeError::Required { field: FieldName::Permissions });
    }
    key.permissions = given;
    Ok(())
}

/// Checks that a new expiry is in the future.
pub(in crate::office) fn check_expiry(expires_at: Option<Instant>, now: Instant) -> Result<(), OfficeError> {
    match expires_at {
        Some(at) if at <= now => Err(OfficeError::NotInFuture { field: FieldName::ExpiresAt }),
        _ => Ok(()),
    }
}

/// Checks the texts for people; `before` is the previous name of the key, empty for a new one.
pub(in crate::office) fn check_texts(name: &str, before: &str, description: &str) -> Result<(), OfficeError> {
    let name = text::check_renamed(FieldName::Name, name, before, text::MAX_LABEL_CHARS);
    let mut refusals = FieldRefusals::default();
    let found = [name, text::check_text(FieldName::Description, description, text::MAX_DESCRIPTION_CHARS)];
    found.into_iter().filter_map(Result::err).for_each(|refused| refusals.add(refused));
    refusals.checked()
}

/// Finds the user with this name.
pub(in crate::office) fn resolve_user(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    name: &UserName,
) -> Result<User, UseCaseError> {
    let found = tx.users().find_by_name(tenant, &name.to_folded())?;
    Ok(found.ok_or_else(|| OfficeError::UnknownName { field: FieldName::User, value: name.to_string() })?)
}

/// Finds the device with this name, if the user may log in on it.
pub(in crate::office) fn resolve_device(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    user: &User,
    name: &DeviceName,
) -> Result<Device, UseCaseError> {
    let device = any_device(tx, tenant, name)?;
    if principal_access::may_log_in(user, Some(&device)) {
        return Ok(device);
    }
    Err(OfficeError::DeviceNotAssigned { user: user.name.clone(), device: device.name }.into())
}

/// Finds the user and the device with these names, if the user may log in on it. If the user does
/// not exist, the device is reported as unknown only if the tenant has no device with its name.
pub(in crate::office) fn user_and_device(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    user_name: &UserName,
    device_name: &DeviceName,
) -> Result<(User, Device), UseCaseError> {
    let mut refusals = FieldRefusals::default();
    let user = refusals.gather(resolve_user(tx, tenant, user_name))?;
    let device = refusals.gather(match &user {
        Some(user) => resolve_device(tx, tenant, user, device_name),
        None => any_device(tx, tenant, device_name),
    })?;
    refusals.checked()?;
    Ok(user.zip(device).ok_or_else(missing_user_error)?)
}

fn missing_user_error() -> StoreError {
    StoreError::Fault("an API key has no user, but no error was found".to_owned())
}

/// Finds the device with this name, without a check of who may log in on it.
pub(in crate::office) fn any_device(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    name: &DeviceName,
) -> Result<Device, UseCaseError> {
    let found =
        tx.devices().find_by_name(tenant, &name.to_folded())?.filter(|device| device.status != DeviceStatus::Retired);
    Ok(found.ok_or_else(|| OfficeError::UnknownName { field: FieldName::Device, value: name.to_string() })?)
}

/// The rights of a request that is authenticated with the key, with the current roles of its user
/// and device.
pub(in crate::office) fn compute_rights(tx: &mut dyn OfficeTx, key: &ApiKey) -> Result<Rights, UseCaseError> {
    let roles = tx.roles().list(key.tenant)?;
    let (user, device) = (tx.users().find(key.user)?, tx.devices().find(key.device)?);
    let (Some(user), Some(device)) = (user, device) else { return Ok(Rights::default()) };
    let effective = principal_access::effective_user_roles(&user, Some(&device), &roles);
    Ok(key.narrow(&principal_access::collect_rights(effective)))
}
