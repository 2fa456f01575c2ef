//! OpenAPI documentation of error responses: one schema for all, and a text for each status.

use serde_json::json;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

use super::schema::text_schema;
use crate::error::{FieldErrorCode, ViolatedRule};

/// Description of the header with the nonce.
const NONCE_DESCRIPTION: &str = "The `nonce` for the next proofs in `DPoP` (RFC 9449, section 8). Every response to a request with a \
     proof has it, and every error because of a proof.";

/// Name of the schema of all errors.
pub(super) const PROBLEM_SCHEMA: &str = "Problem";

/// What an error status means unless the operation documents something else. A 401 is one to a call
/// with an access token.
pub(super) const fn describe_status(status: u16) -> &'static str {
    match status {
        400 => "The request cannot be read: its body or a required header is invalid.",
        401 => {
            "The access token is missing, invalid or expired, or its session has ended: refresh once, and repeat the \
             request with the new token. If `code` is `use_dpop_nonce`, `proof_missing` or `proof_invalid`, the token \
             is still valid: repeat the request with a valid proof."
        }
        403 => "The caller may not do this: `right` is the missing right, if the reason is a right.",
        404 => "The resource does not exist, or belongs to another tenant.",
        408 => "The body was not received in time.",
        409 => "The request conflicts with the current state; `detail` has the reason and what to do.",
        412 => "The resource has been changed in the meantime: read it again.",
        413 => "The body is too large.",
        415 => "The media type of the body is not supported.",
        422 => "Fields or parameters are invalid; `errors` lists all of them.",
        428 => "`If-Match` is missing.",
        429 => "Too many attempts; retry after `Retry-After`.",
        503 => "Temporarily unavailable, and no decision was made; retry after `Retry-After`.",
        _ => "Internal server error.",
    }
}

/// The documentation of an error response with this status.
pub(super) fn error_response(status: u16, about: &str) -> ResponseBuilder {
    let content =
        ContentBuilder::new().schema(Some(RefOr::<Schema>::Ref(Ref::from_schema_name(PROBLEM_SCHEMA)))).build();
    let response = ResponseBuilder::new().description(about).content("application/problem+json", content);
    match status {
        401 => response
            .header("WWW-Authenticate", response_header("The authentication scheme (RFC 6750, RFC 9449)."))
            .header("DPoP-Nonce", response_header(NONCE_DESCRIPTION)),
        429 | 503 => response.header("Retry-After", response_header("Seconds until a retry makes sense.")),
        _ => response,
    }
}

/// The documentation of a response header.
pub(super) fn response_header(about: &str) -> Header {
    HeaderBuilder::new().schema(Some(text_schema())).description(Some(about)).build()
}

/// The schema of a problem (RFC 9457).
pub(super) fn problem_schema() -> RefOr<Schema> {
    let about = |about: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(about));
    let integer = |about: &str| ObjectBuilder::new().schema_type(Type::Integer).description(Some(about));
    let codes = FieldErrorCode::ALL.iter().map(|code| code.name());
    let violation = ObjectBuilder::new()
        .property("pointer", about("Position in the body as a JSON pointer (RFC 6901)."))
        .property("parameter", about("Name of the query parameter."))
        .property("code", about("Stable code of the error, for programs.").enum_values(Some(codes)))
        .property("detail", about("What the value must be, for people."))
        .property(
            "rule",
            about("The violated rule, more specific than the code, if it has a name.")
                .enum_values(Some(ViolatedRule::NAMES)),
        )
        .property("min", integer("The least value of the rule: a number of characters or seconds."))
        .property("max", integer("The largest value of the rule: a number of characters, levels or seconds."))
        .property("contrast", about("The contrast of a color that is too light, as a decimal; texts require 4.5."))
        .required("code")
        .required("detail");
    ObjectBuilder::new()
        .description(Some("An error (RFC 9457)."))
        .property("type", about("Always `about:blank`: `status` and `code` identify the error."))
        .property("title", about("Reason phrase of the status."))
        .property("status", integer("HTTP status code."))
        .property("detail", about("What is wrong and what to do, for people."))
        .property("instance", about("Path of the request."))
        .property("code", about("Stable code of the error, for programs."))
        .property("trace_id", about("Identifies the request in the server's log."))
        .property("right", about("The missing right."))
        .property("version", integer("The current version of the resource."))
        .property("max_age", integer("The largest age of a proof of identity that this act accepts, in seconds."))
        .property(
            "check",
            about("The check of the proof in `DPoP` that has failed: a claim or header parameter of it."),
        )
        .property("expected", about("The value that the claim of the proof must have."))
        .property("received", about("The value that the claim of the proof has."))
        .property(
            "errors",
            ArrayBuilder::new().items(violation).description(Some(
                "All errors of the body and the \
             query.",
            )),
        )
        .required("type")
        .required("title")
        .required("status")
        .required("detail")
        .required("instance")
        .required("code")
        .required("trace_id")
        .examples([json!({
            "type": "about:blank",
            "title": "Unprocessable Entity",
            "status": 422,
            "detail": "The request is invalid; see `errors`.",
            "instance": "/api/v1/users",
            "code": "fields_invalid",
            "trace_id": "0192f0c1a2b3c4d5",
            "errors": [{ "pointer": "/user_name", "code": "required", "detail": "is required" }],
        })])
        .into()
}
