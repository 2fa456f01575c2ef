//! What a use case receives from outside its transaction: the current time, new ids and password
//! hashes.

use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::entropy::Entropy;
use tillgate_auth_core::passwords::{Argon2id, Cost, opaque_verifier};
use tillgate_auth_core::system::{SystemClock, SystemEntropy};
use tillgate_domain::office::AuditContext;
use tillgate_domain::{Actor, Authority, EventId, Instant, Secret};

use crate::command::CommandError;
use crate::shell;

/// The system's clock and random numbers.
#[derive(Default)]
pub(crate) struct IdSource {
    clock: SystemClock,
    entropy: SystemEntropy,
}

impl IdSource {
    /// The current time by the system clock.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// New random bytes.
    pub(crate) fn random_bytes<const N: usize>(&self) -> Result<[u8; N], CommandError> {
        let entropy: &dyn Entropy = &self.entropy;
        entropy.random_bytes().map_err(CommandError::failed)
    }

    /// A new id with the current time.
    pub(crate) fn new_id<T>(&self, of: impl Fn(Instant, [u8; 10]) -> T) -> Result<T, CommandError> {
        Ok(of(self.now(), self.random_bytes()?))
    }

    /// The audit context of a change that the operator of this machine makes now.
    pub(crate) fn audit_context(&self) -> Result<AuditContext, CommandError> {
        let event = self.new_id(EventId::new)?;
        Ok(AuditContext {
            at: self.now(),
            event_id: event,
            actor: Actor::default(),
            authority: Authority::Host,
            os_user: Some(shell::shell_user()),
        })
    }

    /// Hashes a password at this cost.
    pub(crate) fn hash_password(&self, cost: Cost, password: &Secret<String>) -> Result<Secret<String>, CommandError> {
        let hasher = Argon2id::new(cost).map_err(CommandError::usage)?;
        opaque_verifier(&hasher, password.expose(), &self.random_bytes()?).map_err(CommandError::failed)
    }
}
