//! The calls of the page's script: log in, the devices, generate, log out. Their session stands on no device, has no refresh token
//! and is over after a quarter of an hour.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use serde::{Deserialize, Serialize};
use tillgate_auth_core::{Caller, SessionKind, Terms, TokenRefusal, Who};
use tillgate_domain::{Device, DeviceId, Secret, SessionId};
use validator::Validate;

use super::super::envelope::success;
use crate::body;
use crate::call::Call;
use crate::failure::Failure;
use crate::field::{Field, fits, validated};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::open(Method::POST, "/app/login", log_in),
        Route::known(Method::GET, "/app/devices", devices),
        Route::known(Method::POST, "/app/generate", generate),
        Route::known(Method::POST, "/app/logout", log_out),
    ]
}

/// How long somebody may stay at the page.
const VISIT: Terms =
    Terms { access: Duration::from_mins(15), refresh: None, absolute: None, midnight: false, exchange_overlap: None };

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Credentials {
    #[validate(required, length(max = 254), custom(function = "fits"))]
    login: Field<String>,
    #[validate(required, custom(function = "fits"))]
    password: Field<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Wish {
    /// The name of the device.
    #[validate(required, length(max = 254), custom(function = "fits"))]
    device: Field<String>,
    #[validate(required, custom(function = "fits"))]
    password: Field<String>,
}

/// Who visits.
#[derive(Serialize)]
struct Visit<'g> {
    token: &'g str,
    /// In seconds.
    expires_in: u64,
    name: &'g str,
}

#[derive(Serialize)]
struct Open<'d> {
    id: DeviceId,
    name: &'d str,
    environment: &'static str,
    description: &'d str,
}

impl<'d> Open<'d> {
    fn of(device: &'d Device) -> Self {
        let Device { id, name, environment, description, .. } = device;
        Self { id: *id, name: name.as_str(), environment: environment.name(), description }
    }
}

/// The three values that belong together.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Generated<'g> {
    id_token: &'g str,
    refresh_token: &'g str,
    device_id: SessionId,
}

async fn log_in(call: Call) -> Result<HttpResponse, Failure> {
    let sent: Credentials = validated(body::object(call.head().headers(), call.body())?)?;
    let who = Who::User { login: sent.login.given().unwrap_or_default(), device: None };
    let password = Secret::new(sent.password.given().unwrap_or_default());
    let granted = call.login_under(VISIT, who, password).await?;
    let name = granted.profile.user.as_ref().map(|user| user.display_name.as_str()).unwrap_or_default();
    let token = granted.access_token.expose();
    success(&Visit { token, expires_in: granted.access_life.as_secs(), name })
}

async fn devices(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    visiting(&caller)?;
    let devices = call.block(move |engine| engine.devices(&caller)).await?;
    success(&devices.iter().map(Open::of).collect::<Vec<_>>())
}

async fn generate(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    visiting(&caller)?;
    let sent: Wish = validated(body::object(call.head().headers(), call.body())?)?;
    let password = Secret::new(sent.password.given().unwrap_or_default());
    let granted = call.generate(&caller, sent.device.given().unwrap_or_default(), password).await?;
    let (Some(id_token), Some(refresh_token)) = (&granted.id_token, &granted.refresh_token) else {
        return Err(Failure::Fault("a permanent session without its tokens".to_owned()));
    };
    let device_id = granted.session.id;
    success(&Generated { id_token: id_token.expose(), refresh_token: refresh_token.expose(), device_id })
}

async fn log_out(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    visiting(&caller)?;
    call.block(move |engine| engine.logout(&caller)).await?;
    success(&())
}

/// Refuses the permanent token of a program: it is for the REST API, and generates no other.
fn visiting(caller: &Caller) -> Result<(), Failure> {
    let person = caller.in_session().is_some_and(|session| session.kind == SessionKind::Person);
    if person { Ok(()) } else { Err(Failure::Refused(TokenRefusal::Foreign.into())) }
}
