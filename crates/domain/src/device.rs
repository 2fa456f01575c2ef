//! Devices: every till, handheld, office program and tool that a tenant works with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::{DeviceId, DeviceName, Epoch, Instant, JsonObject, RoleId, SessionId, TenantId};

/// What kind of device it is, by the names that tills use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Environment {
    /// A till.
    CashRegister,
    /// A waiter's handheld.
    #[serde(rename = "PDA")]
    Pda,
    /// The office program.
    BackOffice,
    /// Everything else.
    Tool,
}

impl Environment {
    /// Every environment.
    pub const ALL: [Self; 4] = [Self::CashRegister, Self::Pda, Self::BackOffice, Self::Tool];

    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CashRegister => "CashRegister",
            Self::Pda => "PDA",
            Self::BackOffice => "BackOffice",
            Self::Tool => "Tool",
        }
    }

    /// Whether goods are sold here: one person at a time is logged in on such a device.
    pub const fn sells(self) -> bool {
        matches!(self, Self::CashRegister | Self::Pda)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names none of the four environments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an environment is one of CashRegister, PDA, BackOffice, Tool")]
pub struct UnknownEnvironment;

impl FromStr for Environment {
    type Err = UnknownEnvironment;
    fn from_str(text: &str) -> Result<Self, UnknownEnvironment> {
        Self::ALL.into_iter().find(|each| each.name() == text).ok_or(UnknownEnvironment)
    }
}

/// Where a device stands. Only an active one is logged in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceStatus {
    /// Registered, not yet in use.
    Pending,
    /// In use.
    Active,
    /// Held back; good again when it is unlocked.
    Locked,
    /// Gone for good.
    Retired,
}

/// A text that names no status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a device's status is one of pending, active, locked, retired")]
pub struct UnknownDeviceStatus;

impl DeviceStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Locked, Self::Retired];

    /// The word in requests, commands and the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Locked => "locked",
            Self::Retired => "retired",
        }
    }
}

impl FromStr for DeviceStatus {
    type Err = UnknownDeviceStatus;
    fn from_str(text: &str) -> Result<Self, UnknownDeviceStatus> {
        Self::ALL.into_iter().find(|each| each.name() == text).ok_or(UnknownDeviceStatus)
    }
}

/// A device of a tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The name that it logs in under.
    pub name: DeviceName,
    /// What kind it is.
    pub environment: Environment,
    /// Whether it may be used.
    pub status: DeviceStatus,
    /// Where it stands, what it is for.
    pub description: String,
    /// What the program on it remembers of its own.
    pub preferences: JsonObject,
    /// What the back office sets for the program on it.
    pub settings: BTreeMap<String, String>,
    /// The roles that it has when it logs in as itself.
    pub roles: BTreeSet<RoleId>,
    /// Raised by what ends every session on it.
    pub epoch: Epoch,
    /// The session of the person who works on it, on a sale device.
    pub seat: Option<SessionId>,
    /// The permanent session that was generated for it.
    pub pairing: Option<SessionId>,
    /// When a session on it was last used, to the minute.
    pub last_seen_at: Option<Instant>,
    /// When it was registered.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// Raised by every change.
    pub version: i64,
}
