//! Authorization server metadata (RFC 8414), at the root of the server whatever the mount's prefix.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, VARY};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{auth, introspect, revoke};
use crate::error::{ApiError, ProtocolError};
use crate::openapi::OperationDoc;
use crate::operations::JWKS_PATH;
use crate::request::Request;
use crate::route::Route;

/// Where the metadata is (RFC 8414, 3).
pub(crate) const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";

/// The same for an issuer with a path, which comes after it (RFC 8414, 3.1).
const ISSUER_METADATA_PATH: &str = "/.well-known/oauth-authorization-server/{issuer:.*}";

/// The metadata (RFC 8414, 2). There is neither an authorization endpoint nor a token endpoint, so no response type and no grant
/// type; left out, the latter would stand for two (RFC 8414, 2).
#[derive(Serialize, ToSchema)]
struct Metadata<'m> {
    /// The `iss` of access tokens.
    issuer: &'m str,
    /// Where the public keys are.
    jwks_uri: String,
    /// None: nobody logs in by OAuth.
    #[schema(value_type = Vec<String>)]
    response_types_supported: [&'static str; 0],
    /// None: nobody logs in by OAuth.
    #[schema(value_type = Vec<String>)]
    grant_types_supported: [&'static str; 0],
    /// Where tokens are asked about (RFC 7662).
    introspection_endpoint: String,
    /// How a program proves itself there.
    #[schema(value_type = Vec<String>)]
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    /// Where tokens are revoked (RFC 7009).
    revocation_endpoint: String,
    /// How a program proves itself there.
    #[schema(value_type = Vec<String>)]
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
}

/// The routes of the metadata of a mount at this prefix.
pub(crate) fn routes(prefix: &str) -> Vec<Route> {
    let prefix: Arc<str> = prefix.into();
    [METADATA_PATH, ISSUER_METADATA_PATH]
        .into_iter()
        .map(|path| {
            let prefix = Arc::clone(&prefix);
            let route = Route::public(Method::GET, path, move |call| std::future::ready(get_metadata(&call, &prefix)));
            // the other is the same for clients that put an issuer's path there
            if path == METADATA_PATH { route.documented(document_metadata) } else { route }
        })
        .collect()
}

fn document_metadata() -> OperationDoc {
    OperationDoc::new("server", "Where OAuth's clients find what (RFC 8414)").response::<Metadata<'_>>(
        200,
        "The metadata.",
        json!({
            "issuer": "https://tills.example.com",
            "jwks_uri": "https://tills.example.com/.well-known/jwks.json",
            "response_types_supported": [],
            "grant_types_supported": [],
            "introspection_endpoint": "https://tills.example.com/oauth/introspect",
            "introspection_endpoint_auth_methods_supported": auth::CLIENT_AUTH_METHODS,
            "revocation_endpoint": "https://tills.example.com/oauth/revoke",
            "revocation_endpoint_auth_methods_supported": auth::CLIENT_AUTH_METHODS,
        }),
    )
}

fn get_metadata(call: &Request, prefix: &str) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    let issuer = call.auth().issuer();
    let asked = head.path_parameter("issuer");
    if !asked.is_empty() && issuer_path(issuer) != asked {
        return Err(ProtocolError::RouteNotFound.into());
    }
    // an issuer that is no address says nothing of where the server is: it is where the client found it
    let named = issuer_origin(issuer);
    // what names a host by the request is this client's alone: in a shared cache, whoever asked first would choose it for everybody
    let cache = if named.is_some() { "public, max-age=300" } else { "no-store" };
    let origin = named.map_or_else(|| format!("{}://{}", head.scheme(), head.host()), str::to_owned);
    let metadata = Metadata {
        issuer,
        jwks_uri: format!("{origin}{JWKS_PATH}"),
        response_types_supported: [],
        grant_types_supported: [],
        introspection_endpoint: format!("{origin}{prefix}{}", introspect::INTROSPECT_PATH),
        introspection_endpoint_auth_methods_supported: auth::CLIENT_AUTH_METHODS,
        revocation_endpoint: format!("{origin}{prefix}{}", revoke::REVOKE_PATH),
        revocation_endpoint_auth_methods_supported: auth::CLIENT_AUTH_METHODS,
    };
    let mut answer = HttpResponse::Ok();
    Ok(answer.insert_header((CACHE_CONTROL, cache)).insert_header((VARY, "Host")).json(metadata))
}

/// Scheme and authority of an issuer that is an address.
fn issuer_origin(issuer: &str) -> Option<&str> {
    let (scheme, rest) = issuer.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http"))?;
    let authority = rest.find('/').unwrap_or(rest.len());
    issuer.get(..scheme.len() + 3 + authority)
}

/// The path of an issuer that is an address, without the slashes around it; empty where it has none.
fn issuer_path(issuer: &str) -> &str {
    let origin = issuer_origin(issuer).map_or(issuer.len(), str::len);
    issuer.get(origin..).unwrap_or_default().trim_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_url_splits_into_origin_and_path() {
        for (issuer, expected, path_of) in [
            ("https://auth.example", Some("https://auth.example"), ""),
            ("https://auth.example:8443/", Some("https://auth.example:8443"), ""),
            ("https://example.com/till/one", Some("https://example.com"), "till/one"),
            ("http://127.0.0.1:8080/x/", Some("http://127.0.0.1:8080"), "x"),
            ("urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057", None, ""),
            ("ftp://example.com/x", None, ""),
        ] {
            assert_eq!((issuer_origin(issuer), issuer_path(issuer)), (expected, path_of), "{issuer}");
        }
    }
}
