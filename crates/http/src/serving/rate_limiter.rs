//! A rate limit per address and minute, for contracts that define one. It counts in this process
//! only and starts again at zero after a restart. The limits on failed logins are in the engine.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::rt::time::Instant;
use tillgate_domain::network::subscriber_network;

use crate::error::{ApiError, ProtocolError};
use crate::request::head::RequestHead;

const WINDOW: Duration = Duration::from_mins(1);

/// Memory of an address in the table, of which at least seven sixteenths are used after it has
/// grown.
const ADDRESS_ENTRY_BYTES: usize = (size_of::<(IpAddr, Duration)>() + 1) * 16 / 7;

/// How often idle addresses are removed when the table is full.
const PRUNE_INTERVAL: Duration = Duration::from_secs(1);

/// A limit of requests per minute from one address (IPv6: from its /56). The requests may come at
/// once or spread; one more is available whenever its share of the minute has passed.
pub(crate) struct RateLimiter {
    /// The share of the minute that one request uses.
    request_cost: Duration,
    created_at: Instant,
    addresses: Mutex<AddressTable>,
}

#[derive(Default)]
struct AddressTable {
    /// When each address has its whole minute again, since the limiter was created.
    replenished_at: HashMap<IpAddr, Duration>,
    pruned_at: Duration,
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("request_cost", &self.request_cost).finish_non_exhaustive()
    }
}

impl RateLimiter {
    /// Creates a limiter of `per_minute` requests; at least one.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { request_cost: WINDOW / per_minute.max(1), created_at: Instant::now(), addresses: Mutex::default() }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// The address has exceeded the limit.
    pub(crate) fn check_rate(&self, head: &RequestHead) -> Result<(), ApiError> {
        let now = head.meta().started_at.saturating_duration_since(self.created_at);
        let max_addresses = head.rate_limiter_byte_limit() / ADDRESS_ENTRY_BYTES;
        match head.address().map(|address| self.count_request(address, now, max_addresses)) {
            Some(Err(retry_after)) => Err(ProtocolError::RateLimited { retry_after }.into()),
            _ => Ok(()),
        }
    }

    /// Returns an upper estimate of the addresses' memory, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        let table = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        table.replenished_at.capacity().saturating_mul(8) / 7 * (size_of::<(IpAddr, Duration)>() + 1)
    }

    /// Counts a request at `now`, measured from the limiter's creation, or returns how long to
    /// wait. At most `max_addresses` addresses are counted; requests of further addresses are
    /// admitted until idle ones have been removed.
    fn count_request(&self, address: IpAddr, now: Duration, max_addresses: usize) -> Result<(), Duration> {
        let address = subscriber_network(address);
        let mut table = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let replenished = table.replenished_at.get(&address).copied().unwrap_or_default().max(now) + self.request_cost;
        if let Some(wait) = replenished.checked_sub(now + WINDOW).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        if table.replenished_at.len() >= max_addresses && now >= table.pruned_at + PRUNE_INTERVAL {
            table.pruned_at = now;
            table.replenished_at.retain(|_, replenished| *replenished > now);
            if table.replenished_at.len() < max_addresses / 4 {
                table.replenished_at.shrink_to_fit();
            }
        }
        if table.replenished_at.len() < max_addresses || table.replenished_at.contains_key(&address) {
            table.replenished_at.insert(address, replenished);
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
