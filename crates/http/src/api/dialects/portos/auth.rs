//! PORTOS' four authentication operations.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde_json::json;
use tillgate_auth_core::Caller;

use super::request::{read_login, read_refresh};
use super::response::{build_user, render_tokens};
use crate::error::ApiError;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::response;
use crate::serving::route::Route;

pub(super) fn routes() -> Vec<Route> {
    ["/api/auth", "/api/v1/auth"]
        .into_iter()
        .flat_map(|path| {
            [
                Route::public(Method::POST, path, log_in),
                Route::authenticated(Method::GET, path, Requirement::Authenticated, get_current_user),
                Route::authenticated(Method::DELETE, path, Requirement::Authenticated, log_out),
            ]
        })
        .chain(
            ["/api/auth/refresh", "/api/v1/auth/refresh"]
                .map(|path| Route::public(Method::POST, path, refresh_session)),
        )
        .collect()
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
