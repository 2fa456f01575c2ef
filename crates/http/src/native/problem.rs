//! The native API's words for what fails: problem details (RFC 9457) with a stable code and the trace id.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::{LoginRefusal, Refusal, TokenRefusal};
use tillgate_domain::office::Refused;

use crate::answer;
use crate::bearer::CHALLENGE;
use crate::failure::{Failure, FieldFault, Protocol, sentence};
use crate::head::Head;
use crate::office;

/// A problem (RFC 9457, 3.1).
#[derive(Serialize)]
struct Problem<'p> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    instance: &'p str,
    code: &'static str,
    trace_id: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault<'p>>,
}

/// A field at fault: the pointer (RFC 6901) into the body, or the parameter of the query.
#[derive(Serialize)]
struct Fault<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'p str>,
    code: &'p str,
    detail: &'p str,
}

/// The answer to a call that failed.
pub(super) fn word(failure: &Failure, head: &Head) -> HttpResponse {
    let status = status(failure);
    let (code, detail) = said(failure);
    let of_fields = match failure {
        Failure::Office(refused) => office::faults(refused),
        // the field is called so wherever a password is set
        Failure::Refused(Refusal::Weak(why)) => vec![FieldFault {
            field: "password".into(),
            query: false,
            code: "weak".into(),
            message: why.to_string().into(),
        }],
        _ => Vec::new(),
    };
    let problem = Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail,
        instance: head.path(),
        code,
        trace_id: head.trace(),
        right: match failure {
            Failure::Refused(Refusal::Missing(right)) => Some(right.as_str()),
            _ => None,
        },
        version: match failure {
            Failure::Office(Refused::Moved { current } | Refused::TicketMoved { current, .. }) => Some(*current),
            _ => None,
        },
        errors: match failure {
            Failure::Protocol(Protocol::Fields(faults)) => faults.iter().map(fault).collect(),
            _ => of_fields.iter().map(fault).collect(),
        },
    };
    let mut answer = answer::problem(status, &problem);
    if status == StatusCode::UNAUTHORIZED
        && let Ok(challenge) = HeaderValue::from_str(&challenge(failure))
    {
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    answer
}

fn status(failure: &Failure) -> StatusCode {
    match failure {
        // said after the right password: the client can do something about it
        Failure::Refused(Refusal::Login(LoginRefusal::PasswordChangeRequired)) => StatusCode::FORBIDDEN,
        failure => failure.status(),
    }
}

/// Code and detail.
fn said(failure: &Failure) -> (&'static str, String) {
    match failure {
        Failure::Refused(Refusal::Login(refusal @ LoginRefusal::PasswordChangeRequired)) => {
            (refusal.code(), PASSWORD_CHANGE_REQUIRED.to_owned())
        }
        // what stands against a login besides the password is not told apart
        Failure::Refused(Refusal::Login(_)) => told(&Refusal::Login(LoginRefusal::Mismatch)),
        Failure::Refused(refusal) => told(refusal),
        Failure::Office(refused) => decided_against(refused),
        Failure::Unavailable { .. } => {
            let detail =
                "The server cannot answer now. Nothing was decided about the tokens: keep them and come again.";
            (failure.code(), detail.to_owned())
        }
        Failure::Fault(_) => {
            let detail = "Something is broken on the server's side. The trace id finds it in the server's log.";
            (failure.code(), detail.to_owned())
        }
        // a weak password has a code of its own where nothing else is wrong
        Failure::Protocol(Protocol::Fields(faults)) if faults.iter().all(|fault| fault.code == "weak") => {
            let why = faults.first().map_or("is weak", |fault| &*fault.message);
            ("password_weak", sentence(&format!("the password {why}")))
        }
        Failure::Protocol(protocol) => (protocol.code(), broken(protocol)),
    }
}

fn told(refusal: &Refusal) -> (&'static str, String) {
    (refusal.code(), sentence(&refusal.to_string()))
}

fn decided_against(refused: &Refused) -> (&'static str, String) {
    match refused {
        Refused::Taken { .. } => (refused.code(), "Somebody or something else has this name; see errors.".to_owned()),
        Refused::Unknown { .. }
        | Refused::Invalid { .. }
        | Refused::Repeated { .. }
        | Refused::Empty { .. }
        | Refused::Several(_)
        | Refused::Spans(_) => ("fields_invalid", UNFIT.to_owned()),
        Refused::Absent { .. } => (refused.code(), "There is nothing of this id.".to_owned()),
        Refused::Moved { .. }
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
        | Refused::Unproved
        | Refused::Status { .. }
        | Refused::TooHigh(_)
        | Refused::Missing(_) => (refused.code(), sentence(&refused.to_string())),
    }
}

const PASSWORD_CHANGE_REQUIRED: &str =
    "The password must be changed. Log in again with the current one in `password` and another in `new_password`.";
const UNFIT: &str = "Some of what was sent cannot be; see errors.";

fn broken(protocol: &Protocol) -> String {
    match protocol {
        Protocol::Malformed(why) => sentence(why),
        Protocol::SignedInChunks => "The body must be signed as a whole.".to_owned(),
        Protocol::ContentType => "The body must be application/json, not encoded.".to_owned(),
        Protocol::TooLarge => "The body is too large.".to_owned(),
        Protocol::Slow => "The body did not come in time.".to_owned(),
        Protocol::NoRoute => "There is nothing at this path.".to_owned(),
        Protocol::WrongMethod { allow } => format!("This path takes {allow}."),
        Protocol::Fields(_) => UNFIT.to_owned(),
        Protocol::TooMany { .. } => "This address has sent too many requests.".to_owned(),
        Protocol::ForeignOrigin => "Pages of this origin may not do this.".to_owned(),
        Protocol::Unversioned => {
            "Name in If-Match the version that was read: the ETag of the answer that showed it.".to_owned()
        }
        Protocol::IdempotencyKey => {
            "Idempotency-Key must be one key of 1 to 255 visible ASCII characters, such as a UUID.".to_owned()
        }
        Protocol::Unlisted => "No row of the access table is for this request.".to_owned(),
        Protocol::NothingAsked => {
            "Name the request in X-Original-Method and X-Original-URI or X-Original-URL, or in X-Forwarded-Method and X-Forwarded-Uri."
                .to_owned()
        }
    }
}

fn fault(fault: &FieldFault) -> Fault<'_> {
    let pointer = || match fault.field.as_ref() {
        "" => String::new(),
        field => format!("/{field}"),
    };
    Fault {
        pointer: (!fault.query).then(pointer),
        parameter: fault.query.then_some(&*fault.field),
        code: &fault.code,
        detail: &fault.message,
    }
}

/// The challenge of a 401 (RFC 6750, 3): no error where no token was sent.
fn challenge(failure: &Failure) -> String {
    match failure {
        Failure::Refused(Refusal::Token(refusal)) if *refusal != TokenRefusal::Missing => {
            format!("{CHALLENGE}, error=\"invalid_token\", error_description=\"{refusal}\"")
        }
        _ => CHALLENGE.to_owned(),
    }
}
