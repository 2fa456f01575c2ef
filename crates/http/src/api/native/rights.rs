//! The list of rights that a role or an API key can have.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use tillgate_auth_core::Caller;
use tillgate_domain::{KnownRight, Right};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::openapi::OperationDoc;
use crate::request::Request;
use crate::serving::response;
use crate::serving::route::Route;

/// A right that roles and permissions can contain.
#[derive(Serialize, ToSchema)]
#[schema(as = Right)]
struct RightBody<'r> {
    /// Name of the right in roles and permissions.
    name: &'r str,
    /// Whether the caller has the right and can therefore grant it.
    held: bool,
}

/// All rights, in a single page.
#[derive(Serialize, ToSchema)]
#[schema(as = Rights)]
struct RightsBody<'r> {
    /// The rights, sorted by name.
    items: Vec<RightBody<'r>>,
    /// Always null, because there is only one page.
    #[schema(value_type = Option<String>, required = true)]
    next: (),
}

pub(super) fn route() -> Route {
    Route::authenticated(Method::GET, "/rights", list_rights).documented(document_rights)
}

async fn list_rights(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let tenant = caller.profile.tenant.id;
    let roles = call.with_office(move |context| Ok(context.unguarded(tenant).list_roles()?)).await?;
    let own = roles.iter().flat_map(|role| role.rights.iter());
    let all: BTreeSet<Right> = KnownRight::ALL.iter().copied().map(Right::Known).chain(own).collect();
    let shown = |right| RightBody { name: Right::as_str(right), held: caller.profile.rights.allows(right) };
    response::render_json(StatusCode::OK, &RightsBody { items: all.iter().map(shown).collect(), next: () })
}

fn document_rights() -> OperationDoc {
    let example = [json!({ "name": "admin", "held": false }), json!({ "name": "ticketClose", "held": true })];
    OperationDoc::new("roles", "List all rights")
        .description(
            "All rights that tills and back offices use, and the rights that only the tenant's own roles \
             contain, sorted by name in one page.",
        )
        .response::<RightsBody<'_>>(200, "The rights.", json!({ "items": example, "next": null }))
}
