//! The crypto provider of jsonwebtoken, based on ring.
//!
//! jsonwebtoken receives handles, not keys. It calls its crypto provider for a signer or verifier
//! on each use, with the bytes of a key. The bytes of our keys are a handle to a key that was
//! parsed once and is in a table of this module. Other bytes are parsed as a key, so that an
//! embedding program can use jsonwebtoken with `EdDSA`, ES256 and HS256. The provider is global to
//! the process: an engine does not start if another provider was installed before.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    UnparsedPublicKey,
};

/// A parsed key pair.
pub(crate) enum SigningKeyPair {
    /// Ed25519 (RFC 8032).
    Ed25519(Ed25519KeyPair),
    /// ECDSA over P-256 with SHA-256.
    P256(EcdsaKeyPair),
}

impl SigningKeyPair {
    /// Generates a key pair. Returns its private key as PKCS#8.
    pub(crate) fn generate(algorithm: Algorithm) -> Option<Vec<u8>> {
        let random = ring_random();
        let document = match algorithm {
            Algorithm::EdDSA => Ed25519KeyPair::generate_pkcs8(&random),
            Algorithm::ES256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random),
            _ => return None,
        };
        document.ok().map(|pkcs8| pkcs8.as_ref().to_vec())
    }

    /// Parses a private key.
    pub(crate) fn parse(algorithm: Algorithm, pkcs8: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok().map(Self::Ed25519),
            Algorithm::ES256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &ring_random()).ok().map(Self::P256)
            }
            _ => None,
        }
    }

    /// The public key: 32 bytes for Ed25519, or an uncompressed point for P-256.
    pub(crate) fn public(&self) -> &[u8] {
        match self {
            Self::Ed25519(pair) => pair.public_key().as_ref(),
            Self::P256(pair) => pair.public_key().as_ref(),
        }
    }

    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDSA,
            Self::P256(_) => Algorithm::ES256,
        }
    }
}

/// ring takes no random bytes from the entropy port when it generates a key or signs with ECDSA.
#[allow(clippy::disallowed_methods)]
fn ring_random() -> SystemRandom {
    SystemRandom::new()
}

/// A handle with which jsonwebtoken finds a parsed key, as long as it lives.
pub(crate) struct KeyHandle {
    number: u64,
    algorithm: Algorithm,
}

const HANDLE_PREFIX: &[u8; 8] = b"tillgate";
static NEXT_HANDLE: AtomicU64 = AtomicU64::new(1);
static PARSED_KEYS: LazyLock<RwLock<HashMap<u64, Arc<SigningKeyPair>>>> = LazyLock::new(RwLock::default);

impl KeyHandle {
    /// Adds a key pair to the table.
    pub(crate) fn of(pair: SigningKeyPair) -> Self {
        let number = NEXT_HANDLE.fetch_add(1, Ordering::Relaxed);
        let algorithm = pair.algorithm();
        PARSED_KEYS.write().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::new(pair));
        Self { number, algorithm }
    }

    fn bytes(&self) -> Vec<u8> {
        [HANDLE_PREFIX.as_slice(), &self.number.to_be_bytes()].concat()
    }

    /// The key for jsonwebtoken to sign with.
    pub(crate) fn encoding(&self) -> EncodingKey {
        match self.algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_der(&self.bytes()),
            _ => EncodingKey::from_ed_der(&self.bytes()),
        }
    }

    /// The key for jsonwebtoken to verify with.
    pub(crate) fn decoding(&self) -> DecodingKey {
        match self.algorithm {
            Algorithm::ES256 => DecodingKey::from_ec_der(&self.bytes()),
            _ => DecodingKey::from_ed_der(&self.bytes()),
        }
    }
}

impl Drop for KeyHandle {
    fn drop(&mut self) {
        PARSED_KEYS.write().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

fn find_parsed_key(bytes: &[u8]) -> Option<Arc<SigningKeyPair>> {
    let number = u64::from_be_bytes(bytes.strip_prefix(HANDLE_PREFIX)?.try_into().ok()?);
    PARSED_KEYS.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
}

/// Another crypto provider was installed in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "another crypto provider of jsonwebtoken is installed in this process; install none, or build the engine first"
)]
pub struct ForeignProvider;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| build_signer(*algorithm, key),
    verifier_factory: |algorithm, key| build_verifier(*algorithm, key),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Installs this provider for the process, once.
pub(crate) fn install_provider() -> std::result::Result<(), ForeignProvider> {
    static INSTALLED: LazyLock<bool> = LazyLock::new(|| PROVIDER.install_default().is_ok());
    if *INSTALLED { Ok(()) } else { Err(ForeignProvider) }
}

fn build_signer(algorithm: Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    let bytes = key.as_bytes();
    if algorithm == Algorithm::HS256 {
        return Ok(Box::new(Hs256(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, bytes))));
    }
    let pair = match find_parsed_key(bytes) {
        Some(pair) => pair,
        None => Arc::new(SigningKeyPair::parse(algorithm, bytes).ok_or(ErrorKind::InvalidKeyFormat)?),
    };
    if pair.algorithm() == algorithm { Ok(Box::new(ParsedKey(pair))) } else { Err(ErrorKind::InvalidAlgorithm.into()) }
}

fn build_verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let bytes = key.try_get_as_bytes()?;
    match (algorithm, find_parsed_key(bytes)) {
        (Algorithm::HS256, _) => Ok(Box::new(Hs256(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, bytes)))),
        (wanted, Some(pair)) if pair.algorithm() == wanted => Ok(Box::new(ParsedKey(pair))),
        (Algorithm::EdDSA | Algorithm::ES256, None) => Ok(Box::new(PublicKey { algorithm, bytes: bytes.to_vec() })),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

/// A key pair of the table, which signs and verifies.
struct ParsedKey(Arc<SigningKeyPair>);

impl Signer<Vec<u8>> for ParsedKey {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, SignatureError> {
        match &*self.0 {
            SigningKeyPair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            SigningKeyPair::P256(pair) => pair
                .sign(&ring_random(), message)
                .map(|bytes| bytes.as_ref().to_vec())
                .map_err(|_| SignatureError::new()),
        }
    }
}

impl JwtSigner for ParsedKey {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }
}

impl Verifier<Vec<u8>> for ParsedKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), SignatureError> {
        verify(self.0.algorithm(), self.0.public(), message, signature)
    }
}

impl JwtVerifier for ParsedKey {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }
}

/// A public key, which only verifies.
struct PublicKey {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl Verifier<Vec<u8>> for PublicKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), SignatureError> {
        verify(self.algorithm, &self.bytes, message, signature)
    }
}

impl JwtVerifier for PublicKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// Verifies a signature of a public key: 32 bytes for Ed25519, or an uncompressed point for P-256.
pub(crate) fn verify(
    algorithm: Algorithm,
    public: &[u8],
    message: &[u8],
    signature: &[u8],
) -> std::result::Result<(), SignatureError> {
    let verified = match algorithm {
        Algorithm::ES256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(message, signature),
        _ => UnparsedPublicKey::new(&ED25519, public).verify(message, signature),
    };
    verified.map_err(|_| SignatureError::new())
}

/// HMAC with SHA-256, for embedding programs.
struct Hs256(ring::hmac::Key);

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, SignatureError> {
        Ok(ring::hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), SignatureError> {
        ring::hmac::verify(&self.0, message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Header, Validation, decode, encode};
    use serde_json::{Value, json};

    use super::*;

    fn lax(algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        validation
    }

    #[test]
    fn key_handle_signs_and_verifies_until_dropped() {
        install_provider().unwrap();
        for algorithm in [Algorithm::EdDSA, Algorithm::ES256] {
            let pair = || SigningKeyPair::parse(algorithm, &SigningKeyPair::generate(algorithm).unwrap()).unwrap();
            let (ticket, other) = (KeyHandle::of(pair()), KeyHandle::of(pair()));
            let token = encode(&Header::new(algorithm), &json!({"a": 1}), &ticket.encoding()).unwrap();
            assert!(decode::<Value>(&token, &ticket.decoding(), &lax(algorithm)).is_ok());
            assert!(decode::<Value>(&token, &other.decoding(), &lax(algorithm)).is_err(), "another key verifies it");
            let kept = ticket.decoding();
            drop(ticket);
            assert!(decode::<Value>(&token, &kept, &lax(algorithm)).is_err(), "a dropped key verifies it");
        }
    }

    #[test]
    fn public_key_alone_verifies() {
        install_provider().unwrap();
        for algorithm in [Algorithm::EdDSA, Algorithm::ES256] {
            let pair = SigningKeyPair::parse(algorithm, &SigningKeyPair::generate(algorithm).unwrap()).unwrap();
            let public = match algorithm {
                Algorithm::EdDSA => DecodingKey::from_ed_der(pair.public()),
                _ => DecodingKey::from_ec_der(pair.public()),
            };
            let ticket = KeyHandle::of(pair);
            let token = encode(&Header::new(algorithm), &json!({"a": 1}), &ticket.encoding()).unwrap();
            assert!(decode::<Value>(&token, &public, &lax(algorithm)).is_ok());
        }
    }

    // RFC 7515, appendix A.1
    #[test]
    fn hs256_agrees_with_the_published_example() {
        install_provider().unwrap();
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let key =
            DecodingKey::from_secret(&base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, key).unwrap());
        assert!(decode::<Value>(token, &key, &lax(Algorithm::HS256)).is_ok());
        let forged = token.replace("dBjf", "eBjf");
        assert!(decode::<Value>(&forged, &key, &lax(Algorithm::HS256)).is_err());
    }
}
