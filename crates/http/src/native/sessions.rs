//! The native API's sessions: login, refresh, who am I, logout, list and end.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderMap, HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use serde::Deserialize;
use tillgate_auth_core::ports::SessionFilter;
use tillgate_auth_core::{Caller, Refusal, Who};
use tillgate_domain::{Secret, SessionId};
use validator::Validate;

use super::shapes::{Current, Page, Session, Tokens};
use crate::answer::json;
use crate::body;
use crate::call::Call;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::field::{Field, text, validated};
use crate::query::Parameters;
use crate::route::Route;

/// How many items a page has where nobody says, and at most.
const PAGE: u32 = 50;
const LONGEST_PAGE: u32 = 200;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::open(Method::POST, "/sessions", log_in),
        Route::known(Method::GET, "/sessions", list),
        Route::open(Method::POST, "/sessions/refresh", refresh),
        Route::known(Method::GET, "/sessions/current", current),
        Route::known(Method::DELETE, "/sessions/current", log_out),
        Route::known(Method::GET, "/sessions/{id}", one),
        Route::known(Method::DELETE, "/sessions/{id}", end),
    ]
}

/// What a login sends. Without a login the device logs in as itself. The password may be empty or long: that is a wrong one.
#[derive(Deserialize, Validate)]
struct Credentials {
    #[serde(default)]
    #[validate(length(max = 254), custom(function = "text"))]
    login: Field<String>,
    #[serde(default)]
    #[validate(required, custom(function = "text"))]
    password: Field<String>,
    #[serde(default)]
    #[validate(length(max = 100), custom(function = "text"))]
    device: Field<String>,
    #[serde(default)]
    #[validate(length(max = 63), custom(function = "text"))]
    tenant: Field<String>,
}

#[derive(Deserialize, Validate)]
struct Renewal {
    #[serde(default)]
    #[validate(required, custom(function = "text"))]
    refresh_token: Field<String>,
}

async fn log_in(call: Call) -> Result<HttpResponse, Failure> {
    let (who, password, tenant) = credentials(call.head().headers(), call.body())?;
    let granted = call.login(who, password, tenant).await?;
    let mut answer = json(StatusCode::CREATED, &Tokens::of(&granted))?;
    let location = format!("{}/sessions/{}", call.head().prefix(), granted.session.id);
    if let Ok(location) = HeaderValue::from_str(&location) {
        answer.headers_mut().insert(LOCATION, location);
    }
    Ok(answer)
}

pub(super) fn credentials(headers: &HeaderMap, body: &[u8]) -> Result<(Who, Secret<String>, Option<String>), Failure> {
    let sent: Credentials = body::object(headers, body)?;
    let nobody = (&sent.login, &sent.device) == (&Field::Missing, &Field::Missing);
    let nobody = nobody.then(|| FieldFault {
        field: "login".into(),
        query: false,
        code: "required".into(),
        message: "is required where no device logs in as itself".into(),
    });
    let sent = match (validated(sent), nobody) {
        (Ok(sent), None) => sent,
        (Ok(_), Some(fault)) => return Err(Protocol::Fields(vec![fault]).into()),
        (Err(Protocol::Fields(mut faults)), fault) => {
            faults.extend(fault);
            faults.sort();
            return Err(Protocol::Fields(faults).into());
        }
        (Err(other), _) => return Err(other.into()),
    };
    let device = sent.device.given();
    let who = match sent.login.given() {
        Some(login) => Who::User { login, device },
        None => Who::Device { device: device.unwrap_or_default() },
    };
    Ok((who, Secret::new(sent.password.given().unwrap_or_default()), sent.tenant.given()))
}

async fn refresh(call: Call) -> Result<HttpResponse, Failure> {
    let sent: Renewal = validated(body::object(call.head().headers(), call.body())?)?;
    let token = Secret::new(sent.refresh_token.given().unwrap_or_default());
    let granted = call.refresh(token, None).await?;
    json(StatusCode::OK, &Tokens::of(&granted))
}

async fn current(_call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    json(StatusCode::OK, &Current::of(&caller))
}

async fn log_out(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    call.block(move |engine| engine.logout(&caller)).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (filter, after, limit) = page(&call)?;
    let mut found = call.block(move |engine| engine.sessions(&caller, &filter, after, limit + 1)).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.session.id);
    let now = call.engine().time().at;
    let items = found.iter().map(|listed| Session::listed(listed, now)).collect();
    json(StatusCode::OK, &Page { items, next })
}

fn page(call: &Call) -> Result<(SessionFilter, Option<SessionId>, u32), Failure> {
    const ID: &str = "must be an id";
    let mut sent = Parameters::of(call.head());
    let now = call.engine().time().at;
    let filter = SessionFilter {
        user: sent.take("user", ID),
        device: sent.take("device", ID),
        live: sent.take("live", "must be true or false").map(|live| (live, now)),
        ..SessionFilter::default()
    };
    let after = sent.take("after", "must be the next of a page before");
    let limit = sent.take("limit", "must be a number from 1 to 200").unwrap_or(PAGE);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        sent.fault("limit", "range", "must be a number from 1 to 200");
    }
    sent.checked((filter, after, limit))
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call)?;
    let listed = call.block(move |engine| engine.session(&caller, id)).await?;
    json(StatusCode::OK, &Session::listed(&listed, call.engine().time().at))
}

async fn end(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call)?;
    call.block(move |engine| engine.end(&caller, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What is no id names no session.
fn id(call: &Call) -> Result<SessionId, Failure> {
    call.head().segment("id").parse().map_err(|_| Failure::Refused(Refusal::NoSession))
}
