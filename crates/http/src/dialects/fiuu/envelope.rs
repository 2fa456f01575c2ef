//! Fiuu's words for what fails: a number, the slug of its status, and a sentence.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_auth_core::{LoginRefusal, Refusal, TokenRefusal};

use super::auth::REFRESH;
use crate::answer;
use crate::failure::{Failure, Protocol};
use crate::head::Head;
use crate::office;

/// What is wrong with a field that cannot be a register's name.
pub(super) const POS_ID: &str = "pos_id";

#[derive(Serialize)]
struct Failed {
    code: u32,
    error: String,
    message: &'static str,
}

/// The answer to a call that failed.
pub(super) fn word(failure: &Failure, head: &Head) -> HttpResponse {
    let status = status(failure);
    let (code, message) = published(failure, head.route()).unwrap_or_else(|| unpublished(status));
    answer::failed(status, &Failed { code, error: slug(status), message })
}

/// What stands against a register is said after its right password.
fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Refused(Refusal::Login(LoginRefusal::Pending | LoginRefusal::Suspended | LoginRefusal::Retired)) => {
            StatusCode::FORBIDDEN
        }
        failure => failure.status_or_400(),
    }
}

/// The number and the sentence, where the contract has some for it.
fn published(failure: &Failure, route: &str) -> Option<(u32, &'static str)> {
    Some(match failure {
        Failure::Refused(refusal) => refused(refusal, route)?,
        Failure::Office(refused)
            if !office::faults(refused).is_empty() && office::status(refused) != StatusCode::CONFLICT =>
        {
            (40_031, UNREADABLE)
        }
        Failure::Protocol(Protocol::Fields(faults)) if faults.iter().any(|fault| fault.code == POS_ID) => {
            (40_021, "Invalid POS ID.")
        }
        Failure::Protocol(Protocol::Fields(_) | Protocol::Malformed(_)) => (40_031, UNREADABLE),
        Failure::Protocol(Protocol::TooMany { .. }) => (42_900, "Too many requests."),
        Failure::Protocol(Protocol::ForeignOrigin) => (40_310, UNAUTHORIZED),
        Failure::Fault(_) => (500, "Internal server error."),
        Failure::Office(_) | Failure::Unavailable { .. } | Failure::Protocol(_) => return None,
    })
}

const UNREADABLE: &str = "Invalid or missing parameters.";
const UNAUTHORIZED: &str = "User not authorized.";
const STOPPED: &str = "Login failed, this account is temporarily locked due to multiple failed login attempts.";

fn refused(refusal: &Refusal, route: &str) -> Option<(u32, &'static str)> {
    Some(match refusal {
        Refusal::Held { .. } => (42_930, STOPPED),
        Refusal::Login(LoginRefusal::Pending) => (40_311, "Login failed, this account is pending activation."),
        Refusal::Login(LoginRefusal::Suspended) => (40_312, "Login failed, this account is currently suspended."),
        Refusal::Login(LoginRefusal::Retired) => (40_313, "Login failed, this account is permanently deleted."),
        Refusal::Login(_) => (40_125, "Authentication failed."),
        Refusal::Token(TokenRefusal::Over | TokenRefusal::Replay) => (40_122, "Session expired."),
        // a refresh token expires with its session
        Refusal::Token(TokenRefusal::Expired) if route == REFRESH => (40_122, "Session expired."),
        Refusal::Token(TokenRefusal::Expired) => (40_123, "Token expired."),
        Refusal::Token(_) if route == REFRESH => (40_121, "Invalid or missing refresh token."),
        Refusal::Token(_) => (40_120, "Invalid or missing access token."),
        Refusal::Missing(_) | Refusal::Rank(_) => (40_310, UNAUTHORIZED),
        Refusal::Weak(_) => (40_031, UNREADABLE),
        Refusal::NoSession => return None,
    })
}

/// What the contract does not word: the status a hundred times, and its standard phrase.
fn unpublished(status: StatusCode) -> (u32, &'static str) {
    (u32::from(status.as_u16()) * 100, status.canonical_reason().unwrap_or_default())
}

/// The slug of a status: the contract's own for those that it names, else its standard phrase.
fn slug(status: StatusCode) -> String {
    match status {
        StatusCode::BAD_REQUEST => "invalid_request".to_owned(),
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_exceeded".to_owned(),
        other => other.canonical_reason().unwrap_or_default().to_ascii_lowercase().replace(' ', "_"),
    }
}
