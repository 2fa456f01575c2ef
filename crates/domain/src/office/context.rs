//! The audit context of a use case, with the authority of its caller.

use serde_json::{Map, Value};

use crate::{Action, Actor, Authority, Event, EventId, EventOutcome, Instant, PrincipalId, Subject, TenantId};

/// The context of a use case, created before the transaction, whose closure may run again.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditContext {
    /// The instant of the use case.
    pub at: Instant,
    /// The identifier of its audit event.
    pub event_id: EventId,
    /// The caller, as the audit event records it.
    pub actor: Actor,
    /// The rights of the caller.
    pub authority: Authority,
    /// The operating system user who runs a command, such as `anna@pos-1`. It is recorded as
    /// `shell` in the details of the audit event.
    pub os_user: Option<String>,
}

/// The detail of an audit event with the operating system user who ran the command.
pub const OS_USER_DETAIL: &str = "shell";

impl AuditContext {
    /// Whether the caller is this principal itself: the user of a session, or a device that is
    /// logged in as itself.
    pub(super) fn is_principal(&self, principal: PrincipalId) -> bool {
        match (principal, self.actor.user) {
            (PrincipalId::User(id), Some(user)) => user == id,
            (PrincipalId::Device(id), None) => self.actor.device == Some(id),
            _ => false,
        }
    }

    /// Builds the audit event of the use case; without a tenant, an event of the whole server.
    pub(super) fn build_event(
        &self,
        tenant: impl Into<Option<TenantId>>,
        action: Action,
        subject: Subject,
        mut details: Map<String, Value>,
    ) -> Event {
        if let Some(shell) = &self.os_user {
            details.insert(OS_USER_DETAIL.to_owned(), Value::from(shell.as_str()));
        }
        Event {
            id: self.event_id,
            at: self.at,
            tenant: tenant.into(),
            actor: self.actor,
            action,
            subject,
            outcome: EventOutcome::Done,
            details,
            approver: None,
        }
    }
}
