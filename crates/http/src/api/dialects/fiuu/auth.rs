//! Fiuu's authentication: login, refresh, logout.

use actix_web::HttpResponse;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tillgate_auth_core::{Caller, IssuedTokens, LoginIdentity, RequestCredentials, TokenDenied};
use tillgate_domain::{DeviceName, Secret};
use validator::{Validate, ValidationError};

use super::error::POS_ID_CODE;
use crate::error::ApiError;
use crate::request::Request;
use crate::request::bearer::read_bearer;
use crate::request::body;
use crate::request::field::{BodyField, validate_body, well_typed};
use crate::serving::response;
use crate::serving::route::Route;

pub(super) const LOGIN_PATH: &str = "/auth/login";
pub(super) const REFRESH_PATH: &str = "/auth/refresh";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::public(Method::POST, LOGIN_PATH, log_in),
        Route::public(Method::POST, REFRESH_PATH, refresh_session),
        Route::authenticated(Method::POST, "/auth/logout", log_out),
    ]
}

/// A login. The password may have any length: an empty or overlong one is a wrong password.
#[derive(Deserialize, Validate)]
struct LoginBody {
    #[serde(default, rename = "posId")]
    #[validate(required, custom(function = "check_pos_id"))]
    pos_id: BodyField<String>,
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    password: BodyField<String>,
}

/// Validates that the name is a valid device name.
fn check_pos_id(field: &BodyField<String>) -> Result<(), ValidationError> {
    match field {
        BodyField::Missing | BodyField::Null => Ok(()),
        BodyField::Value(name) if DeviceName::parse(name).is_ok() => Ok(()),
        BodyField::Value(_) | BodyField::Invalid(_) => Err(ValidationError::new(POS_ID_CODE)),
    }
}

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

fn render_tokens(issued: &IssuedTokens) -> Result<HttpResponse, ApiError> {
    let (Some(refresh_token), Some(end)) = (&issued.refresh_token, issued.session_expires_at) else {
        return Err(ApiError::Fault("a Fiuu session without a refresh token or an end".to_owned()));
    };
    let zone = &issued.profile.tenant.zone;
    let access =
        TokenBody { token: issued.access_token.expose(), expires_at: zone.format_local(issued.access_expires_at) };
    let refresh = TokenBody { token: refresh_token.expose(), expires_at: zone.format_local(end) };
    response::render_json(StatusCode::OK, &TokensBody { access, refresh })
}

async fn log_in(call: Request) -> Result<HttpResponse, ApiError> {
    let (who, password) = read_login(call.head().headers(), call.body())?;
    render_tokens(&call.log_in(who, password).await?)
}

/// Reads the body of a login.
pub(super) fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(LoginIdentity, Secret<String>), ApiError> {
    let sent: LoginBody = validate_body(body::read_object_or_form(headers, body)?)?;
    let who = LoginIdentity::Device { device: sent.pos_id.into_value().unwrap_or_default() };
    Ok((who, Secret::new(sent.password.into_value().unwrap_or_default())))
}

/// Refreshes a session. The body is ignored.
async fn refresh_session(call: Request) -> Result<HttpResponse, ApiError> {
    let RequestCredentials::Bearer(token) = read_bearer(call.head().headers())? else {
        return Err(ApiError::Denied(TokenDenied::Missing.into()));
    };
    let token = Secret::new(token.to_owned());
    render_tokens(&call.refresh(token, None).await?)
}

#[derive(Serialize)]
struct LogoutBody {
    code: u32,
    message: &'static str,
}

async fn log_out(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    call.run_blocking(move |auth| auth.logout(&caller)).await?;
    response::render_json(StatusCode::OK, &LogoutBody { code: 20_000, message: "Operation completed successfully." })
}
