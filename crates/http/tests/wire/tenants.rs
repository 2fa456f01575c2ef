//! The native API's tenants, their limits of sessions and their accent color.

use serde_json::{Value, json};

use crate::mounts::native;
use crate::office::{OfficeClient, tenant, violations};

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
            { "pointer": "/limits/access", "code": "range", "detail": "must lie between 120 and 86400 seconds",
              "rule": "seconds", "min": 120, "max": 86_400 },
            { "pointer": "/limits/idle", "code": "range",
              "detail": format!("must lie between 300 and {month} seconds, {longest}"),
              "rule": "seconds", "min": 300, "max": month },
            { "pointer": "/limits/overlap", "code": "range",
              "detail": format!("must lie between 30 and 300 seconds, {longest}"),
              "rule": "seconds", "min": 30, "max": 300 },
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
async fn unknown_limit_is_rejected_with_the_other_violations() {
    let desk = OfficeClient::open().await;
    let path = format!("/tenants/{}", tenant(&desk.shop).id);
    for (limits, found) in [
        (json!({ "idel": 3600 }), vec![("/limits/idel", "unknown")]),
        (json!({ "idel": null }), vec![("/limits/idel", "unknown")]),
        (json!({ "idel": 1, "idle": -1 }), vec![("/limits/idel", "unknown"), ("/limits/idle", "type")]),
        (json!([]), vec![("/limits", "type")]),
    ] {
        let response = desk.patch(&path, "*", json!({ "limits": limits })).await;
        let expected: Vec<_> = found.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect();
        assert_eq!(violations(&response).2, expected, "{limits}");
    }
}

#[actix_web::test]
async fn malformed_limit_hides_no_other_violation() {
    let desk = OfficeClient::open().await;
    let path = format!("/tenants/{}", tenant(&desk.shop).id);
    assert_eq!(desk.patch(&path, "*", json!({ "limits": { "access": 600 } })).await.status, 200);
    for (limits, found) in [
        (
            json!({ "access": "1h", "idel": 1, "idle": 1, "overlap": 1 }),
            vec![
                ("/limits/access", "type"),
                ("/limits/idel", "unknown"),
                ("/limits/idle", "range"),
                ("/limits/overlap", "range"),
            ],
        ),
        // the request replaces the access limit, so the idle one is not compared with its old value
        (json!({ "access": "5m", "idle": 400 }), vec![("/limits/access", "type")]),
    ] {
        let response = desk.patch(&path, "*", json!({ "limits": limits })).await;
        let expected: Vec<_> = found.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect();
        assert_eq!(violations(&response).2, expected, "{limits}");
    }
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

#[actix_web::test]
async fn accent_color_is_changed_checked_and_audited() {
    let desk = OfficeClient::open().await;
    let path = format!("/tenants/{}", tenant(&desk.shop).id);
    assert_eq!(desk.get(&path).await.json()["accent_color"], Value::Null);
    let changed = desk.patch(&path, "*", json!({ "accent_color": "#7C2D12" })).await;
    assert_eq!((changed.status.as_u16(), &changed.json()["accent_color"]), (200, &json!("#7c2d12")));
    assert_eq!(desk.get(&path).await.json(), changed.json());
    let rules =
        [("7c2d12", "color", Value::Null), ("#ffdd00", "contrast", json!("1.1")), ("red", "color", Value::Null)];
    for (wrong, rule, contrast) in rules {
        let refused = desk.patch(&path, "*", json!({ "accent_color": wrong })).await;
        assert_eq!(violations(&refused).2, [("/accent_color".to_owned(), "format".to_owned())], "{wrong}");
        let error = &refused.json()["errors"][0];
        assert_eq!((&error["rule"], &error["contrast"]), (&json!(rule), &contrast), "{error}");
    }
    let events = desk.get("/audit-events?action=tenant.update").await.json();
    assert_eq!(events["items"][0]["details"]["accent_color"], json!({ "from": null, "to": "#7c2d12" }), "{events}");
    let removed = desk.patch(&path, "*", json!({ "accent_color": null })).await;
    assert_eq!(removed.json()["accent_color"], Value::Null);
}
