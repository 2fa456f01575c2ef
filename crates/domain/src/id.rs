//! Typed ids. Every id is a UUID that tillgate makes itself, before the unit of work that stores it: a client's retry after a
//! lost answer then finds its own work.

use std::fmt;

use uuid::Uuid;

use crate::Instant;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A `UUIDv7` (RFC 9562, 5.7) of this instant and these ten random bytes. Later instants sort later.
            pub fn new(at: Instant, random: [u8; 10]) -> Self {
                let millis = u64::try_from(at.millis()).unwrap_or_default();
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// A vendor.
    TenantId,
    /// A store of a tenant.
    BranchId,
    /// A person.
    UserId,
    /// A till, a handheld, an office program or a tool.
    DeviceId,
    /// A named set of rights.
    RoleId,
    /// A login and what was refreshed from it.
    SessionId,
    /// A line of the audit.
    EventId,
    /// A signing or refresh key of the server.
    KeyId,
    /// A running process over the store.
    NodeId,
    /// A key that a program signs its requests with.
    ApiKeyId,
    /// A request to reset a forgotten password.
    ResetId,
    /// A ticket.
    TicketId,
}

/// Who a session belongs to and who a credential proves: a user, or a device that logs in as itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalId {
    /// A person.
    User(UserId),
    /// A device as itself.
    Device(DeviceId),
}

impl PrincipalId {
    /// The bare UUID, the `sub` of a token.
    pub fn uuid(self) -> Uuid {
        match self {
            Self::User(id) => id.0,
            Self::Device(id) => id.0,
        }
    }
}
