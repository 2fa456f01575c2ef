//! krmpesan's refresh: takes a permanent token and its pairing, and returns an access token and an
//! id token.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::{AuthDenied, TokenDenied};

use super::paths::TOKEN_PATHS;
use super::request::read_refresh;
use super::response::TokensBody;
use crate::error::ApiError;
use crate::request::Request;
use crate::serving::rate_limiter::RateLimiter;
use crate::serving::response;
use crate::serving::route::Route;

/// The routes; `limiter` limits wrong tokens per address.
pub(super) fn routes(limiter: &Arc<RateLimiter>) -> Vec<Route> {
    let route = |method, path| {
        let limiter = Arc::clone(limiter);
        Route::public(method, path, move |call| refresh_session(call, Arc::clone(&limiter)))
    };
    TOKEN_PATHS.into_iter().flat_map(|path| [route(Method::GET, path), route(Method::POST, path)]).collect()
}

async fn refresh_session(call: Request, limiter: Arc<RateLimiter>) -> Result<HttpResponse, ApiError> {
    let (token, pairing) = read_refresh(call.head())?;
    let result = match pairing {
        Some(pairing) => call.refresh_pairing(token, pairing).await,
        None => Err(ApiError::Denied(TokenDenied::Invalid.into())),
    };
    // counted after the refresh: a valid token must not be blocked by wrong ones of others behind
    // the same address, and an ended or suspended one gets its own error every time
    if let Err(ApiError::Denied(AuthDenied::Token(TokenDenied::Invalid | TokenDenied::WrongAudience))) = &result {
        limiter.check_rate(call.head())?;
    }
    let issued = result?;
    let id_token = issued.id_token.as_ref();
    let id_token = id_token.ok_or_else(|| ApiError::Fault("a krmpesan session without an id token".to_owned()))?;
    let tokens = TokensBody {
        access_token: issued.access_token.expose(),
        expires_in: issued.access_expires_in.as_secs(),
        token_type: "Bearer",
        id_token: id_token.expose(),
    };
    response::render_json(StatusCode::OK, &tokens)
}
