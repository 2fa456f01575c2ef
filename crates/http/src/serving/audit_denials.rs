//! Audit events of denials because of a right, a role or the kind of device. They are recorded
//! where every response passes, not in each handler or use case: there the caller, the route and
//! the error are known, for every dialect and every rule. Recording is a separate unit of work
//! after the decision, and auth-core's `DenialLimiter` bounds it. The response is sent after the
//! event was recorded; if recording fails, the denial is sent anyway.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::timeout;
use tillgate_auth_core::{AuthDenied, Caller, DeniedCall, MissingRequirement};
use tillgate_domain::office::OfficeError;
use tillgate_domain::ticket::TicketError;
use tillgate_domain::{ApiKeyId, DeviceId, RoleId, SessionId, Subject, TenantId, TicketId, UserId};
use uuid::Uuid;

use crate::context::MountContext;
use crate::context::blocking_pool::run_blocking;
use crate::error::ApiError;
use crate::request::head::RequestHead;

/// How long a denial waits until its audit event is written.
const AUDIT_WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// Records the failure as an audit event if it is a denial.
pub(crate) async fn record_denial(mount: &Arc<MountContext>, head: &RequestHead, caller: &Caller, failure: &ApiError) {
    let Some(lacking) = find_missing_requirement(failure) else { return };
    let attempt = DeniedCall {
        missing: lacking,
        call: format!("{} {}", head.method(), head.path()),
        subject: subject_of_path(head.path()),
    };
    let caller = caller.clone();
    let noting = run_blocking(mount, move |mount| mount.server.auth.record_denial(&caller, &attempt));
    // a store that hangs must not delay the denial: the event is written when the store responds
    match timeout(AUDIT_WRITE_TIMEOUT, noting).await {
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
        ApiError::Denied(AuthDenied::RightMissing(right)) | ApiError::Office(OfficeError::RightMissing(right)) => {
            Some(MissingRequirement::Right(right.clone()))
        }
        ApiError::Denied(AuthDenied::RankTooLow(rank)) => Some(MissingRequirement::Rank(*rank)),
        ApiError::Office(OfficeError::RankTooHigh(rank)) => Some(MissingRequirement::RankAbove(*rank)),
        ApiError::Office(OfficeError::Ticket(TicketError::SaleDeviceRequired)) => Some(MissingRequirement::SaleDevice),
        ApiError::Office(OfficeError::Ticket(TicketError::PersonRequired)) => Some(MissingRequirement::Person),
        _ => None,
    }
}

/// Returns the subject of a path: the last id in it, of the kind that the preceding segment names.
fn subject_of_path(path: &str) -> Option<Subject> {
    let segments: Vec<&str> = path.split('/').collect();
    segments.windows(2).rev().find_map(|pair| {
        let &[kind, id] = pair else { return None };
        let id: Uuid = id.parse().ok()?;
        match kind.to_ascii_lowercase().as_str() {
            "users" => Some(Subject::User(UserId(id))),
            "devices" => Some(Subject::Device(DeviceId(id))),
            "roles" => Some(Subject::Role(RoleId(id))),
            "sessions" => Some(Subject::Session(SessionId(id))),
            "tenants" => Some(Subject::Tenant(TenantId(id))),
            "tickets" => Some(Subject::Ticket(TicketId(id))),
            "api-keys" | "apikeys" => Some(Subject::ApiKey(ApiKeyId(id))),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_is_read_from_path() {
        let id = Uuid::from_u128(7);
        for (path, expected) in [
            (format!("/api/v1/users/{id}"), Some(Subject::User(UserId(id)))),
            (format!("/api/v1/users/{id}/password"), Some(Subject::User(UserId(id)))),
            (format!("/portos/api/apikeys/{id}"), Some(Subject::ApiKey(ApiKeyId(id)))),
            (format!("/api/tickets/{id}"), Some(Subject::Ticket(TicketId(id)))),
            (format!("/api/v1/things/{id}"), None),
            ("/api/v1/users/anna".to_owned(), None),
            ("/api/v1/users".to_owned(), None),
            ("/".to_owned(), None),
        ] {
            assert_eq!(subject_of_path(&path), expected, "{path}");
        }
    }
}
