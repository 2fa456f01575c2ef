//! POS Kasir's responses: `{message, data}` around tokens, users and everything else.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_auth_core::{IssuedTokens, Profile};
use tillgate_domain::{Email, Instant, Rank, User, UserId, UserStatus};

use crate::error::ApiError;
use crate::serving::response;
use crate::timestamps::format_trimmed;

#[derive(Serialize)]
struct SuccessBody<'d, T> {
    message: &'static str,
    data: &'d T,
}

/// Renders a response with data.
pub(super) fn render_data<T: Serialize>(
    status: StatusCode,
    message: &'static str,
    data: &T,
) -> Result<HttpResponse, ApiError> {
    response::render_json(status, &SuccessBody { message, data })
}

/// Renders a response with a message only.
pub(super) fn render_message(status: StatusCode, message: &'static str) -> Result<HttpResponse, ApiError> {
    #[derive(Serialize)]
    struct MessageBody {
        message: &'static str,
    }
    response::render_json(status, &MessageBody { message })
}

/// Tokens in a response; the names, including the capital letter, are those of the contract.
#[derive(Serialize)]
pub(super) struct TokensBody<'g> {
    #[serde(rename = "Token")]
    token: &'g str,
    refresh_token: &'g str,
    expired_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<UserBody<'g>>,
}

impl<'g> TokensBody<'g> {
    pub(super) fn from_issued_tokens(
        issued: &'g IssuedTokens,
        profile: Option<UserBody<'g>>,
    ) -> Result<Self, ApiError> {
        let refresh_token = issued.refresh_token.as_ref();
        let refresh_token =
            refresh_token.ok_or_else(|| ApiError::Fault("a POS Kasir session without a refresh token".to_owned()))?;
        Ok(Self {
            token: issued.access_token.expose(),
            refresh_token: refresh_token.expose(),
            expired_at: format_timestamp(issued.access_expires_at),
            profile,
        })
    }
}

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
