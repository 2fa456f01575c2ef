//! The audit context of a use case in the back office: instant, actor, authority and new ids.

use std::net::IpAddr;

use tillgate_domain::office::AuditContext;
use tillgate_domain::{Actor, Authority, EventId};

use super::Auth;
use crate::{Caller, Error};

impl Auth {
    /// The audit context of a use case that anybody may call in a dialect, or that the server runs
    /// by itself. `address` is the network address of the request.
    pub fn system_context(&self, address: Option<IpAddr>) -> Result<AuditContext, Error> {
        Ok(AuditContext {
            at: self.time().at,
            event_id: self.new_id(EventId::new)?,
            actor: Actor { address, ..Actor::default() },
            authority: Authority::Host,
            os_user: self.settings.os_user.clone(),
        })
    }

    /// The audit context of a use case that this caller requests, with the caller's current rights.
    /// Create it before the transaction, and a new one for each use case.
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
