//! The detection of a replayed signature: the digest of each consumed one is stored.

use tillgate_domain::{ApiKey, Instant, StoreResult};

use super::Signature;
use crate::digest::sha256;
use crate::ports::{AuthTx, SignatureDigest};

/// Whether verifying a signature consumes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayCheck {
    /// The signature is stored, and rejected if it is stored already.
    Consume,
    /// The signature is verified only. For a gateway, which passes the request on to a server that
    /// consumes it, and for dialects in which a signed read may be repeated while its time stamp is
    /// valid.
    Peek,
}

impl Signature {
    /// Stores the signature of this key, and returns whether it was not stored before: a second use
    /// is a replay.
    pub(crate) fn consume(&self, key: &ApiKey, tx: &mut dyn AuthTx, now: Instant) -> StoreResult<bool> {
        let digest = sha256(&[key.client_id.as_bytes(), b"\n", &self.mac].concat());
        tx.signatures().insert_if_new(&SignatureDigest(digest), now)
    }
}
