//! PORTOS' words for what fails: problems with `errorCode` and `traceId`, in Slovak, or in English where the client asks for it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::{LoginRefusal, Refusal};
use tillgate_domain::office::Refused;

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
    detail: Option<&'p str>,
    instance: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    trace_id: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<MemberFault<'p>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberFault<'p> {
    member_name: &'p str,
    message: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
}

/// The languages that PORTOS answers in.
#[derive(Clone, Copy)]
enum Language {
    Slovak,
    English,
}

impl Language {
    /// Any `en` among the accepted means English, anything else Slovak.
    fn of(head: &Head) -> Self {
        let english = |tag: &str| {
            let primary = tag.split([';', '-']).next().unwrap_or_default().trim();
            primary.eq_ignore_ascii_case("en")
        };
        let accepted = head.headers().get_all(ACCEPT_LANGUAGE).filter_map(|line| line.to_str().ok());
        let any = accepted.flat_map(|line| line.split(',')).any(english);
        if any { Self::English } else { Self::Slovak }
    }

    const fn pick<'t>(self, slovak: &'t str, english: &'t str) -> &'t str {
        match self {
            Self::Slovak => slovak,
            Self::English => english,
        }
    }
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
        detail: match failure {
            Failure::Protocol(Protocol::Malformed(why)) => Some(why),
            _ => None,
        },
        instance: head.path_in_mount(),
        error_code,
        trace_id: head.trace(),
        errors: match failure {
            Failure::Protocol(Protocol::Fields(faults)) => {
                Some(faults.iter().map(|fault| member(fault, language)).collect())
            }
            _ => of_office.as_ref().map(|fault| vec![member(fault, language)]),
        },
    };
    let mut answer = answer::problem(status, &problem);
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

/// The published sentences; where there is none, the status's own phrase.
fn title(failure: &Failure, status: StatusCode, language: Language) -> &'static str {
    match failure {
        Failure::Refused(Refusal::Login(_)) if status == StatusCode::UNAUTHORIZED => {
            language.pick("Nesprávne meno alebo heslo.", "The user name or the password is wrong.")
        }
        Failure::Refused(Refusal::Token(_)) => language.pick("Nie ste prihlásený.", "You are not signed in."),
        _ => status.canonical_reason().unwrap_or_default(),
    }
}

fn member(fault: &FieldFault, language: Language) -> MemberFault<'_> {
    let (message, code) = match fault.code.as_ref() {
        "required" => (language.pick("Pole je povinné.", "The field is required."), Some(1)),
        "taken" => (language.pick("Hodnota sa už používa.", "The value is already in use."), Some(2)),
        _ => (language.pick("Neplatná hodnota.", "The value is not valid."), None),
    };
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
        "rights" => "Permissions",
        "roles" => "Roles",
        other => other,
    }
}
