//! Holds an address to so many requests a minute, for contracts that say so. It counts in this process alone and forgets at a
//! restart; what holds back those who guess passwords stands in the engine.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::rt::time::Instant;
use tillgate_auth_core::network;

use crate::failure::{Failure, Protocol};
use crate::head::Head;

const MINUTE: Duration = Duration::from_mins(1);

/// What an address takes in the table, of which at least seven sixteenths are used once it has grown.
const ROW: usize = (size_of::<(IpAddr, Duration)>() + 1) * 16 / 7;

/// How often those that have been quiet long enough are forgotten, where there is no room.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// So many requests a minute from one address (IPv6 from its /56): at once or spread, and one more whenever its share of the
/// minute has passed.
pub(crate) struct Limiter {
    /// What one request uses up of the minute.
    share: Duration,
    born: Instant,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    /// When, since the limiter was born, the address has its whole minute again.
    whole: HashMap<IpAddr, Duration>,
    forgot: Duration,
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("share", &self.share).finish_non_exhaustive()
    }
}

impl Limiter {
    /// Lets this many through in a minute; one at least.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { share: MINUTE / per_minute.max(1), born: Instant::now(), counted: Mutex::default() }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// Its address has used up its minute.
    pub(crate) fn admit(&self, head: &Head) -> Result<(), Failure> {
        let now = head.origin().started.saturating_duration_since(self.born);
        let room = head.address_bytes() / ROW;
        match head.address().map(|address| self.count(address, now, room)) {
            Some(Err(retry_after)) => Err(Protocol::TooMany { retry_after }.into()),
            _ => Ok(()),
        }
    }

    /// How many bytes the addresses take, estimated from above.
    pub(crate) fn bytes(&self) -> usize {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.whole.capacity().saturating_mul(8) / 7 * (size_of::<(IpAddr, Duration)>() + 1)
    }

    /// Counts a request of `now`, since the limiter was born, or says how long to wait. `room` is how many addresses are counted at
    /// once. An address past that is let through: it is the others' turn to be forgotten first.
    fn count(&self, address: IpAddr, now: Duration, room: usize) -> Result<(), Duration> {
        let address = network(address);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = counted.whole.get(&address).copied().unwrap_or_default().max(now) + self.share;
        if let Some(wait) = whole.checked_sub(now + MINUTE).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        if counted.whole.len() >= room && now >= counted.forgot + FORGET_EVERY {
            counted.forgot = now;
            counted.whole.retain(|_, whole| *whole > now);
            if counted.whole.len() < room / 4 {
                counted.whole.shrink_to_fit();
            }
        }
        if counted.whole.len() < room || counted.whole.contains_key(&address) {
            counted.whole.insert(address, whole);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
    const START: Duration = Duration::from_hours(1);
    const MOST: usize = 20_000;

    fn admitted(limiter: &Limiter, address: IpAddr, now: Duration) -> bool {
        limiter.count(address, now, MOST).is_ok()
    }

    #[test]
    fn so_many_at_once_and_then_one_for_each_share() {
        let limiter = Limiter::new(100);
        for number in 0..100 {
            assert!(admitted(&limiter, HERE, START), "{number}");
        }
        assert_eq!(limiter.count(HERE, START, MOST), Err(Duration::from_millis(600)));
        assert_eq!(
            limiter.count(HERE, START, MOST),
            Err(Duration::from_millis(600)),
            "who was refused waits no longer"
        );
        let later = START + Duration::from_millis(600);
        assert!(admitted(&limiter, HERE, later));
        assert!(!admitted(&limiter, HERE, later));
        let rested = later + MINUTE;
        assert_eq!((0..200).filter(|_| admitted(&limiter, HERE, rested)).count(), 100, "a minute later");
    }

    #[test]
    fn each_address_has_a_minute_of_its_own() {
        let limiter = Limiter::new(1);
        for (address, passes) in [
            ("192.0.2.7", true),
            ("192.0.2.7", false),
            ("192.0.2.8", true),
            ("::ffff:192.0.2.8", false),
            ("2001:db8:0:1100::1", true),
            ("2001:db8:0:11ff::2", false),
            ("2001:db8:0:1200::1", true),
        ] {
            assert_eq!(admitted(&limiter, address.parse().unwrap(), START), passes, "{address}");
        }
    }

    #[test]
    fn a_crowd_of_addresses_takes_no_more_room_than_there_is() {
        let limiter = Limiter::new(2);
        let address = |number: u32| IpAddr::from(number.to_be_bytes());
        let most = u32::try_from(MOST).unwrap();
        for number in 0..most + 10 {
            assert!(admitted(&limiter, address(number), START));
        }
        assert_eq!(limiter.counted.lock().unwrap().whole.len(), MOST);
        assert!(limiter.bytes() <= MOST * ROW, "{} bytes", limiter.bytes());
        assert!(admitted(&limiter, address(0), START) && !admitted(&limiter, address(0), START), "still counted");
        assert!(admitted(&limiter, address(most + 99), START + MINUTE));
        assert_eq!(limiter.counted.lock().unwrap().whole.len(), 1, "the quiet are forgotten");
    }
}
