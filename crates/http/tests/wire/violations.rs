//! All violations of a body are reported at once: devices, roles, stores and tenants.

use serde_json::json;

use crate::office::{OfficeClient, expected_pointers, tenant, violations};

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
    // the name of a fiscal memory, which numbers receipts
    let memory = json!({ "DefaultFiscalName": "e\u{200b}Kasa" });
    let sent = json!({ "name": "Kiosk7", "environment": "CashRegister", "settings": memory });
    assert_eq!(violations(&desk.post("/devices", sent).await).2, expected_pointers(&[("/settings", "format")]));
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
    let sent = json!({ "name": null, "zone": "Mars", "locale": "-", "accent_color": "#ffdd00", "limits": { "access": "1h", "idle": -1 } });
    let expected = expected_pointers(&[
        ("/accent_color", "format"),
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
async fn invalid_element_hides_no_violation_of_its_list() {
    let desk = OfficeClient::open().await;
    let devices = json!([{ "device": "P99", "roles": [7] }, { "device": "P01", "roles": ["boss", ""] }, 5]);
    let sent = json!({ "user_name": "nina", "roles": ["chief", 7], "devices": devices });
    let expected = expected_pointers(&[
        ("/devices", "unknown"),
        ("/devices/0/roles/0", "type"),
        ("/devices/1/roles/1", "required"),
        ("/devices/2", "type"),
        ("/roles", "unknown"),
        ("/roles", "unknown"),
        ("/roles/1", "type"),
    ]);
    assert_eq!(violations(&desk.post("/users", sent.clone()).await).2, expected);
    let user = desk.shop.log_in_native("cashier").await.text_at("/session/user/id");
    let patch = json!({ "roles": sent["roles"], "devices": sent["devices"] });
    assert_eq!(violations(&desk.patch(&format!("/users/{user}"), "*", patch).await).2, expected);
    // settings of a device: the name of a fiscal memory is checked with them
    let settings = json!({ "a": 1, "b": "\u{7}", "DefaultFiscalName": "e\u{200b}Kasa" });
    let sent = json!({ "settings": settings, "roles": ["chief", 7] });
    let device = crate::office::device(&desk.shop, "P01").id;
    let expected = expected_pointers(&[
        ("/roles", "unknown"),
        ("/roles/1", "type"),
        ("/settings", "format"),
        ("/settings/a", "type"),
        ("/settings/b", "format"),
    ]);
    assert_eq!(violations(&desk.patch(&format!("/devices/{device}"), "*", sent).await).2, expected);
}
