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
