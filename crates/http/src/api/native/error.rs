//! Errors of the native API: problem details (RFC 9457) with a stable code and the trace id.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::{AuthDenied, LoginDenied, ProofFault, TokenDenied};
use tillgate_domain::office::OfficeError;
use tillgate_domain::{DenialKind, MissingRight, WeakPin};

use crate::context::event_hub::MAX_STREAMS_PER_PRINCIPAL;
use crate::error::office;
use crate::error::{
    ApiError, FieldErrorCode, FieldViolation, MissingMailSetup, ProtocolError, StreamLimit, ViolatedRule, to_sentence,
};
use crate::request::bearer::BEARER_CHALLENGE;
use crate::request::dpop;
use crate::request::head::RequestHead;
use crate::serving::response;

/// The body of an error response (RFC 9457, 3.1).
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
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<&'p str>,
    /// The code of a poll as clients of OAuth read it (RFC 8628, 3.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ErrorItemBody<'p>>,
}

/// An invalid field: a JSON pointer (RFC 6901) into the body, or the name of a query parameter.
#[derive(Serialize)]
struct ErrorItemBody<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'p str>,
    code: &'static str,
    detail: &'p str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    rule: Option<&'p ViolatedRule>,
}

/// The violation of a new PIN that may not be set.
pub(super) fn weak_pin_violation(why: WeakPin) -> FieldViolation {
    FieldViolation {
        field: "new_pin".into(),
        in_query: false,
        code: FieldErrorCode::Weak,
        message: why.to_string().into(),
    }
}

/// Renders the response to a failed request.
pub(crate) fn render_error(failure: &ApiError, head: &RequestHead) -> HttpResponse {
    let status = map_status(failure);
    let (code, detail) = describe_error(failure);
    let office_violations = match failure {
        ApiError::Office(office_error) => office::office_error_violations(office_error),
        // the field has this name in every request that sets a password
        ApiError::Denied(AuthDenied::WeakPassword(why)) => vec![FieldViolation {
            field: "password".into(),
            in_query: false,
            code: FieldErrorCode::Weak,
            message: why.into(),
        }],
        ApiError::Denied(AuthDenied::WeakPin(why)) => vec![weak_pin_violation(*why)],
        _ => Vec::new(),
    };
    let fault = find_proof_fault(failure);
    let compared = fault.and_then(ProofFault::expected_and_received);
    let problem = ProblemBody {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail,
        instance: head.path(),
        code,
        trace_id: head.trace_id(),
        right: match failure {
            ApiError::Denied(AuthDenied::RightMissing(MissingRight(right))) => Some(right.as_str()),
            _ => None,
        },
        version: match failure {
            ApiError::Office(OfficeError::VersionMismatch { current, .. }) => Some(*current),
            _ => None,
        },
        max_age: match failure {
            ApiError::Office(OfficeError::ProofTooOld { max_age }) => Some(max_age.as_secs()),
            _ => None,
        },
        check: fault.map(ProofFault::check),
        error: match failure {
            ApiError::Denied(AuthDenied::Poll(denial)) => Some(denial.code()),
            _ => None,
        },
        expected: compared.map(|(expected, _)| expected),
        received: compared.map(|(_, received)| received),
        errors: match failure {
            ApiError::Protocol(ProtocolError::InvalidFields(violations)) => {
                violations.iter().map(build_error_item).collect()
            }
            _ => office_violations.iter().map(build_error_item).collect(),
        },
    };
    let mut response = response::render_problem(status, &problem);
    if status == StatusCode::UNAUTHORIZED
        && let Ok(challenge) = HeaderValue::from_str(&build_challenge(failure))
    {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// The check of a proof that has failed.
fn find_proof_fault(failure: &ApiError) -> Option<&ProofFault> {
    match failure {
        ApiError::Denied(AuthDenied::Proof(denied) | AuthDenied::TokenUnproven(denied)) => denied.fault(),
        _ => None,
    }
}

fn map_status(failure: &ApiError) -> StatusCode {
    match failure {
        // the password was correct, and the client can solve the problem
        ApiError::Denied(AuthDenied::Login(LoginDenied::PasswordChangeRequired | LoginDenied::OfficeRoleMissing)) => {
            StatusCode::FORBIDDEN
        }
        failure => failure.status(),
    }
}

/// Returns the code and the detail.
fn describe_error(failure: &ApiError) -> (&'static str, String) {
    match failure {
        ApiError::Denied(AuthDenied::Login(denial @ LoginDenied::PasswordChangeRequired)) => {
            (denial.code(), PASSWORD_CHANGE_REQUIRED_DETAIL.to_owned())
        }
        ApiError::Denied(denial @ AuthDenied::Login(LoginDenied::OfficeRoleMissing)) => describe_denial(denial),
        // all other reasons that block a login get the same response
        ApiError::Denied(AuthDenied::Login(_)) => describe_denial(&AuthDenied::Login(LoginDenied::Mismatch)),
        ApiError::Denied(denial) => describe_denial(denial),
        ApiError::Office(office_error) => describe_office_error(office_error),
        ApiError::Unavailable { .. } => {
            let detail = "Temporarily unavailable. Keep your tokens and retry later.";
            (failure.code(), detail.to_owned())
        }
        ApiError::Fault(_) => {
            let detail = "Internal error. Find it in the server's log by its trace id.";
            (failure.code(), detail.to_owned())
        }
        // a weak password has its own code if nothing else is wrong
        ApiError::Protocol(ProtocolError::InvalidFields(violations))
            if violations.iter().all(|violation| violation.code == FieldErrorCode::Weak) =>
        {
            let why = violations.first().map_or("is weak", |violation| &*violation.message);
            ("password_weak", to_sentence(&format!("the password {why}")))
        }
        ApiError::Protocol(protocol) => (protocol.code(), describe_protocol_error(protocol)),
    }
}

fn describe_denial(denial: &AuthDenied) -> (&'static str, String) {
    (denial.code(), to_sentence(&denial.to_string()))
}

fn describe_office_error(office_error: &OfficeError) -> (&'static str, String) {
    match office_error {
        OfficeError::AlreadyExists { .. } => {
            (office_error.code(), "This name is already in use; see `errors`.".to_owned())
        }
        other => match other.kind() {
            DenialKind::InvalidFields => ("fields_invalid", INVALID_REQUEST_DETAIL.to_owned()),
            DenialKind::NotFound => (other.code(), "Not found.".to_owned()),
            _ => (other.code(), to_sentence(&other.to_string())),
        },
    }
}

const PASSWORD_CHANGE_REQUIRED_DETAIL: &str = "The password must be changed. Log in again with the current password in `password` and the new one in \
     `new_password`.";
const INVALID_REQUEST_DETAIL: &str = "The request is invalid; see `errors`.";

fn describe_protocol_error(protocol: &ProtocolError) -> String {
    match protocol {
        ProtocolError::MalformedBody(why) => to_sentence(why),
        ProtocolError::ChunkedSignature => "The body must be signed as a whole; chunk signatures are not \
             supported."
            .to_owned(),
        ProtocolError::UnsupportedMediaType => {
            "The body must be application/json without a content encoding.".to_owned()
        }
        ProtocolError::BodyTooLarge => "The body is too large.".to_owned(),
        ProtocolError::BodyTimeout => "The body was not received in time.".to_owned(),
        ProtocolError::RouteNotFound => "There is no resource at this path.".to_owned(),
        ProtocolError::MethodNotAllowed { allow } => format!("This path accepts {allow}."),
        ProtocolError::InvalidFields(_) => INVALID_REQUEST_DETAIL.to_owned(),
        ProtocolError::RateLimited { .. } => "Too many requests from this address.".to_owned(),
        ProtocolError::StreamLimitReached(StreamLimit::Principal) => {
            format!("You already have {MAX_STREAMS_PER_PRINCIPAL} event streams. Close one or retry later.")
        }
        ProtocolError::StreamLimitReached(StreamLimit::Tenant | StreamLimit::Process) => {
            "Too many event streams are open. Poll your lists and retry later.".to_owned()
        }
        ProtocolError::MailNotConfigured(MissingMailSetup::PublicUrl) => {
            "The server cannot mail links: set `server.public_url` to the address at which people reach it.".to_owned()
        }
        ProtocolError::MailNotConfigured(MissingMailSetup::OfficePages) => {
            "The server cannot mail links: no mount `office` without a host serves this tenant.".to_owned()
        }
        ProtocolError::UntrustedOrigin => "Pages of this origin may not send this request.".to_owned(),
        ProtocolError::TlsRequired => "Signing in requires TLS: set `server.tls_cert`, or name the proxy that \
             terminates TLS in `server.proxies`."
            .to_owned(),
        ProtocolError::PreconditionRequired => "Send the ETag you read in `If-Match`.".to_owned(),
        ProtocolError::InvalidIdempotencyKey => {
            "`Idempotency-Key` must be one key of 1 to 255 visible ASCII characters, such as a UUID.".to_owned()
        }
        ProtocolError::NoAccessRule => "No row of the access table matches this request.".to_owned(),
        ProtocolError::MissingOriginalRequest => {
            "Send the original request in X-Original-Method and X-Original-URI or X-Original-URL, or in \
             X-Forwarded-Method and X-Forwarded-Uri."
                .to_owned()
        }
    }
}

fn build_error_item(violation: &FieldViolation) -> ErrorItemBody<'_> {
    let pointer = || match violation.field.as_ref() {
        "" => String::new(),
        field => format!("/{field}"),
    };
    ErrorItemBody {
        pointer: (!violation.in_query).then(pointer),
        parameter: violation.in_query.then_some(&*violation.field),
        code: violation.code.name(),
        detail: &violation.message,
        rule: violation.message.rule(),
    }
}

/// Builds the challenge of a 401 (RFC 6750, 3), without an error if no token was sent.
fn build_challenge(failure: &ApiError) -> String {
    match failure {
        ApiError::Denied(AuthDenied::TokenUnproven(denied)) => dpop::build_challenge(denied),
        ApiError::Denied(AuthDenied::Token(denial)) if *denial != TokenDenied::Missing => {
            format!("{BEARER_CHALLENGE}, error=\"invalid_token\", error_description=\"{denial}\"")
        }
        _ => BEARER_CHALLENGE.to_owned(),
    }
}
