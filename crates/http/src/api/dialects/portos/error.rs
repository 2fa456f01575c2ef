//! PORTOS' errors: problems with `errorCode` and `traceId`, in Slovak, or in English if the client
//! prefers it.

mod messages;
mod ticket_messages;

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LANGUAGE, HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::AuthDenied;
use tillgate_domain::office::OfficeError;
use tillgate_domain::{DenialKind, Subject};

use super::language::Language;
use super::ticket_id;
use crate::error::office;
use crate::error::{ApiError, FieldViolation, ProtocolError};
use crate::request::bearer::BEARER_CHALLENGE;
use crate::request::head::RequestHead;
use crate::serving::response;
use messages::{describe_violation, find_detail, find_title};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemBody<'p> {
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'p, str>>,
    instance: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    trace_id: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<MemberErrorBody<'p>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<ResourceBody>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberErrorBody<'p> {
    member_name: Cow<'p, str>,
    message: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
}

/// A resource that has been changed since the client read it.
#[derive(Serialize)]
struct ResourceBody {
    name: &'static str,
    id: String,
    version: i64,
}

/// Renders the response to a failed request.
pub(super) fn render_error(failure: &ApiError, head: &RequestHead) -> HttpResponse {
    let language = Language::from_head(head);
    let status = map_status(failure);
    let office_violations = match failure {
        ApiError::Office(office_error) => office::office_error_violations(office_error),
        _ => Vec::new(),
    };
    let problem = ProblemBody {
        title: find_title(failure, status, language),
        status: status.as_u16(),
        detail: find_detail(failure, language),
        instance: head.path_in_mount(),
        error_code: find_error_code(failure),
        trace_id: head.trace_id(),
        errors: match failure {
            ApiError::Protocol(ProtocolError::InvalidFields(violations)) => {
                Some(violations.iter().map(|violation| build_member_error(violation, language)).collect())
            }
            _ if office_violations.is_empty() => None,
            _ => Some(office_violations.iter().map(|violation| build_member_error(violation, language)).collect()),
        },
        resource: match failure {
            ApiError::Office(office_error) => match office_error.leading() {
                OfficeError::VersionMismatch { subject, current } => build_resource(*subject, *current),
                _ => None,
            },
            _ => None,
        },
    };
    let mut response = response::render_problem(status, &problem);
    response.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    if status == StatusCode::UNAUTHORIZED {
        for challenge in [BEARER_CHALLENGE, "NWS4-HMAC-SHA256 realm=\"tillgate\", charset=\"UTF-8\""] {
            response.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
    }
    response
}

/// The resource that was changed; only API keys and tickets are changed by version in this
/// contract.
fn build_resource(subject: Subject, version: i64) -> Option<ResourceBody> {
    let (name, id) = match subject {
        Subject::ApiKey(id) => ("ApiKey", id.to_string()),
        Subject::Ticket(id) => ("Ticket", ticket_id::format_ticket_id(id)),
        _ => return None,
    };
    Some(ResourceBody { name, id, version })
}

fn map_status(failure: &ApiError) -> StatusCode {
    match failure {
        ApiError::Denied(AuthDenied::TooManyAttempts { .. }) => StatusCode::LOCKED,
        // a name that is in use is a violation of its field, like all others
        ApiError::Office(OfficeError::AlreadyExists { .. }) => StatusCode::BAD_REQUEST,
        failure => failure.status_without_422(),
    }
}

/// Returns the published error code, if the contract defines one.
fn find_error_code(failure: &ApiError) -> Option<&'static str> {
    Some(match failure {
        ApiError::Denied(AuthDenied::Login(_)) => "Unauthorized",
        ApiError::Denied(denial) => return default_error_code(denial.kind()),
        ApiError::Office(office_error) if !office::office_error_violations(office_error.leading()).is_empty() => {
            "ValidationFailed"
        }
        ApiError::Office(office_error) => return default_error_code(office_error.kind()),
        ApiError::Protocol(ProtocolError::InvalidFields(_)) => "ValidationFailed",
        ApiError::Unavailable { .. } | ApiError::Fault(_) | ApiError::Protocol(_) => return None,
    })
}

/// The published error code for errors without one of their own.
const fn default_error_code(kind: DenialKind) -> Option<&'static str> {
    match kind {
        DenialKind::InvalidFields => Some("ValidationFailed"),
        DenialKind::Unauthenticated => Some("Unauthenticated"),
        DenialKind::TooManyAttempts => Some("ResourceLocked"),
        DenialKind::Forbidden => Some("Unauthorized"),
        DenialKind::VersionMismatch => Some("ResourceVersionMismatch"),
        DenialKind::Invalid
        | DenialKind::ProofRequired
        | DenialKind::PollDenied
        | DenialKind::NotFound
        | DenialKind::Conflict
        | DenialKind::Inconsistent => None,
    }
}

fn build_member_error(violation: &FieldViolation, language: Language) -> MemberErrorBody<'_> {
    let (message, code) = describe_violation(violation, language);
    let member_name =
        if violation.in_query { capitalize_path(&violation.field).into() } else { published_path(&violation.field) };
    MemberErrorBody { member_name, message, code }
}

/// Capitalizes a member of a list's rows as the published documentation does in queries.
fn capitalize_path(name: &str) -> String {
    let segment = |segment: &str| {
        let mut letters = segment.chars();
        letters.next().map(|first| format!("{}{}", first.to_ascii_uppercase(), letters.as_str())).unwrap_or_default()
    };
    name.split('.').map(segment).collect::<Vec<_>>().join(".")
}

/// Returns the published form of a JSON pointer to a member: `1/payments/0/amount` is
/// `[1].Payments[0].Amount`. A path in the published form stays as it is.
pub(super) fn published_path(pointer: &str) -> Cow<'_, str> {
    let is_index = |segment: &str| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    if !pointer.contains('/') && !is_index(pointer) {
        return published_member_name(pointer).into();
    }
    let mut path = String::new();
    for segment in pointer.split('/') {
        if is_index(segment) {
            path.extend(["[", segment, "]"]);
            continue;
        }
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&match published_member_name(segment) {
            same if same == segment => capitalize_path(segment),
            published => published.to_owned(),
        });
    }
    path.into()
}

/// Returns the published spelling of a member.
fn published_member_name(field: &str) -> &str {
    match field {
        "username" | "user" | "user_name" => "UserName",
        "password" => "Password",
        "devicename" | "device" => "DeviceName",
        "tokenid" => "TokenId",
        "refreshtoken" => "RefreshToken",
        "name" => "Name",
        "description" => "Description",
        "email" => "Email",
        "rights" | "permissions" => "Permissions",
        "isactive" => "IsActive",
        "items" => "Items",
        "rounding" => "RoundingAmount",
        "payments" => "Payments",
        "owner" => "Employee.UserName",
        "ticket" => "Id",
        "version" => "_v",
        "roles" => "Roles",
        other => other,
    }
}
