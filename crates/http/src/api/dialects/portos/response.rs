//! PORTOS' responses to its authentication calls: the tokens of a session and its user.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_auth_core::{IssuedTokens, Profile};
use tillgate_domain::{JsonObject, Rights, UserId};

use super::refresh_token::encode_refresh_token;
use crate::error::ApiError;
use crate::serving::response;

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
pub(super) struct UserBody<'p> {
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

pub(super) fn render_tokens(issued: &IssuedTokens, user: Option<UserBody<'_>>) -> Result<HttpResponse, ApiError> {
    let refresh_token = issued.refresh_token.as_ref().and_then(|token| encode_refresh_token(token.expose()));
    let refresh_token =
        refresh_token.ok_or_else(|| ApiError::Fault("a PORTOS session without a refresh token".to_owned()))?;
    let tokens = TokensBody { token_id: issued.access_token.expose(), refresh_token: refresh_token.expose(), user };
    response::render_json(StatusCode::OK, &tokens)
}

/// Converts the user of a session. Every session of this contract has a user and a device.
pub(super) fn build_user(profile: &Profile) -> Result<UserBody<'_>, ApiError> {
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
