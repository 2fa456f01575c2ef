//! The words for a fault of the audit log, over HTTP and on the command line.

use serde::Serialize;
use tillgate_domain::audit::seal::SealedEvent;
use tillgate_domain::office::{AuditFault, AuditVerification, FaultReport, VerificationReport};
use tillgate_domain::{Instant, TenantId, hex};
use utoipa::ToSchema;
use uuid::Uuid;

use super::export::format_time_cell;
use crate::timestamps::serialize_optional_instant;

/// The code of a report if there is no seal outside of the store to compare with.
const SEAL_MISSING: &str = "seal_missing";

/// The first fault of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditFaultBody {
    /// Stable code, as `tillgate audit verify --json` prints it.
    code: String,
    /// What is wrong.
    wrong: String,
    /// The event, what is wrong with it, and what is intact, as `tillgate audit verify` prints it.
    detail: String,
    /// Number of the event in the chain; null if no event is concerned.
    sequence: Option<i64>,
    /// Id of the event; null if no event of this tenant is concerned.
    id: Option<String>,
    /// Time of the event; null if no event is concerned.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Instant>,
}

impl AuditFaultBody {
    /// Converts the report of a fault.
    pub fn from_report(fault: FaultReport) -> Self {
        let FaultReport { code, wrong, detail, sequence, id, at } = fault;
        Self { code, wrong, detail, sequence, id, at }
    }
}

/// The report of a fault after `verified` intact events, with the id of its event. `explanation` is
/// a likely harmless cause, which follows the description; it may be empty.
pub fn report_fault(fault: &AuditFault, verified: i64, explanation: &str) -> FaultReport {
    build_report(fault, fault.event.as_ref().map(format_event_id), verified, explanation)
}

/// The report if there is no seal outside of the store to compare with.
pub fn report_missing_seal(wrong: String) -> FaultReport {
    report_without_event(SEAL_MISSING, wrong)
}

/// The report of a fault that concerns no event.
pub(super) fn report_without_event(code: &str, wrong: String) -> FaultReport {
    FaultReport { code: code.to_owned(), detail: wrong.clone(), wrong, sequence: None, id: None, at: None }
}

/// The report of a fault; `id` is the id of its event, unless it must not be named.
fn build_report(fault: &AuditFault, id: Option<String>, verified: i64, explanation: &str) -> FaultReport {
    let event = fault.event.as_ref();
    FaultReport {
        code: fault.error.code().to_owned(),
        wrong: fault.error.to_string(),
        detail: format_fault(fault, id.as_deref(), verified, explanation),
        sequence: event.map(|event| event.sequence),
        at: event.map(|event| Instant::from_millis(event.event.at)),
        id,
    }
}

fn format_fault(fault: &AuditFault, id: Option<&str>, verified: i64, explanation: &str) -> String {
    let described = match &fault.event {
        Some(event) => {
            let id = id.map(|id| format!(", id {id}")).unwrap_or_default();
            let at = format_time_cell(Instant::from_millis(event.event.at));
            format!("event {}{id}, at {at}: {}", event.sequence, fault.error)
        }
        None => format!("no event is sealed, and {}", fault.error),
    };
    format!("{described}. The {verified} events before it are intact{explanation}")
}

/// The report of a verification for a tenant. It does not name the id of an event of another
/// tenant.
pub(super) fn report_verification(
    verification: &AuditVerification,
    explanation: &str,
    tenant: TenantId,
) -> VerificationReport {
    let verified = verification.last.sequence;
    let is_own = |event: &&SealedEvent| event.event.tenant.as_deref() == Some(tenant.0.as_bytes().as_slice());
    let fault = verification.fault.as_ref().map(|fault| {
        build_report(fault, fault.event.as_ref().filter(is_own).map(format_event_id), verified, explanation)
    });
    VerificationReport { verified, fault }
}

/// The id of an event; in hexadecimal digits if it is damaged.
fn format_event_id(event: &SealedEvent) -> String {
    Uuid::from_slice(&event.event.id).map_or_else(|_| hex::encode(&event.event.id), |id| id.to_string())
}
