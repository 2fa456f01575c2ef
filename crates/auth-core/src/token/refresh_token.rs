//! Refresh tokens: `key id | session id | generation | HMAC-SHA256`, 72 bytes in base64url. The
//! store keeps neither them nor their hashes: a stolen database contains nothing to present, and a
//! forged token is rejected before any query.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;
use tillgate_domain::{KeyId, Secret, SessionId};
use uuid::Uuid;

/// The content of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The key that authenticates it.
    pub key: KeyId,
    /// The session that it refreshes.
    pub session: SessionId,
    /// The generation of the session in which it was issued.
    pub generation: i64,
}

const PAYLOAD_BYTES: usize = 16 + 16 + 8;
const TOKEN_BYTES: usize = PAYLOAD_BYTES + 32;

impl RefreshToken {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.extend_from_slice(self.key.0.as_bytes());
        bytes.extend_from_slice(self.session.0.as_bytes());
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes
    }

    /// Encodes the token with an HMAC by the key that it names.
    pub(crate) fn seal(&self, key: &hmac::Key) -> Secret<String> {
        let signed = hmac::sign(key, &self.bytes());
        let mut tag = [0; 32];
        // SHA-256 has 32 bytes.
        tag.iter_mut().zip(signed.as_ref()).for_each(|(to, from)| *to = *from);
        UnverifiedRefreshToken { payload: *self, tag }.encode()
    }
}

/// A refresh token that was parsed but not authenticated; anybody can write one.
pub struct UnverifiedRefreshToken {
    payload: RefreshToken,
    tag: [u8; 32],
}

impl UnverifiedRefreshToken {
    /// Parses a token; `None` if it does not have the format of one.
    pub fn parse(token: &str) -> Option<Self> {
        if token.len() != TOKEN_BYTES / 3 * 4 {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (key, rest) = bytes.split_first_chunk::<16>()?;
        let (session, rest) = rest.split_first_chunk::<16>()?;
        let (generation, tag) = rest.split_first_chunk::<8>()?;
        let named = RefreshToken {
            key: KeyId(Uuid::from_bytes(*key)),
            session: SessionId(Uuid::from_bytes(*session)),
            generation: i64::from_be_bytes(*generation),
        };
        Some(Self { payload: named, tag: tag.try_into().ok()? })
    }

    /// Encodes the token again. No two different texts parse to tokens that are encoded alike.
    pub fn encode(&self) -> Secret<String> {
        let mut bytes = self.payload.bytes();
        bytes.extend_from_slice(&self.tag);
        Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The key that the token names.
    pub(crate) fn key(&self) -> KeyId {
        self.payload.key
    }

    /// The content of the token, if the key authenticates it. The comparison takes constant time.
    pub(crate) fn verify(&self, key: &hmac::Key) -> Option<RefreshToken> {
        let sane = self.payload.generation > 0;
        (hmac::verify(key, &self.payload.bytes(), &self.tag).is_ok() && sane).then_some(self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32])
    }

    fn token() -> RefreshToken {
        RefreshToken { key: KeyId(Uuid::from_u128(1)), session: SessionId(Uuid::from_u128(2)), generation: 3 }
    }

    #[test]
    fn refresh_token_survives_round_trip() {
        let sealed = token().seal(&key(1));
        assert_eq!(sealed.expose().len(), 96);
        assert_eq!(UnverifiedRefreshToken::parse(sealed.expose()).unwrap().verify(&key(1)), Some(token()));
        assert_eq!(UnverifiedRefreshToken::parse(sealed.expose()).unwrap().verify(&key(2)), None, "another key");
    }

    #[test]
    fn refresh_token_with_changed_bit_is_rejected() {
        let sealed = token().seal(&key(1));
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed.expose()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let forged = BASE64_URL_SAFE_NO_PAD.encode(forged);
            assert_eq!(UnverifiedRefreshToken::parse(&forged).and_then(|read| read.verify(&key(1))), None, "bit {bit}");
        }
    }

    #[test]
    fn malformed_refresh_token_is_rejected() {
        for bad in ["", "x", &"A".repeat(95), &"A".repeat(97), &"!".repeat(96), &"=".repeat(96)] {
            assert!(UnverifiedRefreshToken::parse(bad).is_none(), "{bad}");
        }
    }
}
