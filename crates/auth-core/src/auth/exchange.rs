//! Token exchange: a valid access token for another one of the same session, for dialects without
//! refresh tokens.
//!
//! The exchanged token stays valid for the grace period
//! ([`Terms::exchange_overlap`](crate::Terms::exchange_overlap)) after the first use of a
//! successor, or until its own expiry if the terms have none. Each exchange extends the session,
//! within its terms.
//!
//! The generations of the tokens define their order. The first use of a generation is written to
//! the store before the request is answered. It ends other tokens a grace period later, so other
//! processes need no notification: each reads the first uses of a session again twice in a grace
//! period, and authenticates from memory in between.

use std::time::Duration;

use tillgate_domain::{Instant, SessionId, StoreError, StoreExt, StoreResult};

use super::Auth;
use super::maintenance::FEED_POLL_INTERVAL;
use super::reach::Reach;
use crate::cache::{FirstUses, VerifiedToken};
use crate::ports::{AuthTx, FirstUse, Rotation, SessionUse};
use crate::requests::GrantKind;
use crate::{AuthDenied, AuthRequest, Error, IssuedTokens, Session, Terms, TokenDenied};

const SESSION_OVER: AuthDenied = AuthDenied::Token(TokenDenied::SessionOver);

/// How often an exchange starts again because another one has overtaken it.
const MAX_ROTATION_ATTEMPTS: usize = 8;

/// The number of generations of a session that may have their first use within a grace period, in
/// which each of these first uses is kept.
///
/// Then the newest token is not exchanged until the oldest of these first uses is a grace period
/// old. That logs no till out: the newest token was issued after that first use and lives longer
/// than the grace period ([`effective_overlap`]), so it is still valid at the retry. If the
/// oldest first use took effect early instead, the token of another thread would end; if it was
/// removed, a superseded token would stay valid. An older token is always exchanged, because that
/// adds no generation.
const MAX_FIRST_USES: usize = 256;

impl Auth {
    /// Exchanges an access token.
    ///
    /// # Errors
    ///
    /// As [`authenticate`](Self::authenticate), and [`TokenDenied::WrongAudience`] if the session
    /// has a refresh token, which it must use instead. [`AuthDenied::TooManyExchanges`] if 256
    /// tokens of the session were exchanged within a grace period; its tokens stay valid.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn exchange(&self, presented: &AuthRequest<'_>) -> Result<IssuedTokens, Error> {
        let caller = self.authenticate_with_store(presented, Reach::Exchange)?;
        let presented_in = *caller.session_context().ok_or(TokenDenied::Invalid)?;
        let id = presented_in.id;
        let (now, read_version) = (self.time().at, self.revocations.current_version());
        let first = FirstUse { generation: presented_in.generation, at: now };
        let decided = self.store.write("exchange_token", |tx| {
            for _ in 0..MAX_ROTATION_ATTEMPTS {
                let Some(record) = tx.sessions().find(id)? else { return Ok(Err(SESSION_OVER)) };
                let session = &record.session;
                if session.terms.refresh.is_some() {
                    return Ok(Err(AuthDenied::Token(TokenDenied::WrongAudience)));
                }
                // A store that was rolled back may have lost a revocation that this process still
                // knows.
                if session.ended.is_some()
                    || session.epochs.is_below(&record.epochs)
                    || self.revocations.is_over(session)
                {
                    return Ok(Err(SESSION_OVER));
                }
                let generation = next_generation(session, first.generation);
                let known = match effective_overlap(&session.terms) {
                    Some(overlap) => Some((self.load_first_uses(tx, id, first.generation, overlap)?, overlap)),
                    None => None,
                };
                if let Some((known, overlap)) = &known {
                    if known.supersede(first.generation, now, *overlap) {
                        return Ok(Err(AuthDenied::Token(TokenDenied::Expired)));
                    }
                    if generation > session.generation
                        && let Some(retry_after) = known.wait_for_fewer(MAX_FIRST_USES, first.generation, now, *overlap)
                    {
                        return Ok(Err(AuthDenied::TooManyExchanges { retry_after }));
                    }
                }
                let extended = session.terms.session_expiry(session.created_at, now, &record.zone);
                let later = Rotation {
                    generation,
                    key: session.key,
                    previous_key: session.previous_key,
                    at: now,
                    expires_at: extended.max(session.expires_at),
                    from: presented.address,
                    proved_at: None,
                };
                if tx.sessions().rotate(session.id, session.generation, &later)? {
                    let first_uses = match &known {
                        Some((known, overlap)) => Some(record_first_use(tx, id, known, first, *overlap)?),
                        None => None,
                    };
                    let (rotated_at, rotated_from, expires_at) = (Some(now), later.from, later.expires_at);
                    let session = Session { generation, rotated_from, rotated_at, expires_at, ..session.clone() };
                    return Ok(Ok((session, first_uses)));
                }
            }
            Err(StoreError::Conflict(format!(
                "session \"{id}\" was changed by others {MAX_ROTATION_ATTEMPTS} times in a row"
            )))
        })?;
        let (session, first_uses) = decided?;
        if let Some(first_uses) = first_uses {
            self.first_use_cache.insert(id, first_uses);
        }
        self.activity.record_use(SessionUse { session: id, generation: first.generation, at: now });
        let epochs = session.epochs;
        let keys = self.keyring.current();
        self.mint_tokens(&keys, session, &epochs, caller.profile, GrantKind::Exchanged, read_version)
    }

    /// Whether an exchanged token is past its grace period, which starts with the first use of a
    /// successor. Records the first use of the given token if there is none yet. `None` if that
    /// requires the store and `reach` does not allow it. Within an exchange, which decides it in
    /// its own unit of work, only what is cached counts.
    pub(super) fn is_superseded(
        &self,
        verified: &VerifiedToken,
        now: Instant,
        reach: Reach,
    ) -> Result<Option<bool>, Error> {
        let &VerifiedToken { session, generation, .. } = verified;
        let Some(overlap) = verified.exchange_overlap else { return Ok(Some(false)) };
        let known = match (self.cached_first_uses(session, generation, overlap), reach) {
            (Some(known), _) => known,
            (None, Reach::Memory) => return Ok(None),
            (None, Reach::Exchange) => return Ok(Some(false)),
            (None, Reach::Store) => {
                self.store.read("read_first_uses", |tx| self.load_first_uses(tx, session, generation, overlap))?
            }
        };
        if known.supersede(generation, now, overlap) {
            return Ok(Some(true));
        }
        if reach == Reach::Exchange || known.reach(generation) {
            return Ok(Some(false));
        }
        if reach == Reach::Memory {
            return Ok(None);
        }
        let first = FirstUse { generation, at: now };
        let recorded =
            self.store.write("record_first_use", |tx| record_first_use(tx, session, &known, first, overlap))?;
        self.first_use_cache.insert(session, recorded);
        Ok(Some(false))
    }

    /// The cached first uses of a session, if they can decide whether a token of this generation is
    /// past its grace period.
    ///
    /// They can for half a grace period: a later first use, even if its unit of work takes long,
    /// ends no token before they are read again. While the store cannot be read, they can for a
    /// whole grace period. They cannot if they lack the first use of the generation before this
    /// one, which is recorded before this one is issued.
    fn cached_first_uses(&self, session: SessionId, generation: i64, overlap: Duration) -> Option<FirstUses> {
        let known = self.first_use_cache.get(session)?;
        let age = known.age(self.clock.monotonic());
        // If there is hardly a grace period, they are as current as revocations.
        let is_current = age < (overlap / 2).max(FEED_POLL_INTERVAL) || (age < overlap && self.is_store_away());
        (is_current && known.reach_before(generation)).then_some(known)
    }

    /// The first uses of a session, from the cache if it can decide, otherwise from the store.
    fn load_first_uses(
        &self,
        tx: &mut dyn AuthTx,
        session: SessionId,
        generation: i64,
        overlap: Duration,
    ) -> StoreResult<FirstUses> {
        if let Some(known) = self.cached_first_uses(session, generation, overlap) {
            return Ok(known);
        }
        let read_at = self.clock.monotonic();
        let read = FirstUses::new(tx.sessions().list_first_uses(session)?, read_at);
        self.first_use_cache.insert(session, read.clone());
        Ok(read)
    }
}

/// Records the first use of a generation, unless it is among the known ones, and removes those that
/// decide nothing. Returns all that are known then.
fn record_first_use(
    tx: &mut dyn AuthTx,
    session: SessionId,
    known: &FirstUses,
    first: FirstUse,
    overlap: Duration,
) -> StoreResult<FirstUses> {
    if known.reach(first.generation) {
        return Ok(known.clone());
    }
    tx.sessions().record_first_use(session, first)?;
    let oldest = known.obsolete_before(first.at.saturating_sub(overlap));
    if let Some(oldest) = oldest {
        tx.sessions().remove_first_uses(session, oldest)?;
    }
    Ok(known.with(first, oldest))
}

/// The grace period of exchanged tokens, if the terms have one, but shorter than those tokens live
/// by a second, to which their expiry is rounded.
fn effective_overlap(terms: &Terms) -> Option<Duration> {
    terms.exchange_overlap.map(|overlap| overlap.min(terms.access.saturating_sub(Duration::from_secs(1))))
}

/// The generation of the token that a token of generation `presented` is exchanged for. If the
/// terms limit exchanged tokens, the newest is followed by another one; an older one, whose
/// response may have been lost, gets the newest again.
fn next_generation(session: &Session, presented: i64) -> i64 {
    match session.terms.exchange_overlap {
        Some(_) if presented >= session.generation => presented.saturating_add(1),
        _ => session.generation,
    }
}
