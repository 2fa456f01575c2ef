//! The public key in a proof, and its thumbprint (RFC 7638).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::digest::sha256;
use crate::keys::SigningAlgorithm;
use crate::token::crypto;

/// The members of a JWK that contain a private or a symmetric key (RFC 7518, section 6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The first byte of an uncompressed point of an elliptic curve.
const UNCOMPRESSED_POINT: u8 = 4;

/// A public key with which a client signs its proofs: P-256 or Ed25519.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofKey {
    algorithm: SigningAlgorithm,
    /// 32 bytes for Ed25519, or an uncompressed point for P-256.
    public: Vec<u8>,
    jwk: String,
    thumbprint: [u8; 32],
}

impl ProofKey {
    /// Parses a public JWK of this algorithm. `None` if it is of another type or curve, contains a
    /// private key, or is damaged.
    pub(super) fn parse(algorithm: SigningAlgorithm, jwk: &Value) -> Option<Self> {
        let members = jwk.as_object()?;
        if PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return None;
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let is_of = |key_type: &str, curve: &str| text("kty") == Some(key_type) && text("crv") == Some(curve);
        let x = decode_base64url_32(text("x")?)?;
        // the required members in lexicographic order, without white space (RFC 7638, section 3.2)
        let (public, jwk) = match algorithm {
            SigningAlgorithm::ES256 if is_of("EC", "P-256") => {
                let y = decode_base64url_32(text("y")?)?;
                let (encoded_x, encoded_y) = (encode_base64url(&x), encode_base64url(&y));
                let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{encoded_x}","y":"{encoded_y}"}}"#);
                ([[UNCOMPRESSED_POINT].as_slice(), &x, &y].concat(), jwk)
            }
            SigningAlgorithm::EdDSA if is_of("OKP", "Ed25519") => {
                let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode_base64url(&x));
                (x.to_vec(), jwk)
            }
            SigningAlgorithm::ES256 | SigningAlgorithm::EdDSA => return None,
        };
        Some(Self { algorithm, public, thumbprint: sha256(jwk.as_bytes()), jwk })
    }

    /// The algorithm of its signatures.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The key as a JWK with the required members only, in the order of RFC 7638.
    pub fn jwk(&self) -> &str {
        &self.jwk
    }

    /// The SHA-256 thumbprint of the key (RFC 7638).
    pub fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    /// Whether the key has signed this message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        crypto::verify(self.algorithm.to_jwt(), &self.public, message, signature).is_ok()
    }
}

/// Encodes bytes in base64url without padding, as thumbprints and members of a JWK are.
pub fn encode_base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes 32 bytes, as of a thumbprint or a coordinate, from base64url without padding.
pub fn decode_base64url_32(text: &str) -> Option<[u8; 32]> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
