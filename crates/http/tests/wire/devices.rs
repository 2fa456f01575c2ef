//! The native API's devices: registered, changed and retired, searched, with their stores and
//! seats.

use std::collections::BTreeSet;

use actix_web::http::Method;
use serde_json::json;

use crate::office::{OfficeClient, device, expected_pointers, violations};
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
        "till_mode": false,
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
    let store = json!({ "id": station, "name": "Station", "zone": null });
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
