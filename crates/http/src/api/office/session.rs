//! The session of the browser: sign in, renew, sign out. The tokens are in cookies only.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tillgate_auth_core::{AuthDenied, IssuedTokens, RequestCredentials, TokenDenied};
use tillgate_domain::{EndReason, Instant, Secret};
use validator::Validate;

use super::cookies::CookieNames;
use crate::api::native::CallerBody;
use crate::error::ApiError;
use crate::request::Request;
use crate::request::authentication::authenticate_caller;
use crate::request::body;
use crate::request::cookies::read_cookies;
use crate::request::field::{BodyField, check_password, well_typed};
use crate::request::origin_check::{TrustedSenders, check_origin};
use crate::request::partial_body::validate_body_with;
use crate::serving::response::render_json;
use crate::serving::route::Route;

/// The path of the session below the prefix.
pub(super) const SESSION_PATH: &str = "/session";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::public(Method::POST, SESSION_PATH, start_session),
        Route::public(Method::DELETE, SESSION_PATH, end_session),
    ]
}

/// A sign-in, or a renewal if it names neither a login nor a password.
#[derive(Deserialize, Validate)]
struct SessionRequest {
    #[serde(default)]
    #[validate(length(max = 254), custom(function = "well_typed"))]
    login: BodyField<String>,
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    password: BodyField<Secret<String>>,
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    new_password: BodyField<Secret<String>>,
    /// For a mount that serves every tenant.
    #[serde(default)]
    #[validate(length(max = 63), custom(function = "well_typed"))]
    tenant: BodyField<String>,
}

/// A login with its credentials.
pub(super) struct SignInRequest {
    pub(super) login: String,
    pub(super) password: Secret<String>,
    pub(super) new_password: Option<Secret<String>>,
    pub(super) tenant: Option<String>,
}

/// The session of the browser, without its tokens.
#[derive(Serialize)]
struct SessionStateBody<'s> {
    /// As `GET /sessions/current` of the native API.
    session: CallerBody<'s>,
    /// Lifetime of the access token, in seconds.
    expires_in: u64,
    /// How long the session lasts unless it is renewed, in seconds.
    idle_in: u64,
}

async fn start_session(call: Request) -> Result<HttpResponse, ApiError> {
    check_origin(TrustedSenders::OwnPages, call.head())?;
    let names = CookieNames::require_for(call.head())?;
    let policy = call.auth().build_password_policy();
    let sent = body::read_object::<SessionRequest>(call.head().headers(), call.body())?;
    let sent = validate_body_with(sent, |sent| {
        check_password(policy, "new_password", &sent.new_password, sent.login.as_value().cloned().as_slice())
    })?;
    if sent.login.is_missing() && sent.password.is_missing() {
        let tokens = names.read_renewals(call.head());
        if tokens.is_empty() {
            return Err(ApiError::Denied(TokenDenied::Missing.into()));
        }
        let issued = call.refresh_first_valid(tokens).await?;
        return render_session(&call, names, &issued);
    }
    let sign_in = SignInRequest {
        login: sent.login.into_value().unwrap_or_default(),
        password: sent.password.into_value().unwrap_or_else(|| Secret::new(String::new())),
        new_password: sent.new_password.into_value(),
        tenant: sent.tenant.into_value(),
    };
    let issued = sign_in.run(&call, names).await?;
    render_session(&call, names, &issued)
}

impl SignInRequest {
    /// Signs in with a new session. The sessions that the browser had before end.
    pub(super) async fn run(self, call: &Request, names: &CookieNames) -> Result<IssuedTokens, ApiError> {
        let previous = names.read_renewals(call.head());
        let Self { login, password, new_password, tenant } = self;
        let issued = call.log_in_to_office(login, password, new_password, tenant, previous.clone()).await?;
        call.end_replaced_sessions(previous).await;
        Ok(issued)
    }
}

/// Renders the session of these tokens, and sets them as cookies.
pub(super) fn render_session(
    call: &Request,
    names: &CookieNames,
    issued: &IssuedTokens,
) -> Result<HttpResponse, ApiError> {
    let now = call.auth().time().at;
    let left = |until: Instant| until.duration_since(now).as_secs();
    let body = SessionStateBody {
        session: CallerBody::from_issued_tokens(issued),
        expires_in: left(issued.access_expires_at),
        idle_in: issued.session_expires_at.map_or(Duration::MAX.as_secs(), left),
    };
    let mut response = render_json(StatusCode::OK, &body)?;
    names.set_tokens(&mut response, issued, now);
    Ok(response)
}

async fn end_session(call: Request) -> Result<HttpResponse, ApiError> {
    check_origin(TrustedSenders::OwnPages, call.head())?;
    let names = CookieNames::require_for(call.head())?;
    sign_out(&call, names).await?;
    let mut response = HttpResponse::NoContent().finish();
    render_signed_out(names, &mut response);
    Ok(response)
}

/// Removes the cookies, and what the browser has cached of the pages. What scripts stored are
/// choices such as the language, which stay.
pub(super) fn render_signed_out(names: &CookieNames, response: &mut HttpResponse) {
    names.clear(response);
    response.headers_mut().insert(HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\""));
}

/// Ends the sessions that either cookie identifies. A browser whose session is over is signed out
/// already.
pub(super) async fn sign_out(call: &Request, names: &CookieNames) -> Result<(), ApiError> {
    let access = read_cookies(call.head(), names.access);
    let renewals = names.read_renewals(call.head());
    if !access.is_empty() {
        match authenticate_caller(call.mount(), call.head(), RequestCredentials::AnyBearer(access)).await {
            Ok(caller) => call.run_blocking(move |auth| auth.logout(&caller)).await?,
            Err(ApiError::Denied(AuthDenied::Token(_))) => {}
            Err(failure) => return Err(failure),
        }
    }
    if !renewals.is_empty() {
        call.end_sessions_by_refresh_tokens(renewals, EndReason::Logout).await?;
    }
    Ok(())
}
