//! Operations on the stores of a tenant. Stores are saved with the tenant and share its version.

mod openapi;
mod request;
mod response;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::FieldName;
use tillgate_domain::{BranchId, FoldedText, KnownRight, Tenant};

use super::page::PageQuery;
use super::path::{not_found, read_id, render_created};
use super::version::{read_if_match, render_versioned};
use super::{body, no_content};
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::request::query::QueryParameters;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;
use request::{CreateStore, UpdateStore};
pub use response::StoreBody;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(Method::GET, "/stores", Requirement::Authenticated, list_stores)
            .documented(openapi::list_stores),
        Route::authenticated(Method::POST, "/stores", Requirement::Right(KnownRight::StoreCreate), create_store)
            .documented(openapi::create_store),
        Route::authenticated(Method::GET, "/stores/{id}", Requirement::Authenticated, get_store)
            .documented(openapi::get_store),
        Route::authenticated(Method::PATCH, "/stores/{id}", Requirement::Right(KnownRight::StoreUpdate), update_store)
            .documented(openapi::update_store),
        Route::authenticated(Method::DELETE, "/stores/{id}", Requirement::Right(KnownRight::StoreDelete), delete_store)
            .documented(openapi::delete_store),
    ]
}

async fn list_stores(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let query = PageQuery::read(&mut sent, "stores", "", caller.profile.tenant.id);
    let search = sent.read_nonempty("search").map(|text| FoldedText::of(&text));
    let query: PageQuery = sent.finish(query)?;
    let after = query.after_id();
    let mut stores = load_tenant(&call, &caller).await?.branches;
    stores.sort_by_key(|store| store.id);
    stores.retain(|store| {
        after.is_none_or(|after| store.id.0 > after)
            && search.as_ref().is_none_or(|text| FoldedText::of(&store.name).as_str().contains(text.as_str()))
    });
    query.render(&stores, |store| store.id.0, StoreBody::from_branch)
}

async fn create_store(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let sent: CreateStore = body::read_request(&call)?;
    let (id, tenant) = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let id = context.auth.new_id(BranchId::new)?;
            Ok((id, into_api_result(office.add_store(&sent.into_branch(id)?))?))
        })
        .await?;
    render_created(&call, "stores", id, render_store(StatusCode::CREATED, &tenant, id)?)
}

async fn get_store(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_id(&call, FieldName::Store)?;
    render_store(StatusCode::OK, &load_tenant(&call, &caller).await?, id)
}

async fn update_store(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::Store)?, read_if_match(call.head())?);
    let sent: UpdateStore = body::read_request(&call)?;
    let tenant = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let change = sent.into_change();
            into_api_result(office.change_store(id, versions.as_deref(), &change))
        })
        .await?;
    render_store(StatusCode::OK, &tenant, id)
}

async fn delete_store(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::Store)?, read_if_match(call.head())?);
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        into_api_result(office.close_store(id, versions.as_deref()))
    })
    .await?;
    Ok(no_content())
}

/// Loads the tenant with its stores.
async fn load_tenant(call: &Request, caller: &Caller) -> Result<Tenant, ApiError> {
    let id = caller.profile.tenant.id;
    let found = call.with_office(move |context| Ok(context.unguarded(id).find_tenant()?)).await?;
    found.ok_or_else(|| ApiError::Fault("the tenant of the caller does not exist".to_owned()))
}

fn render_store(status: StatusCode, tenant: &Tenant, id: BranchId) -> Result<HttpResponse, ApiError> {
    let store = tenant.branches.iter().find(|store| store.id == id).ok_or_else(|| not_found(FieldName::Store, id))?;
    render_versioned(status, tenant.version, &StoreBody::from_branch(store))
}
