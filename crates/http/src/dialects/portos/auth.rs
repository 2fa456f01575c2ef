//! PORTOS' four calls of authentication.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tillgate_auth_core::{Caller, Granted, Profile, TokenRefusal, Who};
use tillgate_domain::{JsonObject, Rights, Secret, UserId};
use validator::Validate;

use super::refresh_token::{unwrap, wrap};
use crate::answer;
use crate::body;
use crate::call::Call;
use crate::failure::Failure;
use crate::field::{Field, fits, validated};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    ["/api/auth", "/api/v1/auth"]
        .into_iter()
        .flat_map(|path| {
            [
                Route::open(Method::POST, path, log_in),
                Route::known(Method::GET, path, who),
                Route::known(Method::DELETE, path, log_out),
            ]
        })
        .chain(["/api/auth/refresh", "/api/v1/auth/refresh"].map(|path| Route::open(Method::POST, path, refresh)))
        .collect()
}

/// A login. `Password` may be missing: that is a wrong one wherever the device's environment asks for one.
#[derive(Deserialize, Validate)]
#[serde(rename_all = "lowercase", default)]
#[derive(Default)]
struct Credentials {
    #[validate(custom(function = "named"), custom(function = "fits"))]
    username: Field<String>,
    #[validate(custom(function = "fits"))]
    password: Field<String>,
    #[validate(custom(function = "named"), custom(function = "fits"))]
    devicename: Field<String>,
}

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "lowercase", default)]
struct Pair {
    #[validate(custom(function = "named"), custom(function = "fits"))]
    tokenid: Field<String>,
    #[validate(custom(function = "named"), custom(function = "fits"))]
    refreshtoken: Field<String>,
}

/// What is required is there and not blank.
fn named(field: &Field<String>) -> Result<(), validator::ValidationError> {
    match field {
        Field::Given(text) if !text.trim().is_empty() => Ok(()),
        Field::Wrong(_) => Ok(()),
        Field::Given(_) | Field::Missing | Field::Null => Err(validator::ValidationError::new("required")),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tokens<'g> {
    token_id: &'g str,
    refresh_token: &'g str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'g>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the contract's names")]
struct User<'p> {
    id: UserId,
    is_virtual: bool,
    name: &'p str,
    user_name: &'p str,
    feature_name: Option<&'p str>,
    rights: &'p Rights,
    device: Device<'p>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Device<'p> {
    name: &'p str,
    env_name: &'static str,
    description: &'p str,
    preferences: &'p JsonObject,
    settings: &'p BTreeMap<String, String>,
}

pub(super) fn credentials(headers: &HeaderMap, body: &[u8]) -> Result<(Who, Secret<String>), Failure> {
    let sent: Credentials = validated(body::caseless(headers, body)?)?;
    let who = Who::User { login: sent.username.given().unwrap_or_default(), device: sent.devicename.given() };
    Ok((who, Secret::new(sent.password.given().unwrap_or_default())))
}

pub(super) fn pair(headers: &HeaderMap, body: &[u8]) -> Result<(Secret<String>, Option<Secret<String>>), Failure> {
    let sent: Pair = validated(body::caseless(headers, body)?)?;
    let beside = sent.tokenid.given().map(Secret::new);
    let token = sent.refreshtoken.given().map(Secret::new).and_then(|token| unwrap(token.expose()));
    Ok((token.ok_or(Failure::Refused(TokenRefusal::Invalid.into()))?, beside))
}

async fn log_in(call: Call) -> Result<HttpResponse, Failure> {
    let (who, password) = credentials(call.head().headers(), call.body())?;
    let granted = call.login(who, password).await?;
    tokens(&granted, Some(user(&granted.profile)?))
}

async fn refresh(call: Call) -> Result<HttpResponse, Failure> {
    let (token, beside) = pair(call.head().headers(), call.body())?;
    let granted = call.refresh(token, beside).await?;
    tokens(&granted, None)
}

async fn who(_call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    answer::json(StatusCode::OK, &user(&caller.profile)?)
}

async fn log_out(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    call.block(move |engine| engine.logout(&caller)).await?;
    answer::json(StatusCode::OK, &json!({}))
}

fn tokens(granted: &Granted, user: Option<User<'_>>) -> Result<HttpResponse, Failure> {
    let refresh_token = granted.refresh_token.as_ref().and_then(|token| wrap(token.expose()));
    let refresh_token =
        refresh_token.ok_or_else(|| Failure::Fault("a PORTOS session without a refresh token".to_owned()))?;
    let tokens = Tokens { token_id: granted.access_token.expose(), refresh_token: refresh_token.expose(), user };
    answer::json(StatusCode::OK, &tokens)
}

/// The user as PORTOS tells of them. Every session of this contract is a user's on a device.
fn user(profile: &Profile) -> Result<User<'_>, Failure> {
    let (Some(user), Some(device)) = (&profile.user, &profile.device) else {
        return Err(Failure::Fault("a PORTOS session without a user on a device".to_owned()));
    };
    Ok(User {
        id: user.id,
        is_virtual: user.is_virtual(),
        name: &user.display_name,
        user_name: user.name.as_str(),
        feature_name: user.feature.as_deref(),
        rights: &profile.rights,
        device: Device {
            name: device.name.as_str(),
            env_name: device.environment.name(),
            description: &device.description,
            preferences: &device.preferences,
            settings: &device.settings,
        },
    })
}
