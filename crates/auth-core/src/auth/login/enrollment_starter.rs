//! Checks, when the code of an enrollment is used, that the user who started the enrollment could
//! start it now.

use std::collections::BTreeSet;

use tillgate_domain::principal_access::{collect_rights, effective_user_roles, may_log_in};
use tillgate_domain::{
    ApiKey, ApiKeyId, Device, DeviceStatus, Enrollment, Instant, KnownRight, RoleId, StoreError, StoreResult, User,
    UserStatus,
};

use crate::ports::AuthTx;

/// The reason for which a code that waits is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VoidReason {
    /// The starter is not active.
    InactiveStarter,
    /// The API key with which the enrollment was started cannot be used.
    UnusableKey,
    /// The starter lacks the right `deviceEnroll`, or a right that the device has as itself.
    MissingRights,
}

impl VoidReason {
    /// The reason in the audit.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::InactiveStarter => "starter_inactive",
            Self::UnusableKey => "starter_key",
            Self::MissingRights => "starter_rights",
        }
    }
}

/// Finds the reason for which the starter could not start this enrollment now; `None` if the code
/// is valid. An enrollment that was started on the server's own machine has no starter: a change
/// of the device or of its roles cancels it, which is all that makes it void.
///
/// The caller has locked the device, so that its roles do not change. All roles are read by one
/// query, and the user before and after it: so rights and user existed together at one instant,
/// also if the store shows each query a newer state. A change of a role's rights also removes the
/// enrollment, which the caller notices when it completes it.
pub(super) fn find_void_reason(
    tx: &mut dyn AuthTx,
    enrollment: &Enrollment,
    now: Instant,
) -> StoreResult<Option<VoidReason>> {
    let Some(starter) = enrollment.started_by else { return Ok(None) };
    let found = (tx.users().find(starter)?, tx.devices().find(enrollment.device)?);
    let (Some(user), Some(device)) = found else { return Ok(Some(VoidReason::InactiveStarter)) };
    if user.status != UserStatus::Active || user.tenant != enrollment.tenant {
        return Ok(Some(VoidReason::InactiveStarter));
    }
    let started_with = match enrollment.started_with {
        Some(id) => match find_usable_key(tx, &user, id, now)? {
            Some(found) => Some(found),
            None => return Ok(Some(VoidReason::UnusableKey)),
        },
        None => None,
    };
    let assigned = match &started_with {
        Some((_, key_device)) => user.assignment.devices.get(&key_device.id).cloned().unwrap_or_default(),
        None => list_assigned_roles(&user),
    };
    let ids: Vec<RoleId> = assigned.union(&device.roles).copied().collect();
    let roles = if ids.is_empty() { Vec::new() } else { tx.roles().find_many(enrollment.tenant, &ids)? };
    let is_unchanged = tx.users().find(starter)?.is_some_and(|again| again.version == user.version);
    if !is_unchanged {
        return Err(StoreError::Conflict("the user who started the enrollment was changed in the meantime".to_owned()));
    }
    let collect = |ids: &BTreeSet<RoleId>| collect_rights(roles.iter().filter(|role| ids.contains(&role.id)));
    let own = match &started_with {
        Some((key, key_device)) => key.narrow(&collect_rights(effective_user_roles(&user, Some(key_device), &roles))),
        None => collect(&assigned),
    };
    let may_start = own.require(KnownRight::DeviceEnroll).is_ok() && own.require_all(&collect(&device.roles)).is_ok();
    Ok((!may_start).then_some(VoidReason::MissingRights))
}

/// The API key with this id and its device, if requests with the key act as this user now.
fn find_usable_key(
    tx: &mut dyn AuthTx,
    user: &User,
    id: ApiKeyId,
    now: Instant,
) -> StoreResult<Option<(ApiKey, Device)>> {
    let keys = tx.api_keys().list_active_by_user(user.tenant, user.id)?;
    let Some(key) = keys.into_iter().find(|key| key.id == id && !key.is_expired(now)) else { return Ok(None) };
    let device = tx.devices().find(key.device)?;
    let usable = device.filter(|device| device.status == DeviceStatus::Active && may_log_in(user, Some(device)));
    Ok(usable.map(|device| (key, device)))
}

/// The roles of the user, without a device and on all devices.
fn list_assigned_roles(user: &User) -> BTreeSet<RoleId> {
    user.assignment.office.iter().chain(user.assignment.devices.values().flatten()).copied().collect()
}
