//! A client with a key, which signs DPoP proofs (RFC 9449).

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// A key pair of a client.
pub struct ProofSigner {
    pair: Pair,
    jwk: Value,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// Signing with ECDSA takes random bytes of its own.
#[allow(clippy::disallowed_methods)]
fn random() -> SystemRandom {
    SystemRandom::new()
}

impl ProofSigner {
    /// The Ed25519 key pair of this seed.
    pub fn ed25519(seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) });
        Self { pair: Pair::Ed25519(pair), jwk }
    }

    /// A new P-256 key pair.
    pub fn p256() -> Self {
        let pkcs8 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &random()).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        Self { pair: Pair::P256(pair), jwk }
    }

    /// The public key.
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// The header of its proofs.
    pub fn header(&self) -> Value {
        let algorithm = match self.pair {
            Pair::Ed25519(_) => "EdDSA",
            Pair::P256(_) => "ES256",
        };
        json!({ "typ": "dpop+jwt", "alg": algorithm, "jwk": self.jwk })
    }

    /// The claims of a new proof for this request. The client's clock stopped in 1970.
    pub fn claims(method: &str, uri: &str, nonce: &str, access_token: Option<&str>) -> Value {
        static PROOFS: AtomicU64 = AtomicU64::new(0);
        let id = format!("proof-{}", PROOFS.fetch_add(1, Ordering::Relaxed));
        let mut claims = json!({ "jti": id, "htm": method, "htu": uri, "iat": 0, "nonce": nonce });
        if let Some(token) = access_token {
            claims["ath"] = json!(encode(digest(&SHA256, token.as_bytes()).as_ref()));
        }
        claims
    }

    /// A new proof for this request.
    pub fn prove(&self, method: &str, uri: &str, nonce: &str, access_token: Option<&str>) -> String {
        self.sign(&self.header(), &Self::claims(method, uri, nonce, access_token))
    }

    /// Signs a JWT with this header and these claims.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_texts(&header.to_string(), &claims.to_string())
    }

    /// Signs what is in the place of a header and of claims, and may be no JSON.
    pub fn sign_texts(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let signature = match &self.pair {
            Pair::Ed25519(pair) => encode(pair.sign(message.as_bytes()).as_ref()),
            Pair::P256(pair) => encode(pair.sign(&random(), message.as_bytes()).unwrap().as_ref()),
        };
        format!("{message}.{signature}")
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
