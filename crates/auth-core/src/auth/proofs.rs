//! Proofs of a client's key (RFC 9449): at logins and refreshes, and beside access tokens that are
//! bound to a key.

use tillgate_domain::StoreExt;

use super::Auth;
use crate::cache::VerifiedToken;
use crate::dpop::{self, PresentedProof, ProofDenied, ProofFault, ProvenKey};
use crate::requests::{DpopCredentials, ProofRetention};
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
        let proven = presented.ok_or(ProofDenied::Missing).and_then(|presented| self.examine_proof(presented, None));
        proven.map_err(|denied| AuthDenied::Proof(denied).into())
    }

    /// Checks a proof against its request and, if the request has one, its access token.
    pub(super) fn examine_proof(
        &self,
        presented: &PresentedProof,
        access_token: Option<&str>,
    ) -> Result<ProvenKey, ProofDenied> {
        let now = self.time().at;
        dpop::check_proof(presented, access_token, &|nonce| self.nonce_key.accepts(nonce, now))
    }

    /// Checks that a request proves the key to which its access token is bound, and remembers the
    /// proof. A token that is bound to no key is accepted without a proof, and only so.
    pub(super) fn require_token_proof(
        &self,
        token: &str,
        verified: &VerifiedToken,
        presented: Option<&DpopCredentials<'_>>,
    ) -> Result<(), Error> {
        let deny = |denied: ProofDenied| Error::Denied(AuthDenied::TokenUnproven(denied));
        let presented = match (&verified.thumbprint, presented) {
            (None, None) => return Ok(()),
            (Some(_), None) => return Err(deny(ProofDenied::Missing)),
            (_, Some(presented)) => presented,
        };
        let proof = presented.proof.as_ref().ok_or_else(|| deny(ProofDenied::Missing))?;
        let proven = self.examine_proof(proof, Some(token)).map_err(deny)?;
        if verified.thumbprint.as_deref() != Some(proven.thumbprint()) {
            return Err(deny(ProofFault::Key.into()));
        }
        self.retain_proof(&proven, presented.retention)
    }

    /// Remembers the proof of a request that was authenticated with
    /// [`ProofRetention::Deferred`], and is not denied. Call it on a thread that may block.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::TokenUnproven`] if the proof was accepted before, or is too old by now.
    pub fn remember_proof(&self, presented: &DpopCredentials<'_>) -> Result<(), Error> {
        let deny = |denied: ProofDenied| Error::Denied(AuthDenied::TokenUnproven(denied));
        let proof = presented.proof.as_ref().ok_or_else(|| deny(ProofDenied::Missing))?;
        let proven = self.examine_proof(proof, Some(presented.token)).map_err(deny)?;
        self.retain_proof(&proven, presented.retention)
    }

    fn retain_proof(&self, proven: &ProvenKey, retention: ProofRetention) -> Result<(), Error> {
        let is_new = match retention {
            ProofRetention::Store => {
                let now = self.time().at;
                self.store.write("consume_proof", |tx| proven.consume(tx, now))?
            }
            ProofRetention::Memory => self.proof_cache.insert_if_new(proven.digest()),
            ProofRetention::Deferred => true,
        };
        if is_new { Ok(()) } else { Err(AuthDenied::TokenUnproven(ProofFault::Replayed.into()).into()) }
    }
}
