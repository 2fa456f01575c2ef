//! The master key: 32 bytes that wrap every other key, and from which keys that need no store are derived.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use tillgate_domain::Secret;

use crate::entropy::Entropy;

/// The master key of an installation.
#[derive(Clone, Debug)]
pub struct MasterKey(Secret<Vec<u8>>);

/// A text that is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 bytes in base64, such as `openssl rand -base64 32` prints")]
pub struct MasterKeyError;

const LENGTH: usize = 32;

impl MasterKey {
    /// Draws a new one.
    pub fn draw(entropy: &dyn Entropy) -> Result<Self, crate::entropy::NoEntropy> {
        let mut bytes = vec![0; LENGTH];
        entropy.fill(&mut bytes)?;
        Ok(Self(Secret::new(bytes)))
    }

    /// Reads one in base64, with or without a line's end.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| MasterKeyError)?;
        if bytes.len() == LENGTH { Ok(Self(Secret::new(bytes))) } else { Err(MasterKeyError) }
    }

    /// The key in base64, to be written to its file and nowhere else.
    pub fn encode(&self) -> Secret<String> {
        Secret::new(BASE64_STANDARD.encode(self.0.expose()))
    }

    /// Wraps a secret for the store. `context` says what it is; only the same opens it again.
    pub(crate) fn wrap(&self, secret: &[u8], context: &[u8], entropy: &dyn Entropy) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce).ok()?;
        let mut sealed = secret.to_vec();
        self.cipher()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut sealed)
            .ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`wrap`](Self::wrap) made; `None` where another master key or another context did.
    pub(crate) fn open(&self, wrapped: &[u8], context: &[u8]) -> Option<Secret<Vec<u8>>> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.cipher()?.open_in_place(nonce, Aad::from(context), &mut sealed).ok()?.len();
        sealed.truncate(opened);
        Some(Secret::new(sealed))
    }

    /// A key of its own for this purpose: HKDF (RFC 5869) with SHA-256.
    pub(crate) fn derive(&self, purpose: &[u8]) -> Option<[u8; LENGTH]> {
        let mut derived = [0; LENGTH];
        let prk = Salt::new(HKDF_SHA256, b"tillgate").extract(self.0.expose());
        prk.expand(&[purpose], HKDF_SHA256).ok()?.fill(&mut derived).ok()?;
        Some(derived)
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, self.0.expose()).ok().map(LessSafeKey::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;

    #[test]
    fn only_the_same_key_and_context_open_what_was_wrapped() {
        let entropy = SystemEntropy::default();
        let (one, other) = (MasterKey::draw(&entropy).unwrap(), MasterKey::draw(&entropy).unwrap());
        let wrapped = one.wrap(b"secret", b"here", &entropy).unwrap();
        assert_eq!(one.open(&wrapped, b"here").unwrap().expose(), b"secret");
        assert!(one.open(&wrapped, b"there").is_none());
        assert!(other.open(&wrapped, b"here").is_none());
        assert!(one.open(&wrapped[..wrapped.len() - 1], b"here").is_none());
        assert!(one.open(b"short", b"here").is_none());
    }

    #[test]
    fn a_key_survives_its_file_and_shows_nothing_in_debug() {
        let key = MasterKey::draw(&SystemEntropy::default()).unwrap();
        let text = key.encode();
        assert_eq!(MasterKey::parse(&format!("{}\n", text.expose())).unwrap().encode(), text);
        assert!(!format!("{key:?}").contains(text.expose()));
        assert!(MasterKey::parse("dG9vIHNob3J0").is_err());
        assert!(MasterKey::parse("not base64!").is_err());
    }
}
