//! Devices: the tills, handhelds, office programs and tools of a tenant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::{BranchId, DeviceId, DeviceName, Epoch, Instant, JsonObject, RoleId, SessionId, TenantId};

/// The kind of a device, by the name that tills use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Environment {
    /// A till, where goods are sold.
    CashRegister,
    /// A waiter's handheld, where goods are sold.
    #[serde(rename = "PDA")]
    Pda,
    /// The program of the back office.
    BackOffice,
    /// Any other program.
    Tool,
}

impl Environment {
    /// All environments, in the order of declaration.
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

    /// Whether it is a sale device, which one person at a time is logged in on.
    pub const fn sells(self) -> bool {
        matches!(self, Self::CashRegister | Self::Pda)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not one of the four environments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown environment; use CashRegister, PDA, BackOffice or Tool")]
pub struct UnknownEnvironment;

impl FromStr for Environment {
    type Err = UnknownEnvironment;
    fn from_str(text: &str) -> Result<Self, UnknownEnvironment> {
        Self::ALL.into_iter().find(|each| each.name() == text).ok_or(UnknownEnvironment)
    }
}

/// The status of a device. Logins are possible only on an active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceStatus {
    /// Registered, but not in use yet.
    Pending,
    /// In use; logins are possible.
    Active,
    /// Locked temporarily; it becomes active again when unlocked.
    Locked,
    /// Retired for good.
    Retired,
}

/// The text is not the name of a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown device status; use pending, active, locked or retired")]
pub struct UnknownDeviceStatus;

impl DeviceStatus {
    /// All statuses, in the order of declaration.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Locked, Self::Retired];

    /// The name in requests, commands and the database.
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
    /// The identifier of the device.
    pub id: DeviceId,
    /// The tenant to which it belongs.
    pub tenant: TenantId,
    /// The name under which it logs in.
    pub name: DeviceName,
    /// The kind of the device.
    pub environment: Environment,
    /// Whether the device may be used.
    pub status: DeviceStatus,
    /// Its location and purpose, in free text.
    pub description: String,
    /// What the program on the device stores for itself.
    pub preferences: JsonObject,
    /// What the back office sets for the program on the device.
    pub settings: BTreeMap<String, String>,
    /// The store in which it is; a retired device is in none.
    pub branch: Option<BranchId>,
    /// Whether users work on the device as operators, who sign in under its own session.
    pub till_mode: bool,
    /// The roles that the device has when it logs in as itself.
    pub roles: BTreeSet<RoleId>,
    /// Raised to end all sessions on the device, except permanent ones.
    pub epoch: Epoch,
    /// The session of the person who is logged in, on a sale device or one in till mode.
    pub seat: Option<SessionId>,
    /// The permanent session that was generated for the device.
    pub pairing: Option<SessionId>,
    /// The newest use of a session on it, to the minute.
    pub last_seen_at: Option<Instant>,
    /// The instant of its registration.
    pub created_at: Instant,
    /// The instant of its newest change.
    pub updated_at: Instant,
    /// Increased by every change.
    pub version: i64,
}
