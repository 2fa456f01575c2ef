//! PORTOS' words for what fails: problems with `errorCode` and `traceId`, in Slovak, or in English where the client asks for it.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LANGUAGE, HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::{LoginRefusal, Refusal};
use tillgate_domain::office::Refused;

use super::language::{Language, detail, of_member, title};
use crate::answer;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::head::Head;
use crate::office;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'p> {
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'p, str>>,
    instance: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    trace_id: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<MemberFault<'p>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Resource<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberFault<'p> {
    member_name: &'p str,
    message: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
}

/// What has moved on since it was read.
#[derive(Serialize)]
struct Resource<'p> {
    name: &'static str,
    id: &'p str,
    version: i64,
}

/// The answer to a call that failed.
pub(super) fn word(failure: &Failure, head: &Head) -> HttpResponse {
    let language = Language::of(head);
    let (status, error_code) = said(failure);
    let of_office = match failure {
        Failure::Office(refused) => office::fault(refused),
        _ => None,
    };
    let problem = Problem {
        title: title(failure, status, language),
        status: status.as_u16(),
        detail: detail(failure, language),
        instance: head.path_in_mount(),
        error_code,
        trace_id: head.trace(),
        errors: match failure {
            Failure::Protocol(Protocol::Fields(faults)) => {
                Some(faults.iter().map(|fault| member(fault, language)).collect())
            }
            _ => of_office.as_ref().map(|fault| vec![member(fault, language)]),
        },
        resource: match failure {
            // keys of programs are all that this contract changes by version
            Failure::Office(Refused::Moved { current }) => {
                Some(Resource { name: "ApiKey", id: head.segment("id"), version: *current })
            }
            _ => None,
        },
    };
    let mut answer = answer::problem(status, &problem);
    answer.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    if status == StatusCode::UNAUTHORIZED {
        for challenge in ["Bearer realm=\"tillgate\"", "NWS4-HMAC-SHA256 realm=\"tillgate\", charset=\"UTF-8\""] {
            answer.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
    }
    answer
}

fn said(failure: &Failure) -> (StatusCode, Option<&'static str>) {
    match failure {
        Failure::Refused(Refusal::Held { .. } | Refusal::Login(LoginRefusal::Stopped)) => {
            (StatusCode::LOCKED, Some("ResourceLocked"))
        }
        Failure::Refused(Refusal::Login(_)) => (StatusCode::UNAUTHORIZED, Some("Unauthorized")),
        Failure::Refused(Refusal::Token(_)) => (StatusCode::UNAUTHORIZED, Some("Unauthenticated")),
        Failure::Refused(Refusal::Missing(_) | Refusal::Rank(_)) => (StatusCode::FORBIDDEN, Some("Unauthorized")),
        Failure::Refused(Refusal::NoSession) => (StatusCode::NOT_FOUND, None),
        Failure::Office(refused) => decided_against(refused),
        Failure::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, None),
        Failure::Fault(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
        Failure::Refused(Refusal::Weak(_)) | Failure::Protocol(Protocol::Fields(_)) => {
            (StatusCode::BAD_REQUEST, Some("ValidationFailed"))
        }
        Failure::Protocol(protocol) => (protocol.status(), None),
    }
}

/// A name that is taken is a fault of its field here, as every other that a field has.
fn decided_against(refused: &Refused) -> (StatusCode, Option<&'static str>) {
    match refused {
        Refused::Taken { .. } | Refused::Unknown { .. } | Refused::Invalid { .. } | Refused::Empty { .. } => {
            (StatusCode::BAD_REQUEST, Some("ValidationFailed"))
        }
        Refused::Moved { .. } => (office::status(refused), Some("ResourceVersionMismatch")),
        Refused::TooHigh(_) | Refused::Missing(_) => (office::status(refused), Some("Unauthorized")),
        Refused::Absent { .. } | Refused::LastAdmin | Refused::Virtual | Refused::Status { .. } => {
            (office::status(refused), None)
        }
    }
}

fn member(fault: &FieldFault, language: Language) -> MemberFault<'_> {
    let (message, code) = of_member(fault, language);
    MemberFault { member_name: pascal(&fault.field), message, code }
}

/// The published spelling of a member.
fn pascal(field: &str) -> &str {
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
        "roles" => "Roles",
        other => other,
    }
}
