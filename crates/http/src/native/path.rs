//! Ids in paths: what the path of a call names, and where what it has made is found.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LOCATION};
use tillgate_domain::office::{Field, Refused};

use crate::call::Call;
use crate::failure::Failure;

/// The id of the thing of this kind that the path names. What is no id names nothing.
pub(super) fn id<I: FromStr>(call: &Call, kind: Field) -> Result<I, Failure> {
    let sent = call.head().segment("id");
    sent.parse().map_err(|_| absent(kind, sent))
}

/// Nothing of this kind has this id.
pub(super) fn absent(kind: Field, id: impl Display) -> Failure {
    Refused::Absent { field: kind, value: id.to_string() }.into()
}

/// The answer that shows what was made, with where it is found from now on.
pub(super) fn created(
    call: &Call,
    resource: &str,
    id: impl Display,
    mut answer: HttpResponse,
) -> Result<HttpResponse, Failure> {
    let location = HeaderValue::from_str(&format!("{}/{resource}/{id}", call.head().prefix()));
    let location = location.map_err(|_| Failure::Fault("a location cannot be written".to_owned()))?;
    answer.headers_mut().insert(LOCATION, location);
    Ok(answer)
}
