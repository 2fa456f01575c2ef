//! PORTOS' sessions: who is logged in where, and an end to it.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};
use tillgate_auth_core::ports::{Listed, SessionFilter};
use tillgate_auth_core::{Caller, Refusal};
use tillgate_domain::office::find_device;
use tillgate_domain::{DeviceId, SessionId};

use super::list::Asked;
use super::path::both;
use crate::answer;
use crate::call::Call;
use crate::failure::Failure;
use crate::instants;
use crate::office::Office;
use crate::route::Route;

/// What of a session can be asked about in a list, by its name in queries.
const MEMBERS: &[(&str, &str)] = &[
    ("sessionId", "id"),
    ("id", "id"),
    ("userName", "userName"),
    ("name", "name"),
    ("deviceName", "deviceName"),
    ("envName", "envName"),
    ("createdAt", "createdAt"),
    ("lastUsedAt", "lastUsedAt"),
    ("expiresAt", "expiresAt"),
];

/// How many sessions are read at once.
const PART: u32 = 200;

pub(super) fn routes() -> Vec<Route> {
    let list_paths = both!("/sessions").map(|path| Route::known(Method::GET, path, list));
    let one_paths = both!("/sessions/{id}")
        .into_iter()
        .flat_map(|path| [Route::known(Method::GET, path, one), Route::known(Method::DELETE, path, end)]);
    list_paths.into_iter().chain(one_paths).collect()
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let asked = Asked::of(call.head(), MEMBERS)?;
    let needs = asked.needs();
    let rows = call.office(move |office| live(office, &caller, needs)).await?;
    asked.answer(rows)
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call)?;
    let row = call
        .office(move |office| {
            let listed = office.engine.session(&caller, id)?;
            still(office, &listed)?;
            Telling::default().row(office, &caller, &listed)
        })
        .await?;
    answer::json(StatusCode::OK, &row)
}

async fn end(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call)?;
    let row = call
        .office(move |office| {
            still(office, &office.engine.session(&caller, id)?)?;
            let ended = office.engine.end(&caller, id)?;
            Telling::default().row(office, &caller, &ended)
        })
        .await?;
    answer::json(StatusCode::OK, &row)
}

/// The live sessions that the caller may see, newest first; so many at most.
fn live(office: &Office<'_>, caller: &Caller, most: Option<usize>) -> Result<Vec<Value>, Failure> {
    let filter = SessionFilter { live: Some((true, office.engine.time().at)), ..SessionFilter::default() };
    let most = most.unwrap_or(usize::MAX);
    let (mut rows, mut after, mut telling) = (Vec::new(), None, Telling::default());
    while rows.len() < most {
        let part = office.engine.sessions(caller, &filter, after, PART)?;
        let Some(last) = part.last() else { break };
        after = Some(last.session.id);
        for listed in &part {
            rows.push(telling.row(office, caller, listed)?);
        }
    }
    Ok(rows)
}

/// What is over is no session any more.
fn still(office: &Office<'_>, listed: &Listed) -> Result<(), Failure> {
    let session = &listed.session;
    let outlived = session.expires_at.is_some_and(|expiry| expiry <= office.engine.time().at);
    if outlived || session.ended.is_some() { Err(Failure::Refused(Refusal::NoSession)) } else { Ok(()) }
}

/// What is no id names no session.
fn id(call: &Call) -> Result<SessionId, Failure> {
    call.head().segment("id").parse().map_err(|_| Failure::Refused(Refusal::NoSession))
}

/// Sessions as PORTOS tells of them. A device's environment is looked up once.
#[derive(Default)]
struct Telling(BTreeMap<DeviceId, Option<&'static str>>);

impl Telling {
    fn row(&mut self, office: &Office<'_>, caller: &Caller, listed: &Listed) -> Result<Value, Failure> {
        let session = &listed.session;
        let environment = match session.device {
            Some(device) => self.environment(office, caller, device)?,
            None => None,
        };
        Ok(json!({
            "id": session.id,
            "userName": listed.user_name,
            "name": listed.display_name,
            "deviceName": listed.device_name,
            "envName": environment,
            "createdAt": instants::text(session.created_at),
            "lastUsedAt": session.last_used_at.map(instants::text),
            "expiresAt": session.expires_at.map(instants::text),
        }))
    }

    fn environment(
        &mut self,
        office: &Office<'_>,
        caller: &Caller,
        device: DeviceId,
    ) -> Result<Option<&'static str>, Failure> {
        if let Some(known) = self.0.get(&device) {
            return Ok(*known);
        }
        let found = find_device(office.store, caller.profile.tenant.id, device)?;
        let name = found.map(|device| device.environment.name());
        self.0.insert(device, name);
        Ok(name)
    }
}
