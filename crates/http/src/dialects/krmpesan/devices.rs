//! krmpesan's list of devices: the one of the token, by the name of its pairing.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use tillgate_auth_core::Caller;
use tillgate_domain::SessionId;

use crate::answer;
use crate::call::Call;
use crate::failure::Failure;
use crate::route::Route;

pub(super) fn route() -> Route {
    Route::known(Method::GET, "/devices", devices)
}

#[derive(Serialize)]
struct Listed<'p> {
    code: u16,
    message: &'static str,
    data: Vec<Device<'p>>,
}

#[derive(Serialize)]
struct Device<'p> {
    id: SessionId,
    name: &'p str,
}

async fn devices(_call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let device = caller.profile.device.as_ref();
    let data = device.map(|device| Device { id: caller.session, name: device.name.as_str() }).into_iter().collect();
    let status = StatusCode::OK;
    answer::json(status, &Listed { code: status.as_u16(), message: "success", data })
}
