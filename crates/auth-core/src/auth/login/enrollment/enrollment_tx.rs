//! The second unit of work of an enrollment: claims the device, checks the code again, and writes
//! the key and the session.

use tillgate_domain::enrollment::REPEATED_ENROLLMENT_LIMIT;
use tillgate_domain::pending_key::PENDING_KEY_LIFETIME;
use tillgate_domain::{
    Action, Device, DeviceId, DeviceKey, DeviceKeyState, DeviceStatus, EndReason, Enrollment, EnrollmentCompletion,
    EnrollmentState, KeyStorage, PrincipalId, Scope, StoreError, StoreResult, Thumbprint,
};

use super::{ClaimedEnrollment, EnrolledSession, EnrollmentDenial, EnrollmentTx, EnrollmentTxOutcome, RepeatedSession};
use crate::auth::login::enrollment_starter::{VoidReason, find_void_reason};
use crate::auth::login::pending_key::{KeyTarget, PendingMachine};
use crate::dpop::ProofFault;
use crate::ports::AuthTx;
use crate::principal_profile;
use crate::session::FIRST_GENERATION;
use crate::{AuthDenied, AuthenticationInfo, EnrollmentRequest, Epochs, Profile, Session, SessionKind};

/// The authentication methods of a bound session, for the claim `amr` (RFC 8176, section 2).
const HARDWARE_KEY_METHOD: &str = "hwk";
const SOFTWARE_KEY_METHOD: &str = "swk";

impl EnrollmentTx<'_> {
    pub(super) fn run(&self, tx: &mut dyn AuthTx) -> StoreResult<EnrollmentTxOutcome> {
        let Some(enrollment) = self.find_enrollment(tx)? else { return Ok(deny_unknown(None)) };
        let Some(device) = tx.devices().find(enrollment.device)? else { return Ok(deny_unknown(None)) };
        // This locks the device: of two concurrent uses of a code, the second waits here, and so
        // does what locks the device or revokes its key.
        if !tx.devices().claim(device.id, device.epoch, self.now)? {
            let was_active = device.status == DeviceStatus::Active;
            return Ok(if was_active { EnrollmentTxOutcome::Retry } else { deny_unknown(Some(enrollment)) });
        }
        let Some(enrollment) = self.find_enrollment(tx)? else { return Ok(deny_unknown(None)) };
        match enrollment.completion {
            Some(completion) if completion.thumbprint == *self.thumbprint() => self.repeat(tx, enrollment, &completion),
            Some(_) => Ok(deny_replay(enrollment)),
            None if enrollment.state(self.now) == EnrollmentState::Waiting => self.enroll(tx, enrollment, device.id),
            None => Ok(deny_unknown(Some(enrollment))),
        }
    }

    fn find_enrollment(&self, tx: &mut dyn AuthTx) -> StoreResult<Option<Enrollment>> {
        let found = tx.enrollments().find(self.digest)?;
        Ok(found.filter(|enrollment| self.request.tenant.is_none_or(|tenant| tenant == enrollment.tenant)))
    }

    fn thumbprint(&self) -> &Thumbprint {
        self.request.proven_key.thumbprint()
    }

    /// Registers the key and creates the session.
    fn enroll(
        &self,
        tx: &mut dyn AuthTx,
        enrollment: Enrollment,
        device: DeviceId,
    ) -> StoreResult<EnrollmentTxOutcome> {
        if let Some(reason) = find_void_reason(tx, &enrollment, self.now)? {
            return Ok(deny_void(enrollment, reason));
        }
        if tx.device_keys().find(enrollment.tenant, self.thumbprint())?.is_some() {
            let (denial, action) = (AuthDenied::KeyKnown, Action::DeviceEnroll);
            return Ok(EnrollmentTxOutcome::Denied(Box::new(EnrollmentDenial {
                denial,
                action,
                enrollment: Some(enrollment),
                void: None,
            })));
        }
        let current = tx.device_keys().find_current(device)?;
        if current.is_some() && !enrollment.replaces_key {
            // another code of the device was used after this one was started
            return Ok(deny_unknown(Some(enrollment)));
        }
        if !self.request.proven_key.consume(tx, self.now)? {
            return Ok(deny_replayed_proof(enrollment));
        }
        if enrollment.confirms {
            return self.claim(tx, enrollment);
        }
        // From here on, nothing but a conflict of the store can prevent the enrollment.
        if let Some(current) = &current {
            // the sessions first, as a refresh does, which then records the use of its key
            tx.revocations().bump_epoch(Scope::Device(device), EndReason::Replaced, self.now)?;
            if !tx.device_keys().retire(enrollment.tenant, &current.thumbprint, self.now)? {
                return Err(conflict_error());
            }
        }
        let key = self.build_key(&enrollment);
        let completion = EnrollmentCompletion { at: self.now, thumbprint: key.thumbprint, session: self.session };
        if !tx.device_keys().insert(&key)? || !tx.enrollments().complete(self.digest, &completion)? {
            return Err(conflict_error());
        }
        // if the machine polls, it may have to poll again for the response
        tx.pending_keys().extend(self.digest, self.now.saturating_add(REPEATED_ENROLLMENT_LIMIT))?;
        let (Some(device), Some(tenant)) = (tx.devices().find(device)?, tx.tenants().find(enrollment.tenant)?) else {
            return Err(conflict_error());
        };
        let profile = principal_profile::assemble(tx, tenant, None, Some(device.clone()))?;
        let session = self.build_session(&device, &profile);
        tx.sessions().insert(&session)?;
        let replaced_key = current.map(|key| key.thumbprint);
        Ok(EnrollmentTxOutcome::Enrolled(Box::new(EnrolledSession { session, profile, enrollment, replaced_key })))
    }

    /// Lets the key wait until somebody confirms the machine. The first machine that presents the
    /// code keeps it, until the code is replaced. It waits no longer than the code is valid.
    fn claim(&self, tx: &mut dyn AuthTx, enrollment: Enrollment) -> StoreResult<EnrollmentTxOutcome> {
        let expires_at = self.now.saturating_add(PENDING_KEY_LIFETIME).min(enrollment.expires_at);
        let device_code_digest = self.new_key.device_code.digest;
        let (fingerprint, is_repeated) = match tx.pending_keys().find_by_code(self.digest)? {
            Some(key) if key.thumbprint != *self.thumbprint() => return Ok(deny_replay(enrollment)),
            Some(key) => {
                if !tx.pending_keys().renew(self.digest, &device_code_digest, expires_at)? {
                    return Ok(deny_unknown(Some(enrollment)));
                }
                (key.fingerprint, true)
            }
            None => {
                let EnrollmentRequest { proven_key, storage, label, app, address, .. } = *self.request;
                let machine = PendingMachine { proven_key, storage, label, app, address };
                let target = KeyTarget {
                    code_digest: *self.digest,
                    tenant: enrollment.tenant,
                    device: Some(enrollment.device),
                    expires_at,
                };
                let key = self.new_key.build(&machine, &target, self.now);
                if !tx.pending_keys().insert(&key)? {
                    return Err(conflict_error());
                }
                (key.fingerprint, false)
            }
        };
        let claimed = ClaimedEnrollment { enrollment, fingerprint, expires_at, is_repeated };
        Ok(EnrollmentTxOutcome::Claimed(Box::new(claimed)))
    }

    /// Finds the session that the key got with this code, if it is still alive.
    fn repeat(
        &self,
        tx: &mut dyn AuthTx,
        enrollment: Enrollment,
        completion: &EnrollmentCompletion,
    ) -> StoreResult<EnrollmentTxOutcome> {
        let record = tx.sessions().find(completion.session)?.filter(|record| {
            let session = &record.session;
            // A store that was rolled back may have lost an end that this process still knows.
            session.end_as_of(self.now).is_none()
                && !session.epochs.is_below(&record.epochs)
                && !self.revocations.is_over(session)
        });
        let is_recent = self.now.duration_since(completion.at) <= REPEATED_ENROLLMENT_LIMIT;
        let Some(record) = record.filter(|_| is_recent) else { return Ok(deny_unknown(Some(enrollment))) };
        let principal = PrincipalId::Device(enrollment.device);
        let profile = principal_profile::read(tx, principal, Some(enrollment.device))?;
        let Some(profile) = profile else { return Ok(deny_unknown(Some(enrollment))) };
        if !self.request.proven_key.consume(tx, self.now)? {
            return Ok(deny_replayed_proof(enrollment));
        }
        let replaces_key = enrollment.replaces_key;
        Ok(EnrollmentTxOutcome::Repeated(Box::new(RepeatedSession { session: record.session, profile, replaces_key })))
    }

    fn build_key(&self, enrollment: &Enrollment) -> DeviceKey {
        let EnrollmentRequest { proven_key, storage, label, app, .. } = *self.request;
        DeviceKey {
            tenant: enrollment.tenant,
            thumbprint: *proven_key.thumbprint(),
            device: enrollment.device,
            jwk: proven_key.key.jwk().to_owned(),
            algorithm: proven_key.key.algorithm().name().to_owned(),
            storage,
            state: DeviceKeyState::Current,
            label: label.to_owned(),
            app: app.to_owned(),
            enrolled_by: enrollment.started_by,
            enrolled_at: self.now,
            ended_at: None,
            used_at: None,
        }
    }

    fn build_session(&self, device: &Device, profile: &Profile) -> Session {
        let (kind, tenant) = (SessionKind::Device, &profile.tenant);
        let terms = self.request.terms.limited_by(&tenant.limits, kind);
        let method = match self.request.storage {
            KeyStorage::Hardware if self.request.trusts_storage => HARDWARE_KEY_METHOD,
            KeyStorage::Hardware | KeyStorage::Software => SOFTWARE_KEY_METHOD,
        };
        Session {
            id: self.session,
            tenant: tenant.id,
            kind,
            user: None,
            device: Some(device.id),
            parent: None,
            dialect: self.request.dialect.clone(),
            expires_at: terms.session_expiry(self.now, self.now, &tenant.zone),
            terms,
            generation: FIRST_GENERATION,
            key: self.refresh_key,
            previous_key: self.refresh_key,
            used_generation: 0,
            epochs: Epochs { device: device.epoch, tenant: tenant.epoch, ..Epochs::default() },
            authentication: AuthenticationInfo { methods: method.to_owned(), at: self.now },
            address: self.request.address,
            rotated_from: self.request.address,
            thumbprint: Some(self.thumbprint().to_vec()),
            created_at: self.now,
            rotated_at: None,
            last_used_at: None,
            ended: None,
        }
    }
}

/// The response to a wrong code, and to every reason that only the owner of the device may know.
fn deny_unknown(enrollment: Option<Enrollment>) -> EnrollmentTxOutcome {
    let (denial, action) = (AuthDenied::EnrollmentUnknown, Action::DeviceEnroll);
    EnrollmentTxOutcome::Denied(Box::new(EnrollmentDenial { denial, action, enrollment, void: None }))
}

/// The response to a wrong code, for a code that the starter could not get any more.
fn deny_void(enrollment: Enrollment, reason: VoidReason) -> EnrollmentTxOutcome {
    EnrollmentTxOutcome::Denied(Box::new(EnrollmentDenial {
        denial: AuthDenied::EnrollmentUnknown,
        action: Action::DeviceEnroll,
        enrollment: Some(enrollment),
        void: Some(reason),
    }))
}

/// The response to a code that another key has used.
fn deny_replay(enrollment: Enrollment) -> EnrollmentTxOutcome {
    EnrollmentTxOutcome::Denied(Box::new(EnrollmentDenial {
        denial: AuthDenied::EnrollmentUnknown,
        action: Action::DeviceEnrollReplay,
        enrollment: Some(enrollment),
        void: None,
    }))
}

fn deny_replayed_proof(enrollment: Enrollment) -> EnrollmentTxOutcome {
    let denial = AuthDenied::Proof(ProofFault::Replayed.into());
    let action = Action::DeviceEnroll;
    EnrollmentTxOutcome::Denied(Box::new(EnrollmentDenial { denial, action, enrollment: Some(enrollment), void: None }))
}

fn conflict_error() -> StoreError {
    StoreError::Conflict("the device was enrolled or changed in the meantime".to_owned())
}
