//! The rules of the throttle, over counts that somebody else has read. Pure: neither a store nor a clock is asked.

use std::time::Duration;

use tillgate_domain::Instant;

use super::ThrottleLimits;
use super::keys::Which;
use crate::ports::Count;

/// What stands on the counts of an attempt.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) pair: Count,
    pub(super) principal: Count,
    pub(super) address: Count,
}

/// What the rules say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Admit,
    Turn(Which),
    Held(Duration),
    Stopped,
}

/// Clocks of two processes differ by less. An instant that lies further ahead was written by a clock that was wrong.
const SKEW: Duration = Duration::from_mins(1);

/// Judges an attempt. Failures that stand go before charges that are open: whoever is held back learns it at once.
pub(super) fn judge(limits: &ThrottleLimits, counts: &Counts, known: bool, now: Instant) -> Verdict {
    let Counts { pair, principal, address } = counts;
    if !known && principal.failures >= i64::from(limits.stop) {
        return Verdict::Stopped;
    }
    let longest = if known { limits.longest_known_wait } else { limits.longest_wait };
    let at_place = wait(limits, pair, limits.free_at_place, longest, now);
    let of_address =
        if known { Duration::ZERO } else { wait(limits, address, limits.free_of_address, longest, now) };
    let held = at_place.max(of_address);
    if !held.is_zero() {
        return Verdict::Held(held);
    }
    // One that fails makes the next wait, so where failures stand they come one by one.
    if pair.open >= i64::from(limits.free_at_place) || (pair.open > 0 && pair.failures > 0) {
        return Verdict::Turn(Which::Pair);
    }
    if !known && might_fill(principal, limits.stop) {
        return Verdict::Turn(Which::Principal);
    }
    if !known && might_fill(address, limits.free_of_address) {
        return Verdict::Turn(Which::Address);
    }
    Verdict::Admit
}

/// Whether the bound is reached if every open charge fails.
fn might_fill(count: &Count, bound: u32) -> bool {
    count.open > 0 && count.failures.saturating_add(count.open) >= i64::from(bound)
}

/// How long the failures of a count hold back from now on.
fn wait(limits: &ThrottleLimits, count: &Count, free: u32, longest: Duration, now: Instant) -> Duration {
    let (Some(failed_at), Ok(paid)) = (count.failed_at, u32::try_from(count.failures - i64::from(free))) else {
        return Duration::ZERO;
    };
    let span = 1_u32.checked_shl(paid).map_or(longest, |times| limits.first_wait.saturating_mul(times).min(longest));
    age(failed_at, now).map_or(Duration::ZERO, |age| span.saturating_sub(age))
}

/// How long ago something was; `None` where it is said to lie in a future that no clock of ours is in.
fn age(then: Instant, now: Instant) -> Option<Duration> {
    (then.since(now) <= SKEW).then(|| now.since(then))
}

/// When the newest of the open charges was opened, where they are so old that nobody will settle them.
pub(super) fn abandoned(limits: &ThrottleLimits, count: &Count, now: Instant) -> Option<Instant> {
    let opened_at = count.opened_at.filter(|_| count.open > 0)?;
    match age(opened_at, now) {
        Some(age) => (age > limits.abandoned_after).then_some(count.failed_at.map_or(opened_at, |at| at.max(opened_at))),
        None => Some(now),
    }
}

/// Whether a success is to be noted where one is noted already.
pub(super) fn is_to_note(limits: &ThrottleLimits, noted: Option<Instant>, now: Instant) -> bool {
    noted.is_none_or(|noted| now.since(noted) >= limits.note_every)
}

/// A wait with up to a quarter more.
pub(super) fn jittered(wait: Duration, jitter: u8) -> Duration {
    wait.saturating_add(wait.saturating_mul(u32::from(jitter)) / 1024)
}
