//! What a caller does in the back office is stamped with: when, who, which authority, and fresh ids.

use std::net::IpAddr;

use tillgate_domain::office::{AuditContext, Authority};
use tillgate_domain::{Actor, EventId};

use super::Auth;
use crate::{Caller, Error};

impl Auth {
    /// The stamp of one use case that a contract lets anybody ask for, or that the server does by itself; `address` is where it was
    /// asked from.
    pub fn system_context(&self, address: Option<IpAddr>) -> Result<AuditContext, Error> {
        Ok(AuditContext {
            at: self.time().at,
            event_id: self.new_id(EventId::new)?,
            actor: Actor { address, ..Actor::default() },
            authority: Authority::Host,
            os_user: self.settings.os_user.clone(),
        })
    }

    /// The stamp of one use case of the back office that this caller asks for, with the rights that they hold now. Drawn before
    /// the transaction; each use case takes one of its own.
    pub fn caller_context(&self, caller: &Caller) -> Result<AuditContext, Error> {
        Ok(AuditContext {
            at: self.time().at,
            event_id: self.new_id(EventId::new)?,
            actor: caller.actor(),
            authority: caller.authority(),
            os_user: None,
        })
    }
}
