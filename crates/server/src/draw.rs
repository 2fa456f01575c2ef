//! What a use case needs from outside and may draw only before its transaction: the instant, fresh ids, the hash of a password.

use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::entropy::Entropy;
use tillgate_auth_core::passwords::{Argon2id, opaque_verifier};
use tillgate_auth_core::system::{SystemClock, SystemEntropy};
use tillgate_domain::office::{Authority, Stamp};
use tillgate_domain::{Actor, EventId, Instant, Secret};

use crate::command::Stop;
use crate::configuration::Settings;
use crate::{compose, shell};

/// The machine's clock and chance.
#[derive(Default)]
pub(crate) struct Draw {
    clock: SystemClock,
    entropy: SystemEntropy,
}

impl Draw {
    /// The instant of now, by the machine's clock.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Fresh random bytes.
    pub(crate) fn bytes<const N: usize>(&self) -> Result<[u8; N], Stop> {
        let entropy: &dyn Entropy = &self.entropy;
        entropy.draw().map_err(Stop::failed)
    }

    /// A new id.
    pub(crate) fn id<T>(&self, of: impl Fn(Instant, [u8; 10]) -> T) -> Result<T, Stop> {
        Ok(of(self.now(), self.bytes()?))
    }

    /// The stamp of something that whoever runs this program does now.
    pub(crate) fn stamp(&self) -> Result<Stamp, Stop> {
        let event = self.id(EventId::new)?;
        Ok(Stamp {
            at: self.now(),
            event,
            actor: Actor::default(),
            authority: Authority::Host,
            shell: Some(shell::name()),
        })
    }

    /// The hash of a password, at the cost that the settings say.
    pub(crate) fn verifier(&self, settings: &Settings, password: &Secret<String>) -> Result<Secret<String>, Stop> {
        let hasher = Argon2id::new(compose::cost(settings)).map_err(Stop::usage)?;
        opaque_verifier(&hasher, password.expose(), &self.bytes()?).map_err(Stop::failed)
    }
}
