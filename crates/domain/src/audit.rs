//! Audit events: who did what, on which device and in which session, to what, when, and with what
//! outcome.

pub mod chain;
pub mod seal;

use std::net::IpAddr;

use uuid::Uuid;

use crate::words::words;
use crate::{
    ApiKeyId, BranchId, DeviceId, EventId, Instant, KeyId, RoleId, SessionId, StoreResult, TenantId, TicketId, UserId,
};

/// The actor of an event. Empty if the server acted by itself, or if the actor is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// The user who acted.
    pub user: Option<UserId>,
    /// The device on which the actor was.
    pub device: Option<DeviceId>,
    /// The session of the actor.
    pub session: Option<SessionId>,
    /// The network address of the request.
    pub address: Option<IpAddr>,
}

/// The subject of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A session of a user or device.
    Session(SessionId),
    /// A user of a tenant.
    User(UserId),
    /// A device of a tenant.
    Device(DeviceId),
    /// A role of a tenant.
    Role(RoleId),
    /// A tenant itself.
    Tenant(TenantId),
    /// A store of a tenant.
    Store(BranchId),
    /// A signing key or refresh key of the server.
    Key(KeyId),
    /// An API key of a program.
    ApiKey(ApiKeyId),
    /// A ticket of a tenant.
    Ticket(TicketId),
    /// The server as a whole.
    Server,
}

impl Subject {
    /// The kind of the subject.
    pub const fn kind(&self) -> SubjectKind {
        match self {
            Self::Session(_) => SubjectKind::Session,
            Self::User(_) => SubjectKind::User,
            Self::Device(_) => SubjectKind::Device,
            Self::Role(_) => SubjectKind::Role,
            Self::Tenant(_) => SubjectKind::Tenant,
            Self::Store(_) => SubjectKind::Store,
            Self::Key(_) => SubjectKind::Key,
            Self::ApiKey(_) => SubjectKind::ApiKey,
            Self::Ticket(_) => SubjectKind::Ticket,
            Self::Server => SubjectKind::Server,
        }
    }

    /// The UUID of the subject; the server has none.
    pub const fn uuid(&self) -> Option<Uuid> {
        match self {
            Self::Session(SessionId(id))
            | Self::User(UserId(id))
            | Self::Device(DeviceId(id))
            | Self::Role(RoleId(id))
            | Self::Tenant(TenantId(id))
            | Self::Store(BranchId(id))
            | Self::Key(KeyId(id))
            | Self::ApiKey(ApiKeyId(id))
            | Self::Ticket(TicketId(id)) => Some(*id),
            Self::Server => None,
        }
    }

    /// The subject of this kind and id; `None` if the id is missing for the kind, or given for the
    /// server.
    pub fn of(kind: SubjectKind, id: Option<Uuid>) -> Option<Self> {
        match kind {
            SubjectKind::Session => id.map(SessionId).map(Self::Session),
            SubjectKind::User => id.map(UserId).map(Self::User),
            SubjectKind::Device => id.map(DeviceId).map(Self::Device),
            SubjectKind::Role => id.map(RoleId).map(Self::Role),
            SubjectKind::Tenant => id.map(TenantId).map(Self::Tenant),
            SubjectKind::Store => id.map(BranchId).map(Self::Store),
            SubjectKind::Key => id.map(KeyId).map(Self::Key),
            SubjectKind::ApiKey => id.map(ApiKeyId).map(Self::ApiKey),
            SubjectKind::Ticket => id.map(TicketId).map(Self::Ticket),
            SubjectKind::Server => id.is_none().then_some(Self::Server),
        }
    }
}

words! {
    /// The kinds of subjects.
    SubjectKind {
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
        /// A signing key or refresh key of the server.
        Key = "key",
        /// An API key of a program.
        ApiKey = "api_key",
        /// A ticket of a tenant.
        Ticket = "ticket",
        /// The server as a whole.
        Server = "server",
    }
}

words! {
    /// The actions that audit events record.
    Action {
        /// A login, or an attempt to log in.
        Login = "login",
        /// A logout of a session.
        Logout = "logout",
        /// A session was ended by somebody else or by a rule; the details give the reason.
        SessionEnd = "session.end",
        /// A user confirmed the password in a session, for operations that require a recent proof.
        StepUp = "step_up",
        /// A refresh token was presented after its successor was in use.
        RefreshReplay = "refresh.replay",
        /// A refresh token was used again from another network than that of its rotation.
        RefreshShared = "refresh.shared",
        /// A refresh token was presented without a valid proof of the key to which its session is
        /// bound.
        RefreshUnproven = "refresh.unproven",
        /// A refresh token or an epoch was ahead of the store: the store was rolled back.
        StoreRollback = "store.back",
        /// A user was added.
        UserAdd = "user.add",
        /// A user was registered by a manager or admin.
        UserRegister = "user.register",
        /// A user was changed.
        UserUpdate = "user.update",
        /// The status of a user was changed.
        UserStatus = "user.status",
        /// A user was deleted.
        UserDelete = "user.delete",
        /// A user was invited to choose a password.
        UserInvite = "user.invite",
        /// A mail to verify the e-mail address of a user was requested.
        EmailVerify = "user.email_verify",
        /// A user proved to receive mail at their e-mail address.
        EmailVerified = "user.email_verified",
        /// The roles of a user were changed.
        UserRoles = "user.roles",
        /// A caller did not have a required right or rank; the details give the requirement and the
        /// call.
        RightMissing = "right.missing",
        /// A password was set or changed.
        Password = "password",
        /// A PIN of a user was set.
        PinSet = "pin.set",
        /// The PIN of a user was removed.
        PinRemove = "pin.remove",
        /// Wrong PINs of a user on a till have reached the limit: the PIN is not accepted there.
        PinStopped = "pin.stopped",
        /// PINs are accepted again on a till after wrong ones.
        PinUnlock = "pin.unlock",
        /// A token was issued to a user who has forgotten the password.
        ResetGrant = "reset.grant",
        /// The failed logins of a user or a network were cleared.
        Unlock = "unlock",
        /// A device was registered.
        DeviceAdd = "device.add",
        /// A device was changed.
        DeviceUpdate = "device.update",
        /// The status of a device was changed.
        DeviceStatus = "device.status",
        /// The enrollment of a device was started: somebody has its code.
        DeviceEnrollStart = "device.enroll.start",
        /// The enrollment of a device was canceled before its code was used.
        DeviceEnrollCancel = "device.enroll.cancel",
        /// A machine presented the code of an enrollment that somebody must confirm.
        DeviceEnrollClaim = "device.enroll.claim",
        /// The key of a machine was accepted for a device.
        DeviceEnrollAccept = "device.enroll.accept",
        /// The key of a machine was denied.
        DeviceEnrollDeny = "device.enroll.deny",
        /// A device was enrolled: its key was registered.
        DeviceEnroll = "device.enroll",
        /// The code of an enrollment was presented again with another key than the enrolled one.
        DeviceEnrollReplay = "device.enroll.replay",
        /// The key of a device was revoked.
        DeviceKeyRevoke = "device.key.revoke",
        /// A role was added.
        RoleAdd = "role.add",
        /// A role was changed.
        RoleUpdate = "role.update",
        /// A role was deleted.
        RoleDelete = "role.delete",
        /// A tenant was added.
        TenantAdd = "tenant.add",
        /// A tenant was changed.
        TenantUpdate = "tenant.update",
        /// A store of a tenant was added.
        StoreAdd = "store.add",
        /// A store of a tenant was renamed.
        StoreUpdate = "store.update",
        /// A store of a tenant was closed.
        StoreClose = "store.close",
        /// A key of the server was created.
        KeyAdd = "key.add",
        /// A key of the server came into use.
        KeyPromote = "key.current",
        /// A key of the server was revoked.
        KeyRevoke = "key.revoke",
        /// A key of the server was removed after its last token.
        KeyRetire = "key.gone",
        /// An API key was added.
        ApiKeyAdd = "api_key.add",
        /// An API key was changed.
        ApiKeyUpdate = "api_key.update",
        /// An API key was revoked or activated again.
        ApiKeyStatus = "api_key.status",
        /// A call with an API key was denied: the secret or signature is wrong, was used before, or
        /// the key is not active.
        ApiKeyUse = "api_key.use",
        /// An API key was given a new secret.
        ApiKeyRotate = "api_key.rotate",
        /// An API key was deleted.
        ApiKeyDelete = "api_key.delete",
        /// A ticket was opened.
        TicketOpen = "ticket.open",
        /// A ticket was changed.
        TicketUpdate = "ticket.update",
        /// A ticket was closed.
        TicketClose = "ticket.close",
        /// A ticket was voided.
        TicketVoid = "ticket.void",
        /// Items of a closed ticket were refunded.
        TicketRefund = "ticket.refund",
        /// A one-time token was denied: it is wrong, used or expired; the details give its kind.
        OneTimeTokenUse = "one_time_token.use",
        /// Tickets were exported.
        TicketExport = "ticket.export",
        /// Users were exported.
        UserExport = "user.export",
        /// An operator accepted the clock.
        ClockAccept = "clock.accept",
        /// An operator declared the store restored from a backup.
        StoreRestored = "store.restored",
        /// A new chain of seals was started.
        AuditReseal = "audit.reseal",
        /// Audit events were exported.
        AuditExport = "audit.export",
        /// A verification of the audit log was started.
        AuditVerify = "audit.verify",
        /// A verification of the audit log was completed; the details give its result.
        AuditVerified = "audit.verified",
    }
}

words! {
    /// The outcome of an action.
    EventOutcome {
        /// The action was done.
        Done = "done",
        /// The action was denied.
        Refused = "refused",
    }
}

/// An audit event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The identifier, created before the unit of work.
    pub id: EventId,
    /// The instant of the action.
    pub at: Instant,
    /// The tenant in whose audit log it appears; `None` for the whole server.
    pub tenant: Option<TenantId>,
    /// The actor of the action.
    pub actor: Actor,
    /// The action itself.
    pub action: Action,
    /// The subject of the action.
    pub subject: Subject,
    /// The outcome of the action.
    pub outcome: EventOutcome,
    /// Further details: a JSON object without secrets.
    pub details: serde_json::Map<String, serde_json::Value>,
    /// The user who approved the action besides the actor.
    pub approver: Option<UserId>,
}

/// The port that records audit events. Every change records its event in its own transaction.
pub trait Audit {
    /// Adds an event, and in the same transaction the [`LiveEvent`](crate::LiveEvent)s that
    /// [`list_for`](crate::LiveEvent::list_for) returns for it. Events are never changed: if the id
    /// exists already, returns an error and changes nothing.
    fn record(&mut self, event: &Event) -> StoreResult<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_is_built_from_kind_and_id() {
        let id = Uuid::from_u128(7);
        for kind in SubjectKind::ALL {
            let expected = (*kind != SubjectKind::Server).then_some(id);
            let subject = Subject::of(*kind, expected).unwrap();
            assert_eq!((subject.kind(), subject.uuid()), (*kind, expected));
            let wrong = if expected.is_some() { None } else { Some(id) };
            assert_eq!(Subject::of(*kind, wrong), None, "{kind:?}");
        }
    }
}
