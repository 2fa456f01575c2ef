//! The rules of the throttle: pure functions over buckets that the caller has read.

use std::time::Duration;

use tillgate_domain::Instant;

use super::ThrottleLimits;
use crate::ports::Bucket;

/// The capacity and the refill interval of a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketRate {
    /// The capacity in tokens; at least one.
    pub burst: u32,
    /// The time in which one token refills.
    pub refill_interval: Duration,
}

impl BucketRate {
    /// The time in which an empty bucket becomes full.
    pub(super) fn full_refill_time(self) -> Duration {
        self.refill_interval.saturating_mul(self.burst.max(1))
    }
}

/// The decision about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RateVerdict {
    Admit,
    /// The bucket with this index is empty, but open attempts may return their tokens.
    Wait(usize),
    RateLimited(Duration),
}

/// The value of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProofState {
    Valid,
    /// The proof becomes worthless if the open attempts fail.
    MayBeSpent,
    Spent,
}

/// The greatest difference between the clocks of two processes. An instant further in the future is
/// from a wrong clock.
pub(super) const MAX_CLOCK_SKEW: Duration = Duration::from_mins(1);

/// Decides about an attempt by the buckets from which it would take tokens. Failed attempts are
/// considered before open ones, so that a rate limit is reported at once.
pub(super) fn check_buckets(limits: &ThrottleLimits, buckets: &[(BucketRate, Bucket)], now: Instant) -> RateVerdict {
    // As if every open attempt returned its token.
    let settled = |(rate, bucket): &(BucketRate, Bucket)| {
        let open = u32::try_from(open_attempts(limits, bucket, now)).unwrap_or(u32::MAX);
        wait_time(*rate, full_at(*rate, bucket, now).saturating_sub(rate.refill_interval.saturating_mul(open)), now)
    };
    let wait = buckets.iter().map(settled).max().unwrap_or_default();
    if !wait.is_zero() {
        return RateVerdict::RateLimited(wait);
    }
    let empty = |(rate, bucket): &(BucketRate, Bucket)| !wait_time(*rate, full_at(*rate, bucket, now), now).is_zero();
    buckets.iter().position(empty).map_or(RateVerdict::Admit, RateVerdict::Wait)
}

/// The time until an empty bucket has a token again, and the number of its missing tokens; `None`
/// if it admits attempts now or once open ones are settled.
pub(super) fn find_rate_limit(
    limits: &ThrottleLimits,
    rate: BucketRate,
    bucket: &Bucket,
    now: Instant,
) -> Option<(Duration, u32)> {
    let RateVerdict::RateLimited(wait) = check_buckets(limits, &[(rate, *bucket)], now) else { return None };
    let (missing, each) = (full_at(rate, bucket, now).duration_since(now), rate.refill_interval);
    let tokens = missing.as_millis().div_ceil(each.as_millis().max(1));
    Some((wait, u32::try_from(tokens).unwrap_or(u32::MAX)))
}

/// Judges a proof with which `spent` wrong passwords were tried within [`super::GUESS_MEMORY`].
pub(super) fn check_proof(limits: &ThrottleLimits, bucket: &Bucket, spent: u32, now: Instant) -> ProofState {
    let blocked = bucket
        .blocked_until
        .is_some_and(|until| until > now && until.duration_since(now) <= super::GUESS_MEMORY + MAX_CLOCK_SKEW);
    if blocked || spent >= limits.proof_bound {
        return ProofState::Spent;
    }
    let open = u32::try_from(open_attempts(limits, bucket, now)).unwrap_or(u32::MAX);
    if spent.saturating_add(open) >= limits.proof_bound { ProofState::MayBeSpent } else { ProofState::Valid }
}

/// The bucket after an attempt has taken a token.
pub(super) fn take_token(limits: &ThrottleLimits, rate: BucketRate, bucket: &Bucket, now: Instant) -> Bucket {
    Bucket {
        full_at: full_at(rate, bucket, now).max(now).saturating_add(rate.refill_interval),
        open_attempts: open_attempts(limits, bucket, now).saturating_add(1),
        opened_at: Some(now),
        blocked_until: bucket.blocked_until,
    }
}

/// When the bucket is full: at the latest when an empty one would be, and now if the stored instant
/// can only be from a wrong clock.
fn full_at(rate: BucketRate, bucket: &Bucket, now: Instant) -> Instant {
    let latest = now.saturating_add(rate.full_refill_time());
    if bucket.full_at > latest.saturating_add(MAX_CLOCK_SKEW) { now } else { bucket.full_at.min(latest) }
}

/// The time until the bucket has a token.
fn wait_time(rate: BucketRate, full_at: Instant, now: Instant) -> Duration {
    full_at.duration_since(now.saturating_add(rate.full_refill_time().saturating_sub(rate.refill_interval)))
}

/// The number of open attempts whose processes may still settle them. The others count as failed.
pub(super) fn open_attempts(limits: &ThrottleLimits, bucket: &Bucket, now: Instant) -> i64 {
    let alive = bucket.opened_at.is_some_and(|opened_at| {
        now.duration_since(opened_at) <= limits.abandoned_after && opened_at.duration_since(now) <= MAX_CLOCK_SKEW
    });
    if alive { bucket.open_attempts.max(0) } else { 0 }
}

/// Whether to record a login in a network whose newest recorded login is `recorded_at`.
pub(super) fn should_record_success(limits: &ThrottleLimits, recorded_at: Option<Instant>, now: Instant) -> bool {
    recorded_at.is_none_or(|recorded_at| now.duration_since(recorded_at) >= limits.success_record_interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_millis(1_800_000_000_000);
    const RATE: BucketRate = BucketRate { burst: 3, refill_interval: Duration::from_secs(10) };

    fn ahead(millis: i64) -> Instant {
        Instant::from_millis(NOW.millis() + millis)
    }

    /// A bucket that is full in `full` milliseconds, with `open` open attempts, the newest `opened`
    /// milliseconds old.
    fn bucket(full: i64, open: i64, opened: i64) -> (BucketRate, Bucket) {
        let opened_at = (open > 0).then(|| ahead(-opened));
        (RATE, Bucket { full_at: ahead(full), open_attempts: open, opened_at, blocked_until: None })
    }

    fn rate_limited(millis: u64) -> RateVerdict {
        RateVerdict::RateLimited(Duration::from_millis(millis))
    }

    type Row<'r> = (&'r str, &'r [(BucketRate, Bucket)], RateVerdict);

    #[test]
    fn buckets_admit_by_table_of_rules() {
        let full = bucket(-1_000_000, 0, 0);
        let rows: &[Row<'_>] = &[
            ("nothing buckets", &[(RATE, Bucket::default())], RateVerdict::Admit),
            ("full", &[full], RateVerdict::Admit),
            ("one is out", &[bucket(10_000, 0, 0)], RateVerdict::Admit),
            ("two are out", &[bucket(20_000, 0, 0)], RateVerdict::Admit),
            ("all are out", &[bucket(30_000, 0, 0)], rate_limited(10_000)),
            ("the next comes back", &[bucket(20_001, 0, 0)], rate_limited(1)),
            ("all are out by a clock that is ahead", &[bucket(90_000, 0, 0)], rate_limited(10_000)),
            ("by one that was wrong", &[bucket(90_001, 0, 0)], RateVerdict::Admit),
            ("all are out, one may come back", &[bucket(30_000, 1, 0)], RateVerdict::Wait(0)),
            ("all are out, all may come back", &[bucket(30_000, 3, 29_000)], RateVerdict::Wait(0)),
            ("those who had them are gone", &[bucket(30_000, 3, 30_001)], rate_limited(10_000)),
            ("or have a clock that was wrong", &[bucket(30_000, 3, -60_001)], rate_limited(10_000)),
            ("or one that is ahead", &[bucket(30_000, 3, -59_000)], RateVerdict::Wait(0)),
            ("one of two is empty", &[full, bucket(30_000, 0, 0)], rate_limited(10_000)),
            ("one of two may come back", &[full, bucket(30_000, 2, 0)], RateVerdict::Wait(1)),
            ("held goes before a turn", &[bucket(30_000, 1, 0), bucket(25_000, 0, 0)], rate_limited(5000)),
            ("the longer wait counts", &[bucket(30_000, 0, 0), bucket(25_000, 0, 0)], rate_limited(10_000)),
        ];
        for (name, buckets, expected) in rows {
            assert_eq!(check_buckets(&ThrottleLimits::default(), buckets, NOW), *expected, "{name}");
        }
    }

    #[test]
    fn empty_bucket_reports_its_wait_and_missing_tokens() {
        let limit = |(rate, bucket)| find_rate_limit(&ThrottleLimits::default(), rate, &bucket, NOW);
        assert_eq!(limit((RATE, Bucket::default())), None);
        assert_eq!(limit(bucket(20_000, 0, 0)), None, "one token is left");
        assert_eq!(limit(bucket(30_000, 1, 0)), None, "one may come back");
        assert_eq!(limit(bucket(30_000, 0, 0)), Some((Duration::from_secs(10), 3)));
        assert_eq!(limit(bucket(20_001, 0, 0)), Some((Duration::from_millis(1), 3)));
    }

    #[test]
    fn token_is_taken_from_current_level() {
        let limits = ThrottleLimits::default();
        let after = |bucket: (BucketRate, Bucket)| {
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
        let blocked = |until: i64| Bucket { blocked_until: Some(ahead(until)), ..Bucket::default() };
        for (name, bucket, spent, expected) in [
            ("none", Bucket::default(), 0, ProofState::Valid),
            ("99", Bucket::default(), 99, ProofState::Valid),
            ("99 and one open", bucket(0, 1, 0).1, 99, ProofState::MayBeSpent),
            ("95 and five open", bucket(0, 5, 0).1, 95, ProofState::MayBeSpent),
            ("95 and four open", bucket(0, 4, 0).1, 95, ProofState::Valid),
            ("a hundred", Bucket::default(), 100, ProofState::Spent),
            ("barred", blocked(1), 0, ProofState::Spent),
            ("for a day", blocked(day), 0, ProofState::Spent),
            ("until it is over", blocked(0), 0, ProofState::Valid),
            ("not by a clock that was wrong", blocked(day + 60_001), 0, ProofState::Valid),
        ] {
            assert_eq!(check_proof(&limits, &bucket, spent, NOW), expected, "{name}");
        }
    }

    #[test]
    fn success_is_recorded_once_a_day() {
        let limits = ThrottleLimits::default();
        for (recorded_at, expected) in
            [(None, true), (Some(0), false), (Some(86_399_999), false), (Some(86_400_000), true)]
        {
            assert_eq!(
                should_record_success(&limits, recorded_at.map(|millis: i64| ahead(-millis)), NOW),
                expected,
                "{recorded_at:?}"
            );
        }
    }
}
