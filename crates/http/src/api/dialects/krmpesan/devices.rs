//! krmpesan's list of devices: the single device of the token, with the id of its pairing.

use actix_web::HttpResponse;
use actix_web::http::Method;
use serde::Serialize;
use tillgate_auth_core::{Caller, SessionKind, TokenDenied};
use tillgate_domain::SessionId;

use super::response::render_success;
use crate::error::ApiError;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;

pub(super) fn route() -> Route {
    Route::authenticated(Method::GET, "/devices", Requirement::Authenticated, list_devices)
}

#[derive(Serialize)]
struct DeviceBody<'p> {
    id: SessionId,
    name: &'p str,
}

async fn list_devices(_call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    // a session of the web page has no pairing
    let pairing = caller.session_context().filter(|session| session.kind == SessionKind::Permanent);
    let pairing = pairing.ok_or(ApiError::Denied(TokenDenied::WrongAudience.into()))?.id;
    let device = caller.profile.device.as_ref();
    let data: Vec<_> =
        device.map(|device| DeviceBody { id: pairing, name: device.name.as_str() }).into_iter().collect();
    render_success(&data)
}
