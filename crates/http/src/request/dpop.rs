//! Proofs of a client's key in the header `DPoP`, and the nonces and challenges for them (RFC
//! 9449).

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use tillgate_auth_core::dpop::PROOF_ALGORITHMS;
use tillgate_auth_core::{Auth, AuthDenied, PresentedProof, ProofDenied, ProvenKey};

use crate::error::ApiError;
use crate::request::Request;
use crate::request::head::RequestHead;

/// Header with the proof.
pub(crate) const PROOF_HEADER: HeaderName = HeaderName::from_static("dpop");

/// Header with the nonce for the next proofs.
const NONCE_HEADER: HeaderName = HeaderName::from_static("dpop-nonce");

impl Request {
    /// Returns the key that the client proves, for a request without an access token; `None` if it
    /// sends no proof. The use case stores the proof ([`ProvenKey::consume`]).
    ///
    /// # Errors
    /// The proof is not valid, or has no current nonce.
    pub(crate) fn read_proven_key(&self) -> Result<Option<ProvenKey>, ApiError> {
        let presented = read_proof(self.head());
        Ok(presented.map(|presented| self.auth().check_proof(Some(&presented))).transpose()?)
    }
}

/// Reads the proof of a request, which is compared with the request's method and URI.
pub(crate) fn read_proof(head: &RequestHead) -> Option<PresentedProof> {
    let lines: Vec<_> = head.headers().get_all(PROOF_HEADER).collect();
    if lines.is_empty() {
        return None;
    }
    // several lines are no proof, as one line with several JWTs is none
    let lines: Vec<_> = lines.into_iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    Some(PresentedProof {
        jwt: lines.join(", ").trim().to_owned(),
        method: head.method().to_string(),
        uri: head.public_uri(),
    })
}

/// Whether a request fails because of its proof.
pub(crate) fn is_proof_failure(failure: &ApiError) -> bool {
    matches!(failure, ApiError::Denied(AuthDenied::Proof(_) | AuthDenied::TokenUnproven(_)))
}

/// Inserts the nonce for the client's next proofs.
pub(crate) fn insert_nonce(auth: &Auth, headers: &mut HeaderMap) {
    if let Ok(nonce) = HeaderValue::from_str(&auth.dpop_nonce()) {
        headers.insert(NONCE_HEADER, nonce);
    }
}

/// Builds the challenge for a proof (RFC 9449, 7.1).
pub(crate) fn build_challenge(denied: &ProofDenied) -> String {
    let error = match denied {
        ProofDenied::Missing => "invalid_token",
        ProofDenied::Nonce => "use_dpop_nonce",
        ProofDenied::Invalid(_) => "invalid_dpop_proof",
    };
    // the characters that a description may contain (RFC 6750, 3)
    let plain = |c: &char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    let description: String = denied.to_string().chars().filter(plain).collect();
    let algorithms = PROOF_ALGORITHMS.join(" ");
    format!("DPoP realm=\"tillgate\", error=\"{error}\", error_description=\"{description}\", algs=\"{algorithms}\"")
}
