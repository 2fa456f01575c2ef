//! PosStar's authentication: login, current user, token exchange, logout.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::{Caller, LoginIdentity};
use tillgate_domain::{Rank, Secret};

use super::paths::{LOGIN_PATH, REFRESH_PATH};
use super::request::{ExchangeBody, LoginBody};
use super::response::{CurrentUserBody, ExchangedTokenBody, MessageBody, build_user, render_login, require_user};
use crate::error::ApiError;
use crate::request::Request;
use crate::request::body;
use crate::request::partial_body::validate_body;
use crate::serving::requirement::Requirement;
use crate::serving::response;
use crate::serving::route::Route;
use crate::timestamps;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::public(Method::POST, LOGIN_PATH, log_in),
        Route::authenticated(Method::GET, "/api/v1/auth/me", Requirement::Role(Rank::Cashier), get_current_user),
        Route::public(Method::POST, REFRESH_PATH, exchange_token),
        Route::authenticated(Method::POST, "/api/v1/auth/logout", Requirement::Authenticated, log_out),
    ]
}

async fn log_in(call: Request) -> Result<HttpResponse, ApiError> {
    let sent: LoginBody = validate_body(body::read_object(call.head().headers(), call.body())?)?;
    let who = LoginIdentity::User { login: sent.email.into_value().unwrap_or_default(), device: None };
    let password = Secret::new(sent.password.into_value().unwrap_or_default());
    render_login(StatusCode::OK, &call.log_in_with_rank(who, password, Rank::Cashier, Vec::new()).await?)
}

async fn get_current_user(_call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let body = CurrentUserBody {
        person: build_user(&caller.profile)?,
        store_id: caller.profile.tenant.branches.first().map(|branch| branch.id),
        avatar: None,
        created_at: timestamps::format_instant(require_user(&caller.profile)?.created_at),
    };
    response::render_json(StatusCode::OK, &body)
}

/// Logs out. Requires no role, so that a user who has lost their role can log out. The published
/// contract has no such operation.
async fn log_out(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    call.run_blocking(move |auth| auth.logout(&caller)).await?;
    response::render_json(StatusCode::OK, &MessageBody { message: "Logged out." })
}

async fn exchange_token(call: Request) -> Result<HttpResponse, ApiError> {
    let sent: ExchangeBody = validate_body(body::read_object(call.head().headers(), call.body())?)?;
    let issued = call.exchange_token(Secret::new(sent.token.into_value().unwrap_or_default())).await?;
    response::render_json(StatusCode::OK, &ExchangedTokenBody { access_token: issued.access_token.expose() })
}
