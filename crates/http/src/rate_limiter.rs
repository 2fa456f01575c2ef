//! Holds an address to so many requests a minute, for contracts that say so. It counts in this process alone and forgets at a
//! restart; what holds back those who guess passwords stands in the engine.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::rt::time::Instant;
use tillgate_auth_core::subscriber_prefix;

use crate::error::{ApiError, ProtocolError};
use crate::head::RequestHead;

const WINDOW: Duration = Duration::from_mins(1);

/// What an address takes in the table, of which at least seven sixteenths are used once it has grown.
const ADDRESS_ENTRY_BYTES: usize = (size_of::<(IpAddr, Duration)>() + 1) * 16 / 7;

/// How often those that have been quiet long enough are forgotten, where there is no room.
const PRUNE_INTERVAL: Duration = Duration::from_secs(1);

/// So many requests a minute from one address (IPv6 from its /56): at once or spread, and one more whenever its share of the
/// minute has passed.
pub(crate) struct RateLimiter {
    /// What one request uses up of the minute.
    request_cost: Duration,
    created_at: Instant,
    addresses: Mutex<AddressTable>,
}

#[derive(Default)]
struct AddressTable {
    /// When, since the limiter was born, the address has its whole minute again.
    replenished_at: HashMap<IpAddr, Duration>,
    pruned_at: Duration,
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("share", &self.request_cost).finish_non_exhaustive()
    }
}

impl RateLimiter {
    /// Lets this many through in a minute; one at least.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { request_cost: WINDOW / per_minute.max(1), created_at: Instant::now(), addresses: Mutex::default() }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// Its address has used up its minute.
    pub(crate) fn check_rate(&self, head: &RequestHead) -> Result<(), ApiError> {
        let now = head.meta().started_at.saturating_duration_since(self.created_at);
        let room = head.rate_limiter_byte_limit() / ADDRESS_ENTRY_BYTES;
        match head.address().map(|address| self.count_request(address, now, room)) {
            Some(Err(retry_after)) => Err(ProtocolError::RateLimited { retry_after }.into()),
            _ => Ok(()),
        }
    }

    /// How many bytes the addresses take, estimated from above.
    pub(crate) fn size_bytes(&self) -> usize {
        let counted = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        counted.replenished_at.capacity().saturating_mul(8) / 7 * (size_of::<(IpAddr, Duration)>() + 1)
    }

    /// Counts a request of `now`, since the limiter was born, or says how long to wait. `room` is how many addresses are counted at
    /// once. An address past that is let through: it is the others' turn to be forgotten first.
    fn count_request(&self, address: IpAddr, now: Duration, room: usize) -> Result<(), Duration> {
        let address = subscriber_prefix(address);
        let mut counted = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = counted.replenished_at.get(&address).copied().unwrap_or_default().max(now) + self.request_cost;
        if let Some(wait) = whole.checked_sub(now + WINDOW).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        if counted.replenished_at.len() >= room && now >= counted.pruned_at + PRUNE_INTERVAL {
            counted.pruned_at = now;
            counted.replenished_at.retain(|_, whole| *whole > now);
            if counted.replenished_at.len() < room / 4 {
                counted.replenished_at.shrink_to_fit();
            }
        }
        if counted.replenished_at.len() < room || counted.replenished_at.contains_key(&address) {
            counted.replenished_at.insert(address, whole);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
    const START: Duration = Duration::from_hours(1);
    const MAX_ADDRESSES: usize = 20_000;

    fn is_admitted(limiter: &RateLimiter, address: IpAddr, now: Duration) -> bool {
        limiter.count_request(address, now, MAX_ADDRESSES).is_ok()
    }

    #[test]
    fn full_budget_then_one_request_per_interval() {
        let limiter = RateLimiter::new(100);
        for number in 0..100 {
            assert!(is_admitted(&limiter, ADDRESS, START), "{number}");
        }
        assert_eq!(limiter.count_request(ADDRESS, START, MAX_ADDRESSES), Err(Duration::from_millis(600)));
        assert_eq!(
            limiter.count_request(ADDRESS, START, MAX_ADDRESSES),
            Err(Duration::from_millis(600)),
            "who was refused waits no longer"
        );
        let later = START + Duration::from_millis(600);
        assert!(is_admitted(&limiter, ADDRESS, later));
        assert!(!is_admitted(&limiter, ADDRESS, later));
        let rested = later + WINDOW;
        assert_eq!((0..200).filter(|_| is_admitted(&limiter, ADDRESS, rested)).count(), 100, "a minute later");
    }

    #[test]
    fn each_address_has_its_own_budget() {
        let limiter = RateLimiter::new(1);
        for (address, passes) in [
            ("192.0.2.7", true),
            ("192.0.2.7", false),
            ("192.0.2.8", true),
            ("::ffff:192.0.2.8", false),
            ("2001:db8:0:1100::1", true),
            ("2001:db8:0:11ff::2", false),
            ("2001:db8:0:1200::1", true),
        ] {
            assert_eq!(is_admitted(&limiter, address.parse().unwrap(), START), passes, "{address}");
        }
    }

    #[test]
    fn address_table_stays_within_its_limit() {
        let limiter = RateLimiter::new(2);
        let address = |number: u32| IpAddr::from(number.to_be_bytes());
        let most = u32::try_from(MAX_ADDRESSES).unwrap();
        for number in 0..most + 10 {
            assert!(is_admitted(&limiter, address(number), START));
        }
        assert_eq!(limiter.addresses.lock().unwrap().replenished_at.len(), MAX_ADDRESSES);
        assert!(limiter.size_bytes() <= MAX_ADDRESSES * ADDRESS_ENTRY_BYTES, "{} bytes", limiter.size_bytes());
        assert!(is_admitted(&limiter, address(0), START) && !is_admitted(&limiter, address(0), START), "still counted");
        assert!(is_admitted(&limiter, address(most + 99), START + WINDOW));
        assert_eq!(limiter.addresses.lock().unwrap().replenished_at.len(), 1, "the quiet are forgotten");
    }
}
