//! The event stream: what has changed in the caller's tenant, as it happens.

use actix_web::HttpResponse;
use actix_web::body::None as NoBody;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;

use crate::context::blocking_pool::run_blocking;
use crate::context::event_hub::{MAX_STREAMS, MAX_STREAMS_PER_PRINCIPAL, MAX_STREAMS_PER_TENANT, parse_position};
use crate::error::ApiError;
use crate::openapi::{OperationDoc, text_schema};
use crate::request::Request;
use crate::serving::event_stream::EventStreamBody;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;

const LAST_EVENT_ID: &str = "Last-Event-ID";

/// Keeps nginx from collecting the stream.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(super) fn route() -> Route {
    Route::authenticated(Method::GET, "/events", Requirement::Authenticated, follow_events).documented(document_events)
}

async fn follow_events(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    if call.head().method() == Method::HEAD {
        return Ok(build_response(HttpResponse::with_body(StatusCode::OK, NoBody::new()).map_into_boxed_body()));
    }
    let permit = call.mount().server.event_hub.claim_stream(&caller)?;
    let from = call.head().header(LAST_EVENT_ID).and_then(parse_position);
    let connection = call.head().connection();
    let drain_state = connection.as_ref().map(|connection| connection.drain_state().clone());
    let stream = run_blocking(call.mount(), move |mount| {
        mount.server.event_hub.open_stream(caller, from.as_ref(), drain_state, permit)
    })
    .await?;
    let body = EventStreamBody::new(stream, connection);
    Ok(build_response(HttpResponse::with_body(StatusCode::OK, body).map_into_boxed_body()))
}

fn build_response(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

fn document_events() -> OperationDoc {
    OperationDoc::new("events", "Follow the changes of the tenant")
        .description(
            "A stream of server-sent events (`EventSource`). An event `change` has the data `{\"kind\", \"id\", \
             \"version\"}`: the resource of this kind was added, changed or removed. `kind` is `audit_event`, `session`, \
             `user`, `device`, `role`, `tenant`, `store`, `api_key` or `ticket`; `id` is null if several sessions have \
             ended at once; `version` is the current version, if the resource has one; that of a store is the \
             version of its tenant. Only what the caller may read at that moment is reported. An event may be repeated.",
        )
        .description(
            "After an event `reset`, read your lists again: earlier changes are not reported. A stream begins with \
             `reset` unless `Last-Event-ID` is an id of the last 24 hours, after which the tenant has at most 1,000 \
             events. A client that reads too slowly also gets `reset`.",
        )
        .description(format!(
            "The stream ends when the access token expires and when the session ends. A user or device has at most \
             {MAX_STREAMS_PER_PRINCIPAL} streams (429), a tenant {MAX_STREAMS_PER_TENANT} and a process {MAX_STREAMS} (503)."
        ))
        .header_parameter(LAST_EVENT_ID, "The id of the last event that you received.", text_schema())
        .typed_response(200, "The stream, with a position every 15 seconds.", "text/event-stream")
        .errors(&[429])
}
