//! PORTOS' words for what fails: problems with `errorCode` and `traceId`, in Slovak, or in English where the client asks for it.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LANGUAGE, HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::Refusal;
use tillgate_domain::office::Refused;
use tillgate_domain::ticket::TicketRefused;

use super::language::{Language, detail, of_member, title};
use super::ticket_id;
use crate::answer;
use crate::bearer::CHALLENGE;
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
    resource: Option<Resource>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberFault<'p> {
    member_name: Cow<'p, str>,
    message: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
}

/// What has moved on since it was read.
#[derive(Serialize)]
struct Resource {
    name: &'static str,
    id: String,
    version: i64,
}

/// The answer to a call that failed.
pub(super) fn word(failure: &Failure, head: &Head) -> HttpResponse {
    let language = Language::of(head);
    let status = status(failure);
    let of_office = match failure {
        Failure::Office(refused) => office::faults(refused),
        _ => Vec::new(),
    };
    let problem = Problem {
        title: title(failure, status, language),
        status: status.as_u16(),
        detail: detail(failure, language),
        instance: head.path_in_mount(),
        error_code: error_code(failure),
        trace_id: head.trace(),
        errors: match failure {
            Failure::Protocol(Protocol::Fields(faults)) => {
                Some(faults.iter().map(|fault| member(fault, language)).collect())
            }
            _ if of_office.is_empty() => None,
            _ => Some(of_office.iter().map(|fault| member(fault, language)).collect()),
        },
        resource: match failure {
            // keys of programs and tickets are all that this contract changes by version
            Failure::Office(Refused::Moved { current }) => {
                Some(Resource { name: "ApiKey", id: head.segment("id").to_owned(), version: *current })
            }
            Failure::Office(Refused::TicketMoved { ticket, current }) => {
                Some(Resource { name: "Ticket", id: ticket_id::text(*ticket), version: *current })
            }
            _ => None,
        },
    };
    let mut answer = answer::problem(status, &problem);
    answer.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    if status == StatusCode::UNAUTHORIZED {
        for challenge in [CHALLENGE, "NWS4-HMAC-SHA256 realm=\"tillgate\", charset=\"UTF-8\""] {
            answer.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
    }
    answer
}

fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Refused(Refusal::Held { .. }) => StatusCode::LOCKED,
        // a name that is taken is a fault of its field here, as every other that a field has
        Failure::Office(Refused::Taken { .. }) => StatusCode::BAD_REQUEST,
        failure => failure.status_or_400(),
    }
}

/// The code of an error, where the contract has one for it.
fn error_code(failure: &Failure) -> Option<&'static str> {
    Some(match failure {
        Failure::Refused(refusal) => match refusal {
            Refusal::Held { .. } => "ResourceLocked",
            Refusal::Token(_) => "Unauthenticated",
            Refusal::Login(_) | Refusal::Missing(_) | Refusal::Rank(_) => "Unauthorized",
            Refusal::Weak(_) => "ValidationFailed",
            Refusal::NoSession => return None,
        },
        Failure::Office(refused) => match refused {
            Refused::Taken { .. }
            | Refused::Unknown { .. }
            | Refused::Invalid { .. }
            | Refused::Repeated { .. }
            | Refused::Empty { .. }
            | Refused::Unproved
            | Refused::Several(_)
            | Refused::Spans(_) => "ValidationFailed",
            Refused::Moved { .. } | Refused::TicketMoved { .. } => "ResourceVersionMismatch",
            Refused::TooHigh(_)
            | Refused::Missing(_)
            | Refused::OwnPassword
            | Refused::Ticket(TicketRefused::NoPerson | TicketRefused::NotSelling) => "Unauthorized",
            Refused::Ticket(_) if !office::faults(refused).is_empty() => "ValidationFailed",
            Refused::Absent { .. }
            | Refused::Held { .. }
            | Refused::BuiltIn
            | Refused::LastStore
            | Refused::Full { .. }
            | Refused::LastAdmin
            | Refused::Virtual
            | Refused::Status { .. }
            | Refused::Ticket(_)
            | Refused::KeyReused => return None,
        },
        Failure::Protocol(Protocol::Fields(_)) => "ValidationFailed",
        Failure::Unavailable { .. } | Failure::Fault(_) | Failure::Protocol(_) => return None,
    })
}

fn member(fault: &FieldFault, language: Language) -> MemberFault<'_> {
    let (message, code) = of_member(fault, language);
    let member_name = if fault.query { capitalized(&fault.field).into() } else { pascal(&fault.field).into() };
    MemberFault { member_name, message, code }
}

/// A member of a list's rows as the page spells it in queries.
fn capitalized(name: &str) -> String {
    let segment = |segment: &str| {
        let mut letters = segment.chars();
        letters.next().map(|first| format!("{}{}", first.to_ascii_uppercase(), letters.as_str())).unwrap_or_default()
    };
    name.split('.').map(segment).collect::<Vec<_>>().join(".")
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
        "items" => "Items",
        "rounding" => "RoundingAmount",
        "payments" => "Payments",
        "owner" => "Employee.UserName",
        "ticket" => "Id",
        "roles" => "Roles",
        other => other,
    }
}
