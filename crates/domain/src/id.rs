//! Typed identifiers. Each is a UUID that tillgate creates before the unit of work that stores it,
//! so that a retry after a lost response finds its own work.

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
            /// A `UUIDv7` (RFC 9562, section 5.7) from an instant and ten random bytes. Later
            /// instants sort later.
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
    /// The id of a tenant.
    TenantId,
    /// The id of a store of a tenant.
    BranchId,
    /// The id of a user.
    UserId,
    /// The id of a device.
    DeviceId,
    /// The id of a role.
    RoleId,
    /// The id of a session.
    SessionId,
    /// The id of an audit event.
    EventId,
    /// The id of a signing key or refresh key.
    KeyId,
    /// The id of a running process over the store.
    NodeId,
    /// The id of an API key.
    ApiKeyId,
    /// The id of a request to reset a forgotten password.
    ResetId,
    /// The id of a ticket.
    TicketId,
}

impl NodeId {
    /// When the process started, by its own clock: the time in the id (RFC 9562, section 5.7).
    pub fn started_at(&self) -> Instant {
        Instant::from_millis(i64::try_from(self.0.as_u128() >> 80).unwrap_or(i64::MAX))
    }

    /// A short name of the process for clients: eight of its random digits. Unlike the machine and
    /// the number of the process, it says nothing about the server.
    pub fn short_name(&self) -> String {
        format!("{:08x}", self.0.as_u128() & 0xffff_ffff)
    }
}

/// The owner of a session or a credential: a user, or a device that logs in as itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalId {
    /// A user who logs in.
    User(UserId),
    /// A device that logs in as itself.
    Device(DeviceId),
}

impl PrincipalId {
    /// The UUID of the user or the device, which is the `sub` of a token.
    pub fn uuid(self) -> Uuid {
        match self {
            Self::User(id) => id.0,
            Self::Device(id) => id.0,
        }
    }
}
