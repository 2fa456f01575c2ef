//! The audit: who did what, on which device, in which session, to what, when, and how it went.

pub mod chain;
pub mod seal;

use std::net::IpAddr;

use uuid::Uuid;

use crate::{
    ApiKeyId, BranchId, DeviceId, EventId, Instant, KeyId, RoleId, SessionId, StoreResult, TenantId, TicketId, UserId,
};

/// Who did something. Empty where the server did it itself or nobody could be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub user: Option<UserId>,
    /// The device.
    pub device: Option<DeviceId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The network address that the request came from.
    pub address: Option<IpAddr>,
}

/// What something was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A session.
    Session(SessionId),
    /// A user.
    User(UserId),
    /// A device.
    Device(DeviceId),
    /// A role.
    Role(RoleId),
    /// A tenant.
    Tenant(TenantId),
    /// A store of a tenant.
    Store(BranchId),
    /// A key of the server.
    Key(KeyId),
    /// A key of a program.
    ApiKey(ApiKeyId),
    /// A ticket.
    Ticket(TicketId),
    /// The server as a whole.
    Server,
}

impl Subject {
    /// What kind of thing it is.
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

    /// Its bare id; the server has none.
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

    /// The thing of this kind and id; `None` where a kind has an id and none is given, or the other way round.
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

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$each])* $variant),* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word in the store and in answers.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

words! {
    /// The kinds of things that something is done to.
    SubjectKind {
        /// A session.
        Session = "session",
        /// A user.
        User = "user",
        /// A device.
        Device = "device",
        /// A role.
        Role = "role",
        /// A tenant.
        Tenant = "tenant",
        /// A store of a tenant.
        Store = "store",
        /// A key of the server.
        Key = "key",
        /// A key of a program.
        ApiKey = "api_key",
        /// A ticket.
        Ticket = "ticket",
        /// The server as a whole.
        Server = "server",
    }
}

words! {
    /// What was done.
    Action {
        /// A login.
        Login = "login",
        /// A logout.
        Logout = "logout",
        /// A session ended by another hand or rule; the details say why.
        SessionEnd = "session.end",
        /// A refresh token came again after its successor had been used.
        RefreshReplay = "refresh.replay",
        /// A refresh token was repeated from another address than that of its rotation.
        RefreshShared = "refresh.shared",
        /// A refresh token was ahead of the store: the store went back.
        StoreRollback = "store.back",
        /// A user was made.
        UserAdd = "user.add",
        /// A user was made by somebody above them in rank.
        UserRegister = "user.register",
        /// A user was changed.
        UserUpdate = "user.update",
        /// A user's status changed.
        UserStatus = "user.status",
        /// A user was deleted.
        UserDelete = "user.delete",
        /// A user's roles changed.
        UserRoles = "user.roles",
        /// Somebody lacked a right or a role for what they tried; the details say which, and what it was.
        RightMissing = "right.missing",
        /// A password was set or changed.
        Password = "password",
        /// A token was granted to whoever has forgotten their password.
        ResetGrant = "reset.grant",
        /// Held-back logins of somebody were let go.
        Unlock = "unlock",
        /// A device was registered.
        DeviceAdd = "device.add",
        /// A device was changed.
        DeviceUpdate = "device.update",
        /// A device's status changed.
        DeviceStatus = "device.status",
        /// A role was made.
        RoleAdd = "role.add",
        /// A role was changed.
        RoleUpdate = "role.update",
        /// A role was deleted.
        RoleDelete = "role.delete",
        /// A tenant was made.
        TenantAdd = "tenant.add",
        /// A tenant was changed.
        TenantUpdate = "tenant.update",
        /// A store of a tenant was opened.
        StoreAdd = "store.add",
        /// A store of a tenant has another name.
        StoreUpdate = "store.update",
        /// A store of a tenant was closed.
        StoreClose = "store.close",
        /// A key was made.
        KeyAdd = "key.add",
        /// A key was put into use.
        KeyPromote = "key.current",
        /// A key was revoked.
        KeyRevoke = "key.revoke",
        /// A key was thrown away after its last token.
        KeyRetire = "key.gone",
        /// A key of a program was made.
        ApiKeyAdd = "api_key.add",
        /// A key of a program was changed.
        ApiKeyUpdate = "api_key.update",
        /// A key of a program was revoked, or counts again.
        ApiKeyStatus = "api_key.status",
        /// A program was refused that called by a key: the secret or the signature is wrong, repeated or does not count.
        ApiKeyUse = "api_key.use",
        /// A key of a program was deleted.
        ApiKeyDelete = "api_key.delete",
        /// A ticket was opened.
        TicketOpen = "ticket.open",
        /// A ticket was changed.
        TicketUpdate = "ticket.update",
        /// A ticket was closed.
        TicketClose = "ticket.close",
        /// A ticket was made void.
        TicketVoid = "ticket.void",
        /// Goods of a closed ticket were taken back.
        TicketRefund = "ticket.refund",
        /// The clock was accepted by hand.
        ClockAccept = "clock.accept",
        /// The store was declared restored from a backup.
        StoreRestored = "store.restored",
        /// A new seal was begun outside the database.
        AuditReseal = "audit.reseal",
    }
}

words! {
    /// How it went.
    EventOutcome {
        /// Done.
        Done = "done",
        /// Refused.
        Refused = "refused",
    }
}

/// A line of the audit.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id, drawn before the unit of work.
    pub id: EventId,
    /// When.
    pub at: Instant,
    /// Whose audit it stands in; `None` for what concerns the whole server.
    pub tenant: Option<TenantId>,
    /// Who.
    pub actor: Actor,
    /// Did what.
    pub action: Action,
    /// To what.
    pub subject: Subject,
    /// How it went.
    pub outcome: EventOutcome,
    /// What else there is to know: a JSON object, without a secret in it.
    pub details: serde_json::Map<String, serde_json::Value>,
    /// Who approved it besides the actor.
    pub approver: Option<UserId>,
}

/// Port: tells what happened. Every change tells it in its own transaction.
pub trait Audit {
    /// Adds a line. Lines are never changed.
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
