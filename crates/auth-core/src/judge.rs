//! The judge: what becomes of a refresh token that comes in. Pure; the store is asked before and written after.

use std::time::Duration;

use tillgate_domain::{DeviceId, DeviceStatus, Instant, UserStatus};

use crate::error::TokenRefusal;
use crate::ports::Standing;
use crate::session::FIRST_GENERATION;
use crate::{Dialect, Session, SessionKind};

/// Who presents a refresh token, as far as the request says.
#[derive(Clone, Copy, Debug)]
pub struct Presenter<'a> {
    /// The contract that it comes through.
    pub dialect: &'a Dialect,
    /// The device that the client says it is; `None` where the contract does not say one.
    pub device: Option<DeviceId>,
    /// The thumbprint of the key that the client proved to hold.
    pub thumbprint: Option<&'a [u8]>,
    /// Whether the client will present the same refresh token again, whatever it is answered.
    pub keeps_token: bool,
}

/// What this process knows besides the store.
#[derive(Clone, Copy, Debug, Default)]
pub struct Witness {
    /// The highest generation whose access token is known to have authenticated a request.
    pub used: i64,
    /// How long ago, by the monotonic clock, this process rotated the session to its present generation.
    pub rotated: Option<Duration>,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No; nothing is written.
    Refuse(TokenRefusal),
    /// The session moves on to this generation.
    Rotate {
        /// The new generation: the one after the presented one, or the presented one where the store had forgotten it.
        to: i64,
        /// The presented one was ahead of the store: the store went back.
        went_back: bool,
    },
    /// The newest refresh token again, with a new access token; nothing is written.
    Repeat,
    /// The same, since this refresh token is not rotated; the session is extended as by a rotation.
    Reuse,
    /// The same, to somebody who seems never to have had it: its overlap begins anew, so that it does not move on while older
    /// requests of theirs are still on their way.
    Renew,
    /// It had been followed by a used one: the session ends.
    Replay,
}

/// Judges the presented generation; the first row that holds decides.
///
/// A client that stores an answer before it uses any of it presents either the newest generation or, while its newest has not
/// been used, the one before. Whatever else comes is somebody else's copy.
pub fn judge(
    standing: &Standing,
    presented: i64,
    presenter: &Presenter<'_>,
    witness: &Witness,
    now: Instant,
) -> Verdict {
    let session = &standing.session;
    if let Some(refusal) = refuse(standing, presenter, now) {
        return Verdict::Refuse(refusal);
    }
    if session.thumbprint.is_some() && session.thumbprint.as_deref() != presenter.thumbprint {
        return Verdict::Replay;
    }
    let Some(overlap) = session.terms.refresh.as_ref().and_then(|refresh| refresh.overlap) else {
        return if presented == session.generation { Verdict::Reuse } else { Verdict::Replay };
    };
    if presented > session.generation {
        // No further than there: a sibling's request that bears the one before may still be on its way.
        return Verdict::Rotate { to: presented, went_back: true };
    }
    let rotated = witness.rotated.or(session.rotated_at.map(|at| now.since(at)));
    let fresh = rotated.is_some_and(|ago| ago < overlap);
    if presented == session.generation {
        let reusable = presented == FIRST_GENERATION && first_reusable(session);
        return if reusable && presenter.keeps_token {
            Verdict::Reuse
        } else if fresh {
            Verdict::Repeat
        } else {
            Verdict::Rotate { to: presented.saturating_add(1), went_back: false }
        };
    }
    if presented.saturating_add(1) != session.generation {
        return Verdict::Replay;
    }
    let unused = witness.used.max(session.used) < session.generation;
    // A crowd of siblings comes at once and writes nothing; who comes later is a retry.
    let late = rotated.is_none_or(|ago| ago >= overlap / 4);
    match (unused, fresh) {
        (true, _) if late => Verdict::Renew,
        (true, _) | (false, true) => Verdict::Repeat,
        (false, false) => Verdict::Replay,
    }
}

fn first_reusable(session: &Session) -> bool {
    session.terms.refresh.as_ref().is_some_and(|refresh| refresh.first_reusable)
}

fn refuse(standing: &Standing, presenter: &Presenter<'_>, now: Instant) -> Option<TokenRefusal> {
    let session = &standing.session;
    if session.dialect != *presenter.dialect || session.terms.refresh.is_none() {
        return Some(TokenRefusal::Foreign);
    }
    let elsewhere = presenter.device.is_some_and(|device| session.device != Some(device));
    let over = match session.kind {
        SessionKind::Person | SessionKind::Device => session.epochs.below(&standing.epochs),
        SessionKind::Permanent => {
            standing.user.is_some_and(|status| status != UserStatus::Active)
                || standing.device.is_some_and(|status| status != DeviceStatus::Active)
        }
    };
    if session.ended.is_some() || over || elsewhere {
        return Some(TokenRefusal::Over);
    }
    session.expires_at.is_some_and(|expiry| expiry <= now).then_some(TokenRefusal::Expired)
}

#[cfg(test)]
mod tests;
