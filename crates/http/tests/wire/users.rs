//! The native API's users: create, list, search, update with versions, delete.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::office::{OfficeClient, expected_pointers, violations};
use crate::test_server::{TEST_PASSWORD, TestResponse, post_request};

fn create_user_body() -> Value {
    json!({
        "user_name": "nina",
        "email": "nina@example.com",
        "display_name": "Nina",
        "password": "staple battery",
        "roles": ["manager"],
        "devices": [{ "device": "P01", "roles": ["cashier"] }],
    })
}

#[actix_web::test]
async fn user_has_a_language_and_shows_failed_logins() {
    let desk = OfficeClient::open().await;
    let mut sent = create_user_body();
    sent["locale"] = json!("sk-SK");
    let added = desk.post("/users", sent).await;
    assert_eq!((added.status.as_u16(), added.text_at("/locale").as_str()), (201, "sk-SK"));
    let path = format!("/users/{}", added.text_at("/id"));
    let cleared = desk.patch(&path, "*", json!({ "locale": null })).await;
    assert_eq!((cleared.status.as_u16(), &cleared.json()["locale"]), (200, &json!(null)));
    let wrong = desk.patch(&path, "*", json!({ "locale": "sk_SK" })).await;
    assert_eq!(violations(&wrong).2, expected_pointers(&[("/locale", "format")]));
    assert_eq!(desk.get(&path).await.json()["login_throttle"], json!(null));
    for attempt in 0..12 {
        let login = json!({ "login": "nina", "password": format!("wrong {attempt}") });
        assert!([401, 429].contains(&desk.shop.post("/api/v1/sessions", login).await.status.as_u16()));
    }
    let throttle = desk.get(&path).await.json()["login_throttle"].clone();
    assert_eq!(throttle["failures"], 10, "{throttle}");
    assert!(throttle["until"].as_str().unwrap() > "2026-11-21T12:00:00.000Z", "{throttle}");
    assert_eq!(desk.get("/summary").await.json()["login_throttled"], 1);
    assert_eq!(desk.send(Method::POST, &format!("{path}/unlock"), None, None).await.status, 204);
    assert_eq!(desk.get(&path).await.json()["login_throttle"], json!(null));
}

#[actix_web::test]
async fn user_is_created_read_updated_and_deleted() {
    let desk = OfficeClient::open().await;
    let added = desk.post("/users", create_user_body()).await;
    assert_eq!(added.status, 201, "{}", added.json());
    let id = added.text_at("/id");
    let expected = json!({
        "id": id,
        "user_name": "nina",
        "email": "nina@example.com",
        "email_verified_at": null,
        "display_name": "Nina",
        "status": "active",
        "virtual": false,
        "feature": null,
        "has_password": true,
        "invited_until": null,
        "password_change_required": false,
        "locale": null,
        "last_login_at": null,
        "roles": ["manager"],
        "devices": [{ "device": "P01", "roles": ["cashier"] }],
        "created_at": "2026-11-21T12:00:00.000Z",
        "updated_at": "2026-11-21T12:00:00.000Z",
    });
    assert_eq!(added.json(), expected);
    assert_eq!((added.header("etag"), added.header("location")), ("\"1\"", &*format!("/api/v1/users/{id}")));
    let path = format!("/users/{id}");
    let shown = desk.get(&path).await;
    let mut single = expected;
    single["login_throttle"] = json!(null);
    assert_eq!((shown.header("etag"), shown.json()), ("\"1\"", single));
    let login = json!({ "login": "nina", "password": "staple battery", "device": "P01" });
    assert_eq!(desk.shop.post("/api/v1/sessions", login.clone()).await.status, 201);

    assert_eq!(desk.get(&path).await.json()["last_login_at"], "2026-11-21T12:00:00.000Z");

    let patch = json!({ "email": null, "display_name": "Nina Nová", "roles": [] });
    let changed = desk.patch(&path, "\"1\"", patch).await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    assert_eq!(changed.header("etag"), "\"2\"");
    let json = changed.json();
    assert_eq!(
        (&json["email"], &json["roles"], &json["display_name"]),
        (&Value::Null, &json!([]), &json!("Nina Nová"))
    );
    assert_eq!(json["devices"], json!([{ "device": "P01", "roles": ["cashier"] }]), "what is not sent stays");

    let old = desk.patch(&path, "\"1\"", json!({ "display_name": "Late" })).await;
    assert_eq!(
        (violations(&old), old.json()["version"].as_i64()),
        ((412, "version_moved".to_owned(), vec![]), Some(2))
    );
    let none = desk.send(Method::PATCH, &path, None, Some(json!({}))).await;
    assert_eq!(violations(&none), (428, "version_required".to_owned(), vec![]));

    let deleted = desk.send(Method::DELETE, &path, Some("\"2\""), None).await;
    assert_eq!((deleted.status.as_u16(), deleted.bytes.len()), (204, 0));
    assert_eq!(desk.get(&path).await.text_at("/status"), "deleted", "the audit's ids still lead to whom they mean");
    assert_eq!(desk.shop.post("/api/v1/sessions", login).await.status, 401);
    assert_eq!(desk.post("/users", create_user_body()).await.status, 201, "the name is free again");
}

#[actix_web::test]
async fn all_body_violations_are_reported_at_once() {
    let desk = OfficeClient::open().await;
    let sent = json!({
        "email": "nobody",
        "status": "gone",
        "roles": ["manager", 7],
        "devices": [{ "device": "", "roles": ["cashier"] }, { "device": "P01" }],
    });
    let expected = expected_pointers(&[
        ("/devices/0/device", "required"),
        ("/devices/1/roles", "required"),
        ("/email", "format"),
        ("/roles/1", "type"),
        ("/status", "format"),
        ("/user_name", "required"),
    ]);
    assert_eq!(violations(&desk.post("/users", sent).await), (422, "fields_invalid".to_owned(), expected));
    let texts = json!({
        "user_name": "nina", "display_name": "a\u{200b}b", "feature": " ", "password": "Nina-2026", "roles": [7], "wrong": 1,
    });
    let expected = expected_pointers(&[
        ("/display_name", "format"),
        ("/feature", "required"),
        ("/password", "weak"),
        ("/roles/0", "type"),
        ("/wrong", "unknown"),
    ]);
    assert_eq!(violations(&desk.post("/users", texts).await), (422, "fields_invalid".to_owned(), expected));
    let long =
        json!({ "display_name": "x".repeat(201), "email": "nina.n@example.com", "password": "nina.n@example.com" });
    let expected = expected_pointers(&[("/display_name", "length"), ("/password", "weak"), ("/user_name", "required")]);
    assert_eq!(violations(&desk.post("/users", long).await), (422, "fields_invalid".to_owned(), expected));
    let one = |place, code| expected_pointers(&[(place, code)]);
    let first = one("/status", "format");
    for (body, status, expected) in [
        (json!({ "user_name": "nina", "status": "suspended" }), 422, first.clone()),
        (json!({ "user_name": "nina", "status": "deleted" }), 422, first),
        (json!({ "user_name": "nina", "roles": ["chief"] }), 422, one("/roles", "unknown")),
        (json!({ "user_name": "nina", "password": "short" }), 422, one("/password", "weak")),
        (json!({ "user_name": "nina", "email": "a..b@example.com" }), 422, one("/email", "format")),
        (json!({ "user_name": "nina", "email": "nina@example.com." }), 422, one("/email", "format")),
        (json!({ "user_name": "CASHIER" }), 409, one("/user_name", "taken")),
    ] {
        let response = desk.post("/users", body.clone()).await;
        assert_eq!((response.status.as_u16(), violations(&response).2), (status, expected), "{body}");
    }
    let path = format!("/users/{}", desk.shop.log_in_native("witness").await.text_at("/session/user/id"));
    let nulls = json!({ "user_name": null, "roles": null });
    let expected = expected_pointers(&[("/roles", "required"), ("/user_name", "required")]);
    assert_eq!(violations(&desk.patch(&path, "*", nulls).await), (422, "fields_invalid".to_owned(), expected));
    let undecoded = desk.get("/users?search=%FF&sort=%zz").await;
    let expected = [("search", "format"), ("sort", "format")].map(|(name, code)| (name.to_owned(), code.to_owned()));
    let mut reported = violations(&undecoded).2;
    reported.sort();
    assert_eq!((undecoded.status.as_u16(), reported), (422, expected.to_vec()), "neither an empty nor a full list");
    let query = desk.get("/users?limit=0&after=x&status=gone&sort=age").await;
    let places: Vec<String> = violations(&query).2.into_iter().map(|(place, _)| place).collect();
    assert_eq!(
        (query.status.as_u16(), places),
        (422, ["sort", "after", "limit", "status"].map(str::to_owned).to_vec())
    );
}

#[actix_web::test]
async fn user_list_is_paged_ordered_and_filtered() {
    let desk = OfficeClient::open().await;
    for name in ["Zora", "adam", "Bea"] {
        assert_eq!(desk.post("/users", json!({ "user_name": name })).await.status, 201);
    }
    let by_name = desk.collect_pages("/users?sort=user_name", "/user_name").await;
    let mut sorted = by_name.clone();
    sorted.sort_by_key(|name| name.to_ascii_lowercase());
    assert_eq!(by_name, sorted);
    assert!(by_name.len() > 5, "{by_name:?}");
    let mut backwards = desk.collect_pages("/users?sort=-user_name", "/user_name").await;
    backwards.reverse();
    assert_eq!(backwards, by_name);
    let newest = desk.collect_pages("/users?sort=-created_at", "/user_name").await;
    let mut oldest = desk.collect_pages("/users", "/user_name").await;
    oldest.reverse();
    assert_eq!(newest, oldest);
    assert_eq!(desk.collect_pages("/users?search=ADAM", "/user_name").await, ["adam"]);
    assert_eq!(desk.collect_pages("/users?role=manager", "/user_name").await, ["manager"]);
    assert_eq!(desk.collect_pages("/users?role=none", "/user_name").await, [""; 0]);
    assert_eq!(desk.collect_pages("/users?status=deleted", "/user_name").await, [""; 0]);
}

#[actix_web::test]
async fn users_of_another_tenant_are_unreachable() {
    let desk = OfficeClient::open().await;
    let stranger = desk.shop.log_in_native("stranger@example.com").await.text_at("/session/user/id");
    for id in [stranger.as_str(), "00000000-0000-7000-8000-000000000000", "garbage"] {
        let path = format!("/users/{id}");
        let body = || Some(json!({ "password": "staple battery" }));
        for (method, path, body) in [
            (Method::GET, path.clone(), None),
            (Method::PATCH, path.clone(), Some(json!({ "display_name": "x" }))),
            (Method::DELETE, path.clone(), None),
            (Method::PUT, format!("{path}/password"), body()),
            (Method::POST, format!("{path}/unlock"), None),
        ] {
            let response = desk.send(method.clone(), &path, Some("*"), body).await;
            assert_eq!(violations(&response), (404, "not_found".to_owned(), vec![]), "{method} {path}");
        }
    }
    assert!(!desk.collect_pages("/users", "/id").await.contains(&stranger));
}

#[actix_web::test]
async fn last_admin_stays_and_rights_are_not_escalated() {
    let desk = OfficeClient::open().await;
    let admin = desk.shop.log_in_native("admin").await.text_at("/session/user/id");
    for other in desk.collect_pages("/users", "/id").await.into_iter().filter(|id| *id != admin) {
        let response = desk.patch(&format!("/users/{other}"), "*", json!({ "roles": [], "devices": [] })).await;
        assert_eq!(response.status, 200, "{}", response.json());
    }
    for patch in [
        json!({ "roles": ["cashier"], "devices": [] }),
        json!({ "status": "suspended" }),
        json!({ "status": "deleted" }),
    ] {
        let response = desk.patch(&format!("/users/{admin}"), "*", patch.clone()).await;
        assert_eq!(violations(&response), (409, "last_admin".to_owned(), vec![]), "{patch}");
    }
    let deleted = desk.send(Method::DELETE, &format!("/users/{admin}"), Some("*"), None).await;
    assert_eq!(violations(&deleted).1, "last_admin");

    // a user who may create and update users, and nothing else
    let rights = ["userCreate", "userRead", "userUpdate"];
    desk.create_role("secretary", &rights);
    let clerk = json!({ "user_name": "secretary", "password": TEST_PASSWORD, "roles": ["secretary"] });
    assert_eq!(desk.post("/users", clerk).await.status, 201);
    let token = desk.shop.log_in_native("secretary").await.text_at("/access_token");
    let by_secretary = |request: TestRequest| request.insert_header(("Authorization", format!("Bearer {token}")));
    for (roles, status) in [(json!(["secretary"]), 201), (json!(["manager"]), 403), (json!(["admin"]), 403)] {
        let new = post_request("/api/v1/users", json!({ "user_name": format!("by-{status}"), "roles": roles }));
        let response = desk.shop.send(by_secretary(new)).await;
        assert_eq!(response.status, status, "{roles}: {}", response.json());
    }
    let password = post_request(&format!("/api/v1/users/{admin}/password"), json!({ "password": "staple battery" }));
    assert_eq!(
        desk.shop.send(by_secretary(password.method(Method::PUT))).await.status,
        403,
        "an admin's power is out of reach"
    );
}

#[actix_web::test]
async fn password_is_changed_by_its_owner_and_set_by_the_office() {
    let desk = OfficeClient::log_in_as("witness").await;
    let wrong = json!({ "current_password": "wrong horse", "password": "staple battery" });
    let response = desk.send(Method::PUT, "/sessions/current/password", None, Some(wrong)).await;
    assert_eq!(violations(&response), (403, "password_wrong".to_owned(), vec![]));
    let sent = json!({ "current_password": TEST_PASSWORD, "password": "staple battery" });
    let changed = desk.send(Method::PUT, "/sessions/current/password", None, Some(sent)).await;
    assert_eq!((changed.status.as_u16(), changed.json()), (200, json!({ "api_keys": [] })));
    assert_eq!(desk.get("/sessions/current").await.status, 200, "the caller's session continues");
    let id = desk.get("/sessions/current").await.text_at("/user/id");
    let admin = desk.shop.log_in_native("admin").await.text_at("/access_token");
    let set = post_request(&format!("/api/v1/users/{id}/password"), json!({ "password": "third horse" }))
        .method(Method::PUT)
        .insert_header(("Authorization", format!("Bearer {admin}")));
    assert_eq!(desk.shop.send(set).await.status, 200);
    assert_eq!(desk.get("/sessions/current").await.status, 401, "all sessions of the user have ended");
    let login = json!({ "login": "witness", "password": "third horse" });
    assert_eq!(desk.shop.post("/api/v1/sessions", login).await.status, 201);
}

#[actix_web::test]
async fn sessions_of_user_device_or_everyone_end_at_once() {
    let desk = OfficeClient::open().await;
    let shop = &desk.shop;
    let on = |login: &str, device: &str| json!({ "login": login, "password": TEST_PASSWORD, "device": device });
    let witness = shop.log_in_native("witness").await;
    let (till, office) =
        (shop.post("/api/v1/sessions", on("cashier", "P01")).await, shop.log_in_native("cashier").await);
    let lives = async |login: &TestResponse| {
        shop.get("/api/v1/sessions/current", &login.text_at("/access_token")).await.status == 200
    };
    let end = async |body: Value| desk.post("/sessions/end", body).await;
    for body in
        [json!({}), json!({ "user": till.text_at("/session/user/id"), "everyone": true }), json!({ "everyone": false })]
    {
        assert_eq!(
            violations(&end(body).await),
            (422, "fields_invalid".to_owned(), vec![(String::new(), "choice".to_owned())])
        );
    }
    assert_eq!(end(json!({ "device": till.text_at("/session/device/id") })).await.status, 204);
    assert_eq!((lives(&till).await, lives(&office).await), (false, true), "those on the till, and no others");
    assert_eq!(end(json!({ "user": office.text_at("/session/user/id") })).await.status, 204);
    assert_eq!((lives(&office).await, lives(&witness).await), (false, true), "those of the cashier, and no others");
    let stranger = shop.log_in_native("stranger@example.com").await;
    for body in [
        json!({ "user": stranger.text_at("/session/user/id") }),
        json!({ "device": "00000000-0000-7000-8000-000000000000" }),
    ] {
        assert_eq!(end(body).await.status, 404);
    }
    assert_eq!(end(json!({ "everyone": true })).await.status, 204);
    assert_eq!(desk.get("/sessions/current").await.status, 401, "the caller's own too");
    assert_eq!((lives(&witness).await, lives(&stranger).await), (false, true), "those of the tenant, and no others");
}
