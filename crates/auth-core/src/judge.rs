//! The judge: what becomes of a refresh token that comes in. Pure; the store is asked before and written after.

use std::time::Duration;

use tillgate_domain::{DeviceId, DeviceStatus, Instant, UserStatus};

use crate::error::TokenDenied;
use crate::ports::{SessionRecord, StoreClock};
use crate::session::FIRST_GENERATION;
use crate::{DialectName, Session, SessionKind};

/// Who presents a refresh token, as far as the request says.
#[derive(Clone, Copy, Debug)]
pub struct Presenter<'a> {
    /// The contract that it comes through.
    pub dialect: &'a DialectName,
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
    pub used_generation: i64,
    /// How long ago, by the monotonic clock, this process rotated the session to its present generation.
    pub since_rotation: Option<Duration>,
    /// The longest age of the rotation that this process can vouch for, by the monotonic clock: since it started, or since the
    /// database server that it asks did.
    pub vouched_for: Duration,
    /// Whether the wall clock of this process is in doubt.
    pub in_doubt: bool,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No; nothing is written.
    Deny(TokenDenied),
    /// The session moves on to this generation.
    Rotate {
        /// The new generation: the one after the presented one, or the presented one where the store had forgotten it.
        to: i64,
        /// The presented one was ahead of the store: the store went back.
        store_rolled_back: bool,
    },
    /// The newest refresh token again, with a new access token; nothing is written.
    Repeat,
    /// The same, since this refresh token is not rotated; the session is extended as by a rotation.
    Reuse,
    /// The same, to somebody who seems never to have had it: its overlap begins anew, so that it does not move on while older
    /// requests of theirs are still on their way.
    Renew,
    /// The same though its successor has been used and the overlap seems to have passed: this process cannot vouch that it has.
    /// The audit is told.
    Forgive,
    /// It had been followed by a used one: the session ends.
    Replay,
}

/// How far the clocks of two processes over one store may differ without a word of it in the audit.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(1);

/// How long ago a session was rotated, as far as this process knows.
#[derive(Clone, Copy, Debug)]
struct RotationAge {
    /// It is certain that this long has passed.
    at_least: Duration,
    /// No longer than this seems to have passed; `None` if nothing can be said.
    at_most: Option<Duration>,
}

impl RotationAge {
    /// The age of the newest rotation; `None` if the session was never rotated.
    ///
    /// A process that committed the rotation has measured it. Any other compares two instants, and a clock may have been set
    /// between them; it vouches for no more than the time that it has been up. So the age is never too large, and a replay,
    /// which ends a session for good, is never found because of a clock.
    fn of(standing: &SessionRecord, witness: &Witness, now: Instant) -> Option<Self> {
        let at = standing.session.rotated_at?;
        if let Some(measured) = witness.since_rotation {
            return Some(Self { at_least: measured, at_most: Some(measured) });
        }
        if witness.in_doubt {
            return Some(Self { at_least: Duration::ZERO, at_most: None });
        }
        match standing.clock {
            // Another server dated it, before this one was asked.
            Some(StoreClock { since_rotation: None, .. }) => {
                Some(Self { at_least: witness.vouched_for, at_most: None })
            }
            Some(StoreClock { since_rotation: Some(since), .. }) => {
                Some(Self { at_least: since.min(witness.vouched_for), at_most: Some(since) })
            }
            // Dated ahead of this clock, which was set back since or differs from that of another process: nobody can say how long
            // ago that was.
            None if at > now => Some(Self { at_least: Duration::ZERO, at_most: None }),
            None => {
                let since = now.duration_since(at);
                Some(Self { at_least: since.min(witness.vouched_for), at_most: Some(since) })
            }
        }
    }
}

/// Judges the presented generation; the first row that holds decides.
///
/// A client that stores an answer before it uses any of it presents either the newest generation or, while its newest has not
/// been used, the one before. Whatever else comes is somebody else's copy.
pub fn judge(
    standing: &SessionRecord,
    presented: i64,
    presenter: &Presenter<'_>,
    witness: &Witness,
    now: Instant,
) -> Verdict {
    let session = &standing.session;
    if let Some(refusal) = find_denial(standing, presenter, now) {
        return Verdict::Deny(refusal);
    }
    if session.thumbprint.is_some() && session.thumbprint.as_deref() != presenter.thumbprint {
        return Verdict::Replay;
    }
    let Some(overlap) = session.terms.refresh.as_ref().and_then(|refresh| refresh.overlap) else {
        return if presented == session.generation { Verdict::Reuse } else { Verdict::Replay };
    };
    if presented > session.generation {
        // No further than there: a sibling's request that bears the one before may still be on its way.
        return Verdict::Rotate { to: presented, store_rolled_back: true };
    }
    let age = RotationAge::of(standing, witness, now);
    let fresh = age.is_some_and(|age| age.at_least < overlap);
    if presented == session.generation {
        let reusable = presented == FIRST_GENERATION && is_first_reusable(session);
        return if reusable && presenter.keeps_token {
            Verdict::Reuse
        } else if fresh {
            Verdict::Repeat
        } else {
            Verdict::Rotate { to: presented.saturating_add(1), store_rolled_back: false }
        };
    }
    if presented.saturating_add(1) != session.generation {
        return Verdict::Replay;
    }
    let unused = witness.used_generation.max(session.used_generation) < session.generation;
    let most = age.and_then(|age| age.at_most);
    // A crowd of siblings comes at once and writes nothing; who comes later is a retry.
    let late = most.is_none_or(|ago| ago >= overlap / 4);
    // Clocks of processes differ by a little all the time, which is nothing to be told.
    let skewed = standing.clock.is_none()
        && witness.since_rotation.is_none()
        && !witness.in_doubt
        && session.rotated_at.is_some_and(|at| at > now && at.duration_since(now) < MAX_CLOCK_SKEW);
    match (unused, fresh) {
        (true, _) if late => Verdict::Renew,
        (false, true) if !skewed && most.is_none_or(|ago| ago >= overlap) => Verdict::Forgive,
        (true, _) | (false, true) => Verdict::Repeat,
        (false, false) => Verdict::Replay,
    }
}

fn is_first_reusable(session: &Session) -> bool {
    session.terms.refresh.as_ref().is_some_and(|refresh| refresh.first_reusable)
}

fn find_denial(standing: &SessionRecord, presenter: &Presenter<'_>, now: Instant) -> Option<TokenDenied> {
    let session = &standing.session;
    if session.dialect != *presenter.dialect || session.terms.refresh.is_none() {
        return Some(TokenDenied::WrongAudience);
    }
    let elsewhere = presenter.device.is_some_and(|device| session.device != Some(device));
    let over = match session.kind {
        SessionKind::Person | SessionKind::Device => session.epochs.is_below(&standing.epochs),
        SessionKind::Permanent => {
            standing.user.is_some_and(|status| status != UserStatus::Active)
                || standing.device.is_some_and(|status| status != DeviceStatus::Active)
        }
    };
    if session.ended.is_some() || over || elsewhere {
        return Some(TokenDenied::SessionOver);
    }
    session.expires_at.is_some_and(|expiry| expiry <= now).then_some(TokenDenied::Expired)
}

#[cfg(test)]
mod tests;
