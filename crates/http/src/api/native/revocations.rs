//! Receipts of endings: by when each process of the server has applied one.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use tillgate_auth_core::ports::Cursor;
use tillgate_auth_core::{Auth, Caller};
use tillgate_domain::{Instant, KnownRight};
use utoipa::ToSchema;

use crate::error::{ApiError, ProtocolError};
use crate::openapi::OperationDoc;
use crate::request::Request;
use crate::serving::permission::Permission;
use crate::serving::response::render_json;
use crate::serving::route::Route;
use crate::timestamps::serialize_optional_instant;

/// The header of an answer that has ended sessions.
const REVOCATION: HeaderName = HeaderName::from_static("revocation");

pub(super) fn route() -> Route {
    Route::authenticated(
        Method::GET,
        "/revocations/{position}",
        Permission::Right(KnownRight::SessionDelete),
        get_revocation,
    )
    .documented(document_revocation)
}

/// The processes of the server, and which of them have applied an ending.
#[derive(Serialize, ToSchema)]
#[schema(as = Revocation)]
struct RevocationBody {
    /// The position of the ending.
    position: String,
    /// The running processes.
    processes: Vec<ProcessBody>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RevocationProcess)]
struct ProcessBody {
    /// The name of the process: its machine and its number.
    name: String,
    /// When the process has applied the newest ending up to now, and therefore this one at the
    /// latest; null if it has not recorded that yet.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    applied_at: Option<Instant>,
}

/// The position of what this call has ended; `None` if it cannot be read, since the ending is done.
pub(super) fn find_position(auth: &Auth) -> Option<Cursor> {
    auth.find_feed_end().ok()
}

/// Names the position of an ending in its answer.
pub(super) fn insert_position(answer: &mut HttpResponse, position: Option<Cursor>) {
    if let Some(Cursor(position)) = position {
        answer.headers_mut().insert(REVOCATION, HeaderValue::from(position));
    }
}

async fn get_revocation(call: Request, _caller: Caller) -> Result<HttpResponse, ApiError> {
    let position = call.head().path_parameter("position");
    let cursor = position.parse().map(Cursor).map_err(|_| ProtocolError::RouteNotFound)?;
    let receipts = call.run_blocking(Auth::list_receipts).await?;
    let process = |receipt: tillgate_auth_core::ports::NodeReceipt| ProcessBody {
        applied_at: receipt.applied_at.filter(|_| receipt.applied >= cursor),
        name: if receipt.name.is_empty() { receipt.id.to_string() } else { receipt.name },
    };
    let processes = receipts.into_iter().map(process).collect();
    render_json(StatusCode::OK, &RevocationBody { position: cursor.0.to_string(), processes })
}

fn document_revocation() -> OperationDoc {
    OperationDoc::new("sessions", "Get the receipt of an ending")
        .description(
            "An answer that ends sessions has its position in the header `Revocation`. A process applies it within \
             about a quarter of a second, and records that right after.",
        )
        .response::<RevocationBody>(
            200,
            "The running processes.",
            json!({
                "position": "4711",
                "processes": [{ "name": "pos-1:812", "applied_at": "2026-11-21T08:00:00.123Z" }],
            }),
        )
}
