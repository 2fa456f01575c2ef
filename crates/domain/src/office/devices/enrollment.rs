//! Enrolls devices: starts and cancels enrollments, and revokes the keys of devices. The engine
//! enrolls the key itself, when the device presents the code.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::change::load_device;
use crate::enrollment::{MAX_ENROLLMENT_LIFETIME, MIN_ENROLLMENT_LIFETIME};
use crate::office::error::{FieldName, OfficeError, RangeViolation, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::users::{assignment, last_admin};
use crate::office::{Office, OfficeReader};
use crate::{
    Action, DeviceId, DeviceKey, DeviceKeyState, DeviceStatus, EndReason, Enrollment, EnrollmentDigest, Instant,
    KnownRight, PendingKey, Rights, Scope, Store, StoreError, StoreExt, StoreResult, Subject, Thumbprint,
    encode_thumbprint,
};

/// An enrollment to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewEnrollment {
    /// The digest of its code.
    pub digest: EnrollmentDigest,
    /// How long the code is valid.
    pub lifetime: Duration,
    /// Whether it may replace the current key of the device.
    pub replaces_key: bool,
    /// Whether the machine that presents the code waits until somebody confirms it.
    pub confirms: bool,
}

impl Office<'_> {
    /// Starts the enrollment of a device with the code of this digest. A previous code of the
    /// device is void. Nothing else changes until somebody presents the code.
    ///
    /// Requires the right `deviceEnroll` and every right that the device has as itself, because
    /// anyone who has the code gets them. The code becomes void if the device's roles, environment
    /// or status change, if the rights or environments of one of its roles change, or if its key is
    /// revoked. It is also void while the caller could not start the enrollment again, and once the
    /// API key with which it was started has lost the secret of that time.
    ///
    /// A device that is not active is denied, and so is one with a current key unless the
    /// enrollment replaces it.
    pub fn start_enrollment(&self, id: DeviceId, new: &NewEnrollment) -> UseCaseResult<Enrollment> {
        self.store.write("start_enrollment", |tx| commit_refusal(start(tx, self, id, new)))
    }

    /// Cancels the enrollment of a device. Requires the right `deviceEnroll`. Fails if no code of
    /// the device is waiting.
    pub fn cancel_enrollment(&self, id: DeviceId) -> UseCaseResult<()> {
        self.store.write("cancel_enrollment", |tx| commit_refusal(cancel(tx, self, id)))
    }

    /// Revokes the current key of a device, ends all sessions on it except permanent ones, and
    /// cancels the enrollment of the device. The key is never enrolled again. Returns false if this
    /// is not the current key.
    ///
    /// Requires the right `deviceEnroll` and every right that the device has as itself.
    pub fn revoke_device_key(&self, id: DeviceId, thumbprint: &Thumbprint) -> UseCaseResult<bool> {
        self.store.write("revoke_device_key", |tx| commit_refusal(revoke(tx, self, id, thumbprint)))
    }
}

impl OfficeReader<'_> {
    /// The newest enrollment of a device. Requires the right `deviceEnroll`.
    pub fn find_enrollment(&self, id: DeviceId) -> UseCaseResult<Option<Enrollment>> {
        Ok(self.find_enrollment_with_key(id)?.map(|found| found.map(|(enrollment, _)| enrollment)))
    }

    /// The newest enrollment of a device, and the key that waits to be confirmed for it. Requires
    /// the right `deviceEnroll`.
    pub fn find_enrollment_with_key(&self, id: DeviceId) -> UseCaseResult<Option<(Enrollment, Option<PendingKey>)>> {
        self.store.read("find_enrollment", |tx: &mut (dyn OfficeTx + '_)| {
            let mut run = || -> Result<Option<(Enrollment, Option<PendingKey>)>, UseCaseError> {
                self.require(KnownRight::DeviceEnroll)?;
                load_device(tx, self.tenant, id)?;
                let Some(enrollment) = tx.enrollments().find_by_device(id)? else { return Ok(None) };
                let waiting = tx.pending_keys().find_by_code(&enrollment.digest)?;
                let waiting = waiting.filter(|key| key.is_waiting(self.at));
                Ok(Some((enrollment, waiting)))
            };
            commit_refusal(run())
        })
    }

    /// The keys of a device, newest first. Requires the right `deviceEnroll`.
    pub fn list_device_keys(&self, id: DeviceId) -> UseCaseResult<Vec<DeviceKey>> {
        self.store.read("list_device_keys", |tx: &mut (dyn OfficeTx + '_)| {
            let mut run = || -> Result<Vec<DeviceKey>, UseCaseError> {
                self.require(KnownRight::DeviceEnroll)?;
                load_device(tx, self.tenant, id)?;
                Ok(tx.device_keys().list_by_device(id)?)
            };
            commit_refusal(run())
        })
    }
}

fn start(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: DeviceId,
    new: &NewEnrollment,
) -> Result<Enrollment, UseCaseError> {
    begin_enrollment(tx, office)?;
    let enrollment = build_enrollment(tx, office, id, new)?;
    tx.enrollments().insert_or_replace(&enrollment)?;
    let details = [
        ("replace", json!(new.replaces_key)),
        ("confirm", json!(new.confirms)),
        ("expires_at", json!(enrollment.expires_at.millis())),
    ];
    record(tx, office, Action::DeviceEnrollStart, Subject::Device(id), details)?;
    Ok(enrollment)
}

/// Checks that the caller may start enrollments, and locks the tenant: a concurrent change of the
/// device or of a role waits here, and then cancels the enrollment.
pub(super) fn begin_enrollment(tx: &mut dyn OfficeTx, office: &Office<'_>) -> Result<(), UseCaseError> {
    office.require(KnownRight::DeviceEnroll)?;
    deny_device_as_itself(office)?;
    Ok(last_admin::claim_tenant(tx, office.tenant)?)
}

/// Checks that a code may be valid for this time.
///
/// # Errors
///
/// [`OfficeError::OutOfRange`].
pub fn check_enrollment_lifetime(lifetime: Duration) -> Result<(), OfficeError> {
    let (min, max) = (MIN_ENROLLMENT_LIFETIME, MAX_ENROLLMENT_LIFETIME);
    if (min..=max).contains(&lifetime) {
        return Ok(());
    }
    Err(OfficeError::OutOfRange(vec![RangeViolation { field: FieldName::ExpiresIn, min, max, configured: false }]))
}

/// Checks that the caller may start this enrollment, and that the device can be enrolled. Returns
/// the enrollment, which is not stored.
pub(super) fn build_enrollment(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: DeviceId,
    new: &NewEnrollment,
) -> Result<Enrollment, UseCaseError> {
    authorize(tx, office, id)?;
    check_enrollment_lifetime(new.lifetime)?;
    check_device(tx, office, id, new.replaces_key)?;
    let created_at = office.context.at;
    let expires_at = limit_expiry(tx, office, created_at.saturating_add(new.lifetime))?;
    Ok(Enrollment {
        device: id,
        tenant: office.tenant,
        digest: new.digest,
        replaces_key: new.replaces_key,
        confirms: new.confirms,
        started_by: office.context.actor.user,
        started_with: office.api_key,
        created_at,
        expires_at,
        completion: None,
    })
}

/// Denies a device that is logged in as itself: what it starts could not be made void by dismissing
/// who started it.
fn deny_device_as_itself(office: &Office<'_>) -> Result<(), UseCaseError> {
    let actor = &office.context.actor;
    if actor.user.is_none() && actor.device.is_some() {
        Rights::default().require(KnownRight::DeviceEnroll)?;
    }
    Ok(())
}

/// Checks that the device is active, and has no current key unless the enrollment replaces it.
fn check_device(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: DeviceId,
    replaces_key: bool,
) -> Result<(), UseCaseError> {
    let device = load_device(tx, office.tenant, id)?;
    if device.status != DeviceStatus::Active {
        return Err(OfficeError::DeviceNotActive { name: device.name, status: device.status }.into());
    }
    let keys = tx.device_keys().list_by_device(id)?;
    if !replaces_key && keys.iter().any(|key| key.state == DeviceKeyState::Current) {
        return Err(OfficeError::DeviceEnrolled(device.name).into());
    }
    Ok(())
}

/// The instant at which a code expires that the caller starts. One that is started with an API key
/// expires with it; while the key has two secrets, with the previous one, because the caller may be
/// somebody from whom the rotation takes the key.
fn limit_expiry(tx: &mut dyn OfficeTx, office: &Office<'_>, expires_at: Instant) -> Result<Instant, UseCaseError> {
    let Some(id) = office.api_key else { return Ok(expires_at) };
    let now = office.context.at;
    let found = tx.api_keys().find(id)?.filter(|key| key.active && !key.is_expired(now));
    let key = found.ok_or(OfficeError::ApiKeyEnded)?;
    let previous_until = key.previous_secret_until.filter(|until| *until > now);
    Ok([key.expires_at, previous_until].into_iter().flatten().fold(expires_at, Instant::min))
}

fn cancel(tx: &mut dyn OfficeTx, office: &Office<'_>, id: DeviceId) -> Result<(), UseCaseError> {
    office.require(KnownRight::DeviceEnroll)?;
    // An acceptance that is under way ends first: it must not bring the enrollment back.
    last_admin::claim_tenant(tx, office.tenant)?;
    load_device(tx, office.tenant, id)?;
    if !tx.enrollments().cancel(id)? {
        return Err(OfficeError::NotFound { field: FieldName::Enrollment, value: id.to_string() }.into());
    }
    record(tx, office, Action::DeviceEnrollCancel, Subject::Device(id), [])
}

fn revoke(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: DeviceId,
    thumbprint: &Thumbprint,
) -> Result<bool, UseCaseError> {
    authorize(tx, office, id)?;
    // see `cancel`
    last_admin::claim_tenant(tx, office.tenant)?;
    let keys = tx.device_keys().list_by_device(id)?;
    let is_current = |key: &&DeviceKey| key.thumbprint == *thumbprint && key.state == DeviceKeyState::Current;
    let Some(key) = keys.iter().find(is_current) else { return Ok(false) };
    // This also locks the device, as an enrollment does.
    tx.revocations().bump_epoch(Scope::Device(id), EndReason::Admin, office.context.at)?;
    if !tx.device_keys().revoke(office.tenant, thumbprint, office.context.at)? {
        return Err(StoreError::Conflict("the key of the device was replaced in the meantime".to_owned()).into());
    }
    // Anyone who has a waiting code could enroll the machine again.
    tx.enrollments().cancel(id)?;
    let details = [
        ("thumbprint", json!(encode_thumbprint(thumbprint))),
        ("label", json!(key.label)),
        ("app", json!(key.app)),
        ("storage", json!(key.storage.name())),
    ];
    record(tx, office, Action::DeviceKeyRevoke, Subject::Device(id), details)?;
    Ok(true)
}

/// Checks that the caller may give or take the device's own access.
fn authorize(tx: &mut dyn OfficeTx, office: &Office<'_>, id: DeviceId) -> Result<(), UseCaseError> {
    office.require(KnownRight::DeviceEnroll)?;
    let device = load_device(tx, office.tenant, id)?;
    let roles = tx.roles().list(office.tenant)?;
    office.require_all(&assignment::collect_role_rights(&device.roles, &roles))?;
    Ok(office.require_recent_proof()?)
}

pub(super) fn record<'n>(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    action: Action,
    subject: Subject,
    details: impl IntoIterator<Item = (&'n str, Value)>,
) -> Result<(), UseCaseError> {
    let details: Map<String, Value> = details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(tx.audit().record(&office.build_event(action, subject, details))?)
}

/// Removes at most `limit` enrollments that expired before this instant. Returns their number.
pub fn sweep_enrollments(store: &dyn Store<OfficePorts>, before: Instant, limit: u32) -> StoreResult<u32> {
    store.write("sweep_enrollments", |tx| tx.enrollments().sweep(before, limit))
}

/// Removes at most `limit` keys that nobody has accepted before this instant, or whose machines
/// could poll until then. Returns their number.
pub fn sweep_pending_keys(store: &dyn Store<OfficePorts>, before: Instant, limit: u32) -> StoreResult<u32> {
    store.write("sweep_pending_keys", |tx| tx.pending_keys().sweep(before, limit))
}
