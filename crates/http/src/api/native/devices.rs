//! Operations on devices: list, create, update, retire, set or remove the password, unlock logins
//! and PINs.

mod openapi;
mod request;
mod response;

use std::collections::BTreeSet;

use crate::context::office::name_violations;
use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{DeviceChange, DeviceFilter, DeviceView, EntityChange, FieldName, Office, PageRequest};
use tillgate_domain::{
    BranchId, Device, DeviceId, DeviceStatus, Environment, KnownRight, PrincipalId, SessionId, TenantId,
};

use super::page::PageQuery;
use super::path::{not_found, read_id, render_created};
use super::version::{read_if_match, render_versioned};
use super::{body, no_content, passwords, revocations, sessions};
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::request::query::QueryParameters;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;
use request::{CreateDevice, UpdateDevice};
pub use response::DeviceBody;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(Method::GET, "/devices", Requirement::Authenticated, list_devices)
            .documented(openapi::list_devices),
        Route::authenticated(Method::POST, "/devices", Requirement::Right(KnownRight::DeviceCreate), create_device)
            .documented(openapi::create_device),
        Route::authenticated(Method::GET, "/devices/{id}", Requirement::Authenticated, get_device)
            .documented(openapi::get_device),
        Route::authenticated(
            Method::PATCH,
            "/devices/{id}",
            Requirement::AnyOf(&[KnownRight::DeviceUpdate, KnownRight::DeviceDelete]),
            update_device,
        )
        .documented(openapi::update_device),
        Route::authenticated(
            Method::DELETE,
            "/devices/{id}",
            Requirement::Right(KnownRight::DeviceDelete),
            retire_device,
        )
        .documented(openapi::retire_device),
        Route::authenticated(
            Method::PUT,
            "/devices/{id}/password",
            Requirement::Right(KnownRight::DeviceUpdate),
            set_device_password,
        )
        .documented(openapi::set_device_password),
        Route::authenticated(
            Method::DELETE,
            "/devices/{id}/password",
            Requirement::Right(KnownRight::DeviceUpdate),
            remove_device_password,
        )
        .documented(openapi::remove_device_password),
        Route::authenticated(
            Method::POST,
            "/devices/{id}/unlock",
            Requirement::Right(KnownRight::DeviceUpdate),
            unlock_device,
        )
        .documented(openapi::unlock_device),
        Route::authenticated(
            Method::POST,
            "/devices/{id}/unlock-pins",
            Requirement::Right(KnownRight::PinReset),
            unlock_pins,
        )
        .documented(openapi::unlock_pins),
    ]
}

async fn list_devices(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (query, filter, with_seat) = read_filter(&call, caller.profile.tenant.id)?;
    let page = PageRequest { after: query.after_id().map(DeviceId), limit: query.fetch_limit() };
    let shows_address = sessions::shows_address(&caller);
    let permit = call.acquire_list_permit(&caller).await?;
    let (found, seats) = call
        .with_office(move |context| {
            let found = context.unguarded(caller.profile.tenant.id).search_devices(&filter, &page)?;
            let ids: BTreeSet<SessionId> = found.iter().filter_map(|view| view.device.seat).collect();
            let seats = with_seat.then(|| context.auth.find_sessions(&caller, &ids)).transpose()?;
            Ok((found, seats))
        })
        .await?;
    let now = call.auth().time().at;
    let to_body = |view| match &seats {
        None => DeviceBody::from_view(view),
        Some(seats) => DeviceBody::from_view(view).with_seat(view, seats, now, shows_address),
    };
    Ok(permit.hold_until_sent(query.render(&found, |each| each.device.id.0, to_body)?))
}

/// Reads the filter from the query, and whether the seats are requested; without a status it
/// selects all devices that are not retired.
fn read_filter(call: &Request, tenant: TenantId) -> Result<(PageQuery, DeviceFilter, bool), ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let query = PageQuery::read(&mut sent, "devices", "", tenant);
    let status: Option<DeviceStatus> = sent.parse("status", "must be pending, active, locked or retired");
    let environment: Option<Environment> = sent.parse("environment", "must be CashRegister, PDA, BackOffice or Tool");
    let statuses = match status {
        Some(status) => vec![status],
        None => DeviceStatus::ALL.into_iter().filter(|status| *status != DeviceStatus::Retired).collect(),
    };
    let branch: Option<BranchId> = sent.parse("store", "must be an id");
    let filter = DeviceFilter { statuses, environment, branch, text: sent.read_nonempty("search") };
    let with_seat = sent.parse_choice("with", [("seat", ())], "must be seat").is_some();
    sent.finish((query, filter, with_seat))
}

async fn create_device(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let mut sent =
        body::read_partial_request(&call, |sent: &CreateDevice| sent.violations(call.auth().build_password_policy()))?;
    let created = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            // authorize before a password is hashed, which is expensive
            let words = match office.authorize_add_device() {
                Ok(()) => sent.body().words(office.unguarded())?,
                Err(refused) if sent.is_valid() => return Err(refused.into()),
                // an unauthorized caller must not learn from the violations which names exist
                Err(_) => Vec::new(),
            };
            sent.add(sent.body().password_violations(context.auth.build_password_policy(), &words));
            let sent = sent.check_body(|sent| name_violations(&office, KnownRight::DeviceCreate, &sent.names()))?;
            let new = sent.into_new_device(context, &words, caller.address)?;
            load_view(&office, &into_api_result(office.add_device(&new))?)
        })
        .await?;
    render_created(
        &call,
        "devices",
        created.device.id,
        render_versioned(StatusCode::CREATED, created.device.version, &DeviceBody::from_view(&created))?,
    )
}

async fn get_device(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_id(&call, FieldName::Device)?;
    let found = call
        .with_office(move |context| {
            let office = context.unguarded(caller.profile.tenant.id);
            let Some(view) = office.find_device_view(id)? else { return Ok(None) };
            // it tells when passwords can be guessed again
            let rights = &caller.profile.rights;
            let shows_throttle = rights.allows(KnownRight::DeviceUpdate) || rights.allows(KnownRight::UserRead);
            let throttle =
                if shows_throttle { Some(context.auth.find_login_throttle(PrincipalId::Device(id))?) } else { None };
            Ok(Some((view, throttle)))
        })
        .await?;
    let (view, throttle) = found.ok_or_else(|| not_found(FieldName::Device, id))?;
    let body = DeviceBody::from_view(&view);
    let body = if let Some(throttle) = throttle { body.with_login_throttle(throttle) } else { body };
    render_versioned(StatusCode::OK, view.device.version, &body)
}

async fn update_device(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::Device)?, read_if_match(call.head())?);
    let sent = body::read_partial_request(&call, |_: &UpdateDevice| Vec::new())?;
    let (changed, ends_sessions) = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| {
                let change = sent.clone().into_change();
                name_violations(&office, sent.right(), &sent.names(EntityChange::Device(id, &change)))
            })?;
            let change = sent.into_change();
            let changed = into_api_result(office.change_device(id, versions.as_deref(), &change))?;
            Ok((load_view(&office, &changed)?, change.ends_sessions()))
        })
        .await?;
    let response = render_versioned(StatusCode::OK, changed.device.version, &DeviceBody::from_view(&changed))?;
    Ok(if ends_sessions { revocations::with_position(&call, response).await } else { response })
}

async fn retire_device(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::Device)?, read_if_match(call.head())?);
    let change = DeviceChange { status: Some(DeviceStatus::Retired), ..DeviceChange::default() };
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        into_api_result(office.change_device(id, versions.as_deref(), &change))
    })
    .await?;
    Ok(revocations::with_position(&call, no_content()).await)
}

async fn set_device_password(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    passwords::set_device_password(&call, caller, read_id(&call, FieldName::Device)?).await
}

async fn remove_device_password(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_id(&call, FieldName::Device)?;
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        into_api_result(office.remove_password(id))
    })
    .await?;
    Ok(revocations::with_position(&call, no_content()).await)
}

async fn unlock_device(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    passwords::unlock_principal(&call, caller, PrincipalId::Device(read_id(&call, FieldName::Device)?)).await
}

async fn unlock_pins(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: DeviceId = read_id(&call, FieldName::Device)?;
    let unlocked = call.run_blocking(move |auth| auth.unlock_pins(&caller, id)).await?;
    if unlocked { Ok(no_content()) } else { Err(not_found(FieldName::Device, id)) }
}

fn load_view(office: &Office<'_>, device: &Device) -> Result<DeviceView, ApiError> {
    office.unguarded().load_device_view(device)?.ok_or_else(|| ApiError::Fault("a device has no view".to_owned()))
}
