//! All forms of requests that the native API's documentation allows: queries, preconditions, merge
//! patches, empty bodies.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::office::{OfficeClient, device, expected_pointers, tenant, violations};
use crate::test_server::{TEST_PASSWORD, TestResponse, build_request};

/// All lists with query parameters.
pub const LISTS: [&str; 9] =
    ["/users", "/devices", "/roles", "/stores", "/tenants", "/tickets", "/api-keys", "/audit-events", "/sessions"];

#[actix_web::test]
async fn list_rejects_unknown_and_repeated_parameters() {
    let desk = OfficeClient::open().await;
    for list in LISTS {
        assert_eq!(desk.get(&format!("{list}?limit=2")).await.status, 200, "{list}");
        let response = desk.get(&format!("{list}?serach=x&limit=1&limit=2&LIMIT=3&=")).await;
        let expected =
            expected_pointers(&[("serach", "unknown"), ("limit", "repeated"), ("LIMIT", "unknown"), ("", "unknown")]);
        assert_eq!(violations(&response), (422, "fields_invalid".to_owned(), expected), "{list}");
        assert!(response.json()["errors"][0].get("pointer").is_none(), "it is a parameter: {}", response.json());
        for limit in ["", "0", "201", "-1", "1.5", "x"] {
            let response = desk.get(&format!("{list}?limit={limit}")).await;
            assert_eq!(violations(&response).2[0].0, "limit", "{list} {limit}");
        }
    }
    for query in [
        "/users?status=",
        "/users?role=",
        "/users?sort=",
        "/devices?status=",
        "/devices?environment=",
        "/roles?built_in=",
        "/tickets?state=",
        "/tickets?sort=",
        "/tickets?owner=",
        "/tickets?from=",
        "/api-keys?status=",
        "/audit-events?action=",
        "/audit-events?outcome=",
        "/audit-events?subject_kind=",
        "/sessions?live=",
        "/sessions?user=",
    ] {
        let name = query.split(['?', '=']).nth(1).unwrap();
        let reported = violations(&desk.get(query).await);
        assert_eq!((reported.0, reported.2.len(), reported.2[0].0.as_str()), (422, 1, name), "{query}");
    }
    let all = desk.collect_pages("/users", "/id").await;
    assert_eq!(desk.collect_pages("/users?search=", "/id").await, all, "an empty text matches everything");
    assert_eq!(desk.collect_pages("/users?search=%00", "/id").await, [""; 0]);
}

/// A client would otherwise take the items for sorted.
#[actix_web::test]
async fn every_list_rejects_an_unknown_order() {
    let desk = OfficeClient::open().await;
    for list in LISTS {
        let reported = violations(&desk.get(&format!("{list}?sort=nothing")).await);
        assert_eq!((reported.0, reported.2.len(), reported.2[0].0.as_str()), (422, 1, "sort"), "{list}");
    }
    let token = desk.shop.log_in_kasir("admin@example.com").await.text_at("/data/Token");
    for query in ["sortBy=nothing", "sortOrder=nothing", "sortBy=username&sortOrder=nothing"] {
        let response = desk.shop.get(&format!("/kasir/api/v1/users?{query}"), &token).await;
        assert_eq!(response.status, 400, "{query}");
    }
    let token = desk.shop.log_in_portos("admin", "OFFICE").await.text_at("/tokenId");
    for list in ["sessions", "devices", "roles", "users", "apikeys", "tickets"] {
        for order in ["nothing", "-nothing", "nothing:desc", "name,nothing", "name:nothing"] {
            let response = desk.shop.get(&format!("/portos/api/{list}?$sort={order}"), &token).await;
            let (code, member) = (response.text_at("/errorCode"), response.text_at("/errors/0/memberName"));
            assert_eq!(
                (response.status.as_u16(), code.as_str(), member.as_str()),
                (400, "ValidationFailed", "$sort"),
                "{list} {order}"
            );
        }
        assert_eq!(desk.shop.get(&format!("/portos/api/{list}?$sort=-name"), &token).await.status, 200, "{list}");
    }
}

#[actix_web::test]
async fn change_applies_to_the_version_in_if_match() {
    let desk = OfficeClient::open().await;
    let added = desk.post("/roles", json!({ "name": "waiter", "rights": ["storno"], "environments": ["PDA"] })).await;
    let path = format!("/api/v1/roles/{}", added.text_at("/id"));
    let change = async |tags: &[&str]| {
        let mut request = build_request(Method::PATCH, &path).insert_header(desk.bearer());
        for tag in tags {
            request = request.append_header(("If-Match", *tag));
        }
        desk.shop.send(request.set_json(json!({ "label": "waiter" }))).await
    };
    for matching in [
        &["\"1\""][..],
        &["*"],
        &["\"1\"", "\"x\""],
        &[" \"1\" "],
        &["\"7\", \"1\""],
        &["\"1\", \"99\""],
        &["\"x-99\", \"1\""],
        &["\"99\"", "\"2\", \"1\""],
        &["W/\"1\""],
        &["W/\"99\", W/\"1\""],
    ] {
        let response = change(matching).await;
        assert_eq!((response.status.as_u16(), response.header("etag")), (200, "\"1\""), "{matching:?}");
    }
    for other in [
        "",
        "1",
        "W/\"2\"",
        "\"2\", \"99\"",
        "\"2\"",
        "\"0\"",
        "\"-1\"",
        "\"+1\"",
        "\"01\"",
        "\"1.0\"",
        "\"*\"",
        "'1'",
        "\"1",
        "\"99999999999999999999\"",
    ] {
        let response = change(&[other]).await;
        assert_eq!((violations(&response).0, response.json()["version"].clone()), (412, json!(1)), "{other:?}");
    }
    assert_eq!(violations(&change(&[]).await).1, "version_required");
    // an unknown resource has no version
    for tag in ["*", "\"1\""] {
        let gone = desk.patch("/roles/00000000-0000-7000-8000-000000000000", tag, json!({})).await;
        assert_eq!(gone.status, 404, "{tag}");
    }
}

/// One resource of each kind that merge patches change, with the members that cannot be removed.
async fn update_cases(desk: &OfficeClient) -> Vec<(String, &'static [&'static str])> {
    let role = desk.post("/roles", json!({ "name": "waiter", "rights": ["storno"], "environments": ["PDA"] })).await;
    let key = desk.post("/api-keys", json!({ "name": "Warehouse", "user": "admin", "device": "P01" })).await;
    let store = desk.post("/stores", json!({ "name": "Station" })).await;
    let user = desk.post("/users", json!({ "user_name": "nina" })).await;
    vec![
        (format!("/users/{}", user.text_at("/id")), &["user_name", "display_name", "status", "roles", "devices"]),
        (format!("/devices/{}", device(&desk.shop, "P01").id), &["name", "environment", "status", "roles"]),
        (format!("/roles/{}", role.text_at("/id")), &["name", "rights", "environments"]),
        (format!("/api-keys/{}", key.text_at("/id")), &["name", "status", "user", "device"]),
        (format!("/stores/{}", store.text_at("/id")), &["name"]),
        (format!("/tenants/{}", tenant(&desk.shop).id), &["name", "zone", "locale"]),
    ]
}

#[actix_web::test]
async fn required_member_cannot_be_patched_away() {
    let desk = OfficeClient::open().await;
    for (path, required) in update_cases(&desk).await {
        let before = desk.get(&path).await;
        let nulls: Value = required.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        let mut expected: Vec<(String, &str)> = required.iter().map(|name| (format!("/{name}"), "required")).collect();
        expected.sort();
        let expected =
            expected_pointers(&expected.iter().map(|(place, code)| (place.as_str(), *code)).collect::<Vec<_>>());
        let response = desk.patch(&path, "*", nulls).await;
        assert_eq!(violations(&response), (422, "fields_invalid".to_owned(), expected), "{path}");
        let after = desk.get(&path).await;
        assert_eq!((after.json(), after.header("etag")), (before.json(), before.header("etag")), "{path}");
    }
}

#[actix_web::test]
async fn empty_patch_changes_nothing() {
    let desk = OfficeClient::open().await;
    for (path, _) in update_cases(&desk).await {
        let before = desk.get(&path).await;
        let response = desk.patch(&path, before.header("etag"), json!({})).await;
        let mut shown = before.json();
        // which is not of the resource itself
        shown.as_object_mut().unwrap().remove("login_throttle");
        assert_eq!((response.status.as_u16(), response.json()), (200, shown), "{path}");
        assert_eq!(response.header("etag"), before.header("etag"), "{path}");
    }
}

#[actix_web::test]
async fn unknown_member_is_reported_with_other_violations() {
    let desk = OfficeClient::open().await;
    for (path, required) in update_cases(&desk).await {
        let before = desk.get(&path).await;
        let sent = json!({ required[0]: null, "unheard/of~": { "deep": 1 }, "unheard": 1 });
        let response = desk.patch(&path, "*", sent).await;
        let pointer = format!("/{}", required[0]);
        let mut expected = vec![(&*pointer, "required"), ("/unheard", "unknown"), ("/unheard~1of~0", "unknown")];
        expected.sort_unstable();
        assert_eq!(violations(&response), (422, "fields_invalid".to_owned(), expected_pointers(&expected)), "{path}");
        let after = desk.get(&path).await;
        assert_eq!((after.json(), after.header("etag")), (before.json(), before.header("etag")), "{path}");
    }
    for path in ["/users", "/devices", "/roles", "/stores", "/api-keys", "/sessions/end"] {
        let response = desk.post(path, json!({ "unheard_of": 1 })).await;
        assert!(violations(&response).2.contains(&("/unheard_of".to_owned(), "unknown".to_owned())), "{path}");
    }
    let own = json!({ "current_password": TEST_PASSWORD, "password": "staple battery", "new_password": "x" });
    let response = desk.send(Method::PUT, "/sessions/current/password", None, Some(own)).await;
    let expected = expected_pointers(&[("/new_password", "unknown")]);
    assert_eq!(violations(&response), (422, "fields_invalid".to_owned(), expected));
    let nested = json!({ "user_name": "nora", "devices": [{ "device": "P01", "roles": [], "role": "cashier" }] });
    let expected = expected_pointers(&[("/devices/0/role", "unknown")]);
    assert_eq!(violations(&desk.post("/users", nested).await), (422, "fields_invalid".to_owned(), expected));
}

#[actix_web::test]
async fn body_that_is_no_object_is_reported() {
    let desk = OfficeClient::open().await;
    let mut calls: Vec<(Method, String)> =
        update_cases(&desk).await.into_iter().map(|(path, _)| (Method::PATCH, path)).collect();
    calls.extend(
        ["/users", "/devices", "/roles", "/stores", "/api-keys", "/sessions/end"]
            .map(|path| (Method::POST, path.to_owned())),
    );
    calls.push((Method::PUT, "/sessions/current/password".to_owned()));
    for (method, path) in calls {
        let send = async |request: TestRequest| -> TestResponse {
            desk.shop.send(request.insert_header(desk.bearer()).insert_header(("If-Match", "*"))).await
        };
        let at = || build_request(method.clone(), &format!("/api/v1{path}"));
        for other in [json!(null), json!([]), json!([{}]), json!("x"), json!(1), json!(true)] {
            let response = send(at().set_json(&other)).await;
            assert_eq!(
                violations(&response),
                (422, "fields_invalid".to_owned(), expected_pointers(&[("", "type")])),
                "{method} {path} {other}"
            );
        }
        let typed =
            |body: &'static str| at().insert_header(("Content-Type", "application/merge-patch+json")).set_payload(body);
        for (body, detail) in [
            ("", "The body is empty."),
            (" \r\n", "The body is empty."),
            ("{", "The body ends too early (line 1, column 1)."),
            ("{\"a\":1,}", "The body is not valid JSON (line 1, column 8)."),
        ] {
            let response = send(typed(body)).await;
            assert_eq!(
                (violations(&response).1.as_str(), response.text_at("/detail").as_str()),
                ("body_malformed", detail),
                "{method} {path} {body:?}"
            );
        }
        assert_eq!(violations(&send(at()).await).1, "content_type_unsupported", "{method} {path} without anything");
    }
}
