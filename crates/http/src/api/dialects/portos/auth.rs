//! PORTOS' four authentication operations.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tillgate_auth_core::{Caller, IssuedTokens, LoginIdentity, Profile, TokenDenied};
use tillgate_domain::{JsonObject, Rights, Secret, UserId};
use validator::Validate;

use super::refresh_token::{decode_refresh_token, encode_refresh_token};
use crate::error::ApiError;
use crate::request::Request;
use crate::request::body;
use crate::request::field::{BodyField, validate_body, well_typed};
use crate::serving::response;
use crate::serving::route::Route;

pub(super) fn routes() -> Vec<Route> {
    ["/api/auth", "/api/v1/auth"]
        .into_iter()
        .flat_map(|path| {
            [
                Route::public(Method::POST, path, log_in),
                Route::authenticated(Method::GET, path, get_current_user),
                Route::authenticated(Method::DELETE, path, log_out),
            ]
        })
        .chain(
            ["/api/auth/refresh", "/api/v1/auth/refresh"]
                .map(|path| Route::public(Method::POST, path, refresh_session)),
        )
        .collect()
}

/// A login. `Password` may be missing: that is a wrong password, unless the device's environment
/// requires none.
#[derive(Deserialize, Validate)]
#[serde(rename_all = "lowercase", default)]
#[derive(Default)]
struct LoginBody {
    #[validate(custom(function = "check_not_blank"), custom(function = "well_typed"))]
    username: BodyField<String>,
    #[validate(custom(function = "well_typed"))]
    password: BodyField<String>,
    #[validate(custom(function = "check_not_blank"), custom(function = "well_typed"))]
    devicename: BodyField<String>,
}

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "lowercase", default)]
struct RefreshBody {
    #[validate(custom(function = "check_not_blank"), custom(function = "well_typed"))]
    tokenid: BodyField<String>,
    #[validate(custom(function = "check_not_blank"), custom(function = "well_typed"))]
    refreshtoken: BodyField<String>,
}

/// Validates that a required text is present and not blank.
fn check_not_blank(field: &BodyField<String>) -> Result<(), validator::ValidationError> {
    match field {
        BodyField::Value(text) if !text.trim().is_empty() => Ok(()),
        BodyField::Invalid(_) => Ok(()),
        BodyField::Value(_) | BodyField::Missing | BodyField::Null => Err(validator::ValidationError::new("required")),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokensBody<'g> {
    token_id: &'g str,
    refresh_token: &'g str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserBody<'g>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserBody<'p> {
    id: UserId,
    is_virtual: bool,
    name: &'p str,
    user_name: &'p str,
    feature_name: Option<&'p str>,
    rights: &'p Rights,
    device: DeviceBody<'p>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceBody<'p> {
    name: &'p str,
    env_name: &'static str,
    description: &'p str,
    preferences: &'p JsonObject,
    settings: &'p BTreeMap<String, String>,
}

pub(super) fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(LoginIdentity, Secret<String>), ApiError> {
    let sent: LoginBody = validate_body(body::read_caseless_object(headers, body)?)?;
    let who = LoginIdentity::User {
        login: sent.username.into_value().unwrap_or_default(),
        device: sent.devicename.into_value(),
    };
    Ok((who, Secret::new(sent.password.into_value().unwrap_or_default())))
}

pub(super) fn read_refresh(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Secret<String>, Option<Secret<String>>), ApiError> {
    let sent: RefreshBody = validate_body(body::read_caseless_object(headers, body)?)?;
    let access_token = sent.tokenid.into_value().map(Secret::new);
    let token = sent.refreshtoken.into_value().map(Secret::new).and_then(|token| decode_refresh_token(token.expose()));
    Ok((token.ok_or(ApiError::Denied(TokenDenied::Invalid.into()))?, access_token))
}

async fn log_in(call: Request) -> Result<HttpResponse, ApiError> {
    let (who, password) = read_login(call.head().headers(), call.body())?;
    let issued = call.log_in(who, password).await?;
    render_tokens(&issued, Some(build_user(&issued.profile)?))
}

async fn refresh_session(call: Request) -> Result<HttpResponse, ApiError> {
    let (token, access_token) = read_refresh(call.head().headers(), call.body())?;
    let issued = call.refresh(token, access_token).await?;
    render_tokens(&issued, None)
}

async fn get_current_user(_call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    response::render_json(StatusCode::OK, &build_user(&caller.profile)?)
}

async fn log_out(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    call.run_blocking(move |auth| auth.logout(&caller)).await?;
    response::render_json(StatusCode::OK, &json!({}))
}

fn render_tokens(issued: &IssuedTokens, user: Option<UserBody<'_>>) -> Result<HttpResponse, ApiError> {
    let refresh_token = issued.refresh_token.as_ref().and_then(|token| encode_refresh_token(token.expose()));
    let refresh_token =
        refresh_token.ok_or_else(|| ApiError::Fault("a PORTOS session without a refresh token".to_owned()))?;
    let tokens = TokensBody { token_id: issued.access_token.expose(), refresh_token: refresh_token.expose(), user };
    response::render_json(StatusCode::OK, &tokens)
}

/// Converts the user of a session. Every session of this contract has a user and a device.
fn build_user(profile: &Profile) -> Result<UserBody<'_>, ApiError> {
    let (Some(user), Some(device)) = (&profile.user, &profile.device) else {
        return Err(ApiError::Fault("a PORTOS session without a user on a device".to_owned()));
    };
    Ok(UserBody {
        id: user.id,
        is_virtual: user.is_virtual(),
        name: &user.display_name,
        user_name: user.name.as_str(),
        feature_name: user.feature.as_deref(),
        rights: &profile.rights,
        device: DeviceBody {
            name: device.name.as_str(),
            env_name: device.environment.name(),
            description: &device.description,
            preferences: &device.preferences,
            settings: &device.settings,
        },
    })
}
