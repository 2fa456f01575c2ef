//! The native API's tenants: the caller's own, shown and changed. Another's reads as one that there is not.

mod sent;
mod shape;
mod told;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{self, Field as Of};
use tillgate_domain::{Tenant, TenantId};

use super::body;
use super::page::Asked;
use super::path::absent;
use super::version::{condition, shown};
use crate::call::Call;
use crate::failure::Failure;
use crate::office::decided;
use crate::query::Parameters;
use crate::route::Route;
use sent::Change;
use shape::Shape;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::known(Method::GET, "/tenants", list).told(told::list),
        Route::known(Method::GET, "/tenants/{id}", one).told(told::one),
        Route::known(Method::PATCH, "/tenants/{id}", change).told(told::change),
    ]
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let mut sent = Parameters::all_known(call.head());
    let asked = Asked::take(&mut sent, "tenants", "", caller.profile.tenant.id);
    let asked: Asked = sent.checked(asked)?;
    let after = asked.after_id();
    let mut tenants = vec![tenant(&call, caller.profile.tenant.id).await?];
    tenants.retain(|tenant| after.is_none_or(|after| tenant.id.0 > after));
    asked.answer(&tenants, |tenant| tenant.id.0, Shape::of)
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let tenant = tenant(&call, own(&call, &caller)?).await?;
    shown(StatusCode::OK, tenant.version, &Shape::of(&tenant))
}

async fn change(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (own(&call, &caller)?, condition(call.head().headers())?);
    let sent: Change = body::sent(&call)?;
    let change = sent.change();
    let given = call.mounted().shared.mounts.longest(&caller.profile.tenant.slug);
    let tenant = call
        .office(move |office| {
            let stamp = office.stamp(&caller)?;
            condition
                .holding(|version| decided(office::change_tenant(office.store, &stamp, id, version, &change, &given)))
        })
        .await?;
    shown(StatusCode::OK, tenant.version, &Shape::of(&tenant))
}

async fn tenant(call: &Call, id: TenantId) -> Result<Tenant, Failure> {
    let found = call.office(move |office| Ok(office::find_tenant(office.store, id)?)).await?;
    found.ok_or_else(|| Failure::Fault("a caller's tenant is gone".to_owned()))
}

/// The tenant that the path names, where it is the caller's own.
fn own(call: &Call, caller: &Caller) -> Result<TenantId, Failure> {
    let sent = call.head().segment("id");
    let id = sent.parse().ok().filter(|id: &TenantId| *id == caller.profile.tenant.id);
    id.ok_or_else(|| absent(Of::Tenant, sent))
}
