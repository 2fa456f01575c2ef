//! The native API's devices, roles, rights, stores and tenants: create, list, search, update with
//! versions, delete.

use std::collections::BTreeSet;

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::mounts::native;
use crate::office::{OfficeClient, device, expected_pointers, tenant, violations};
use crate::test_server::TEST_PASSWORD;

#[actix_web::test]
async fn device_is_registered_changed_and_retired() {
    let desk = OfficeClient::open().await;
    let sent = json!({
        "name": "P09",
        "environment": "PDA",
        "description": "Terrace",
        "preferences": { "sound": { "on": true, "level": 3 } },
        "settings": { "MaxQuantity": "200", "Gone": null },
        "roles": ["cashier"],
        "password": "staple battery",
    });
    let added = desk.post("/devices", sent).await;
    assert_eq!(added.status, 201, "{}", added.json());
    let id = added.text_at("/id");
    let expected = json!({
        "id": id,
        "name": "P09",
        "environment": "PDA",
        "status": "active",
        "description": "Terrace",
        "preferences": { "sound": { "on": true, "level": 3 } },
        "settings": { "MaxQuantity": "200" },
        "store": null,
        "roles": ["cashier"],
        "last_seen_at": null,
        "created_at": "2026-11-21T12:00:00.000Z",
        "updated_at": "2026-11-21T12:00:00.000Z",
    });
    assert_eq!(added.json(), expected);
    assert_eq!((added.header("etag"), added.header("location")), ("\"1\"", &*format!("/api/v1/devices/{id}")));
    let path = format!("/devices/{id}");
    let mut single = expected;
    single["login_throttle"] = json!(null);
    assert_eq!(desk.get(&path).await.json(), single);
    let login = json!({ "device": "P09", "password": "staple battery" });
    let own = desk.shop.post("/api/v1/sessions", login.clone()).await;
    assert_eq!(own.status, 201);
    let token = own.text_at("/access_token");
    let current = || desk.shop.get("/api/v1/sessions/current", &token);
    assert_eq!(current().await.status, 200);

    let patch = json!({
        "description": null,
        "preferences": { "sound": { "level": null }, "theme": "dark" },
        "settings": { "MaxQuantity": null, "Empty": "" },
    });
    let changed = desk.patch(&path, "\"1\"", patch).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{}", changed.json());
    let json = changed.json();
    assert_eq!(json["description"], "");
    assert_eq!(json["preferences"], json!({ "sound": { "on": true }, "theme": "dark" }));
    assert_eq!(json["settings"], json!({ "Empty": "" }));
    assert_eq!(json["roles"], json!(["cashier"]), "what is not sent stays");
    assert_eq!(violations(&desk.patch(&path, "\"1\"", json!({ "name": "P10" })).await).1, "version_moved");
    assert_eq!(current().await.status, 200, "a change of settings ends nothing");

    let moved = desk.patch(&path, "*", json!({ "environment": "BackOffice" })).await;
    assert_eq!((moved.status.as_u16(), moved.text_at("/environment").as_str()), (200, "BackOffice"));
    assert_eq!(current().await.status, 401, "another kind of device is another matter");
    let password = format!("{path}/password");
    assert_eq!(
        desk.send(Method::PUT, &password, None, Some(json!({ "password": "another battery" }))).await.status,
        204
    );
    assert_eq!(desk.shop.post("/api/v1/sessions", login).await.status, 401);
    let login = json!({ "device": "P09", "password": "another battery" });
    assert_eq!(desk.shop.post("/api/v1/sessions", login.clone()).await.status, 201);
    for _ in 0..2 {
        assert_eq!(desk.send(Method::DELETE, &password, None, None).await.status, 204, "and again");
    }
    assert_eq!(desk.shop.post("/api/v1/sessions", login).await.status, 401);

    assert_eq!(desk.send(Method::DELETE, &path, None, None).await.status, 428);
    assert_eq!(desk.send(Method::DELETE, &path, Some("*"), None).await.status, 204);
    assert_eq!(desk.get(&path).await.text_at("/status"), "retired");
    assert_eq!(desk.patch(&path, "*", json!({ "status": "active" })).await.status, 409);
    assert!(!desk.collect_pages("/devices", "/name").await.contains(&"P09".to_owned()));
    assert_eq!(desk.collect_pages("/devices?status=retired", "/name").await, ["P09"]);
    let again = desk.post("/devices", json!({ "name": "p09", "environment": "PDA" })).await;
    assert_eq!(again.status, 201, "the name is free again");
}

#[actix_web::test]
async fn locked_device_loses_its_sessions_at_once() {
    let desk = OfficeClient::open().await;
    let login = json!({ "login": "cashier", "password": TEST_PASSWORD, "device": "P01" });
    let cashier = desk.shop.post("/api/v1/sessions", login).await.text_at("/access_token");
    let path = format!("/devices/{}", device(&desk.shop, "P01").id);
    assert_eq!(desk.shop.get("/api/v1/sessions/current", &cashier).await.status, 200);
    assert_eq!(desk.patch(&path, "*", json!({ "status": "locked" })).await.status, 200);
    assert_eq!(desk.shop.get("/api/v1/sessions/current", &cashier).await.status, 401);
}

#[actix_web::test]
async fn devices_are_searched_in_pages() {
    let desk = OfficeClient::open().await;
    for (name, environment) in [("Z1", "Tool"), ("z2", "PDA"), ("Kuchyňa", "Tool")] {
        assert_eq!(desk.post("/devices", json!({ "name": name, "environment": environment })).await.status, 201);
    }
    let found = |query: &'static str| {
        let desk = &desk;
        // those created in the same millisecond have no order
        async move { desk.collect_pages(&format!("/devices?{query}"), "/name").await.into_iter().collect::<BTreeSet<_>>() }
    };
    assert_eq!(found("search=z").await, ["Z1", "z2"].map(str::to_owned).into());
    assert_eq!(found("environment=Tool").await, ["Z1", "Kuchyňa", "LOCKED", "UNLISTED"].map(str::to_owned).into());
    assert_eq!(desk.collect_pages("/devices?search=KUCHY%C5%87A", "/name").await, ["Kuchyňa"]);
    assert_eq!(desk.collect_pages("/devices?search=z&environment=Tool", "/name").await, ["Z1"]);
    assert!(desk.collect_pages("/devices", "/name").await.len() > 5);
    let query = desk.get("/devices?limit=201&after=x&status=gone&environment=Till&store=x").await;
    let places: Vec<String> = violations(&query).2.into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["after", "limit", "status", "environment", "store"]);
}

#[actix_web::test]
async fn devices_belong_to_stores_which_stay_as_long() {
    let desk = OfficeClient::open().await;
    let station = desk.post("/stores", json!({ "name": "Station" })).await.text_at("/id");
    let store = json!({ "id": station, "name": "Station" });
    let added = desk.post("/devices", json!({ "name": "P90", "environment": "PDA", "store": station })).await;
    assert_eq!((added.status.as_u16(), &added.json()["store"]), (201, &store));
    let path = format!("/devices/{}", added.text_at("/id"));
    assert_eq!(desk.get(&path).await.json()["store"], store);
    let here = format!("/devices?store={station}");
    assert_eq!(desk.collect_pages(&here, "/name").await, ["P90"]);
    let store_path = format!("/stores/{station}");
    let delete = || desk.send(Method::DELETE, &store_path, Some("*"), None);
    let refused = delete().await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/code").as_str()), (409, "store_in_use"));
    assert_eq!(refused.text_at("/detail"), "The store has 1 device; move or retire it first.");
    let unknown = "00000000-0000-7000-8000-000000000000";
    let wrong = desk.patch(&path, "*", json!({ "store": unknown, "roles": ["nobody"] })).await;
    let expected = expected_pointers(&[("/roles", "unknown"), ("/store", "unknown")]);
    assert_eq!(violations(&wrong), (422, "fields_invalid".to_owned(), expected.clone()));
    let wrong = desk.post("/devices", json!({ "store": unknown, "roles": ["nobody"], "environment": "PDA" })).await;
    let expected = [expected_pointers(&[("/name", "required")]), expected].concat();
    assert_eq!(violations(&wrong), (422, "fields_invalid".to_owned(), expected));
    let wrong = desk.patch(&path, "*", json!({ "store": "Station" })).await;
    assert_eq!(violations(&wrong).2, expected_pointers(&[("/store", "format")]));
    let renamed = desk.patch(&path, "*", json!({ "description": "x" })).await;
    assert_eq!(renamed.json()["store"], store, "what is not sent stays");
    let moved = desk.patch(&path, "*", json!({ "store": null })).await;
    assert_eq!((moved.status.as_u16(), &moved.json()["store"]), (200, &json!(null)));
    assert!(desk.collect_pages(&here, "/name").await.is_empty());
    assert_eq!(delete().await.status, 204);
}

#[actix_web::test]
async fn devices_are_listed_with_their_seats() {
    let desk = OfficeClient::open().await;
    let seat = async |token: &str| {
        let page = desk.shop.get("/api/v1/devices?with=seat&search=P01", token).await;
        assert_eq!(page.status, 200, "{}", page.json());
        page.json()["items"][0].clone()
    };
    let admin = desk.shop.log_in_native("admin").await.text_at("/access_token");
    let empty = seat(&admin).await;
    assert_eq!((&empty["seat"], &empty["last_seat"]), (&json!(null), &json!(null)));
    let login = json!({ "login": "cashier", "password": TEST_PASSWORD, "device": "P01" });
    let cashier = desk.shop.post("/api/v1/sessions", login).await;
    let session = cashier.text_at("/session/id");
    let taken = seat(&admin).await;
    let user =
        json!({ "id": cashier.text_at("/session/user/id"), "user_name": "cashier", "display_name": "Cora Cashier" });
    assert_eq!(
        taken["seat"],
        json!({
            "session_id": session,
            "user": user,
            "mount": "native",
            "created_at": "2026-11-21T12:00:00.000Z",
            "last_used_at": null,
            "address": taken["seat"]["address"],
        })
    );
    assert_eq!(taken["last_seat"], json!(null));
    let refused = desk.shop.get("/api/v1/devices?with=seat", &cashier.text_at("/access_token")).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/right").as_str()), (403, "sessionRead"));
    let plain = desk.shop.get("/api/v1/devices?search=P01", &admin).await.json()["items"][0].clone();
    assert!(!plain.as_object().unwrap().contains_key("seat"), "{plain}");
    assert_eq!(desk.shop.delete(&format!("/api/v1/sessions/{session}"), &admin).await.status, 204);
    let left = seat(&admin).await;
    assert_eq!(left["seat"], json!(null));
    let expected = json!({ "user": user, "ended_at": "2026-11-21T12:00:00.000Z", "ended_why": "admin" });
    assert_eq!(left["last_seat"], expected);
    let wrong = desk.get("/devices?with=ear").await;
    assert_eq!(violations(&wrong).2.len(), 1);
}

#[actix_web::test]
async fn summary_counts_what_the_caller_may_see() {
    let desk = OfficeClient::open().await;
    let station = desk.post("/stores", json!({ "name": "Station" })).await.text_at("/id");
    for (name, status) in [("K1", "active"), ("K2", "active"), ("K3", "pending")] {
        let sent = json!({ "name": name, "environment": "PDA", "status": status, "store": station });
        assert_eq!(desk.post("/devices", sent).await.status, 201);
    }
    let locked = device(&desk.shop, "P01").id;
    let user = desk.post("/users", json!({
        "user_name": "vera", "password": "staple battery horse", "devices": [{ "device": "K1", "roles": ["cashier"] }],
    }));
    assert_eq!(user.await.status, 201);
    let login = json!({ "login": "vera", "password": "staple battery horse", "device": "K1" });
    let cashier = desk.shop.post("/api/v1/sessions", login).await;
    assert_eq!(cashier.status, 201);
    let here = format!("/summary?store={station}");
    let summary = desk.get(&here).await;
    let expected = json!({
        "logged_in": 1, "idle": 0, "free": 1, "locked": 0, "pending": 1, "login_throttled": 0, "denied_24h": 0,
        "seal": { "unsealed": summary.json()["seal"]["unsealed"], "sealed_at": null },
    });
    assert_eq!((summary.status.as_u16(), summary.json()), (200, expected));
    let all = desk.get("/summary").await.json();
    assert!(all["free"].as_u64() > Some(1), "{all}");
    assert_eq!(desk.patch(&format!("/devices/{locked}"), "*", json!({ "status": "locked" })).await.status, 200);
    let token = cashier.text_at("/access_token");
    assert_eq!(desk.shop.get("/api/v1/users", &token).await.status, 403);
    let later = desk.get("/summary").await.json();
    assert_eq!(later["locked"].as_u64(), all["locked"].as_u64().map(|locked| locked + 1));
    assert_eq!(later["denied_24h"], 1, "{later}");
    desk.shop.clock.advance(std::time::Duration::from_mins(16));
    assert_eq!(OfficeClient::log_in_as("admin").await.get("/summary").await.status, 200);
    let own = desk.shop.get(&format!("/api/v1{here}"), &token).await.json();
    let hidden = json!({
        "logged_in": null, "idle": null, "free": null, "locked": 0, "pending": 1, "login_throttled": null,
        "denied_24h": null, "seal": null,
    });
    if own["code"].is_null() {
        assert_eq!(own, hidden);
    }
    let wrong = desk.shop.get("/api/v1/summary?store=x&more=1", &token).await;
    assert!([401, 422].contains(&wrong.status.as_u16()));
}

#[actix_web::test]
async fn all_violations_of_device_role_and_tenant_are_reported() {
    let desk = OfficeClient::open().await;
    let sent = json!({ "environment": "Till", "preferences": 1, "settings": { "a": 1, "b": "x" }, "roles": [""] });
    let expected = expected_pointers(&[
        ("/environment", "format"),
        ("/name", "required"),
        ("/preferences", "type"),
        ("/roles/0", "required"),
        ("/settings/a", "type"),
    ]);
    assert_eq!(violations(&desk.post("/devices", sent).await), (422, "fields_invalid".to_owned(), expected));
    let sent = json!({
        "name": "Kiosk7", "environment": "Till", "description": "x".repeat(2_001), "password": "kiosk7kiosk7",
        "preferences": { "p": "x".repeat(33_000) }, "settings": { "": "x", "a": "\u{7}", "b": "x".repeat(2_001), "c": "x" },
    });
    let expected = expected_pointers(&[
        ("/description", "length"),
        ("/environment", "format"),
        ("/password", "weak"),
        ("/preferences", "length"),
        ("/settings/", "required"),
        ("/settings/a", "format"),
        ("/settings/b", "length"),
    ]);
    assert_eq!(violations(&desk.post("/devices", sent).await), (422, "fields_invalid".to_owned(), expected));
    let sent = json!({ "label": "a\u{200b}b", "description": "\u{7}", "rights": [], "environments": [] });
    let expected = expected_pointers(&[
        ("/description", "format"),
        ("/environments", "required"),
        ("/label", "format"),
        ("/name", "required"),
        ("/rights", "required"),
    ]);
    assert_eq!(violations(&desk.post("/roles", sent).await), (422, "fields_invalid".to_owned(), expected));
    let expected = expected_pointers(&[("/name", "format"), ("/other", "unknown")]);
    let store = desk.post("/stores", json!({ "name": "a\u{202e}b", "other": 1 })).await;
    assert_eq!(violations(&store), (422, "fields_invalid".to_owned(), expected));
    let sent = json!({ "rights": ["Storno", "storno"], "environments": ["Till"], "label": 1 });
    let expected = expected_pointers(&[
        ("/environments/0", "format"),
        ("/label", "type"),
        ("/name", "required"),
        ("/rights/0", "format"),
    ]);
    assert_eq!(violations(&desk.post("/roles", sent).await), (422, "fields_invalid".to_owned(), expected));
    let empty = json!({ "name": "waiter", "rights": [], "environments": ["PDA"] });
    assert_eq!(violations(&desk.post("/roles", empty).await).2, expected_pointers(&[("/rights", "required")]));
    let path = format!("/tenants/{}", tenant(&desk.shop).id);
    let sent = json!({ "name": null, "zone": "Mars", "locale": "-", "limits": { "access": "1h", "idle": -1 } });
    let expected = expected_pointers(&[
        ("/limits/access", "type"),
        ("/limits/idle", "type"),
        ("/locale", "format"),
        ("/name", "required"),
        ("/zone", "format"),
    ]);
    assert_eq!(violations(&desk.patch(&path, "*", sent).await), (422, "fields_invalid".to_owned(), expected));
    let short = json!({ "limits": { "access": 1 } });
    assert_eq!(violations(&desk.patch(&path, "*", short).await).2, expected_pointers(&[("/limits/access", "range")]));
}

#[actix_web::test]
async fn role_is_added_changed_and_deleted_if_unused() {
    let desk = OfficeClient::open().await;
    let sent = json!({
        "name": "waiter",
        "description": "Serves",
        "rights": ["ticketUpdate", "ticketCreate"],
        "environments": ["PDA"],
    });
    let added = desk.post("/roles", sent).await;
    assert_eq!(added.status, 201, "{}", added.json());
    let id = added.text_at("/id");
    let expected = json!({
        "id": id,
        "name": "waiter",
        "label": "waiter",
        "description": "Serves",
        "rights": ["ticketCreate", "ticketUpdate"],
        "environments": ["PDA"],
        "built_in": false,
        "holder_count": 0,
    });
    assert_eq!((added.json(), added.header("etag")), (expected.clone(), "\"1\""));
    assert_eq!(added.header("location"), format!("/api/v1/roles/{id}"));
    let path = format!("/roles/{id}");
    assert_eq!(desk.get(&path).await.json(), expected);

    let user = desk.shop.log_in_native("cashier").await;
    let person = format!("/users/{}", user.text_at("/session/user/id"));
    assert_eq!(desk.patch(&person, "*", json!({ "roles": ["waiter"] })).await.status, 200);
    let token = user.text_at("/access_token");
    let rights = || async { desk.shop.get("/api/v1/sessions/current", &token).await.json()["rights"].clone() };
    assert_eq!(rights().await, json!(["ticketCreate", "ticketUpdate"]));
    let changed = desk.patch(&path, "\"1\"", json!({ "rights": ["storno"], "label": null })).await;
    assert_eq!(
        (changed.status.as_u16(), changed.header("etag"), changed.text_at("/label").as_str()),
        (200, "\"2\"", "")
    );
    assert_eq!(rights().await, json!(["storno"]), "from the next request");

    let held = desk.send(Method::DELETE, &path, Some("\"2\""), None).await;
    assert_eq!((held.status.as_u16(), held.text_at("/code").as_str()), (409, "role_held"));
    assert!(held.text_at("/detail").contains("user cashier"), "{}", held.text_at("/detail"));
    assert_eq!(desk.patch(&person, "*", json!({ "roles": ["cashier"] })).await.status, 200);
    assert_eq!(desk.send(Method::DELETE, &path, Some("\"1\""), None).await.status, 412);
    assert_eq!(desk.send(Method::DELETE, &path, Some("\"2\""), None).await.status, 204);
    assert_eq!(desk.get(&path).await.status, 404);

    let names = desk.collect_pages("/roles?built_in=true", "/name").await;
    assert_eq!(names, ["cashier", "manager", "admin"]);
    assert_eq!(desk.collect_pages("/roles?search=MANA", "/name").await, ["manager"]);
    let ids = desk.collect_pages("/roles?built_in=true", "/id").await;
    for id in ids {
        let path = format!("/roles/{id}");
        let changed = desk.patch(&path, "*", json!({ "label": "x" })).await;
        let deleted = desk.send(Method::DELETE, &path, Some("*"), None).await;
        for answer in [changed, deleted] {
            assert_eq!((answer.status.as_u16(), answer.text_at("/code").as_str()), (409, "role_built_in"));
        }
    }
}

#[actix_web::test]
async fn role_or_device_grants_no_more_than_its_author_holds() {
    let desk = OfficeClient::open().await;
    desk.create_role("deputy", &["roleCreate", "roleUpdate", "deviceUpdate", "userUpdate"]);
    let person = format!("/users/{}", desk.shop.log_in_native("cashier").await.text_at("/session/user/id"));
    assert_eq!(desk.patch(&person, "*", json!({ "roles": ["deputy", "cashier"] })).await.status, 200);
    let clerk = desk.shop.log_in_native("cashier").await.text_at("/access_token");
    let send = |method: &str, path: String, body: Value| {
        let request = crate::test_server::build_request(method.parse().unwrap(), &format!("/api/v1{path}"))
            .insert_header(("Authorization", format!("Bearer {clerk}")))
            .insert_header(("If-Match", "*"))
            .set_json(body);
        desk.shop.send(request)
    };
    let own = desk.get("/roles?search=deputy").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let strong = json!({ "name": "strong", "rights": ["admin"], "environments": ["PDA"] });
    let till = device(&desk.shop, "P01").id;
    for (method, path, body) in [
        ("POST", "/roles".to_owned(), strong),
        ("PATCH", format!("/roles/{own}"), json!({ "rights": ["roleUpdate", "admin"] })),
        ("PATCH", format!("/devices/{till}"), json!({ "roles": ["admin"] })),
        ("PATCH", person.clone(), json!({ "roles": ["admin"] })),
    ] {
        let answer = send(method, path.clone(), body).await;
        let told = (answer.status.as_u16(), answer.text_at("/right"));
        assert_eq!(told, (403, "admin".to_owned()), "{method} {path}");
    }
}

#[actix_web::test]
async fn rights_are_listed() {
    let desk = OfficeClient::open().await;
    desk.create_role("odd", &["teleportUpdate"]);
    let items = desk.get("/rights").await.json()["items"].as_array().unwrap().clone();
    let names: Vec<&str> = items.iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.contains(&"ticketClose") && names.contains(&"teleportUpdate"));
    assert!(items.iter().all(|item| item["held"] == true), "an admin has all rights");
    let cashier =
        OfficeClient::log_in_as("cashier").await.get("/rights").await.json()["items"].as_array().unwrap().clone();
    let held: Vec<&str> =
        cashier.iter().filter(|item| item["held"] == true).map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(held, ["fiscalOpenDrawer", "ticketClose", "ticketCreate", "ticketSetCustomer", "ticketUpdate"]);
}

#[actix_web::test]
async fn stores_are_created_renamed_and_deleted_except_the_last() {
    let desk = OfficeClient::open().await;
    let opened = desk.post("/stores", json!({ "name": "Station" })).await;
    assert_eq!((opened.status.as_u16(), opened.header("etag")), (201, "\"2\""), "{}", opened.json());
    let id = opened.text_at("/id");
    assert_eq!(opened.header("location"), format!("/api/v1/stores/{id}"));
    assert_eq!(
        violations(&desk.post("/stores", json!({ "name": "STATION" })).await).2,
        expected_pointers(&[("/name", "taken")])
    );
    let path = format!("/stores/{id}");
    assert_eq!(desk.get(&path).await.json(), json!({ "id": id, "name": "Station" }));
    assert_eq!(desk.patch(&path, "\"1\"", json!({ "name": "Airport" })).await.status, 412);
    let renamed = desk.patch(&path, "\"2\"", json!({ "name": "Airport" })).await;
    assert_eq!(
        (renamed.status.as_u16(), renamed.text_at("/name").as_str(), renamed.header("etag")),
        (200, "Airport", "\"3\"")
    );
    assert_eq!(
        desk.patch(&path, "*", json!({})).await.header("etag"),
        "\"3\"",
        "nothing was sent, and nothing changed"
    );
    assert_eq!(desk.collect_pages("/stores", "/name").await.len(), 2);
    assert_eq!(desk.collect_pages("/stores?search=air", "/name").await, ["Airport"]);
    let others = desk.collect_pages("/stores", "/id").await;
    let first = others.iter().find(|other| **other != id).unwrap();
    assert_eq!(desk.send(Method::DELETE, &format!("/stores/{first}"), Some("\"3\""), None).await.status, 204);
    let last = desk.send(Method::DELETE, &path, Some("*"), None).await;
    assert_eq!((last.status.as_u16(), last.text_at("/code").as_str()), (409, "last_store"));
    assert_eq!(desk.get(&format!("/stores/{first}")).await.status, 404);
}

#[actix_web::test]
async fn ineffective_limit_is_rejected_with_the_maximum() {
    let desk = OfficeClient::open().await;
    let path = format!("/tenants/{}", tenant(&desk.shop).id);
    let (month, minutes) = (30 * 24 * 3600, 60);
    let long = json!({ "limits": { "idle": month + 1, "overlap": 5 * minutes + 1, "access": 1, "absolute": null } });
    let refused = desk.patch(&path, "*", long).await;
    let longest = "the longest that the server's configuration gives";
    assert_eq!(
        refused.json()["errors"],
        json!([
            { "pointer": "/limits/access", "code": "range", "detail": "must lie between 120 and 86400 seconds" },
            { "pointer": "/limits/idle", "code": "range",
              "detail": format!("must lie between 300 and {month} seconds, {longest}") },
            { "pointer": "/limits/overlap", "code": "range",
              "detail": format!("must lie between 30 and 300 seconds, {longest}") },
        ])
    );
    assert_eq!((refused.status.as_u16(), refused.text_at("/code").as_str()), (422, "fields_invalid"));
    let most = json!({ "limits": { "idle": month, "overlap": 5 * minutes } });
    assert_eq!(desk.patch(&path, "\"1\"", most.clone()).await.status, 200, "and nothing was written before");
    // a server whose configured lifetimes were reduced
    let desk = desk.with_mounts(vec![native("/api/v1")]);
    assert_eq!(
        desk.get(&path).await.json()["limits"],
        json!({ "access": null, "idle": month, "absolute": null, "overlap": 300 })
    );
    assert_eq!(desk.patch(&path, "\"2\"", json!({ "name": "Corner" })).await.status, 200, "what was kept stays");
    assert_eq!(desk.patch(&path, "\"3\"", most).await.status, 200, "and the same again");
    let other = desk.patch(&path, "*", json!({ "limits": { "overlap": 200 } })).await;
    assert_eq!(violations(&other).2, [("/limits/overlap".to_owned(), "range".to_owned())]);
    assert!(other.text_at("/errors/0/detail").contains("between 30 and 120 seconds"), "{}", other.json());
}

#[actix_web::test]
async fn tenant_limits_apply_from_the_next_login() {
    let desk = OfficeClient::open().await;
    let id = tenant(&desk.shop).id;
    let path = format!("/tenants/{id}");
    let shown = desk.get(&path).await;
    assert_eq!((shown.status.as_u16(), shown.header("etag")), (200, "\"1\""));
    assert_eq!(shown.json()["limits"], json!({ "access": null, "idle": null, "absolute": null, "overlap": null }));
    assert_eq!(desk.get("/tenants").await.json()["items"], json!([shown.json()]));
    let before = desk.shop.log_in_native("cashier").await.json()["expires_in"].as_i64().unwrap();
    let patch = json!({ "zone": "Asia/Jakarta", "limits": { "access": 300, "idle": 3600 } });
    let changed = desk.patch(&path, "\"1\"", patch).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{}", changed.json());
    assert_eq!(changed.json()["limits"], json!({ "access": 300, "idle": 3600, "absolute": null, "overlap": null }));
    let login = desk.shop.log_in_native("cashier").await.json();
    assert!(before > 300 && login["expires_in"] == 300, "{before} {login}");
    assert_eq!(login["refresh_expires_at"], "2026-11-21T13:00:00.000Z");
    // the lifetimes of other mounts do not extend those of this contract: PosStar's tokens are
    // valid for a day
    let long = desk.patch(&path, "*", json!({ "limits": { "access": 86400, "idle": null } })).await;
    assert_eq!(long.json()["limits"]["access"], 86400);
    assert_eq!(desk.shop.log_in_native("cashier").await.json()["expires_in"].as_i64(), Some(before));
    let none = desk.patch(&path, "*", json!({ "limits": null })).await;
    assert_eq!(none.json()["limits"]["access"], Value::Null);
    for other in ["00000000-0000-7000-8000-000000000000", "x"] {
        assert_eq!(desk.get(&format!("/tenants/{other}")).await.status, 404);
    }
}
