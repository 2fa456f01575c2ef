//! When, by whom and with which authority the back office does something.

use serde_json::{Map, Value};

use super::refused::Refused;
use crate::{Action, Actor, Event, EventId, Instant, KnownRight, Outcome, PrincipalId, Rights, Subject, TenantId};

/// What a use case is done with. Drawn before the transaction, whose closure may run again.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamp {
    /// When.
    pub at: Instant,
    /// The id of the audit line.
    pub event: EventId,
    /// Who.
    pub actor: Actor,
    /// What they may do.
    pub authority: Authority,
    /// The operating system user who runs a command, such as `anna@pos-1`. It is recorded as `shell` in the details of the audit event.
    pub shell: Option<String>,
}

/// The detail of an audit event with the operating system user who ran the command.
pub const SHELL: &str = "shell";

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
    pub(super) fn is_admin(&self) -> bool {
        match self {
            Self::Host => true,
            Self::Rights(rights) => rights.is_admin(),
        }
    }

    /// Requires a right.
    pub(super) fn ask(&self, right: KnownRight) -> Result<(), Refused> {
        match self {
            Self::Host => Ok(()),
            Self::Rights(rights) if rights.allow(right) => Ok(()),
            Self::Rights(_) => Err(Refused::Missing(right.into())),
        }
    }

    /// Refuses whoever would give away, or take power over, more than they hold themselves.
    pub(super) fn cover(&self, rights: &Rights) -> Result<(), Refused> {
        match self {
            Self::Host => Ok(()),
            Self::Rights(own) => own.first_missing(rights).map_or(Ok(()), |right| Err(Refused::Missing(right))),
        }
    }
}

impl Stamp {
    /// Whether it is this principal itself who calls: the user of a session, or a device that is logged in without one.
    pub(super) fn is_by(&self, principal: PrincipalId) -> bool {
        match (principal, self.actor.user) {
            (PrincipalId::User(id), Some(user)) => user == id,
            (PrincipalId::Device(id), None) => self.actor.device == Some(id),
            _ => false,
        }
    }

    /// The audit line of something that was done.
    pub(super) fn done(
        &self,
        tenant: TenantId,
        action: Action,
        subject: Subject,
        mut details: Map<String, Value>,
    ) -> Event {
        if let Some(shell) = &self.shell {
            details.insert(SHELL.to_owned(), Value::from(shell.as_str()));
        }
        Event {
            id: self.event,
            at: self.at,
            tenant: Some(tenant),
            actor: self.actor,
            action,
            subject,
            outcome: Outcome::Done,
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
    fn the_host_may_do_everything_and_a_caller_what_they_hold() {
        assert_eq!(Authority::Host.ask(KnownRight::UserCreate), Ok(()));
        assert_eq!(caller(&["userCreate"]).ask(KnownRight::UserCreate), Ok(()));
        assert_eq!(caller(&["admin"]).ask(KnownRight::UserCreate), Ok(()));
        assert_eq!(
            caller(&["userRead"]).ask(KnownRight::UserCreate),
            Err(Refused::Missing(KnownRight::UserCreate.into()))
        );
    }

    #[test]
    fn nobody_gives_away_what_they_do_not_hold() {
        let admin: Rights = Right::parse("admin").into_iter().collect();
        assert_eq!(Authority::Host.cover(&admin), Ok(()));
        assert_eq!(caller(&["admin"]).cover(&admin), Ok(()));
        assert!(matches!(caller(&["userUpdate"]).cover(&admin), Err(Refused::Missing(_))));
    }
}
