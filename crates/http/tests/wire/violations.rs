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
