//! Keys of machines that wait until somebody accepts them (RFC 8628): a machine starts, shows its
//! code and digits, and polls until its key is accepted, which then is an enrollment with the code
//! of the poll.

use std::net::IpAddr;

use tillgate_domain::pending_key::{FINGERPRINT_DIGITS, PENDING_KEY_LIFETIME, has_room};
use tillgate_domain::{
    DeviceId, EnrollmentDigest, Instant, KeyStorage, PendingKey, PendingKeyState, PollOutcome, StoreExt, StoreResult,
    TenantId,
};

use super::admission::find_named_tenant;
use crate::auth::Auth;
use crate::dpop::{ProofFault, ProvenKey};
use crate::enrollment_code::EnrollmentCode;
use crate::error::PollDenied;
use crate::one_time_token::{OneTimeToken, digest_link_token};
use crate::ports::AuthTx;
use crate::throttle::{Admission, AttemptOutcome};
use crate::{AuthDenied, EnrolledDevice, EnrollmentRequest, Error, IssuedDeviceCode, PendingKeyRequest, PollRequest};

/// A machine that waits, as its request describes it.
pub(super) struct PendingMachine<'a> {
    pub(super) proven_key: &'a ProvenKey,
    pub(super) storage: KeyStorage,
    pub(super) label: &'a str,
    pub(super) app: &'a str,
    pub(super) address: Option<IpAddr>,
}

/// What a person types to decide about a machine, and for what.
pub(super) struct KeyTarget {
    pub(super) code_digest: EnrollmentDigest,
    pub(super) tenant: TenantId,
    /// The device, if the machine has presented its code.
    pub(super) device: Option<DeviceId>,
    /// The instant until which the machine waits.
    pub(super) expires_at: Instant,
}

/// What is drawn for a key that will wait.
pub(super) struct NewPendingKey {
    /// The code with which its machine polls.
    pub(super) device_code: OneTimeToken,
    fingerprint: String,
}

impl NewPendingKey {
    /// The key of this machine.
    pub(super) fn build(&self, machine: &PendingMachine<'_>, target: &KeyTarget, now: Instant) -> PendingKey {
        let PendingMachine { proven_key, storage, label, app, address } = *machine;
        PendingKey {
            code_digest: target.code_digest,
            device_code_digest: self.device_code.digest,
            tenant: target.tenant,
            device: target.device,
            thumbprint: *proven_key.thumbprint(),
            jwk: proven_key.key.jwk().to_owned(),
            algorithm: proven_key.key.algorithm().name().to_owned(),
            storage,
            label: label.to_owned(),
            app: app.to_owned(),
            address,
            fingerprint: self.fingerprint.clone(),
            fingerprint_attempts: 0,
            state: PendingKeyState::Waiting,
            created_at: now,
            expires_at: target.expires_at,
            polled_at: None,
        }
    }
}

impl Auth {
    pub(super) fn draw_pending_key(&self) -> Result<NewPendingKey, Error> {
        let to_fault = |error: crate::EntropyError| Error::Fault(error.to_string());
        let device_code = OneTimeToken::new_link_token(self.entropy.random_bytes::<32>().map_err(to_fault)?);
        let number = u64::from_be_bytes(self.entropy.random_bytes::<8>().map_err(to_fault)?) % 10_000;
        Ok(NewPendingKey { device_code, fingerprint: format!("{number:0FINGERPRINT_DIGITS$}") })
    }

    /// Lets the key of a machine wait until somebody accepts it for a device, by the code that the
    /// machine shows. The key belongs to a tenant from its start: the one of the mount, otherwise
    /// the one that the request names, otherwise `default`, as at a login.
    ///
    /// Each start takes a token of the network in its tenant, from a bucket that nothing else uses.
    /// A start that names a tenant requires a token of the network for names that are wrong, which
    /// it takes only if there is no such tenant or it accepts no such machines: otherwise a machine
    /// could try names without limit.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::TooManyAttempts`] after too many starts from the network,
    /// [`PollDenied::AccessDenied`] if there is no such tenant or it accepts no such machines,
    /// [`AuthDenied::Proof`] if the proof was used before, and [`Error::Unavailable`] while too
    /// many keys wait, by [`has_room`].
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn start_pending_key(
        &self,
        request: &PendingKeyRequest<'_>,
    ) -> Result<(EnrollmentCode, IssuedDeviceCode), Error> {
        let code = self.generate_enrollment_code(PENDING_KEY_LIFETIME)?;
        let new_key = self.draw_pending_key()?;
        let now = self.time().at;
        self.store.write("start_pending_key", |tx| {
            let tenant = match self.admit_start(tx, request, &code, now)? {
                Ok(tenant) => tenant,
                Err(denied) => return Ok(Err(denied)),
            };
            let PendingKeyRequest { proven_key, storage, label, app, address, .. } = *request;
            let machine = PendingMachine { proven_key, storage, label, app, address };
            let expires_at = now.saturating_add(PENDING_KEY_LIFETIME);
            let target = KeyTarget { code_digest: code.digest, tenant, device: None, expires_at };
            let of_tenant = tx.pending_keys().count_live(Some(tenant), now)?;
            let has_room = has_room(of_tenant, tx.pending_keys().count_live(None, now)?);
            let is_new = proven_key.consume(tx, now)?;
            let is_inserted = is_new && has_room && tx.pending_keys().insert(&new_key.build(&machine, &target, now))?;
            Ok(match (is_new, has_room, is_inserted) {
                (false, ..) => Err(AuthDenied::Proof(ProofFault::Replayed.into()).into()),
                (_, false, _) => Err(Error::unavailable("too many machines wait to be accepted: retry later")),
                (.., false) => Err(Error::unavailable("the code that was drawn is in use: retry")),
                (.., true) => Ok(()),
            })
        })??;
        let NewPendingKey { device_code, fingerprint } = new_key;
        Ok((code, IssuedDeviceCode { device_code: device_code.token, fingerprint, expires_in: PENDING_KEY_LIFETIME }))
    }

    /// Takes the tokens of a start. Returns the tenant in which the machine waits, or why it does
    /// not.
    fn admit_start(
        &self,
        tx: &mut dyn AuthTx,
        request: &PendingKeyRequest<'_>,
        code: &EnrollmentCode,
        now: Instant,
    ) -> StoreResult<Result<TenantId, Error>> {
        let tenant = find_named_tenant(tx, request.tenancy)?.filter(|tenant| tenant.machine_codes);
        if tenant.is_none() || request.tenancy.requested.is_some() {
            let outcome = if tenant.is_none() { AttemptOutcome::Failed } else { AttemptOutcome::Withdrawn };
            if let Err(denied) = self.take_start_token(tx, request.address, None, code, outcome, now)? {
                return Ok(Err(denied));
            }
        }
        let Some(tenant) = tenant.map(|tenant| tenant.id) else { return Ok(Err(PollDenied::AccessDenied.into())) };
        // it counts, so that no network can fill the store
        let taken = self.take_start_token(tx, request.address, Some(tenant), code, AttemptOutcome::Failed, now)?;
        Ok(taken.map(|()| tenant))
    }

    fn take_start_token(
        &self,
        tx: &mut dyn AuthTx,
        address: Option<IpAddr>,
        tenant: Option<TenantId>,
        code: &EnrollmentCode,
        outcome: AttemptOutcome,
        now: Instant,
    ) -> StoreResult<Result<(), Error>> {
        match self.throttle.open_start_charge(tx, address, tenant, &code.code, now)? {
            Admission::Admitted(charge) => {
                self.throttle.settle_charge(tx, &charge, outcome, now)?;
                Ok(Ok(()))
            }
            Admission::RateLimited { retry_after } => Ok(Err(AuthDenied::TooManyAttempts { retry_after }.into())),
            Admission::Wait(_) => Ok(Err(Error::unavailable("other machines of the same network are starting: retry"))),
        }
    }

    /// Answers the poll of a machine. If its key was accepted, the device is enrolled and gets its
    /// session, as by [`enroll_device`](Self::enroll_device); a repeated poll gets tokens of the
    /// same session for ten minutes.
    ///
    /// A poll with an unknown code only reads, and does not use its proof.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::Poll`] while nobody has accepted the key, or if nobody will;
    /// [`AuthDenied::KeyKnown`] if the key is or was that of a device of the tenant; and
    /// [`AuthDenied::Proof`] if another key is proved than the one that waits, or the proof was
    /// used before.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn poll_pending_key(&self, request: &PollRequest<'_>) -> Result<EnrolledDevice, Error> {
        let digest = digest_link_token(request.device_code.expose());
        let found = self.store.read("poll_pending_key", |tx| find_polled(tx, request, &digest))?;
        let key = found.ok_or(PollDenied::ExpiredToken)?;
        if key.thumbprint != *request.proven_key.thumbprint() {
            return Err(AuthDenied::Proof(ProofFault::Key.into()).into());
        }
        let replayed = || Error::from(AuthDenied::Proof(ProofFault::Replayed.into()));
        if self.proof_cache.contains(request.proven_key.digest()) {
            return Err(replayed());
        }
        let outcome = match key.poll_outcome(self.time().at) {
            PollOutcome::Pending => self.record_poll(request, &digest)?.ok_or_else(replayed)?,
            outcome => outcome,
        };
        let denied = match outcome {
            PollOutcome::Accepted => return self.enroll_polled(request, &key, &digest),
            PollOutcome::Denied => PollDenied::AccessDenied,
            PollOutcome::Expired => PollDenied::ExpiredToken,
            PollOutcome::TooEarly => PollDenied::SlowDown,
            PollOutcome::Pending => PollDenied::AuthorizationPending,
        };
        // what changes nothing is remembered by this process only, as the proofs of reads are
        if self.proof_cache.insert_if_new(request.proven_key.digest()) { Err(denied.into()) } else { Err(replayed()) }
    }

    /// Records a poll of a key that nobody has decided about, and uses its proof. Returns what the
    /// poll is answered now; `None` if the proof was used before.
    fn record_poll(&self, request: &PollRequest<'_>, digest: &EnrollmentDigest) -> Result<Option<PollOutcome>, Error> {
        let now = self.time().at;
        Ok(self.store.write("record_poll", |tx| {
            let Some(key) = find_polled(tx, request, digest)? else { return Ok(Some(PollOutcome::Expired)) };
            let outcome = key.poll_outcome(now);
            if outcome != PollOutcome::Pending {
                return Ok(Some(outcome));
            }
            if !request.proven_key.consume(tx, now)? {
                return Ok(None);
            }
            tx.pending_keys().record_poll(digest, now)?;
            Ok(Some(outcome))
        })?)
    }

    /// Enrolls a key that was accepted.
    fn enroll_polled(
        &self,
        request: &PollRequest<'_>,
        key: &PendingKey,
        digest: &EnrollmentDigest,
    ) -> Result<EnrolledDevice, Error> {
        let [hardware, software] = request.terms;
        let enrollment = EnrollmentRequest {
            dialect: request.dialect,
            terms: match key.storage {
                KeyStorage::Hardware => hardware,
                KeyStorage::Software => software,
            },
            tenant: Some(key.tenant),
            code: request.device_code,
            proven_key: request.proven_key,
            storage: key.storage,
            trusts_storage: request.trusts_storage,
            label: &key.label,
            app: &key.app,
            address: request.address,
        };
        self.enroll_accepted_key(&enrollment, digest)
    }
}

/// The key that is polled with the code of this digest, if the mount serves its tenant.
fn find_polled(
    tx: &mut dyn AuthTx,
    request: &PollRequest<'_>,
    digest: &EnrollmentDigest,
) -> StoreResult<Option<PendingKey>> {
    let found = tx.pending_keys().find_by_device_code(digest)?;
    Ok(found.filter(|key| request.tenant.is_none_or(|tenant| tenant == key.tenant)))
}
