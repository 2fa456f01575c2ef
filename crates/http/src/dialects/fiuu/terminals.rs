//! Fiuu's list of terminals: the devices of the tenant, and which of them are at work. Every register of a shop asks for all of
//! them again and again, so a list that was read within the last second is given to the next who asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use tillgate_auth_core::Caller;
use tillgate_domain::office;
use tillgate_domain::{Device, DeviceId, DeviceStatus, Instant, TenantId};

use crate::answer;
use crate::call::Call;
use crate::failure::Failure;
use crate::route::Route;

/// How long after a session on it was last used a device counts as connected.
const LATELY: Duration = Duration::from_mins(5);

/// How long a list is given to others. Uses are written as seldom.
const SHARED: Duration = Duration::from_secs(1);

pub(super) fn route() -> Route {
    let lists = Arc::new(Lists::default());
    Route::known(Method::GET, "/api/terminals", move |call, caller| terminals(call, caller, Arc::clone(&lists)))
}

/// A device as the list needs it.
struct Known {
    id: DeviceId,
    name: String,
    last_seen_at: Option<Instant>,
}

/// A list, and when it was read.
struct Read {
    at: Instant,
    list: Arc<[Known]>,
}

/// The lists of the last second, by their tenants.
#[derive(Default)]
struct Lists(Mutex<HashMap<TenantId, Read>>);

impl Lists {
    fn find(&self, tenant: TenantId, now: Instant) -> Option<Arc<[Known]>> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.get(&tenant).filter(|read| shared(read.at, now)).map(|read| Arc::clone(&read.list))
    }

    fn keep(&self, tenant: TenantId, read: Read) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|_, earlier| shared(earlier.at, read.at));
        lists.insert(tenant, read);
    }
}

/// Whether a list that was read then is given to others now. One from the future, where the clock was set back, is not.
fn shared(read_at: Instant, now: Instant) -> bool {
    read_at <= now && now.since(read_at) < SHARED
}

#[derive(Serialize)]
struct Listed<'l> {
    data: Vec<Terminal<'l>>,
}

#[derive(Serialize)]
struct Terminal<'l> {
    #[serde(rename = "terminalId")]
    name: &'l str,
    connected: bool,
    /// Whether it is Fiuu's own virtual terminal; none is.
    #[serde(rename = "isVT")]
    is_vt: u8,
}

/// Uses are written once a second, but whoever asks is there.
async fn terminals(call: Call, caller: Caller, lists: Arc<Lists>) -> Result<HttpResponse, Failure> {
    let (now, own, tenant) = (call.engine().time().at, caller.device, caller.profile.tenant.id);
    // who is newer than the list has it read anew
    let knows_caller = |list: &Arc<[Known]>| own.is_none_or(|own| list.iter().any(|device| device.id == own));
    let list = if let Some(list) = lists.find(tenant, now).filter(knows_caller) {
        list
    } else {
        let list: Arc<[Known]> = known(every(&call, tenant).await?).into();
        lists.keep(tenant, Read { at: now, list: Arc::clone(&list) });
        list
    };
    let data = list
        .iter()
        .map(|device| Terminal {
            name: &device.name,
            connected: own == Some(device.id) || device.last_seen_at.is_some_and(|seen| now.since(seen) <= LATELY),
            is_vt: 0,
        })
        .collect();
    answer::json(StatusCode::OK, &Listed { data })
}

/// By name; a retired device is no terminal any more.
fn known(devices: Vec<Device>) -> Vec<Known> {
    let mut known: Vec<Known> = devices
        .into_iter()
        .filter(|device| device.status != DeviceStatus::Retired)
        .map(|device| Known { id: device.id, name: device.name.to_string(), last_seen_at: device.last_seen_at })
        .collect();
    known.sort_by(|one, other| one.name.cmp(&other.name));
    known
}

async fn every(call: &Call, tenant: TenantId) -> Result<Vec<Device>, Failure> {
    call.office(move |office| {
        let part = |page: &_| office::list_devices(office.store, tenant, page);
        Ok(office::all(None, part, |device| device.id)?)
    })
    .await
}
