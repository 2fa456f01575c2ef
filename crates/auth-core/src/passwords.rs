//! Passwords: hashing, the queue of hashes, and the rules for new passwords.
//!
//! [`PasswordHasher`] is the port and [`Argon2id`] its implementation. All hashes run in the
//! [`HashQueue`], one per core at a time and those of known clients first, so that many logins at
//! once exhaust neither memory nor processors. Passwords are hashed in the form of
//! [`opaque_string`]; [`PasswordPolicy`] decides which may be set. This module does not know whose
//! a password is, or what follows from a wrong one.

mod argon2id;
mod lanes;
mod opaque;
mod policy;
mod queue;

use std::time::Duration;

pub use argon2id::{Argon2id, Cost, InvalidCost};
pub use lanes::Lane;
pub(crate) use lanes::{LaneLimits, Lanes};
pub use opaque::{is_same_password, opaque_string, opaque_verifier, verify_password};
pub use policy::{
    MAX_LIST_BYTES, MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, PasswordList, PasswordListError, PasswordPolicy,
    WeakPassword, check_default_policy,
};
pub use queue::{HashQueue, PasswordCheck, QueueLimits, QueueStats};

use crate::entropy::EntropyError;
use crate::ports::Verifier;

/// The length of the salt of a verifier, in bytes (RFC 9106, section 4).
pub const SALT_BYTES: usize = 16;

/// Hashes passwords. The calls block while a hash is computed; several threads call at the same
/// time.
pub trait PasswordHasher: Send + Sync {
    /// Computes the verifier of a password with this salt. Use a new random salt each time.
    fn hash(&self, password: &str, salt: &[u8; SALT_BYTES]) -> Result<Verifier, HashError>;

    /// Whether the verifier was computed from this password. The comparison takes constant time.
    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError>;

    /// Whether [`hash`](Self::hash) would use other parameters now, so that the verifier should be
    /// replaced at the next login.
    fn needs_rehash(&self, verifier: &Verifier) -> bool;

    /// Does the work by which a failed verification of this verifier was cheaper than one with
    /// today's parameters. Otherwise, the time of a failure would reveal which accounts have an old
    /// verifier, and so which exist.
    fn equalize_cost(&self, password: &str, verifier: &Verifier) -> Result<(), HashError> {
        if self.needs_rehash(verifier) { self.hash(password, &[0; SALT_BYTES]).map(drop) } else { Ok(()) }
    }

    /// Creates a verifier that no password matches except this one, which nobody knows, and whose
    /// verification costs what that of a new verifier does. It is compared for unknown names. By
    /// default it is the hash of the password; a hasher that can make up a hash saves that work at
    /// each start.
    fn create_decoy(&self, password: &str, salt: &[u8; SALT_BYTES]) -> Result<Verifier, HashError> {
        self.hash(password, salt)
    }

    /// Called when no job waits: keeps at most the memory of one hash.
    fn trim_memory(&self) {}

    /// Called when there has been no job for a while: frees all memory.
    fn release_memory(&self) {}
}

/// Why there is no result. None of these says anything about the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The queue is full, or the job has waited too long.
    #[error("too many passwords are waiting to be hashed; retry later")]
    Busy {
        /// When to retry.
        retry_after: Duration,
    },
    /// The caller no longer waits for the result.
    #[error("the caller no longer waits for the password hash")]
    Canceled,
    /// The machine has no memory for the hash.
    #[error("not enough memory to hash a password")]
    NoMemory,
    /// The operating system returned no random bytes for a salt.
    #[error(transparent)]
    NoEntropy(EntropyError),
    /// The stored verifier is malformed. The text contains nothing of it.
    #[error("a stored password verifier is malformed: {0}")]
    Unreadable(&'static str),
    /// The hasher failed for an unknown reason, such as a panic.
    #[error("the password hasher failed")]
    Broken,
}
