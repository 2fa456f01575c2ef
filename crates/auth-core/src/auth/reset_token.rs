//! Tokens by which a user sets a password, for resets and invitations: random, shown or mailed once,
//! and stored as digests only.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use tillgate_domain::Secret;

use super::Auth;
use crate::Error;

impl Auth {
    /// A new token and its digest.
    pub fn generate_reset_token(&self) -> Result<(Secret<String>, [u8; 32]), Error> {
        let bytes = self.entropy.random_bytes::<32>().map_err(|error| Error::Fault(error.to_string()))?;
        Ok(Self::encode_reset_token(bytes))
    }

    /// The token of these random bytes, and its digest.
    pub fn encode_reset_token(bytes: [u8; 32]) -> (Secret<String>, [u8; 32]) {
        let token = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let digest = Self::digest_reset_token(&token);
        (Secret::new(token), digest)
    }

    /// The digest under which a token is stored. Tokens have enough random bits that guessing need
    /// not be slowed down.
    pub fn digest_reset_token(token: &str) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        out
    }
}
