//! Proofs that a client has a key: DPoP (RFC 9449).
//!
//! A client generates a key pair and sends with each request a *proof*: a JWT that it has signed
//! with its private key, for this method and URI and, if the request has an access token, for this
//! token. A session that is bound to the key can be used with such proofs only, so a stolen token
//! is worth nothing without the key.
//!
//! This module checks one proof. It knows neither sessions nor the store.
//!
//! The server's clock and the client's need not agree. A proof contains a nonce, which the server
//! accepts for a few minutes; `iat` must be present and is not compared with anything (RFC 9449,
//! section 4.3, step 11). Within these minutes, each proof is accepted once
//! ([`ProvenKey::consume`]).

mod denied;
mod key;
mod uri;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Number, Value};
use tillgate_domain::{Instant, StoreResult};

use crate::digest::sha256;
use crate::keys::SigningAlgorithm;
use crate::ports::{AuthTx, SignatureDigest};

pub(crate) use denied::truncate_chars;
pub use denied::{ProofDenied, ProofFault};
pub use key::{ProofKey, decode_base64url_32, encode_base64url};

/// The longest proof that is examined, in bytes.
pub const MAX_PROOF_BYTES: usize = 4096;

/// The header parameter `typ` of a proof (RFC 9449, section 4.2).
const PROOF_TYPE: &str = "dpop+jwt";

/// The names of the algorithms with which a proof may be signed (RFC 7518, section 3.1).
pub const PROOF_ALGORITHMS: [&str; 2] = [SigningAlgorithm::ES256.name(), SigningAlgorithm::EdDSA.name()];

/// A proof, with the request that it must be made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedProof {
    /// The content of the header `DPoP`. Several headers are joined by commas, and are no proof.
    pub jwt: String,
    /// The method of the request.
    pub method: String,
    /// The URI of the request as the client knows it. Its query is ignored.
    pub uri: String,
}

/// A key that a proof has proved, and the digest by which the proof is recognized if it is sent
/// again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenKey {
    /// The public key, with its thumbprint.
    pub key: ProofKey,
    digest: [u8; 32],
}

impl ProvenKey {
    /// Stores the proof, and returns whether it was not stored before: a second use is a replay.
    /// Whatever makes the unit of work start again must come before this.
    pub fn consume(&self, tx: &mut dyn AuthTx, now: Instant) -> StoreResult<bool> {
        tx.signatures().insert_if_new(&SignatureDigest(self.digest), now)
    }

    /// The SHA-256 thumbprint of the key (RFC 7638).
    pub fn thumbprint(&self) -> &[u8; 32] {
        self.key.thumbprint()
    }

    /// The digest of the proof.
    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// The header of a proof, as far as it is examined.
#[derive(Deserialize)]
struct ProofHeader {
    typ: Option<String>,
    alg: Option<String>,
    jwk: Option<Value>,
    crit: Option<IgnoredAny>,
}

/// The claims of a proof (RFC 9449, section 4.2).
#[derive(Deserialize)]
struct ProofClaims {
    jti: Option<String>,
    htm: Option<String>,
    htu: Option<String>,
    iat: Option<Number>,
    nonce: Option<String>,
    ath: Option<String>,
}

/// Checks a proof: format, type, algorithm, key, signature, method, URI, nonce and, if the request
/// has an access token, its hash. The first check that fails is reported. `accepts_nonce` decides
/// whether a nonce is one of this server and recent.
///
/// # Errors
///
/// [`ProofDenied::Nonce`] if the nonce is missing, unknown or too old, and [`ProofDenied::Invalid`]
/// if another check fails.
pub fn check_proof(
    presented: &PresentedProof,
    access_token: Option<&str>,
    accepts_nonce: &dyn Fn(&str) -> bool,
) -> Result<ProvenKey, ProofDenied> {
    let (key, claims) = open_proof(&presented.jwt)?;
    let id = claims.jti.filter(|id| !id.is_empty()).ok_or(ProofFault::Id)?;
    if claims.iat.is_none() {
        return Err(ProofFault::IssuedAt.into());
    }
    check_request(claims.htm, claims.htu, presented)?;
    if !claims.nonce.is_some_and(|nonce| accepts_nonce(&nonce)) {
        return Err(ProofDenied::Nonce);
    }
    if let Some(token) = access_token
        && claims.ath != Some(BASE64_URL_SAFE_NO_PAD.encode(sha256(token.as_bytes())))
    {
        return Err(ProofFault::AccessToken.into());
    }
    let digest = sha256(&[key.thumbprint().as_slice(), id.as_bytes()].concat());
    Ok(ProvenKey { key, digest })
}

/// Opens the JWT of a proof: its key, and its claims, which that key has signed.
fn open_proof(jwt: &str) -> Result<(ProofKey, ProofClaims), ProofFault> {
    if jwt.len() > MAX_PROOF_BYTES {
        return Err(ProofFault::Format);
    }
    let (message, signature) = jwt.rsplit_once('.').ok_or(ProofFault::Format)?;
    let (header, claims) = message.split_once('.').ok_or(ProofFault::Format)?;
    if claims.contains('.') {
        return Err(ProofFault::Format);
    }
    let ProofHeader { typ, alg, jwk, crit } = decode_part(header)?;
    if crit.is_some() {
        // no extension is understood (RFC 7515, section 4.1.11)
        return Err(ProofFault::Format);
    }
    if !typ.is_some_and(|typ| typ.eq_ignore_ascii_case(PROOF_TYPE)) {
        return Err(ProofFault::Type);
    }
    let algorithm: SigningAlgorithm = alg.and_then(|alg| alg.parse().ok()).ok_or(ProofFault::Algorithm)?;
    let key = jwk.and_then(|jwk| ProofKey::parse(algorithm, &jwk)).ok_or(ProofFault::Jwk)?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| ProofFault::Format)?;
    if !key.verifies(message.as_bytes(), &signature) {
        return Err(ProofFault::Signature);
    }
    Ok((key, decode_part(claims)?))
}

/// Decodes a part of a JWT: a JSON object in base64url.
fn decode_part<T: DeserializeOwned>(part: &str) -> Result<T, ProofFault> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| ProofFault::Format)?;
    serde_json::from_slice(&json).map_err(|_| ProofFault::Format)
}

/// Checks that the proof was made for this method and URI.
fn check_request(method: Option<String>, uri: Option<String>, presented: &PresentedProof) -> Result<(), ProofFault> {
    let (method, uri) = (method.unwrap_or_default(), uri.unwrap_or_default());
    if method != presented.method {
        return Err(ProofFault::method(&presented.method, &method));
    }
    let expected = uri::normalize(&presented.uri);
    if expected.is_none() || uri::normalize(&uri) != expected {
        let expected = expected.unwrap_or_else(|| presented.uri.clone());
        return Err(ProofFault::uri(&expected, &uri));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
