//! No response to the browser has a token: the calls of the native API that return one are not in
//! the mount of the back office, or have a handler of its own there.

use std::collections::BTreeSet;

use actix_web::http::Method;
use serde_json::Value;

use crate::office_browser::server;
use crate::test_server::build_request;

/// The calls with a handler of the back office, whose responses have no token.
const REPLACED: [(&str, &str); 1] = [("POST", "/sessions/current/step-up")];

/// A call whose response has the token of an invitation, which the caller hands on: it opens no
/// API.
const HANDED_ON: (&str, &str) = ("POST", "/users/{id}/invitations");

/// Whether a schema has a member with a token, itself or in a schema to which it refers.
fn has_token(document: &Value, schema: &Value, seen: &mut BTreeSet<String>) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(name, value)| match name.as_str() {
            "$ref" => {
                let name = value.as_str().unwrap().rsplit('/').next().unwrap();
                seen.insert(name.to_owned()) && has_token(document, &document["components"]["schemas"][name], seen)
            }
            "properties" => {
                let mut properties = value.as_object().unwrap().iter();
                properties.any(|(name, schema)| name.ends_with("token") || has_token(document, schema, seen))
            }
            "example" | "examples" => false,
            _ => has_token(document, value, seen),
        }),
        Value::Array(items) => items.iter().any(|item| has_token(document, item, seen)),
        _ => false,
    }
}

/// The calls of the native API with a token in a successful response, by the OpenAPI document.
fn returning_calls(document: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(path) = path.strip_prefix("/api/v1") else { continue };
        for (method, operation) in operations.as_object().unwrap() {
            let responses = operation["responses"].as_object().into_iter().flatten();
            let mut successful = responses.filter(|(status, _)| status.starts_with('2'));
            if successful.any(|(_, response)| has_token(document, &response["content"], &mut BTreeSet::new())) {
                found.insert((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    found
}

#[actix_web::test]
async fn native_calls_that_return_tokens_are_absent_or_replaced_in_the_browser() {
    let shop = server();
    let document = shop.send(build_request(Method::GET, "/openapi.json")).await.json();
    let mut returning = returning_calls(&document);
    let call = |(method, path): (&str, &str)| (method.to_owned(), path.to_owned());
    for known in [("POST", "/sessions"), ("POST", "/sessions/refresh")].into_iter().chain(REPLACED) {
        assert!(returning.contains(&call(known)), "{known:?} is not found: {returning:?}");
    }
    for replaced in REPLACED {
        returning.remove(&call(replaced));
    }
    assert!(returning.remove(&call(HANDED_ON)), "{returning:?}");
    let routes = shop.http.routes().into_iter().filter(|route| route.mount == "office");
    let served: BTreeSet<(String, String)> = routes
        .filter_map(|route| Some((route.method, route.path.strip_prefix("/office/api/v1")?.to_owned())))
        .collect();
    assert!(served.len() > 50, "{served:?}");
    let exposed: Vec<_> = returning.intersection(&served).collect();
    assert!(exposed.is_empty(), "leave them out of the mount, or response without tokens: {exposed:?}");
}
