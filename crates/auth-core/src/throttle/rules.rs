//! The rules of the throttle, over buckets that somebody else has read. Pure: neither a store nor a clock is asked.

use std::time::Duration;

use tillgate_domain::Instant;

use super::ThrottleLimits;
use crate::ports::Bucket;

/// How many tokens a bucket holds, and how long each takes to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many it holds: at least one.
    pub burst: u32,
    /// How long each takes to come back.
    pub every: Duration,
}

impl Rate {
    /// How long an empty bucket takes to be full.
    pub(super) fn whole(self) -> Duration {
        self.every.saturating_mul(self.burst.max(1))
    }
}

/// What the rules say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Admit,
    /// Tokens of the bucket of this index are out that may come back.
    Turn(usize),
    Held(Duration),
}

/// What a proof is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Counts,
    /// It counts for nothing if those who are being looked at fail.
    MayBeSpent,
    Spent,
}

/// Clocks of two processes differ by less. An instant that lies further ahead was written by a clock that was wrong.
const SKEW: Duration = Duration::from_mins(1);

/// Judges an attempt by the buckets that it would take a token from. Wrong passwords go before attempts that are open: whoever is
/// held back learns it at once.
pub(super) fn judge(limits: &ThrottleLimits, stands: &[(Rate, Bucket)], now: Instant) -> Verdict {
    // as if every open attempt gave its token back
    let settled = |(rate, bucket): &(Rate, Bucket)| {
        let open = u32::try_from(open(limits, bucket, now)).unwrap_or(u32::MAX);
        wait(*rate, full_at(*rate, bucket, now).before(rate.every.saturating_mul(open)), now)
    };
    let held = stands.iter().map(settled).max().unwrap_or_default();
    if !held.is_zero() {
        return Verdict::Held(held);
    }
    let empty = |(rate, bucket): &(Rate, Bucket)| !wait(*rate, full_at(*rate, bucket, now), now).is_zero();
    stands.iter().position(empty).map_or(Verdict::Admit, Verdict::Turn)
}

/// Judges a proof by which so many wrong passwords have been tried of late.
pub(super) fn judge_proof(limits: &ThrottleLimits, bucket: &Bucket, spent: u32, now: Instant) -> Proof {
    let barred = bucket.barred_until.is_some_and(|until| until > now && until.since(now) <= super::REMEMBERED + SKEW);
    if barred || spent >= limits.proof_bound {
        return Proof::Spent;
    }
    let open = u32::try_from(open(limits, bucket, now)).unwrap_or(u32::MAX);
    if spent.saturating_add(open) >= limits.proof_bound { Proof::MayBeSpent } else { Proof::Counts }
}

/// The bucket after an attempt has taken a token.
pub(super) fn taken(limits: &ThrottleLimits, rate: Rate, bucket: &Bucket, now: Instant) -> Bucket {
    Bucket {
        full_at: full_at(rate, bucket, now).max(now).after(rate.every),
        open: open(limits, bucket, now).saturating_add(1),
        opened_at: Some(now),
        barred_until: bucket.barred_until,
    }
}

/// When the bucket is full: never later than an empty one would be, and now where a clock that was wrong says later than any other
/// could.
fn full_at(rate: Rate, bucket: &Bucket, now: Instant) -> Instant {
    let latest = now.after(rate.whole());
    if bucket.full_at > latest.after(SKEW) { now } else { bucket.full_at.min(latest) }
}

/// How long until there is a token.
fn wait(rate: Rate, full_at: Instant, now: Instant) -> Duration {
    full_at.since(now.after(rate.whole().saturating_sub(rate.every)))
}

/// How many attempts are open whose processes may still settle them. The others have spent their tokens.
fn open(limits: &ThrottleLimits, bucket: &Bucket, now: Instant) -> i64 {
    let alive = bucket
        .opened_at
        .is_some_and(|opened_at| now.since(opened_at) <= limits.abandoned_after && opened_at.since(now) <= SKEW);
    if alive { bucket.open.max(0) } else { 0 }
}

/// Whether a success is to be noted where one is noted already.
pub(super) fn is_to_note(limits: &ThrottleLimits, noted: Option<Instant>, now: Instant) -> bool {
    noted.is_none_or(|noted| now.since(noted) >= limits.note_every)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_millis(1_800_000_000_000);
    const RATE: Rate = Rate { burst: 3, every: Duration::from_secs(10) };

    fn ahead(millis: i64) -> Instant {
        Instant::from_millis(NOW.millis() + millis)
    }

    /// A bucket that is full so many milliseconds from now, with so many open attempts, the last so many milliseconds old.
    fn bucket(full: i64, open: i64, opened: i64) -> (Rate, Bucket) {
        let opened_at = (open > 0).then(|| ahead(-opened));
        (RATE, Bucket { full_at: ahead(full), open, opened_at, barred_until: None })
    }

    fn held(millis: u64) -> Verdict {
        Verdict::Held(Duration::from_millis(millis))
    }

    type Row<'r> = (&'r str, &'r [(Rate, Bucket)], Verdict);

    #[test]
    fn an_attempt_is_judged_by_these_rules() {
        let full = bucket(-1_000_000, 0, 0);
        let rows: &[Row<'_>] = &[
            ("nothing stands", &[(RATE, Bucket::default())], Verdict::Admit),
            ("full", &[full], Verdict::Admit),
            ("one is out", &[bucket(10_000, 0, 0)], Verdict::Admit),
            ("two are out", &[bucket(20_000, 0, 0)], Verdict::Admit),
            ("all are out", &[bucket(30_000, 0, 0)], held(10_000)),
            ("the next comes back", &[bucket(20_001, 0, 0)], held(1)),
            ("all are out by a clock that is ahead", &[bucket(90_000, 0, 0)], held(10_000)),
            ("by one that was wrong", &[bucket(90_001, 0, 0)], Verdict::Admit),
            ("all are out, one may come back", &[bucket(30_000, 1, 0)], Verdict::Turn(0)),
            ("all are out, all may come back", &[bucket(30_000, 3, 29_000)], Verdict::Turn(0)),
            ("those who had them are gone", &[bucket(30_000, 3, 30_001)], held(10_000)),
            ("or have a clock that was wrong", &[bucket(30_000, 3, -60_001)], held(10_000)),
            ("or one that is ahead", &[bucket(30_000, 3, -59_000)], Verdict::Turn(0)),
            ("one of two is empty", &[full, bucket(30_000, 0, 0)], held(10_000)),
            ("one of two may come back", &[full, bucket(30_000, 2, 0)], Verdict::Turn(1)),
            ("held goes before a turn", &[bucket(30_000, 1, 0), bucket(25_000, 0, 0)], held(5000)),
            ("the longer wait counts", &[bucket(30_000, 0, 0), bucket(25_000, 0, 0)], held(10_000)),
        ];
        for (name, stands, expected) in rows {
            assert_eq!(judge(&ThrottleLimits::default(), stands, NOW), *expected, "{name}");
        }
    }

    #[test]
    fn a_token_is_taken_from_what_is_there_now() {
        let limits = ThrottleLimits::default();
        let after = |bucket: (Rate, Bucket)| {
            let to = taken(&limits, RATE, &bucket.1, NOW);
            assert_eq!(to.opened_at, Some(NOW));
            (to.full_at.since(NOW).as_millis(), to.open)
        };
        assert_eq!(after((RATE, Bucket::default())), (10_000, 1));
        assert_eq!(after(bucket(-5000, 2, 0)), (10_000, 3));
        assert_eq!(after(bucket(5000, 0, 0)), (15_000, 1));
        assert_eq!(after(bucket(5000, 2, 40_000)), (15_000, 1), "what was abandoned is open no more");
    }

    #[test]
    fn a_proof_is_worth_a_hundred_wrong_passwords() {
        let limits = ThrottleLimits::default();
        let day = 86_400_000;
        let barred = |until: i64| Bucket { barred_until: Some(ahead(until)), ..Bucket::default() };
        for (name, bucket, spent, expected) in [
            ("none", Bucket::default(), 0, Proof::Counts),
            ("99", Bucket::default(), 99, Proof::Counts),
            ("99 and one open", bucket(0, 1, 0).1, 99, Proof::MayBeSpent),
            ("95 and five open", bucket(0, 5, 0).1, 95, Proof::MayBeSpent),
            ("95 and four open", bucket(0, 4, 0).1, 95, Proof::Counts),
            ("a hundred", Bucket::default(), 100, Proof::Spent),
            ("barred", barred(1), 0, Proof::Spent),
            ("for a day", barred(day), 0, Proof::Spent),
            ("until it is over", barred(0), 0, Proof::Counts),
            ("not by a clock that was wrong", barred(day + 60_001), 0, Proof::Counts),
        ] {
            assert_eq!(judge_proof(&limits, &bucket, spent, NOW), expected, "{name}");
        }
    }

    #[test]
    fn a_success_is_noted_once_a_day() {
        let limits = ThrottleLimits::default();
        for (noted, expected) in [(None, true), (Some(0), false), (Some(86_399_999), false), (Some(86_400_000), true)] {
            assert_eq!(is_to_note(&limits, noted.map(|millis: i64| ahead(-millis)), NOW), expected, "{noted:?}");
        }
    }
}
