//! What a caller does in the back office is stamped with: when, who, which authority, and fresh ids.

use tillgate_domain::EventId;
use tillgate_domain::office::{Authority, Stamp};

use super::Auth;
use crate::{Caller, Error};

impl Auth {
    /// The stamp of one use case of the back office that this caller asks for, with the rights that they hold now. Drawn before
    /// the transaction; each use case takes one of its own.
    pub fn stamp(&self, caller: &Caller) -> Result<Stamp, Error> {
        Ok(Stamp {
            at: self.time().at,
            event: self.id(EventId::new)?,
            actor: caller.actor(),
            authority: Authority::Rights(caller.profile.rights.clone()),
        })
    }
}
