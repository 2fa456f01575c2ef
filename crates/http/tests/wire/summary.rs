//! The native API's summary of a tenant or a store.

use serde_json::json;

use crate::office::{OfficeClient, device};

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
    let own = desk.shop.get(&format!("/api/v1{here}"), &token).await.json();
    let hidden = json!({
        "logged_in": null, "idle": null, "free": null, "locked": 0, "pending": 1, "login_throttled": null,
        "denied_24h": null, "seal": null,
    });
    assert_eq!(own, hidden);
    let wrong = desk.shop.get("/api/v1/summary?store=x&more=1", &token).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(desk.shop.get("/api/v1/users", &token).await.status, 403);
    let later = desk.get("/summary").await.json();
    assert_eq!(later["locked"].as_u64(), all["locked"].as_u64().map(|locked| locked + 1));
    assert_eq!(later["denied_24h"], 1, "{later}");
    desk.shop.clock.advance(std::time::Duration::from_mins(16));
    assert_eq!(OfficeClient::log_in_as("admin").await.get("/summary").await.status, 200);
}
