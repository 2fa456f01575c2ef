//! One-time tokens: random, shown or mailed once, and stored as digests only. They have enough
//! random bits that the digest need not slow down guessing.
//!
//! A link token is part of an address: an invitation, or the reset of a password. A typed token can
//! also be entered by hand: the set-up of the first administrator.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tillgate_domain::Secret;

use crate::digest::sha256;

/// The number of characters of a typed token, of 5 random bits each: 130 bits.
pub const TYPED_TOKEN_CHARS: usize = 26;

/// Digits and letters that are not easily confused.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// The digest under which a one-time token is stored.
pub type OneTimeTokenDigest = [u8; 32];

/// What a one-time token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneTimeTokenKind {
    /// A user who has forgotten the password sets another one.
    PasswordReset,
    /// An invited user chooses a password.
    Invitation,
    /// A user proves to receive mail at an e-mail address.
    EmailVerification,
    /// The first administrator is set up.
    SetUp,
}

impl OneTimeTokenKind {
    /// The name in audit events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::Invitation => "invitation",
            Self::EmailVerification => "email_verification",
            Self::SetUp => "set_up",
        }
    }
}

/// A new one-time token.
#[derive(Debug)]
pub struct OneTimeToken {
    /// The token itself, which is not stored.
    pub token: Secret<String>,
    /// The digest under which it is stored.
    pub digest: OneTimeTokenDigest,
}

impl OneTimeToken {
    /// The link token of these random bytes.
    pub fn new_link_token(bytes: [u8; 32]) -> Self {
        let token = Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes));
        let digest = digest_link_token(token.expose());
        Self { token, digest }
    }

    /// The typed token of these random bytes.
    pub fn new_typed_token(bytes: &[u8; TYPED_TOKEN_CHARS]) -> Self {
        let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('2', char::from);
        let token = Secret::new(bytes.iter().map(letter).collect::<String>());
        let digest = digest_typed_token(token.expose());
        Self { token, digest }
    }
}

/// The digest of a link token.
pub fn digest_link_token(token: &str) -> OneTimeTokenDigest {
    sha256(token.as_bytes())
}

/// The digest of a typed token. Blanks, hyphens and the case of letters do not count.
pub fn digest_typed_token(token: &str) -> OneTimeTokenDigest {
    let plain = token.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase());
    sha256(Secret::new(plain.collect::<String>()).expose().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_token_consists_of_unambiguous_characters() {
        let bytes = std::array::from_fn(|index| u8::try_from(index * 9).unwrap());
        let OneTimeToken { token, .. } = OneTimeToken::new_typed_token(&bytes);
        assert_eq!(token.expose().len(), TYPED_TOKEN_CHARS);
        assert!(token.expose().bytes().all(|byte| ALPHABET.contains(&byte)));
        assert!(!ALPHABET.iter().any(|byte| b"01IO".contains(byte)));
    }

    #[test]
    fn typed_token_is_recognized_as_people_type_it() {
        let digest = digest_typed_token("K7QXA");
        assert_eq!(digest_typed_token(" k7q-xa\n"), digest);
        assert_ne!(digest_typed_token("K7QXB"), digest);
    }

    /// The digests that databases contain: the SHA-256 of the text of the token.
    #[test]
    fn token_is_found_by_its_stored_digest() {
        let link = OneTimeToken::new_link_token([0; 32]);
        assert_eq!((link.token.expose().len(), link.digest), (43, digest_link_token(&"A".repeat(43))));
        assert_eq!(link.digest, sha256(link.token.expose().as_bytes()));
        let typed = OneTimeToken::new_typed_token(&[0; TYPED_TOKEN_CHARS]);
        assert_eq!(typed.digest, sha256("2".repeat(26).as_bytes()));
    }
}
