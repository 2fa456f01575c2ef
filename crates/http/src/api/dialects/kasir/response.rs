//! Users in responses of POS Kasir.

use serde::Serialize;
use tillgate_auth_core::Profile;
use tillgate_domain::{Email, Instant, Rank, User, UserId, UserStatus};

use crate::error::ApiError;
use crate::timestamps::format_trimmed;

/// A user. `deleted_at` is the time of the last change of a deleted user, because deletion is the
/// last change.
#[derive(Serialize)]
pub(super) struct UserBody<'u> {
    id: UserId,
    username: &'u str,
    email: Option<&'u str>,
    role: Option<&'static str>,
    avatar: Option<&'static str>,
    is_active: bool,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

impl<'u> UserBody<'u> {
    /// Converts a user with the highest role that they have without a device.
    pub(super) fn from_user(user: &'u User, rank: Option<Rank>) -> Self {
        let deleted = user.status == UserStatus::Deleted;
        Self {
            id: user.id,
            username: user.name.as_str(),
            email: user.email.as_ref().map(Email::as_str),
            role: rank.map(Rank::name),
            avatar: None,
            is_active: user.status == UserStatus::Active,
            created_at: format_timestamp(user.created_at),
            updated_at: format_timestamp(user.updated_at),
            deleted_at: deleted.then(|| format_timestamp(user.updated_at)),
        }
    }

    /// Converts the user of a session. Every session of this contract has a user.
    pub(super) fn from_profile(profile: &'u Profile) -> Result<Self, ApiError> {
        let user = profile.user.as_ref();
        let user = user.ok_or_else(|| ApiError::Fault("a POS Kasir session without a user".to_owned()))?;
        Ok(Self::from_user(user, profile.rank))
    }
}

/// Formats a timestamp as this contract requires.
pub(super) fn format_timestamp(at: Instant) -> String {
    format_trimmed(at)
}
