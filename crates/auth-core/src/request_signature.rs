//! The verification of signed requests: two HMACs in constant time.
//!
//! The dialect defines what is signed and describes it in a [`Signature`]. This module knows no
//! headers and no storage of secrets. A signed call has no session:
//! [`Caller::authenticated_by`](crate::Caller::authenticated_by) distinguishes an access token from
//! an API key.
//!
//! A signature for a call that changes something costs one write, which stores it so that it is
//! accepted once across all processes. Its key is cached and outdated, like a profile, by any later
//! change that affects its user. A gateway, which verifies on behalf of another server, uses
//! [`ReplayCheck::Peek`]: nothing is stored, and the receiver of the request has to consume the
//! signature.

mod replay;

use ring::hmac;
use tillgate_domain::{Instant, Secret};

pub use replay::ReplayCheck;

/// The signature of a request: two HMACs with SHA-256 (RFC 2104, FIPS 180-4), the second keyed by
/// the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The client id of the API key.
    pub client_id: String,
    /// The instant at which the client signed, according to the client.
    pub at: Instant,
    /// The text before the secret in the key of the first HMAC.
    pub prefix: &'static str,
    /// The message of the first HMAC: the scope of the signing key.
    pub scope: String,
    /// The message of the second HMAC: what was signed.
    pub message: String,
    /// The result of the second HMAC, as the client sent it.
    pub mac: [u8; 32],
}

impl Signature {
    /// Whether the signature was made with this secret. The comparison takes constant time.
    pub fn verify(&self, secret: &Secret<String>) -> bool {
        let long = Secret::new([self.prefix.as_bytes(), secret.expose().as_bytes()].concat());
        let signing = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, long.expose()), self.scope.as_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA256, signing.as_ref());
        hmac::verify(&key, self.message.as_bytes(), &self.mac).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    /// With no prefix and this key, the first HMAC is RFC 4231's second test case, `5bdcc146…`. The
    /// second was computed with another implementation (Python's `hmac`).
    fn signature() -> Signature {
        Signature {
            client_id: "till".into(),
            at: Instant::from_millis(0),
            prefix: "Je",
            scope: "what do ya want for nothing?".into(),
            message: "Hi There".into(),
            mac: MAC,
        }
    }

    const MAC: [u8; 32] = [
        0x8c, 0xc0, 0x83, 0xeb, 0xba, 0x30, 0x0d, 0xa5, 0xf8, 0xdd, 0x59, 0xd5, 0x6a, 0x27, 0xea, 0x28, 0x12, 0x49,
        0x78, 0x00, 0xe7, 0xe6, 0x11, 0x45, 0x3b, 0xf1, 0x03, 0xd2, 0xbf, 0xbe, 0xd3, 0xaf,
    ];

    #[test]
    fn two_step_hmac_verifies() {
        assert!(signature().verify(&secret("fe")));
    }

    #[test]
    fn any_changed_part_fails_verification() {
        assert!(!signature().verify(&secret("ff")));
        assert!(!signature().verify(&secret("")));
        assert!(!Signature { prefix: "J", ..signature() }.verify(&secret("fe")));
        assert!(!Signature { scope: "what do ya want for nothing".into(), ..signature() }.verify(&secret("fe")));
        assert!(!Signature { message: "Hi there".into(), ..signature() }.verify(&secret("fe")));
        for at in 0..32 {
            let mut mac = MAC;
            mac[at] ^= 1;
            assert!(!Signature { mac, ..signature() }.verify(&secret("fe")), "{at}");
        }
    }
}
