//! The access check that gateways request before they pass a request on. The response describes the
//! caller in headers.

mod openapi;
mod response;

use crate::serving::route::Route;

pub(super) fn route() -> Route {
    // the credentials belong to one of the mounts that the access table names, not to this one
    Route::gateway_check("/access", response::render_identity).documented(openapi::check_access)
}
