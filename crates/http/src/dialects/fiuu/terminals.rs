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

pub(super) fn route(lists: &Arc<Lists>) -> Route {
    let lists = Arc::clone(lists);
    Route::known(Method::GET, "/api/terminals", move |call, caller| terminals(call, caller, Arc::clone(&lists)))
}

/// A device as the list needs it.
#[derive(Debug)]
struct Known {
    id: DeviceId,
    name: String,
    last_seen_at: Option<Instant>,
}

/// A list, and when it was read.
#[derive(Debug)]
struct Read {
    at: Instant,
    list: Arc<[Known]>,
}

impl Read {
    /// How many bytes it takes.
    fn bytes(&self) -> usize {
        let names: usize = self.list.iter().map(|device| device.name.capacity()).sum();
        names + size_of_val(&*self.list) + size_of::<(TenantId, Self)>() * 2
    }
}

/// The lists of the last second, by their tenants.
#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Each with the bytes that it takes.
    lists: HashMap<TenantId, (Read, usize)>,
    /// How many bytes all together take.
    bytes: usize,
}

impl Lists {
    fn find(&self, tenant: TenantId, now: Instant) -> Option<Arc<[Known]>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.lists.get(&tenant).filter(|(read, _)| shared(read.at, now));
        found.map(|(read, _)| Arc::clone(&read.list))
    }

    /// Keeps a list, unless all together would then take more bytes than `limit`.
    fn keep(&self, tenant: TenantId, read: Read, limit: usize) {
        let bytes = read.bytes();
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { lists, bytes: held } = &mut *guard;
        lists.retain(|of, (earlier, bytes)| {
            let stays = *of != tenant && shared(earlier.at, read.at);
            if !stays {
                *held -= *bytes;
            }
            stays
        });
        if *held + bytes <= limit {
            *held += bytes;
            lists.insert(tenant, (read, bytes));
        }
    }

    /// How many bytes all together take.
    pub(super) fn bytes(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes
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
        let limit = call.mounted().shared.settings.terminal_bytes;
        lists.keep(tenant, Read { at: now, list: Arc::clone(&list) }, limit);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(at: i64, devices: usize) -> Read {
        let at = Instant::from_millis(at);
        let device =
            |number| Known { id: DeviceId::new(at, [0; 10]), name: format!("P{number:04}"), last_seen_at: None };
        Read { at, list: (0..devices).map(device).collect() }
    }

    #[test]
    fn lists_take_no_more_bytes_than_their_limit() {
        let tenant = |number| TenantId::new(Instant::from_millis(1), [number; 10]);
        let (lists, now) = (Lists::default(), Instant::from_millis(1_000));
        let limit = read(1_000, 10).bytes() * 2;
        for number in 0..3 {
            lists.keep(tenant(number), read(1_000, 10), limit);
        }
        assert!(lists.find(tenant(0), now).is_some() && lists.find(tenant(1), now).is_some());
        assert!(lists.find(tenant(2), now).is_none(), "the third did not fit");
        assert_eq!(lists.bytes(), limit);
        lists.keep(tenant(0), read(1_000, 100), limit);
        assert!(lists.find(tenant(0), now).is_none(), "the old list is not kept where the new one does not fit");
        lists.keep(tenant(2), read(2_500, 10), limit);
        assert_eq!(lists.bytes(), limit / 2, "what is older than a second makes room");
    }
}
