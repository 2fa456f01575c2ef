//! Live events: the resources that a unit of work has changed, for clients that follow them.
//!
//! A live event has only ids. A reader looks up what it names when it delivers the event, with the
//! rights that the receiver has then. Live events follow from audit events, since every change
//! records one: a store writes them in [`Audit::record`](crate::Audit::record).

use uuid::Uuid;

use crate::words::words;
use crate::{Action, Event, EventOutcome, Subject, SubjectKind, TenantId};

words! {
    /// What a live event names.
    LiveEventKind {
        /// An audit event.
        AuditEvent = "audit_event",
        /// A session of a user or device.
        Session = "session",
        /// A user of a tenant.
        User = "user",
        /// A device of a tenant.
        Device = "device",
        /// A role of a tenant.
        Role = "role",
        /// A tenant itself.
        Tenant = "tenant",
        /// A store of a tenant.
        Store = "store",
        /// An API key of a program.
        ApiKey = "api_key",
        /// A ticket of a tenant.
        Ticket = "ticket",
    }
}

impl LiveEventKind {
    /// The kind of an audit event's subject; `None` for what belongs to no tenant.
    const fn of_subject(kind: SubjectKind) -> Option<Self> {
        match kind {
            SubjectKind::Session => Some(Self::Session),
            SubjectKind::User => Some(Self::User),
            SubjectKind::Device => Some(Self::Device),
            SubjectKind::Role => Some(Self::Role),
            SubjectKind::Tenant => Some(Self::Tenant),
            SubjectKind::Store => Some(Self::Store),
            SubjectKind::ApiKey => Some(Self::ApiKey),
            SubjectKind::Ticket => Some(Self::Ticket),
            SubjectKind::Key | SubjectKind::Server => None,
        }
    }
}

/// A resource of a tenant that has changed, was added or was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LiveEvent {
    /// The tenant of the resource.
    pub tenant: TenantId,
    /// The kind of the resource.
    pub kind: LiveEventKind,
    /// The id of the resource; `None` if several sessions have ended at once.
    pub subject: Option<Uuid>,
}

impl LiveEvent {
    /// The live events of an audit event: the audit event itself, its subject if that was changed,
    /// and sessions that began or ended. Empty for an audit event of the whole server.
    pub fn list_for(event: &Event) -> Vec<Self> {
        let Some(tenant) = event.tenant else { return Vec::new() };
        let named = |kind, subject| Self { tenant, kind, subject };
        let mut events = vec![named(LiveEventKind::AuditEvent, Some(event.id.0))];
        let subject = event.subject.uuid();
        let changed = LiveEventKind::of_subject(event.subject.kind());
        match (event.action, event.outcome) {
            (Action::RefreshReplay, _) => events.push(named(LiveEventKind::Session, subject)),
            (_, EventOutcome::Refused) => {}
            // an enrollment is a login by a new key; one that replaces a key ends sessions
            (Action::DeviceEnroll, EventOutcome::Done) => {
                events.extend(changed.map(|kind| named(kind, subject)));
                let session = event.actor.session.filter(|_| !event.details.contains_key("replaced"));
                events.push(named(LiveEventKind::Session, session.map(|session| session.0)));
            }
            (Action::Login, EventOutcome::Done) => {
                let replaced = event.details.get("replaced").and_then(|id| id.as_str()?.parse().ok());
                let sessions = [event.actor.session.map(|session| session.0), replaced];
                events.extend(sessions.into_iter().flatten().map(|id| named(LiveEventKind::Session, Some(id))));
            }
            (Action::SessionEnd, EventOutcome::Done) if !matches!(event.subject, Subject::Session(_)) => {
                events.push(named(LiveEventKind::Session, None));
            }
            (action, EventOutcome::Done) => {
                if changes_subject(action) {
                    events.extend(changed.map(|kind| named(kind, subject)));
                }
                if ends_sessions(action) {
                    events.push(named(LiveEventKind::Session, None));
                }
            }
        }
        events
    }
}

/// Whether an action changes what the API shows of its subject.
const fn changes_subject(action: Action) -> bool {
    match action {
        Action::Logout
        | Action::SessionEnd
        // the instant of the proof
        | Action::StepUp
        | Action::UserAdd
        | Action::UserRegister
        | Action::UserUpdate
        | Action::UserStatus
        | Action::UserDelete
        | Action::UserRoles
        | Action::EmailVerified
        | Action::Password
        | Action::DeviceAdd
        | Action::DeviceUpdate
        | Action::DeviceStatus
        | Action::DeviceEnrollStart
        | Action::DeviceEnrollCancel
        | Action::DeviceEnrollClaim
        | Action::DeviceEnrollAccept
        | Action::DeviceEnroll
        | Action::DeviceKeyRevoke
        | Action::RoleAdd
        | Action::RoleUpdate
        | Action::RoleDelete
        | Action::TenantAdd
        | Action::TenantUpdate
        | Action::StoreAdd
        | Action::StoreUpdate
        | Action::StoreClose
        | Action::ApiKeyAdd
        | Action::ApiKeyUpdate
        | Action::ApiKeyStatus
        | Action::ApiKeyRotate
        | Action::ApiKeyDelete
        | Action::TicketOpen
        | Action::TicketUpdate
        | Action::TicketClose
        | Action::TicketVoid
        | Action::TicketRefund => true,
        Action::Login
        | Action::UserInvite
        | Action::EmailVerify
        | Action::RefreshReplay
        | Action::RefreshShared
        | Action::RefreshUnproven
        | Action::DeviceEnrollReplay
        | Action::DeviceEnrollDeny
        | Action::StoreRollback
        | Action::RightMissing
        | Action::PinSet
        | Action::PinRemove
        | Action::PinStopped
        | Action::PinUnlock
        | Action::ResetGrant
        | Action::Unlock
        | Action::KeyAdd
        | Action::KeyPromote
        | Action::KeyRevoke
        | Action::KeyRetire
        | Action::ApiKeyUse
        | Action::OneTimeTokenUse
        | Action::ClockAccept
        | Action::StoreRestored
        | Action::AuditReseal
        | Action::AuditExport
        | Action::TicketExport
        | Action::UserExport
        | Action::AuditVerify
        | Action::AuditVerified => false,
    }
}

/// Whether an action on something else than a session may end sessions.
const fn ends_sessions(action: Action) -> bool {
    matches!(
        action,
        Action::UserStatus
            | Action::UserDelete
            | Action::Password
            | Action::DeviceUpdate
            | Action::DeviceStatus
            | Action::DeviceKeyRevoke
            | Action::StoreRollback
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Actor, DeviceId, EventId, Instant, KeyId, SessionId, UserId};

    fn event(action: Action, subject: Subject, outcome: EventOutcome) -> Event {
        Event {
            id: EventId(Uuid::from_u128(1)),
            at: Instant::from_millis(0),
            tenant: Some(TenantId(Uuid::from_u128(2))),
            actor: Actor { session: Some(SessionId(Uuid::from_u128(3))), ..Actor::default() },
            action,
            subject,
            outcome,
            details: serde_json::Map::new(),
            approver: None,
        }
    }

    /// The kinds and subjects of the live events, without the audit event itself.
    fn changes(event: &Event) -> Vec<(&'static str, Option<u128>)> {
        let events = LiveEvent::list_for(event);
        assert_eq!(events[0].kind, LiveEventKind::AuditEvent);
        assert_eq!(events[0].subject, Some(event.id.0));
        assert!(events.iter().all(|live| Some(live.tenant) == event.tenant));
        events[1..].iter().map(|live| (live.kind.name(), live.subject.map(|id| id.as_u128()))).collect()
    }

    #[test]
    fn live_events_name_what_an_audit_event_changed() {
        use EventOutcome::{Done, Refused};
        let user = Subject::User(UserId(Uuid::from_u128(7)));
        let device = Subject::Device(DeviceId(Uuid::from_u128(8)));
        let session = Subject::Session(SessionId(Uuid::from_u128(9)));
        let tenant = Subject::Tenant(TenantId(Uuid::from_u128(6)));
        for (action, subject, outcome, expected) in [
            (Action::Login, user, Done, vec![("session", Some(3))]),
            (Action::Login, user, Refused, vec![]),
            (Action::Logout, session, Done, vec![("session", Some(9))]),
            (Action::SessionEnd, session, Done, vec![("session", Some(9))]),
            (Action::SessionEnd, user, Done, vec![("session", None)]),
            (Action::RefreshReplay, session, Refused, vec![("session", Some(9))]),
            (Action::RefreshShared, session, Done, vec![]),
            (Action::RefreshUnproven, session, Refused, vec![]),
            (Action::RightMissing, user, Refused, vec![]),
            (Action::UserAdd, user, Done, vec![("user", Some(7))]),
            (Action::UserStatus, user, Done, vec![("user", Some(7)), ("session", None)]),
            (Action::DeviceStatus, device, Done, vec![("device", Some(8)), ("session", None)]),
            (Action::DeviceEnrollStart, device, Done, vec![("device", Some(8))]),
            (Action::DeviceEnroll, device, Done, vec![("device", Some(8)), ("session", Some(3))]),
            (Action::DeviceKeyRevoke, device, Done, vec![("device", Some(8)), ("session", None)]),
            (Action::DeviceEnrollReplay, device, Refused, vec![]),
            (Action::StoreRestored, Subject::Server, Done, vec![]),
            (Action::StepUp, session, Done, vec![("session", Some(9))]),
            (Action::AuditExport, tenant, Done, vec![]),
            (Action::TicketExport, tenant, Done, vec![]),
            (Action::UserExport, tenant, Done, vec![]),
            (Action::AuditVerify, tenant, Done, vec![]),
            (Action::AuditVerified, tenant, Done, vec![]),
            (Action::TenantUpdate, tenant, Done, vec![("tenant", Some(6))]),
            (Action::ResetGrant, user, Done, vec![]),
            (Action::EmailVerify, user, Done, vec![]),
            (Action::EmailVerified, user, Done, vec![("user", Some(7))]),
            (Action::StoreRollback, user, Done, vec![("session", None)]),
            (Action::KeyAdd, Subject::Key(KeyId(Uuid::from_u128(5))), Done, vec![]),
        ] {
            assert_eq!(changes(&event(action, subject, outcome)), expected, "{action:?} {outcome:?}");
        }
    }

    #[test]
    fn login_names_the_session_that_it_replaced() {
        let mut login = event(Action::Login, Subject::User(UserId(Uuid::from_u128(7))), EventOutcome::Done);
        login.details.insert("replaced".to_owned(), json!(SessionId(Uuid::from_u128(4))));
        assert_eq!(changes(&login), [("session", Some(3)), ("session", Some(4))]);
    }

    #[test]
    fn enrollment_that_replaces_a_key_ends_sessions() {
        let device = Subject::Device(DeviceId(Uuid::from_u128(8)));
        let mut enrolled = event(Action::DeviceEnroll, device, EventOutcome::Done);
        enrolled.details.insert("replaced".to_owned(), json!("thumbprint"));
        assert_eq!(changes(&enrolled), [("device", Some(8)), ("session", None)]);
    }

    #[test]
    fn audit_event_of_the_server_has_no_live_event() {
        let mut restored = event(Action::StoreRestored, Subject::Server, EventOutcome::Done);
        restored.tenant = None;
        assert_eq!(LiveEvent::list_for(&restored), []);
    }
}
