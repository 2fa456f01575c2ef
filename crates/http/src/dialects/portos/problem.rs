//! PORTOS' words for what fails: problems with `errorCode` and `traceId`, in Slovak, or in English where the client asks for it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::{LoginRefusal, Refusal};

use crate::answer;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::head::Head;

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
            _ => None,
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
        Failure::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, None),
        Failure::Fault(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
        Failure::Refused(Refusal::Weak(_)) | Failure::Protocol(Protocol::Fields(_)) => {
            (StatusCode::BAD_REQUEST, Some("ValidationFailed"))
        }
        Failure::Protocol(protocol) => (protocol.status(), None),
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
        _ => (language.pick("Neplatná hodnota.", "The value is not valid."), None),
    };
    MemberFault { member_name: pascal(&fault.field), message, code }
}

/// The published spelling of a member.
fn pascal(field: &str) -> &str {
    match field {
        "username" => "UserName",
        "password" => "Password",
        "devicename" => "DeviceName",
        "tokenid" => "TokenId",
        "refreshtoken" => "RefreshToken",
        other => other,
    }
}
