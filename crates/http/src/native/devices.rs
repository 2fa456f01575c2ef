//! The native API's devices: what there is, registering, changing, retiring, their passwords, and letting one log in again.

mod sent;
mod shape;
mod told;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{self, Decided, DeviceChange, DeviceFilter, Equipped, Field as Of, Page, Stamp};
use tillgate_domain::{Device, DeviceId, DeviceStatus, Environment, KnownRight, PrincipalId, TenantId};

use super::page::Asked;
use super::path::{absent, created, id};
use super::version::{Condition, condition, shown};
use super::{body, done, passwords};
use crate::call::Call;
use crate::failure::Failure;
use crate::office::{Office, decided};
use crate::query::Parameters;
use crate::route::Route;
use sent::{Change, New};
use shape::Shape;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::known(Method::GET, "/devices", list).told(told::list),
        Route::known(Method::POST, "/devices", add).told(told::add),
        Route::known(Method::GET, "/devices/{id}", one).told(told::one),
        Route::known(Method::PATCH, "/devices/{id}", change).told(told::change),
        Route::known(Method::DELETE, "/devices/{id}", retire).told(told::retire),
        Route::known(Method::PUT, "/devices/{id}/password", set_password).told(told::set_password),
        Route::known(Method::DELETE, "/devices/{id}/password", remove_password).told(told::remove_password),
        Route::known(Method::POST, "/devices/{id}/unlock", unlock).told(told::unlock),
    ]
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (asked, filter) = search(&call, caller.profile.tenant.id)?;
    let page = Page { after: asked.after_id().map(DeviceId), limit: asked.sought() };
    let found = call
        .office(move |office| Ok(office::search_devices(office.store, caller.profile.tenant.id, &filter, &page)?))
        .await?;
    asked.answer(&found, |each| each.device.id.0, Shape::of)
}

/// What the query asks for: where no status is named, whatever is not retired.
fn search(call: &Call, tenant: TenantId) -> Result<(Asked, DeviceFilter), Failure> {
    let mut sent = Parameters::all_known(call.head());
    let asked = Asked::take(&mut sent, "devices", "", tenant);
    let status: Option<DeviceStatus> = sent.take("status", "must be pending, active, locked or retired");
    let environment: Option<Environment> = sent.take("environment", "must be CashRegister, PDA, BackOffice or Tool");
    let statuses = match status {
        Some(status) => vec![status],
        None => DeviceStatus::ALL.into_iter().filter(|status| *status != DeviceStatus::Retired).collect(),
    };
    let filter = DeviceFilter { statuses, environment, text: sent.word("search") };
    sent.checked((asked, filter))
}

async fn add(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let mut sent = body::sent_so_far(&call, |sent: &New| sent.faults(call.engine().password_policy()))?;
    let made = call
        .office(move |office| {
            let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
            // before a password is hashed for it
            let words = match office::may_add_device(&stamp.authority) {
                Ok(()) => sent.body().words(office, tenant)?,
                Err(refused) if sent.is_faultless() => return Err(refused.into()),
                // who may register nothing learns nothing of the names there are
                Err(_) => Vec::new(),
            };
            sent.add(sent.body().weak_by(office.engine.password_policy(), &words));
            let sent = sent.checked(|sent| office.refused_names(&caller, KnownRight::DeviceCreate, &sent.names()))?;
            let new = sent.device(office, &words, caller.address)?;
            named(office, &decided(office::add_device(office.store, tenant, &stamp, &new))?)
        })
        .await?;
    created(&call, "devices", made.device.id, shown(StatusCode::CREATED, made.device.version, &Shape::of(&made))?)
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call, Of::Device)?;
    let found = call
        .office(move |office| Ok(office::find_equipped(office.store, caller.profile.tenant.id, id)?))
        .await?
        .ok_or_else(|| absent(Of::Device, id))?;
    shown(StatusCode::OK, found.device.version, &Shape::of(&found))
}

async fn change(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::Device)?, condition(call.head().headers())?);
    let sent = body::sent_so_far(&call, |_: &Change| Vec::new())?;
    let changed = call
        .office(move |office| {
            let sent = sent.checked(|sent| office.refused_names(&caller, sent.right(), &sent.names(id)))?;
            let (tenant, stamp, change) = (caller.profile.tenant.id, office.stamp(&caller)?, sent.change());
            let change = |version| decided(office::change_device(office.store, tenant, &stamp, id, version, &change));
            named(office, &condition.holding(change)?)
        })
        .await?;
    shown(StatusCode::OK, changed.device.version, &Shape::of(&changed))
}

async fn retire(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::Device)?, condition(call.head().headers())?);
    let change = DeviceChange { status: Some(DeviceStatus::Retired), ..DeviceChange::default() };
    write(&call, caller, condition, move |office, tenant, stamp, version| {
        office::change_device(office.store, tenant, stamp, id, version, &change)
    })
    .await?;
    Ok(done())
}

async fn set_password(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    passwords::set_of_device(&call, caller, id(&call, Of::Device)?).await
}

async fn remove_password(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call, Of::Device)?;
    call.office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
        decided(office::remove_password(office.store, tenant, &stamp, id))
    })
    .await?;
    Ok(done())
}

async fn unlock(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    passwords::unlock(&call, caller, PrincipalId::Device(id(&call, Of::Device)?)).await
}

/// Runs a use case that changes a device, and reads it with the names of its roles.
async fn write(
    call: &Call,
    caller: Caller,
    condition: Condition,
    change: impl Fn(&Office<'_>, TenantId, &Stamp, Option<i64>) -> Decided<Device> + Send + 'static,
) -> Result<Equipped, Failure> {
    call.office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
        let device = condition.holding(|version| decided(change(office, tenant, &stamp, version)))?;
        named(office, &device)
    })
    .await
}

fn named(office: &Office<'_>, device: &Device) -> Result<Equipped, Failure> {
    office::equipped(office.store, device)?.ok_or_else(|| Failure::Fault("a device has no names".to_owned()))
}
