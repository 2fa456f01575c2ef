//! Operations on PINs: the back office draws and removes those of others, and users set their own.

mod openapi;
mod request;
mod response;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::FieldName;
use tillgate_domain::{KnownRight, UserId};

use super::path::read_id;
use super::{body, no_content};
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::response::render_json;
use crate::serving::route::Route;
use request::{DrawPin, SetOwnPin};
use response::PinBody;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(
            Method::POST,
            "/users/{id}/pin",
            Requirement::Right(KnownRight::UserUpdate),
            draw_user_pin,
        )
        .documented(openapi::draw_user_pin),
        Route::authenticated(
            Method::DELETE,
            "/users/{id}/pin",
            Requirement::Right(KnownRight::UserUpdate),
            remove_user_pin,
        )
        .documented(openapi::remove_user_pin),
        Route::authenticated(Method::PUT, "/sessions/current/pin", Requirement::Authenticated, set_own_pin)
            .documented(openapi::set_own_pin),
    ]
}

async fn draw_user_pin(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: UserId = read_id(&call, FieldName::User)?;
    let DrawPin {} = body::read_optional_request(&call)?;
    let drawn = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            // authorize before the PIN is hashed, which is expensive
            let user = into_api_result(office.authorize_set_pin(id))?;
            into_api_result(Ok(context.auth.draw_pin(&user, caller.address, |pin| office.set_pin(id, pin))?))
        })
        .await?;
    render_json(StatusCode::CREATED, &PinBody::new(Some(&drawn.pin), drawn.due))
}

async fn remove_user_pin(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: UserId = read_id(&call, FieldName::User)?;
    call.with_office(move |context| into_api_result(context.for_caller(&caller)?.remove_pin(id))).await?;
    Ok(no_content())
}

async fn set_own_pin(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let sent = body::read_partial_request::<SetOwnPin>(&call, |_| Vec::new())?;
    let sent = sent.check_body(|sent| Ok(sent.find_weak_pin(&caller)))?;
    let (password, new_pin) = sent.into_input()?;
    let drawn = call.run_blocking(move |auth| auth.set_own_pin(&caller, &password, new_pin.as_ref())).await?;
    render_json(StatusCode::OK, &PinBody::new(drawn.as_ref(), false))
}
