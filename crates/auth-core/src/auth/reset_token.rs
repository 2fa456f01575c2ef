//! Tokens of resets: drawn by chance, mailed once, and kept as digests alone.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use tillgate_domain::Secret;

use super::Auth;
use crate::Error;

impl Auth {
    /// A fresh token with its digest.
    pub fn generate_reset_token(&self) -> Result<(Secret<String>, [u8; 32]), Error> {
        let bytes = self.entropy.random_bytes::<32>().map_err(|error| Error::Fault(error.to_string()))?;
        let token = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let digest = Self::digest_reset_token(&token);
        Ok((Secret::new(token), digest))
    }

    /// The digest that a token is kept and found by. It is drawn from so many that nothing need slow its guessing down.
    pub fn digest_reset_token(token: &str) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        out
    }
}
