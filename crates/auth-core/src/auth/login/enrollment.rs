//! Enrollment: a login with a one-time code, by which a device registers its key and gets a session
//! that is bound to it.
//!
//! Like every login it is two units of work: one takes a token from the throttle, the other claims
//! the device, decides and writes. A wrong code, a used one and an expired one get the same
//! response. The same key with the same code again gets the same session, because the first
//! response may have been lost.

mod enrollment_tx;

use std::time::Duration;

use serde_json::{Value, json};
use tillgate_domain::network::site_network;
use tillgate_domain::{
    Action, Actor, Enrollment, EnrollmentDigest, EventOutcome, FoldedText, Instant, KeyId, SessionId, StoreExt,
    StoreResult, Subject, Thumbprint,
};

use super::enrollment_starter::VoidReason;
use super::pending_key::NewPendingKey;
use super::{LoginSubject, MAX_RESTARTS, WaitResult};
use crate::auth::Auth;
use crate::denials::GuestKey;
use crate::dpop::{encode_base64url, truncate_chars};
use crate::enrollment_code::EnrollmentCode;
use crate::error::PollDenied;
use crate::ports::AuthTx;
use crate::requests::GrantKind;
use crate::revocations::RevocationCache;
use crate::throttle::{AttemptOutcome, Charge, ClaimedIdentity, LoginAttempt};
use crate::{
    AuthDenied, EnrolledDevice, EnrollmentRequest, EnrollmentResponse, Error, IssuedDeviceCode, Profile, Session,
};

/// The number of characters that the audit records of what a program says of itself.
const MAX_RECORDED_CHARS: usize = 100;

/// How one attempt of an enrollment ended.
enum EnrollmentOutcome {
    Granted(EnrollmentResponse),
    Denied(Box<EnrollmentDenial>),
    /// The device has changed since it was read.
    Retry,
}

/// A denied enrollment, and what its audit event names.
struct EnrollmentDenial {
    denial: AuthDenied,
    action: Action,
    /// The enrollment with this code, if there is one.
    enrollment: Option<Enrollment>,
    /// The reason for which its code is void although it waits.
    void: Option<VoidReason>,
}

/// What the second unit of work decided.
enum EnrollmentTxOutcome {
    Enrolled(Box<EnrolledSession>),
    /// The key waits until somebody confirms it.
    Claimed(Box<ClaimedEnrollment>),
    /// The session that the same key has got with the same code.
    Repeated(Box<RepeatedSession>),
    Denied(Box<EnrollmentDenial>),
    Retry,
}

/// What the second unit of work wrote for a code that it accepts.
struct EnrolledSession {
    session: Session,
    profile: Profile,
    enrollment: Enrollment,
    /// The thumbprint of the key that the new one replaces.
    replaced_key: Option<Thumbprint>,
}

/// The key of a machine that has presented the code of an enrollment that must be confirmed.
struct ClaimedEnrollment {
    enrollment: Enrollment,
    fingerprint: String,
    expires_at: Instant,
    /// Whether the machine has presented the code before.
    is_repeated: bool,
}

/// The session that a key has got with a code before.
struct RepeatedSession {
    session: Session,
    profile: Profile,
    /// Whether the enrollment may have replaced a key.
    replaces_key: bool,
}

/// What an enrollment fixes before its second unit of work, which may run more than once.
struct EnrollmentTx<'a> {
    request: &'a EnrollmentRequest<'a>,
    digest: &'a EnrollmentDigest,
    /// The id of the new session.
    session: SessionId,
    /// The key with which its refresh token is authenticated.
    refresh_key: KeyId,
    /// The code with which the machine polls, if somebody must confirm it.
    new_key: &'a NewPendingKey,
    now: Instant,
    revocations: &'a RevocationCache,
}

impl Auth {
    /// Draws the code of an enrollment that is valid for this long.
    pub fn generate_enrollment_code(&self, lifetime: Duration) -> Result<EnrollmentCode, Error> {
        let drawn = self.enrollment_code_key.draw(lifetime, &*self.entropy);
        drawn.map_err(|error| Error::Fault(error.to_string()))
    }

    /// Enrolls a device: registers the key that the request proves, and creates a session of the
    /// device that is bound to the key. A current key of the device is retired if the enrollment
    /// replaces it, which ends all sessions on the device except permanent ones.
    ///
    /// Within ten minutes, the same key with the same code gets tokens of the same session again.
    /// Another key with a used code is denied like a wrong code, and the audit event
    /// `device.enroll.replay` records it.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::EnrollmentUnknown`] if no enrollment of an active device waits for this code,
    /// [`AuthDenied::KeyKnown`] if the key is or was that of a device of the tenant,
    /// [`AuthDenied::TooManyAttempts`] after too many wrong codes from the network, and
    /// [`AuthDenied::Proof`] if the proof was used before.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn enroll_device(&self, request: &EnrollmentRequest<'_>) -> Result<EnrollmentResponse, Error> {
        let digest = self.enrollment_code_key.digest(request.code.expose());
        for _ in 0..MAX_RESTARTS {
            let (subject, charge) = self.begin_enrollment(request, &digest)?;
            match self.try_enroll(request, &digest, &subject, Some(&charge)) {
                Ok(EnrollmentOutcome::Granted(result)) => return Ok(result),
                Ok(EnrollmentOutcome::Denied(denied)) => return Err(self.record_denied_enrollment(request, &denied)?),
                Ok(EnrollmentOutcome::Retry) => self.settle_charge(&charge, AttemptOutcome::Withdrawn),
                Err(error) => {
                    // The code was not judged: the attempt does not count.
                    self.settle_charge(&charge, AttemptOutcome::Withdrawn);
                    return Err(error);
                }
            }
        }
        Err(unstable_device_error())
    }

    /// Enrolls the key that was accepted, as its machine polls.
    pub(super) fn enroll_accepted_key(
        &self,
        request: &EnrollmentRequest<'_>,
        device_code_digest: &EnrollmentDigest,
    ) -> Result<EnrolledDevice, Error> {
        for _ in 0..MAX_RESTARTS {
            let subject = self.store.read("begin_enrollment", |tx| find_enrollment_subject(tx, device_code_digest))?;
            match self.try_enroll(request, device_code_digest, &subject, None)? {
                EnrollmentOutcome::Granted(EnrollmentResponse::Enrolled(enrolled)) => return Ok(*enrolled),
                EnrollmentOutcome::Granted(EnrollmentResponse::Waiting(_)) => {
                    return Err(Error::Fault("an accepted key waits to be confirmed".to_owned()));
                }
                EnrollmentOutcome::Denied(denied) => {
                    return Err(match self.record_denied_enrollment(request, &denied)? {
                        Error::Denied(AuthDenied::EnrollmentUnknown) => PollDenied::AccessDenied.into(),
                        other => other,
                    });
                }
                EnrollmentOutcome::Retry => {}
            }
        }
        Err(unstable_device_error())
    }

    /// Takes a token of the network, and reads the device to which the code belongs.
    fn begin_enrollment(
        &self,
        request: &EnrollmentRequest<'_>,
        digest: &EnrollmentDigest,
    ) -> Result<(LoginSubject, Charge), Error> {
        let attempt = LoginAttempt {
            identity: ClaimedIdentity::Unknown { tenant: None, name: FoldedText::of("enrollment code") },
            device: None,
            address: request.address,
            prior_session: None,
            password: request.code.clone(),
        };
        let waited = self.await_admission("begin_enrollment", |tx, now| {
            let subject = find_enrollment_subject(tx, digest)?;
            Ok((subject, self.throttle.open_network_charge(tx, &attempt, now)?))
        })?;
        match waited {
            WaitResult::Admitted(subject, charge) => Ok((subject, *charge)),
            WaitResult::RateLimited(_, retry_after) => {
                let denial = AuthDenied::TooManyAttempts { retry_after };
                let denied = EnrollmentDenial { denial, action: Action::DeviceEnroll, enrollment: None, void: None };
                Err(self.record_denied_enrollment(request, &denied)?)
            }
        }
    }

    /// Runs the second unit of work and issues the tokens.
    fn try_enroll(
        &self,
        request: &EnrollmentRequest<'_>,
        digest: &EnrollmentDigest,
        subject: &LoginSubject,
        charge: Option<&Charge>,
    ) -> Result<EnrollmentOutcome, Error> {
        let new_key = self.draw_pending_key()?;
        let keys = self.keyring.current();
        let read_version = self.revocations.current_version();
        let event = self.new_event(Action::DeviceEnroll, EventOutcome::Done, Subject::Server, None)?;
        let session = self.new_id(SessionId::new)?;
        let enrollment_tx = EnrollmentTx {
            request,
            digest,
            session,
            refresh_key: keys.current_refresh_key(),
            new_key: &new_key,
            now: event.at,
            revocations: &self.revocations,
        };
        let stale_epochs = self.find_stale_epochs(request.address, subject)?;
        let outcome = self.store.write("enroll_device", |tx| {
            if let Some(stale_epochs) = &stale_epochs
                && stale_epochs.restore(tx)?
            {
                return Ok(EnrollmentTxOutcome::Retry);
            }
            let outcome = enrollment_tx.run(tx)?;
            let settled_as = match &outcome {
                EnrollmentTxOutcome::Retry => return Ok(outcome),
                EnrollmentTxOutcome::Denied(denied) => charge_outcome(&denied.denial),
                EnrollmentTxOutcome::Repeated(_) => AttemptOutcome::Succeeded,
                EnrollmentTxOutcome::Claimed(claimed) => {
                    if !claimed.is_repeated {
                        let mut event = event.clone();
                        event.action = Action::DeviceEnrollClaim;
                        event.tenant = Some(claimed.enrollment.tenant);
                        event.subject = Subject::Device(claimed.enrollment.device);
                        event.actor.address = request.address;
                        event.details.extend(audit_details(request, Some(&claimed.enrollment)));
                        tx.audit().record(&event)?;
                    }
                    AttemptOutcome::Succeeded
                }
                EnrollmentTxOutcome::Enrolled(enrolled) => {
                    let mut event = event.clone();
                    event.tenant = Some(enrolled.enrollment.tenant);
                    event.subject = Subject::Device(enrolled.enrollment.device);
                    event.actor = Actor {
                        user: None,
                        device: Some(enrolled.enrollment.device),
                        session: Some(session),
                        address: request.address,
                    };
                    event.details.extend(audit_details(request, Some(&enrolled.enrollment)));
                    if let Some(replaced) = &enrolled.replaced_key {
                        event.details.insert("replaced".to_owned(), json!(encode_base64url(replaced)));
                    }
                    tx.audit().record(&event)?;
                    AttemptOutcome::Succeeded
                }
            };
            if let Some(charge) = charge {
                self.throttle.settle_charge(tx, charge, settled_as, enrollment_tx.now)?;
            }
            Ok(outcome)
        })?;
        if let (Some(charge), false) = (charge, matches!(outcome, EnrollmentTxOutcome::Retry)) {
            self.login_queue.notify_settled(charge);
        }
        let (session, profile, kind, may_have_ended_sessions) = match outcome {
            EnrollmentTxOutcome::Retry => return Ok(EnrollmentOutcome::Retry),
            EnrollmentTxOutcome::Denied(denied) => return Ok(EnrollmentOutcome::Denied(denied)),
            EnrollmentTxOutcome::Claimed(claimed) => {
                let expires_in = claimed.expires_at.duration_since(enrollment_tx.now);
                let key = IssuedDeviceCode {
                    device_code: new_key.device_code.token,
                    fingerprint: claimed.fingerprint,
                    expires_in,
                };
                return Ok(EnrollmentOutcome::Granted(EnrollmentResponse::Waiting(key)));
            }
            EnrollmentTxOutcome::Repeated(repeated) => {
                (repeated.session, repeated.profile, GrantKind::Repeated, repeated.replaces_key)
            }
            EnrollmentTxOutcome::Enrolled(enrolled) => {
                (enrolled.session, enrolled.profile, GrantKind::Login, enrolled.replaced_key.is_some())
            }
        };
        let profile = self.profile_cache.share(profile);
        if let Some(principal) = session.principal() {
            self.profile_cache.insert(principal, session.device, &profile, read_version);
        }
        let epochs = session.epochs;
        let tokens = self.mint_tokens(&keys, session, &epochs, profile, kind, read_version)?;
        let enrolled = Box::new(EnrolledDevice { tokens, may_have_ended_sessions });
        Ok(EnrollmentOutcome::Granted(EnrollmentResponse::Enrolled(enrolled)))
    }

    /// Records a denied enrollment: the first ten per minute of the device or the network, and the
    /// number of the rest. Returns the denial as the error of the call.
    fn record_denied_enrollment(
        &self,
        request: &EnrollmentRequest<'_>,
        denied: &EnrollmentDenial,
    ) -> Result<Error, Error> {
        let enrollment = denied.enrollment.as_ref();
        let subject = enrollment.map_or(Subject::Server, |enrollment| Subject::Device(enrollment.device));
        let tenant = enrollment.map(|enrollment| enrollment.tenant).or(request.tenant);
        let mut event = self.new_event(denied.action, EventOutcome::Refused, subject, tenant)?;
        event.actor.address = request.address;
        event.details.extend(audit_details(request, enrollment));
        let why = denied.void.map_or_else(|| denied.denial.code(), VoidReason::code);
        event.details.insert("why".to_owned(), json!(why));
        let guest = match enrollment {
            Some(enrollment) => GuestKey::Enrollment(enrollment.device),
            None => GuestKey::EnrollmentCodes(request.address.map(site_network)),
        };
        self.record_guest_denial(guest, &event);
        Ok(denied.denial.clone().into())
    }
}

/// Reads the device of the enrollment with this digest, and its tenant.
fn find_enrollment_subject(tx: &mut dyn AuthTx, digest: &EnrollmentDigest) -> StoreResult<LoginSubject> {
    let mut subject = LoginSubject::default();
    if let Some(enrollment) = tx.enrollments().find(digest)? {
        subject.tenant = tx.tenants().find(enrollment.tenant)?;
        subject.device = tx.devices().find(enrollment.device)?;
    }
    Ok(subject)
}

fn unstable_device_error() -> Error {
    Error::unavailable("the device changed again and again during the enrollment: retry")
}

/// How the charge of a denied enrollment is settled: only a code that is not right counts.
fn charge_outcome(denial: &AuthDenied) -> AttemptOutcome {
    match denial {
        AuthDenied::EnrollmentUnknown => AttemptOutcome::Failed,
        _ => AttemptOutcome::Withdrawn,
    }
}

/// What the audit records of an enrollment.
fn audit_details(
    request: &EnrollmentRequest<'_>,
    enrollment: Option<&Enrollment>,
) -> impl Iterator<Item = (String, Value)> {
    let started_by = enrollment.and_then(|enrollment| enrollment.started_by).map(|user| ("started_by", json!(user)));
    let details = [
        ("thumbprint", json!(encode_base64url(request.proven_key.thumbprint()))),
        ("storage", json!(request.storage.name())),
        ("label", json!(truncate_chars(request.label, MAX_RECORDED_CHARS))),
        ("app", json!(truncate_chars(request.app, MAX_RECORDED_CHARS))),
        ("dialect", json!(request.dialect.as_str())),
    ];
    details.into_iter().chain(started_by).map(|(name, value)| (name.to_owned(), value))
}
