//! Audit events of denials because of a right, a role or the kind of device. They are recorded
//! where every response passes, not in each handler or use case: there the caller, the route and
//! the error are known, for every dialect and every rule. Recording is a separate unit of work
//! after the decision, and auth-core's `DenialLimiter` bounds it. The response is sent after the
//! event was recorded; if recording fails, the denial is sent anyway.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::timeout;
use tillgate_auth_core::{AuthDenied, Caller, DeniedCall, MissingRequirement};
use tillgate_domain::Subject;
use tillgate_domain::office::OfficeError;
use tillgate_domain::ticket::TicketError;

use crate::context::MountContext;
use crate::context::blocking_pool::run_blocking;
use crate::error::ApiError;
use crate::request::head::RequestHead;

/// How long a denial waits until its audit event is written.
const AUDIT_WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// Records in the audit log that the caller was denied, if the error is a missing right or rank, or
/// the wrong kind of device or caller. `subject` is what the call was about, if it names one thing.
pub(crate) async fn record_denial(
    mount: &Arc<MountContext>,
    head: &RequestHead,
    caller: &Caller,
    failure: &ApiError,
    subject: Option<Subject>,
) {
    let Some(missing) = find_missing_requirement(failure) else { return };
    let attempt = DeniedCall { missing, call: format!("{} {}", head.method(), head.path()), subject };
    let caller = caller.clone();
    let recording = run_blocking(mount, move |mount| mount.server.auth.record_denial(&caller, &attempt));
    // a store that hangs must not delay the denial: the event is written when the store responds
    match timeout(AUDIT_WRITE_TIMEOUT, recording).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => {
            tracing::warn!(trace = head.trace_id(), ?failure, "a denial could not be recorded as an audit event");
        }
        Err(_) => tracing::warn!(trace = head.trace_id(), "a denial has not been recorded as an audit event yet"),
    }
}

/// Returns what the caller lacks; `None` for all other failures.
fn find_missing_requirement(failure: &ApiError) -> Option<MissingRequirement> {
    match failure {
        ApiError::Denied(AuthDenied::RightMissing(missing)) | ApiError::Office(OfficeError::RightMissing(missing)) => {
            Some(MissingRequirement::Right(missing.0.clone()))
        }
        ApiError::Denied(AuthDenied::RankTooLow(rank)) => Some(MissingRequirement::Rank(*rank)),
        ApiError::Office(OfficeError::RankTooHigh(rank)) => Some(MissingRequirement::RankAbove(*rank)),
        ApiError::Office(OfficeError::Ticket(TicketError::SaleDeviceRequired)) => Some(MissingRequirement::SaleDevice),
        ApiError::Office(OfficeError::Ticket(TicketError::PersonRequired)) => Some(MissingRequirement::Person),
        _ => None,
    }
}
