//! Operations on roles: list, create, update and delete. Built-in roles cannot be changed.

mod openapi;
mod request;
mod response;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::FoldedText;
use tillgate_domain::KnownRight;
use tillgate_domain::office::{EntityChange, FieldName, NamedFields};

use super::page::PageQuery;
use super::path::{not_found, read_id, render_created};
use super::version::{read_if_match, render_versioned};
use super::{body, no_content};
use crate::context::office::name_violations;
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::request::query::QueryParameters;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;
use request::{CreateRole, UpdateRole};
pub use response::RoleBody;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(Method::GET, "/roles", Requirement::Authenticated, list_roles)
            .documented(openapi::list_roles),
        Route::authenticated(Method::POST, "/roles", Requirement::Right(KnownRight::RoleCreate), create_role)
            .documented(openapi::create_role),
        Route::authenticated(Method::GET, "/roles/{id}", Requirement::Authenticated, get_role)
            .documented(openapi::get_role),
        Route::authenticated(Method::PATCH, "/roles/{id}", Requirement::Right(KnownRight::RoleUpdate), update_role)
            .documented(openapi::update_role),
        Route::authenticated(Method::DELETE, "/roles/{id}", Requirement::Right(KnownRight::RoleDelete), delete_role)
            .documented(openapi::delete_role),
    ]
}

async fn list_roles(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let query = PageQuery::read(&mut sent, "roles", "", caller.profile.tenant.id);
    let search = sent.read_nonempty("search").map(|text| FoldedText::of(&text));
    let built_in: Option<bool> = sent.parse("built_in", "must be true or false");
    let query: PageQuery = sent.finish(query)?;
    let after = query.after_id();
    let tenant = caller.profile.tenant.id;
    let permit = call.acquire_list_permit(&caller).await?;
    let mut roles = call.with_office(move |context| Ok(context.unguarded(tenant).list_roles()?)).await?;
    roles.retain(|role| {
        let texts = [role.name.as_str(), &role.label, &role.description];
        after.is_none_or(|after| role.id.0 > after)
            && built_in.is_none_or(|built_in| role.built_in == built_in)
            && search.as_ref().is_none_or(|text| FoldedText::join_search_text(texts).contains(text.as_str()))
    });
    roles.truncate(usize::try_from(query.fetch_limit()).unwrap_or(usize::MAX));
    let views = call.with_office(move |context| Ok(context.unguarded(tenant).load_role_views(roles)?)).await?;
    Ok(permit.hold_until_sent(query.render(&views, |view| view.role.id.0, RoleBody::from_view)?))
}

async fn create_role(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let sent: CreateRole = body::read_request(&call)?;
    let role = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let role = into_api_result(office.add_role(&sent.into_new_role(context.auth)?))?;
            Ok(office.unguarded().load_role_view(role)?)
        })
        .await?;
    render_created(
        &call,
        "roles",
        role.role.id,
        render_versioned(StatusCode::CREATED, role.role.version, &RoleBody::from_view(&role))?,
    )
}

async fn get_role(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_id(&call, FieldName::Role)?;
    let found = call
        .with_office(move |context| {
            let office = context.unguarded(caller.profile.tenant.id);
            Ok(office.find_role(id)?.map(|role| office.load_role_view(role)).transpose()?)
        })
        .await?
        .ok_or_else(|| not_found(FieldName::Role, id))?;
    render_versioned(StatusCode::OK, found.role.version, &RoleBody::from_view(&found))
}

async fn update_role(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::Role)?, read_if_match(call.head())?);
    let sent = body::read_partial_request(&call, |_: &UpdateRole| Vec::new())?;
    let role = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| {
                let change = sent.clone().into_change();
                let change = Some(EntityChange::Role(id, &change));
                name_violations(&office, KnownRight::RoleUpdate, &NamedFields { change, ..NamedFields::default() })
            })?;
            let change = sent.into_change();
            let role = into_api_result(office.change_role(id, versions.as_deref(), &change))?;
            Ok(office.unguarded().load_role_view(role)?)
        })
        .await?;
    render_versioned(StatusCode::OK, role.role.version, &RoleBody::from_view(&role))
}

async fn delete_role(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::Role)?, read_if_match(call.head())?);
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        into_api_result(office.delete_role(id, versions.as_deref()))
    })
    .await?;
    Ok(no_content())
}
