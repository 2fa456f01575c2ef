//! What the document says of answers that refuse: one schema for all of them, and a sentence for each status.

use serde_json::json;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

use super::schema::text_schema;

/// The name of the schema of everything that goes wrong.
pub(super) const PROBLEM_SCHEMA: &str = "Problem";

/// What the document says of the answer with this status that refuses.
pub(super) fn error_response(status: u16) -> ResponseBuilder {
    let about = match status {
        400 => "The request cannot be read: its body, or a header that it needs.",
        401 => "Not logged in, or no longer: throw the token away. At a login, the wrong name or password.",
        403 => {
            "Who calls may not: `right` names the right that is missing, where it is one. At a login, the password must be changed first."
        }
        404 => "There is nothing of this id, or it is another tenant's.",
        408 => "The body did not come in time.",
        409 => "It cannot be as things stand; the detail says why and what to do.",
        412 => "Somebody has changed it meanwhile: read it again.",
        413 => "The body is too large.",
        415 => "The body is of a type that is not taken.",
        422 => "Fields or parameters cannot be: all of them are in `errors`.",
        428 => "`If-Match` is missing.",
        429 => "Too many attempts; `Retry-After` says when to come again.",
        503 => "Not now, and nobody was judged; `Retry-After` says when to come again.",
        _ => "Something is broken on the server's side.",
    };
    let content =
        ContentBuilder::new().schema(Some(RefOr::<Schema>::Ref(Ref::from_schema_name(PROBLEM_SCHEMA)))).build();
    let answer = ResponseBuilder::new().description(about).content("application/problem+json", content);
    match status {
        401 => answer.header("WWW-Authenticate", response_header("What proves a caller (RFC 6750).")),
        429 | 503 => answer.header("Retry-After", response_header("In how many seconds.")),
        _ => answer,
    }
}

/// What the document says of a header of an answer.
pub(super) fn response_header(about: &str) -> Header {
    HeaderBuilder::new().schema(Some(text_schema())).description(Some(about)).build()
}

/// The schema of a problem (RFC 9457).
pub(super) fn problem_schema() -> RefOr<Schema> {
    let about = |about: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(about));
    let fault = ObjectBuilder::new()
        .property("pointer", about("Where in the body (RFC 6901)."))
        .property("parameter", about("Which parameter of the query."))
        .property("code", about("A stable word for it, for programs."))
        .property("detail", about("What it must be, for people."))
        .required("code")
        .required("detail");
    let whole = |about: &str| ObjectBuilder::new().schema_type(Type::Integer).description(Some(about));
    ObjectBuilder::new()
        .description(Some("What went wrong (RFC 9457)."))
        .property("type", about("Always `about:blank`: the status and `code` say what it is."))
        .property("title", about("The phrase of the status."))
        .property("status", whole("The status."))
        .property("detail", about("What happened and what to do, for people."))
        .property("instance", about("The path."))
        .property("code", about("A stable word for it, for programs."))
        .property("trace_id", about("Finds the request in the server's log."))
        .property("right", about("The right that is missing."))
        .property("version", whole("The version that there is now."))
        .property("errors", ArrayBuilder::new().items(fault).description(Some("Every fault of the body or the query.")))
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
            "detail": "Some of what was sent cannot be; see errors.",
            "instance": "/api/v1/users",
            "code": "fields_invalid",
            "trace_id": "0192f0c1a2b3c4d5",
            "errors": [{ "pointer": "/user_name", "code": "required", "detail": "is required" }],
        })])
        .into()
}
