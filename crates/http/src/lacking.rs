//! Records, in one place for every contract, that a caller was refused for a right or a rank that they lack, or for where they are
//! logged in: before the answer goes out, and whatever becomes of the record, the refusal stands.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::timeout;
use tillgate_auth_core::{Attempt, Caller, Lacking, Refusal};
use tillgate_domain::office::Refused;
use tillgate_domain::ticket::TicketRefused;
use tillgate_domain::{ApiKeyId, DeviceId, RoleId, SessionId, Subject, TenantId, TicketId, UserId};
use uuid::Uuid;

use crate::failure::Failure;
use crate::head::Head;
use crate::mount::Mounted;

/// How long a refusal waits until it is written.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes into the audit what the caller has tried, where the failure is that they may not.
pub(crate) async fn note(mounted: &Arc<Mounted>, head: &Head, caller: &Caller, failure: &Failure) {
    let Some(lacking) = lacking(failure) else { return };
    let attempt =
        Attempt { lacking, call: format!("{} {}", head.method(), head.path()), subject: subject(head.path()) };
    let caller = caller.clone();
    let noting = crate::blocking::block(mounted, move |mounted| mounted.shared.auth.note_refusal(&caller, &attempt));
    // a store that hangs holds no refusal back: what is begun is written once it answers
    match timeout(PATIENCE, noting).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => {
            tracing::warn!(trace = head.trace(), ?failure, "a refusal could not be written into the audit");
        }
        Err(_) => tracing::warn!(trace = head.trace(), "a refusal was not yet written into the audit"),
    }
}

/// What the caller lacks; `None` for every other failure.
fn lacking(failure: &Failure) -> Option<Lacking> {
    match failure {
        Failure::Refused(Refusal::Missing(right)) | Failure::Office(Refused::Missing(right)) => {
            Some(Lacking::Right(right.clone()))
        }
        Failure::Refused(Refusal::Rank(rank)) => Some(Lacking::Rank(*rank)),
        Failure::Office(Refused::TooHigh(rank)) => Some(Lacking::Above(*rank)),
        Failure::Office(Refused::Ticket(TicketRefused::NotSelling)) => Some(Lacking::SaleDevice),
        Failure::Office(Refused::Ticket(TicketRefused::NoPerson)) => Some(Lacking::Person),
        _ => None,
    }
}

/// The thing that a path names: the last id in it, of the kind that the segment before says.
fn subject(path: &str) -> Option<Subject> {
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
    fn a_path_tells_what_it_is_about() {
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
            assert_eq!(subject(&path), expected, "{path}");
        }
    }
}
