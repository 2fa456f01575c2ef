//! The names of the fields that errors of the back office are about.

use std::fmt;

/// A field of a request, under its name in the native API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldName {
    /// The slug of a tenant.
    Slug,
    /// The name of a tenant, a device or a role.
    Name,
    /// The name of a user.
    UserName,
    /// The e-mail address of a user.
    Email,
    /// The display name of a user.
    DisplayName,
    /// The display name of a role.
    Label,
    /// The description of an entity.
    Description,
    /// The feature of a virtual user.
    Feature,
    /// The names of roles.
    Roles,
    /// The rights of a role.
    Rights,
    /// The environments of a role.
    Environments,
    /// The names of devices.
    Devices,
    /// The settings of a device.
    Settings,
    /// The preferences of a device.
    Preferences,
    /// The status of an entity.
    Status,
    /// The password of a user or a device.
    Password,
    /// Whether a user must change the password at the next login.
    PasswordChangeRequired,
    /// The caller's current password, as a proof of identity.
    CurrentPassword,
    /// The permissions of an API key.
    Permissions,
    /// The user as a whole.
    User,
    /// The device as a whole.
    Device,
    /// The enrollment of a device as a whole.
    Enrollment,
    /// The key of a device as a whole.
    DeviceKey,
    /// How long the code of an enrollment is valid.
    ExpiresIn,
    /// The API key as a whole.
    ApiKey,
    /// The instant from which an API key is not accepted any more.
    ExpiresAt,
    /// How long the previous secret of an API key is accepted after a rotation.
    SecretOverlap,
    /// The role as a whole.
    Role,
    /// The tenant as a whole.
    Tenant,
    /// The store of a tenant as a whole.
    Store,
    /// The limit for the lifetime of access tokens.
    Access,
    /// The limit for the idle timeout of sessions.
    Idle,
    /// The limit for the absolute timeout of sessions.
    Absolute,
    /// The limit for the grace period of refresh tokens.
    Overlap,
    /// The audit event as a whole.
    Event,
    /// The ticket as a whole.
    Ticket,
    /// The owner of a ticket.
    Owner,
}

impl FieldName {
    /// The name in requests and responses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slug => "slug",
            Self::Name => "name",
            Self::UserName => "user_name",
            Self::Email => "email",
            Self::DisplayName => "display_name",
            Self::Label => "label",
            Self::Description => "description",
            Self::Feature => "feature",
            Self::Roles => "roles",
            Self::Rights => "rights",
            Self::Environments => "environments",
            Self::Devices => "devices",
            Self::Settings => "settings",
            Self::Preferences => "preferences",
            Self::Status => "status",
            Self::Password => "password",
            Self::PasswordChangeRequired => "password_change_required",
            Self::CurrentPassword => "current_password",
            Self::Permissions => "permissions",
            Self::User => "user",
            Self::Device => "device",
            Self::Enrollment => "enrollment",
            Self::DeviceKey => "key",
            Self::ExpiresIn => "expires_in",
            Self::ApiKey => "api_key",
            Self::ExpiresAt => "expires_at",
            Self::SecretOverlap => "overlap_hours",
            Self::Role => "role",
            Self::Tenant => "tenant",
            Self::Store => "store",
            Self::Access => "limits/access",
            Self::Idle => "limits/idle",
            Self::Absolute => "limits/absolute",
            Self::Overlap => "limits/overlap",
            Self::Event => "event",
            Self::Ticket => "ticket",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
