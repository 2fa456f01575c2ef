//! POS Kasir's envelopes: `{message, data}` around what is told, `{message, error, data}` around what failed.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::{Serialize, Serializer};
use tillgate_auth_core::{LoginRefusal, Refusal, TokenRefusal};
use tillgate_domain::office::{Field, Refused};

use super::auth::{PASSWORD, REFRESH};
use super::users::USER;
use crate::answer;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::head::Head;
use crate::office;

#[derive(Serialize)]
struct Said<'d, T> {
    message: &'static str,
    data: &'d T,
}

/// What was asked for.
pub(super) fn said<T: Serialize>(status: StatusCode, message: &'static str, data: &T) -> Result<HttpResponse, Failure> {
    answer::json(status, &Said { message, data })
}

/// That it was done, and nothing else.
pub(super) fn told(status: StatusCode, message: &'static str) -> Result<HttpResponse, Failure> {
    #[derive(Serialize)]
    struct Told {
        message: &'static str,
    }
    answer::json(status, &Told { message })
}

#[derive(Serialize)]
struct Failed<'e> {
    message: &'static str,
    #[serde(serialize_with = "sentence_or_nothing")]
    error: Option<Cow<'e, str>>,
    data: (),
}

/// A sentence, which the published front end shows, or an empty object.
#[expect(clippy::ref_option, reason = "serde hands it over so")]
fn sentence_or_nothing<S: Serializer>(error: &Option<Cow<'_, str>>, serializer: S) -> Result<S::Ok, S::Error> {
    match error {
        Some(sentence) => serializer.serialize_str(sentence),
        None => serializer.collect_map::<&str, (), _>([]),
    }
}

/// The answer to a call that failed.
pub(super) fn word(failure: &Failure, head: &Head) -> HttpResponse {
    let status = status(failure);
    let message = published(failure, head.route());
    let message = message.unwrap_or_else(|| status.canonical_reason().unwrap_or_default());
    answer::failed(status, &Failed { message, error: sentence(failure, head.route()), data: () })
}

fn status(failure: &Failure) -> StatusCode {
    match failure {
        // whoever may not log in without a device holds no role without one
        Failure::Refused(Refusal::Login(LoginRefusal::NotThere | LoginRefusal::Rank)) => StatusCode::FORBIDDEN,
        failure => failure.status_or_400(),
    }
}

/// The message, where the contract has one for it.
fn published(failure: &Failure, route: &str) -> Option<&'static str> {
    match failure {
        Failure::Refused(refusal) => refused(refusal, route),
        Failure::Office(refused) => decided_against(refused),
        Failure::Protocol(Protocol::Malformed(_) | Protocol::Fields(_)) => Some(UNREADABLE),
        Failure::Protocol(Protocol::ForeignOrigin) => Some("Origin not allowed"),
        Failure::Protocol(Protocol::TooMany { .. }) => Some(TOO_MANY),
        Failure::Unavailable { .. } | Failure::Fault(_) | Failure::Protocol(_) => None,
    }
}

const UNREADABLE: &str = "Failed to parse request body";
const TOO_MANY: &str = "Too many requests";
const BELOW: &str = "Insufficient permissions";

fn refused(refusal: &Refusal, route: &str) -> Option<&'static str> {
    Some(match refusal {
        Refusal::Held { .. } => TOO_MANY,
        Refusal::Login(LoginRefusal::NotThere | LoginRefusal::Rank) | Refusal::Missing(_) | Refusal::Rank(_) => BELOW,
        Refusal::Login(_) if asks_for_password(route) => "Invalid current password",
        Refusal::Login(_) => "Invalid username or password",
        Refusal::Token(TokenRefusal::Missing) if route == REFRESH => "Refresh token missing",
        Refusal::Token(_) if route == REFRESH => "Invalid or expired session",
        Refusal::Token(TokenRefusal::Missing) => "Authorization header required",
        Refusal::Token(_) => "Invalid or expired token",
        Refusal::Weak(_) => UNREADABLE,
        Refusal::NoSession => return None,
    })
}

/// Whether a caller who is logged in proves their password there.
fn asks_for_password(route: &str) -> bool {
    [PASSWORD, USER].contains(&route)
}

fn decided_against(refused: &Refused) -> Option<&'static str> {
    match refused {
        Refused::Taken { field: Field::UserName, .. } => Some("Username already exists"),
        Refused::Taken { field: Field::Email, .. } => Some("Email already exists"),
        Refused::Absent { field: Field::User, .. } => Some("User not found"),
        Refused::Unknown { .. }
        | Refused::Invalid { .. }
        | Refused::Repeated { .. }
        | Refused::Empty { .. }
        | Refused::Several(_)
        | Refused::Spans(_)
        | Refused::Unproved => Some(UNREADABLE),
        Refused::TooHigh(_) => Some("Cannot assign a role equal to or higher than your own"),
        Refused::Missing(_) => Some(BELOW),
        Refused::Taken { .. }
        | Refused::Absent { .. }
        | Refused::Moved { .. }
        | Refused::Held { .. }
        | Refused::BuiltIn
        | Refused::LastStore
        | Refused::Full { .. }
        | Refused::TicketMoved { .. }
        | Refused::Ticket(_)
        | Refused::KeyReused
        | Refused::LastAdmin
        | Refused::Virtual
        | Refused::OwnPassword
        | Refused::Status { .. } => None,
    }
}

/// What the front end shows beside the message.
fn sentence<'f>(failure: &'f Failure, route: &str) -> Option<Cow<'f, str>> {
    match failure {
        Failure::Refused(Refusal::Login(_)) if asks_for_password(route) => {
            Some(Cow::Borrowed("the current password is wrong"))
        }
        Failure::Refused(refusal @ Refusal::Weak(_)) => Some(Cow::Owned(refusal.to_string())),
        Failure::Office(refused) => match office::faults(refused).as_slice() {
            [] if matches!(office::status(refused), StatusCode::CONFLICT | StatusCode::FORBIDDEN) => {
                Some(Cow::Owned(refused.to_string()))
            }
            [] => None,
            of_fields => Some(Cow::Owned(all(of_fields))),
        },
        Failure::Protocol(Protocol::Malformed(why)) => Some(Cow::Borrowed(why)),
        Failure::Protocol(Protocol::Fields(faults)) => Some(Cow::Owned(all(faults))),
        _ => None,
    }
}

fn all(faults: &[FieldFault]) -> String {
    faults.iter().map(fault).collect::<Vec<_>>().join("; ")
}

fn fault(fault: &FieldFault) -> String {
    let field = match &*fault.field {
        "" => "the body",
        // the back office's name for it
        "user_name" => "username",
        "current_password" => "old_password",
        field => field,
    };
    format!("{field} {}", fault.message)
}
