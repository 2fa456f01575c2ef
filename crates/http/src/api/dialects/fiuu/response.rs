//! Fiuu's responses: the tokens of a session, and the confirmation of a logout.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_auth_core::IssuedTokens;

use crate::error::ApiError;
use crate::serving::response;

#[derive(Serialize)]
struct TokensBody<'g> {
    access: TokenBody<'g>,
    refresh: TokenBody<'g>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenBody<'g> {
    token: &'g str,
    expires_at: String,
}

pub(super) fn render_tokens(issued: &IssuedTokens) -> Result<HttpResponse, ApiError> {
    let (Some(refresh_token), Some(end)) = (&issued.refresh_token, issued.session_expires_at) else {
        return Err(ApiError::Fault("a Fiuu session without a refresh token or an end".to_owned()));
    };
    let zone = &issued.profile.tenant.zone;
    let access =
        TokenBody { token: issued.access_token.expose(), expires_at: zone.format_local(issued.access_expires_at) };
    let refresh = TokenBody { token: refresh_token.expose(), expires_at: zone.format_local(end) };
    response::render_json(StatusCode::OK, &TokensBody { access, refresh })
}

#[derive(Serialize)]
pub(super) struct LogoutBody {
    pub(super) code: u32,
    pub(super) message: &'static str,
}
