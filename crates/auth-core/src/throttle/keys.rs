//! What failures are counted under: digests under a key of the server, so that a stolen database tells neither the names that
//! nobody has nor the addresses that were used, and every process over one store counts alike.

use std::net::{IpAddr, Ipv6Addr};

use ring::hmac;
use uuid::Uuid;

use super::{Attempt, Claimed};
use crate::ports::CountKey;

/// Makes count keys.
#[derive(Debug)]
pub(super) struct Keyring(hmac::Key);

/// Which of the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Of the principal at the place.
    Pair,
    /// Of the principal.
    Principal,
    /// Of the address.
    Address,
}

/// Everything that one attempt is counted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// Whose places are asked: the principal's UUID, or one that nobody has.
    pub(super) whose: Uuid,
    pub(super) place: CountKey,
    pub(super) pair: CountKey,
    pub(super) principal: CountKey,
    pub(super) address: Option<CountKey>,
}

impl Names {
    pub(super) fn key(&self, which: Which) -> CountKey {
        match which {
            Which::Pair => self.pair,
            Which::Principal => self.principal,
            Which::Address => self.address.unwrap_or(self.pair),
        }
    }

    /// The counts that an attempt opens charges on, always in this order: two units of work never wait for each other.
    pub(super) fn charged(&self, known: bool) -> Vec<CountKey> {
        if known {
            return vec![self.pair];
        }
        [Some(self.pair), Some(self.principal), self.address].into_iter().flatten().collect()
    }
}

impl Keyring {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(super) fn names(&self, attempt: &Attempt) -> Names {
        let (who, whose) = self.who(&attempt.who);
        let device = attempt.device.map(|device| device.0);
        let device = device.as_ref().map(|device| &device.as_bytes()[..]);
        let network = attempt.address.map(network);
        let place = self.digest("place", &[device, network.as_deref()]);
        Names {
            whose,
            place,
            pair: self.digest("principal at place", &[Some(&who.0), Some(&place.0)]),
            principal: self.digest("principal", &[Some(&who.0)]),
            address: network.map(|network| self.digest("address", &[Some(&network)])),
        }
    }

    /// A digest of who it is, and whose places to ask. A name that nobody has asks for the places of a UUID that nobody has:
    /// the same work as for a name that somebody has.
    fn who(&self, who: &Claimed) -> (CountKey, Uuid) {
        match who {
            Claimed::Principal(principal) => {
                let uuid = principal.uuid();
                (self.digest("known", &[Some(uuid.as_bytes())]), uuid)
            }
            Claimed::Unknown { tenant, name } => {
                let tenant = tenant.map(|tenant| tenant.0);
                let tenant = tenant.as_ref().map(|tenant| &tenant.as_bytes()[..]);
                let digest = self.digest("unknown", &[tenant, Some(name.as_str().as_bytes())]);
                let mut bytes = [0; 16];
                bytes.iter_mut().zip(digest.0).for_each(|(byte, drawn)| *byte = drawn);
                // Version 8 (RFC 9562, 5.8): no id of ours is of that kind.
                (digest, uuid::Builder::from_custom_bytes(bytes).into_uuid())
            }
        }
    }

    /// HMAC-SHA256 (RFC 2104) over the label and the parts, each preceded by its length: no two lists of parts read alike.
    fn digest(&self, label: &str, parts: &[Option<&[u8]>]) -> CountKey {
        let mut context = hmac::Context::with_key(&self.0);
        let mut part = |bytes: &[u8]| {
            context.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(bytes);
        };
        part(label.as_bytes());
        for each in parts {
            part(if each.is_some() { b"some" } else { b"none" });
            part(each.unwrap_or_default());
        }
        let tag = context.sign();
        let mut digest = [0; 32];
        digest.iter_mut().zip(tag.as_ref()).for_each(|(byte, drawn)| *byte = *drawn);
        CountKey(digest)
    }
}

/// The network that an address counts as: itself, an IPv6 address as its /56, which is what one subscriber gets at least.
pub(crate) fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => {
            let prefix = Ipv6Addr::from_bits(address.to_bits() >> 72 << 72);
            prefix.octets().to_vec()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tillgate_domain::{DeviceId, Folded, Instant, PrincipalId, TenantId, UserId};

    use super::*;

    const AT: Instant = Instant::from_millis(1_800_000_000_000);

    fn attempt() -> Attempt {
        Attempt {
            who: Claimed::Principal(PrincipalId::User(UserId::new(AT, [1; 10]))),
            device: Some(DeviceId::new(AT, [2; 10])),
            address: Some("192.0.2.1".parse().unwrap()),
        }
    }

    fn unknown(tenant: Option<u8>, name: &str) -> Claimed {
        Claimed::Unknown { tenant: tenant.map(|byte| TenantId::new(AT, [byte; 10])), name: Folded::of(name) }
    }

    #[test]
    fn addresses_count_by_their_network() {
        let same = [
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8:1:2200::1", "2001:db8:1:22ff:ffff::9", true),
            ("2001:db8:1:2200::1", "2001:db8:1:2300::1", false),
            ("::192.0.2.1", "192.0.2.1", false),
        ];
        for (one, other, alike) in same {
            assert_eq!(network(one.parse().unwrap()) == network(other.parse().unwrap()), alike, "{one} and {other}");
        }
    }

    #[test]
    fn nothing_counts_as_something_else() {
        let keyring = Keyring::new(&[7; 32]);
        let attempts = [
            attempt(),
            Attempt { who: Claimed::Principal(PrincipalId::User(UserId::new(AT, [9; 10]))), ..attempt() },
            Attempt { who: unknown(None, "anna"), ..attempt() },
            Attempt { who: unknown(Some(1), "anna"), ..attempt() },
            Attempt { who: unknown(Some(2), "anna"), ..attempt() },
            Attempt { who: unknown(Some(1), "annab"), ..attempt() },
        ];
        let mut pairs = BTreeSet::new();
        for who in &attempts {
            for device in [None, attempt().device, Some(DeviceId::new(AT, [3; 10]))] {
                for address in [None, attempt().address, Some("192.0.2.2".parse().unwrap())] {
                    let names = keyring.names(&Attempt { device, address, ..who.clone() });
                    pairs.extend([names.pair, names.principal, names.place]);
                    pairs.extend(names.address);
                }
            }
        }
        // Six principals at nine places; six principals; nine places; two addresses.
        assert_eq!(pairs.len(), 6 * 9 + 6 + 9 + 2);
    }

    #[test]
    fn one_key_counts_alike_and_another_does_not() {
        let names = Keyring::new(&[7; 32]).names(&attempt());
        assert_eq!(Keyring::new(&[7; 32]).names(&attempt()), names);
        let other = Keyring::new(&[8; 32]).names(&attempt());
        assert!(other.pair != names.pair && other.place != names.place && other.address != names.address);
    }

    #[test]
    fn an_unknown_name_has_a_uuid_that_nobody_has() {
        let keyring = Keyring::new(&[7; 32]);
        let names = keyring.names(&Attempt { who: unknown(None, "anna"), ..attempt() });
        assert_eq!(names.whose.get_version_num(), 8);
        assert_eq!(names.whose, keyring.names(&Attempt { who: unknown(None, " ANNA"), ..attempt() }).whose);
    }
}
