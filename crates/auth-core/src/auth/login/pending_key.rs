//! Keys of machines that wait until somebody accepts them (RFC 8628): a machine starts, shows its
//! code and digits, and polls until its key is accepted, which then is an enrollment with the code
//! of the poll.

use tillgate_domain::pending_key::{FINGERPRINT_DIGITS, PENDING_KEY_LIFETIME};
use tillgate_domain::{
    DeviceId, EnrollmentDigest, FoldedText, Instant, KeyStorage, PendingKey, PendingKeyState, PollOutcome, StoreExt,
};

use super::{LoginSubject, WaitResult};
use crate::auth::Auth;
use crate::dpop::ProofFault;
use crate::enrollment_code::EnrollmentCode;
use crate::error::PollDenied;
use crate::one_time_token::{OneTimeToken, digest_link_token};
use crate::throttle::{AttemptOutcome, ClaimedIdentity, LoginAttempt};
use crate::{AuthDenied, EnrolledDevice, EnrollmentRequest, Error, PendingKeyRequest, PollRequest, WaitingKey};

/// What is drawn for a key that will wait.
pub(super) struct NewWaitingKey {
    /// The code with which its machine polls.
    pub(super) poll: OneTimeToken,
    fingerprint: String,
}

impl NewWaitingKey {
    /// The key that waits under this code.
    pub(super) fn build(
        &self,
        request: &PendingKeyRequest<'_>,
        code_digest: EnrollmentDigest,
        device: Option<DeviceId>,
        now: Instant,
    ) -> PendingKey {
        let PendingKeyRequest { tenant, proven_key, storage, label, app, address } = *request;
        PendingKey {
            code_digest,
            poll_digest: self.poll.digest,
            tenant,
            device,
            thumbprint: *proven_key.thumbprint(),
            jwk: proven_key.key.jwk().to_owned(),
            algorithm: proven_key.key.algorithm().name().to_owned(),
            storage,
            label: label.to_owned(),
            app: app.to_owned(),
            address,
            fingerprint: self.fingerprint.clone(),
            state: PendingKeyState::Waiting,
            created_at: now,
            expires_at: now.saturating_add(PENDING_KEY_LIFETIME),
            polled_at: None,
        }
    }
}

impl Auth {
    /// The digest of the code of an enrollment, or of a key that waits, as a person has typed it.
    pub fn digest_enrollment_code(&self, typed: &str) -> EnrollmentDigest {
        self.enrollment_code_key.digest(typed)
    }

    pub(super) fn draw_waiting_key(&self) -> Result<NewWaitingKey, Error> {
        let drawn = |error: crate::EntropyError| Error::Fault(error.to_string());
        let poll = OneTimeToken::new_link_token(self.entropy.random_bytes::<32>().map_err(drawn)?);
        let number = u64::from_be_bytes(self.entropy.random_bytes::<8>().map_err(drawn)?) % 10_000;
        Ok(NewWaitingKey { poll, fingerprint: format!("{number:0FINGERPRINT_DIGITS$}") })
    }

    /// Lets the key of a machine wait until somebody accepts it for a device, by the code that the
    /// machine shows. Each takes a token of the network, as a wrong code does.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::TooManyAttempts`] after too many keys or wrong codes from the network,
    /// [`PollDenied::AccessDenied`] if the tenant accepts no such machines, and
    /// [`AuthDenied::Proof`] if the proof was used before.
    pub fn start_pending_key(&self, request: &PendingKeyRequest<'_>) -> Result<(EnrollmentCode, WaitingKey), Error> {
        let code = self.generate_enrollment_code(PENDING_KEY_LIFETIME)?;
        let waiting = self.draw_waiting_key()?;
        let attempt = LoginAttempt {
            identity: ClaimedIdentity::Unknown { tenant: None, name: FoldedText::of("pending key") },
            device: None,
            address: request.address,
            prior_session: None,
            password: code.code.clone(),
        };
        let waited = self.await_admission("begin_pending_key", |tx, now| {
            let mut subject = LoginSubject::default();
            if let Some(tenant) = request.tenant {
                subject.tenant = tx.tenants().find(tenant)?;
            }
            Ok((subject, self.throttle.open_network_charge(tx, &attempt, now)?))
        })?;
        let charge = match waited {
            WaitResult::Admitted(LoginSubject { tenant: Some(tenant), .. }, charge) if !tenant.machine_codes => {
                self.settle_charge(&charge, AttemptOutcome::Withdrawn);
                return Err(PollDenied::AccessDenied.into());
            }
            WaitResult::Admitted(_, charge) => charge,
            WaitResult::RateLimited(_, retry_after) => {
                return Err(AuthDenied::TooManyAttempts { retry_after }.into());
            }
        };
        let now = self.time().at;
        let key = waiting.build(request, code.digest, None, now);
        let started = self.store.write("start_pending_key", |tx| {
            let is_new = request.proven_key.consume(tx, now)?;
            let is_inserted = is_new && tx.pending_keys().insert(&key)?;
            // it counts, so that no network can fill the store
            self.throttle.settle_charge(tx, &charge, AttemptOutcome::Failed, now)?;
            Ok((is_new, is_inserted))
        });
        self.login_queue.notify_settled(&charge);
        match started? {
            (true, true) => {}
            (false, _) => return Err(AuthDenied::Proof(ProofFault::Replayed.into()).into()),
            (true, false) => return Err(Error::unavailable("the code that was drawn is in use: retry")),
        }
        let NewWaitingKey { poll, fingerprint } = waiting;
        Ok((code, WaitingKey { poll_code: poll.token, fingerprint, expires_in: PENDING_KEY_LIFETIME }))
    }

    /// Answers the poll of a machine. If its key was accepted, the device is enrolled and gets its
    /// session, as by [`enroll_device`](Self::enroll_device); a repeated poll gets tokens of the
    /// same session for ten minutes.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::Poll`] while nobody has accepted the key, or if nobody will;
    /// [`AuthDenied::KeyKnown`] if the key is or was that of a device of the tenant; and
    /// [`AuthDenied::Proof`] if another key is proved than the one that waits, or the proof was
    /// used before.
    pub fn poll_pending_key(&self, request: &PollRequest<'_>) -> Result<EnrolledDevice, Error> {
        let digest = digest_link_token(request.poll_code.expose());
        let now = self.time().at;
        let polled: Result<PendingKey, AuthDenied> = self.store.write("poll_pending_key", |tx| {
            let found = tx.pending_keys().find_by_poll_code(&digest)?;
            let is_served =
                |key: &PendingKey| request.tenant.is_none_or(|tenant| key.tenant.is_none_or(|of| of == tenant));
            let Some(key) = found.filter(is_served) else { return Ok(Err(PollDenied::ExpiredToken.into())) };
            if key.thumbprint != *request.proven_key.thumbprint() {
                return Ok(Err(AuthDenied::Proof(ProofFault::Key.into())));
            }
            Ok(Err(match key.judge_poll(now) {
                PollOutcome::Accepted => return Ok(Ok(key)),
                PollOutcome::Denied => PollDenied::AccessDenied,
                PollOutcome::Expired => PollDenied::ExpiredToken,
                PollOutcome::TooEarly => PollDenied::SlowDown,
                PollOutcome::Pending => {
                    tx.pending_keys().record_poll(&digest, now)?;
                    PollDenied::AuthorizationPending
                }
            }
            .into()))
        })?;
        let key = polled?;
        let [hardware, software] = request.terms;
        let enrollment = EnrollmentRequest {
            dialect: request.dialect,
            terms: match key.storage {
                KeyStorage::Hardware => hardware,
                KeyStorage::Software => software,
            },
            tenant: key.tenant,
            code: request.poll_code,
            proven_key: request.proven_key,
            storage: key.storage,
            trusts_storage: request.trusts_storage,
            label: &key.label,
            app: &key.app,
            address: request.address,
        };
        self.enroll_accepted_key(&enrollment, &digest)
    }
}
