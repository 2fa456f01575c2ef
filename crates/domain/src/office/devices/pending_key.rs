//! Accepts and denies the keys of machines that wait. The engine enrolls an accepted key itself,
//! when the machine polls.

use serde_json::json;

use super::enrollment::{authorize, check_device, deny_device_as_itself, limit_expiry, record};
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::users::last_admin;
use crate::office::{Office, OfficeReader};
use crate::pending_key::PENDING_KEY_LIFETIME;
use crate::{
    Action, DeviceId, DeviceName, Enrollment, EnrollmentDigest, KnownRight, PendingKey, StoreError, StoreExt, Subject,
};

/// The code of a key that waits, as its digest and as a person has typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypedCode<'c> {
    /// The digest under which the key is stored.
    pub digest: &'c EnrollmentDigest,
    /// The code for error texts.
    pub text: &'c str,
}

/// For which device a key is accepted, and what its machine shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAcceptance {
    /// The device whose key it becomes.
    pub device: DeviceName,
    /// The digits that the machine shows.
    pub fingerprint: String,
    /// Whether it may replace the current key of the device.
    pub replaces_key: bool,
}

/// A key that waits, with the name of its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingKeyView {
    /// The key as it is stored.
    pub key: PendingKey,
    /// The device with whose code the machine has presented itself; `None` if it shows its own.
    pub device: Option<DeviceName>,
}

impl Office<'_> {
    /// Accepts the key with this code for a device: its machine is enrolled when it polls next. A
    /// previous code of the device is void.
    ///
    /// Requires the right `deviceEnroll`, every right that the device has as itself, and the digits
    /// that the machine shows. The acceptance becomes void as the code of an enrollment does.
    pub fn accept_pending_key(&self, code: TypedCode<'_>, acceptance: &KeyAcceptance) -> UseCaseResult<Enrollment> {
        self.store.write("accept_pending_key", |tx| commit_refusal(accept(tx, self, code, acceptance)))
    }

    /// Confirms the machine that has presented the code of the enrollment of a device, as
    /// [`accept_pending_key`](Self::accept_pending_key) does.
    pub fn confirm_enrollment(&self, id: DeviceId, fingerprint: &str) -> UseCaseResult<Enrollment> {
        self.store.write("confirm_enrollment", |tx| commit_refusal(confirm(tx, self, id, fingerprint)))
    }

    /// Denies the key with this code. Requires the right `deviceEnroll`.
    pub fn deny_pending_key(&self, code: TypedCode<'_>) -> UseCaseResult<()> {
        self.store.write("deny_pending_key", |tx| commit_refusal(deny(tx, self, code)))
    }
}

impl OfficeReader<'_> {
    /// The keys that wait and can be accepted for devices of the tenant, of at most `limit` that
    /// wait, with the names of the devices for which their codes were started. Requires the right
    /// `deviceEnroll`.
    pub fn list_pending_keys(&self, limit: u32) -> UseCaseResult<Vec<PendingKeyView>> {
        self.store.read("list_pending_keys", |tx: &mut (dyn OfficeTx + '_)| {
            let mut run = || -> Result<Vec<PendingKeyView>, UseCaseError> {
                self.require(KnownRight::DeviceEnroll)?;
                let mut views = Vec::new();
                for key in tx.pending_keys().list_waiting(self.tenant, self.at, limit)? {
                    let Some(id) = key.device else {
                        views.push(PendingKeyView { key, device: None });
                        continue;
                    };
                    if has_current_code(tx, &key, id)?
                        && let Some(device) = tx.devices().find(id)?
                    {
                        views.push(PendingKeyView { key, device: Some(device.name) });
                    }
                }
                Ok(views)
            };
            commit_refusal(run())
        })
    }

    /// The key that waits under this code. Requires the right `deviceEnroll`.
    pub fn find_pending_key(&self, code: TypedCode<'_>) -> UseCaseResult<PendingKey> {
        self.store.read("find_pending_key", |tx: &mut (dyn OfficeTx + '_)| {
            let mut run = || -> Result<PendingKey, UseCaseError> {
                self.require(KnownRight::DeviceEnroll)?;
                let found = tx.pending_keys().find_by_code(code.digest)?;
                let is_own = |key: &PendingKey| key.tenant.is_none_or(|tenant| tenant == self.tenant);
                let found = found.filter(|key| is_own(key) && key.is_waiting(self.at));
                Ok(found.ok_or_else(|| unknown_code(code.text))?)
            };
            commit_refusal(run())
        })
    }
}

fn accept(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    code: TypedCode<'_>,
    acceptance: &KeyAcceptance,
) -> Result<Enrollment, UseCaseError> {
    office.require(KnownRight::DeviceEnroll)?;
    deny_device_as_itself(office)?;
    last_admin::claim_tenant(tx, office.tenant)?;
    let key = load_waiting(tx, office, code)?;
    let named = tx.devices().find_by_name(office.tenant, &acceptance.device.to_folded())?;
    let unknown = || OfficeError::UnknownName { field: FieldName::Device, value: acceptance.device.to_string() };
    let device = named.ok_or_else(unknown)?.id;
    if let Some(chosen) = key.device
        && (chosen != device || !has_current_code(tx, &key, device)?)
    {
        return Err(unknown_code(code.text).into());
    }
    // a code with which somebody has started the enrollment of the device is another matter
    let tenant = tx.tenants().find(office.tenant)?;
    if key.device.is_none() && !tenant.is_some_and(|tenant| tenant.machine_codes) {
        return Err(OfficeError::MachineCodesOff.into());
    }
    enroll(tx, office, &key, device, &acceptance.fingerprint, acceptance.replaces_key)
}

fn confirm(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: DeviceId,
    fingerprint: &str,
) -> Result<Enrollment, UseCaseError> {
    office.require(KnownRight::DeviceEnroll)?;
    deny_device_as_itself(office)?;
    last_admin::claim_tenant(tx, office.tenant)?;
    authorize(tx, office, id)?;
    let unknown = || OfficeError::NotFound { field: FieldName::Enrollment, value: id.to_string() };
    let enrollment = tx.enrollments().find_by_device(id)?.ok_or_else(unknown)?;
    let key = tx.pending_keys().find_by_code(&enrollment.digest)?;
    let key = key.filter(|key| key.is_waiting(office.context.at)).ok_or_else(unknown)?;
    enroll(tx, office, &key, id, fingerprint, enrollment.replaces_key)
}

/// Starts the enrollment of the device that the machine completes when it polls.
fn enroll(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    key: &PendingKey,
    device: DeviceId,
    fingerprint: &str,
    replaces_key: bool,
) -> Result<Enrollment, UseCaseError> {
    authorize(tx, office, device)?;
    if key.fingerprint != fingerprint.trim() {
        return Err(OfficeError::FingerprintMismatch.into());
    }
    check_device(tx, office, device, replaces_key)?;
    let created_at = office.context.at;
    let expires_at = limit_expiry(tx, office, created_at.saturating_add(PENDING_KEY_LIFETIME))?;
    let enrollment = Enrollment {
        device,
        tenant: office.tenant,
        digest: key.poll_digest,
        replaces_key,
        confirms: false,
        started_by: office.context.actor.user,
        started_with: office.api_key,
        created_at,
        expires_at,
        completion: None,
    };
    tx.enrollments().insert_or_replace(&enrollment)?;
    if !tx.pending_keys().accept(&key.code_digest, office.tenant, device, expires_at)? {
        return Err(conflict_error());
    }
    let details = [
        ("replace", json!(replaces_key)),
        ("label", json!(key.label)),
        ("app", json!(key.app)),
        ("storage", json!(key.storage.name())),
        ("address", json!(key.address)),
    ];
    record(tx, office, Action::DeviceEnrollAccept, device, details)?;
    Ok(enrollment)
}

fn deny(tx: &mut dyn OfficeTx, office: &Office<'_>, code: TypedCode<'_>) -> Result<(), UseCaseError> {
    office.require(KnownRight::DeviceEnroll)?;
    let key = load_waiting(tx, office, code)?;
    if !tx.pending_keys().deny(&key.code_digest, office.tenant)? {
        return Err(conflict_error());
    }
    let subject = key.device.map_or(Subject::Tenant(office.tenant), Subject::Device);
    let details = [("label", json!(key.label)), ("app", json!(key.app)), ("address", json!(key.address))];
    let details = details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(tx.audit().record(&office.build_event(Action::DeviceEnrollDeny, subject, details))?)
}

/// The key that waits under this code, if it is of this tenant or of none yet.
fn load_waiting(tx: &mut dyn OfficeTx, office: &Office<'_>, code: TypedCode<'_>) -> Result<PendingKey, UseCaseError> {
    let found = tx.pending_keys().find_by_code(code.digest)?;
    let is_own = |key: &PendingKey| key.tenant.is_none_or(|tenant| tenant == office.tenant);
    let found = found.filter(|key| is_own(key) && key.is_waiting(office.context.at));
    Ok(found.ok_or_else(|| unknown_code(code.text))?)
}

/// Whether the code with which the machine has presented itself is that of the device's enrollment:
/// it may have been canceled or replaced.
fn has_current_code(tx: &mut dyn OfficeTx, key: &PendingKey, device: DeviceId) -> Result<bool, UseCaseError> {
    let enrollment = tx.enrollments().find_by_device(device)?;
    Ok(enrollment.is_some_and(|current| current.digest == key.code_digest))
}

fn unknown_code(text: &str) -> OfficeError {
    OfficeError::NotFound { field: FieldName::Enrollment, value: text.to_owned() }
}

fn conflict_error() -> UseCaseError {
    StoreError::Conflict("somebody has decided about the key in the meantime".to_owned()).into()
}
