//! Operations of a till in till mode, in its own session: who may work on it, who does, and the
//! sign-in and sign-out of its operator.

mod openapi;
mod request;
mod response;

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::{Caller, OperatorRequest};

use super::path::render_created;
use super::till_terms::TillTerms;
use super::{body, no_content, revocations};
use crate::error::ApiError;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::response::render_json;
use crate::serving::route::Route;
use request::SignInOperator;
use response::{OperatorTokensBody, OperatorsBody, TillBody};

/// The operations; the sessions of operators have these terms.
pub(super) fn routes(terms: &Arc<TillTerms>) -> Vec<Route> {
    let terms = Arc::clone(terms);
    vec![
        Route::authenticated(Method::GET, "/till", Requirement::Authenticated, get_till).documented(openapi::get_till),
        Route::authenticated(Method::GET, "/till/operators", Requirement::Authenticated, list_operators)
            .documented(openapi::list_operators),
        Route::authenticated(Method::POST, "/till/operator", Requirement::Authenticated, move |call, caller| {
            sign_in_operator(call, caller, Arc::clone(&terms))
        })
        .documented(openapi::sign_in_operator),
        Route::authenticated(Method::DELETE, "/till/operator", Requirement::Authenticated, sign_out_operator)
            .documented(openapi::sign_out_operator),
    ]
}

async fn get_till(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (caller, operator) = call
        .run_blocking(move |auth| {
            let operator = auth.find_operator(&caller)?;
            Ok((caller, operator))
        })
        .await?;
    let device = caller.profile.device.as_ref().ok_or_else(|| ApiError::Fault("a till is no device".to_owned()))?;
    render_json(StatusCode::OK, &TillBody::new(device, operator.as_ref(), call.auth().time().at))
}

async fn list_operators(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let found = call.run_blocking(move |auth| auth.list_till_operators(&caller)).await?;
    render_json(StatusCode::OK, &OperatorsBody::from_operators(&found))
}

async fn sign_in_operator(call: Request, caller: Caller, terms: Arc<TillTerms>) -> Result<HttpResponse, ApiError> {
    let (user, pin) = body::read_request::<SignInOperator>(&call)?.into_input()?;
    let signed_in = call
        .run_blocking(move |auth| {
            let terms = terms.for_operator();
            auth.sign_in_operator(&OperatorRequest { till: &caller, user, pin: &pin, terms })
        })
        .await?;
    let body = render_json(StatusCode::CREATED, &OperatorTokensBody::from_signed_in(&signed_in))?;
    let response = render_created(&call, "sessions", signed_in.tokens.session.id, body)?;
    Ok(if signed_in.replaced.is_some() { revocations::with_position(&call, response).await } else { response })
}

async fn sign_out_operator(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    call.run_blocking(move |auth| auth.sign_out_operator(&caller)).await?;
    Ok(revocations::with_position(&call, no_content()).await)
}
