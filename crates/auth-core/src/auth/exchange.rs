//! Exchanging: a live access token for another of the same session, for contracts without refresh tokens.
//!
//! The exchanged one stays good for the overlap of its terms ([`Terms::exchange_overlap`](crate::Terms::exchange_overlap)) after the
//! first use of one that followed it, or until its own expiry where they have none. Each exchange puts the session's end off, as
//! far as its terms allow.
//!
//! Which tokens followed which, their generations say. The first use of a generation is written to the store at once, and told to
//! every process as a change of the user: what they remember of first uses is read again after it, and asked from memory until then.

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::{Instant, PrincipalId, Scope, SessionId, StoreError, StoreExt};

use super::Auth;
use super::authenticate::Reach;
use crate::ports::{FirstUse, Rotation};
use crate::requests::GrantKind;
use crate::revocations::Version;
use crate::session::FIRST_GENERATION;
use crate::token::access::Claims;
use crate::{AuthRequest, Error, IssuedTokens, Session, TokenDenied};

/// How often an exchange that another one overtook is begun anew.
const MAX_ROTATION_ATTEMPTS: usize = 8;

/// What the unit of work came to.
enum ExchangeOutcome {
    Exchanged(Box<Session>),
    Denied(TokenDenied),
}

impl Auth {
    /// Exchanges an access token. One of a session that has a refresh token is refused: that is what its refresh is for.
    pub fn exchange(&self, presented: &AuthRequest<'_>) -> Result<IssuedTokens, Error> {
        let caller = self.authenticate(presented)?;
        let presented_in = *caller.session_context().ok_or(TokenDenied::Invalid)?;
        let id = presented_in.id;
        let (now, began) = (self.time().at, self.revocations.current_version());
        let came = self.store.write(|tx| {
            for _ in 0..MAX_ROTATION_ATTEMPTS {
                let Some(standing) = tx.sessions().find(id)? else {
                    return Ok(ExchangeOutcome::Denied(TokenDenied::SessionOver));
                };
                let session = &standing.session;
                if session.terms.refresh.is_some() {
                    return Ok(ExchangeOutcome::Denied(TokenDenied::WrongAudience));
                }
                // a store that went back may have forgotten what this process knows to be over
                if session.ended.is_some()
                    || session.epochs.is_below(&standing.epochs)
                    || self.revocations.is_over(session)
                {
                    return Ok(ExchangeOutcome::Denied(TokenDenied::SessionOver));
                }
                let put_off = session.terms.session_expiry(session.created_at, now, &standing.zone);
                let later = Rotation {
                    generation: next_generation(session, presented_in.generation),
                    key: session.key,
                    previous_key: session.previous_key,
                    at: now,
                    expires_at: put_off.max(session.expires_at),
                    from: presented.address,
                };
                if tx.sessions().rotate(session.id, session.generation, &later)? {
                    let (rotated_at, rotated_from) = (Some(now), later.from);
                    let (generation, expires_at) = (later.generation, later.expires_at);
                    let session = Session { generation, rotated_from, rotated_at, expires_at, ..session.clone() };
                    return Ok(ExchangeOutcome::Exchanged(Box::new(session)));
                }
            }
            Err(StoreError::Conflict(format!("session {id} kept moving")))
        })?;
        match came {
            ExchangeOutcome::Exchanged(session) => {
                let epochs = session.epochs;
                self.mint_tokens(
                    &self.keyring.current(),
                    *session,
                    &epochs,
                    caller.profile,
                    GrantKind::Exchanged,
                    began,
                )
            }
            ExchangeOutcome::Denied(refusal) => Err(refusal.into()),
        }
    }

    /// Whether a token that was exchanged is past its overlap: one that followed it was first used so long ago. To ask it of a token
    /// that was never used before notes its first use. `None` where the store must be asked and may not.
    pub(super) fn is_superseded(
        &self,
        claims: &Claims,
        touched: Version,
        now: Instant,
        reach: Reach,
    ) -> Result<Option<bool>, Error> {
        let Some(overlap) = claims.exchange_overlap() else { return Ok(Some(false)) };
        let mut known = self.first_use_cache.get(claims.sid, touched);
        if known.is_none() && reach == Reach::Store {
            known = Some(self.read_first_uses(claims.sid)?);
        }
        let Some(known) = known else { return Ok(None) };
        let follows = |first: &&FirstUse| first.generation > claims.generation;
        if known.iter().filter(follows).any(|first| now.duration_since(first.at) >= overlap) {
            return Ok(Some(true));
        }
        let noted = known.iter().any(|first| first.generation >= claims.generation);
        if claims.generation > FIRST_GENERATION && !noted {
            if reach == Reach::Memory {
                return Ok(None);
            }
            self.record_first_use(claims, now, overlap)?;
        }
        Ok(Some(false))
    }

    fn read_first_uses(&self, session: SessionId) -> Result<Arc<[FirstUse]>, Error> {
        let began = self.revocations.current_version();
        let uses: Arc<[FirstUse]> = self.store.read(|tx| tx.sessions().list_first_uses(session))?.into();
        self.first_use_cache.insert(session, &uses, began);
        Ok(uses)
    }

    fn record_first_use(&self, claims: &Claims, now: Instant, overlap: Duration) -> Result<(), Error> {
        let first = FirstUse { generation: claims.generation, at: now };
        let scope = match claims.principal() {
            PrincipalId::User(id) => Scope::User(id),
            PrincipalId::Device(id) => Scope::Device(id),
        };
        self.store.write(|tx| {
            // a session that is not there any more is over: its end is told otherwise
            if tx.sessions().find(claims.sid)?.is_some()
                && tx.sessions().record_first_use(claims.sid, first, now.saturating_sub(overlap))?
            {
                tx.revocations().invalidate(scope, now)?;
            }
            Ok(())
        })?;
        Ok(())
    }
}

/// The generation of what a token of this one is exchanged for. Where its terms end exchanged tokens, the newest is followed by
/// another; one that was exchanged before, whose answer may have been lost, gets the newest again.
fn next_generation(session: &Session, presented: i64) -> i64 {
    match session.terms.exchange_overlap {
        Some(_) if presented >= session.generation => presented.saturating_add(1),
        _ => session.generation,
    }
}
