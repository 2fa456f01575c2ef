//! The requests of the page's script: log in, list devices, generate tokens, log out. The session
//! has no device and no refresh token, and expires after 15 minutes.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use tillgate_auth_core::{Caller, LoginIdentity, SessionKind, Terms, TokenDenied};
use tillgate_domain::Secret;

use super::request::{GenerateBody, LoginBody};
use super::response::{DeviceBody, GeneratedTokensBody, VisitBody};
use crate::api::dialects::krmpesan::response::render_success;
use crate::error::ApiError;
use crate::request::Request;
use crate::request::body;
use crate::request::partial_body::validate_body;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::public(Method::POST, "/app/login", log_in),
        Route::authenticated(Method::GET, "/app/devices", Requirement::Authenticated, list_devices),
        Route::authenticated(Method::POST, "/app/generate", Requirement::Authenticated, generate_tokens),
        Route::authenticated(Method::POST, "/app/logout", Requirement::Authenticated, log_out),
    ]
}

/// Terms of the page's session.
const VISIT_TERMS: Terms = Terms {
    access: Duration::from_mins(15),
    refresh: None,
    absolute: None,
    midnight: false,
    exchange_overlap: None,
    office: None,
};

async fn log_in(call: Request) -> Result<HttpResponse, ApiError> {
    let sent: LoginBody = validate_body(body::read_object(call.head().headers(), call.body())?)?;
    let who = LoginIdentity::User { login: sent.login.into_value().unwrap_or_default(), device: None };
    let password = Secret::new(sent.password.into_value().unwrap_or_default());
    let issued = call.log_in_with_terms(VISIT_TERMS, who, password).await?;
    let name = issued.profile.user.as_ref().map(|user| user.display_name.as_str()).unwrap_or_default();
    let token = issued.access_token.expose();
    render_success(&VisitBody { token, expires_in: issued.access_expires_in.as_secs(), name })
}

/// Lists the tills and handhelds. The page does not offer the devices of programs, whose tokens the
/// command line generates.
async fn list_devices(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    check_visit(&caller)?;
    let mut devices = call.run_blocking(move |auth| auth.list_login_devices(&caller)).await?;
    devices.retain(|listed| listed.device.environment.sells());
    render_success(&devices.iter().map(DeviceBody::from_login_device).collect::<Vec<_>>())
}

async fn generate_tokens(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    check_visit(&caller)?;
    let sent: GenerateBody = validate_body(body::read_object(call.head().headers(), call.body())?)?;
    let password = Secret::new(sent.password.into_value().unwrap_or_default());
    let issued = call.generate_permanent_token(&caller, sent.device.into_value().unwrap_or_default(), password).await?;
    let (Some(id_token), Some(refresh_token)) = (&issued.id_token, &issued.refresh_token) else {
        return Err(ApiError::Fault("a permanent session without its tokens".to_owned()));
    };
    let device_id = issued.session.id;
    render_success(&GeneratedTokensBody {
        id_token: id_token.expose(),
        refresh_token: refresh_token.expose(),
        device_id,
    })
}

async fn log_out(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    check_visit(&caller)?;
    call.run_blocking(move |auth| auth.logout(&caller)).await?;
    render_success(&())
}

/// Rejects the permanent token of a program: it is for the REST API and cannot generate other
/// tokens.
fn check_visit(caller: &Caller) -> Result<(), ApiError> {
    let person = caller.session_context().is_some_and(|session| session.kind == SessionKind::Person);
    if person { Ok(()) } else { Err(ApiError::Denied(TokenDenied::WrongAudience.into())) }
}
