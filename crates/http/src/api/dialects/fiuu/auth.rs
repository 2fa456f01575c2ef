//! Fiuu's authentication: login, refresh, logout.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::{Caller, RequestCredentials, TokenDenied};
use tillgate_domain::Secret;

use super::paths::{LOGIN_PATH, REFRESH_PATH};
use super::request::read_login;
use super::response::{LogoutBody, render_tokens};
use crate::error::ApiError;
use crate::request::Request;
use crate::request::bearer::read_bearer;
use crate::serving::requirement::Requirement;
use crate::serving::response;
use crate::serving::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::public(Method::POST, LOGIN_PATH, log_in),
        Route::public(Method::POST, REFRESH_PATH, refresh_session),
        Route::authenticated(Method::POST, "/auth/logout", Requirement::Authenticated, log_out),
    ]
}

async fn log_in(call: Request) -> Result<HttpResponse, ApiError> {
    let (who, password) = read_login(call.head().headers(), call.body())?;
    render_tokens(&call.log_in(who, password).await?)
}

/// Refreshes a session. The body is ignored.
async fn refresh_session(call: Request) -> Result<HttpResponse, ApiError> {
    let RequestCredentials::Bearer(token) = read_bearer(call.head().headers())? else {
        return Err(ApiError::Denied(TokenDenied::Missing.into()));
    };
    let token = Secret::new(token.to_owned());
    render_tokens(&call.refresh(token, None).await?)
}

async fn log_out(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    call.run_blocking(move |auth| auth.logout(&caller)).await?;
    response::render_json(StatusCode::OK, &LogoutBody { code: 20_000, message: "Operation completed successfully." })
}
