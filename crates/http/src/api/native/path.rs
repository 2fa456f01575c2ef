//! Ids in paths: reading them from a request, and writing them to `Location`.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LOCATION};
use tillgate_domain::office::{FieldName, OfficeError};

use crate::error::ApiError;
use crate::request::Request;

/// Reads the id in the path. A malformed id is answered like an unknown one.
pub(super) fn read_id<I: FromStr>(call: &Request, kind: FieldName) -> Result<I, ApiError> {
    let sent = call.head().path_parameter("id");
    sent.parse().map_err(|_| not_found(kind, sent))
}

/// No resource of this kind has this id.
pub(super) fn not_found(kind: FieldName, id: impl Display) -> ApiError {
    OfficeError::NotFound { field: kind, value: id.to_string() }.into()
}

/// Adds the location of the new resource to the response.
pub(super) fn render_created(
    call: &Request,
    resource: &str,
    id: impl Display,
    mut response: HttpResponse,
) -> Result<HttpResponse, ApiError> {
    let location = HeaderValue::from_str(&format!("{}/{resource}/{id}", call.head().prefix()));
    let location = location.map_err(|_| ApiError::Fault("a location cannot be written".to_owned()))?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}
