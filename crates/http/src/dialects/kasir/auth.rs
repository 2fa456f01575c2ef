//! POS Kasir's calls of authentication: login, who am I, refresh, logout.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tillgate_auth_core::{AuthDenied, Caller, IssuedTokens, LoginIdentity, RequestCredentials, TokenDenied};
use tillgate_domain::{EndReason, Rank, Secret};
use validator::Validate;

use super::BrowserSettings;
use super::cookies;
use super::error::{render_data, render_message};
use super::origin_check;
use super::response::{UserBody, format_timestamp};
use crate::bearer::read_bearer;
use crate::body;
use crate::error::ApiError;
use crate::field::{BodyField, check_password, validate_body, validate_body_with, well_typed};
use crate::request::Request;
use crate::route::Route;
use crate::serve::authenticate_caller;

pub(super) const LOGIN_PATH: &str = "/api/v1/auth/login";
pub(super) const LOGOUT_PATH: &str = "/api/v1/auth/logout";
pub(super) const PASSWORD_PATH: &str = "/api/v1/auth/me/password";
pub(super) const REFRESH_PATH: &str = "/api/v1/auth/refresh";

pub(super) fn routes(web: &Arc<BrowserSettings>) -> Vec<Route> {
    let (to_login, to_refresh, to_logout) = (Arc::clone(web), Arc::clone(web), Arc::clone(web));
    vec![
        Route::public(Method::POST, LOGIN_PATH, move |call| log_in(call, Arc::clone(&to_login))),
        Route::authenticated(Method::GET, "/api/v1/auth/me", get_current_user),
        Route::authenticated(Method::PUT, PASSWORD_PATH, change_password),
        Route::public(Method::POST, REFRESH_PATH, move |call| refresh_session(call, Arc::clone(&to_refresh))),
        Route::public(Method::POST, LOGOUT_PATH, move |call| log_out(call, Arc::clone(&to_logout))),
    ]
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct LoginBody {
    #[validate(required, length(max = 254), custom(function = "well_typed"))]
    email: BodyField<String>,
    #[validate(required, custom(function = "well_typed"))]
    password: BodyField<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct ChangePasswordBody {
    #[validate(required, custom(function = "well_typed"))]
    old_password: BodyField<String>,
    #[validate(required, custom(function = "well_typed"))]
    new_password: BodyField<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct RefreshBody {
    #[validate(custom(function = "well_typed"))]
    refresh_token: BodyField<String>,
}

/// The names are the contract's, the large letter too.
#[derive(Serialize)]
struct TokensBody<'g> {
    #[serde(rename = "Token")]
    token: &'g str,
    refresh_token: &'g str,
    expired_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<UserBody<'g>>,
}

impl<'g> TokensBody<'g> {
    fn from_issued_tokens(granted: &'g IssuedTokens, profile: Option<UserBody<'g>>) -> Result<Self, ApiError> {
        let refresh_token = granted.refresh_token.as_ref();
        let refresh_token =
            refresh_token.ok_or_else(|| ApiError::Fault("a POS Kasir session without a refresh token".to_owned()))?;
        Ok(Self {
            token: granted.access_token.expose(),
            refresh_token: refresh_token.expose(),
            expired_at: format_timestamp(granted.access_expires_at),
            profile,
        })
    }
}

async fn log_in(call: Request, web: Arc<BrowserSettings>) -> Result<HttpResponse, ApiError> {
    let (who, password) = read_login(call.head().headers(), call.body())?;
    let previous = read_previous_tokens(&call, &web);
    let granted = call.log_in_with_rank(who, password, Rank::Cashier, previous.clone()).await?;
    end_replaced_sessions(&call, previous).await;
    let tokens = TokensBody::from_issued_tokens(&granted, Some(UserBody::from_profile(&granted.profile)?))?;
    let mut answer = render_data(StatusCode::OK, "Login successful", &tokens)?;
    web.set_token_cookies(&mut answer, call.head(), &granted, call.auth().time().at);
    Ok(answer)
}

/// The refresh tokens of earlier sessions that the browser still has, where they come from a page that may use them.
fn read_previous_tokens(call: &Request, web: &BrowserSettings) -> Vec<Secret<String>> {
    let previous = to_secrets(cookies::read_cookies(call.head(), cookies::REFRESH_COOKIE));
    if origin_check::check_origin(&web.origins, call.head()).is_ok() { previous } else { Vec::new() }
}

/// Ends the sessions of the refresh cookies that the new session's takes the place of: no client holds them any more (OWASP
/// ASVS 5.0, 7.2.4). The login has succeeded whatever becomes of them.
async fn end_replaced_sessions(call: &Request, old: Vec<Secret<String>>) {
    if old.is_empty() {
        return;
    }
    if let Err(failure) = call.end_sessions_by_refresh_tokens(old, EndReason::Replaced).await {
        tracing::warn!(trace = call.head().trace_id(), ?failure, "the session that a login replaces was not ended");
    }
}

fn to_secrets(tokens: Vec<&str>) -> Vec<Secret<String>> {
    tokens.into_iter().map(|token| Secret::new(token.to_owned())).collect()
}

/// Reads the body of a login.
pub(super) fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(LoginIdentity, Secret<String>), ApiError> {
    let sent: LoginBody = validate_body(body::read_object(headers, body)?)?;
    let who = LoginIdentity::User { login: sent.email.into_value().unwrap_or_default(), device: None };
    Ok((who, Secret::new(sent.password.into_value().unwrap_or_default())))
}

async fn get_current_user(_call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require_rank(Rank::Cashier)?;
    render_data(StatusCode::OK, "Success", &UserBody::from_profile(&caller.profile)?)
}

async fn change_password(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require_rank(Rank::Cashier)?;
    let sent: ChangePasswordBody = body::read_object(call.head().headers(), call.body())?;
    let policy = call.auth().build_password_policy();
    let sent = validate_body_with(sent, |sent| check_password(policy, "new_password", &sent.new_password, &[]))?;
    let [old, new] =
        [sent.old_password, sent.new_password].map(|text| Secret::new(text.into_value().unwrap_or_default()));
    // the contract has no place for the user's API keys: the audit names them
    call.change_password(caller, old, new, false).await?;
    render_message(StatusCode::OK, "Password updated successfully")
}

async fn refresh_session(call: Request, web: Arc<BrowserSettings>) -> Result<HttpResponse, ApiError> {
    let granted = match read_refresh_source(&call, &web)? {
        RefreshSource::Reusable(token) => call.refresh_reusable_token(token).await?,
        RefreshSource::Cookies(tokens) => call.refresh_first_valid(tokens).await?,
    };
    let mut answer =
        render_data(StatusCode::OK, "Token refreshed successfully", &TokensBody::from_issued_tokens(&granted, None)?)?;
    web.set_token_cookies(&mut answer, call.head(), &granted, call.auth().time().at);
    Ok(answer)
}

/// The refresh token of a refresh.
enum RefreshSource {
    /// By body or header: such a client may keep the refresh token of its login, as the published answer names no other.
    Reusable(Secret<String>),
    /// By cookie, which the answer replaces. Of several of one name any may be the right one.
    Cookies(Vec<Secret<String>>),
}

/// The refresh token: from the body, else from the cookie, else from the header.
fn read_refresh_source(call: &Request, web: &BrowserSettings) -> Result<RefreshSource, ApiError> {
    if let Some(token) = read_refresh(call.head().headers(), call.body())? {
        return Ok(RefreshSource::Reusable(token));
    }
    let tokens = cookies::read_cookies(call.head(), cookies::REFRESH_COOKIE);
    if !tokens.is_empty() {
        origin_check::check_origin(&web.origins, call.head())?;
        return Ok(RefreshSource::Cookies(to_secrets(tokens)));
    }
    match read_bearer(call.head().headers())? {
        // an access token has dots; here it proves nothing and is not looked at
        RequestCredentials::Bearer(token) if !token.is_empty() && !token.contains('.') => {
            Ok(RefreshSource::Reusable(Secret::new(token.to_owned())))
        }
        _ => Err(ApiError::Denied(TokenDenied::Missing.into())),
    }
}

/// Reads the body of a refresh, which may be missing: the refresh token, where there is one in it.
pub(super) fn read_refresh(headers: &HeaderMap, body: &[u8]) -> Result<Option<Secret<String>>, ApiError> {
    if body::is_empty_body(body) {
        return Ok(None);
    }
    let sent: RefreshBody = validate_body(body::read_object(headers, body)?)?;
    Ok(sent.refresh_token.into_value().filter(|token| !token.is_empty()).map(Secret::new))
}

/// Asks for no rank: whoever has lost theirs may go too. The body is not looked at.
async fn log_out(call: Request, web: Arc<BrowserSettings>) -> Result<HttpResponse, ApiError> {
    let header = read_bearer(call.head().headers())?;
    if matches!(header, RequestCredentials::Bearer(_)) {
        let caller = authenticate_caller(call.mount(), call.head(), header).await?;
        call.run_blocking(move |engine| engine.logout(&caller)).await?;
    } else {
        end_sessions_by_cookies(&call, &web).await?;
    }
    let mut answer = render_data(StatusCode::OK, "Successfully logged out", &())?;
    web.clear_token_cookies(&mut answer, call.head());
    Ok(answer)
}

/// Ends the sessions that either cookie proves. The access cookie is gone from the browser, or no good, once its token has
/// expired, while the refresh cookie keeps the session alive.
async fn end_sessions_by_cookies(call: &Request, web: &BrowserSettings) -> Result<(), ApiError> {
    let access = cookies::read_cookies(call.head(), cookies::ACCESS_COOKIE);
    let refresh = to_secrets(cookies::read_cookies(call.head(), cookies::REFRESH_COOKIE));
    if access.is_empty() && refresh.is_empty() {
        return Err(ApiError::Denied(TokenDenied::Missing.into()));
    }
    origin_check::check_origin(&web.origins, call.head())?;
    let by_access = authenticate_caller(call.mount(), call.head(), RequestCredentials::AnyBearer(access)).await;
    let proven = match refresh.as_slice() {
        [] => 0,
        _ => call.end_sessions_by_refresh_tokens(refresh, EndReason::Logout).await?,
    };
    match by_access {
        Ok(caller) => call.run_blocking(move |engine| engine.logout(&caller)).await,
        Err(ApiError::Denied(AuthDenied::Token(_))) if proven > 0 => Ok(()),
        // with a refresh cookie alone something was sent, though it proves nothing
        Err(ApiError::Denied(AuthDenied::Token(TokenDenied::Missing))) => {
            Err(ApiError::Denied(TokenDenied::Invalid.into()))
        }
        Err(failure) => Err(failure),
    }
}
