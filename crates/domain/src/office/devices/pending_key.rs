//! Accepts and denies the keys of machines that wait. The engine enrolls an accepted key itself,
//! when the machine polls.

use serde_json::json;

use super::change::load_device;
use super::enrollment::{NewEnrollment, begin_enrollment, build_enrollment, record};
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::users::last_admin;
use crate::office::{Office, OfficeReader};
use crate::pending_key::{MAX_WRONG_FINGERPRINTS, PENDING_KEY_LIFETIME};
use crate::{
    Action, DeviceId, DeviceName, Enrollment, EnrollmentDigest, EnrollmentState, Instant, KnownRight, PendingKey,
    PendingKeyState, StoreError, StoreExt, Subject, TenantId, encode_thumbprint,
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
    /// that the machine shows. Wrong digits are counted, and the fifth time the key is denied. The
    /// acceptance becomes void as the code of an enrollment does.
    pub fn accept_pending_key(&self, code: TypedCode<'_>, acceptance: &KeyAcceptance) -> UseCaseResult<Enrollment> {
        self.store.write("accept_pending_key", |tx| commit_refusal(accept(tx, self, code, acceptance)))
    }

    /// Confirms the machine that has presented the code of the enrollment of a device, as
    /// [`accept_pending_key`](Self::accept_pending_key) does.
    pub fn confirm_enrollment(&self, id: DeviceId, fingerprint: &str) -> UseCaseResult<Enrollment> {
        self.store.write("confirm_enrollment", |tx| commit_refusal(confirm(tx, self, id, fingerprint)))
    }

    /// Denies the key with this code, and cancels the enrollment whose code its machine has
    /// presented, if any. Requires the right `deviceEnroll`.
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
                    if find_presented(tx, &key, self.at)?
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

    /// The key with this code, which may be decided or have expired. Requires the right
    /// `deviceEnroll`.
    pub fn find_pending_key(&self, code: TypedCode<'_>) -> UseCaseResult<PendingKey> {
        self.store.read("find_pending_key", |tx: &mut (dyn OfficeTx + '_)| {
            let mut run = || -> Result<PendingKey, UseCaseError> {
                self.require(KnownRight::DeviceEnroll)?;
                find_own(tx, self.tenant, self.at, code)
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
    begin_enrollment(tx, office)?;
    let key = load_waiting(tx, office, code)?;
    let named = tx.devices().find_by_name(office.tenant, &acceptance.device.to_folded())?;
    let unknown = || OfficeError::UnknownName { field: FieldName::Device, value: acceptance.device.to_string() };
    let device = named.ok_or_else(unknown)?.id;
    if key.device.is_some_and(|chosen| chosen != device) {
        return Err(unknown_code(code.text).into());
    }
    enroll(tx, office, &key, device, &acceptance.fingerprint, acceptance.replaces_key)
}

fn confirm(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: DeviceId,
    fingerprint: &str,
) -> Result<Enrollment, UseCaseError> {
    begin_enrollment(tx, office)?;
    load_device(tx, office.tenant, id)?;
    let now = office.context.at;
    let unknown = || OfficeError::NotFound { field: FieldName::Enrollment, value: id.to_string() };
    let enrollment = tx.enrollments().find_by_device(id)?.ok_or_else(unknown)?;
    let key = tx.pending_keys().find_by_code(&enrollment.digest)?;
    let may_decide = |key: &PendingKey| key.is_waiting(now) && enrollment.state(now) == EnrollmentState::Waiting;
    let key = key.filter(may_decide).ok_or_else(unknown)?;
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
    let new =
        NewEnrollment { digest: key.device_code_digest, lifetime: PENDING_KEY_LIFETIME, replaces_key, confirms: false };
    let enrollment = build_enrollment(tx, office, device, &new)?;
    // The digits come last, so that every attempt which is counted compares them. From here on, the
    // key is locked: its machine gets no other code to poll with.
    let key = tx.pending_keys().count_attempt(&key.code_digest)?.ok_or_else(conflict_error)?;
    if key.fingerprint != fingerprint.trim() {
        if key.fingerprint_attempts < MAX_WRONG_FINGERPRINTS {
            return Err(OfficeError::FingerprintMismatch.into());
        }
        deny_key(tx, office, &key, Some("fingerprint"))?;
        return Err(OfficeError::TooManyFingerprints.into());
    }
    let enrollment = Enrollment { digest: key.device_code_digest, ..enrollment };
    tx.enrollments().insert_or_replace(&enrollment)?;
    if !tx.pending_keys().accept(&key.code_digest, device, enrollment.expires_at)? {
        return Err(conflict_error());
    }
    let details = [
        ("replace", json!(replaces_key)),
        ("thumbprint", json!(encode_thumbprint(&key.thumbprint))),
        ("label", json!(key.label)),
        ("app", json!(key.app)),
        ("storage", json!(key.storage.name())),
        ("address", json!(key.address)),
    ];
    record(tx, office, Action::DeviceEnrollAccept, Subject::Device(device), details)?;
    Ok(enrollment)
}

fn deny(tx: &mut dyn OfficeTx, office: &Office<'_>, code: TypedCode<'_>) -> Result<(), UseCaseError> {
    office.require(KnownRight::DeviceEnroll)?;
    // A start for the same device ends first: its code is not the one to cancel.
    last_admin::claim_tenant(tx, office.tenant)?;
    let key = load_waiting(tx, office, code)?;
    deny_key(tx, office, &key, None)
}

/// Denies the key. `why` is the reason if nobody has asked for it.
fn deny_key(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    key: &PendingKey,
    why: Option<&str>,
) -> Result<(), UseCaseError> {
    if !tx.pending_keys().deny(&key.code_digest)? {
        return Err(conflict_error());
    }
    if let Some(device) = key.device
        && find_presented(tx, key, office.context.at)?
    {
        // otherwise another machine could present the code
        tx.enrollments().cancel(device)?;
    }
    let subject = key.device.map_or(Subject::Tenant(office.tenant), Subject::Device);
    let details = [
        ("thumbprint", json!(encode_thumbprint(&key.thumbprint))),
        ("label", json!(key.label)),
        ("app", json!(key.app)),
        ("address", json!(key.address)),
    ];
    let why = why.map(|why| ("why", json!(why)));
    record(tx, office, Action::DeviceEnrollDeny, subject, details.into_iter().chain(why))
}

/// The key that waits under this code in the tenant.
fn load_waiting(tx: &mut dyn OfficeTx, office: &Office<'_>, code: TypedCode<'_>) -> Result<PendingKey, UseCaseError> {
    let key = find_own(tx, office.tenant, office.context.at, code)?;
    if key.is_waiting(office.context.at) { Ok(key) } else { Err(unknown_code(code.text).into()) }
}

/// The key with this code in the tenant. A tenant that accepts no machines which show a code learns
/// nothing about codes, except about those with which somebody has started an enrollment.
fn find_own(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    now: Instant,
    code: TypedCode<'_>,
) -> Result<PendingKey, UseCaseError> {
    let found = tx.pending_keys().find_by_code(code.digest)?.filter(|key| key.tenant == tenant);
    let is_presented = found.as_ref().is_some_and(|key| key.device.is_some());
    if !is_presented && !tx.tenants().find(tenant)?.is_some_and(|tenant| tenant.machine_codes) {
        return Err(OfficeError::MachineCodesOff.into());
    }
    let key = found.ok_or_else(|| unknown_code(code.text))?;
    // the code that the machine has presented may have been canceled or replaced
    let is_void = is_presented && key.state == PendingKeyState::Waiting && !find_presented(tx, &key, now)?;
    if is_void { Err(unknown_code(code.text).into()) } else { Ok(key) }
}

/// Whether the enrollment whose code the machine has presented still waits.
fn find_presented(tx: &mut dyn OfficeTx, key: &PendingKey, now: Instant) -> Result<bool, UseCaseError> {
    let Some(device) = key.device else { return Ok(false) };
    let enrollment = tx.enrollments().find_by_device(device)?;
    let is_presented =
        |found: &Enrollment| found.digest == key.code_digest && found.state(now) == EnrollmentState::Waiting;
    Ok(enrollment.as_ref().is_some_and(is_presented))
}

fn unknown_code(text: &str) -> OfficeError {
    OfficeError::NotFound { field: FieldName::Enrollment, value: text.to_owned() }
}

fn conflict_error() -> UseCaseError {
    StoreError::Conflict("somebody has decided about the key in the meantime".to_owned()).into()
}
