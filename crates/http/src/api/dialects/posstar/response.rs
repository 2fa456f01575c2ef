//! The bodies of PosStar's responses.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_auth_core::{IssuedTokens, Profile};
use tillgate_domain::{BranchId, Email, Rank, TenantId, User, UserId};

use crate::error::ApiError;
use crate::serving::response;

#[derive(Serialize)]
struct LoginResultBody<'g> {
    access_token: &'g str,
    user: UserBody<'g>,
}

#[derive(Serialize)]
pub(super) struct ExchangedTokenBody<'g> {
    pub(super) access_token: &'g str,
}

#[derive(Serialize)]
pub(super) struct UserBody<'p> {
    id: UserId,
    email: Option<&'p str>,
    name: &'p str,
    role: Option<&'static str>,
    vendor_id: TenantId,
}

#[derive(Serialize)]
pub(super) struct CurrentUserBody<'p> {
    #[serde(flatten)]
    pub(super) person: UserBody<'p>,
    pub(super) store_id: Option<BranchId>,
    /// Always null; users have no avatars.
    pub(super) avatar: Option<()>,
    pub(super) created_at: String,
}

/// Returns the user of a session. Every session of this contract has a user.
pub(super) fn require_user(profile: &Profile) -> Result<&User, ApiError> {
    profile.user.as_ref().ok_or_else(|| ApiError::Fault("a PosStar session without a user".to_owned()))
}

pub(super) fn build_user(profile: &Profile) -> Result<UserBody<'_>, ApiError> {
    let user = require_user(profile)?;
    Ok(UserBody {
        id: user.id,
        email: user.email.as_ref().map(Email::as_str),
        name: &user.display_name,
        role: profile.rank.map(Rank::name),
        vendor_id: profile.tenant.id,
    })
}

/// Renders the response to a login or a registration.
pub(super) fn render_login(status: StatusCode, issued: &IssuedTokens) -> Result<HttpResponse, ApiError> {
    let body = LoginResultBody { access_token: issued.access_token.expose(), user: build_user(&issued.profile)? };
    response::render_json(status, &body)
}

#[derive(Serialize)]
pub(super) struct MessageBody {
    pub(super) message: &'static str,
}
