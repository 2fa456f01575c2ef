//! The native API's roles: what there is, adding, changing and deleting those of the tenant's own.

mod sent;
mod shape;
mod told;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::Folded;
use tillgate_domain::office::{self, Field as Of};

use super::page::Asked;
use super::path::{absent, created, id};
use super::version::{condition, shown};
use super::{body, done};
use crate::call::Call;
use crate::failure::Failure;
use crate::office::decided;
use crate::query::Parameters;
use crate::route::Route;
use sent::{Change, New};
use shape::Shape;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::known(Method::GET, "/roles", list).told(told::list),
        Route::known(Method::POST, "/roles", add).told(told::add),
        Route::known(Method::GET, "/roles/{id}", one).told(told::one),
        Route::known(Method::PATCH, "/roles/{id}", change).told(told::change),
        Route::known(Method::DELETE, "/roles/{id}", delete).told(told::delete),
    ]
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let mut sent = Parameters::all_known(call.head());
    let asked = Asked::take(&mut sent, "roles", "", caller.profile.tenant.id);
    let search = sent.word("search").map(|text| Folded::of(&text));
    let built_in: Option<bool> = sent.take("built_in", "must be true or false");
    let asked: Asked = sent.checked(asked)?;
    let after = asked.after_id();
    let mut roles = call.office(move |office| Ok(office::list_roles(office.store, caller.profile.tenant.id)?)).await?;
    roles.retain(|role| {
        let texts = [role.name.as_str(), &role.label, &role.description];
        after.is_none_or(|after| role.id.0 > after)
            && built_in.is_none_or(|built_in| role.built_in == built_in)
            && search.as_ref().is_none_or(|text| Folded::searched(texts).contains(text.as_str()))
    });
    asked.answer(&roles, |role| role.id.0, Shape::of)
}

async fn add(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let sent: New = body::sent(&call)?;
    let role = call
        .office(move |office| {
            let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
            decided(office::add_role(office.store, tenant, &stamp, &sent.role(office.engine)?))
        })
        .await?;
    created(&call, "roles", role.id, shown(StatusCode::CREATED, role.version, &Shape::of(&role))?)
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call, Of::Role)?;
    let found = call
        .office(move |office| Ok(office::find_role(office.store, caller.profile.tenant.id, id)?))
        .await?
        .ok_or_else(|| absent(Of::Role, id))?;
    shown(StatusCode::OK, found.version, &Shape::of(&found))
}

async fn change(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::Role)?, condition(call.head().headers())?);
    let sent: Change = body::sent(&call)?;
    let change = sent.change();
    let role = call
        .office(move |office| {
            let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
            condition
                .holding(|version| decided(office::change_role(office.store, tenant, &stamp, id, version, &change)))
        })
        .await?;
    shown(StatusCode::OK, role.version, &Shape::of(&role))
}

async fn delete(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::Role)?, condition(call.head().headers())?);
    call.office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
        condition.holding(|version| decided(office::delete_role(office.store, tenant, &stamp, id, version)))
    })
    .await?;
    Ok(done())
}
