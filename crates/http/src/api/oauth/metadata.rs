//! Authorization server metadata (RFC 8414), served at the root of the server regardless of the
//! mount's prefix.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, VARY};
use serde::Serialize;
use serde_json::json;
use tillgate_auth_core::dpop::PROOF_ALGORITHMS;
use utoipa::ToSchema;

use super::{auth, paths};
use crate::error::{ApiError, ProtocolError};
use crate::openapi::OperationDoc;
use crate::request::Request;
use crate::reserved_paths::{JWKS_PATH, METADATA_PATH};
use crate::serving::route::Route;

/// Path of the metadata of an issuer with a path, which follows the well-known path (RFC 8414,
/// 3.1).
const ISSUER_METADATA_PATH: &str = "/.well-known/oauth-authorization-server/{issuer:.*}";

/// The metadata (RFC 8414, 2). There is neither an authorization endpoint nor a token endpoint, so
/// the lists of response types and grant types are empty. If grant types were omitted, clients
/// would assume two of them (RFC 8414, 2).
#[derive(Serialize, ToSchema)]
struct Metadata<'m> {
    /// The `iss` of access tokens.
    issuer: &'m str,
    /// Location of the public keys (JWK set).
    jwks_uri: String,
    /// Empty: there is no authorization endpoint.
    #[schema(value_type = Vec<String>)]
    response_types_supported: [&'static str; 0],
    /// Empty: there is no token endpoint.
    #[schema(value_type = Vec<String>)]
    grant_types_supported: [&'static str; 0],
    /// Endpoint of token introspection (RFC 7662).
    introspection_endpoint: String,
    /// Authentication methods of the introspection endpoint.
    #[schema(value_type = Vec<String>)]
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    /// Endpoint of token revocation (RFC 7009).
    revocation_endpoint: String,
    /// Authentication methods of the revocation endpoint.
    #[schema(value_type = Vec<String>)]
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    /// Algorithms of the proofs for sessions that are bound to a key (RFC 9449).
    #[schema(value_type = Vec<String>)]
    dpop_signing_alg_values_supported: [&'static str; 2],
}

/// The metadata routes of a mount with this prefix.
pub(crate) fn routes(prefix: &str) -> Vec<Route> {
    let prefix: Arc<str> = prefix.into();
    [METADATA_PATH, ISSUER_METADATA_PATH]
        .into_iter()
        .map(|path| {
            let prefix = Arc::clone(&prefix);
            let route = Route::public(Method::GET, path, move |call| std::future::ready(get_metadata(&call, &prefix)));
            // the other path serves the same to clients that append the issuer's path
            if path == METADATA_PATH { route.documented(document_metadata) } else { route }
        })
        .collect()
}

fn document_metadata() -> OperationDoc {
    OperationDoc::new("server", "Get the OAuth authorization server metadata (RFC 8414)").response::<Metadata<'_>>(
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
            "dpop_signing_alg_values_supported": PROOF_ALGORITHMS,
        }),
    )
}

fn get_metadata(call: &Request, prefix: &str) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    let issuer = call.auth().issuer();
    let requested_issuer = head.path_parameter("issuer");
    if !requested_issuer.is_empty() && issuer_path(issuer) != requested_issuer {
        return Err(ProtocolError::RouteNotFound.into());
    }
    // an issuer that is not a URL says nothing about the location of the server: use the host of
    // the request
    let named = issuer_origin(issuer);
    // a response that depends on the `Host` header is for this client only; in a shared cache, one
    // client could choose it for all
    let cache = if named.is_some() { "public, max-age=300" } else { "no-store" };
    let origin = named.map_or_else(|| format!("{}://{}", head.scheme(), head.host()), str::to_owned);
    let metadata = Metadata {
        issuer,
        jwks_uri: format!("{origin}{JWKS_PATH}"),
        response_types_supported: [],
        grant_types_supported: [],
        introspection_endpoint: format!("{origin}{prefix}{}", paths::INTROSPECT_PATH),
        introspection_endpoint_auth_methods_supported: auth::CLIENT_AUTH_METHODS,
        revocation_endpoint: format!("{origin}{prefix}{}", paths::REVOKE_PATH),
        revocation_endpoint_auth_methods_supported: auth::CLIENT_AUTH_METHODS,
        dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
    };
    let mut response = HttpResponse::Ok();
    Ok(response.insert_header((CACHE_CONTROL, cache)).insert_header((VARY, "Host")).json(metadata))
}

/// Scheme and authority of an issuer that is a URL.
fn issuer_origin(issuer: &str) -> Option<&str> {
    let (scheme, rest) = issuer.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http"))?;
    let authority = rest.find('/').unwrap_or(rest.len());
    issuer.get(..scheme.len() + 3 + authority)
}

/// Path of an issuer that is a URL, without leading and trailing slashes; may be empty.
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
