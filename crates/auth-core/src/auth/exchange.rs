//! Token exchange: a valid access token for another one of the same session, for dialects without
//! refresh tokens.
//!
//! The exchanged token stays valid for the grace period
//! ([`Terms::exchange_overlap`](crate::Terms::exchange_overlap)) after the first use of a
//! successor, or until its own expiry if the terms have none. Each exchange extends the session,
//! within its terms.
//!
//! The generations of the tokens define their order. The first use of a generation is written to
//! the store immediately and reported to all processes as a change of the user. It makes their
//! cached first uses outdated; until then, they authenticate from memory.

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::{Instant, PrincipalId, Scope, SessionId, StoreError, StoreExt, StoreResult};

use super::Auth;
use super::reach::Reach;
use crate::ports::{AuthTx, FirstUse, Rotation};
use crate::requests::GrantKind;
use crate::revocations::Version;
use crate::session::FIRST_GENERATION;
use crate::token::access_token::Claims;
use crate::{AuthRequest, Error, IssuedTokens, Session, TokenDenied};

/// How often an exchange starts again because another one has overtaken it.
const MAX_ROTATION_ATTEMPTS: usize = 8;

/// The outcome of the unit of work.
enum ExchangeOutcome {
    Exchanged(Box<Session>),
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
                    if let Some(overlap) = session.terms.exchange_overlap {
                        let first = FirstUse { generation: presented_in.generation, at: now };
                        record_first_use(tx, id, caller.principal, first, overlap)?;
                    }
                    let (rotated_at, rotated_from) = (Some(now), later.from);
                    let (generation, expires_at) = (later.generation, later.expires_at);
                    let session = Session { generation, rotated_from, rotated_at, expires_at, ..session.clone() };
                    return Ok(ExchangeOutcome::Exchanged(Box::new(session)));
                }
            }
            Err(StoreError::Conflict(format!(
                "session \"{id}\" was changed by others {MAX_ROTATION_ATTEMPTS} times in a row"
            )))
        })?;
        match outcome {
            ExchangeOutcome::Exchanged(session) => {
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
        claims: &Claims,
        touched: Version,
        now: Instant,
        reach: Reach,
    ) -> Result<Option<bool>, Error> {
        let Some(overlap) = claims.exchange_overlap() else { return Ok(Some(false)) };
        let mut known = self.first_use_cache.get(claims.sid, touched);
        if known.is_none() && reach != Reach::Memory {
            known = Some(self.read_first_uses(claims.sid)?);
        }
        let Some(known) = known else { return Ok(None) };
        let follows = |first: &&FirstUse| first.generation > claims.generation;
        if known.iter().filter(follows).any(|first| now.duration_since(first.at) >= overlap) {
            return Ok(Some(true));
        }
        let is_recorded =
            claims.generation == FIRST_GENERATION || known.iter().any(|first| first.generation >= claims.generation);
        match reach {
            Reach::Memory if !is_recorded => return Ok(None),
            Reach::Store if !is_recorded => {
                let first = FirstUse { generation: claims.generation, at: now };
                self.store.write("record_first_use", |tx| {
                    // A session that no longer exists has ended; that is reported by other means.
                    if tx.sessions().find(claims.sid)?.is_some() {
                        record_first_use(tx, claims.sid, claims.principal(), first, overlap)?;
                    }
                    Ok(())
                })?;
            }
            _ => {}
        }
        Ok(Some(false))
    }

    fn read_first_uses(&self, session: SessionId) -> Result<Arc<[FirstUse]>, Error> {
        let read_version = self.revocations.current_version();
        let uses: Arc<[FirstUse]> =
            self.store.read("read_first_uses", |tx| tx.sessions().list_first_uses(session))?.into();
        self.first_use_cache.insert(session, &uses, read_version);
        Ok(uses)
    }
}

/// Records the first use of a generation after the first, if there is none yet, and reports it to
/// all processes.
fn record_first_use(
    tx: &mut dyn AuthTx,
    session: SessionId,
    principal: PrincipalId,
    first: FirstUse,
    overlap: Duration,
) -> StoreResult<()> {
    let scope = match principal {
        PrincipalId::User(id) => Scope::User(id),
        PrincipalId::Device(id) => Scope::Device(id),
    };
    let settled = first.at.saturating_sub(overlap);
    if first.generation > FIRST_GENERATION && tx.sessions().record_first_use(session, first, settled)? {
        tx.revocations().invalidate(scope, first.at)?;
    }
    Ok(())
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
