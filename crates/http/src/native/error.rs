//! The native API's words for what fails: problem details (RFC 9457) with a stable code and the trace id.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::{AuthDenied, LoginDenied, TokenDenied};
use tillgate_domain::office::OfficeError;

use crate::bearer::BEARER_CHALLENGE;
use crate::error::{ApiError, FieldViolation, ProtocolError, to_sentence};
use crate::head::RequestHead;
use crate::office;
use crate::response;

/// A problem (RFC 9457, 3.1).
#[derive(Serialize)]
struct ProblemBody<'p> {
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
    errors: Vec<ErrorItemBody<'p>>,
}

/// A field at fault: the pointer (RFC 6901) into the body, or the parameter of the query.
#[derive(Serialize)]
struct ErrorItemBody<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'p str>,
    code: &'p str,
    detail: &'p str,
}

/// The answer to a call that failed.
pub(super) fn render_error(failure: &ApiError, head: &RequestHead) -> HttpResponse {
    let status = map_status(failure);
    let (code, detail) = describe_error(failure);
    let of_fields = match failure {
        ApiError::Office(refused) => office::office_error_violations(refused),
        // the field is called so wherever a password is set
        ApiError::Denied(AuthDenied::WeakPassword(why)) => vec![FieldViolation {
            field: "password".into(),
            in_query: false,
            code: "weak".into(),
            message: why.to_string().into(),
        }],
        _ => Vec::new(),
    };
    let problem = ProblemBody {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail,
        instance: head.path(),
        code,
        trace_id: head.trace_id(),
        right: match failure {
            ApiError::Denied(AuthDenied::RightMissing(right)) => Some(right.as_str()),
            _ => None,
        },
        version: match failure {
            ApiError::Office(
                OfficeError::VersionMismatch { current } | OfficeError::TicketVersionMismatch { current, .. },
            ) => Some(*current),
            _ => None,
        },
        errors: match failure {
            ApiError::Protocol(ProtocolError::InvalidFields(faults)) => faults.iter().map(build_error_item).collect(),
            _ => of_fields.iter().map(build_error_item).collect(),
        },
    };
    let mut answer = response::render_problem(status, &problem);
    if status == StatusCode::UNAUTHORIZED
        && let Ok(challenge) = HeaderValue::from_str(&build_challenge(failure))
    {
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    answer
}

fn map_status(failure: &ApiError) -> StatusCode {
    match failure {
        // said after the right password: the client can do something about it
        ApiError::Denied(AuthDenied::Login(LoginDenied::PasswordChangeRequired)) => StatusCode::FORBIDDEN,
        failure => failure.status(),
    }
}

/// Code and detail.
fn describe_error(failure: &ApiError) -> (&'static str, String) {
    match failure {
        ApiError::Denied(AuthDenied::Login(refusal @ LoginDenied::PasswordChangeRequired)) => {
            (refusal.code(), PASSWORD_CHANGE_REQUIRED_DETAIL.to_owned())
        }
        // what stands against a login besides the password is not told apart
        ApiError::Denied(AuthDenied::Login(_)) => describe_denial(&AuthDenied::Login(LoginDenied::Mismatch)),
        ApiError::Denied(refusal) => describe_denial(refusal),
        ApiError::Office(refused) => describe_office_error(refused),
        ApiError::Unavailable { .. } => {
            let detail =
                "The server cannot answer now. Nothing was decided about the tokens: keep them and come again.";
            (failure.code(), detail.to_owned())
        }
        ApiError::Fault(_) => {
            let detail = "Something is broken on the server's side. The trace id finds it in the server's log.";
            (failure.code(), detail.to_owned())
        }
        // a weak password has a code of its own where nothing else is wrong
        ApiError::Protocol(ProtocolError::InvalidFields(faults)) if faults.iter().all(|fault| fault.code == "weak") => {
            let why = faults.first().map_or("is weak", |fault| &*fault.message);
            ("password_weak", to_sentence(&format!("the password {why}")))
        }
        ApiError::Protocol(protocol) => (protocol.code(), describe_protocol_error(protocol)),
    }
}

fn describe_denial(refusal: &AuthDenied) -> (&'static str, String) {
    (refusal.code(), to_sentence(&refusal.to_string()))
}

fn describe_office_error(refused: &OfficeError) -> (&'static str, String) {
    match refused {
        OfficeError::AlreadyExists { .. } => {
            (refused.code(), "Somebody or something else has this name; see errors.".to_owned())
        }
        OfficeError::UnknownName { .. }
        | OfficeError::InvalidValue { .. }
        | OfficeError::DuplicateItem { .. }
        | OfficeError::Required { .. }
        | OfficeError::Several(_)
        | OfficeError::OutOfRange(_) => ("fields_invalid", INVALID_REQUEST_DETAIL.to_owned()),
        OfficeError::NotFound { .. } => (refused.code(), "There is nothing of this id.".to_owned()),
        OfficeError::VersionMismatch { .. }
        | OfficeError::InUse { .. }
        | OfficeError::BuiltInRole
        | OfficeError::LastStore
        | OfficeError::LimitReached { .. }
        | OfficeError::TicketVersionMismatch { .. }
        | OfficeError::Ticket(_)
        | OfficeError::IdempotencyKeyReused
        | OfficeError::LastAdmin
        | OfficeError::VirtualUser
        | OfficeError::OwnPassword
        | OfficeError::CurrentPasswordRequired
        | OfficeError::InvalidStatusTransition { .. }
        | OfficeError::RankTooHigh(_)
        | OfficeError::RightMissing(_) => (refused.code(), to_sentence(&refused.to_string())),
    }
}

const PASSWORD_CHANGE_REQUIRED_DETAIL: &str =
    "The password must be changed. Log in again with the current one in `password` and another in `new_password`.";
const INVALID_REQUEST_DETAIL: &str = "Some of what was sent cannot be; see errors.";

fn describe_protocol_error(protocol: &ProtocolError) -> String {
    match protocol {
        ProtocolError::MalformedBody(why) => to_sentence(why),
        ProtocolError::ChunkedSignature => "The body must be signed as a whole.".to_owned(),
        ProtocolError::UnsupportedMediaType => "The body must be application/json, not encoded.".to_owned(),
        ProtocolError::BodyTooLarge => "The body is too large.".to_owned(),
        ProtocolError::BodyTimeout => "The body did not come in time.".to_owned(),
        ProtocolError::RouteNotFound => "There is nothing at this path.".to_owned(),
        ProtocolError::MethodNotAllowed { allow } => format!("This path takes {allow}."),
        ProtocolError::InvalidFields(_) => INVALID_REQUEST_DETAIL.to_owned(),
        ProtocolError::RateLimited { .. } => "This address has sent too many requests.".to_owned(),
        ProtocolError::UntrustedOrigin => "Pages of this origin may not do this.".to_owned(),
        ProtocolError::PreconditionRequired => {
            "Name in If-Match the version that was read: the ETag of the answer that showed it.".to_owned()
        }
        ProtocolError::InvalidIdempotencyKey => {
            "Idempotency-Key must be one key of 1 to 255 visible ASCII characters, such as a UUID.".to_owned()
        }
        ProtocolError::NoAccessRule => "No row of the access table is for this request.".to_owned(),
        ProtocolError::MissingOriginalRequest => {
            "Name the request in X-Original-Method and X-Original-URI or X-Original-URL, or in X-Forwarded-Method and X-Forwarded-Uri."
                .to_owned()
        }
    }
}

fn build_error_item(fault: &FieldViolation) -> ErrorItemBody<'_> {
    let pointer = || match fault.field.as_ref() {
        "" => String::new(),
        field => format!("/{field}"),
    };
    ErrorItemBody {
        pointer: (!fault.in_query).then(pointer),
        parameter: fault.in_query.then_some(&*fault.field),
        code: &fault.code,
        detail: &fault.message,
    }
}

/// The challenge of a 401 (RFC 6750, 3): no error where no token was sent.
fn build_challenge(failure: &ApiError) -> String {
    match failure {
        ApiError::Denied(AuthDenied::Token(refusal)) if *refusal != TokenDenied::Missing => {
            format!("{BEARER_CHALLENGE}, error=\"invalid_token\", error_description=\"{refusal}\"")
        }
        _ => BEARER_CHALLENGE.to_owned(),
    }
}
