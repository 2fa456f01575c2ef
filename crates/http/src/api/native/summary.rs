//! The summary of a tenant: numbers for the first page of a back office.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use tillgate_auth_core::Caller;
use tillgate_domain::office::{OfficeSummary, SealSummary};
use tillgate_domain::{BranchId, Instant};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::openapi::{OperationDoc, id_schema};
use crate::request::Request;
use crate::request::query::QueryParameters;
use crate::serving::requirement::Requirement;
use crate::serving::response::render_json;
use crate::serving::route::Route;
use crate::timestamps::serialize_optional_instant;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(Method::GET, "/summary", Requirement::Authenticated, get_summary)
            .documented(document_summary),
    ]
}

/// Numbers of the tenant, or of one store. A number that the caller may not see is null.
#[derive(Serialize, ToSchema)]
#[schema(as = Summary)]
struct SummaryBody {
    /// Active tills and handhelds on which somebody is logged in; requires `sessionRead`.
    logged_in: Option<u64>,
    /// Those of them that have not been used for 15 minutes; requires `sessionRead`.
    idle: Option<u64>,
    /// Active tills and handhelds on which nobody is logged in; requires `sessionRead`.
    free: Option<u64>,
    /// Locked tills and handhelds.
    locked: u64,
    /// Pending tills and handhelds.
    pending: u64,
    /// Users and devices that cannot log in from an unknown network now after failed logins, and of
    /// a store only devices; requires `userRead`.
    login_throttled: Option<u32>,
    /// Refused requests within 24 hours, at most 10,000, and of a store only those on its devices;
    /// requires `auditRead`.
    denied_24h: Option<u64>,
    /// The state of the audit log of the whole server; requires `auditRead`.
    seal: Option<SealBody>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SealState)]
struct SealBody {
    /// Events without a seal, at most 10,000.
    unsealed: u32,
    /// Time of the newest event with a seal; null if there is none.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    sealed_at: Option<Instant>,
}

impl SummaryBody {
    fn from_summary(summary: &OfficeSummary, login_throttled: Option<u32>) -> Self {
        let seats = summary.seats;
        Self {
            logged_in: seats.map(|seats| seats.logged_in),
            idle: seats.map(|seats| seats.idle),
            free: seats.map(|seats| seats.free),
            locked: summary.locked,
            pending: summary.pending,
            login_throttled,
            denied_24h: summary.refused,
            seal: summary.seal.map(|SealSummary { unsealed, sealed_at }| SealBody { unsealed, sealed_at }),
        }
    }
}

async fn get_summary(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let branch: Option<BranchId> = sent.parse("store", "must be an id");
    let branch = sent.finish(branch)?;
    let (summary, throttled) = call
        .with_office(move |context| {
            let summary = context.reader_for_caller(&caller).summarize(branch)?;
            Ok((summary, context.auth.count_login_throttles(&caller, branch)?))
        })
        .await?;
    render_json(StatusCode::OK, &SummaryBody::from_summary(&summary, throttled))
}

fn document_summary() -> OperationDoc {
    OperationDoc::new("devices", "Get a summary of the tenant")
        .description("The right `sessionDelete` includes what requires `sessionRead`.")
        .query_parameter("store", "Only the devices of this store.", id_schema())
        .response::<SummaryBody>(
            200,
            "The numbers.",
            json!({
                "logged_in": 4,
                "idle": 1,
                "free": 2,
                "locked": 0,
                "pending": 1,
                "login_throttled": 0,
                "denied_24h": 3,
                "seal": { "unsealed": 0, "sealed_at": "2026-11-21T08:00:00.000Z" },
            }),
        )
}
