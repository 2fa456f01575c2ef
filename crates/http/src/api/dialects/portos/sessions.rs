//! PORTOS' sessions: list, read and end.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};
use tillgate_auth_core::ports::{SessionFilter, SessionView};
use tillgate_auth_core::{AuthDenied, Caller};
use tillgate_domain::office::{PageRequest, collect_pages};
use tillgate_domain::{Environment, KnownRight, SessionId};

use super::list::{ENVIRONMENT_KIND, ListMember, ListQuery, MemberKind};
use super::paths::api_paths;
use crate::context::office::OfficeContext;
use crate::error::ApiError;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::response;
use crate::serving::route::Route;
use crate::timestamps;

/// Members that can be used in list queries.
const LIST_MEMBERS: &[ListMember] = &[
    ListMember::alias("sessionId", "id", MemberKind::Text),
    ListMember::new("id", MemberKind::Text),
    ListMember::new("userName", MemberKind::Text),
    ListMember::new("name", MemberKind::Text),
    ListMember::new("deviceName", MemberKind::Text),
    ListMember::new("envName", ENVIRONMENT_KIND),
    ListMember::new("createdAt", MemberKind::Instant),
    ListMember::new("lastUsedAt", MemberKind::Instant),
    ListMember::new("expiresAt", MemberKind::Instant),
];

pub(super) fn routes() -> Vec<Route> {
    let list_paths = api_paths!("/sessions")
        .map(|path| Route::authenticated(Method::GET, path, Requirement::Authenticated, list_session_rows));
    let one_paths = api_paths!("/sessions/{id}").into_iter().flat_map(|path| {
        [
            Route::authenticated(Method::GET, path, Requirement::RightForOthers(KnownRight::SessionRead), get_session),
            Route::authenticated(
                Method::DELETE,
                path,
                Requirement::RightForOthers(KnownRight::SessionDelete),
                end_session,
            ),
        ]
    });
    list_paths.into_iter().chain(one_paths).collect()
}

async fn list_session_rows(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let query = ListQuery::from_head(call.head(), LIST_MEMBERS)?;
    let rows = call.with_office(move |context| load_live_rows(context, &caller)).await?;
    query.render(rows)
}

async fn get_session(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_session_id(&call)?;
    let row = call
        .with_office(move |context| {
            let listed = context.auth.find_session(&caller, id)?;
            require_live(context, &listed)?;
            Ok(build_row(&listed))
        })
        .await?;
    response::render_json(StatusCode::OK, &row)
}

async fn end_session(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_session_id(&call)?;
    let row = call
        .with_office(move |context| {
            require_live(context, &context.auth.find_session_to_end(&caller, id)?)?;
            Ok(build_row(&context.auth.end_session_for(&caller, id)?))
        })
        .await?;
    response::render_json(StatusCode::OK, &row)
}

/// Returns the live sessions that the caller may see, newest first.
fn load_live_rows(context: &OfficeContext<'_>, caller: &Caller) -> Result<Vec<Value>, ApiError> {
    let filter = SessionFilter { live: Some((true, context.auth.time().at)), ..SessionFilter::default() };
    let part = |page: &PageRequest<SessionId>| context.auth.list_sessions(caller, &filter, page.after, page.limit);
    let found = collect_pages(None, part, |listed| listed.session.id)?;
    Ok(found.iter().map(build_row).collect())
}

/// An ended session is answered like an unknown one.
fn require_live(context: &OfficeContext<'_>, listed: &SessionView) -> Result<(), ApiError> {
    let session = &listed.session;
    let outlived = session.expires_at.is_some_and(|expiry| expiry <= context.auth.time().at);
    if outlived || session.ended.is_some() { Err(ApiError::Denied(AuthDenied::SessionNotFound)) } else { Ok(()) }
}

/// Reads the id in the path. A malformed id is answered like an unknown one.
fn read_session_id(call: &Request) -> Result<SessionId, ApiError> {
    call.head().path_parameter("id").parse().map_err(|_| ApiError::Denied(AuthDenied::SessionNotFound))
}

/// Converts a session to PORTOS' format.
fn build_row(listed: &SessionView) -> Value {
    let session = &listed.session;
    json!({
        "id": session.id,
        "userName": listed.user_name,
        "name": listed.display_name,
        "deviceName": listed.device_name,
        "envName": listed.environment.map(Environment::name),
        "createdAt": timestamps::format_instant(session.created_at),
        "lastUsedAt": session.last_used_at.map(timestamps::format_instant),
        "expiresAt": session.expires_at.map(timestamps::format_instant),
    })
}
