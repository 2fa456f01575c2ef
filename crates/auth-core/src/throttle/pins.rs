//! The rate limit of PINs on a till.
//!
//! A till that was stolen is a known client, which the limits of passwords would let guess for
//! ever. PINs therefore have counts of their own. Each user has a count on each till: three wrong
//! PINs are free, the next ones wait, and after the tenth in a row the PIN is stopped on this till,
//! until the user has another PIN or somebody unlocks the till. A right PIN clears the count of its
//! user. All users of a till share a bucket, which a right PIN does not refill: otherwise a thief
//! with one PIN could guess those of all others. Nobody is stopped on another till.
//!
//! Once a user has as many wrong PINs as are free, open attempts included, the next one waits for
//! the open ones: concurrent guesses get no more than sequential ones.

use std::net::IpAddr;
use std::time::Duration;

use tillgate_domain::{DeviceId, FoldedText, Instant, Secret, StoreResult, TenantId, UserId};

use super::rules::{self, MAX_CLOCK_SKEW, RateVerdict};
use super::{
    Admission, AttemptOutcome, BucketClass, BucketRate, Charge, ClaimedIdentity, LoginAttempt, TakenToken, Throttle,
};
use crate::AuthTx;
use crate::ports::{Bucket, TokenDisposition, Verifier};

/// The limits of wrong PINs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinLimits {
    /// How many wrong PINs of a user on a till cause no wait.
    pub free: u32,
    /// The number of wrong PINs from which on the wait is the long one.
    pub long_wait_from: u32,
    /// The number of wrong PINs in a row that stops the PIN on the till.
    pub stop_at: u32,
    /// The wait after a wrong PIN that is not free.
    pub short_wait: Duration,
    /// The wait after a later one.
    pub long_wait: Duration,
    /// The bucket that all users of a till share.
    pub till: BucketRate,
}

impl Default for PinLimits {
    fn default() -> Self {
        Self {
            free: 3,
            long_wait_from: 6,
            stop_at: 10,
            short_wait: Duration::from_secs(30),
            long_wait: Duration::from_mins(5),
            till: BucketRate { burst: 30, refill_interval: Duration::from_mins(10) },
        }
    }
}

/// How long a client should wait that sends a stopped PIN. The stop does not end by itself.
const STOPPED_RETRY_AFTER: Duration = Duration::from_hours(1);

/// The time in which the count of a user forgets a wrong PIN: it is as good as never.
const COUNT_INTERVAL: Duration = Duration::from_hours(24 * 365 * 10);

/// The same for an id that no user of the tenant has, whose count need not be kept for ever.
const UNKNOWN_COUNT_INTERVAL: Duration = Duration::from_hours(24 * 30);

/// A PIN on a till before it is checked.
#[derive(Clone, Debug)]
pub struct PinAttempt {
    /// The tenant of the till.
    pub tenant: TenantId,
    /// The till on which the PIN is sent.
    pub device: DeviceId,
    /// The user whose PIN it is said to be.
    pub user: UserId,
    /// Whether the tenant has this user.
    pub is_known: bool,
    /// The verifier of the user's PIN: another PIN has another count.
    pub verifier: Option<Verifier>,
    /// The network address; `None` if there is none.
    pub address: Option<IpAddr>,
}

impl PinLimits {
    /// How long the next PIN waits after this many wrong ones in a row.
    fn wait_after(&self, wrong: u32) -> Option<Duration> {
        match wrong {
            wrong if wrong < self.free => None,
            wrong if wrong < self.long_wait_from => Some(self.short_wait),
            _ => Some(self.long_wait),
        }
    }

    /// Decides by the count of the user, whose bucket has this many open attempts.
    fn check_count(&self, rate: BucketRate, bucket: &Bucket, open: u32, now: Instant) -> RateVerdict {
        let missing = missing_tokens(rate, bucket, now);
        let wait = bucket.blocked_until.map(|until| until.duration_since(now)).unwrap_or_default();
        match missing.saturating_sub(open) {
            wrong if wrong >= self.stop_at => RateVerdict::RateLimited(STOPPED_RETRY_AFTER),
            // a longer wait is from a clock that was wrong
            _ if !wait.is_zero() && wait <= self.long_wait + MAX_CLOCK_SKEW => RateVerdict::RateLimited(wait),
            _ if open > 0 && missing >= self.free => RateVerdict::Wait(0),
            _ => RateVerdict::Admit,
        }
    }
}

impl Throttle {
    /// Decides about a PIN and takes its tokens if it is admitted: one of the user on the till, and
    /// one of the till. Requires a unit of work that may write.
    pub fn open_pin_charge(
        &self,
        tx: &mut (dyn AuthTx + '_),
        attempt: &PinAttempt,
        now: Instant,
    ) -> StoreResult<Admission> {
        let &PinAttempt { tenant, device, user, is_known, ref verifier, address } = attempt;
        let keys = &self.key_deriver;
        let interval = if is_known { COUNT_INTERVAL } else { UNKNOWN_COUNT_INTERVAL };
        let group = Some(keys.pins_on(tenant, device));
        let count = TakenToken {
            key: keys.pins_of(tenant, device, user, verifier.as_ref()),
            rate: BucketRate { burst: self.limits.pins.stop_at, refill_interval: interval },
            is_own: false,
            group,
        };
        let till =
            TakenToken { key: keys.pins_of_till(tenant, device), rate: self.limits.pins.till, is_own: false, group };
        let names = keys.derive_keys(&LoginAttempt {
            identity: ClaimedIdentity::Unknown { tenant: Some(tenant), name: FoldedText::of("PIN") },
            device: Some(device),
            address,
            prior_session: None,
            password: Secret::new(String::new()),
        });
        let (class, tokens) = (BucketClass::Pin, vec![count, till]);
        let charge = Charge { names, principal: None, class, tokens, recorded_at: None };
        let decided = self.try_take_tokens(tx, &charge, address, now)?;
        // only an attempt with a proof gets no decision
        Ok(decided.unwrap_or_else(|| Admission::Wait(charge.turn(count.key, address))))
    }

    /// Clears the counts of all users on a till, and refills its bucket. Returns whether any of
    /// them was stored.
    pub fn clear_pin_counts(
        &self,
        tx: &mut (dyn AuthTx + '_),
        tenant: TenantId,
        device: DeviceId,
    ) -> StoreResult<bool> {
        Ok(tx.attempts().clear_failed_logins(self.key_deriver.pins_on(tenant, device))? > 0)
    }

    /// Whether the PIN of a settled charge is stopped now.
    pub fn is_pin_stopped(&self, tx: &mut (dyn AuthTx + '_), charge: &Charge, now: Instant) -> StoreResult<bool> {
        let Some(count) = charge.tokens.first().filter(|_| charge.class == BucketClass::Pin) else { return Ok(false) };
        Ok(self.count_wrong_pins(tx, count, now)? >= self.limits.pins.stop_at)
    }

    /// Decides about a PIN by the buckets from which it would take tokens: that of the user on the
    /// till, and that of the till.
    pub(super) fn check_pin_buckets(&self, buckets: &[(BucketRate, Bucket)], now: Instant) -> RateVerdict {
        let Some(((rate, count), till)) = buckets.split_first() else { return RateVerdict::Admit };
        let open = self.open_attempts(count, now);
        match self.limits.pins.check_count(*rate, count, open, now) {
            RateVerdict::Admit => match rules::check_buckets(&self.limits, till, now) {
                RateVerdict::Wait(index) => RateVerdict::Wait(index.saturating_add(1)),
                decided => decided,
            },
            decided => decided,
        }
    }

    /// Settles the charge of a PIN: a wrong one counts and may cause a wait, a right one clears the
    /// count of its user. Returns whether it counts.
    pub(super) fn settle_pin(
        &self,
        tx: &mut (dyn AuthTx + '_),
        charge: &Charge,
        outcome: AttemptOutcome,
        now: Instant,
    ) -> StoreResult<bool> {
        for (index, taken) in charge.tokens.iter().enumerate() {
            let returned = match (outcome, index) {
                (AttemptOutcome::Failed, _) => None,
                (AttemptOutcome::Succeeded, 0) => Some(taken.rate.full_refill_time()),
                (AttemptOutcome::Succeeded | AttemptOutcome::Withdrawn, _) => Some(taken.rate.refill_interval),
            };
            let disposition = returned.map_or(TokenDisposition::Spent, TokenDisposition::Returned);
            tx.attempts().settle(taken.key, disposition, now)?;
        }
        let Some(count) = charge.tokens.first() else { return Ok(false) };
        match outcome {
            AttemptOutcome::Failed => {
                let wrong = self.count_wrong_pins(tx, count, now)?;
                if let Some(wait) = self.limits.pins.wait_after(wrong) {
                    tx.attempts().block(count.key, now.saturating_add(wait))?;
                }
            }
            AttemptOutcome::Succeeded => tx.attempts().block(count.key, now)?,
            AttemptOutcome::Withdrawn => {}
        }
        Ok(outcome == AttemptOutcome::Failed)
    }

    /// The number of wrong PINs that are counted, without open attempts.
    fn count_wrong_pins(&self, tx: &mut (dyn AuthTx + '_), count: &TakenToken, now: Instant) -> StoreResult<u32> {
        let bucket = tx.attempts().find_buckets(&[count.key])?.pop().unwrap_or_default();
        Ok(missing_tokens(count.rate, &bucket, now).saturating_sub(self.open_attempts(&bucket, now)))
    }

    fn open_attempts(&self, bucket: &Bucket, now: Instant) -> u32 {
        u32::try_from(rules::open_attempts(&self.limits, bucket, now)).unwrap_or(u32::MAX)
    }
}

/// The number of missing tokens, those of open attempts included. It is rounded, so that the
/// difference between the clocks of two processes counts no token. Unlike that of other buckets, a
/// count is never forgotten because its instant can only be from a wrong clock: setting the clock
/// back lifts no stop.
fn missing_tokens(rate: BucketRate, bucket: &Bucket, now: Instant) -> u32 {
    let (missing, each) = (bucket.full_at.duration_since(now).as_millis(), rate.refill_interval.as_millis().max(1));
    u32::try_from(missing.saturating_add(each / 2) / each).unwrap_or(u32::MAX).min(rate.burst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttle::ThrottleLimits;

    const NOW: Instant = Instant::from_millis(1_800_000_000_000);
    const COUNT: BucketRate = BucketRate { burst: 10, refill_interval: COUNT_INTERVAL };

    /// A count with this many wrong PINs and open attempts.
    fn bucket(wrong: u32, open: i64) -> Bucket {
        let missing = wrong + u32::try_from(open).unwrap();
        let full_at = if missing == 0 { Instant::default() } else { NOW.saturating_add(COUNT_INTERVAL * missing) };
        Bucket { full_at, open_attempts: open, opened_at: (open > 0).then_some(NOW), blocked_until: None }
    }

    /// Decides with a full bucket of the till.
    fn check(count: Bucket, now: Instant) -> RateVerdict {
        let throttle = Throttle::new(&[7; 32], ThrottleLimits::default());
        throttle.check_pin_buckets(&[(COUNT, count), (PinLimits::default().till, Bucket::default())], now)
    }

    #[test]
    fn counts_decide_by_table_of_rules() {
        let stopped = RateVerdict::RateLimited(STOPPED_RETRY_AFTER);
        for (wrong, open, expected) in [
            (0, 0, RateVerdict::Admit),
            (2, 0, RateVerdict::Admit),
            (0, 2, RateVerdict::Admit),
            (0, 3, RateVerdict::Wait(0)),
            (2, 1, RateVerdict::Wait(0)),
            (3, 0, RateVerdict::Admit),
            (3, 1, RateVerdict::Wait(0)),
            (9, 0, RateVerdict::Admit),
            (9, 1, RateVerdict::Wait(0)),
            (10, 0, stopped),
        ] {
            assert_eq!(check(bucket(wrong, open), NOW), expected, "{wrong} wrong, {open} open");
        }
        for (what, now) in [
            ("a year later", NOW.saturating_add(Duration::from_hours(24 * 365))),
            ("a clock that was set back", NOW.saturating_sub(Duration::from_hours(24 * 365))),
        ] {
            assert_eq!(check(bucket(10, 0), now), stopped, "{what}");
            assert_eq!(check(bucket(9, 0), now), RateVerdict::Admit, "{what}");
        }
        let abandoned = Bucket { opened_at: Some(NOW.saturating_sub(Duration::from_secs(31))), ..bucket(9, 1) };
        assert_eq!(check(abandoned, NOW), stopped, "it counts as wrong");
    }

    #[test]
    fn waits_become_longer_and_end() {
        let limits = PinLimits::default();
        let waits: Vec<u64> = (1..=10).map(|wrong| limits.wait_after(wrong).map_or(0, |wait| wait.as_secs())).collect();
        assert_eq!(waits, [0, 0, 30, 30, 30, 300, 300, 300, 300, 300]);
        for (millis, expected) in [
            (30_000, RateVerdict::RateLimited(Duration::from_secs(30))),
            (1, RateVerdict::RateLimited(Duration::from_millis(1))),
            (0, RateVerdict::Admit),
            (600_000, RateVerdict::Admit),
        ] {
            let blocked_until = Some(NOW.saturating_add(Duration::from_millis(millis)));
            assert_eq!(check(Bucket { blocked_until, ..bucket(3, 0) }, NOW), expected, "{millis}");
        }
    }

    #[test]
    fn bucket_of_the_till_limits_all_users() {
        let throttle = Throttle::new(&[7; 32], ThrottleLimits::default());
        let till = PinLimits::default().till;
        let with = |missing: u32, open: i64| {
            let full_at = NOW.saturating_add(till.refill_interval * missing);
            let bucket = Bucket { full_at, open_attempts: open, opened_at: Some(NOW), blocked_until: None };
            throttle.check_pin_buckets(&[(COUNT, Bucket::default()), (till, bucket)], NOW)
        };
        assert_eq!(with(29, 0), RateVerdict::Admit);
        assert_eq!(with(30, 0), RateVerdict::RateLimited(till.refill_interval));
        assert_eq!(with(30, 1), RateVerdict::Wait(1));
    }
}
