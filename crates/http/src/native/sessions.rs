//! The native API's sessions: login, refresh, who am I, one's own password, logout, list and end.

mod sent;
mod told;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::ports::SessionFilter;
use tillgate_auth_core::{Caller, Refusal};
use tillgate_domain::{SessionId, TenantId, office};

use super::page::Asked;
use super::path::created;
use super::shapes::{Current, Session, Tokens};
use super::{done, passwords};
use crate::answer::json;
use crate::call::Call;
use crate::failure::{Failure, Protocol};
use crate::office::decided;
use crate::query::Parameters;
use crate::route::Route;
pub(super) use sent::{LoginRequest, credentials};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::open(Method::POST, "/sessions", log_in).told(told::log_in),
        Route::known(Method::GET, "/sessions", list).told(told::list),
        Route::open(Method::POST, "/sessions/refresh", refresh).told(told::refresh),
        Route::known(Method::GET, "/sessions/current", current).told(told::current),
        Route::known(Method::DELETE, "/sessions/current", log_out).told(told::log_out),
        Route::known(Method::PUT, "/sessions/current/password", change_password).told(told::change_password),
        Route::known(Method::POST, "/sessions/end", end_all).told(told::end_all),
        Route::known(Method::GET, "/sessions/{id}", one).told(told::one),
        Route::known(Method::DELETE, "/sessions/{id}", end).told(told::end),
    ]
}

async fn log_in(call: Call) -> Result<HttpResponse, Failure> {
    let sent = credentials(call.head().headers(), call.body(), call.engine().password_policy())?;
    let LoginRequest { who, password, new_password, tenant, previous } = sent;
    let granted = call.login_in(who, password, new_password, tenant, previous.into_iter().collect()).await;
    let granted = granted.map_err(of_new_password)?;
    created(&call, "sessions", granted.session.id, json(StatusCode::CREATED, &Tokens::of(&granted))?)
}

/// A login sets a password under another name than the other calls.
fn of_new_password(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(Refusal::Weak(why)) => Protocol::Fields(vec![sent::weak_new_password(&why)]).into(),
        other => other,
    }
}

async fn refresh(call: Call) -> Result<HttpResponse, Failure> {
    let granted = call.refresh(sent::refresh_token(call.head().headers(), call.body())?, None).await?;
    json(StatusCode::OK, &Tokens::of(&granted))
}

async fn current(_call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    json(StatusCode::OK, &Current::of(&caller))
}

async fn log_out(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    call.block(move |engine| engine.logout(&caller)).await?;
    Ok(done())
}

/// Changes the caller's own password, which they prove by the one there is. Their other sessions end.
async fn change_password(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (old, new, end_keys) = sent::passwords(call.head().headers(), call.body(), call.engine().password_policy())?;
    let changed = call.change_password(caller, old, new, end_keys).await?;
    passwords::changed(&changed.api_keys, changed.keys_ended)
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (asked, filter) = search(&call, caller.profile.tenant.id)?;
    let (after, limit) = (asked.after_id().map(SessionId), asked.sought());
    let found = call.block(move |engine| engine.sessions(&caller, &filter, after, limit)).await?;
    let now = call.engine().time().at;
    asked.answer(&found, |listed| listed.session.id.0, |listed| Session::listed(listed, now))
}

fn search(call: &Call, tenant: TenantId) -> Result<(Asked, SessionFilter), Failure> {
    const ID: &str = "must be an id";
    let mut sent = Parameters::all_known(call.head());
    let now = call.engine().time().at;
    let filter = SessionFilter {
        user: sent.take("user", ID),
        device: sent.take("device", ID),
        live: sent.take("live", "must be true or false").map(|live| (live, now)),
        ..SessionFilter::default()
    };
    let asked = Asked::take(&mut sent, "sessions", "", tenant);
    sent.checked((asked, filter))
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call)?;
    let listed = call.block(move |engine| engine.session(&caller, id)).await?;
    json(StatusCode::OK, &Session::listed(&listed, call.engine().time().at))
}

async fn end(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call)?;
    call.block(move |engine| engine.end(&caller, id)).await?;
    Ok(done())
}

/// Ends all sessions of a user, all on a device, or everybody's.
async fn end_all(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (whose, permanent) = sent::whose(call.head().headers(), call.body())?;
    call.office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
        decided(office::end_sessions(office.store, tenant, &stamp, whose, permanent))
    })
    .await?;
    Ok(done())
}

/// What is no id names no session.
fn id(call: &Call) -> Result<SessionId, Failure> {
    call.head().segment("id").parse().map_err(|_| Failure::Refused(Refusal::NoSession))
}
