//! Users: the people who work on devices and in the office. Their credentials are stored
//! separately.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::{DeviceId, Email, Epoch, Instant, Locale, RoleId, TenantId, UserId, UserName};

/// The status of a user. Only an active user can log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserStatus {
    /// Added, but not activated yet.
    Pending,
    /// Active; logins are possible.
    Active,
    /// Suspended temporarily; becomes active again when activated.
    Suspended,
    /// Deleted; the name can be used again.
    Deleted,
}

/// The text is not the name of a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown user status; use pending, active, suspended or deleted")]
pub struct UnknownUserStatus;

impl UserStatus {
    /// All statuses, in the order of declaration.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Suspended, Self::Deleted];

    /// The name in requests, commands and the database.
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

/// A user of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The identifier of the user.
    pub id: UserId,
    /// The tenant to which the user belongs.
    pub tenant: TenantId,
    /// The name with which the user logs in.
    pub name: UserName,
    /// The e-mail address with which the user can log in instead.
    pub email: Option<Email>,
    /// The instant at which the user proved to receive mail at this address; `None` until then, and
    /// after a change of the address.
    pub email_verified_at: Option<Instant>,
    /// The name for people.
    pub display_name: String,
    /// Whether the user can log in.
    pub status: UserStatus,
    /// The feature that a virtual user stands for. A virtual user cannot log in with a password.
    pub feature: Option<String>,
    /// The user's roles, without a device and on devices.
    pub assignment: Assignment,
    /// Whether the password must be changed at the next login, because somebody else has chosen or
    /// seen it. Until then, logins are denied after the right password. Devices and API keys of the
    /// user are not affected.
    pub password_change_required: bool,
    /// The language of the user; `None` for that of the tenant.
    pub locale: Option<Locale>,
    /// The instant of the newest login of the user.
    pub last_login_at: Option<Instant>,
    /// Raised to end all sessions of the user, except permanent ones.
    pub epoch: Epoch,
    /// The instant at which the user was added.
    pub created_at: Instant,
    /// The instant of the newest change.
    pub updated_at: Instant,
    /// Increased by every change.
    pub version: i64,
}

impl User {
    /// Whether the user stands for a feature instead of a person.
    pub fn is_virtual(&self) -> bool {
        self.feature.is_some()
    }
}

/// The roles of a user: those without a device, and those on each assigned device. The user may log
/// in on an assigned device without roles, but has no rights there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// The roles in sessions without a device.
    pub office: BTreeSet<RoleId>,
    /// The roles on each assigned device.
    pub devices: BTreeMap<DeviceId, BTreeSet<RoleId>>,
}

impl Assignment {
    /// Whether the role is assigned, without or on any device.
    pub fn contains_role(&self, role: RoleId) -> bool {
        self.office.contains(&role) || self.devices.values().any(|roles| roles.contains(&role))
    }
}
