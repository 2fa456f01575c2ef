//! Token exchange: a valid access token for another one of the same session, for dialects without
//! refresh tokens.
//!
//! The exchanged token stays valid for the grace period
//! ([`Terms::exchange_overlap`](crate::Terms::exchange_overlap)) after the first use of a
//! successor, or until its own expiry if the terms have none. Each exchange extends the session,
//! within its terms.
//!
//! The generations of the tokens define their order. The first use of a generation is written to
//! the store immediately and reported to all processes as a change of the session. It makes their
//! cached first uses of this session outdated and nothing else; until then, they authenticate from
//! memory. The process that wrote it adds it to those it has cached, so that a client that stays
//! with one process causes no reading.

use std::time::Duration;

use tillgate_domain::{Instant, Scope, SessionId, StoreError, StoreExt, StoreResult};

use super::Auth;
use super::reach::Reach;
use crate::cache::{FirstUses, VerifiedToken};
use crate::ports::{AuthTx, FirstUse, Rotation};
use crate::requests::GrantKind;
use crate::session::FIRST_GENERATION;
use crate::{AuthRequest, Error, IssuedTokens, Session, TokenDenied};

/// How often an exchange starts again because another one has overtaken it.
const MAX_ROTATION_ATTEMPTS: usize = 8;

/// The outcome of the unit of work.
enum ExchangeOutcome {
    Exchanged {
        session: Box<Session>,
        /// Whether the presented token was not used before.
        is_first_use: bool,
    },
    Denied(TokenDenied),
}

impl Auth {
    /// Exchanges an access token.
    ///
    /// # Errors
    ///
    /// As [`authenticate`](Self::authenticate), and [`TokenDenied::WrongAudience`] if the session
    /// has a refresh token, which it must use instead.
    pub fn exchange(&self, presented: &AuthRequest<'_>) -> Result<IssuedTokens, Error> {
        let caller = self.authenticate_with_store(presented, Reach::Exchange)?;
        let presented_in = *caller.session_context().ok_or(TokenDenied::Invalid)?;
        let id = presented_in.id;
        let (now, read_version) = (self.time().at, self.revocations.current_version());
        let first = FirstUse { generation: presented_in.generation, at: now };
        let known = self.cached_first_uses(id);
        let outcome = self.store.write("exchange_token", |tx| {
            for _ in 0..MAX_ROTATION_ATTEMPTS {
                let Some(record) = tx.sessions().find(id)? else {
                    return Ok(ExchangeOutcome::Denied(TokenDenied::SessionOver));
                };
                let session = &record.session;
                if session.terms.refresh.is_some() {
                    return Ok(ExchangeOutcome::Denied(TokenDenied::WrongAudience));
                }
                // A store that was rolled back may have lost a revocation that this process still
                // knows.
                if session.ended.is_some()
                    || session.epochs.is_below(&record.epochs)
                    || self.revocations.is_over(session)
                {
                    return Ok(ExchangeOutcome::Denied(TokenDenied::SessionOver));
                }
                let extended = session.terms.session_expiry(session.created_at, now, &record.zone);
                let later = Rotation {
                    generation: next_generation(session, presented_in.generation),
                    key: session.key,
                    previous_key: session.previous_key,
                    at: now,
                    expires_at: extended.max(session.expires_at),
                    from: presented.address,
                    proved_at: None,
                };
                if tx.sessions().rotate(session.id, session.generation, &later)? {
                    let is_first_use = match session.terms.exchange_overlap {
                        Some(overlap) => record_first_use(tx, id, first, known.as_ref(), overlap)?,
                        None => false,
                    };
                    let (rotated_at, rotated_from) = (Some(now), later.from);
                    let (generation, expires_at) = (later.generation, later.expires_at);
                    let session = Session { generation, rotated_from, rotated_at, expires_at, ..session.clone() };
                    return Ok(ExchangeOutcome::Exchanged { session: Box::new(session), is_first_use });
                }
            }
            Err(StoreError::Conflict(format!(
                "session \"{id}\" was changed by others {MAX_ROTATION_ATTEMPTS} times in a row"
            )))
        })?;
        match outcome {
            ExchangeOutcome::Exchanged { session, is_first_use } => {
                if let (true, Some(known), Some(overlap)) = (is_first_use, known, session.terms.exchange_overlap) {
                    self.cache_first_use(id, &known, first, overlap);
                }
                let epochs = session.epochs;
                self.mint_tokens(
                    &self.keyring.current(),
                    *session,
                    &epochs,
                    caller.profile,
                    GrantKind::Exchanged,
                    read_version,
                )
            }
            ExchangeOutcome::Denied(denial) => Err(denial.into()),
        }
    }

    /// Whether an exchanged token is past its grace period, which starts with the first use of a
    /// successor. Records the first use of the given token if there is none yet. `None` if that
    /// requires the store and `reach` does not allow it.
    pub(super) fn is_superseded(
        &self,
        verified: &VerifiedToken,
        now: Instant,
        reach: Reach,
    ) -> Result<Option<bool>, Error> {
        let &VerifiedToken { session, generation, .. } = verified;
        let Some(overlap) = verified.exchange_overlap else { return Ok(Some(false)) };
        let known = match self.cached_first_uses(session) {
            Some(known) => known,
            None if reach == Reach::Memory => return Ok(None),
            None => self.read_first_uses(session)?,
        };
        if known.supersede(generation, now, overlap) {
            return Ok(Some(true));
        }
        let is_recorded = generation == FIRST_GENERATION || known.reach(generation);
        match reach {
            Reach::Memory if !is_recorded => return Ok(None),
            Reach::Store if !is_recorded => {
                let first = FirstUse { generation, at: now };
                let is_first_use = self.store.write("record_first_use", |tx| {
                    // A session that no longer exists has ended; that is reported by other means.
                    match tx.sessions().find(session)? {
                        Some(_) => record_first_use(tx, session, first, Some(&known), overlap),
                        None => Ok(false),
                    }
                })?;
                if is_first_use {
                    self.cache_first_use(session, &known, first, overlap);
                }
            }
            _ => {}
        }
        Ok(Some(false))
    }

    /// The first uses of a session, if they are cached and current.
    fn cached_first_uses(&self, session: SessionId) -> Option<FirstUses> {
        self.first_use_cache.get(session, self.revocations.first_uses_invalidated_at(session))
    }

    fn read_first_uses(&self, session: SessionId) -> Result<FirstUses, Error> {
        let read_version = self.revocations.current_version();
        let uses = self.store.read("read_first_uses", |tx| tx.sessions().list_first_uses(session))?;
        let uses = FirstUses::new(uses, read_version);
        self.first_use_cache.insert(session, uses.clone());
        Ok(uses)
    }

    /// Adds a first use that this process has just committed to those that it knew before. Its own
    /// change has made those outdated. If there was another change since they were read, they stay
    /// outdated and are read again.
    fn cache_first_use(&self, session: SessionId, known: &FirstUses, first: FirstUse, overlap: Duration) {
        if let Some(version) = self.revocations.only_first_use_since(session, known.read_version()) {
            let oldest = obsolete_before(known, first, overlap);
            self.first_use_cache.insert(session, known.with(first, oldest, version));
        }
    }
}

/// Records the first use of a generation after the first, and reports it to all processes. Returns
/// false if there is one already. Removes the first uses that decide nothing, of those that are
/// known.
fn record_first_use(
    tx: &mut dyn AuthTx,
    session: SessionId,
    first: FirstUse,
    known: Option<&FirstUses>,
    overlap: Duration,
) -> StoreResult<bool> {
    if first.generation <= FIRST_GENERATION || !tx.sessions().record_first_use(session, first)? {
        return Ok(false);
    }
    if let Some(oldest) = known.and_then(|known| obsolete_before(known, first, overlap)) {
        tx.sessions().remove_first_uses(session, oldest)?;
    }
    tx.revocations().invalidate(Scope::Session(session), first.at)?;
    Ok(true)
}

/// The generation before which no first use decides anything at the time of this one, if there are
/// such: a later generation was first used an overlap ago.
fn obsolete_before(known: &FirstUses, first: FirstUse, overlap: Duration) -> Option<i64> {
    known.obsolete_before(first.at.saturating_sub(overlap))
}

/// The generation of the token that a token of generation `presented` is exchanged for. If the
/// terms limit exchanged tokens, the newest is followed by another one; an older one, whose answer
/// may have been lost, gets the newest again.
fn next_generation(session: &Session, presented: i64) -> i64 {
    match session.terms.exchange_overlap {
        Some(_) if presented >= session.generation => presented.saturating_add(1),
        _ => session.generation,
    }
}
