//! Operations on sessions: log in, refresh, get the caller, change their password, log out, list
//! and end.

mod openapi;
mod request;
pub(super) mod response;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::ports::{SessionCursor, SessionFilter, SessionOrder, SessionView};
use tillgate_auth_core::{AuthDenied, Caller, DialectName, IssuedTokens};
use tillgate_domain::office::ChangeMark;
use tillgate_domain::{Instant, KnownRight, SessionId, TenantId};

use super::page::PageQuery;
use super::path::render_created;
use super::{no_content, passwords, revocations};
use crate::error::office::into_api_result;
use crate::error::{ApiError, ProtocolError};
use crate::request::Request;
use crate::request::dpop::read_proof;
use crate::request::query::QueryParameters;
use crate::serving::requirement::Requirement;
use crate::serving::response::render_json;
use crate::serving::route::Route;
pub(super) use openapi::{INVALID_OR_UNPROVEN, WRONG_PASSWORD, example_bound_tokens};
pub(super) use request::{LoginInput, read_login};
pub use response::SessionBody;
use response::{CallerBody, TokensBody};

/// The path of the step-up.
pub(crate) const STEP_UP_PATH: &str = "/sessions/current/step-up";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::public(Method::POST, "/sessions", log_in).documented(openapi::log_in),
        Route::authenticated(Method::GET, "/sessions", Requirement::Authenticated, list_sessions)
            .documented(openapi::list_sessions),
        Route::public(Method::POST, "/sessions/refresh", refresh_session).documented(openapi::refresh_session),
        Route::authenticated(Method::GET, "/sessions/current", Requirement::Authenticated, get_current_session)
            .documented(openapi::get_current_session),
        Route::authenticated(Method::DELETE, "/sessions/current", Requirement::Authenticated, log_out)
            .documented(openapi::log_out),
        Route::authenticated(
            Method::PUT,
            "/sessions/current/password",
            Requirement::Authenticated,
            change_own_password,
        )
        .documented(openapi::change_own_password),
        Route::authenticated(Method::POST, STEP_UP_PATH, Requirement::Authenticated, step_up)
            .documented(openapi::step_up),
        Route::authenticated(
            Method::POST,
            "/sessions/end",
            Requirement::RightForOthers(KnownRight::SessionDelete),
            end_sessions,
        )
        .documented(openapi::end_sessions),
        Route::authenticated(
            Method::GET,
            "/sessions/{id}",
            Requirement::RightForOthers(KnownRight::SessionRead),
            get_session,
        )
        .documented(openapi::get_session),
        Route::authenticated(
            Method::DELETE,
            "/sessions/{id}",
            Requirement::RightForOthers(KnownRight::SessionDelete),
            end_session,
        )
        .documented(openapi::end_session),
    ]
}

async fn log_in(call: Request) -> Result<HttpResponse, ApiError> {
    let sent = read_login(call.head().headers(), call.body(), call.auth().build_password_policy())?;
    let LoginInput { who, password, new_password, tenant, previous } = sent;
    let proven_key = call.read_proven_key()?;
    let issued =
        call.log_in_to_tenant(who, password, new_password, tenant, previous.into_iter().collect(), proven_key).await;
    let issued = issued.map_err(map_new_password_error)?;
    render_created(
        &call,
        "sessions",
        issued.session.id,
        render_json(StatusCode::CREATED, &TokensBody::from_issued_tokens(&issued))?,
    )
}

/// A login names its new password differently from the other requests.
fn map_new_password_error(failure: ApiError) -> ApiError {
    match failure {
        ApiError::Denied(AuthDenied::WeakPassword(why)) => {
            ProtocolError::InvalidFields(vec![request::new_password_violation(&why)]).into()
        }
        other => other,
    }
}

async fn refresh_session(call: Request) -> Result<HttpResponse, ApiError> {
    let token = request::read_refresh(call.head().headers(), call.body())?;
    let issued = call.refresh_with_proof(token, read_proof(call.head())).await?;
    render_json(StatusCode::OK, &TokensBody::from_issued_tokens(&issued))
}

async fn get_current_session(_call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    render_json(StatusCode::OK, &CallerBody::from_caller(&caller))
}

async fn log_out(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    call.run_blocking(move |auth| auth.logout(&caller)).await?;
    Ok(revocations::with_position(&call, no_content()).await)
}

/// Changes the caller's own password, confirmed by the current one. All other sessions of the
/// caller end.
async fn change_own_password(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (old, new, end_keys) =
        request::read_password_change(call.head().headers(), call.body(), call.auth().build_password_policy())?;
    let changed = call.change_password(caller, old, new, end_keys).await?;
    let response = passwords::render_changed_password(&changed.api_keys, changed.api_keys_revoked)?;
    Ok(revocations::with_position(&call, response).await)
}

async fn step_up(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let issued = issue_step_up_tokens(&call, caller).await?;
    render_json(StatusCode::OK, &TokensBody::from_issued_tokens(&issued))
}

/// Confirms the caller's password by the body of the request, and issues new tokens of the session.
pub(crate) async fn issue_step_up_tokens(call: &Request, caller: Caller) -> Result<IssuedTokens, ApiError> {
    let password = request::read_step_up(call.head().headers(), call.body())?;
    call.step_up(caller, password).await
}

/// How long after its instant a use is written at the latest, with the difference between the
/// clocks of two processes: a list by the newest use marks its start with an instant, because uses
/// have no live events.
const LATE_USE_MARGIN: Duration = Duration::from_mins(1);

/// The orders of the list; the first one is the default.
const SESSION_ORDERS: [(&str, SessionOrder); 3] = [
    ("-created_at", SessionOrder::Newest),
    ("created_at", SessionOrder::Oldest),
    ("-last_used_at", SessionOrder::LastUsed),
];

async fn list_sessions(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (query, order, filter) = read_filter(&call, caller.profile.tenant.id)?;
    let (asked, shows_address) = (query.clone(), shows_address(&caller));
    let page = call
        .run_blocking(move |auth| {
            let mark = || Ok(ChangeMark(auth.time().at.saturating_sub(LATE_USE_MARGIN).millis()));
            asked.read_page(order.is_changing(), mark, <[SessionView]>::len, |part| {
                let after = part.after.map(|(key, id)| SessionCursor { key, id: SessionId(id) });
                let used_since = part.changed_since.map(|since| Instant::from_millis(since.0));
                let order = if used_since.is_some() { SessionOrder::Oldest } else { order };
                let filter = SessionFilter { used_since, ..filter.clone() };
                auth.search_sessions(&caller, &filter, order, after, part.limit)
            })
        })
        .await?;
    let now = call.auth().time().at;
    let position = |view: &SessionView, is_changed: bool| {
        let order = if is_changed { SessionOrder::Oldest } else { order };
        let SessionCursor { key, id } = order.cursor(&view.session);
        (key, id.0)
    };
    query.render_page(&page, position, |view| SessionBody::from_view(view, now, shows_address))
}

/// Whether the caller sees the network addresses of sessions.
pub(super) fn shows_address(caller: &Caller) -> bool {
    caller.require_right(KnownRight::SessionDelete).is_ok()
}

fn read_filter(call: &Request, tenant: TenantId) -> Result<(PageQuery<i64>, SessionOrder, SessionFilter), ApiError> {
    const ID_MESSAGE: &str = "must be an id";
    let mut sent = QueryParameters::strict(call.head());
    let now = call.auth().time().at;
    let filter = SessionFilter {
        user: sent.parse("user", ID_MESSAGE),
        device: sent.parse("device", ID_MESSAGE),
        branch: sent.parse("store", ID_MESSAGE),
        live: sent.parse("live", "must be true or false").map(|live| (live, now)),
        dialect: sent.read_nonempty("mount").map(|mount| DialectName::new(&mount)),
        kind: sent.parse("kind", "must be person, device or permanent"),
        text: sent.read_nonempty("search"),
        ..SessionFilter::default()
    };
    let words = SESSION_ORDERS.map(|(word, order)| (word, (word, order)));
    let (word, order) =
        sent.parse_choice("sort", words, "must be created_at, -created_at or -last_used_at").unwrap_or(words[0].1);
    let query = PageQuery::read(&mut sent, "sessions", word, tenant);
    sent.finish((query, order, filter))
}

async fn get_session(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_session_id(&call)?;
    let shows_address = shows_address(&caller);
    let view = call.run_blocking(move |auth| auth.find_session(&caller, id)).await?;
    render_json(StatusCode::OK, &SessionBody::from_view(&view, call.auth().time().at, shows_address))
}

async fn end_session(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_session_id(&call)?;
    call.run_blocking(move |auth| auth.end_session_for(&caller, id)).await?;
    Ok(revocations::with_position(&call, no_content()).await)
}

/// Ends all sessions of a user, of a device or of the tenant.
async fn end_sessions(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (target, permanent) = request::read_end_sessions(call.head().headers(), call.body())?;
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        into_api_result(office.end_sessions(target, permanent))
    })
    .await?;
    Ok(revocations::with_position(&call, no_content()).await)
}

/// Reads the id in the path. A malformed id is answered like an unknown one.
fn read_session_id(call: &Request) -> Result<SessionId, ApiError> {
    call.head().path_parameter("id").parse().map_err(|_| ApiError::Denied(AuthDenied::SessionNotFound))
}
