//! The native API's rights: which there are to give.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use tillgate_auth_core::Caller;
use tillgate_domain::{KnownRight, Right, office};
use utoipa::ToSchema;

use crate::answer;
use crate::call::Call;
use crate::failure::Failure;
use crate::openapi::Entry;
use crate::route::Route;

/// A right.
#[derive(Serialize, ToSchema)]
#[schema(as = Right)]
struct Shape<'r> {
    /// The name that roles and permissions use.
    name: &'r str,
    /// Whether the caller holds it, and so may give it.
    held: bool,
}

/// Every right: there is no next page.
#[derive(Serialize, ToSchema)]
#[schema(as = Rights)]
struct All<'r> {
    /// The rights, in the order of their names.
    items: Vec<Shape<'r>>,
    /// Always null.
    #[schema(value_type = Option<String>, required = true)]
    next: (),
}

pub(super) fn route() -> Route {
    Route::known(Method::GET, "/rights", list).told(told)
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let tenant = caller.profile.tenant.id;
    let roles = call.office(move |office| Ok(office::list_roles(office.store, tenant)?)).await?;
    let own = roles.iter().flat_map(|role| role.rights.iter());
    let all: BTreeSet<Right> = KnownRight::ALL.iter().copied().map(Right::Known).chain(own).collect();
    let shown = |right| Shape { name: Right::as_str(right), held: caller.profile.rights.allow(right) };
    answer::json(StatusCode::OK, &All { items: all.iter().map(shown).collect(), next: () })
}

fn told() -> Entry {
    let example = [json!({ "name": "admin", "held": false }), json!({ "name": "ticketClose", "held": true })];
    Entry::of("roles", "Lists the rights that there are")
        .more(
            "Those that tills and back offices ask for, and those that the tenant's own roles name besides: in the order of their \
             names, and all at once.",
        )
        .answers::<All<'_>>(200, "The rights.", json!({ "items": example, "next": null }))
}
