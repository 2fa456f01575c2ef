//! The list of rights that a role or an API key can have.

mod openapi;
mod response;

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::{KnownRight, Right};

use crate::error::ApiError;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::response::render_json;
use crate::serving::route::Route;
use response::{RightBody, RightsBody};

pub(super) fn route() -> Route {
    Route::authenticated(Method::GET, "/rights", Requirement::Authenticated, list_rights)
        .documented(openapi::list_rights)
}

async fn list_rights(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let tenant = caller.profile.tenant.id;
    let roles = call.with_office(move |context| Ok(context.unguarded(tenant).list_roles()?)).await?;
    let role_rights = roles.iter().flat_map(|role| role.rights.iter());
    let all: BTreeSet<Right> = KnownRight::ALL.iter().copied().map(Right::Known).chain(role_rights).collect();
    let to_body = |right| RightBody { name: Right::as_str(right), held: caller.profile.rights.allows(right) };
    render_json(StatusCode::OK, &RightsBody { items: all.iter().map(to_body).collect(), next: () })
}
