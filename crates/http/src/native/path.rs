//! Ids in paths: what the path of a call names, and where what it has made is found.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LOCATION};
use tillgate_domain::office::{FieldName, OfficeError};

use crate::error::ApiError;
use crate::request::Request;

/// The id of the thing of this kind that the path names. What is no id names nothing.
pub(super) fn read_id<I: FromStr>(call: &Request, kind: FieldName) -> Result<I, ApiError> {
    let sent = call.head().path_parameter("id");
    sent.parse().map_err(|_| not_found(kind, sent))
}

/// Nothing of this kind has this id.
pub(super) fn not_found(kind: FieldName, id: impl Display) -> ApiError {
    OfficeError::NotFound { field: kind, value: id.to_string() }.into()
}

/// The answer that shows what was made, with where it is found from now on.
pub(super) fn render_created(
    call: &Request,
    resource: &str,
    id: impl Display,
    mut answer: HttpResponse,
) -> Result<HttpResponse, ApiError> {
    let location = HeaderValue::from_str(&format!("{}/{resource}/{id}", call.head().prefix()));
    let location = location.map_err(|_| ApiError::Fault("a location cannot be written".to_owned()))?;
    answer.headers_mut().insert(LOCATION, location);
    Ok(answer)
}
