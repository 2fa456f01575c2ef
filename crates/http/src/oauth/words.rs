//! What fails, in the words of RFC 6749, 5.2.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::Refusal;

use crate::answer;
use crate::failure::{Failure, Protocol};

/// What asks for a client's credentials (RFC 7617, 2).
const CHALLENGE: &str = "Basic realm=\"tillgate\", charset=\"UTF-8\"";

#[derive(Serialize)]
struct Said<'s> {
    error: &'s str,
    error_description: String,
}

/// The answer to a call that failed.
pub(super) fn word(failure: &Failure) -> HttpResponse {
    let (error, description) = match failure {
        Failure::Refused(Refusal::Missing(_) | Refusal::Rank(_)) => ("unauthorized_client", None),
        Failure::Refused(Refusal::Token(_) | Refusal::Login(_) | Refusal::Held { .. })
            if failure.status() == StatusCode::UNAUTHORIZED =>
        {
            // one sentence for all: an unknown client and a wrong secret are not told apart
            ("invalid_client", Some("the client is not known, or its secret is wrong".to_owned()))
        }
        Failure::Refused(Refusal::Login(_) | Refusal::Held { .. }) => {
            ("temporarily_unavailable", Some("held back after wrong client secrets".to_owned()))
        }
        // its own words are for the log
        Failure::Unavailable { .. } => {
            let description = "the server cannot answer now; nothing was decided about the token";
            ("temporarily_unavailable", Some(description.to_owned()))
        }
        Failure::Fault(_) => ("server_error", Some("something is broken on the server's side".to_owned())),
        Failure::Protocol(Protocol::TooMany { .. }) => ("temporarily_unavailable", None),
        Failure::Protocol(Protocol::Malformed(why)) => ("invalid_request", Some(why.clone().into_owned())),
        Failure::Protocol(_) | Failure::Office(_) | Failure::Refused(_) => ("invalid_request", None),
    };
    let status = failure.status();
    let description = description.unwrap_or_else(|| match failure {
        Failure::Refused(refusal) => refusal.to_string(),
        _ => status.canonical_reason().unwrap_or_default().to_owned(),
    });
    let mut answer = said(status, error, &description);
    if status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    answer
}

/// The token is of a kind that is not revoked here (RFC 7009, 2.2.1).
pub(super) fn unsupported() -> HttpResponse {
    let description = "access tokens and refresh tokens of this server are revoked here, and no others";
    said(StatusCode::BAD_REQUEST, "unsupported_token_type", description)
}

fn said(status: StatusCode, error: &str, description: &str) -> HttpResponse {
    // what a description may hold (RFC 6749, 5.2)
    let plain = |c: &char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    let said = Said { error, error_description: description.chars().filter(plain).collect() };
    answer::json(status, &said).unwrap_or_else(|_| HttpResponse::new(status))
}
