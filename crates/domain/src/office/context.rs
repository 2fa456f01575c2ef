//! When, by whom and with which authority the back office does something.

use serde_json::{Map, Value};

use super::error::OfficeError;
use crate::{Action, Actor, Event, EventId, EventOutcome, Instant, KnownRight, PrincipalId, Rights, Subject, TenantId};

/// What a use case is done with. Drawn before the transaction, whose closure may run again.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditContext {
    /// When.
    pub at: Instant,
    /// The id of the audit line.
    pub event_id: EventId,
    /// Who.
    pub actor: Actor,
    /// What they may do.
    pub authority: Authority,
    /// The operating system user who runs a command, such as `anna@pos-1`. It is recorded as `shell` in the details of the audit event.
    pub os_user: Option<String>,
}

/// The detail of an audit event with the operating system user who ran the command.
pub const OS_USER_DETAIL: &str = "shell";

/// What somebody may do in the back office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// Whoever runs commands on the server's own machine: everything.
    Host,
    /// A caller with these rights.
    Rights(Rights),
}

impl Authority {
    /// Whether it covers every right there is, those of later roles too.
    pub(super) fn covers_everything(&self) -> bool {
        match self {
            Self::Host => true,
            Self::Rights(rights) => rights.covers_everything(),
        }
    }

    /// Requires a right.
    pub(super) fn require(&self, right: KnownRight) -> Result<(), OfficeError> {
        match self {
            Self::Host => Ok(()),
            Self::Rights(rights) if rights.allows(right) => Ok(()),
            Self::Rights(_) => Err(OfficeError::RightMissing(right.into())),
        }
    }

    /// Refuses whoever would give away, or take power over, more than they hold themselves.
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
    /// Whether it is this principal itself who calls: the user of a session, or a device that is logged in without one.
    pub(super) fn is_principal(&self, principal: PrincipalId) -> bool {
        match (principal, self.actor.user) {
            (PrincipalId::User(id), Some(user)) => user == id,
            (PrincipalId::Device(id), None) => self.actor.device == Some(id),
            _ => false,
        }
    }

    /// The audit line of something that was done.
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
