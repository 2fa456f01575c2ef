//! The keys under which attempts are counted: digests with a key of the server. A stolen database
//! therefore reveals neither the names that were tried nor the addresses, and all processes over a
//! store count alike.

use std::net::IpAddr;

use ring::hmac;
use tillgate_domain::network::{site_network, subscriber_network};
use tillgate_domain::{DeviceId, TenantId, UserId};
use uuid::Uuid;

use super::{ClaimedIdentity, LoginAttempt, PriorSession};
use crate::ports::{CountKey, Verifier};

/// Derives count keys.
#[derive(Debug)]
pub(super) struct CountKeyDeriver(hmac::Key);

/// The keys of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AttemptKeys {
    /// The owner of the known networks: the principal's UUID, or one that nobody has.
    pub(super) owner: Uuid,
    /// The network, among the known networks of an account.
    pub(super) known_network: CountKey,
    /// The device and address, as earlier versions recorded them instead of networks.
    pub(super) legacy_place: CountKey,
    /// The bucket of the account for unknown networks.
    pub(super) unknown: CountKey,
    /// The bucket of the account in this known network.
    pub(super) known: CountKey,
    /// The bucket of the account with this proof.
    pub(super) proof: Option<CountKey>,
    /// The bucket of the network, for all accounts.
    pub(super) network: Option<CountKey>,
    /// The password, among the wrong passwords of this account.
    pub(super) guess: CountKey,
}

impl CountKeyDeriver {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(super) fn derive_keys(&self, attempt: &LoginAttempt) -> AttemptKeys {
        let (who, whose) = self.derive_owner(&attempt.identity);
        let device = attempt.device.map(|device| device.0);
        let device = device.as_ref().map(|device| &device.as_bytes()[..]);
        let address = attempt.address.map(|address| octets(subscriber_network(address)));
        let network = attempt.address.map(|address| octets(site_network(address)));
        AttemptKeys {
            owner: whose,
            known_network: self.digest("network where known", &[network.as_deref()]),
            legacy_place: self.digest("place", &[device, address.as_deref()]),
            unknown: self.digest("principal", &[Some(&who.0)]),
            known: self.digest("principal in network", &[Some(&who.0), network.as_deref()]),
            proof: attempt.prior_session.as_ref().map(|prior| self.derive_proof(&who, prior)),
            network: network.map(|network| self.network(&network)),
            guess: self.digest("guess", &[Some(&who.0), Some(attempt.password.expose().as_bytes())]),
        }
    }

    /// The bucket of a principal for unknown networks.
    pub(super) fn unknown_of(&self, principal: Uuid) -> CountKey {
        self.digest("principal", &[Some(&self.derive_principal(principal).0)])
    }

    fn derive_principal(&self, principal: Uuid) -> CountKey {
        self.digest("known", &[Some(principal.as_bytes())])
    }

    /// The bucket of the network of an address, for all accounts.
    pub(super) fn network_of(&self, address: IpAddr) -> CountKey {
        self.network(&octets(site_network(address)))
    }

    /// The bucket of the network of an address, for machines that start to wait in this tenant.
    pub(super) fn starts_in(&self, address: IpAddr, tenant: TenantId) -> CountKey {
        let tenant = tenant.0.as_bytes();
        self.digest("starts in network and tenant", &[Some(&octets(site_network(address))), Some(tenant)])
    }

    /// The bucket of the network of an address, for machines that start to wait in no tenant.
    pub(super) fn refused_starts_in(&self, address: IpAddr) -> CountKey {
        self.digest("starts in network", &[Some(&octets(site_network(address)))])
    }

    /// The owner of the buckets of all tenants for machines in the network of an address.
    pub(super) fn machines_in(&self, address: IpAddr) -> Uuid {
        unused_uuid(&self.digest("machines in network", &[Some(&octets(site_network(address)))]))
    }

    /// The bucket of a principal for codes of machines that they type.
    pub(super) fn user_codes_of(&self, principal: Uuid) -> CountKey {
        self.digest("user codes", &[Some(&self.derive_principal(principal).0)])
    }

    /// The bucket of the network of an address, for codes of machines that users of this tenant
    /// type there.
    pub(super) fn user_codes_in(&self, address: IpAddr, tenant: TenantId) -> CountKey {
        let tenant = tenant.0.as_bytes();
        self.digest("user codes in network and tenant", &[Some(&octets(site_network(address))), Some(tenant)])
    }

    /// The bucket of a till for the PINs of all users.
    pub(super) fn pins_of_till(&self, tenant: TenantId, device: DeviceId) -> CountKey {
        self.digest("pins on till", &[Some(tenant.0.as_bytes()), Some(device.0.as_bytes())])
    }

    /// The count of a user on a till, for the PIN with this verifier.
    pub(super) fn pins_of(
        &self,
        tenant: TenantId,
        device: DeviceId,
        user: UserId,
        verifier: Option<&Verifier>,
    ) -> CountKey {
        let till = self.pins_of_till(tenant, device);
        let verifier = verifier.map(|verifier| verifier.expose().as_bytes());
        self.digest("pin of user on till", &[Some(&till.0), Some(user.0.as_bytes()), verifier])
    }

    /// The owner of the bucket of a till and of the counts of all users on it.
    pub(super) fn pins_on(&self, tenant: TenantId, device: DeviceId) -> Uuid {
        unused_uuid(&self.digest("owner of pins on till", &[Some(&self.pins_of_till(tenant, device).0)]))
    }

    fn network(&self, octets: &[u8]) -> CountKey {
        self.digest("network", &[Some(octets)])
    }

    fn derive_proof(&self, who: &CountKey, prior: &PriorSession) -> CountKey {
        let (user, device) = (prior.user.map(|user| user.0), prior.device.map(|device| device.0));
        let user = user.as_ref().map(|user| &user.as_bytes()[..]);
        let device = device.as_ref().map(|device| &device.as_bytes()[..]);
        self.digest("principal by proof", &[Some(&who.0), user, device])
    }

    /// Eight hexadecimal digits that stand for the claimed identity.
    pub(super) fn trace_id(&self, who: &ClaimedIdentity) -> String {
        let (digest, _) = self.derive_owner(who);
        let traced = self.digest("trace", &[Some(&digest.0)]);
        traced.0.first_chunk().map_or_else(String::new, |bytes| format!("{:08x}", u32::from_be_bytes(*bytes)))
    }

    /// A digest of the identity, and the owner of its known networks. An unknown name gets a UUID
    /// that nobody has, so that it costs the same work as a known one.
    fn derive_owner(&self, who: &ClaimedIdentity) -> (CountKey, Uuid) {
        match who {
            ClaimedIdentity::Principal(principal) => {
                let uuid = principal.uuid();
                (self.derive_principal(uuid), uuid)
            }
            ClaimedIdentity::Unknown { tenant, name } => {
                let tenant = tenant.map(|tenant| tenant.0);
                let tenant = tenant.as_ref().map(|tenant| &tenant.as_bytes()[..]);
                let digest = self.digest("unknown", &[tenant, Some(name.as_str().as_bytes())]);
                (digest, unused_uuid(&digest))
            }
        }
    }

    /// HMAC-SHA256 (RFC 2104) over the label and the parts. Each part is preceded by its length, so
    /// that no two lists of parts give the same input.
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

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// A UUID that stands for a digest, of version 8 (RFC 9562, section 5.8), which no identifier of
/// tillgate has.
fn unused_uuid(digest: &CountKey) -> Uuid {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.0).for_each(|(byte, drawn)| *byte = drawn);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tillgate_domain::{DeviceId, FoldedText, Instant, PrincipalId, Secret, TenantId, UserId};

    use super::*;

    const AT: Instant = Instant::from_millis(1_800_000_000_000);

    fn attempt() -> LoginAttempt {
        LoginAttempt {
            identity: ClaimedIdentity::Principal(PrincipalId::User(UserId::new(AT, [1; 10]))),
            device: Some(DeviceId::new(AT, [2; 10])),
            address: Some("192.0.2.1".parse().unwrap()),
            prior_session: None,
            password: Secret::new("guess".to_owned()),
        }
    }

    fn unknown(tenant: Option<u8>, name: &str) -> ClaimedIdentity {
        ClaimedIdentity::Unknown {
            tenant: tenant.map(|byte| TenantId::new(AT, [byte; 10])),
            name: FoldedText::of(name),
        }
    }

    #[test]
    fn count_keys_never_collide() {
        let keyring = CountKeyDeriver::new(&[7; 32]);
        let attempts = [
            attempt(),
            LoginAttempt {
                identity: ClaimedIdentity::Principal(PrincipalId::User(UserId::new(AT, [9; 10]))),
                ..attempt()
            },
            LoginAttempt { identity: unknown(None, "anna"), ..attempt() },
            LoginAttempt { identity: unknown(Some(1), "anna"), ..attempt() },
            LoginAttempt { identity: unknown(Some(2), "anna"), ..attempt() },
            LoginAttempt { identity: unknown(Some(1), "annab"), ..attempt() },
        ];
        let users = [None, Some(UserId::new(AT, [1; 10]))];
        let devices = [None, attempt().device, Some(DeviceId::new(AT, [3; 10]))];
        let mut keys = BTreeSet::new();
        for who in &attempts {
            for address in [None, attempt().address, Some("192.0.3.2".parse().unwrap())] {
                for (user, device) in users.iter().flat_map(|user| devices.map(|device| (*user, device))) {
                    for guess in ["one", "other"] {
                        let guess = Secret::new(guess.to_owned());
                        let prior = Some(PriorSession { user, device });
                        let names = keyring.derive_keys(&LoginAttempt {
                            device,
                            address,
                            prior_session: prior,
                            password: guess,
                            ..who.clone()
                        });
                        keys.extend([names.known_network, names.legacy_place, names.unknown, names.known, names.guess]);
                        keys.extend(names.proof);
                        keys.extend(names.network);
                    }
                }
            }
        }
        // three networks, and three devices in each; of six principals: itself, in three networks,
        // by six proofs, two guesses; two networks of some address
        assert_eq!(keys.len(), 3 + 9 + 6 * (1 + 3 + 6 + 2) + 2);
    }

    #[test]
    fn buckets_for_machines_are_apart_from_those_of_logins() {
        let keyring = CountKeyDeriver::new(&[7; 32]);
        let principal = UserId::new(AT, [1; 10]).0;
        let mut keys = BTreeSet::from([keyring.unknown_of(principal), keyring.user_codes_of(principal)]);
        let tenants = [1, 2].map(|number| TenantId::new(AT, [number; 10]));
        for address in ["192.0.2.1", "192.0.3.1"] {
            let address = address.parse().unwrap();
            keys.extend([keyring.network_of(address), keyring.refused_starts_in(address)]);
            for tenant in tenants {
                keys.extend([keyring.starts_in(address, tenant), keyring.user_codes_in(address, tenant)]);
            }
        }
        assert_eq!(keys.len(), 2 + 2 * (2 + 2 * 2));
        let neighbor = "192.0.2.9".parse().unwrap();
        for key in [keyring.starts_in(neighbor, tenants[0]), keyring.user_codes_in(neighbor, tenants[1])] {
            assert!(keys.contains(&key));
        }
        let owners = ["192.0.2.1", "192.0.2.9", "192.0.3.1"].map(|text| keyring.machines_in(text.parse().unwrap()));
        assert!(owners[0] == owners[1] && owners[1] != owners[2]);
    }

    #[test]
    fn counts_of_pins_are_apart_for_each_till_user_and_pin() {
        let keyring = CountKeyDeriver::new(&[7; 32]);
        let (mut keys, mut owners) = (BTreeSet::new(), BTreeSet::new());
        let verifiers = [None, Some("first"), Some("second")].map(|text| text.map(|text| Secret::new(text.to_owned())));
        for (tenant, device) in [(1, 1), (1, 2), (2, 1)] {
            let (tenant, device) = (TenantId::new(AT, [tenant; 10]), DeviceId::new(AT, [device; 10]));
            keys.insert(keyring.pins_of_till(tenant, device));
            owners.insert(keyring.pins_on(tenant, device));
            for user in [1, 2].map(|number| UserId::new(AT, [number; 10])) {
                keys.extend(verifiers.iter().map(|pin| keyring.pins_of(tenant, device, user, pin.as_ref())));
            }
        }
        assert_eq!((keys.len(), owners.len()), (3 * (1 + 2 * 3), 3));
    }

    #[test]
    fn count_keys_depend_on_server_key() {
        let names = CountKeyDeriver::new(&[7; 32]).derive_keys(&attempt());
        assert_eq!(CountKeyDeriver::new(&[7; 32]).derive_keys(&attempt()), names);
        let other = CountKeyDeriver::new(&[8; 32]).derive_keys(&attempt());
        assert!(
            other.known != names.known && other.known_network != names.known_network && other.network != names.network
        );
        assert_ne!(other.guess, names.guess);
    }

    #[test]
    fn unknown_name_has_unused_uuid() {
        let keyring = CountKeyDeriver::new(&[7; 32]);
        let names = keyring.derive_keys(&LoginAttempt { identity: unknown(None, "anna"), ..attempt() });
        assert_eq!(names.owner.get_version_num(), 8);
        assert_eq!(
            names.owner,
            keyring.derive_keys(&LoginAttempt { identity: unknown(None, " ANNA"), ..attempt() }).owner
        );
    }

    #[test]
    fn trace_id_uses_folded_name() {
        let keyring = CountKeyDeriver::new(&[7; 32]);
        let trace = keyring.trace_id(&unknown(None, "anna"));
        assert_eq!((trace.len(), &trace), (8, &keyring.trace_id(&unknown(None, " ANNA"))));
        assert_ne!(trace, keyring.trace_id(&unknown(None, "ben")));
        assert_ne!(trace, CountKeyDeriver::new(&[8; 32]).trace_id(&unknown(None, "anna")));
    }
}
