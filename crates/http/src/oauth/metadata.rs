//! Authorization server metadata (RFC 8414), at the root of the server whatever the mount's prefix.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, VARY};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{client, introspect, revoke};
use crate::call::Call;
use crate::failure::{Failure, Protocol};
use crate::openapi::Entry;
use crate::operations::JWKS;
use crate::route::Route;

/// Where the metadata is (RFC 8414, 3).
pub(crate) const PATH: &str = "/.well-known/oauth-authorization-server";

/// The same for an issuer with a path, which comes after it (RFC 8414, 3.1).
const PATH_OF_ISSUER: &str = "/.well-known/oauth-authorization-server/{issuer:.*}";

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
    [PATH, PATH_OF_ISSUER]
        .into_iter()
        .map(|path| {
            let prefix = Arc::clone(&prefix);
            let route = Route::open(Method::GET, path, move |call| std::future::ready(metadata(&call, &prefix)));
            // the other is the same for clients that put an issuer's path there
            if path == PATH { route.told(entry) } else { route }
        })
        .collect()
}

fn entry() -> Entry {
    Entry::of("server", "Where OAuth's clients find what (RFC 8414)").answers::<Metadata<'_>>(
        200,
        "The metadata.",
        json!({
            "issuer": "https://tills.example.com",
            "jwks_uri": "https://tills.example.com/.well-known/jwks.json",
            "response_types_supported": [],
            "grant_types_supported": [],
            "introspection_endpoint": "https://tills.example.com/oauth/introspect",
            "introspection_endpoint_auth_methods_supported": client::METHODS,
            "revocation_endpoint": "https://tills.example.com/oauth/revoke",
            "revocation_endpoint_auth_methods_supported": client::METHODS,
        }),
    )
}

fn metadata(call: &Call, prefix: &str) -> Result<HttpResponse, Failure> {
    let head = call.head();
    let issuer = call.engine().issuer();
    let asked = head.segment("issuer");
    if !asked.is_empty() && path(issuer) != asked {
        return Err(Protocol::NoRoute.into());
    }
    // an issuer that is no address says nothing of where the server is: it is where the client found it
    let named = origin(issuer);
    // what names a host by the request is this client's alone: in a shared cache, whoever asked first would choose it for everybody
    let cache = if named.is_some() { "public, max-age=300" } else { "no-store" };
    let origin = named.map_or_else(|| format!("{}://{}", head.scheme(), head.host()), str::to_owned);
    let metadata = Metadata {
        issuer,
        jwks_uri: format!("{origin}{JWKS}"),
        response_types_supported: [],
        grant_types_supported: [],
        introspection_endpoint: format!("{origin}{prefix}{}", introspect::PATH),
        introspection_endpoint_auth_methods_supported: client::METHODS,
        revocation_endpoint: format!("{origin}{prefix}{}", revoke::PATH),
        revocation_endpoint_auth_methods_supported: client::METHODS,
    };
    let mut answer = HttpResponse::Ok();
    Ok(answer.insert_header((CACHE_CONTROL, cache)).insert_header((VARY, "Host")).json(metadata))
}

/// Scheme and authority of an issuer that is an address.
fn origin(issuer: &str) -> Option<&str> {
    let (scheme, rest) = issuer.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http"))?;
    let authority = rest.find('/').unwrap_or(rest.len());
    issuer.get(..scheme.len() + 3 + authority)
}

/// The path of an issuer that is an address, without the slashes around it; empty where it has none.
fn path(issuer: &str) -> &str {
    let origin = origin(issuer).map_or(issuer.len(), str::len);
    issuer.get(origin..).unwrap_or_default().trim_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_that_is_an_address_has_an_origin_and_perhaps_a_path() {
        for (issuer, expected, path_of) in [
            ("https://auth.example", Some("https://auth.example"), ""),
            ("https://auth.example:8443/", Some("https://auth.example:8443"), ""),
            ("https://example.com/till/one", Some("https://example.com"), "till/one"),
            ("http://127.0.0.1:8080/x/", Some("http://127.0.0.1:8080"), "x"),
            ("urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057", None, ""),
            ("ftp://example.com/x", None, ""),
        ] {
            assert_eq!((origin(issuer), path(issuer)), (expected, path_of), "{issuer}");
        }
    }
}
