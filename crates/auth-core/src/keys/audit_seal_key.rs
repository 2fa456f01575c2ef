//! The key that seals audit events: an HMAC-SHA256 key, derived from the master key. Write access
//! to the database alone is not enough to forge a seal and rewrite the chain.

use ring::hmac::{HMAC_SHA256, Key, sign};
use tillgate_domain::audit::seal::SealKey;

use super::MasterKey;

/// The key that seals the audit events of an installation.
#[derive(Clone, Debug)]
pub struct AuditSealKey(Key);

impl AuditSealKey {
    pub(crate) fn of(master: &MasterKey) -> Option<Self> {
        Some(Self(Key::new(HMAC_SHA256, &master.derive(b"sealing the audit")?)))
    }
}

impl SealKey for AuditSealKey {
    fn compute_mac(&self, bytes: &[u8]) -> [u8; 32] {
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(sign(&self.0, bytes).as_ref()) {
            *to = *from;
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;

    #[test]
    fn each_master_key_makes_its_own_seals() {
        let [one, other] = [(); 2].map(|()| MasterKey::generate(&SystemEntropy::default()).unwrap());
        let press = |master: &MasterKey| AuditSealKey::of(master).unwrap().compute_mac(b"line");
        assert_eq!(press(&one), press(&one));
        assert_ne!(press(&one), press(&other));
        assert_ne!(press(&one), AuditSealKey::of(&one).unwrap().compute_mac(b"line "));
    }

    #[test]
    fn mac_matches_rfc_4231_example() {
        // RFC 4231, section 4.3.
        let key = AuditSealKey(Key::new(HMAC_SHA256, b"Jefe"));
        let expected = [
            0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00,
            0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
        ];
        assert_eq!(key.compute_mac(b"what do ya want for nothing?"), expected);
    }
}
