//! Refreshing: the judge's verdict carried out.
//!
//! A session that this process rotated within its overlap is only read: a client that refreshes before every request writes
//! nothing. Everything else is one unit of work: read, judge, and one conditional update.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tillgate_domain::{
    Action, Actor, EndReason, Event, EventOutcome, Instant, Mode, SessionId, StoreError, StoreResult, Subject,
};

use super::Auth;
use crate::cache::TokenCache;
use crate::clock::ClockConfidence;
use crate::judge::{Presenter, Verdict, judge};
use crate::keys::OpenKeys;
use crate::ports::{AuthTx, Rotation, SessionRecord};
use crate::profile;
use crate::requests::GrantKind;
use crate::revocations::Version;
use crate::session::FIRST_GENERATION;
use crate::token::access::{Claims, read_key_id};
use crate::token::refresh::{RefreshToken, UnverifiedRefreshToken};
use crate::{Epochs, Error, IssuedTokens, Profile, RefreshRequest, Session, SessionKind, TokenDenied};

/// How often a lost rotation is judged again within one unit of work.
const MAX_ROTATION_ATTEMPTS: usize = 8;

/// How often the audit is told of one session that its refresh token, which is not rotated, comes from another network.
const SHARED_REPORT_INTERVAL: Duration = Duration::from_hours(1);

/// What the unit of work came to.
enum Decision {
    Denied(TokenDenied),
    /// The session as it stands now.
    Granted(Box<RefreshGrant>),
    /// It takes a write.
    NeedsWrite,
}

/// A session as it stands now, with what its tokens say.
struct RefreshGrant {
    session: Session,
    epochs: Epochs,
    profile: Option<Arc<Profile>>,
    kind: GrantKind,
    /// Whether its overlap begins now.
    restart_overlap: bool,
    /// Whether the audit was told that the token is repeated elsewhere.
    report_shared: bool,
}

impl RefreshGrant {
    /// The newest refresh token of the session once more.
    fn of(standing: &SessionRecord) -> Self {
        let session = standing.session.clone();
        let epochs = match session.kind {
            SessionKind::Permanent => standing.epochs,
            SessionKind::Person | SessionKind::Device => session.epochs,
        };
        Self { session, epochs, profile: None, kind: GrantKind::Repeated, restart_overlap: false, report_shared: false }
    }
}

/// What a refresh brings into its unit of work, which may run again.
struct RefreshAttempt<'a> {
    token: RefreshToken,
    request: &'a RefreshRequest<'a>,
    current_key: tillgate_domain::KeyId,
    now: Instant,
    clock_confidence: ClockConfidence,
    read_version: Version,
    event: Event,
}

impl Auth {
    /// Refreshes a session. A refresh token that was answered before, and whose answer may have been lost, gets the same successor
    /// again; one that had been followed by a used one ends the session.
    pub fn refresh(&self, refreshing: &RefreshRequest<'_>) -> Result<IssuedTokens, Error> {
        self.refresh_with_pairing(refreshing, None)
    }

    /// The same, where the client may also say by which pairing it refreshes.
    pub(super) fn refresh_with_pairing(
        &self,
        refreshing: &RefreshRequest<'_>,
        pairing: Option<SessionId>,
    ) -> Result<IssuedTokens, Error> {
        let (keys, token) = self.verify_refresh_token(refreshing.token)?;
        if refreshing
            .access_token
            .is_some_and(|beside| self.session_of_access_token(&keys, beside) != Some(token.session))
        {
            return Err(TokenDenied::Invalid.into());
        }
        if pairing.is_some_and(|pairing| pairing != token.session) {
            return Err(TokenDenied::Invalid.into());
        }
        let time = self.time();
        let bid = RefreshAttempt {
            token,
            request: refreshing,
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
        // a refresh token that is not rotated is mostly only read as well
        let only_read = pairing.is_some()
            || (refreshing.keeps_token && token.generation == FIRST_GENERATION)
            || self.activity.is_in_overlap(token.session, self.clock.monotonic());
        let mut decided = if only_read { self.run_decision(Mode::Read, &bid)? } else { Decision::NeedsWrite };
        if matches!(decided, Decision::NeedsWrite) {
            decided = self.run_decision(Mode::Write, &bid)?;
        }
        match decided {
            Decision::Granted(grant) => self.issue_grant(&bid, *grant),
            Decision::Denied(TokenDenied::Expired) if time.in_doubt => {
                Err(Error::unavailable("the clock is in doubt, and the session may have expired by it"))
            }
            Decision::Denied(refusal) => Err(refusal.into()),
            Decision::NeedsWrite => Err(Error::Fault("a refresh was not decided".to_owned())),
        }
    }

    /// What a refresh token names, once its key has proved it.
    pub(super) fn verify_refresh_token(&self, token: &str) -> Result<(Arc<OpenKeys>, RefreshToken), Error> {
        let unproven = UnverifiedRefreshToken::parse(token.trim_ascii()).ok_or(TokenDenied::Invalid)?;
        let mut keys = self.keyring.current();
        if keys.refresh_key(unproven.key()).is_none() {
            self.reload_unknown_keys()?;
            keys = self.keyring.current();
        }
        let key = keys.refresh_key(unproven.key()).ok_or(TokenDenied::Invalid)?;
        let token = unproven.verify(key).ok_or(TokenDenied::Invalid)?;
        Ok((keys, token))
    }

    /// The session that an access token names. Where its key is gone it is taken at its word: the refresh token is what proves.
    fn session_of_access_token(&self, keys: &OpenKeys, token: &str) -> Option<SessionId> {
        if let Some(verified) = self.token_cache.get(&TokenCache::digest(token)) {
            return Some(verified.claims.sid);
        }
        let claims = match read_key_id(token).and_then(|id| keys.signing_key(id)) {
            Some(key) => Claims::verify(token, key),
            None => Claims::decode_unverified(token),
        };
        claims.map(|claims| claims.sid)
    }

    fn run_decision(&self, mode: Mode, bid: &RefreshAttempt<'_>) -> Result<Decision, Error> {
        let mut decided = None;
        self.store.run(mode, &mut |tx| {
            decided = Some(self.decide_in_tx(tx, mode, bid)?);
            Ok(())
        })?;
        decided.ok_or_else(|| Error::Fault("the store did not run the unit of work".to_owned()))
    }

    fn decide_in_tx(&self, tx: &mut dyn AuthTx, mode: Mode, bid: &RefreshAttempt<'_>) -> StoreResult<Decision> {
        for _ in 0..MAX_ROTATION_ATTEMPTS {
            let Some(standing) = tx.sessions().find(bid.token.session)? else {
                return Ok(Decision::Denied(TokenDenied::SessionOver));
            };
            if bid.request.tenant.is_some_and(|tenant| tenant != standing.session.tenant) {
                return Ok(Decision::Denied(TokenDenied::WrongAudience));
            }
            // A store that went back may have forgotten what this process knows to be over for ever.
            if self.revocations.is_over(&standing.session) {
                return Ok(Decision::Denied(TokenDenied::SessionOver));
            }
            match (self.verdict(&standing, bid), mode) {
                (Verdict::Deny(refusal), _) => return Ok(Decision::Denied(refusal)),
                (Verdict::Rotate { .. } | Verdict::Renew | Verdict::Replay, Mode::Read) => {
                    return Ok(Decision::NeedsWrite);
                }
                (Verdict::Rotate { to, store_rolled_back: went_back }, Mode::Write) => {
                    if let Some(session) = rotate_session(tx, &standing, bid, to, went_back)? {
                        let (how, anew, told) = (GrantKind::Rotated, true, false);
                        return self.complete_grant(
                            tx,
                            RefreshGrant {
                                session,
                                kind: how,
                                restart_overlap: anew,
                                report_shared: told,
                                ..RefreshGrant::of(&standing)
                            },
                        );
                    }
                }
                (verdict @ (Verdict::Repeat | Verdict::Renew | Verdict::Forgive), _) => {
                    let told = self.should_report_shared(&standing.session, bid, verdict == Verdict::Forgive);
                    if told && mode == Mode::Read {
                        return Ok(Decision::NeedsWrite);
                    }
                    let anew = verdict == Verdict::Renew;
                    let session =
                        if anew { restart_overlap(tx, &standing, bid)? } else { Some(standing.session.clone()) };
                    if let Some(session) = session {
                        if told {
                            record_event(tx, &session, bid, Action::RefreshShared, EventOutcome::Done)?;
                        }
                        return self.complete_grant(
                            tx,
                            RefreshGrant {
                                session,
                                restart_overlap: anew,
                                report_shared: told,
                                ..RefreshGrant::of(&standing)
                            },
                        );
                    }
                }
                (Verdict::Reuse, _) => {
                    let told = self.should_report_moved(&standing.session, bid);
                    let expires_at = extended_session_expiry(&standing, bid.now);
                    let writes = told || expires_at.is_some();
                    if writes && mode == Mode::Read {
                        return Ok(Decision::NeedsWrite);
                    }
                    let session = &standing.session;
                    let from = if told { bid.request.address } else { session.rotated_from };
                    let session = Session {
                        expires_at: expires_at.or(session.expires_at),
                        rotated_from: from,
                        ..session.clone()
                    };
                    if !writes || tx.sessions().extend(session.id, session.generation, session.expires_at, from)? {
                        if told {
                            record_event(tx, &session, bid, Action::RefreshShared, EventOutcome::Done)?;
                        }
                        return self.complete_grant(
                            tx,
                            RefreshGrant { session, report_shared: told, ..RefreshGrant::of(&standing) },
                        );
                    }
                }
                (Verdict::Replay, Mode::Write) => {
                    tx.revocations().end_session(bid.token.session, EndReason::Replay, bid.now)?;
                    record_event(tx, &standing.session, bid, Action::RefreshReplay, EventOutcome::Refused)?;
                    return Ok(Decision::Denied(TokenDenied::Replay));
                }
            }
        }
        Err(StoreError::Conflict(format!("session {} kept moving", bid.token.session)))
    }

    fn verdict(&self, standing: &SessionRecord, bid: &RefreshAttempt<'_>) -> Verdict {
        let refreshing = bid.request;
        let presenter = Presenter {
            dialect: refreshing.dialect,
            device: refreshing.device,
            thumbprint: refreshing.thumbprint,
            keeps_token: refreshing.keeps_token,
        };
        let witness =
            self.activity.witness(&standing.session, standing.clock, self.clock.monotonic(), bid.clock_confidence);
        judge(standing, bid.token.generation, &presenter, &witness, bid.now)
    }

    /// Whether a repeat is to be told, because it comes from another address or was forgiven for want of certainty: once for each
    /// generation, as far as this process remembers.
    fn should_report_shared(&self, session: &Session, bid: &RefreshAttempt<'_>, forgiven: bool) -> bool {
        // a permanent token is carried to another machine than it was generated on
        session.kind != SessionKind::Permanent
            && (forgiven || is_other_network(session, bid.request.address))
            && !self.activity.was_reported(session.id, session.generation)
    }

    /// Whether a refresh token that is not rotated comes from another network than it last did, and the audit is to be told:
    /// once an hour for each session, as far as this process remembers.
    fn should_report_moved(&self, session: &Session, bid: &RefreshAttempt<'_>) -> bool {
        session.kind != SessionKind::Permanent
            && is_other_network(session, bid.request.address)
            && !self.activity.was_reported_within(
                session.id,
                session.generation,
                self.clock.monotonic(),
                SHARED_REPORT_INTERVAL,
            )
    }

    /// Completes a grant with what is known or read of the principal.
    fn complete_grant(&self, tx: &mut dyn AuthTx, grant: RefreshGrant) -> StoreResult<Decision> {
        let session = &grant.session;
        let Some(principal) = session.principal() else {
            return Err(StoreError::Corrupt {
                table: "sessions",
                column: "user",
                detail: "nobody's session".to_owned(),
            });
        };
        let touched = self.revocations.invalidated_at(session);
        let known = self.profile_cache.get(principal, session.device, touched);
        let profile = match known {
            Some(profile) => Some(profile),
            None => profile::read(tx, principal, session.device)?.map(Arc::new),
        };
        Ok(Decision::Granted(Box::new(RefreshGrant { profile, ..grant })))
    }

    fn issue_grant(&self, bid: &RefreshAttempt<'_>, grant: RefreshGrant) -> Result<IssuedTokens, Error> {
        let RefreshGrant { session, epochs, profile, kind: how, restart_overlap: anew, report_shared: told } = grant;
        if told {
            self.activity.record_report(session.id, session.generation, self.clock.monotonic());
        }
        let profile = profile.ok_or(TokenDenied::SessionOver)?;
        if let Some(principal) = session.principal() {
            self.profile_cache.insert(principal, session.device, &profile, bid.read_version);
        }
        let overlap = session.terms.refresh.as_ref().and_then(|refresh| refresh.overlap);
        if let (true, Some(overlap)) = (anew, overlap) {
            self.activity.record_rotation(&session, self.clock.monotonic(), overlap);
        }
        let mut keys = self.keyring.current();
        if keys.refresh_key(session.key).is_none() {
            self.reload_unknown_keys()?;
            keys = self.keyring.current();
        }
        self.mint_tokens(&keys, session, &epochs, profile, how, bid.read_version)
    }
}

/// Moves the session on; `None` where another has moved it first.
fn rotate_session(
    tx: &mut dyn AuthTx,
    standing: &SessionRecord,
    bid: &RefreshAttempt<'_>,
    to: i64,
    went_back: bool,
) -> StoreResult<Option<Session>> {
    let session = &standing.session;
    let rotation = Rotation {
        generation: to,
        // One that the store had forgotten keeps the key that it bears.
        key: if went_back { bid.token.key } else { bid.current_key },
        previous_key: bid.token.key,
        at: bid.now,
        expires_at: session.terms.session_expiry(session.created_at, bid.now, &standing.zone),
        from: bid.request.address,
    };
    if !tx.sessions().rotate(session.id, session.generation, &rotation)? {
        return Ok(None);
    }
    if went_back {
        record_event(tx, session, bid, Action::StoreRollback, EventOutcome::Done)?;
    }
    Ok(Some(Session {
        generation: rotation.generation,
        key: rotation.key,
        previous_key: rotation.previous_key,
        rotated_at: Some(rotation.at),
        rotated_from: rotation.from,
        expires_at: rotation.expires_at,
        ..session.clone()
    }))
}

/// When a session ends that a refresh now extends without rotating it; `None` where that is not worth a write.
fn extended_session_expiry(standing: &SessionRecord, now: Instant) -> Option<Instant> {
    let session = &standing.session;
    session.terms.extended_expiry(session.created_at, session.expires_at, now, &standing.zone)
}

/// Begins the overlap of the newest refresh token anew; `None` where another has moved the session on first. A repeat lengthens no
/// session and moves it nowhere.
fn restart_overlap(
    tx: &mut dyn AuthTx,
    standing: &SessionRecord,
    bid: &RefreshAttempt<'_>,
) -> StoreResult<Option<Session>> {
    let session = &standing.session;
    let same = Rotation {
        generation: session.generation,
        key: session.key,
        previous_key: session.previous_key,
        at: bid.now,
        expires_at: session.expires_at,
        from: session.rotated_from,
    };
    let renewed = tx.sessions().rotate(session.id, session.generation, &same)?;
    Ok(renewed.then(|| Session { rotated_at: Some(bid.now), ..session.clone() }))
}

fn record_event(
    tx: &mut dyn AuthTx,
    session: &Session,
    bid: &RefreshAttempt<'_>,
    action: Action,
    outcome: EventOutcome,
) -> StoreResult<()> {
    let mut event = bid.event.clone();
    event.tenant = Some(session.tenant);
    event.actor =
        Actor { user: session.user, device: session.device, session: Some(session.id), address: bid.request.address };
    event.action = action;
    event.outcome = outcome;
    event.details.insert("generation".to_owned(), json!(session.generation));
    event.details.insert("presented".to_owned(), json!(bid.token.generation));
    tx.audit().record(&event)
}

/// Whether the repeat comes from another network address than the rotation that it repeats.
fn is_other_network(session: &Session, from: Option<IpAddr>) -> bool {
    match (session.rotated_from, from) {
        (Some(rotated), Some(from)) => subscriber_prefix(rotated) != subscriber_prefix(from),
        _ => false,
    }
}

/// The address as far as it tells places apart: an IPv6 network hands out its last 72 bits at will.
pub fn subscriber_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() & (u128::MAX << 72);
            IpAddr::V6(bits.into())
        }
    }
}
