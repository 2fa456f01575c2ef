//! The judge: decides what a presented refresh token gets. A pure function; the caller reads the
//! session before and writes the verdict after.
//!
//! A client that follows RFC 6749 stores each new refresh token before it uses the access token
//! that came with it. It therefore presents either the current generation or, while the current one
//! is unused, the previous one. Whatever else is presented is a copy.
//!
//! Two verdicts go beyond the obvious rules, because randomized histories (`tests/histories`)
//! logged out honest tills without them. [`Verdict::Renew`]: a client that presents the previous
//! refresh token some time after the rotation, while its successor is unused, has recovered from a
//! lost response. It gets the successor, and the grace period restarts; otherwise a late copy of
//! its first request would be two generations behind. A refresh token that is ahead of the store
//! brings the store up to its generation and no further, because a concurrent request with the
//! previous token may still be on its way. In return, clients must store a response within three
//! eighths of the grace period after they sent the request.

use std::time::Duration;

use tillgate_domain::{DeviceId, DeviceStatus, Instant, UserStatus};

use crate::error::TokenDenied;
use crate::ports::{SessionRecord, StoreClock};
use crate::session::FIRST_GENERATION;
use crate::{DialectName, Session, SessionKind};

/// The client that presents a refresh token, as far as the request describes it.
#[derive(Clone, Copy, Debug)]
pub struct Presenter<'a> {
    /// The dialect through which the request comes.
    pub dialect: &'a DialectName,
    /// The device that the client claims to be; `None` if the dialect has no such claim.
    pub device: Option<DeviceId>,
    /// The thumbprint of the key that the client proved to have (RFC 9449).
    pub thumbprint: Option<&'a [u8]>,
    /// Whether the client will present the same refresh token again, whatever the response is.
    pub keeps_token: bool,
}

/// What this process knows of the session besides the store.
#[derive(Clone, Copy, Debug, Default)]
pub struct Witness {
    /// The highest generation whose access token has authenticated a request of this process.
    pub used_generation: i64,
    /// How long ago this process rotated the session to its current generation, by the monotonic
    /// clock; `None` if it did not.
    pub since_rotation: Option<Duration>,
    /// The greatest age of a rotation for which this process can vouch, by the monotonic clock: the
    /// time since it started, or since it has been connected to its current database server.
    pub vouched_for: Duration,
    /// Whether the wall clock of this process is in doubt.
    pub in_doubt: bool,
}

/// The decision about a presented refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Denied; nothing is written.
    Deny(TokenDenied),
    /// The session is rotated; the client gets a new refresh token.
    Rotate {
        /// The new generation: the one after the presented one, or the presented one if the store
        /// has lost it.
        to: i64,
        /// Whether the presented generation is higher than the stored one: the store was rolled
        /// back.
        store_rolled_back: bool,
    },
    /// The current refresh token is returned again, with a new access token. Nothing is written.
    Repeat,
    /// As `Repeat`, for a refresh token that is not rotated. The session's expiry is extended as by
    /// a rotation.
    Reuse,
    /// As `Repeat`, for a client that seems not to have received the current token. Its grace
    /// period restarts, so that the session is not rotated while older requests of the client are
    /// still on their way.
    Renew,
    /// As `Repeat`, although the successor is in use and the grace period seems to be over, because
    /// this process cannot vouch for the time that has passed. An audit event records it.
    Forgive,
    /// The client did not prove the key to which the session is bound. Denied; nothing is written,
    /// so a copied refresh token cannot end the session either.
    Unproven,
    /// The presented token was copied: its successor is in use. The session ends.
    Replay,
}

/// How far the clocks of two processes over one store may differ without an audit event.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(1);

/// How long ago the session was rotated, as far as this process knows.
#[derive(Clone, Copy, Debug)]
struct RotationAge {
    /// At least this time has certainly passed.
    at_least: Duration,
    /// At most this time seems to have passed; `None` if that is unknown.
    at_most: Option<Duration>,
}

impl RotationAge {
    /// The age of the newest rotation; `None` if the session was never rotated.
    ///
    /// The age of a rotation is never overestimated. The process that committed the rotation has
    /// measured it with its monotonic clock. Any other process compares two timestamps of one clock
    /// (the database's on PostgreSQL, where each row also identifies the server that dated it), and
    /// vouches for no more than the time it has been connected to that server. Therefore, for one
    /// grace period after a start, nothing rotates twice and a used predecessor is forgiven
    /// ([`Verdict::Forgive`], audit event `refresh.shared`). An age that may only be *larger* than
    /// measured is used only to restart a grace period.
    fn of(record: &SessionRecord, witness: &Witness, now: Instant) -> Option<Self> {
        let at = record.session.rotated_at?;
        if let Some(measured) = witness.since_rotation {
            return Some(Self { at_least: measured, at_most: Some(measured) });
        }
        if witness.in_doubt {
            return Some(Self { at_least: Duration::ZERO, at_most: None });
        }
        match record.clock {
            // Another database server dated the rotation.
            Some(StoreClock { since_rotation: None, .. }) => {
                Some(Self { at_least: witness.vouched_for, at_most: None })
            }
            Some(StoreClock { since_rotation: Some(since), .. }) => {
                Some(Self { at_least: since.min(witness.vouched_for), at_most: Some(since) })
            }
            // The rotation is dated in the future of this clock: the clock was set back, or that of
            // another process is ahead. The age is unknown.
            None if at > now => Some(Self { at_least: Duration::ZERO, at_most: None }),
            None => {
                let since = now.duration_since(at);
                Some(Self { at_least: since.min(witness.vouched_for), at_most: Some(since) })
            }
        }
    }
}

/// Judges the presented generation; the first rule that applies decides.
///
/// | presented | successor | age of the rotation | verdict |
/// | --- | --- | --- | --- |
/// | any | | | `Deny`, if the session has ended or expired, or belongs to another dialect or device |
/// | any | | | `Unproven`, if the session is bound to a key that the client did not prove |
/// | any | | | `Reuse` or `Replay`, if the session is not rotated |
/// | higher than the current one | | | `Rotate` to it: the store was rolled back |
/// | current | | within the grace period | `Repeat` |
/// | current | | later, or never rotated | `Rotate` to the next (`Reuse` if the client keeps its first token) |
/// | previous | unused | under a quarter of the grace period | `Repeat` |
/// | previous | unused | later | `Renew` |
/// | previous | used | certainly over the grace period | `Replay` |
/// | previous | used | within the grace period | `Repeat` |
/// | previous | used | only seemingly over it | `Forgive` |
/// | older | | | `Replay` |
pub fn judge(
    record: &SessionRecord,
    presented: i64,
    presenter: &Presenter<'_>,
    witness: &Witness,
    now: Instant,
) -> Verdict {
    let session = &record.session;
    if let Some(denial) = find_denial(record, presenter, now) {
        return Verdict::Deny(denial);
    }
    if session.thumbprint.is_some() && session.thumbprint.as_deref() != presenter.thumbprint {
        return Verdict::Unproven;
    }
    let Some(overlap) = session.terms.refresh.as_ref().and_then(|refresh| refresh.overlap) else {
        return if presented == session.generation { Verdict::Reuse } else { Verdict::Replay };
    };
    if presented > session.generation {
        // No further: a concurrent request with the previous token may still be on its way.
        return Verdict::Rotate { to: presented, store_rolled_back: true };
    }
    let age = RotationAge::of(record, witness, now);
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
    // Concurrent requests of one client come at once and need no write; a later one is a retry.
    let late = most.is_none_or(|ago| ago >= overlap / 4);
    // The clocks of processes always differ a little, which needs no audit event.
    let skewed = record.clock.is_none()
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

fn find_denial(record: &SessionRecord, presenter: &Presenter<'_>, now: Instant) -> Option<TokenDenied> {
    let session = &record.session;
    if session.dialect != *presenter.dialect || session.terms.refresh.is_none() {
        return Some(TokenDenied::WrongAudience);
    }
    let elsewhere = presenter.device.is_some_and(|device| session.device != Some(device));
    let over = match session.kind {
        SessionKind::Person | SessionKind::Device => session.epochs.is_below(&record.epochs),
        SessionKind::Permanent => {
            record.user.is_some_and(|status| status != UserStatus::Active)
                || record.device.is_some_and(|status| status != DeviceStatus::Active)
        }
    };
    if session.ended.is_some() || over || elsewhere {
        return Some(TokenDenied::SessionOver);
    }
    session.expires_at.is_some_and(|expiry| expiry <= now).then_some(TokenDenied::Expired)
}

#[cfg(test)]
mod tests;
