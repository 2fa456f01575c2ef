//! The master key: 32 bytes that encrypt every other key, and from which some keys are derived.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use tillgate_domain::Secret;

use crate::entropy::Entropy;

/// The master key of an installation.
#[derive(Clone, Debug)]
pub struct MasterKey(Secret<Vec<u8>>);

/// The text is not a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a master key is 32 bytes in base64: restore it from its backup; create one with `openssl rand -base64 32` only for \
     a new installation"
)]
pub struct InvalidMasterKey;

const KEY_BYTES: usize = 32;

impl MasterKey {
    /// Generates a new master key.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, crate::entropy::EntropyError> {
        let mut bytes = vec![0; KEY_BYTES];
        entropy.fill(&mut bytes)?;
        Ok(Self(Secret::new(bytes)))
    }

    /// Parses a master key in base64, with or without a final line break.
    pub fn parse(text: &str) -> Result<Self, InvalidMasterKey> {
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| InvalidMasterKey)?;
        if bytes.len() == KEY_BYTES { Ok(Self(Secret::new(bytes))) } else { Err(InvalidMasterKey) }
    }

    /// The key in base64, to write it to its file and nowhere else.
    pub fn encode(&self) -> Secret<String> {
        Secret::new(BASE64_STANDARD.encode(self.0.expose()))
    }

    /// Encrypts a secret for the store. `context` describes the secret; the same context is
    /// required to decrypt it.
    pub(crate) fn wrap(&self, secret: &[u8], context: &[u8], entropy: &dyn Entropy) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce).ok()?;
        let mut sealed = secret.to_vec();
        self.cipher()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut sealed)
            .ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`wrap`](Self::wrap) has encrypted; `None` if the master key or the context is
    /// another one.
    pub(crate) fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Option<Secret<Vec<u8>>> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.cipher()?.open_in_place(nonce, Aad::from(context), &mut sealed).ok()?.len();
        sealed.truncate(opened);
        Some(Secret::new(sealed))
    }

    /// Derives a key for a purpose, by HKDF with SHA-256 (RFC 5869).
    pub(crate) fn derive(&self, purpose: &[u8]) -> Option<[u8; KEY_BYTES]> {
        let mut derived = [0; KEY_BYTES];
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
    fn unwrap_requires_same_key_and_context() {
        let entropy = SystemEntropy::default();
        let (one, other) = (MasterKey::generate(&entropy).unwrap(), MasterKey::generate(&entropy).unwrap());
        let wrapped = one.wrap(b"secret", b"here", &entropy).unwrap();
        assert_eq!(one.unwrap(&wrapped, b"here").unwrap().expose(), b"secret");
        assert!(one.unwrap(&wrapped, b"there").is_none());
        assert!(other.unwrap(&wrapped, b"here").is_none());
        assert!(one.unwrap(&wrapped[..wrapped.len() - 1], b"here").is_none());
        assert!(one.unwrap(b"short", b"here").is_none());
    }

    #[test]
    fn master_key_survives_round_trip_and_debug_hides_it() {
        let key = MasterKey::generate(&SystemEntropy::default()).unwrap();
        let text = key.encode();
        assert_eq!(MasterKey::parse(&format!("{}\n", text.expose())).unwrap().encode(), text);
        assert!(!format!("{key:?}").contains(text.expose()));
        assert!(MasterKey::parse("dG9vIHNob3J0").is_err());
        assert!(MasterKey::parse("not base64!").is_err());
    }
}
