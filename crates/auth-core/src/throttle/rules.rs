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
    let of_address = if known { Duration::ZERO } else { wait(limits, address, limits.free_of_address, longest, now) };
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
    let costly = count.failures.saturating_sub(i64::from(free));
    let Some(failed_at) = count.failed_at.filter(|_| costly >= 0) else { return Duration::ZERO };
    let doublings = u32::try_from(costly).unwrap_or(u32::MAX);
    let span =
        1_u32.checked_shl(doublings).map_or(longest, |times| limits.first_wait.saturating_mul(times).min(longest));
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
        Some(age) => {
            (age > limits.abandoned_after).then_some(count.failed_at.map_or(opened_at, |at| at.max(opened_at)))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_millis(1_800_000_000_000);

    fn ago(millis: i64) -> Instant {
        Instant::from_millis(NOW.millis() - millis)
    }

    /// So many failures, the last of them so many milliseconds ago, and so many open charges.
    fn count(failures: i64, millis: i64, open: i64) -> Count {
        let failed_at = (failures > 0).then(|| ago(millis));
        Count { failures, failed_at, open, opened_at: (open > 0).then_some(NOW) }
    }

    fn held(millis: u64) -> Verdict {
        Verdict::Held(Duration::from_millis(millis))
    }

    type Row = (&'static str, bool, [(i64, i64, i64); 3], Verdict);

    #[test]
    fn an_attempt_is_judged_by_these_rules() {
        const NONE: (i64, i64, i64) = (0, 0, 0);
        const DAY: i64 = 86_400_000;
        let rows: &[Row] = &[
            ("nothing stands", false, [NONE, NONE, NONE], Verdict::Admit),
            ("four failures are free", false, [(4, 0, 0), NONE, NONE], Verdict::Admit),
            ("the fifth makes wait", false, [(5, 0, 0), NONE, NONE], held(1000)),
            ("by what is left", false, [(5, 400, 0), NONE, NONE], held(600)),
            ("until it is paid", false, [(5, 999, 0), NONE, NONE], held(1)),
            ("and is paid", false, [(5, 1000, 0), NONE, NONE], Verdict::Admit),
            ("twice as long", false, [(6, 0, 0), NONE, NONE], held(2000)),
            ("and again", false, [(12, 0, 0), NONE, NONE], held(128_000)),
            ("and again, to the end", false, [(13, 0, 0), NONE, NONE], held(256_000)),
            ("five minutes at most", false, [(14, 0, 0), NONE, NONE], held(300_000)),
            ("however many", false, [(5 + 31, 0, 0), NONE, NONE], held(300_000)),
            ("however many, past the bits", false, [(5 + 32, 0, 0), NONE, NONE], held(300_000)),
            ("however many, past all", false, [(i64::MAX, 0, 0), NONE, NONE], held(300_000)),
            ("half a minute where it is known", true, [(10, 0, 0), NONE, NONE], held(30_000)),
            ("shorter where it is less", true, [(9, 0, 0), NONE, NONE], held(16_000)),
            ("a wait of the future is as long as one of now", false, [(5, -30_000, 0), NONE, NONE], held(1000)),
            ("a wait of a far future is none", false, [(5, -60_001, 0), NONE, NONE], Verdict::Admit),
            ("four are open", false, [(0, 0, 4), NONE, NONE], Verdict::Admit),
            ("five are open", false, [(0, 0, 5), NONE, NONE], Verdict::Turn(Which::Pair)),
            ("five are open where it is known", true, [(0, 0, 5), NONE, NONE], Verdict::Turn(Which::Pair)),
            ("one is open and a failure stands", false, [(1, 0, 1), NONE, NONE], Verdict::Turn(Which::Pair)),
            ("one is open and an old failure stands", false, [(1, DAY, 1), NONE, NONE], Verdict::Turn(Which::Pair)),
            ("failures that stand go before open charges", false, [(5, 0, 1), NONE, NONE], held(1000)),
            ("49 of the address are free", false, [NONE, NONE, (49, 0, 0)], Verdict::Admit),
            ("the fiftieth makes wait", false, [NONE, NONE, (50, 0, 0)], held(1000)),
            ("the next twice as long", false, [NONE, NONE, (51, 0, 0)], held(2000)),
            ("five minutes at most, of an address too", false, [NONE, NONE, (500, 0, 0)], held(300_000)),
            ("the longer wait counts", false, [(6, 0, 0), NONE, (53, 0, 0)], held(8000)),
            ("either way round", false, [(8, 0, 0), NONE, (51, 0, 0)], held(8000)),
            ("not where it is known", true, [NONE, NONE, (500, 0, 0)], Verdict::Admit),
            ("fifty open of an address", false, [NONE, NONE, (0, 0, 50)], Verdict::Turn(Which::Address)),
            ("failed and open are fifty", false, [NONE, NONE, (20, DAY, 30)], Verdict::Turn(Which::Address)),
            ("failed and open are less", false, [NONE, NONE, (20, DAY, 29)], Verdict::Admit),
            ("one open after the wait", false, [NONE, NONE, (60, DAY, 1)], Verdict::Turn(Which::Address)),
            ("not where it is known", true, [NONE, NONE, (20, 0, 300)], Verdict::Admit),
            ("99 in a row", false, [NONE, (99, 0, 0), NONE], Verdict::Admit),
            ("a hundred in a row stop", false, [NONE, (100, 0, 0), NONE], Verdict::Stopped),
            ("for ever", false, [NONE, (100, 1000 * DAY, 0), NONE], Verdict::Stopped),
            ("before any wait", false, [(9, 0, 0), (100, 0, 0), (99, 0, 0)], Verdict::Stopped),
            ("not where it is known", true, [NONE, (100, 0, 0), NONE], Verdict::Admit),
            ("failed and open are a hundred", false, [NONE, (99, 0, 1), NONE], Verdict::Turn(Which::Principal)),
            ("failed and open are less", false, [NONE, (98, 0, 1), NONE], Verdict::Admit),
        ];
        for (name, known, counts, expected) in rows {
            let [pair, principal, address] = counts.map(|(failures, millis, open)| count(failures, millis, open));
            let counts = Counts { pair, principal, address };
            assert_eq!(judge(&ThrottleLimits::default(), &counts, *known, NOW), *expected, "{name}");
        }
    }

    #[test]
    fn a_charge_is_abandoned_after_half_a_minute() {
        let limits = ThrottleLimits::default();
        let open = |open, opened_at| Count { open, opened_at, ..Count::default() };
        let cases = [
            ("nothing open", open(0, Some(ago(99_000))), None),
            ("fresh", open(2, Some(NOW)), None),
            ("half a minute", open(2, Some(ago(30_000))), None),
            ("more", open(2, Some(ago(30_001))), Some(ago(30_001))),
            ("of another process, whose clock is ahead", open(2, Some(ago(-60_000))), None),
            ("of a clock that was wrong", open(2, Some(ago(-60_001))), Some(NOW)),
            (
                "a failure came after",
                Count { failed_at: Some(ago(5)), failures: 1, ..open(2, Some(ago(40_000))) },
                Some(ago(5)),
            ),
        ];
        for (name, count, expected) in cases {
            assert_eq!(abandoned(&limits, &count, NOW), expected, "{name}");
        }
    }

    #[test]
    fn jitter_adds_a_quarter_at_most() {
        let wait = Duration::from_secs(100);
        assert_eq!(jittered(wait, 0), wait);
        assert_eq!(jittered(wait, 128), Duration::from_millis(112_500));
        assert!((Duration::from_secs(124)..Duration::from_secs(125)).contains(&jittered(wait, 255)));
        assert_eq!(jittered(Duration::MAX, 255), Duration::MAX);
    }

    #[test]
    fn a_success_is_noted_once_a_day() {
        let limits = ThrottleLimits::default();
        for (noted, expected) in
            [(None, true), (Some(ago(0)), false), (Some(ago(86_399_999)), false), (Some(ago(86_400_000)), true)]
        {
            assert_eq!(is_to_note(&limits, noted, NOW), expected, "{noted:?}");
        }
    }
}
