//! Passwords: how they are hashed, when, and which are refused.
//!
//! [`PasswordHasher`] is the port, [`Argon2id`] its adapter. Nobody hashes on a thread of their own: [`HashQueue`] takes one hash
//! per core at a time, those of known networks first, so that a storm of logins exhausts neither memory nor processors. Which
//! password belongs to whom, and what follows from a wrong one, is not known here.
//!
//! Passwords are hashed in the form of [`opaque_string`]; [`PasswordPolicy`] decides which may be set.

mod argon2id;
mod lanes;
mod list;
mod opaque;
mod policy;
mod queue;

use std::time::Duration;

pub use argon2id::{Argon2id, Cost, InvalidCost};
pub use lanes::Lane;
pub(crate) use lanes::{LaneLimits, Lanes};
pub use list::{MAX_LIST_BYTES, PasswordList, PasswordListError};
pub use opaque::{is_same_password, opaque_string, opaque_verifier, verify_password};
pub use policy::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, PasswordPolicy, WeakPassword, check_default_policy};
pub use queue::{HashQueue, PasswordCheck, QueueLimits, QueueStats};

use crate::entropy::EntropyError;
use crate::ports::Verifier;

/// How many bytes of salt a verifier is made with (RFC 9106, section 4).
pub const SALT_BYTES: usize = 16;

/// Hashes passwords. It blocks for as long as a hash takes, several at once on as many threads.
pub trait PasswordHasher: Send + Sync {
    /// The verifier of a password under this salt, which is to be drawn anew for each.
    fn hash(&self, password: &str, salt: &[u8; SALT_BYTES]) -> Result<Verifier, HashError>;

    /// Whether a password is the one that the verifier was made of. Compared in constant time.
    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError>;

    /// Whether the verifier was made otherwise than [`hash`](Self::hash) would make it now, and is to be replaced at the next
    /// occasion.
    fn needs_rehash(&self, verifier: &Verifier) -> bool;

    /// Does the work that a failed verification of this verifier has cost less than one of a verifier of today, so that the time of
    /// a failure does not tell whose verifier is old, and so who exists.
    fn equalize_cost(&self, password: &str, verifier: &Verifier) -> Result<(), HashError> {
        if self.needs_rehash(verifier) { self.hash(password, &[0; SALT_BYTES]).map(drop) } else { Ok(()) }
    }

    /// Nobody waits for a hash right now: of the memory that is kept for the next hashes, one hash's is enough.
    fn trim_memory(&self) {}

    /// There has been nothing to hash for a while: what memory is kept for the next hash is given back.
    fn release_memory(&self) {}
}

/// Why there is no hash. None of these says anything of the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Too many wait already, or it was waited for too long.
    #[error("too many passwords wait to be verified")]
    Busy {
        /// When to come again.
        retry_after: Duration,
    },
    /// Nobody waits for it any longer.
    #[error("nobody waits for the password to be verified")]
    Canceled,
    /// The machine has no memory for it.
    #[error("no memory to hash a password in")]
    NoMemory,
    /// No salt could be drawn.
    #[error(transparent)]
    NoEntropy(EntropyError),
    /// The verifier cannot be read. What stands here bears nothing of it.
    #[error("a stored password verifier cannot be read: {0}")]
    Unreadable(&'static str),
    /// The hasher failed in a way that nobody foresaw.
    #[error("the password hasher failed")]
    Broken,
}
