//! The OpenAPI document of what the server itself serves, and the page that shows it: made of the routes' own entries, so that what
//! is not served cannot stand in it.
//!
//! The dialects are not in it: their contracts are published elsewhere.

mod docs;
mod operation;
mod problem;
mod schema;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use actix_web::web::Bytes;
use utoipa::openapi::path::{HttpMethod, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, License, OpenApiBuilder, Paths};

pub(crate) use docs::{DOCS_PATH, DOCUMENT_PATH, routes};
pub(crate) use operation::{OperationDoc, Requirement};
pub(crate) use schema::{bool_schema, enum_schema, id_schema, instant_schema, order_schema, text_schema};

use crate::route::{Handler, Route};

/// What the document says before its calls.
const DOCUMENT_DESCRIPTION: &str = "tillgate authenticates points of sale: a till logs in under its device name, a cashier works on it with the rights that \
     they have there, and the back office sees every session and ends any of them.\n\n\
     **Tokens.** `POST sessions` answers an access token and a refresh token. The access token goes into `Authorization: Bearer`. A client \
     that stores an answer before it uses any of it is never logged out by a lost answer, a crash, a retry or a second thread.\n\n\
     **401.** A 401 to a call: refresh once, and repeat the call with the new token. Only a 401 to `POST sessions/refresh` ends the session: \
     throw both tokens away and log in again. The problem's `code` tells them apart (`token_expired`, `session_over`). A 401 is never a guess: \
     what the server cannot decide now is 503 with `Retry-After`, after which the same request is sent again with the same tokens.\n\n\
     **Lists** take `limit` (200 at most) and `after`, and answer `{items, next}`: `next` is the `after` of the following page, null on \
     the last: an opaque cursor of this list in this order, which holds its place whatever changes meanwhile. A parameter that a list does not know, or that comes twice, is refused. So is a member that a body does not know; only \
     a login and a refresh pass over it.\n\n\
     **Versions.** What can be changed has an `ETag`. A change is a JSON merge patch (RFC 7396) and names in `If-Match` the version that it \
     was made for: 428 without one, 412 where it has moved on. Of several tags any may be the current one, and a weak tag counts as \
     the strong one.\n\n\
     **Problems** are `application/problem+json` (RFC 9457) with a stable `code`, the `trace_id` that the server's log bears too, and every \
     fault of a body at once in `errors`, each with a JSON pointer.";

/// What the document says of its tokens.
const BEARER_DESCRIPTION: &str = "The `access_token` that `POST sessions` answered, without the word Bearer.";

/// The groups of calls in the order in which the page shows them: first what a till needs, last what is about the server itself.
const TAGS: [&str; 12] = [
    "sessions", "tickets", "users", "devices", "roles", "stores", "tenants", "api-keys", "audit", "oauth", "gateways",
    "server",
];

/// A call with what the document says of it.
struct DocumentedCall {
    method: HttpMethod,
    path: String,
    public: bool,
    documentation: fn() -> OperationDoc,
}

/// The document, written when it is first asked for.
pub(crate) struct Document {
    calls: Vec<DocumentedCall>,
    text: OnceLock<Bytes>,
}

impl Document {
    /// The document of these routes, each list below its prefix.
    pub(crate) fn from_routes<'r>(routes: impl IntoIterator<Item = (&'r str, Vec<Route>)>) -> Self {
        let described = |prefix: &str, route: &Route| {
            Some(DocumentedCall {
                method: parse_method(route.method.as_str())?,
                path: format!("{prefix}{}", route.path),
                public: matches!(route.handler, Handler::Public(_)),
                documentation: route.documentation?,
            })
        };
        let calls = routes
            .into_iter()
            .flat_map(|(prefix, routes)| routes.iter().filter_map(|route| described(prefix, route)).collect::<Vec<_>>())
            .collect();
        Self { calls, text: OnceLock::new() }
    }

    /// The document in JSON.
    pub(crate) fn json(&self) -> Bytes {
        self.text.get_or_init(|| Bytes::from(self.write_json())).clone()
    }

    fn write_json(&self) -> String {
        let mut components = ComponentsBuilder::new().security_scheme(
            "bearer",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .bearer_format("JWT")
                    .description(Some(BEARER_DESCRIPTION))
                    .build(),
            ),
        );
        let mut items: BTreeMap<&str, PathItem> = BTreeMap::new();
        for call in &self.calls {
            let entry = (call.documentation)();
            components = components.schemas_from_iter(entry.schemas());
            let operation = entry.build(&call.method, &call.path, call.public);
            let item = PathItem::new(call.method.clone(), operation);
            match items.get_mut(call.path.as_str()) {
                Some(together) => together.merge_operations(item),
                None => drop(items.insert(&call.path, item)),
            }
        }
        let mut paths = Paths::new();
        paths.paths.extend(items.into_iter().map(|(path, item)| (path.to_owned(), item)));
        let info = InfoBuilder::new()
            .title("tillgate")
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some(DOCUMENT_DESCRIPTION))
            .license(Some(License::new("MIT OR Apache-2.0")));
        let tags = TAGS.map(|name| TagBuilder::new().name(name).build());
        let document =
            OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).tags(Some(tags)).build();
        // a tree of texts, lists and maps always can be written
        document.to_json().unwrap_or_default()
    }
}

fn parse_method(name: &str) -> Option<HttpMethod> {
    Some(match name {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => return None,
    })
}
