//! Fiuu's calls of authentication: login, refresh, logout.

use actix_web::HttpResponse;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tillgate_auth_core::{Caller, Evidence, Granted, TokenRefusal, Who};
use tillgate_domain::{DeviceName, Secret};
use validator::{Validate, ValidationError};

use super::envelope::POS_ID;
use crate::answer;
use crate::bearer::bearer;
use crate::body;
use crate::call::Call;
use crate::failure::Failure;
use crate::field::{Field, fits, validated};
use crate::route::Route;

pub(super) const LOGIN: &str = "/auth/login";
pub(super) const REFRESH: &str = "/auth/refresh";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::open(Method::POST, LOGIN, log_in),
        Route::open(Method::POST, REFRESH, refresh),
        Route::known(Method::POST, "/auth/logout", log_out),
    ]
}

/// The password may be empty or long: that is a wrong one.
#[derive(Deserialize, Validate)]
struct Credentials {
    #[serde(default, rename = "posId")]
    #[validate(required, custom(function = "pos_id"))]
    pos_id: Field<String>,
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    password: Field<String>,
}

/// A name that a device can have.
fn pos_id(field: &Field<String>) -> Result<(), ValidationError> {
    match field {
        Field::Missing | Field::Null => Ok(()),
        Field::Given(name) if DeviceName::parse(name).is_ok() => Ok(()),
        Field::Given(_) | Field::Wrong(_) => Err(ValidationError::new(POS_ID)),
    }
}

#[derive(Serialize)]
struct Tokens<'g> {
    access: Token<'g>,
    refresh: Token<'g>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Token<'g> {
    token: &'g str,
    expires_at: String,
}

fn tokens(granted: &Granted) -> Result<HttpResponse, Failure> {
    let (Some(refresh_token), Some(end)) = (&granted.refresh_token, granted.session_expires_at) else {
        return Err(Failure::Fault("a Fiuu session without a refresh token or an end".to_owned()));
    };
    let zone = &granted.profile.tenant.zone;
    let access = Token { token: granted.access_token.expose(), expires_at: zone.local(granted.access_expires_at) };
    let refresh = Token { token: refresh_token.expose(), expires_at: zone.local(end) };
    answer::json(StatusCode::OK, &Tokens { access, refresh })
}

async fn log_in(call: Call) -> Result<HttpResponse, Failure> {
    let (who, password) = credentials(call.head().headers(), call.body())?;
    tokens(&call.login(who, password).await?)
}

/// Reads the body of a login.
pub(super) fn credentials(headers: &HeaderMap, body: &[u8]) -> Result<(Who, Secret<String>), Failure> {
    let sent: Credentials = validated(body::object_or_form(headers, body)?)?;
    let who = Who::Device { device: sent.pos_id.given().unwrap_or_default() };
    Ok((who, Secret::new(sent.password.given().unwrap_or_default())))
}

/// The body is not looked at.
async fn refresh(call: Call) -> Result<HttpResponse, Failure> {
    let Evidence::Bearer(token) = bearer(call.head().headers())? else {
        return Err(Failure::Refused(TokenRefusal::Missing.into()));
    };
    let token = Secret::new(token.to_owned());
    tokens(&call.refresh(token, None).await?)
}

#[derive(Serialize)]
struct Done {
    code: u32,
    message: &'static str,
}

async fn log_out(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    call.block(move |engine| engine.logout(&caller)).await?;
    answer::json(StatusCode::OK, &Done { code: 20_000, message: "Operation completed successfully." })
}
