//! What a caller does in the back office is stamped with: when, who, which authority, and fresh ids.

use std::net::IpAddr;

use tillgate_domain::office::{Authority, Stamp};
use tillgate_domain::{Actor, EventId};

use super::Auth;
use crate::{Caller, Error};

impl Auth {
    /// The stamp of one use case that a contract lets anybody ask for, or that the server does by itself; `address` is where it was
    /// asked from.
    pub fn own_stamp(&self, address: Option<IpAddr>) -> Result<Stamp, Error> {
        Ok(Stamp {
            at: self.time().at,
            event: self.id(EventId::new)?,
            actor: Actor { address, ..Actor::default() },
            authority: Authority::Host,
            shell: self.settings.shell.clone(),
        })
    }

    /// The stamp of one use case of the back office that this caller asks for, with the rights that they hold now. Drawn before
    /// the transaction; each use case takes one of its own.
    pub fn stamp(&self, caller: &Caller) -> Result<Stamp, Error> {
        Ok(Stamp {
            at: self.time().at,
            event: self.id(EventId::new)?,
            actor: caller.actor(),
            authority: caller.authority(),
            shell: None,
        })
    }
}
