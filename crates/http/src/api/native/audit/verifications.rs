//! The seals of the audit log, and its verification in the background.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use tillgate_auth_core::{Auth, Caller};
use tillgate_domain::office::{FieldName, SealState, Verification, VerificationReport, VerificationState};
use tillgate_domain::{EventId, Instant, KnownRight, NodeId, TenantId, hex};
use utoipa::ToSchema;

use super::fault::{AuditFaultBody, report_missing_seal, report_verification, report_without_event};
use crate::api::native::path::{not_found, read_id, render_created};
use crate::api::native::schemas::VerificationState as StateSchema;
use crate::context::ServerContext;
use crate::context::audit_verifier::{AuditVerifications, VerificationSlot, VerifiedAudit};
use crate::context::blocking_pool::run_blocking;
use crate::context::office::OfficeContext;
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::openapi::OperationDoc;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::response::render_json;
use crate::serving::route::Route;
use crate::timestamps::{serialize_instant, serialize_optional_instant};

/// The path of verifications.
const VERIFICATIONS: &str = "audit/verifications";

/// The code of a report if the log could not be verified at all.
const NOT_VERIFIED: &str = "not_verified";

pub(super) fn routes() -> Vec<Route> {
    let requirement = Requirement::Right(KnownRight::AuditRead);
    vec![
        Route::authenticated(Method::GET, "/audit/seal", requirement, get_seal).documented(document_seal),
        Route::authenticated(Method::POST, "/audit/verifications", requirement, start_verification)
            .documented(document_start),
        Route::authenticated(Method::GET, "/audit/verifications/{id}", requirement, get_verification)
            .documented(document_verification),
    ]
}

/// The state of the seals of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditSeal)]
struct SealBody {
    /// Number of the newest sealed event of the server; 0 if none is sealed.
    position: i64,
    /// The newest seal in hexadecimal digits, to keep elsewhere; null if no event is sealed.
    hash: Option<String>,
    /// Time of the newest sealed event; null if none is sealed.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    sealed_at: Option<Instant>,
    /// Events without a seal, at most 10,000.
    unsealed: u32,
    /// The last complete verification by a caller of this tenant; null if there is none.
    #[schema(inline)]
    last_verification: Option<VerificationBody>,
}

impl SealBody {
    fn from_state(state: SealState) -> Self {
        Self {
            position: state.position,
            hash: (state.position > 0).then(|| hex::encode(&state.hash)),
            sealed_at: state.sealed_at,
            unsealed: state.unsealed,
            last_verification: state.last_verification.map(|last| VerificationBody::from_verification(last, 0)),
        }
    }
}

/// A verification of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditVerification)]
struct VerificationBody {
    /// Id of the verification, and of the audit event that records its start.
    #[schema(value_type = Uuid)]
    id: EventId,
    /// Whether it runs, is done, or ended with its process.
    #[schema(value_type = StateSchema)]
    state: &'static str,
    /// Number of events that are as they were sealed, so far. While it runs in another process, 0.
    checked: i64,
    /// The first fault; null if there is none, or none yet.
    #[schema(inline)]
    fault: Option<AuditFaultBody>,
    /// When it was started.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    started_at: Instant,
    /// When it was done; null if it is not.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Instant>,
}

impl VerificationBody {
    /// `checked` is the progress of a running verification.
    fn from_verification(verification: Verification, checked: i64) -> Self {
        let (state, checked, fault, finished_at) = match verification.state {
            VerificationState::Running => ("running", checked, None, None),
            VerificationState::Interrupted => ("interrupted", 0, None, None),
            VerificationState::Done { finished_at, report } => {
                ("done", report.verified, report.fault.map(AuditFaultBody::from_report), Some(finished_at))
            }
        };
        Self { id: verification.id, state, checked, fault, started_at: verification.started_at, finished_at }
    }
}

async fn get_seal(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let state =
        call.with_office(move |context| into_api_result(context.reader_for_caller(&caller).read_seal_state())).await?;
    render_json(StatusCode::OK, &SealBody::from_state(state))
}

/// The verifications that run in this process, and the live processes. It is read before the audit
/// log, so a verification that ends in between counts as running, never as interrupted.
struct ProcessLiveness {
    running_here: BTreeSet<EventId>,
    own_process: NodeId,
    live_processes: BTreeSet<NodeId>,
}

impl ProcessLiveness {
    fn read(auth: &Auth, verifications: &AuditVerifications) -> Result<Self, ApiError> {
        Ok(Self {
            running_here: verifications.list_running(),
            own_process: auth.process_id(),
            live_processes: auth.list_live_processes()?,
        })
    }

    fn is_running(&self, id: EventId, process: NodeId) -> bool {
        if process == self.own_process {
            self.running_here.contains(&id)
        } else {
            self.live_processes.contains(&process)
        }
    }
}

async fn start_verification(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (verification, checked) = run_blocking(call.mount(), move |mount| {
        let server = &mount.server;
        let tenant = caller.profile.tenant.id;
        let _starting = server.audit_verifications.lock_starts();
        let liveness = ProcessLiveness::read(&server.auth, &server.audit_verifications)?;
        let office = OfficeContext { store: &*server.office, auth: &server.auth }.for_caller(&caller)?;
        let is_running = |id, process| liveness.is_running(id, process);
        let verification = if let Some(current) = into_api_result(office.find_current_verification(&is_running))? {
            current
        } else {
            let slot = server.audit_verifications.reserve()?;
            let process = server.auth.process_id();
            let (verification, is_new) = into_api_result(office.start_verification(process, &is_running))?;
            if is_new {
                run_verification(server, tenant, verification.id, slot)?;
            }
            verification
        };
        let checked = server.audit_verifications.progress(verification.id).unwrap_or_default();
        Ok::<_, ApiError>((verification, checked))
    })
    .await?;
    let (id, is_done) = (verification.id, matches!(verification.state, VerificationState::Done { .. }));
    let body = VerificationBody::from_verification(verification, checked);
    if is_done {
        return render_json(StatusCode::OK, &body);
    }
    render_created(&call, VERIFICATIONS, id, render_json(StatusCode::ACCEPTED, &body)?)
}

/// Runs a verification on a thread of its own, which records the result.
fn run_verification(
    server: &Arc<ServerContext>,
    tenant: TenantId,
    id: EventId,
    mut slot: VerificationSlot,
) -> Result<(), ApiError> {
    slot.begin(id);
    let server = Arc::clone(server);
    let work = move || {
        let verified =
            server.audit_verifications.verify(&*server.office, &server.auth, &mut |verified| slot.report(verified));
        let recorded = server.auth.system_context(None).map_err(|error| error.to_string()).and_then(|context| {
            let report = report_result(verified, tenant);
            let store = &*server.office;
            tillgate_domain::office::unguarded::finish_verification(store, &context, tenant, id, &report)
                .map_err(|error| error.to_string())
        });
        if let Err(why) = recorded {
            tracing::warn!(why, verification = %id, "the result of a verification of the audit log cannot be recorded");
        }
        // the verification counts as running until its result is recorded
        drop(slot);
    };
    let thread = std::thread::Builder::new().name("tillgate-verifier".to_owned()).spawn(work);
    thread.map(drop).map_err(|error| ApiError::unavailable(format!("no thread can be started: {error}")))
}

/// The report for a tenant.
fn report_result(verified: Result<VerifiedAudit, String>, tenant: TenantId) -> VerificationReport {
    match verified {
        Ok(VerifiedAudit { verification, missing_seal: Some(wrong), .. }) if verification.fault.is_none() => {
            VerificationReport { verified: verification.last.sequence, fault: Some(report_missing_seal(wrong)) }
        }
        Ok(VerifiedAudit { verification, explanation, .. }) => report_verification(&verification, &explanation, tenant),
        Err(why) => {
            tracing::error!(why, "the audit log cannot be verified");
            let wrong = "the audit log cannot be verified; the log of the server contains the reason";
            VerificationReport { verified: 0, fault: Some(report_without_event(NOT_VERIFIED, wrong.to_owned())) }
        }
    }
}

async fn get_verification(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: EventId = read_id(&call, FieldName::Event)?;
    let found = run_blocking(call.mount(), move |mount| {
        let server = &mount.server;
        let checked = server.audit_verifications.progress(id).unwrap_or_default();
        let liveness = ProcessLiveness::read(&server.auth, &server.audit_verifications)?;
        let reader = OfficeContext { store: &*server.office, auth: &server.auth }.reader_for_caller(&caller);
        let found = into_api_result(reader.find_verification(id, &|id, process| liveness.is_running(id, process)))?;
        Ok::<_, ApiError>(found.map(|found| VerificationBody::from_verification(found, checked)))
    })
    .await?;
    render_json(StatusCode::OK, &found.ok_or_else(|| not_found(FieldName::Event, id))?)
}

fn example_verification() -> serde_json::Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "state": "done",
        "checked": 56,
        "fault": {
            "code": "changed",
            "wrong": "it was changed after it was sealed",
            "detail": "event 57, id 0192f0c1-3333-7c4d-8e5f-60718293a4b5, at 2026-11-21T08:00:00.000Z: it was changed after it was sealed. The 56 events before it are intact",
            "sequence": 57,
            "id": "0192f0c1-3333-7c4d-8e5f-60718293a4b5",
            "at": "2026-11-21T08:00:00.000Z",
        },
        "started_at": "2026-11-21T09:00:00.000Z",
        "finished_at": "2026-11-21T09:00:04.000Z",
    })
}

fn document_seal() -> OperationDoc {
    OperationDoc::new("audit", "Get the state of the audit log's seals")
        .description("The chain of seals is that of the whole server. See `docs/audit.md`.")
        .response::<SealBody>(
            200,
            "The state.",
            json!({
                "position": 57,
                "hash": "01a3f5",
                "sealed_at": "2026-11-21T08:00:00.000Z",
                "unsealed": 0,
                "last_verification": example_verification(),
            }),
        )
}

fn document_start() -> OperationDoc {
    OperationDoc::new("audit", "Verify the audit log")
        .description(
            "Verifies every event of the server against its seal, in the background, as `tillgate audit verify` does. A \
             tenant has one verification at a time: if one is running, the response names it. The start and the result \
             are audit events (`audit.verify`, `audit.verified`). Within 3 minutes of its end, the response is the last \
             verification (200), and no other one is started.",
        )
        .response::<VerificationBody>(200, "The verification that ended recently.", example_verification())
        .response::<VerificationBody>(202, "The verification that is running.", running_example())
        .with_location()
}

fn document_verification() -> OperationDoc {
    OperationDoc::new("audit", "Get a verification of the audit log").response::<VerificationBody>(
        200,
        "The verification.",
        example_verification(),
    )
}

fn running_example() -> serde_json::Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "state": "running",
        "checked": 0,
        "fault": null,
        "started_at": "2026-11-21T09:00:00.000Z",
        "finished_at": null,
    })
}
