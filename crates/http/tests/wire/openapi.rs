//! The OpenAPI document: it contains exactly the server's own routes, its examples match its
//! schemas, and a page shows it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::test_server::{TestServer, build_request};
use actix_web::http::Method;

pub async fn document(shop: &TestServer) -> Value {
    let response = shop.send(build_request(Method::GET, "/openapi.json")).await;
    assert_eq!((response.status.as_u16(), response.header("content-type")), (200, "application/json"));
    response.json()
}

/// Returns the documentation of an operation.
pub async fn description(shop: &TestServer, method: &str, path: &str) -> String {
    let operation = &document(shop).await["paths"][path][method.to_lowercase()];
    operation["description"].as_str().unwrap_or_default().to_owned()
}

/// Returns every operation with its method and path.
pub fn operations(document: &Value) -> impl Iterator<Item = (String, String, &Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(|(method, operation)| (method.to_uppercase(), path.clone(), operation))
    })
}

#[actix_web::test]
async fn document_and_routes_list_the_same_operations() {
    let shop = TestServer::start();
    let document = document(&shop).await;
    assert_eq!(document["openapi"], "3.1.0");
    let documented: BTreeSet<(String, String)> =
        operations(&document).map(|(method, path, _)| (method, path)).collect();
    let served: BTreeSet<(String, String)> = shop
        .http
        .routes()
        .into_iter()
        // the metadata path of an issuer with a path is not a template in OpenAPI, and the page's
        // files are not operations
        .filter(|route| matches!(route.mount, "native" | "server") && !route.path.ends_with("{issuer:.*}"))
        .filter(|route| !route.path.starts_with("/docs/"))
        .map(|route| (route.method, route.path))
        .collect();
    assert_eq!(documented, served);
    let ids: BTreeSet<&str> =
        operations(&document).map(|(.., operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), documented.len(), "operation ids are unique");
}

#[actix_web::test]
async fn every_operation_has_summary_tag_and_responses() {
    let shop = TestServer::start();
    let document = document(&shop).await;
    let open: BTreeSet<(String, String)> = shop
        .http
        .routes()
        .into_iter()
        .filter(|route| route.requirement.is_none())
        .map(|route| (route.method, route.path))
        .collect();
    let groups: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut used = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let call = format!("{method} {path}");
        used.extend(operation["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()));
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{call}");
        let bare = operation["security"].is_null();
        assert_eq!(bare, open.contains(&(method, path)), "{call}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with(['2', '3'])), "{call}");
        assert!(responses.contains_key("500") && responses.contains_key("503"), "{call}");
        assert!(bare || responses.contains_key("401"), "{call}");
        for (status, response) in responses {
            for (content_type, content) in response["content"].as_object().into_iter().flatten() {
                let shown = content_type != "application/json" || path_of_document(&call);
                assert!(shown || content.get("example").is_some(), "{call} {status} has no example");
            }
        }
        for content in operation["requestBody"]["content"].as_object().into_iter().flat_map(|content| content.values())
        {
            assert!(content.get("example").is_some(), "{call} has no example of its body");
        }
    }
    // a page shows groups that are not listed after all others
    assert!(used.is_subset(&groups), "{used:?} {groups:?}");
}

/// A 401 to a call means something else than one to a login or a refresh, and only the last ends
/// the session. Docs and document say the same.
#[actix_web::test]
async fn every_401_has_the_text_of_its_call() {
    let shop = TestServer::start();
    let document = document(&shop).await;
    let mut calls = 0;
    for (method, path, operation) in operations(&document) {
        let call = format!("{method} {path}");
        let about = |status: &str| operation["responses"][status]["description"].as_str().unwrap_or_default();
        let denied = about("401");
        let ends = denied.contains("discard");
        assert_eq!(ends, call == "POST /api/v1/sessions/refresh", "{call}: {denied}");
        match call.as_str() {
            "POST /api/v1/sessions" => assert!(denied.contains("the device is wrong"), "{denied}"),
            "POST /api/v1/sessions/refresh" => assert!(denied.contains("ended for good"), "{denied}"),
            "GET /api/v1/access" => assert!(denied.contains("The client refreshes once"), "{denied}"),
            _ if operation["security"].is_null() => assert_eq!(denied, "", "{call} authenticates nobody"),
            _ => {
                calls += 1;
                assert!(denied.contains("refresh once, and repeat the request"), "{call}: {denied}");
                assert!(!denied.contains("password") && !denied.contains("login"), "{call}: {denied}");
            }
        }
        if denied.contains("efresh") && !ends {
            // a proof that has failed invalidates no token
            for code in ["use_dpop_nonce", "proof_missing", "proof_invalid"] {
                assert!(denied.contains(code), "{call}: {denied}");
            }
        }
        let confirms = ["/current/password", "/current/pin", "/current/step-up"].iter().any(|end| path.ends_with(end))
            || call == "PATCH /api/v1/users/{id}";
        assert_eq!(about("403").contains("`password_wrong`"), confirms, "{call}: {}", about("403"));
        assert_eq!(about("403").contains("must be changed"), call == "POST /api/v1/sessions", "{call}");
    }
    assert!(calls > 60, "only {calls}");

    let introduction = document["info"]["description"].as_str().unwrap();
    assert!(introduction.contains("Only a 401 to `POST sessions/refresh` means that the session ended"));
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tills.md")).unwrap();
    assert!(page.contains("Discard tokens on a 401 to a refresh and on nothing else."));
    let row = |start: &str| page.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}"));
    assert!(row("| 401 to a refresh |").contains("discard both tokens"));
    let call = row("| 401 to a call |");
    for code in ["token_expired", "session_over", "token_invalid", "token_missing", "token_foreign"] {
        assert!(call.contains(&format!("`{code}`")), "{code}: {call}");
    }
    assert!(row("| 403 to a call with the user's password, `password_wrong` |").contains("keep your tokens"));
}

#[actix_web::test]
async fn call_without_a_token_is_told_how_to_send_one() {
    let shop = TestServer::start();
    let response = shop.send(build_request(Method::GET, "/api/v1/sessions/current")).await;
    assert_eq!((response.status.as_u16(), response.text_at("/code").as_str()), (401, "token_missing"));
    let expected = "The request has no token; send \"Authorization: Bearer <access token>\".";
    assert_eq!(response.text_at("/detail"), expected);
    assert_eq!(response.challenges(), ["Bearer realm=\"tillgate\""]);
}

fn path_of_document(call: &str) -> bool {
    call == "GET /openapi.json"
}

/// Returns the positions of schemas without a description.
fn find_undescribed(place: &str, schema: &Value) -> Vec<String> {
    let is_described = |each: &Value| each["description"].is_string();
    let members = schema["properties"].as_object().into_iter().flatten();
    members
        .flat_map(|(name, member)| {
            let place = format!("{place}/{name}");
            let choices = ["oneOf", "allOf", "anyOf"].into_iter().filter_map(|kind| member[kind].as_array()).flatten();
            let bare = !is_described(member) && !choices.into_iter().any(is_described);
            let within = find_undescribed(&place, member).into_iter().chain(find_undescribed(&place, &member["items"]));
            bare.then(|| place.clone()).into_iter().chain(within).collect::<Vec<_>>()
        })
        .collect()
}

#[actix_web::test]
async fn every_member_and_parameter_has_a_description() {
    let shop = TestServer::start();
    let document = document(&shop).await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let bare: Vec<String> = schemas.iter().flat_map(|(name, schema)| find_undescribed(name, schema)).collect();
    assert!(bare.is_empty() && schemas.len() > 20, "{bare:#?}");
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].as_str().is_some_and(|about| !about.is_empty()), "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn every_example_matches_its_schema() {
    let shop = TestServer::start();
    let document = document(&shop).await;
    let mut checked = 0;
    for (method, path, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap().values();
        for content in responses.chain([&operation["requestBody"]]).filter_map(|side| side["content"].as_object()) {
            for content in content.values().filter(|content| content.get("example").is_some()) {
                // references are resolved from the root of the compiled schema
                let mut schema = content["schema"].clone();
                schema.as_object_mut().unwrap().insert("components".to_owned(), document["components"].clone());
                let validator = jsonschema::draft202012::new(&schema).unwrap();
                let faults: Vec<String> =
                    validator.iter_errors(&content["example"]).map(|fault| fault.to_string()).collect();
                assert!(faults.is_empty(), "{method} {path}: {faults:?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 10, "only {checked}");
}

#[actix_web::test]
async fn groups_begin_with_sessions_and_authorize_says_what_to_enter() {
    let shop = TestServer::start();
    let document = document(&shop).await;
    let groups: Vec<&str> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!((groups.first(), groups.last()), (Some(&"sessions"), Some(&"server")), "{groups:?}");
    let bearer = &document["components"]["securitySchemes"]["bearer"]["description"];
    assert_eq!(bearer, "The `access_token` returned by `POST sessions`, without the word Bearer.");
    let initializer = shop.send(build_request(Method::GET, "/docs/swagger-initializer.js")).await;
    let initializer = String::from_utf8(initializer.bytes).unwrap().replace([' ', '\n'], "");
    assert!(initializer.contains("\"persistAuthorization\":true"), "a reload keeps the token: {initializer}");
    let login = &document["paths"]["/api/v1/sessions"]["post"]["requestBody"]["content"]["application/json"]["example"];
    let response = shop.post("/api/v1/sessions", login.clone()).await;
    assert_eq!(response.status, 401, "the password of the demo, not of this shop");
    assert_eq!((&login["login"], &login["password"]), (&"cashier".into(), &"open-the-shop".into()));
}

#[actix_web::test]
async fn docs_page_loads_its_own_files_only() {
    let shop = TestServer::start();
    let page = shop.send(build_request(Method::GET, "/docs")).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (308, "/docs/index.html"));
    let index = shop.send(build_request(Method::GET, "/docs/index.html")).await;
    assert_eq!((index.status.as_u16(), index.header("content-type")), (200, "text/html"));
    let html = String::from_utf8(index.bytes).unwrap();
    for file in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        assert!(html.contains(file), "{file}");
        let file = shop.send(build_request(Method::GET, &format!("/docs/{file}"))).await;
        assert_eq!(file.status, 200);
        assert!(!file.bytes.is_empty());
    }
    assert!(html.contains("<title>tillgate</title>"), "{html}");
    assert!(!html.contains("http://") && !html.contains("https://"), "nothing is loaded from elsewhere");
    assert!(!html.contains("<script>"), "the policy lets no script stand in the page");
    let initializer = shop.send(build_request(Method::GET, "/docs/swagger-initializer.js")).await;
    assert!(String::from_utf8(initializer.bytes).unwrap().contains("\"/openapi.json\""));
    for path in ["/docs/none.js", "/docs/..%2fCargo.toml"] {
        assert_eq!(shop.send(build_request(Method::GET, path)).await.status, 404, "{path}");
    }
}
