//! The native API's rights: which there are to give.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use tillgate_auth_core::Caller;
use tillgate_domain::{KnownRight, Right, office};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::openapi::OperationDoc;
use crate::request::Request;
use crate::response;
use crate::route::Route;

/// A right.
#[derive(Serialize, ToSchema)]
#[schema(as = Right)]
struct RightBody<'r> {
    /// The name that roles and permissions use.
    name: &'r str,
    /// Whether the caller holds it, and so may give it.
    held: bool,
}

/// Every right: there is no next page.
#[derive(Serialize, ToSchema)]
#[schema(as = Rights)]
struct RightsBody<'r> {
    /// The rights, in the order of their names.
    items: Vec<RightBody<'r>>,
    /// Always null.
    #[schema(value_type = Option<String>, required = true)]
    next: (),
}

pub(super) fn route() -> Route {
    Route::authenticated(Method::GET, "/rights", list_rights).documented(document_rights)
}

async fn list_rights(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let tenant = caller.profile.tenant.id;
    let roles = call.with_office(move |office| Ok(office::list_roles(office.store, tenant)?)).await?;
    let own = roles.iter().flat_map(|role| role.rights.iter());
    let all: BTreeSet<Right> = KnownRight::ALL.iter().copied().map(Right::Known).chain(own).collect();
    let shown = |right| RightBody { name: Right::as_str(right), held: caller.profile.rights.allows(right) };
    response::render_json(StatusCode::OK, &RightsBody { items: all.iter().map(shown).collect(), next: () })
}

fn document_rights() -> OperationDoc {
    let example = [json!({ "name": "admin", "held": false }), json!({ "name": "ticketClose", "held": true })];
    OperationDoc::new("roles", "Lists the rights that there are")
        .description(
            "Those that tills and back offices ask for, and those that the tenant's own roles name besides: in the order of their \
             names, and all at once.",
        )
        .response::<RightsBody<'_>>(200, "The rights.", json!({ "items": example, "next": null }))
}
