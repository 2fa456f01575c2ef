//! Makes a key that a program signs its requests with.

use serde_json::{Map, json};

use crate::office::context::AuditContext;
use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::text;
use crate::{
    Action, ApiKey, ApiKeyId, Device, DeviceName, DeviceStatus, KnownRight, Rights, Scope, Store, StoreError, StoreExt,
    Subject, TenantId, User, UserName, access,
};

/// A key that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What the program calls it by, drawn by chance.
    pub client_id: String,
    /// Its secret, wrapped outside.
    pub wrapped_secret: Vec<u8>,
    /// What people call it by.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it counts.
    pub active: bool,
    /// Who a request runs as.
    pub user: UserName,
    /// Where it runs: a device that the user may log in on.
    pub device: DeviceName,
    /// What narrows the user's rights; nothing where it is empty.
    pub permissions: Rights,
}

/// Makes the key. Asks the right `apiKeyCreate`, every right that the key gives and every right among its permissions, which the
/// user may be given later: nobody makes a key to more than they hold.
///
/// A key without permissions gives whatever its user is given later, so only an admin makes one. For anybody else the key gets the
/// rights as permissions that it gives now.
pub fn add_api_key(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    new: &NewApiKey,
) -> UseCaseResult<ApiKey> {
    store.write(|tx| commit_refusal(add(tx, tenant, stamp, new)))
}

fn add(tx: &mut dyn OfficeTx, tenant: TenantId, stamp: &AuditContext, new: &NewApiKey) -> Result<ApiKey, UseCaseError> {
    stamp.authority.require(KnownRight::ApiKeyCreate)?;
    check_texts(&new.name, "", &new.description)?;
    stamp.authority.require_all(&new.permissions)?;
    let (user, device) = user_and_device(tx, tenant, &new.user, &new.device)?;
    let mut key = ApiKey {
        id: new.id,
        tenant,
        client_id: new.client_id.clone(),
        name: new.name.clone(),
        description: new.description.clone(),
        active: new.active,
        user: user.id,
        device: device.id,
        permissions: new.permissions.clone(),
        created_at: stamp.at,
        version: 1,
    };
    let given = compute_rights(tx, &key)?;
    stamp.authority.require_all(&given)?;
    fix_permissions(stamp, &mut key, given)?;
    if !tx.api_keys().insert(&key, &new.wrapped_secret)? {
        return Err(OfficeError::AlreadyExists { field: FieldName::ApiKey, value: key.client_id }.into());
    }
    tx.revocations().invalidate(Scope::User(user.id), stamp.at)?;
    let details = Map::from_iter([
        ("name".to_owned(), json!(key.name)),
        ("client".to_owned(), json!(key.client_id)),
        ("user".to_owned(), json!(user.id)),
        ("device".to_owned(), json!(device.id)),
        ("permissions".to_owned(), json!(key.permissions)),
        ("active".to_owned(), json!(key.active)),
    ]);
    tx.audit().record(&stamp.build_event(tenant, Action::ApiKeyAdd, Subject::ApiKey(key.id), details))?;
    Ok(key)
}

/// Narrows a key without permissions to what it gives now, where it is no admin who answers for it.
pub(in crate::office) fn fix_permissions(
    stamp: &AuditContext,
    key: &mut ApiKey,
    given: Rights,
) -> Result<(), OfficeError> {
    if !key.permissions.is_empty() || stamp.authority.covers_everything() {
        return Ok(());
    }
    if given.is_empty() {
        return Err(OfficeError::Required { field: FieldName::Permissions });
    }
    key.permissions = given;
    Ok(())
}

/// Bounds what people read; `before` is the name that the key has, empty for a new one.
pub(in crate::office) fn check_texts(name: &str, before: &str, description: &str) -> Result<(), OfficeError> {
    let name = text::check_renamed(FieldName::Name, name, before, text::MAX_LABEL_CHARS);
    let mut refusals = FieldRefusals::default();
    let found = [name, text::check_text(FieldName::Description, description, text::MAX_DESCRIPTION_CHARS)];
    found.into_iter().filter_map(Result::err).for_each(|refused| refusals.add(refused));
    refusals.checked()
}

/// The user of this name.
pub(in crate::office) fn resolve_user(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    name: &UserName,
) -> Result<User, UseCaseError> {
    let found = tx.users().find_by_name(tenant, &name.to_folded())?;
    Ok(found.ok_or_else(|| OfficeError::UnknownName { field: FieldName::User, value: name.to_string() })?)
}

/// The device of this name, where the user may log in on it.
pub(in crate::office) fn resolve_device(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    user: &User,
    name: &DeviceName,
) -> Result<Device, UseCaseError> {
    let found =
        tx.devices().find_by_name(tenant, &name.to_folded())?.filter(|device| access::may_log_in(user, Some(device)));
    Ok(found.ok_or_else(|| OfficeError::UnknownName { field: FieldName::Device, value: name.to_string() })?)
}

/// The user and the device of these names, where the user may log in on it. Of a user who does not exist nobody knows where they may
/// log in, so the device is then unknown only if the tenant has none of its name.
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
    Ok(user
        .zip(device)
        .ok_or_else(|| StoreError::Fault("a key has no user and nothing is wrong with it".to_owned()))?)
}

/// The device of this name, whoever may log in on it.
pub(in crate::office) fn any_device(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    name: &DeviceName,
) -> Result<Device, UseCaseError> {
    let found =
        tx.devices().find_by_name(tenant, &name.to_folded())?.filter(|device| device.status != DeviceStatus::Retired);
    Ok(found.ok_or_else(|| OfficeError::UnknownName { field: FieldName::Device, value: name.to_string() })?)
}

/// What a request that is signed with the key may do, as its user and device are now.
pub(in crate::office) fn compute_rights(tx: &mut dyn OfficeTx, key: &ApiKey) -> Result<Rights, UseCaseError> {
    let roles = tx.roles().list(key.tenant)?;
    let (user, device) = (tx.users().find(key.user)?, tx.devices().find(key.device)?);
    let (Some(user), Some(device)) = (user, device) else { return Ok(Rights::default()) };
    let held = access::effective_user_roles(&user, Some(&device), &roles);
    Ok(key.narrow(&access::collect_rights(held)))
}
