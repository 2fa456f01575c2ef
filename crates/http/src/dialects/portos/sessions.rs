//! PORTOS' sessions: who is logged in where, and an end to it.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};
use tillgate_auth_core::ports::{Listed, SessionFilter};
use tillgate_auth_core::{Caller, Refusal};
use tillgate_domain::office::{Page, all};
use tillgate_domain::{Environment, SessionId};

use super::list::{Asked, ENVIRONMENTS, Kind, Member};
use super::path::both;
use crate::answer;
use crate::call::Call;
use crate::failure::Failure;
use crate::instants;
use crate::office::Office;
use crate::route::Route;

/// What of a session can be asked about in a list, by its name in queries.
const MEMBERS: &[Member] = &[
    Member::alias("sessionId", "id", Kind::Text),
    Member::new("id", Kind::Text),
    Member::new("userName", Kind::Text),
    Member::new("name", Kind::Text),
    Member::new("deviceName", Kind::Text),
    Member::new("envName", ENVIRONMENTS),
    Member::new("createdAt", Kind::Instant),
    Member::new("lastUsedAt", Kind::Instant),
    Member::new("expiresAt", Kind::Instant),
];

pub(super) fn routes() -> Vec<Route> {
    let list_paths = both!("/sessions").map(|path| Route::known(Method::GET, path, list));
    let one_paths = both!("/sessions/{id}")
        .into_iter()
        .flat_map(|path| [Route::known(Method::GET, path, one), Route::known(Method::DELETE, path, end)]);
    list_paths.into_iter().chain(one_paths).collect()
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let asked = Asked::of(call.head(), MEMBERS)?;
    let rows = call.office(move |office| live(office, &caller)).await?;
    asked.answer(rows)
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call)?;
    let row = call
        .office(move |office| {
            let listed = office.engine.session(&caller, id)?;
            still(office, &listed)?;
            Ok(row(&listed))
        })
        .await?;
    answer::json(StatusCode::OK, &row)
}

async fn end(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call)?;
    let row = call
        .office(move |office| {
            still(office, &office.engine.session(&caller, id)?)?;
            Ok(row(&office.engine.end(&caller, id)?))
        })
        .await?;
    answer::json(StatusCode::OK, &row)
}

/// The live sessions that the caller may see, newest first.
fn live(office: &Office<'_>, caller: &Caller) -> Result<Vec<Value>, Failure> {
    let filter = SessionFilter { live: Some((true, office.engine.time().at)), ..SessionFilter::default() };
    let part = |page: &Page<SessionId>| office.engine.sessions(caller, &filter, page.after, page.limit);
    let found = all(None, part, |listed| listed.session.id)?;
    Ok(found.iter().map(row).collect())
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

/// A session as PORTOS tells of it.
fn row(listed: &Listed) -> Value {
    let session = &listed.session;
    json!({
        "id": session.id,
        "userName": listed.user_name,
        "name": listed.display_name,
        "deviceName": listed.device_name,
        "envName": listed.environment.map(Environment::name),
        "createdAt": instants::text(session.created_at),
        "lastUsedAt": session.last_used_at.map(instants::text),
        "expiresAt": session.expires_at.map(instants::text),
    })
}
