//! Operations on API keys, with which programs sign requests and authenticate. The secret of a key
//! is only in the response that creates it, and a new one in that of its rotation.

mod openapi;
mod request;
mod response;

use crate::context::office::name_violations;
use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{ApiKeyFilter, EntityChange, FieldName, PageRequest, SecretRotation};
use tillgate_domain::{ApiKeyId, KnownRight, TenantId};

use super::key_status::KeyStatus;
use super::page::PageQuery;
use super::path::{not_found, read_id, render_created};
use super::version::{read_if_match, render_versioned};
use super::{body, no_content, revocations};
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::request::query::QueryParameters;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;
use request::{CreateApiKey, RotateApiKey, UpdateApiKey};
pub(super) use response::ApiKeySummary;
pub use response::{ApiKeyBody, CreatedApiKeyBody};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(Method::GET, "/api-keys", Requirement::AnyOf(KnownRight::API_KEY_RIGHTS), list_api_keys)
            .documented(openapi::list_api_keys),
        Route::authenticated(Method::POST, "/api-keys", Requirement::Right(KnownRight::ApiKeyCreate), create_api_key)
            .documented(openapi::create_api_key),
        Route::authenticated(
            Method::GET,
            "/api-keys/{id}",
            Requirement::AnyOf(KnownRight::API_KEY_RIGHTS),
            get_api_key,
        )
        .documented(openapi::get_api_key),
        Route::authenticated(
            Method::PATCH,
            "/api-keys/{id}",
            Requirement::Right(KnownRight::ApiKeyUpdate),
            update_api_key,
        )
        .documented(openapi::update_api_key),
        Route::authenticated(
            Method::POST,
            "/api-keys/{id}/rotate",
            Requirement::Right(KnownRight::ApiKeyUpdate),
            rotate_api_key,
        )
        .documented(openapi::rotate_api_key),
        Route::authenticated(
            Method::DELETE,
            "/api-keys/{id}",
            Requirement::Right(KnownRight::ApiKeyDelete),
            delete_api_key,
        )
        .documented(openapi::delete_api_key),
    ]
}

async fn list_api_keys(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (query, filter) = read_filter(&call, caller.profile.tenant.id)?;
    let page = PageRequest { after: query.after_id().map(ApiKeyId), limit: query.fetch_limit() };
    let permit = call.acquire_list_permit(&caller).await?;
    let found = call
        .with_office(move |context| into_api_result(context.reader_for_caller(&caller).list_api_keys(&filter, &page)))
        .await?;
    Ok(permit.hold_until_sent(query.render(&found, |view| view.key.id.0, ApiKeyBody::from_view)?))
}

fn read_filter(call: &Request, tenant: TenantId) -> Result<(PageQuery, ApiKeyFilter), ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let query = PageQuery::read(&mut sent, "api_keys", "", tenant);
    let status: Option<KeyStatus> = sent.parse("status", "must be active or revoked");
    let filter = ApiKeyFilter {
        user: sent.parse("user", "must be the id of a user"),
        device: sent.parse("device", "must be the id of a device"),
        active: status.map(KeyStatus::is_active),
    };
    sent.finish((query, filter))
}

async fn create_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let sent = body::read_partial_request(&call, |_: &CreateApiKey| Vec::new())?;
    let (view, secret) = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| name_violations(&office, KnownRight::ApiKeyCreate, &sent.names()))?;
            let generated = context.auth.generate_api_key()?;
            let secret = generated.secret.clone();
            let key = into_api_result(office.add_api_key(&sent.into_new_api_key(generated)?))?;
            Ok((office.unguarded().load_api_key_view(&key)?, secret))
        })
        .await?;
    render_created(
        &call,
        "api-keys",
        view.key.id,
        render_versioned(StatusCode::CREATED, view.key.version, &CreatedApiKeyBody::from_view(&view, &secret))?,
    )
}

async fn get_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_id(&call, FieldName::ApiKey)?;
    let found =
        call.with_office(move |context| into_api_result(context.reader_for_caller(&caller).find_api_key(id))).await?;
    let view = found.ok_or_else(|| not_found(FieldName::ApiKey, id))?;
    render_versioned(StatusCode::OK, view.key.version, &ApiKeyBody::from_view(&view))
}

async fn update_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::ApiKey)?, read_if_match(call.head())?);
    let sent = body::read_partial_request(&call, |_: &UpdateApiKey| Vec::new())?;
    let (view, revokes) = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| {
                let change = sent.clone().into_change();
                let names = sent.names(EntityChange::ApiKey(id, &change));
                name_violations(&office, KnownRight::ApiKeyUpdate, &names)
            })?;
            let change = sent.into_change();
            let key = into_api_result(office.change_api_key(id, versions.as_deref(), &change))?;
            Ok((office.unguarded().load_api_key_view(&key)?, change.active == Some(false)))
        })
        .await?;
    let response = render_versioned(StatusCode::OK, view.key.version, &ApiKeyBody::from_view(&view))?;
    Ok(if revokes { revocations::with_position(&call, response).await } else { response })
}

async fn rotate_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::ApiKey)?, read_if_match(call.head())?);
    let overlap = body::read_optional_request::<RotateApiKey>(&call)?.into_overlap();
    let ends_previous = overlap.is_zero();
    let (view, secret) = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let found =
                into_api_result(office.reader().find_api_key(id))?.ok_or_else(|| not_found(FieldName::ApiKey, id))?;
            let (secret, wrapped_secret) = context.auth.generate_api_key_secret(&found.key.client_id)?;
            let rotation = SecretRotation { wrapped_secret, overlap };
            let key = into_api_result(office.rotate_api_key(id, versions.as_deref(), &rotation))?;
            Ok((office.unguarded().load_api_key_view(&key)?, secret))
        })
        .await?;
    let body = CreatedApiKeyBody::from_view(&view, &secret);
    let response = render_versioned(StatusCode::OK, view.key.version, &body)?;
    Ok(if ends_previous { revocations::with_position(&call, response).await } else { response })
}

async fn delete_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::ApiKey)?, read_if_match(call.head())?);
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        into_api_result(office.delete_api_key(id, versions.as_deref()))
    })
    .await?;
    Ok(revocations::with_position(&call, no_content()).await)
}
