//! The audit context of a use case, and the authority of its caller.

use serde_json::{Map, Value};

use super::error::OfficeError;
use crate::{Action, Actor, Event, EventId, EventOutcome, Instant, KnownRight, PrincipalId, Rights, Subject, TenantId};

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

/// The authority of a caller in the back office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// A command on the server's own machine, which may do everything.
    Host,
    /// A caller with these rights.
    Rights(Rights),
}

impl Authority {
    /// Whether it includes every right, including rights that are added later.
    pub(super) fn covers_everything(&self) -> bool {
        match self {
            Self::Host => true,
            Self::Rights(rights) => rights.covers_everything(),
        }
    }

    /// Checks that the caller has a right.
    pub(super) fn require(&self, right: KnownRight) -> Result<(), OfficeError> {
        match self {
            Self::Host => Ok(()),
            Self::Rights(rights) if rights.allows(right) => Ok(()),
            Self::Rights(_) => Err(OfficeError::RightMissing(right.into())),
        }
    }

    /// Checks that the caller has all of these rights, so that nobody grants or controls more
    /// rights than their own.
    pub(super) fn require_all(&self, rights: &Rights) -> Result<(), OfficeError> {
        match self {
            Self::Host => Ok(()),
            Self::Rights(own) => {
                own.first_missing(rights).map_or(Ok(()), |right| Err(OfficeError::RightMissing(right)))
            }
        }
    }
}

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

    /// Builds the audit event of the use case.
    pub(super) fn build_event(
        &self,
        tenant: TenantId,
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
            tenant: Some(tenant),
            actor: self.actor,
            action,
            subject,
            outcome: EventOutcome::Done,
            details,
            approver: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Right;

    fn caller(names: &[&str]) -> Authority {
        Authority::Rights(names.iter().filter_map(|name| Right::parse(name).ok()).collect())
    }

    #[test]
    fn host_holds_every_right_and_caller_their_own() {
        assert_eq!(Authority::Host.require(KnownRight::UserCreate), Ok(()));
        assert_eq!(caller(&["userCreate"]).require(KnownRight::UserCreate), Ok(()));
        assert_eq!(caller(&["admin"]).require(KnownRight::UserCreate), Ok(()));
        assert_eq!(
            caller(&["userRead"]).require(KnownRight::UserCreate),
            Err(OfficeError::RightMissing(KnownRight::UserCreate.into()))
        );
    }

    #[test]
    fn caller_cannot_grant_rights_they_lack() {
        let admin: Rights = Right::parse("admin").into_iter().collect();
        assert_eq!(Authority::Host.require_all(&admin), Ok(()));
        assert_eq!(caller(&["admin"]).require_all(&admin), Ok(()));
        assert!(matches!(caller(&["userUpdate"]).require_all(&admin), Err(OfficeError::RightMissing(_))));
    }
}
