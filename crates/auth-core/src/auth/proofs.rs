//! Proofs of a client's key (RFC 9449).

use super::Auth;
use crate::dpop::{self, PresentedProof, ProofDenied, ProvenKey};
use crate::{AuthDenied, Error};

impl Auth {
    /// The nonce that clients put into their next proofs (RFC 9449, section 8). It is accepted for
    /// at least four minutes, by every process over the store.
    pub fn dpop_nonce(&self) -> String {
        self.nonce_key.issue(self.time().at)
    }

    /// Checks the proof of a request without an access token: a login, a refresh, or another call
    /// that binds something to the key. It is not remembered; see [`ProvenKey::consume`].
    ///
    /// # Errors
    ///
    /// [`AuthDenied::Proof`] if the request has no proof, or one that is not valid.
    pub fn check_proof(&self, presented: Option<&PresentedProof>) -> Result<ProvenKey, Error> {
        let now = self.time().at;
        let check = |presented| dpop::check_proof(presented, None, &|nonce| self.nonce_key.accepts(nonce, now));
        let proven = presented.ok_or(ProofDenied::Missing).and_then(check);
        proven.map_err(|denied| AuthDenied::Proof(denied).into())
    }
}
