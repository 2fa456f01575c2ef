//! krmpesan's list of devices: the one of the token, by the name of its pairing.

use actix_web::HttpResponse;
use actix_web::http::Method;
use serde::Serialize;
use tillgate_auth_core::{Caller, SessionKind, TokenRefusal};
use tillgate_domain::SessionId;

use super::envelope::success;
use crate::call::Call;
use crate::failure::Failure;
use crate::route::Route;

pub(super) fn route() -> Route {
    Route::known(Method::GET, "/devices", devices)
}

#[derive(Serialize)]
struct Device<'p> {
    id: SessionId,
    name: &'p str,
}

async fn devices(_call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    // whoever is logged in at the page bears no token of a device
    let pairing = caller.in_session().filter(|session| session.kind == SessionKind::Permanent);
    let pairing = pairing.ok_or(Failure::Refused(TokenRefusal::Foreign.into()))?.id;
    let device = caller.profile.device.as_ref();
    let data: Vec<_> = device.map(|device| Device { id: pairing, name: device.name.as_str() }).into_iter().collect();
    success(&data)
}
