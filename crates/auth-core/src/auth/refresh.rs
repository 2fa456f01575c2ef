//! Refreshing: the judge's verdict carried out.
//!
//! A session that this process rotated within its overlap is only read: a client that refreshes before every request writes
//! nothing. Everything else is one unit of work: read, judge, and one conditional update.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tillgate_domain::{Action, Actor, EndedWhy, Event, Instant, Mode, Outcome, SessionId, StoreError, Stored, Subject};

use super::Auth;
use crate::changes::Moment;
use crate::clock::Belief;
use crate::judge::{Presenter, Verdict, judge};
use crate::keys::Opened;
use crate::ports::{AuthTx, Rotation, Standing};
use crate::profile;
use crate::remembered::Tokens;
use crate::requests::How;
use crate::session::FIRST_GENERATION;
use crate::token::access::{Claims, key_of};
use crate::token::refresh::{RefreshToken, Unproven};
use crate::{Epochs, Error, Granted, Profile, Refreshing, Session, SessionKind, TokenRefusal};

/// How often a lost rotation is judged again within one unit of work.
const AGAIN: usize = 8;

/// How often the audit is told of one session that its refresh token, which is not rotated, comes from another network.
const TELL_EVERY: Duration = Duration::from_hours(1);

/// What the unit of work came to.
enum Decided {
    Refused(TokenRefusal),
    /// The session as it stands now.
    Granted(Box<Grant>),
    /// It takes a write.
    Writes,
}

/// A session as it stands now, with what its tokens say.
struct Grant {
    session: Session,
    epochs: Epochs,
    profile: Option<Arc<Profile>>,
    how: How,
    /// Whether its overlap begins now.
    anew: bool,
    /// Whether the audit was told that the token is repeated elsewhere.
    told: bool,
}

impl Grant {
    /// The newest refresh token of the session once more.
    fn of(standing: &Standing) -> Self {
        let session = standing.session.clone();
        let epochs = match session.kind {
            SessionKind::Permanent => standing.epochs,
            SessionKind::Person | SessionKind::Device => session.epochs,
        };
        Self { session, epochs, profile: None, how: How::Repeated, anew: false, told: false }
    }
}

/// What a refresh brings into its unit of work, which may run again.
struct Bid<'a> {
    token: RefreshToken,
    refreshing: &'a Refreshing<'a>,
    seals: tillgate_domain::KeyId,
    now: Instant,
    clock: Belief,
    began: Moment,
    event: Event,
}

impl Auth {
    /// Refreshes a session. A refresh token that was answered before, and whose answer may have been lost, gets the same successor
    /// again; one that had been followed by a used one ends the session.
    pub fn refresh(&self, refreshing: &Refreshing<'_>) -> Result<Granted, Error> {
        self.refresh_as(refreshing, None)
    }

    /// The same, where the client may also say by which pairing it refreshes.
    pub(super) fn refresh_as(&self, refreshing: &Refreshing<'_>, pairing: Option<SessionId>) -> Result<Granted, Error> {
        let (keys, token) = self.proven(refreshing.token)?;
        if refreshing.beside.is_some_and(|beside| self.session_of(&keys, beside) != Some(token.session)) {
            return Err(TokenRefusal::Invalid.into());
        }
        if pairing.is_some_and(|pairing| pairing != token.session) {
            return Err(TokenRefusal::Invalid.into());
        }
        let time = self.time();
        let bid = Bid {
            token,
            refreshing,
            seals: keys.seals(),
            now: time.at,
            clock: self.time.belief(),
            began: self.changes.now(),
            event: self.event(Action::RefreshReplay, Outcome::Refused, Subject::Session(token.session), None)?,
        };
        // a refresh token that is not rotated is mostly only read as well
        let only_read = pairing.is_some()
            || (refreshing.keeps_token && token.generation == FIRST_GENERATION)
            || self.uses.lately(token.session, self.clock.monotonic());
        let mut decided = if only_read { self.decide(Mode::Read, &bid)? } else { Decided::Writes };
        if matches!(decided, Decided::Writes) {
            decided = self.decide(Mode::Write, &bid)?;
        }
        match decided {
            Decided::Granted(grant) => self.grant(&bid, *grant),
            Decided::Refused(TokenRefusal::Expired) if time.in_doubt => {
                Err(Error::unavailable("the clock is in doubt, and the session may have expired by it"))
            }
            Decided::Refused(refusal) => Err(refusal.into()),
            Decided::Writes => Err(Error::Fault("a refresh was not decided".to_owned())),
        }
    }

    /// What a refresh token names, once its key has proved it.
    pub(super) fn proven(&self, token: &str) -> Result<(Arc<Opened>, RefreshToken), Error> {
        let unproven = Unproven::read(token.trim_ascii()).ok_or(TokenRefusal::Invalid)?;
        let mut keys = self.keyring.held();
        if keys.refresh(unproven.key()).is_none() {
            self.look_up_keys()?;
            keys = self.keyring.held();
        }
        let key = keys.refresh(unproven.key()).ok_or(TokenRefusal::Invalid)?;
        let token = unproven.prove(key).ok_or(TokenRefusal::Invalid)?;
        Ok((keys, token))
    }

    /// The session that an access token names. Where its key is gone it is taken at its word: the refresh token is what proves.
    fn session_of(&self, keys: &Opened, token: &str) -> Option<SessionId> {
        if let Some(verified) = self.tokens.find(&Tokens::digest(token)) {
            return Some(verified.claims.sid);
        }
        let claims = match key_of(token).and_then(|id| keys.signing(id)) {
            Some(key) => Claims::verify(token, key),
            None => Claims::unverified(token),
        };
        claims.map(|claims| claims.sid)
    }

    fn decide(&self, mode: Mode, bid: &Bid<'_>) -> Result<Decided, Error> {
        let mut decided = None;
        self.store.run(mode, &mut |tx| {
            decided = Some(self.carry_out(tx, mode, bid)?);
            Ok(())
        })?;
        decided.ok_or_else(|| Error::Fault("the store did not run the unit of work".to_owned()))
    }

    fn carry_out(&self, tx: &mut dyn AuthTx, mode: Mode, bid: &Bid<'_>) -> Stored<Decided> {
        for _ in 0..AGAIN {
            let Some(standing) = tx.sessions().find(bid.token.session)? else {
                return Ok(Decided::Refused(TokenRefusal::Over));
            };
            if bid.refreshing.tenant.is_some_and(|tenant| tenant != standing.session.tenant) {
                return Ok(Decided::Refused(TokenRefusal::Foreign));
            }
            // A store that went back may have forgotten what this process knows to be over for ever.
            if self.changes.over(&standing.session) {
                return Ok(Decided::Refused(TokenRefusal::Over));
            }
            match (self.verdict(&standing, bid), mode) {
                (Verdict::Refuse(refusal), _) => return Ok(Decided::Refused(refusal)),
                (Verdict::Rotate { .. } | Verdict::Renew | Verdict::Replay, Mode::Read) => return Ok(Decided::Writes),
                (Verdict::Rotate { to, went_back }, Mode::Write) => {
                    if let Some(session) = rotate(tx, &standing, bid, to, went_back)? {
                        let (how, anew, told) = (How::Rotated, true, false);
                        return self.granted(tx, Grant { session, how, anew, told, ..Grant::of(&standing) });
                    }
                }
                (verdict @ (Verdict::Repeat | Verdict::Renew | Verdict::Forgive), _) => {
                    let told = self.newly_shared(&standing.session, bid, verdict == Verdict::Forgive);
                    if told && mode == Mode::Read {
                        return Ok(Decided::Writes);
                    }
                    let anew = verdict == Verdict::Renew;
                    let session = if anew { renew(tx, &standing, bid)? } else { Some(standing.session.clone()) };
                    if let Some(session) = session {
                        if told {
                            tell(tx, &session, bid, Action::RefreshShared, Outcome::Done)?;
                        }
                        return self.granted(tx, Grant { session, anew, told, ..Grant::of(&standing) });
                    }
                }
                (Verdict::Reuse, _) => {
                    let told = self.moved(&standing.session, bid);
                    let expires_at = extended(&standing, bid.now);
                    let writes = told || expires_at.is_some();
                    if writes && mode == Mode::Read {
                        return Ok(Decided::Writes);
                    }
                    let session = &standing.session;
                    let from = if told { bid.refreshing.address } else { session.rotated_from };
                    let session = Session {
                        expires_at: expires_at.or(session.expires_at),
                        rotated_from: from,
                        ..session.clone()
                    };
                    if !writes || tx.sessions().extend(session.id, session.generation, session.expires_at, from)? {
                        if told {
                            tell(tx, &session, bid, Action::RefreshShared, Outcome::Done)?;
                        }
                        return self.granted(tx, Grant { session, told, ..Grant::of(&standing) });
                    }
                }
                (Verdict::Replay, Mode::Write) => {
                    tx.endings().end(bid.token.session, EndedWhy::Replay, bid.now)?;
                    tell(tx, &standing.session, bid, Action::RefreshReplay, Outcome::Refused)?;
                    return Ok(Decided::Refused(TokenRefusal::Replay));
                }
            }
        }
        Err(StoreError::Conflict(format!("session {} kept moving", bid.token.session)))
    }

    fn verdict(&self, standing: &Standing, bid: &Bid<'_>) -> Verdict {
        let refreshing = bid.refreshing;
        let presenter = Presenter {
            dialect: refreshing.dialect,
            device: refreshing.device,
            thumbprint: refreshing.thumbprint,
            keeps_token: refreshing.keeps_token,
        };
        let witness = self.uses.witness(&standing.session, standing.clock, self.clock.monotonic(), bid.clock);
        judge(standing, bid.token.generation, &presenter, &witness, bid.now)
    }

    /// Whether a repeat is to be told, because it comes from another address or was forgiven for want of certainty: once for each
    /// generation, as far as this process remembers.
    fn newly_shared(&self, session: &Session, bid: &Bid<'_>, forgiven: bool) -> bool {
        // a permanent token is carried to another machine than it was generated on
        session.kind != SessionKind::Permanent
            && (forgiven || shared(session, bid.refreshing.address))
            && !self.uses.told(session.id, session.generation)
    }

    /// Whether a refresh token that is not rotated comes from another network than it last did, and the audit is to be told:
    /// once an hour for each session, as far as this process remembers.
    fn moved(&self, session: &Session, bid: &Bid<'_>) -> bool {
        session.kind != SessionKind::Permanent
            && shared(session, bid.refreshing.address)
            && !self.uses.told_within(session.id, session.generation, self.clock.monotonic(), TELL_EVERY)
    }

    /// Completes a grant with what is known or read of the principal.
    fn granted(&self, tx: &mut dyn AuthTx, grant: Grant) -> Stored<Decided> {
        let session = &grant.session;
        let Some(principal) = session.principal() else {
            return Err(StoreError::Corrupt {
                table: "sessions",
                column: "user",
                detail: "nobody's session".to_owned(),
            });
        };
        let touched = self.changes.touched(session);
        let known = self.profiles.find(principal, session.device, touched);
        let profile = match known {
            Some(profile) => Some(profile),
            None => profile::read(tx, principal, session.device)?.map(Arc::new),
        };
        Ok(Decided::Granted(Box::new(Grant { profile, ..grant })))
    }

    fn grant(&self, bid: &Bid<'_>, grant: Grant) -> Result<Granted, Error> {
        let Grant { session, epochs, profile, how, anew, told } = grant;
        if told {
            self.uses.note_told(session.id, session.generation, self.clock.monotonic());
        }
        let profile = profile.ok_or(TokenRefusal::Over)?;
        if let Some(principal) = session.principal() {
            self.profiles.keep(principal, session.device, &profile, bid.began);
        }
        let overlap = session.terms.refresh.as_ref().and_then(|refresh| refresh.overlap);
        if let (true, Some(overlap)) = (anew, overlap) {
            self.uses.rotated(&session, self.clock.monotonic(), overlap);
        }
        let mut keys = self.keyring.held();
        if keys.refresh(session.key).is_none() {
            self.look_up_keys()?;
            keys = self.keyring.held();
        }
        self.mint(&keys, session, &epochs, profile, how, bid.began)
    }
}

/// Moves the session on; `None` where another has moved it first.
fn rotate(
    tx: &mut dyn AuthTx,
    standing: &Standing,
    bid: &Bid<'_>,
    to: i64,
    went_back: bool,
) -> Stored<Option<Session>> {
    let session = &standing.session;
    let rotation = Rotation {
        generation: to,
        // One that the store had forgotten keeps the key that it bears.
        key: if went_back { bid.token.key } else { bid.seals },
        previous_key: bid.token.key,
        at: bid.now,
        expires_at: session.terms.session_expiry(session.created_at, bid.now, &standing.zone),
        from: bid.refreshing.address,
    };
    if !tx.sessions().rotate(session.id, session.generation, &rotation)? {
        return Ok(None);
    }
    if went_back {
        tell(tx, session, bid, Action::StoreWentBack, Outcome::Done)?;
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
fn extended(standing: &Standing, now: Instant) -> Option<Instant> {
    let session = &standing.session;
    session.terms.extended_expiry(session.created_at, session.expires_at, now, &standing.zone)
}

/// Begins the overlap of the newest refresh token anew; `None` where another has moved the session on first. A repeat lengthens no
/// session and moves it nowhere.
fn renew(tx: &mut dyn AuthTx, standing: &Standing, bid: &Bid<'_>) -> Stored<Option<Session>> {
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

fn tell(tx: &mut dyn AuthTx, session: &Session, bid: &Bid<'_>, action: Action, outcome: Outcome) -> Stored<()> {
    let mut event = bid.event.clone();
    event.tenant = Some(session.tenant);
    event.actor = Actor {
        user: session.user,
        device: session.device,
        session: Some(session.id),
        address: bid.refreshing.address,
    };
    event.action = action;
    event.outcome = outcome;
    event.details.insert("generation".to_owned(), json!(session.generation));
    event.details.insert("presented".to_owned(), json!(bid.token.generation));
    tx.audit().tell(&event)
}

/// Whether the repeat comes from another network address than the rotation that it repeats.
fn shared(session: &Session, from: Option<IpAddr>) -> bool {
    match (session.rotated_from, from) {
        (Some(rotated), Some(from)) => network(rotated) != network(from),
        _ => false,
    }
}

/// The address as far as it tells places apart: an IPv6 network hands out its last 72 bits at will.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() & (u128::MAX << 72);
            IpAddr::V6(bits.into())
        }
    }
}
