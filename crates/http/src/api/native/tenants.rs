//! Operations on the caller's own tenant. Every other tenant is answered as one that does not
//! exist.

mod openapi;
mod request;
mod response;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{EntityChange, FieldName, NamedFields};
use tillgate_domain::{KnownRight, Tenant, TenantId};

use super::body;
use super::page::PageQuery;
use super::path::not_found;
use super::version::{read_if_match, render_versioned};
use crate::context::office::name_violations;
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::request::query::QueryParameters;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;
use request::UpdateTenant;
pub use response::TenantBody;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(Method::GET, "/tenants", Requirement::Authenticated, list_tenants)
            .documented(openapi::list_tenants),
        Route::authenticated(Method::GET, "/tenants/{id}", Requirement::Authenticated, get_tenant)
            .documented(openapi::get_tenant),
        Route::authenticated(
            Method::PATCH,
            "/tenants/{id}",
            Requirement::Right(KnownRight::TenantUpdate),
            update_tenant,
        )
        .documented(openapi::update_tenant),
    ]
}

async fn list_tenants(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let query = PageQuery::read(&mut sent, "tenants", "", caller.profile.tenant.id);
    let query: PageQuery = sent.finish(query)?;
    let after = query.after_id();
    let mut tenants = vec![load_tenant(&call, caller.profile.tenant.id).await?];
    tenants.retain(|tenant| after.is_none_or(|after| tenant.id.0 > after));
    query.render(&tenants, |tenant| tenant.id.0, TenantBody::from_tenant)
}

async fn get_tenant(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let tenant = load_tenant(&call, read_own_tenant_id(&call, &caller)?).await?;
    render_versioned(StatusCode::OK, tenant.version, &TenantBody::from_tenant(&tenant))
}

async fn update_tenant(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    read_own_tenant_id(&call, &caller)?;
    let versions = read_if_match(call.head())?;
    let sent = body::read_partial_request(&call, |_: &UpdateTenant| Vec::new())?;
    let given = call.mount().server.mount_limits.longest(&caller.profile.tenant.slug);
    let tenant = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| {
                let change = sent.clone().into_change();
                let change = Some(EntityChange::Tenant(&change, &given));
                name_violations(&office, KnownRight::TenantUpdate, &NamedFields { change, ..NamedFields::default() })
            })?;
            let change = sent.into_change();
            into_api_result(office.change_tenant(versions.as_deref(), &change, &given))
        })
        .await?;
    render_versioned(StatusCode::OK, tenant.version, &TenantBody::from_tenant(&tenant))
}

async fn load_tenant(call: &Request, id: TenantId) -> Result<Tenant, ApiError> {
    let found = call.with_office(move |context| Ok(context.unguarded(id).find_tenant()?)).await?;
    found.ok_or_else(|| ApiError::Fault("the tenant of the caller does not exist".to_owned()))
}

/// Reads the tenant id in the path, which must be the caller's own.
fn read_own_tenant_id(call: &Request, caller: &Caller) -> Result<TenantId, ApiError> {
    let sent = call.head().path_parameter("id");
    let id = sent.parse().ok().filter(|id: &TenantId| *id == caller.profile.tenant.id);
    id.ok_or_else(|| not_found(FieldName::Tenant, sent))
}
