//! The native API's API keys: what programs sign requests with and prove themselves by. A secret stands in the answer that makes its
//! key and nowhere else.

mod sent;
mod shape;
mod told;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{self, ApiKeyFilter, Field as Of, Page};
use tillgate_domain::{ApiKeyId, KnownRight, TenantId};

use super::page::Asked;
use super::path::{absent, created, id};
use super::version::{condition, shown};
use super::{body, done};
use crate::call::Call;
use crate::failure::Failure;
use crate::office::decided;
use crate::query::Parameters;
use crate::route::Route;
pub(super) use sent::Status;
use sent::{Change, New};
use shape::{Made, Shape};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::known(Method::GET, "/api-keys", list).told(told::list),
        Route::known(Method::POST, "/api-keys", add).told(told::add),
        Route::known(Method::GET, "/api-keys/{id}", one).told(told::one),
        Route::known(Method::PATCH, "/api-keys/{id}", change).told(told::change),
        Route::known(Method::DELETE, "/api-keys/{id}", delete).told(told::delete),
    ]
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (asked, filter) = search(&call, caller.profile.tenant.id)?;
    let page = Page { after: asked.after_id().map(ApiKeyId), limit: asked.sought() };
    let found = call
        .office(move |office| {
            let tenant = caller.profile.tenant.id;
            decided(office::list_api_keys(office.store, tenant, &caller.authority(), &filter, &page))
        })
        .await?;
    asked.answer(&found, |known| known.key.id.0, Shape::of)
}

fn search(call: &Call, tenant: TenantId) -> Result<(Asked, ApiKeyFilter), Failure> {
    let mut sent = Parameters::all_known(call.head());
    let asked = Asked::take(&mut sent, "api_keys", "", tenant);
    let status: Option<Status> = sent.take("status", "must be active or revoked");
    let filter = ApiKeyFilter {
        user: sent.take("user", "must be the id of a user"),
        device: sent.take("device", "must be the id of a device"),
        active: status.map(Status::is_active),
    };
    sent.checked((asked, filter))
}

async fn add(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let sent = body::sent_so_far(&call, |_: &New| Vec::new())?;
    let (known, secret) = call
        .office(move |office| {
            let sent = sent.checked(|sent| office.refused_names(&caller, KnownRight::ApiKeyCreate, &sent.names()))?;
            let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
            let drawn = office.engine.draw_api_key()?;
            let secret = drawn.secret.clone();
            let key = decided(office::add_api_key(office.store, tenant, &stamp, &sent.key(drawn)?))?;
            Ok((office::known_api_key(office.store, &key)?, secret))
        })
        .await?;
    created(&call, "api-keys", known.key.id, shown(StatusCode::CREATED, known.key.version, &Made::of(&known, &secret))?)
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call, Of::ApiKey)?;
    let found = call
        .office(move |office| {
            decided(office::find_api_key(office.store, caller.profile.tenant.id, &caller.authority(), id))
        })
        .await?;
    let known = found.ok_or_else(|| absent(Of::ApiKey, id))?;
    shown(StatusCode::OK, known.key.version, &Shape::of(&known))
}

async fn change(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::ApiKey)?, condition(call.head().headers())?);
    let sent = body::sent_so_far(&call, |_: &Change| Vec::new())?;
    let known = call
        .office(move |office| {
            let sent = sent.checked(|sent| office.refused_names(&caller, KnownRight::ApiKeyUpdate, &sent.names()))?;
            let change = sent.change();
            let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
            let key = condition.holding(|version| {
                decided(office::change_api_key(office.store, tenant, &stamp, id, version, &change))
            })?;
            Ok(office::known_api_key(office.store, &key)?)
        })
        .await?;
    shown(StatusCode::OK, known.key.version, &Shape::of(&known))
}

async fn delete(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::ApiKey)?, condition(call.head().headers())?);
    call.office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
        condition.holding(|version| decided(office::delete_api_key(office.store, tenant, &stamp, id, version)))
    })
    .await?;
    Ok(done())
}
