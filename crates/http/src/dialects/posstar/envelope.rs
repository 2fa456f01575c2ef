//! PosStar's words for what fails: the status, a message, and the status's phrase.

use std::borrow::Cow;

use actix_web::HttpResponse;
use serde::Serialize;
use tillgate_auth_core::Refusal;
use tillgate_domain::office::{Field, Refused};

use crate::answer;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::office;

#[derive(Serialize)]
struct Failed<'f> {
    #[serde(rename = "statusCode")]
    status_code: u16,
    message: Cow<'f, str>,
    error: &'static str,
}

/// The answer to a call that failed.
pub(super) fn word(failure: &Failure) -> HttpResponse {
    let status = failure.status_or_400();
    let error = status.canonical_reason().unwrap_or_default();
    let message = sentence(failure).unwrap_or(Cow::Borrowed(error));
    answer::failed(status, &Failed { status_code: status.as_u16(), message, error })
}

/// What is wrong with a request that can be mended; everything else is told by the status's phrase alone.
fn sentence(failure: &Failure) -> Option<Cow<'_, str>> {
    match failure {
        Failure::Refused(refusal @ Refusal::Weak(_)) => Some(Cow::Owned(refusal.to_string())),
        Failure::Office(Refused::Taken { field: Field::Email, .. }) => Some(Cow::Borrowed("Email already registered")),
        Failure::Office(refused) => match office::faults(refused).as_slice() {
            [] => None,
            of_fields => Some(Cow::Owned(all(of_fields))),
        },
        Failure::Protocol(Protocol::Malformed(why)) => Some(Cow::Borrowed(why)),
        Failure::Protocol(Protocol::Fields(faults)) => Some(Cow::Owned(all(faults))),
        _ => None,
    }
}

fn all(faults: &[FieldFault]) -> String {
    faults.iter().map(fault).collect::<Vec<_>>().join("; ")
}

fn fault(fault: &FieldFault) -> String {
    let field = if fault.field.is_empty() { "the body" } else { &fault.field };
    format!("{field} {}", fault.message)
}
