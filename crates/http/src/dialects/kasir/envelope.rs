//! POS Kasir's envelopes: `{message, data}` around what is told, `{message, error, data}` around what failed.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::{Serialize, Serializer};
use tillgate_auth_core::{LoginRefusal, Refusal, TokenRefusal};
use tillgate_domain::office::{Field, Refused};

use super::auth::{PASSWORD, REFRESH};
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
    let (status, message) = published(failure, head.route());
    let message = message.unwrap_or_else(|| status.canonical_reason().unwrap_or_default());
    let failed = Failed { message, error: sentence(failure, head.route()), data: () };
    let mut answer = answer::json(status, &failed).unwrap_or_else(|_| HttpResponse::new(status));
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"tillgate\"");
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    answer
}

/// The status, and the message where the contract has one for it.
fn published(failure: &Failure, route: &str) -> (StatusCode, Option<&'static str>) {
    match failure {
        Failure::Refused(refusal) => {
            let (status, message) = refused(refusal, route);
            (status, Some(message))
        }
        Failure::Office(refused) => decided_against(refused),
        Failure::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, None),
        Failure::Fault(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
        Failure::Protocol(Protocol::Malformed(_) | Protocol::Fields(_)) => (StatusCode::BAD_REQUEST, Some(UNREADABLE)),
        Failure::Protocol(Protocol::ForeignOrigin) => (StatusCode::FORBIDDEN, Some("Origin not allowed")),
        Failure::Protocol(Protocol::TooMany { .. }) => (StatusCode::TOO_MANY_REQUESTS, Some(TOO_MANY)),
        Failure::Protocol(protocol) => (protocol.status(), None),
    }
}

const UNREADABLE: &str = "Failed to parse request body";
const TOO_MANY: &str = "Too many requests";

fn refused(refusal: &Refusal, route: &str) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::Held { .. } | Refusal::Login(LoginRefusal::Stopped) => (StatusCode::TOO_MANY_REQUESTS, TOO_MANY),
        // whoever may not log in without a device holds no role without one
        Refusal::Login(LoginRefusal::NotThere | LoginRefusal::Rank) | Refusal::Missing(_) | Refusal::Rank(_) => {
            (StatusCode::FORBIDDEN, "Insufficient permissions")
        }
        Refusal::Login(_) if route == PASSWORD => (StatusCode::UNAUTHORIZED, "Invalid current password"),
        Refusal::Login(_) => (StatusCode::UNAUTHORIZED, "Invalid username or password"),
        Refusal::Token(TokenRefusal::Missing) if route == REFRESH => {
            (StatusCode::UNAUTHORIZED, "Refresh token missing")
        }
        Refusal::Token(_) if route == REFRESH => (StatusCode::UNAUTHORIZED, "Invalid or expired session"),
        Refusal::Token(TokenRefusal::Missing) => (StatusCode::UNAUTHORIZED, "Authorization header required"),
        Refusal::Token(_) => (StatusCode::UNAUTHORIZED, "Invalid or expired token"),
        Refusal::Weak(_) => (StatusCode::BAD_REQUEST, UNREADABLE),
        Refusal::NoSession => (StatusCode::NOT_FOUND, "Not Found"),
    }
}

fn decided_against(refused: &Refused) -> (StatusCode, Option<&'static str>) {
    match refused {
        Refused::Taken { field: Field::UserName, .. } => (StatusCode::CONFLICT, Some("Username already exists")),
        Refused::Taken { field: Field::Email, .. } => (StatusCode::CONFLICT, Some("Email already exists")),
        Refused::Absent { field: Field::User, .. } => (StatusCode::NOT_FOUND, Some("User not found")),
        Refused::Unknown { .. } | Refused::Invalid { .. } | Refused::Empty { .. } => {
            (StatusCode::BAD_REQUEST, Some(UNREADABLE))
        }
        Refused::TooHigh(_) => (StatusCode::FORBIDDEN, Some("Cannot assign a role equal to or higher than your own")),
        Refused::Missing(_) => (StatusCode::FORBIDDEN, Some("Insufficient permissions")),
        Refused::Taken { .. }
        | Refused::Absent { .. }
        | Refused::Moved { .. }
        | Refused::LastAdmin
        | Refused::Virtual
        | Refused::Status { .. } => (office::status(refused), None),
    }
}

/// What the front end shows beside the message.
fn sentence<'f>(failure: &'f Failure, route: &str) -> Option<Cow<'f, str>> {
    match failure {
        Failure::Refused(Refusal::Login(refusal)) if route == PASSWORD && *refusal != LoginRefusal::Stopped => {
            Some(Cow::Borrowed("the current password is wrong"))
        }
        Failure::Refused(refusal @ Refusal::Weak(_)) => Some(Cow::Owned(refusal.to_string())),
        Failure::Office(refused) => match office::fault(refused) {
            Some(of_field) => Some(Cow::Owned(fault(&of_field))),
            None if matches!(office::status(refused), StatusCode::CONFLICT | StatusCode::FORBIDDEN) => {
                Some(Cow::Owned(refused.to_string()))
            }
            None => None,
        },
        Failure::Protocol(Protocol::Malformed(why)) => Some(Cow::Borrowed(why)),
        Failure::Protocol(Protocol::Fields(faults)) => {
            Some(Cow::Owned(faults.iter().map(fault).collect::<Vec<_>>().join("; ")))
        }
        _ => None,
    }
}

fn fault(fault: &FieldFault) -> String {
    let field = match &*fault.field {
        "" => "the body",
        // the back office's name for it
        "user_name" => "username",
        field => field,
    };
    format!("{field} {}", fault.message)
}
