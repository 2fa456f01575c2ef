//! The native API's stores: what the tenant has, opening, naming and closing them. They are written with the tenant, whose version
//! theirs is.

mod sent;
mod told;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use tillgate_auth_core::Caller;
use tillgate_domain::office::{self, Field as Of};
use tillgate_domain::{Branch, BranchId, Folded, Tenant};
use utoipa::ToSchema;

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

/// A store of the tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Store)]
struct Shape<'b> {
    /// It stays for good.
    #[schema(value_type = uuid::Uuid)]
    id: BranchId,
    /// The name that people read.
    name: &'b str,
}

impl<'b> Shape<'b> {
    fn of(branch: &'b Branch) -> Self {
        Self { id: branch.id, name: &branch.name }
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::known(Method::GET, "/stores", list).told(told::list),
        Route::known(Method::POST, "/stores", open).told(told::open),
        Route::known(Method::GET, "/stores/{id}", one).told(told::one),
        Route::known(Method::PATCH, "/stores/{id}", rename).told(told::rename),
        Route::known(Method::DELETE, "/stores/{id}", close).told(told::close),
    ]
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let mut sent = Parameters::all_known(call.head());
    let asked = Asked::take(&mut sent, "stores", "", caller.profile.tenant.id);
    let search = sent.word("search").map(|text| Folded::of(&text));
    let asked: Asked = sent.checked(asked)?;
    let after = asked.after_id();
    let mut stores = tenant(&call, &caller).await?.branches;
    stores.sort_by_key(|store| store.id);
    stores.retain(|store| {
        after.is_none_or(|after| store.id.0 > after)
            && search.as_ref().is_none_or(|text| Folded::of(&store.name).as_str().contains(text.as_str()))
    });
    asked.answer(&stores, |store| store.id.0, Shape::of)
}

async fn open(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let sent: New = body::sent(&call)?;
    let name = sent.name()?;
    let (id, tenant) = call
        .office(move |office| {
            let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
            let id = office.engine.id(BranchId::new)?;
            Ok((id, decided(office::add_store(office.store, tenant, &stamp, &Branch { id, name }))?))
        })
        .await?;
    created(&call, "stores", id, answer(StatusCode::CREATED, &tenant, id)?)
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call, Of::Store)?;
    answer(StatusCode::OK, &tenant(&call, &caller).await?, id)
}

async fn rename(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::Store)?, condition(call.head().headers())?);
    let sent: Change = body::sent(&call)?;
    let tenant = call
        .office(move |office| {
            let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
            let name = sent.name();
            condition.holding(|version| {
                decided(office::rename_store(office.store, tenant, &stamp, id, version, name.as_deref()))
            })
        })
        .await?;
    answer(StatusCode::OK, &tenant, id)
}

async fn close(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::Store)?, condition(call.head().headers())?);
    call.office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
        condition.holding(|version| decided(office::close_store(office.store, tenant, &stamp, id, version)))
    })
    .await?;
    Ok(done())
}

/// The tenant as it is now, with its stores.
async fn tenant(call: &Call, caller: &Caller) -> Result<Tenant, Failure> {
    let id = caller.profile.tenant.id;
    let found = call.office(move |office| Ok(office::find_tenant(office.store, id)?)).await?;
    found.ok_or_else(|| Failure::Fault("a caller's tenant is gone".to_owned()))
}

fn answer(status: StatusCode, tenant: &Tenant, id: BranchId) -> Result<HttpResponse, Failure> {
    let store = tenant.branches.iter().find(|store| store.id == id).ok_or_else(|| absent(Of::Store, id))?;
    shown(status, tenant.version, &Shape::of(store))
}
