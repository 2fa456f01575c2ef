//! Acknowledgments of revocations: when each process of the server has applied one.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use tillgate_auth_core::ports::FeedCursor;
use tillgate_auth_core::{Auth, Caller};
use tillgate_domain::{Instant, KnownRight};
use utoipa::ToSchema;

use crate::error::{ApiError, ProtocolError};
use crate::openapi::OperationDoc;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::response::render_json;
use crate::serving::route::Route;
use crate::timestamps::serialize_optional_instant;

/// The header with the position of a revocation.
const REVOCATION: HeaderName = HeaderName::from_static("revocation");

pub(super) fn route() -> Route {
    Route::authenticated(
        Method::GET,
        "/revocations/{position}",
        Requirement::Right(KnownRight::SessionDelete),
        get_revocation,
    )
    .documented(document_revocation)
}

/// The processes of the server, and which of them have applied a revocation.
#[derive(Serialize, ToSchema)]
#[schema(as = Revocation)]
struct RevocationBody {
    /// The position of the revocation.
    position: String,
    /// The running processes.
    processes: Vec<ProcessBody>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RevocationProcess)]
struct ProcessBody {
    /// A short name of the process, which it keeps until it stops.
    name: String,
    /// When the process has applied the newest revocation up to now, and therefore this one at the
    /// latest; null if it has not recorded that yet.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    applied_at: Option<Instant>,
}

/// Adds its position to the response of a call that has ended sessions or API keys. The revocation
/// is done, so that a position that cannot be read is left out.
pub(super) async fn with_position(call: &Request, mut response: HttpResponse) -> HttpResponse {
    if let Ok(FeedCursor(position)) = call.run_blocking(Auth::find_feed_end).await {
        response.headers_mut().insert(REVOCATION, HeaderValue::from(position));
    }
    response
}

async fn get_revocation(call: Request, _caller: Caller) -> Result<HttpResponse, ApiError> {
    let position = call.head().path_parameter("position");
    let cursor = position.parse().ok().filter(|position: &i64| *position >= 0).map(FeedCursor);
    let cursor = cursor.ok_or(ProtocolError::RouteNotFound)?;
    let acknowledgments = call.run_blocking(Auth::list_acknowledgments).await?;
    let process = |acknowledgment: tillgate_auth_core::ports::NodeAcknowledgment| ProcessBody {
        applied_at: acknowledgment.applied_at.filter(|_| acknowledgment.applied >= cursor),
        name: acknowledgment.id.short_name(),
    };
    let processes = acknowledgments.into_iter().map(process).collect();
    render_json(StatusCode::OK, &RevocationBody { position: cursor.0.to_string(), processes })
}

fn document_revocation() -> OperationDoc {
    OperationDoc::new("sessions", "Get the acknowledgments of a revocation")
        .description(
            "Calls that end sessions or API keys return the position of the revocation in the header `Revocation`. A \
             process applies it within about a quarter of a second, and records that right after.",
        )
        .response::<RevocationBody>(
            200,
            "The running processes.",
            json!({
                "position": "4711",
                "processes": [{ "name": "5e8f0d3b", "applied_at": "2026-11-21T08:00:00.123Z" }],
            }),
        )
}
