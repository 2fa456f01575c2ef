//! Fiuu's list of terminals: the devices of the tenant, and whether they are connected. Every
//! register of a shop polls this list, so a list is cached for one second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use tillgate_auth_core::Caller;
use tillgate_domain::office;
use tillgate_domain::{Device, DeviceId, DeviceStatus, Instant, TenantId};

use crate::error::ApiError;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::response;
use crate::serving::route::Route;

/// A device is connected if a session on it was used within this time.
const CONNECTED_WINDOW: Duration = Duration::from_mins(5);

/// How long a list is cached. The time of last use is written equally often.
const LIST_CACHE_TTL: Duration = Duration::from_secs(1);

pub(super) fn route(lists: &Arc<TerminalListCache>) -> Route {
    let lists = Arc::clone(lists);
    Route::authenticated(Method::GET, "/api/terminals", Requirement::Authenticated, move |call, caller| {
        list_terminals(call, caller, Arc::clone(&lists))
    })
}

/// The data of a device that the list needs.
#[derive(Debug)]
struct TerminalDevice {
    id: DeviceId,
    name: String,
    last_seen_at: Option<Instant>,
}

/// A cached list with the time at which it was read.
#[derive(Debug)]
struct CachedList {
    read_at: Instant,
    devices: Arc<[TerminalDevice]>,
}

impl CachedList {
    /// Returns the memory of the list, in bytes.
    fn size_bytes(&self) -> usize {
        let names: usize = self.devices.iter().map(|device| device.name.capacity()).sum();
        names + size_of_val(&*self.devices) + size_of::<(TenantId, Self)>() * 2
    }
}

/// The cached lists of all tenants.
#[derive(Debug, Default)]
pub(super) struct TerminalListCache(Mutex<CacheState>);

#[derive(Debug, Default)]
struct CacheState {
    /// Each list with its memory in bytes.
    lists: HashMap<TenantId, (CachedList, usize)>,
    /// Memory of all lists, in bytes.
    bytes: usize,
}

impl TerminalListCache {
    fn get(&self, tenant: TenantId, now: Instant) -> Option<Arc<[TerminalDevice]>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = state.lists.get(&tenant).filter(|(read, _)| is_fresh(read.read_at, now));
        found.map(|(read, _)| Arc::clone(&read.devices))
    }

    /// Caches a list, unless the memory of all lists would exceed `limit` bytes.
    fn insert(&self, tenant: TenantId, read: CachedList, limit: usize) {
        let bytes = read.size_bytes();
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let CacheState { lists, bytes: total } = &mut *guard;
        lists.retain(|of, (earlier, bytes)| {
            let stays = *of != tenant && is_fresh(earlier.read_at, read.read_at);
            if !stays {
                *total -= *bytes;
            }
            stays
        });
        if *total + bytes <= limit {
            *total += bytes;
            lists.insert(tenant, (read, bytes));
        }
    }

    /// Returns the memory of all lists, in bytes.
    pub(super) fn size_bytes(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

/// Whether a list read at `read_at` is still valid. A list from the future, after the clock was set
/// back, is not.
fn is_fresh(read_at: Instant, now: Instant) -> bool {
    read_at <= now && now.duration_since(read_at) < LIST_CACHE_TTL
}

#[derive(Serialize)]
struct TerminalsBody<'l> {
    data: Vec<TerminalBody<'l>>,
}

#[derive(Serialize)]
struct TerminalBody<'l> {
    #[serde(rename = "terminalId")]
    name: &'l str,
    connected: bool,
    /// Whether the terminal is a virtual terminal of Fiuu's own; always 0 here.
    #[serde(rename = "isVT")]
    is_vt: u8,
}

/// Lists the terminals. The caller itself is always connected, although its use may not have been
/// written yet.
async fn list_terminals(
    call: Request,
    caller: Caller,
    lists: Arc<TerminalListCache>,
) -> Result<HttpResponse, ApiError> {
    let (now, own_device, tenant) = (call.auth().time().at, caller.device, caller.profile.tenant.id);
    // a caller that is newer than the cached list causes a new read
    let knows_caller = |list: &Arc<[TerminalDevice]>| {
        own_device.is_none_or(|own_device| list.iter().any(|device| device.id == own_device))
    };
    let list = if let Some(list) = lists.get(tenant, now).filter(knows_caller) {
        list
    } else {
        let list: Arc<[TerminalDevice]> = select_terminals(load_devices(&call, tenant).await?).into();
        let limit = call.mount().server.settings.terminal_list_bytes;
        lists.insert(tenant, CachedList { read_at: now, devices: Arc::clone(&list) }, limit);
        list
    };
    let data = list
        .iter()
        .map(|device| TerminalBody {
            name: &device.name,
            connected: own_device == Some(device.id)
                || device.last_seen_at.is_some_and(|seen| now.duration_since(seen) <= CONNECTED_WINDOW),
            is_vt: 0,
        })
        .collect();
    response::render_json(StatusCode::OK, &TerminalsBody { data })
}

/// Selects the devices of the list, sorted by name; retired devices are no terminals.
fn select_terminals(devices: Vec<Device>) -> Vec<TerminalDevice> {
    let mut known: Vec<TerminalDevice> = devices
        .into_iter()
        .filter(|device| device.status != DeviceStatus::Retired)
        .map(|device| TerminalDevice {
            id: device.id,
            name: device.name.to_string(),
            last_seen_at: device.last_seen_at,
        })
        .collect();
    known.sort_by(|one, other| one.name.cmp(&other.name));
    known
}

async fn load_devices(call: &Request, tenant: TenantId) -> Result<Vec<Device>, ApiError> {
    call.with_office(move |context| {
        let part = |page: &_| context.unguarded(tenant).list_devices(page);
        Ok(office::collect_pages(None, part, |device| device.id)?)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached_list(at: i64, devices: usize) -> CachedList {
        let at = Instant::from_millis(at);
        let device = |number| TerminalDevice {
            id: DeviceId::new(at, [0; 10]),
            name: format!("P{number:04}"),
            last_seen_at: None,
        };
        CachedList { read_at: at, devices: (0..devices).map(device).collect() }
    }

    #[test]
    fn list_cache_stays_within_byte_limit() {
        let tenant = |number| TenantId::new(Instant::from_millis(1), [number; 10]);
        let (lists, now) = (TerminalListCache::default(), Instant::from_millis(1_000));
        let limit = cached_list(1_000, 10).size_bytes() * 2;
        for number in 0..3 {
            lists.insert(tenant(number), cached_list(1_000, 10), limit);
        }
        assert!(lists.get(tenant(0), now).is_some() && lists.get(tenant(1), now).is_some());
        assert!(lists.get(tenant(2), now).is_none(), "the third did not fit");
        assert_eq!(lists.size_bytes(), limit);
        lists.insert(tenant(0), cached_list(1_000, 100), limit);
        assert!(lists.get(tenant(0), now).is_none(), "the old list is not kept where the new one does not fit");
        lists.insert(tenant(2), cached_list(2_500, 10), limit);
        assert_eq!(lists.size_bytes(), limit / 2, "what is older than a second makes room");
    }
}
