//! The words for a fault of the audit log, over HTTP and on the command line.

use serde::Serialize;
use tillgate_domain::audit::seal::SealedEvent;
use tillgate_domain::office::{AuditFault, AuditVerification, FaultReport, VerificationReport};
use tillgate_domain::{Instant, TenantId, hex};
use uuid::Uuid;

use super::export::format_time_cell;

/// The first fault of the audit log, as `tillgate audit verify --json` prints it.
#[derive(Debug, Serialize)]
pub struct AuditFaultBody {
    code: String,
    wrong: String,
    sequence: Option<i64>,
    id: Option<String>,
    at: Option<String>,
}

impl AuditFaultBody {
    /// Converts a fault.
    pub fn from_fault(fault: &AuditFault) -> Self {
        let event = fault.event.as_ref();
        Self {
            code: fault.error.code().to_owned(),
            wrong: fault.error.to_string(),
            sequence: event.map(|event| event.sequence),
            id: event.map(format_event_id),
            at: event.map(|event| format_time_cell(Instant::from_millis(event.event.at))),
        }
    }
}

/// Describes the first fault and what is intact. `explanation` is a likely harmless cause, which
/// follows; it may be empty.
pub fn describe_fault(fault: &AuditFault, verified: i64, explanation: &str) -> String {
    let id = fault.event.as_ref().map(|event| format!(", id {}", format_event_id(event)));
    describe(fault, &id.unwrap_or_default(), verified, explanation)
}

/// `id` is how the id of the event is named, if it is.
fn describe(fault: &AuditFault, id: &str, verified: i64, explanation: &str) -> String {
    let what = match &fault.event {
        Some(event) => {
            let at = format_time_cell(Instant::from_millis(event.event.at));
            format!("event {}{id}, at {at}: {}", event.sequence, fault.error)
        }
        None => format!("no event is sealed, and {}", fault.error),
    };
    format!("{what}. The {verified} events before it are intact{explanation}")
}

/// The report of a verification for a tenant. It does not name the id of an event of another tenant.
pub(super) fn report_verification(
    verification: &AuditVerification,
    explanation: &str,
    tenant: TenantId,
) -> VerificationReport {
    let verified = verification.last.sequence;
    let fault = verification.fault.as_ref().map(|fault| {
        let event = fault.event.as_ref();
        let own = event.filter(|event| event.event.tenant.as_deref() == Some(tenant.0.as_bytes().as_slice()));
        let id = own.map(format_event_id);
        let named = id.as_ref().map(|id| format!(", id {id}")).unwrap_or_default();
        FaultReport {
            code: fault.error.code().to_owned(),
            wrong: fault.error.to_string(),
            detail: describe(fault, &named, verified, explanation),
            sequence: event.map(|event| event.sequence),
            at: event.map(|event| Instant::from_millis(event.event.at)),
            id,
        }
    });
    VerificationReport { verified, fault }
}

/// The id of an event; in hexadecimal digits if it is damaged.
fn format_event_id(event: &SealedEvent) -> String {
    Uuid::from_slice(&event.event.id).map_or_else(|_| hex::encode(&event.event.id), |id| id.to_string())
}
