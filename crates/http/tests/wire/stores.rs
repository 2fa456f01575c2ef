//! The native API's stores.

use actix_web::http::Method;
use serde_json::json;

use crate::office::{OfficeClient, expected_pointers, violations};

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
    assert_eq!(desk.get(&path).await.json(), json!({ "id": id, "name": "Station", "zone": null }));
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
    let moved = desk.patch(&path, "*", json!({ "zone": "Asia/Jakarta" })).await;
    assert_eq!(moved.json(), json!({ "id": id, "name": "Airport", "zone": "Asia/Jakarta" }));
    let refused = desk.patch(&path, "*", json!({ "zone": "Asia/Nowhere", "name": null })).await;
    assert_eq!(violations(&refused).2, expected_pointers(&[("/name", "required"), ("/zone", "format")]));
    assert_eq!(desk.patch(&path, "*", json!({ "zone": null })).await.json()["zone"], json!(null));
    let with_zone = desk.post("/stores", json!({ "name": "Harbor", "zone": "Asia/Jakarta" })).await;
    assert_eq!(with_zone.text_at("/zone"), "Asia/Jakarta");
    let harbor = with_zone.header("location").trim_start_matches("/api/v1").to_owned();
    assert_eq!(desk.send(Method::DELETE, &harbor, Some("\"6\""), None).await.status, 204);
    assert_eq!(desk.collect_pages("/stores", "/name").await.len(), 2);
    assert_eq!(desk.collect_pages("/stores?search=air", "/name").await, ["Airport"]);
    let others = desk.collect_pages("/stores", "/id").await;
    let first = others.iter().find(|other| **other != id).unwrap();
    assert_eq!(desk.send(Method::DELETE, &format!("/stores/{first}"), Some("\"7\""), None).await.status, 204);
    let last = desk.send(Method::DELETE, &path, Some("*"), None).await;
    assert_eq!((last.status.as_u16(), last.text_at("/code").as_str()), (409, "last_store"));
    assert_eq!(desk.get(&format!("/stores/{first}")).await.status, 404);
}
