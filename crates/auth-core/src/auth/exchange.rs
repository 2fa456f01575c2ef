//! Exchanging: a live access token for another of the same session, for contracts without refresh tokens.
//!
//! The exchanged one stays good until its own expiry. Each exchange puts the session's end off, as far as its terms allow.

use tillgate_domain::{StoreError, StoreExt};

use super::Auth;
use crate::ports::Rotation;
use crate::requests::How;
use crate::{Error, Granted, Presented, Session, TokenRefusal};

/// How often an exchange that another one overtook is begun anew.
const AGAIN: usize = 8;

/// What the unit of work came to.
enum Came {
    In(Box<Session>),
    Refused(TokenRefusal),
}

impl Auth {
    /// Exchanges an access token. One of a session that has a refresh token is refused: that is what its refresh is for.
    pub fn exchange(&self, presented: &Presented<'_>) -> Result<Granted, Error> {
        let caller = self.authenticate(presented)?;
        let id = caller.session().ok_or(TokenRefusal::Invalid)?;
        let now = self.time().at;
        let came = self.store.write(|tx| {
            for _ in 0..AGAIN {
                let Some(standing) = tx.sessions().find(id)? else {
                    return Ok(Came::Refused(TokenRefusal::Over));
                };
                let session = &standing.session;
                if session.terms.refresh.is_some() {
                    return Ok(Came::Refused(TokenRefusal::Foreign));
                }
                // a store that went back may have forgotten what this process knows to be over
                if session.ended.is_some() || session.epochs.below(&standing.epochs) || self.changes.over(session) {
                    return Ok(Came::Refused(TokenRefusal::Over));
                }
                let put_off = session.terms.session_expiry(session.created_at, now, &standing.zone);
                let later = Rotation {
                    generation: session.generation,
                    key: session.key,
                    previous_key: session.previous_key,
                    at: now,
                    expires_at: put_off.max(session.expires_at),
                    from: presented.address,
                };
                if tx.sessions().rotate(session.id, session.generation, &later)? {
                    let (rotated_at, rotated_from) = (Some(now), later.from);
                    let session = Session { expires_at: later.expires_at, rotated_at, rotated_from, ..session.clone() };
                    return Ok(Came::In(Box::new(session)));
                }
            }
            Err(StoreError::Conflict(format!("session {id} kept moving")))
        })?;
        match came {
            Came::In(session) => {
                let epochs = session.epochs;
                self.mint(&self.keyring.held(), *session, &epochs, caller.profile, How::Exchanged)
            }
            Came::Refused(refusal) => Err(refusal.into()),
        }
    }
}
