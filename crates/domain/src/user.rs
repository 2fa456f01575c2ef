//! Users: the people who work on devices and in the office. A user says who somebody is; what proves it is kept apart.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::{DeviceId, Email, Epoch, Instant, RoleId, TenantId, UserId, UserName};

/// Where a user stands. Only an active one logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserStatus {
    /// Made, not yet activated.
    Pending,
    /// At work.
    Active,
    /// Held back; good again when activated.
    Suspended,
    /// Gone; the name is free again.
    Deleted,
}

/// A text that names no status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user's status is one of pending, active, suspended, deleted")]
pub struct UnknownUserStatus;

impl UserStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Suspended, Self::Deleted];

    /// The word in requests, commands and the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }
}

impl FromStr for UserStatus {
    type Err = UnknownUserStatus;
    fn from_str(text: &str) -> Result<Self, UnknownUserStatus> {
        Self::ALL.into_iter().find(|each| each.name() == text).ok_or(UnknownUserStatus)
    }
}

/// A person of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Whose they are.
    pub tenant: TenantId,
    /// The name that they log in under.
    pub name: UserName,
    /// The address that they may log in with instead.
    pub email: Option<Email>,
    /// The name that people read.
    pub display_name: String,
    /// Whether they may log in.
    pub status: UserStatus,
    /// The feature that a virtual user stands for. A virtual user never logs in with a password.
    pub feature: Option<String>,
    /// What they may do, and where.
    pub assignment: Assignment,
    /// Whether the password must be changed at the next login, since somebody else has chosen or seen it. Until then the user is
    /// refused after the right password. A device or an API key of the user's is not affected.
    pub password_change_required: bool,
    /// Raised by what ends every session of theirs.
    pub epoch: Epoch,
    /// When they were made.
    pub created_at: Instant,
    /// When they were last changed.
    pub updated_at: Instant,
    /// Raised by every change.
    pub version: i64,
}

impl User {
    /// Whether the user stands for a feature instead of a person.
    pub fn is_virtual(&self) -> bool {
        self.feature.is_some()
    }
}

/// The roles of a user: those without a device, and those on each device that their list names. A listed device without roles is
/// one that they may log in on without a right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// Roles that count in sessions without a device.
    pub office: BTreeSet<RoleId>,
    /// Roles by device.
    pub devices: BTreeMap<DeviceId, BTreeSet<RoleId>>,
}
