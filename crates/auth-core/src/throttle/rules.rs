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
    pub refill_interval: Duration,
}

impl Rate {
    /// How long an empty bucket takes to be full.
    pub(super) fn full_refill_time(self) -> Duration {
        self.refill_interval.saturating_mul(self.burst.max(1))
    }
}

/// What the rules say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RateVerdict {
    Admit,
    /// Tokens of the bucket of this index are out that may come back.
    Wait(usize),
    RateLimited(Duration),
}

/// What a proof is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProofState {
    Valid,
    /// It counts for nothing if those who are being looked at fail.
    MayBeSpent,
    Spent,
}

/// Clocks of two processes differ by less. An instant that lies further ahead was written by a clock that was wrong.
const MAX_CLOCK_SKEW: Duration = Duration::from_mins(1);

/// Judges an attempt by the buckets that it would take a token from. Wrong passwords go before attempts that are open: whoever is
/// held back learns it at once.
pub(super) fn check_buckets(limits: &ThrottleLimits, stands: &[(Rate, Bucket)], now: Instant) -> RateVerdict {
    // as if every open attempt gave its token back
    let settled = |(rate, bucket): &(Rate, Bucket)| {
        let open = u32::try_from(open_attempts(limits, bucket, now)).unwrap_or(u32::MAX);
        wait_time(*rate, full_at(*rate, bucket, now).saturating_sub(rate.refill_interval.saturating_mul(open)), now)
    };
    let held = stands.iter().map(settled).max().unwrap_or_default();
    if !held.is_zero() {
        return RateVerdict::RateLimited(held);
    }
    let empty = |(rate, bucket): &(Rate, Bucket)| !wait_time(*rate, full_at(*rate, bucket, now), now).is_zero();
    stands.iter().position(empty).map_or(RateVerdict::Admit, RateVerdict::Wait)
}

/// Judges a proof by which so many wrong passwords have been tried of late.
pub(super) fn check_proof(limits: &ThrottleLimits, bucket: &Bucket, spent: u32, now: Instant) -> ProofState {
    let barred = bucket
        .blocked_until
        .is_some_and(|until| until > now && until.duration_since(now) <= super::GUESS_MEMORY + MAX_CLOCK_SKEW);
    if barred || spent >= limits.proof_bound {
        return ProofState::Spent;
    }
    let open = u32::try_from(open_attempts(limits, bucket, now)).unwrap_or(u32::MAX);
    if spent.saturating_add(open) >= limits.proof_bound { ProofState::MayBeSpent } else { ProofState::Valid }
}

/// The bucket after an attempt has taken a token.
pub(super) fn take_token(limits: &ThrottleLimits, rate: Rate, bucket: &Bucket, now: Instant) -> Bucket {
    Bucket {
        full_at: full_at(rate, bucket, now).max(now).saturating_add(rate.refill_interval),
        open_attempts: open_attempts(limits, bucket, now).saturating_add(1),
        opened_at: Some(now),
        blocked_until: bucket.blocked_until,
    }
}

/// When the bucket is full: never later than an empty one would be, and now where a clock that was wrong says later than any other
/// could.
fn full_at(rate: Rate, bucket: &Bucket, now: Instant) -> Instant {
    let latest = now.saturating_add(rate.full_refill_time());
    if bucket.full_at > latest.saturating_add(MAX_CLOCK_SKEW) { now } else { bucket.full_at.min(latest) }
}

/// How long until there is a token.
fn wait_time(rate: Rate, full_at: Instant, now: Instant) -> Duration {
    full_at.duration_since(now.saturating_add(rate.full_refill_time().saturating_sub(rate.refill_interval)))
}

/// How many attempts are open whose processes may still settle them. The others have spent their tokens.
fn open_attempts(limits: &ThrottleLimits, bucket: &Bucket, now: Instant) -> i64 {
    let alive = bucket.opened_at.is_some_and(|opened_at| {
        now.duration_since(opened_at) <= limits.abandoned_after && opened_at.duration_since(now) <= MAX_CLOCK_SKEW
    });
    if alive { bucket.open_attempts.max(0) } else { 0 }
}

/// Whether a success is to be noted where one is noted already.
pub(super) fn should_record_success(limits: &ThrottleLimits, noted: Option<Instant>, now: Instant) -> bool {
    noted.is_none_or(|noted| now.duration_since(noted) >= limits.success_record_interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_millis(1_800_000_000_000);
    const RATE: Rate = Rate { burst: 3, refill_interval: Duration::from_secs(10) };

    fn ahead(millis: i64) -> Instant {
        Instant::from_millis(NOW.millis() + millis)
    }

    /// A bucket that is full so many milliseconds from now, with so many open attempts, the last so many milliseconds old.
    fn bucket(full: i64, open: i64, opened: i64) -> (Rate, Bucket) {
        let opened_at = (open > 0).then(|| ahead(-opened));
        (RATE, Bucket { full_at: ahead(full), open_attempts: open, opened_at, blocked_until: None })
    }

    fn held(millis: u64) -> RateVerdict {
        RateVerdict::RateLimited(Duration::from_millis(millis))
    }

    type Row<'r> = (&'r str, &'r [(Rate, Bucket)], RateVerdict);

    #[test]
    fn buckets_admit_by_table_of_rules() {
        let full = bucket(-1_000_000, 0, 0);
        let rows: &[Row<'_>] = &[
            ("nothing stands", &[(RATE, Bucket::default())], RateVerdict::Admit),
            ("full", &[full], RateVerdict::Admit),
            ("one is out", &[bucket(10_000, 0, 0)], RateVerdict::Admit),
            ("two are out", &[bucket(20_000, 0, 0)], RateVerdict::Admit),
            ("all are out", &[bucket(30_000, 0, 0)], held(10_000)),
            ("the next comes back", &[bucket(20_001, 0, 0)], held(1)),
            ("all are out by a clock that is ahead", &[bucket(90_000, 0, 0)], held(10_000)),
            ("by one that was wrong", &[bucket(90_001, 0, 0)], RateVerdict::Admit),
            ("all are out, one may come back", &[bucket(30_000, 1, 0)], RateVerdict::Wait(0)),
            ("all are out, all may come back", &[bucket(30_000, 3, 29_000)], RateVerdict::Wait(0)),
            ("those who had them are gone", &[bucket(30_000, 3, 30_001)], held(10_000)),
            ("or have a clock that was wrong", &[bucket(30_000, 3, -60_001)], held(10_000)),
            ("or one that is ahead", &[bucket(30_000, 3, -59_000)], RateVerdict::Wait(0)),
            ("one of two is empty", &[full, bucket(30_000, 0, 0)], held(10_000)),
            ("one of two may come back", &[full, bucket(30_000, 2, 0)], RateVerdict::Wait(1)),
            ("held goes before a turn", &[bucket(30_000, 1, 0), bucket(25_000, 0, 0)], held(5000)),
            ("the longer wait counts", &[bucket(30_000, 0, 0), bucket(25_000, 0, 0)], held(10_000)),
        ];
        for (name, stands, expected) in rows {
            assert_eq!(check_buckets(&ThrottleLimits::default(), stands, NOW), *expected, "{name}");
        }
    }

    #[test]
    fn token_is_taken_from_current_level() {
        let limits = ThrottleLimits::default();
        let after = |bucket: (Rate, Bucket)| {
            let to = take_token(&limits, RATE, &bucket.1, NOW);
            assert_eq!(to.opened_at, Some(NOW));
            (to.full_at.duration_since(NOW).as_millis(), to.open_attempts)
        };
        assert_eq!(after((RATE, Bucket::default())), (10_000, 1));
        assert_eq!(after(bucket(-5000, 2, 0)), (10_000, 3));
        assert_eq!(after(bucket(5000, 0, 0)), (15_000, 1));
        assert_eq!(after(bucket(5000, 2, 40_000)), (15_000, 1), "what was abandoned is open no more");
    }

    #[test]
    fn proof_is_spent_after_hundred_wrong_passwords() {
        let limits = ThrottleLimits::default();
        let day = 86_400_000;
        let barred = |until: i64| Bucket { blocked_until: Some(ahead(until)), ..Bucket::default() };
        for (name, bucket, spent, expected) in [
            ("none", Bucket::default(), 0, ProofState::Valid),
            ("99", Bucket::default(), 99, ProofState::Valid),
            ("99 and one open", bucket(0, 1, 0).1, 99, ProofState::MayBeSpent),
            ("95 and five open", bucket(0, 5, 0).1, 95, ProofState::MayBeSpent),
            ("95 and four open", bucket(0, 4, 0).1, 95, ProofState::Valid),
            ("a hundred", Bucket::default(), 100, ProofState::Spent),
            ("barred", barred(1), 0, ProofState::Spent),
            ("for a day", barred(day), 0, ProofState::Spent),
            ("until it is over", barred(0), 0, ProofState::Valid),
            ("not by a clock that was wrong", barred(day + 60_001), 0, ProofState::Valid),
        ] {
            assert_eq!(check_proof(&limits, &bucket, spent, NOW), expected, "{name}");
        }
    }

    #[test]
    fn success_is_recorded_once_a_day() {
        let limits = ThrottleLimits::default();
        for (noted, expected) in [(None, true), (Some(0), false), (Some(86_399_999), false), (Some(86_400_000), true)] {
            assert_eq!(
                should_record_success(&limits, noted.map(|millis: i64| ahead(-millis)), NOW),
                expected,
                "{noted:?}"
            );
        }
    }
}
