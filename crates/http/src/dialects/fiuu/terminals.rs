//! Fiuu's list of terminals: the devices of the tenant, and which of them are at work.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use tillgate_auth_core::Caller;
use tillgate_domain::office::{self, Page};
use tillgate_domain::{Device, DeviceStatus, TenantId};

use crate::answer;
use crate::call::Call;
use crate::failure::Failure;
use crate::office::Office;
use crate::route::Route;

/// How long after a session on it was last used a device counts as connected.
const LATELY: Duration = Duration::from_mins(5);

/// How many devices are read at once.
const PART: u32 = 200;

pub(super) fn route() -> Route {
    Route::known(Method::GET, "/api/terminals", terminals)
}

#[derive(Serialize)]
struct Listed {
    data: Vec<Terminal>,
}

#[derive(Serialize)]
struct Terminal {
    #[serde(rename = "terminalId")]
    name: String,
    connected: bool,
    /// Whether it is Fiuu's own virtual terminal; none is.
    #[serde(rename = "isVT")]
    is_vt: u8,
}

/// A retired device is none any more. Uses are written once a second, but whoever asks is there.
async fn terminals(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (now, own, tenant) = (call.engine().time().at, caller.device, caller.profile.tenant.id);
    let devices = call.office(move |office| every(office, tenant)).await?;
    let terminal = |device: Device| Terminal {
        name: device.name.to_string(),
        connected: own == Some(device.id) || device.last_seen_at.is_some_and(|seen| now.since(seen) <= LATELY),
        is_vt: 0,
    };
    let mut data: Vec<Terminal> =
        devices.into_iter().filter(|device| device.status != DeviceStatus::Retired).map(terminal).collect();
    data.sort_by(|one, other| one.name.cmp(&other.name));
    answer::json(StatusCode::OK, &Listed { data })
}

fn every(office: &Office<'_>, tenant: TenantId) -> Result<Vec<Device>, Failure> {
    let (mut devices, mut after) = (Vec::new(), None);
    loop {
        let part = office::list_devices(office.store, tenant, &Page { after, limit: PART })?;
        after = part.last().map(|device| device.id);
        let whole = part.len() == PART as usize;
        devices.extend(part);
        if !whole {
            return Ok(devices);
        }
    }
}
