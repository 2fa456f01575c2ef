//! The OpenAPI document of the server's own API, and the page that shows it. The document is
//! generated from the routes, so it contains exactly what is served.
//!
//! A native route carries its documentation ([`Route::documented`]) beside its handler: `users.rs`
//! has the table and the handlers, and `users/{request,response,openapi}.rs` the request bodies,
//! the response bodies and the documentation. Values that several members share (decimals,
//! enumerations) have named schemas in `schemas.rs` of the native API, because a member's own
//! description is lost if a function writes its schema. Responses that follow from the kind of
//! operation (401, 422, 412 and so on) are added once, in [`OperationDoc::build`].
//!
//! The dialects are not part of the document: their contracts are published elsewhere.

mod operation;
mod problem;
mod schema;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use actix_web::web::Bytes;
use utoipa::openapi::path::{HttpMethod, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, License, OpenApiBuilder, Paths};

use crate::serving::requirement::Requirement;

pub(crate) use operation::OperationDoc;
use operation::{BEARER_SCHEME, DPOP_SCHEME};
pub(crate) use schema::{bool_schema, enum_schema, id_schema, instant_schema, order_schema, text_schema};

/// The introduction of the document.
const DOCUMENT_DESCRIPTION: &str = "tillgate authenticates points of sale: a till logs in under its device name, a cashier works \
     on it with the rights that they have there, and the back office can list and end every session.\n\n\
     **Tokens.** `POST sessions` returns an access token and a refresh token. Send the access token in `Authorization: Bearer`. \
     A session that is bound to a key is used with `Authorization: DPoP` and proofs instead: \
     a response to a request with a proof has the nonce for the next proof in the header `DPoP-Nonce`. If a proof is answered with \
     `use_dpop_nonce`, repeat the request with a proof that has this nonce. \
     A client that stores a response before it uses any part of it is never logged out by a lost response, a crash, a retry or a \
     second thread.\n\n\
     **401.** If a request with an access token is answered with 401, refresh once and repeat the request with the new token, \
     unless the `code` is about the proof (`use_dpop_nonce`, `proof_missing`, `proof_invalid`): then repeat it with a new proof. \
     After a 401 to a login, prompt for the password again. Only a 401 to \
     `POST sessions/refresh` means that the session ended: discard both tokens and log in again. The `code` of the problem \
     distinguishes the cases (`token_expired`, `session_over`). A 401 is always a decision: if the server cannot decide, it returns \
     503 with `Retry-After`; then repeat the same request with the same tokens.\n\n\
     **Lists** accept `limit` (at most 200) and `after`, and return `{items, next}`. `next` is the `after` of the next page, and null \
     on the last page. It is an opaque cursor of this list in this order, and keeps its position if items are added or removed. \
     If you read all pages, no item is missed. In an order whose key can change (`user_name`, `updated_at`, `payable`, \
     `last_used_at`), the pages end with the items that have changed since the first page, so an item may appear again: \
     replace the earlier one by its `id`. \
     Unknown and repeated query parameters are rejected. Unknown members of a body are rejected too, except in a login and a \
     refresh, which ignore them.\n\n\
     **Versions.** A resource that can be changed has an `ETag`. A change is a JSON merge patch (RFC 7396) with the version that \
     you read in `If-Match`: 428 without one, 412 if the resource has a newer version. If you send several tags, one of them must be \
     the current one. A weak tag is equivalent to the strong one.\n\n\
     **Problems** are `application/problem+json` (RFC 9457) with a stable `code`, the `trace_id` that is also in the server's log, \
     and in `errors` all errors of a body at once, each with a JSON pointer.";

/// Description of the DPoP scheme.
const DPOP_DESCRIPTION: &str = "The `access_token` of a session that is bound to a key, after the word DPoP (RFC 9449). \
     Each request also needs a new proof of the key in the header `DPoP`, with the `nonce` of the last `DPoP-Nonce`.";

/// Description of the bearer scheme.
const BEARER_DESCRIPTION: &str = "The `access_token` returned by `POST sessions`, without the word Bearer.";

/// The groups of operations in the order in which the page shows them: what a till needs first,
/// what concerns the server itself last.
const TAGS: [&str; 13] = [
    "sessions", "tickets", "users", "devices", "roles", "stores", "tenants", "api-keys", "audit", "events", "oauth",
    "gateways", "server",
];

/// A call with its documentation.
pub(crate) struct DocumentedCall {
    pub(crate) method: HttpMethod,
    /// The whole path, the prefix of the mount included.
    pub(crate) path: String,
    /// What a caller must have; `None` if the call requires no authentication.
    pub(crate) requirement: Option<Requirement>,
    pub(crate) documentation: fn() -> OperationDoc,
}

/// The document, rendered on its first request.
pub(crate) struct Document {
    calls: Vec<DocumentedCall>,
    text: OnceLock<Bytes>,
}

impl Document {
    /// The document of these calls.
    pub(crate) fn from_calls(calls: impl IntoIterator<Item = DocumentedCall>) -> Self {
        Self { calls: calls.into_iter().collect(), text: OnceLock::new() }
    }

    /// The document as JSON.
    pub(crate) fn json(&self) -> Bytes {
        self.text.get_or_init(|| Bytes::from(self.write_json())).clone()
    }

    fn write_json(&self) -> String {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(BEARER_DESCRIPTION))
            .build();
        // `HttpAuthScheme` does not have it
        let dpop = ApiKeyValue::with_description("Authorization", DPOP_DESCRIPTION);
        let mut components = ComponentsBuilder::new()
            .security_scheme(BEARER_SCHEME, SecurityScheme::Http(bearer))
            .security_scheme(DPOP_SCHEME, SecurityScheme::ApiKey(ApiKey::Header(dpop)));
        let mut items: BTreeMap<&str, PathItem> = BTreeMap::new();
        for call in &self.calls {
            let entry = (call.documentation)();
            components = components.schemas_from_iter(entry.schemas());
            let operation = entry.build(&call.method, &call.path, call.requirement);
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
        // a tree of strings, lists and maps can always be serialized
        document.to_json().unwrap_or_default()
    }
}
