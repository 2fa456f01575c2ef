//! Refresh: the exchange of a refresh token for new tokens (RFC 6749, section 6).
//!
//! [`Auth::refresh`] reads the session, lets the [judge](crate::judge) decide and writes what the
//! verdict requires, all in one unit of work. A refresh within the grace period of a rotation that
//! this process made only reads, so a client that refreshes before every request causes no writes.

mod plan;
mod unproven;

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::device_key::KEY_USE_INTERVAL;
use tillgate_domain::{
    Action, EventOutcome, Instant, KeyId, Mode, SessionId, StoreError, StoreResult, Subject, Thumbprint, UnitOfWork,
};

use self::plan::{RefreshPlan, is_other_network};
use self::unproven::{ProofUse, RefreshDenied};
use super::Auth;
use crate::cache::TokenCache;
use crate::clock::ClockConfidence;
use crate::dpop::{ProofDenied, ProvenKey};
use crate::judge::{Presenter, Verdict, judge};
use crate::keys::OpenKeys;
use crate::ports::AuthTx;
use crate::principal_profile;
use crate::revocations::Version;
use crate::session::FIRST_GENERATION;
use crate::token::access_token::{Claims, read_key_id};
use crate::token::refresh_token::{RefreshToken, UnverifiedRefreshToken};
use crate::{AuthDenied, Error, IssuedTokens, Profile, RefreshRequest, Session, SessionKind, Terms, TokenDenied};

/// How often a refresh is judged again within one unit of work, if other units of work change its
/// session.
const MAX_ROTATION_ATTEMPTS: usize = 8;

/// At most once per interval and session, the audit records that a refresh token that is not
/// rotated is used from another network.
const SHARED_REPORT_INTERVAL: Duration = Duration::from_hours(1);

/// What a refresh fixes before its unit of work, which may run more than once.
struct RefreshAttempt<'a> {
    request: &'a RefreshRequest<'a>,
    /// The presented refresh token, authenticated.
    token: RefreshToken,
    /// The key that the client has proved; `Ok(None)` if its request has no proof, and `Err` if the
    /// proof is not valid, which is reported after the session was read.
    proven_key: Result<Option<ProvenKey>, ProofDenied>,
    /// The key of a refresh token that is issued now.
    current_key: KeyId,
    now: Instant,
    clock_confidence: ClockConfidence,
    /// The version of the revocation cache before the session is read.
    read_version: Version,
    /// The audit event, if the verdict requires one; its action and outcome are set then.
    event: tillgate_domain::Event,
}

/// What a refresh token is exchanged for.
struct RefreshGrant {
    plan: RefreshPlan,
    /// `None` if the user, the device or the tenant is no longer in the store.
    profile: Option<Arc<Profile>>,
    /// The epochs that the new access token contains.
    epochs: crate::Epochs,
}

/// Where one pass through the unit of work ends.
enum RefreshStep {
    /// The refresh is decided, and the decision is written.
    Decided(Result<Box<RefreshGrant>, RefreshDenied>),
    /// The unit of work may only read, and the decision requires a write.
    NeedsWrite,
    /// Another unit of work changed the session after it was read.
    LostRace,
}

impl Auth {
    /// Refreshes a session: exchanges a refresh token for a new access token and the refresh token
    /// to use from then on (RFC 6749, section 6).
    ///
    /// Unless the session's terms say otherwise, tillgate uses refresh token rotation (RFC 9700,
    /// section 4.14.2): it issues a new refresh token and invalidates the previous one. The client
    /// must discard the old refresh token and replace it with the new one before it uses the new
    /// access token. If the session was rotated less than a grace period ago
    /// ([`RefreshTerms::overlap`](crate::RefreshTerms::overlap), two minutes by default), it is not
    /// rotated again: the response contains the current refresh token once more.
    ///
    /// An invalidated refresh token can then be presented in two situations, which require opposite
    /// answers:
    ///
    /// 1. **The response was lost.** The server issued a new refresh token, but the response never
    ///    reached the legitimate client: the connection broke, or the till lost power before it
    ///    stored the response. The client presents the refresh token that it still has. Nobody has
    ///    used the new access token, so the new refresh token is returned again, however late the
    ///    client comes back. Requests that the client sent at the same time, all with the old
    ///    refresh token, get the same response during the grace period.
    /// 2. **The refresh token was compromised.** The attacker and the legitimate client both use
    ///    it. One of them presents it after the other has received its successor and used the
    ///    successor's access token. The server cannot determine which party submitted the invalid
    ///    refresh token. It therefore revokes the session ([`TokenDenied::Replay`]) and records an
    ///    audit event (`refresh.replay`). This stops the attack at the cost of forcing the
    ///    legitimate client to log in again.
    ///
    /// The function [`judge`] tells them apart.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] with a [`TokenDenied`] if the refresh token does not get new tokens; the
    /// client has to log in again. [`Error::Denied`] with [`AuthDenied::Proof`] if the session is
    /// bound to a key that the request does not prove; the session continues, and the client
    /// retries with a valid proof. [`Error::Unavailable`] if nothing was decided; the client keeps
    /// its tokens and retries.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn refresh(&self, request: &RefreshRequest<'_>) -> Result<IssuedTokens, Error> {
        self.refresh_with_pairing(request, None)
    }

    /// [`refresh`](Self::refresh) for a client that may also name the pairing to which its refresh
    /// token must belong.
    pub(super) fn refresh_with_pairing(
        &self,
        request: &RefreshRequest<'_>,
        pairing: Option<SessionId>,
    ) -> Result<IssuedTokens, Error> {
        // Authenticate the refresh token. This needs no session, so a forged token costs no query.
        let (keys, token) = self.verify_refresh_token(request.token)?;
        let access_token_session = request.access_token.map(|access| self.session_of_access_token(&keys, access));
        if access_token_session.is_some_and(|session| session != Some(token.session))
            || pairing.is_some_and(|pairing| pairing != token.session)
        {
            return Err(TokenDenied::Invalid.into());
        }

        // Check the proof. A client with an old nonce repeats its request at once, so nothing is
        // read before.
        let proven_key = request.proof.map(|presented| self.examine_proof(presented, None)).transpose();
        if proven_key == Err(ProofDenied::Nonce) {
            return Err(AuthDenied::Proof(ProofDenied::Nonce).into());
        }

        // Fix the time, the key and the id of an audit event: the unit of work may run more than
        // once.
        let time = self.time();
        let attempt = RefreshAttempt {
            request,
            token,
            proven_key,
            current_key: keys.current_refresh_key(),
            now: time.at,
            clock_confidence: self.timekeeper.confidence(),
            read_version: self.revocations.current_version(),
            event: self.new_event(
                Action::RefreshReplay,
                EventOutcome::Refused,
                Subject::Session(token.session),
                None,
            )?,
        };
        // An accepted proof is stored.
        let read_first =
            attempt.find_proven_key().is_none() && (pairing.is_some() || self.is_probably_repeated(&attempt));
        let decided = self.run_refresh(&attempt, read_first, |tx, mode, proof_use| {
            // Read the session.
            let Some(record) = tx.sessions().find(token.session)? else {
                return Ok(RefreshStep::Decided(Err(TokenDenied::SessionOver.into())));
            };
            if request.tenant.is_some_and(|tenant| tenant != record.session.tenant) {
                return Ok(RefreshStep::Decided(Err(TokenDenied::WrongAudience.into())));
            }
            // A store that was rolled back may have lost a revocation that this process still
            // knows.
            if self.revocations.is_over(&record.session) {
                return Ok(RefreshStep::Decided(Err(TokenDenied::SessionOver.into())));
            }

            // An operator's session ends with that of the till, also if that one has expired.
            if !self.has_live_parent(tx, &record.session, attempt.now)? {
                return Ok(RefreshStep::Decided(Err(TokenDenied::SessionOver.into())));
            }

            // Judge the presented generation.
            let presenter = Presenter {
                dialect: request.dialect,
                device: request.device,
                thumbprint: attempt.find_proven_key().map(|proven| proven.thumbprint().as_slice()),
                keeps_token: request.keeps_token,
            };
            let monotonic = self.clock.monotonic();
            let witness = self.activity.witness(&record.session, record.clock, monotonic, attempt.clock_confidence);
            let verdict = judge(&record, token.generation, &presenter, &witness, attempt.now);
            let plan = match verdict {
                Verdict::Deny(denial) => return Ok(RefreshStep::Decided(Err(denial.into()))),
                Verdict::Unproven => return Ok(RefreshStep::Decided(Err(attempt.deny_unproven(&record.session)))),
                _ if attempt.proven_key.is_err() => {
                    return Ok(RefreshStep::Decided(Err(attempt.deny_unproven(&record.session))));
                }
                _ if !proof_use.accept(tx, &attempt)? => {
                    return Ok(RefreshStep::Decided(Err(RefreshDenied::replayed(&record.session))));
                }
                Verdict::Rotate { to, store_rolled_back } => {
                    let terms = self.current_terms(tx, &record.session)?;
                    RefreshPlan::rotate(&record, &attempt, &terms, to, store_rolled_back)
                }
                Verdict::Renew => {
                    let report = self.should_report_shared(&record.session, &attempt, false);
                    RefreshPlan::restart_overlap(&record, &attempt, report)
                }
                Verdict::Repeat | Verdict::Forgive => {
                    let forgiven = verdict == Verdict::Forgive;
                    RefreshPlan::repeat(&record, self.should_report_shared(&record.session, &attempt, forgiven))
                }
                Verdict::Reuse => {
                    RefreshPlan::extend(&record, &attempt, self.should_report_moved(&record.session, &attempt))
                }
                Verdict::Replay => RefreshPlan::end_session(&record),
            };

            // Write the verdict.
            if plan.writes() && mode == Mode::Read {
                return Ok(RefreshStep::NeedsWrite);
            }
            if !plan.apply(tx, &record.session, &attempt)? {
                return Ok(RefreshStep::LostRace);
            }
            if plan.starts_overlap() {
                record_key_use(tx, &plan.session, attempt.now)?;
            }
            if verdict == Verdict::Replay {
                return Ok(RefreshStep::Decided(Err(TokenDenied::Replay.into())));
            }
            let profile = self.cached_or_read_profile(tx, &plan.session)?;
            let epochs = match plan.session.kind {
                SessionKind::Permanent => record.epochs,
                SessionKind::Person | SessionKind::Device => plan.session.epochs,
            };
            Ok(RefreshStep::Decided(Ok(Box::new(RefreshGrant { plan, profile, epochs }))))
        })?;
        match decided {
            Ok(grant) => self.issue_refreshed_tokens(&attempt, *grant),
            Err(denied) => Err(self.deny_refresh(&attempt, denied, time.in_doubt)),
        }
    }

    /// Remembers a refresh that was committed, and issues its tokens.
    fn issue_refreshed_tokens(&self, attempt: &RefreshAttempt<'_>, grant: RefreshGrant) -> Result<IssuedTokens, Error> {
        let RefreshGrant { plan, profile, epochs } = grant;
        let monotonic = self.clock.monotonic();
        if plan.reports_shared() {
            self.activity.record_report(plan.session.id, plan.session.generation, monotonic);
        }
        let profile = profile.ok_or(TokenDenied::SessionOver)?;
        if let Some(principal) = plan.session.principal() {
            self.profile_cache.insert(principal, plan.session.device, &profile, attempt.read_version);
        }
        let overlap = plan.session.terms.refresh.as_ref().and_then(|refresh| refresh.overlap);
        if let (true, Some(overlap)) = (plan.starts_overlap(), overlap) {
            self.activity.record_rotation(&plan.session, monotonic, overlap);
        }

        // Issue the tokens. Another process may have rotated the session with a key that this one
        // has not read yet.
        let keys = self.keys_with(plan.session.key)?;
        self.mint_tokens(&keys, plan.session, &epochs, profile, plan.kind, attempt.read_version)
    }

    /// Authenticates a refresh token by the HMAC key that it names. Returns the keys that are open
    /// then.
    pub(super) fn verify_refresh_token(&self, token: &str) -> Result<(Arc<OpenKeys>, RefreshToken), Error> {
        let unverified = UnverifiedRefreshToken::parse(token.trim_ascii()).ok_or(TokenDenied::Invalid)?;
        let keys = self.keys_with(unverified.key())?;
        let key = keys.refresh_key(unverified.key()).ok_or(TokenDenied::Invalid)?;
        let token = unverified.verify(key).ok_or(TokenDenied::Invalid)?;
        Ok((keys, token))
    }

    /// The open keys. Reads them from the store if the refresh key of this id is not among them.
    pub(super) fn keys_with(&self, refresh_key: KeyId) -> Result<Arc<OpenKeys>, Error> {
        let keys = self.keyring.current();
        if keys.refresh_key(refresh_key).is_some() {
            return Ok(keys);
        }
        self.reload_unknown_keys()?;
        Ok(self.keyring.current())
    }

    /// The session that an access token names; the token may have expired. If its key has been
    /// removed, its signature is not checked: the refresh token is the proof.
    fn session_of_access_token(&self, keys: &OpenKeys, token: &str) -> Option<SessionId> {
        let token = token.trim_ascii();
        if let Some(verified) = self.token_cache.get(&TokenCache::digest(token)) {
            return Some(verified.session);
        }
        let claims = match read_key_id(token).and_then(|id| keys.signing_key(id)) {
            Some(key) => Claims::verify(token, key),
            None => Claims::decode_unverified(token),
        };
        claims.map(|claims| claims.sid)
    }

    /// Whether the refresh will probably write nothing: its token is not rotated, or this process
    /// has rotated the session within the grace period.
    fn is_probably_repeated(&self, attempt: &RefreshAttempt<'_>) -> bool {
        let not_rotated = attempt.request.keeps_token && attempt.token.generation == FIRST_GENERATION;
        not_rotated || self.activity.is_in_overlap(attempt.token.session, self.clock.monotonic())
    }

    /// Runs `step` until it has decided: in a unit of work that only reads, if `read_first`, then
    /// in one that may write.
    fn run_refresh(
        &self,
        attempt: &RefreshAttempt<'_>,
        read_first: bool,
        mut step: impl FnMut(&mut dyn AuthTx, Mode, &mut ProofUse) -> StoreResult<RefreshStep>,
    ) -> Result<Result<Box<RefreshGrant>, RefreshDenied>, Error> {
        let modes: &[Mode] = if read_first { &[Mode::Read, Mode::Write] } else { &[Mode::Write] };
        for mode in modes {
            let mut reached = RefreshStep::NeedsWrite;
            let outcome = self.store.run(UnitOfWork { name: "refresh", mode: *mode }, &mut |tx| {
                let mut proof_use = ProofUse::default();
                for _ in 0..MAX_ROTATION_ATTEMPTS {
                    reached = step(tx, *mode, &mut proof_use)?;
                    if !matches!(reached, RefreshStep::LostRace) {
                        return Ok(());
                    }
                }
                Err(StoreError::Conflict(format!(
                    "session \"{}\" was changed by others {MAX_ROTATION_ATTEMPTS} times in a row",
                    attempt.token.session
                )))
            });
            outcome.map_err(|error| error.in_unit("refresh"))?;
            if let RefreshStep::Decided(decided) = reached {
                return Ok(decided);
            }
        }
        Err(Error::Fault("the store did not run the unit of work of a refresh".to_owned()))
    }

    /// Whether to record that the refresh token is used from another network than its rotation, or
    /// was forgiven because this process cannot vouch for the age of the rotation: once per
    /// generation, as far as this process remembers.
    fn should_report_shared(&self, session: &Session, attempt: &RefreshAttempt<'_>, forgiven: bool) -> bool {
        // A permanent token is meant to be moved to another machine than it was generated on.
        session.kind != SessionKind::Permanent
            && (forgiven || is_other_network(session, attempt.request.address))
            && !self.activity.was_reported(session.id, session.generation)
    }

    /// Whether to record that a refresh token that is not rotated is used from another network than
    /// last time: once per [`SHARED_REPORT_INTERVAL`] and session, as far as this process
    /// remembers.
    fn should_report_moved(&self, session: &Session, attempt: &RefreshAttempt<'_>) -> bool {
        session.kind != SessionKind::Permanent
            && is_other_network(session, attempt.request.address)
            && !self.activity.was_reported_within(
                session.id,
                session.generation,
                self.clock.monotonic(),
                SHARED_REPORT_INTERVAL,
            )
    }

    /// The terms of the session as they apply to the current rights of its principal.
    fn current_terms(&self, tx: &mut dyn AuthTx, session: &Session) -> StoreResult<Terms> {
        if session.terms.office.is_none() {
            return Ok(session.terms.clone());
        }
        let profile = self.cached_or_read_profile(tx, session)?;
        Ok(profile.map_or_else(|| session.terms.clone(), |profile| session.terms.for_rights(&profile.rights)))
    }

    /// Whether the session under which this one was created is live; true if there is none.
    fn has_live_parent(&self, tx: &mut dyn AuthTx, session: &Session, now: Instant) -> StoreResult<bool> {
        let Some(parent) = session.parent else { return Ok(true) };
        let record = tx.sessions().find(parent)?;
        Ok(record.is_some_and(|record| self.is_live(&record, now)))
    }

    /// The profile of the session's principal, from the cache if it is current.
    fn cached_or_read_profile(&self, tx: &mut dyn AuthTx, session: &Session) -> StoreResult<Option<Arc<Profile>>> {
        let Some(principal) = session.principal() else {
            return Err(StoreError::Corrupt {
                table: "sessions",
                column: "user",
                detail: "the session has neither a user nor a device".to_owned(),
            });
        };
        let invalidated_at = self.revocations.invalidated_at(session);
        if let Some(profile) = self.profile_cache.get(principal, session.device, invalidated_at) {
            return Ok(Some(profile));
        }
        let profile = principal_profile::read(tx, principal, session.device)?;
        Ok(profile.map(|profile| self.profile_cache.share(profile)))
    }
}

/// Records the use of the key to which the session of a device is bound.
fn record_key_use(tx: &mut dyn AuthTx, session: &Session, now: Instant) -> StoreResult<()> {
    let thumbprint = session.thumbprint.as_deref().and_then(|bytes| Thumbprint::try_from(bytes).ok());
    match thumbprint.filter(|_| session.kind == SessionKind::Device) {
        Some(thumbprint) => {
            let recorded_before = now.saturating_sub(KEY_USE_INTERVAL);
            tx.device_keys().record_use(session.tenant, &thumbprint, now, recorded_before)
        }
        None => Ok(()),
    }
}
