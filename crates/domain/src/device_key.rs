//! Keys of devices. A device makes a key pair and keeps the private key; with proofs of it (RFC
//! 9449) it shows that it is the device that was enrolled.

use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use crate::words::words;
use crate::{DeviceId, Instant, TenantId, UserId};

/// The SHA-256 thumbprint of a public key (RFC 7638).
pub type Thumbprint = [u8; 32];

/// A thumbprint as in responses and audit events: base64url without padding.
pub fn encode_thumbprint(thumbprint: &Thumbprint) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(thumbprint)
}

/// How often the use of a key is stored.
pub const KEY_USE_INTERVAL: Duration = Duration::from_hours(1);

words! {
    /// Where a device keeps its private key, as it says itself.
    KeyStorage {
        /// In hardware from which it cannot be copied.
        Hardware = "hardware",
        /// In a file or the storage of a program, which can be copied.
        Software = "software",
    }
}

words! {
    /// The state of a device's key.
    DeviceKeyState {
        /// The device proves its identity with it. A device has one current key at most.
        Current = "current",
        /// Another enrollment of the device has replaced it.
        Retired = "retired",
        /// The back office has revoked it.
        Revoked = "revoked",
    }
}

/// The public key of a device. A key that is no longer current is kept, so that it is never
/// enrolled again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKey {
    /// The tenant of the device. A key belongs to one device of a tenant, for good.
    pub tenant: TenantId,
    /// The thumbprint of the key.
    pub thumbprint: Thumbprint,
    /// The device whose key it is.
    pub device: DeviceId,
    /// The public key as a JWK (RFC 7517).
    pub jwk: String,
    /// The algorithm of its signatures: `ES256` or `EdDSA`.
    pub algorithm: String,
    /// Where the device keeps the private key.
    pub storage: KeyStorage,
    /// Whether the key is in use.
    pub state: DeviceKeyState,
    /// A name for the machine, as its program gave it at the enrollment.
    pub label: String,
    /// The program and its version, as given at the enrollment.
    pub app: String,
    /// The user who started the enrollment; `None` if it was started on the server's own machine.
    pub enrolled_by: Option<UserId>,
    /// The instant of the enrollment.
    pub enrolled_at: Instant,
    /// The instant since which the key is no longer current.
    pub ended_at: Option<Instant>,
    /// The instant of its last use, a refresh of the device's session, as far as it is stored: at
    /// most once in [`KEY_USE_INTERVAL`].
    pub used_at: Option<Instant>,
}
