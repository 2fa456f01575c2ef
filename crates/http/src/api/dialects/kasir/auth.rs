//! POS Kasir's authentication: login, current user, password change, refresh, logout.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::{AuthDenied, Caller, RequestCredentials, TokenDenied};
use tillgate_domain::{EndReason, Rank, Secret};

use super::BrowserSettings;
use super::cookies;
use super::paths::{LOGIN_PATH, LOGOUT_PATH, PASSWORD_PATH, REFRESH_PATH};
use super::request::{ChangePasswordBody, read_login, read_refresh};
use super::response::{TokensBody, UserBody, render_data, render_message};
use crate::error::ApiError;
use crate::request::Request;
use crate::request::authentication::authenticate_caller;
use crate::request::bearer::read_bearer;
use crate::request::body;
use crate::request::cookies::{read_cookies, read_secret_cookies};
use crate::request::field::check_password;
use crate::request::origin_check::{TrustedSenders, check_origin};
use crate::request::partial_body::validate_body_with;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;

pub(super) fn routes(web: &Arc<BrowserSettings>) -> Vec<Route> {
    let (to_login, to_refresh, to_logout) = (Arc::clone(web), Arc::clone(web), Arc::clone(web));
    vec![
        Route::public(Method::POST, LOGIN_PATH, move |call| log_in(call, Arc::clone(&to_login))),
        Route::authenticated(Method::GET, "/api/v1/auth/me", Requirement::Role(Rank::Cashier), get_current_user),
        Route::authenticated(Method::PUT, PASSWORD_PATH, Requirement::Role(Rank::Cashier), change_password),
        Route::public(Method::POST, REFRESH_PATH, move |call| refresh_session(call, Arc::clone(&to_refresh))),
        Route::public(Method::POST, LOGOUT_PATH, move |call| log_out(call, Arc::clone(&to_logout))),
    ]
}

async fn log_in(call: Request, web: Arc<BrowserSettings>) -> Result<HttpResponse, ApiError> {
    let (who, password) = read_login(call.head().headers(), call.body())?;
    let previous = read_previous_tokens(&call, &web);
    let issued = call.log_in_with_rank(who, password, Rank::Cashier, previous.clone()).await?;
    call.end_replaced_sessions(previous).await;
    let tokens = TokensBody::from_issued_tokens(&issued, Some(UserBody::from_profile(&issued.profile)?))?;
    let mut response = render_data(StatusCode::OK, "Login successful", &tokens)?;
    web.set_token_cookies(&mut response, call.head(), &issued, call.auth().time().at);
    Ok(response)
}

/// Returns the refresh tokens of earlier sessions in the browser's cookies, if the page that sends
/// them is trusted.
fn read_previous_tokens(call: &Request, web: &BrowserSettings) -> Vec<Secret<String>> {
    let previous = read_secret_cookies(call.head(), cookies::REFRESH_COOKIE);
    if check_origin(TrustedSenders::PagesAndPrograms(&web.origins), call.head()).is_ok() {
        previous
    } else {
        Vec::new()
    }
}

async fn get_current_user(_call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    render_data(StatusCode::OK, "Success", &UserBody::from_profile(&caller.profile)?)
}

async fn change_password(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let sent = body::read_object::<ChangePasswordBody>(call.head().headers(), call.body())?;
    let policy = call.auth().build_password_policy();
    let sent = validate_body_with(sent, |sent| check_password(policy, "new_password", &sent.new_password, &[]))?;
    let [old, new] =
        [sent.old_password, sent.new_password].map(|text| Secret::new(text.into_value().unwrap_or_default()));
    // the contract cannot report the user's API keys; the audit event lists them
    call.change_password(caller, old, new, false).await?;
    render_message(StatusCode::OK, "Password updated successfully")
}

async fn refresh_session(call: Request, web: Arc<BrowserSettings>) -> Result<HttpResponse, ApiError> {
    let issued = match read_refresh_source(&call, &web)? {
        RefreshSource::Reusable(token) => call.refresh_reusable_token(token).await?,
        RefreshSource::Cookies(tokens) => call.refresh_first_valid(tokens).await?,
    };
    let mut response =
        render_data(StatusCode::OK, "Token refreshed successfully", &TokensBody::from_issued_tokens(&issued, None)?)?;
    web.set_token_cookies(&mut response, call.head(), &issued, call.auth().time().at);
    Ok(response)
}

/// The refresh token of a refresh.
enum RefreshSource {
    /// Sent in the body or the header: such a client may keep the refresh token of its login,
    /// because the published response contains no other one.
    Reusable(Secret<String>),
    /// Sent in cookies, which the response replaces. If there are several cookies, any of them may
    /// be valid.
    Cookies(Vec<Secret<String>>),
}

/// Reads the refresh token from the body, otherwise from the cookie, otherwise from the header.
fn read_refresh_source(call: &Request, web: &BrowserSettings) -> Result<RefreshSource, ApiError> {
    if let Some(token) = read_refresh(call.head().headers(), call.body())? {
        return Ok(RefreshSource::Reusable(token));
    }
    let tokens = read_secret_cookies(call.head(), cookies::REFRESH_COOKIE);
    if !tokens.is_empty() {
        check_origin(TrustedSenders::PagesAndPrograms(&web.origins), call.head())?;
        return Ok(RefreshSource::Cookies(tokens));
    }
    match read_bearer(call.head().headers())? {
        // a token with dots is an access token, which is no refresh credential and is ignored
        RequestCredentials::Bearer(token) if !token.is_empty() && !token.contains('.') => {
            Ok(RefreshSource::Reusable(Secret::new(token.to_owned())))
        }
        _ => Err(ApiError::Denied(TokenDenied::Missing.into())),
    }
}

/// Logs out. Requires no role, so that a user who has lost their role can log out. The body is
/// ignored.
async fn log_out(call: Request, web: Arc<BrowserSettings>) -> Result<HttpResponse, ApiError> {
    let header = read_bearer(call.head().headers())?;
    if matches!(header, RequestCredentials::Bearer(_)) {
        let caller = authenticate_caller(call.mount(), call.head(), header).await?;
        call.run_blocking(move |auth| auth.logout(&caller)).await?;
    } else {
        end_sessions_by_cookies(&call, &web).await?;
    }
    let mut response = render_data(StatusCode::OK, "Successfully logged out", &())?;
    web.clear_token_cookies(&mut response, call.head());
    Ok(response)
}

/// Ends the sessions that either cookie identifies. After the access token has expired, the browser
/// may have only the refresh cookie, which still keeps the session alive.
async fn end_sessions_by_cookies(call: &Request, web: &BrowserSettings) -> Result<(), ApiError> {
    let access = read_cookies(call.head(), cookies::ACCESS_COOKIE);
    let refresh = read_secret_cookies(call.head(), cookies::REFRESH_COOKIE);
    if access.is_empty() && refresh.is_empty() {
        return Err(ApiError::Denied(TokenDenied::Missing.into()));
    }
    check_origin(TrustedSenders::PagesAndPrograms(&web.origins), call.head())?;
    let by_access = authenticate_caller(call.mount(), call.head(), RequestCredentials::AnyBearer(access)).await;
    let proven = match refresh.as_slice() {
        [] => 0,
        _ => call.end_sessions_by_refresh_tokens(refresh, EndReason::Logout).await?,
    };
    match by_access {
        Ok(caller) => call.run_blocking(move |auth| auth.logout(&caller)).await,
        Err(ApiError::Denied(AuthDenied::Token(_))) if proven > 0 => Ok(()),
        // a request with only a refresh cookie has credentials, although they are not valid
        Err(ApiError::Denied(AuthDenied::Token(TokenDenied::Missing))) => {
            Err(ApiError::Denied(TokenDenied::Invalid.into()))
        }
        Err(failure) => Err(failure),
    }
}
