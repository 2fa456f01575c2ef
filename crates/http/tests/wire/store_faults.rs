//! Violations that only the store reveals are reported with all others: unknown names, impossible
//! status transitions, passwords made of names of the tenant.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::office::{OfficeClient, expected_pointers, tenant, violations};
use crate::test_server::{TestResponse, TestServer, build_request, with_bearer};
use crate::tickets::log_in_at;

/// Asserts that the response reports exactly these members.
#[track_caller]
fn assert_named(response: &TestResponse, expected: &[(&str, &str)]) {
    assert_eq!(
        violations(response),
        (422, "fields_invalid".to_owned(), expected_pointers(expected)),
        "{}",
        response.json()
    );
}

#[actix_web::test]
async fn user_body_names_unknown_roles_and_context_words_with_other_faults() {
    let desk = OfficeClient::open().await;
    let devices = json!([{ "device": "P99", "roles": ["chief"] }, { "device": "P01", "roles": ["cashier", "cook"] }]);
    let unknown = [("/devices", "unknown"), ("/roles", "unknown")];
    let sent = json!({ "user_name": "nina", "password": "P01P01P01", "roles": ["chief", "admin", "boss"],
        "devices": devices, "status": "deleted", "email": "none" });
    let response = desk.post("/users", sent).await;
    let expected = [
        ("/devices", "unknown"),
        ("/email", "format"),
        ("/password", "weak"),
        ("/roles", "unknown"),
        ("/roles", "unknown"),
        ("/roles", "unknown"),
        ("/status", "format"),
    ];
    assert_named(&response, &expected);
    assert_eq!(response.text_at("/errors/3/detail"), "\"boss\" does not exist");

    // only the store reveals all of these
    let sent = json!({ "user_name": "nina", "password": "P01P01P01", "roles": ["chief"], "devices": [{ "device": "P99", "roles": [] }] });
    assert_named(&desk.post("/users", sent).await, &[unknown[0], ("/password", "weak"), unknown[1]]);
    let sent = json!({ "user_name": "nina", "roles": ["chief"], "devices": [{ "device": "P99", "roles": [] }] });
    assert_named(&desk.post("/users", sent).await, &unknown);
    assert_eq!(desk.get("/users?search=nina").await.json()["items"], json!([]), "nobody was added");
}

#[actix_web::test]
async fn user_patch_names_unknown_roles_and_impossible_status_with_other_faults() {
    let desk = OfficeClient::open().await;
    let path = format!("/users/{}", desk.shop.log_in_native("cashier").await.text_at("/session/user/id"));
    let patch = json!({ "status": "pending", "roles": ["chief"], "display_name": 7 });
    let named = [("/display_name", "type"), ("/roles", "unknown"), ("/status", "transition")];
    assert_named(&desk.patch(&path, "*", patch).await, &named);
    let patch = json!({ "status": "pending", "roles": ["chief"], "display_name": " " });
    let named = [("/display_name", "required"), ("/roles", "unknown"), ("/status", "transition")];
    assert_named(&desk.patch(&path, "*", patch).await, &named);
    let alone = desk.patch(&path, "*", json!({ "status": "pending" })).await;
    assert_eq!(violations(&alone), (409, "status_impossible".to_owned(), expected_pointers(&[])));
    // a caller without the right learns nothing about existing roles
    let token = desk.shop.log_in_native("cashier").await.text_at("/access_token");
    let patch = json!({ "status": "pending", "roles": ["chief"], "display_name": 7 });
    let request =
        build_request(Method::PATCH, &format!("/api/v1{path}")).insert_header(("If-Match", "*")).set_json(patch);
    assert_eq!(desk.shop.send(with_bearer(request, &token)).await.status, 403);
}

#[actix_web::test]
async fn device_body_names_unknown_roles_and_context_words_with_other_faults() {
    let desk = OfficeClient::open().await;
    let sent =
        json!({ "name": "K7", "environment": "Till", "password": "P01P01P01", "roles": ["chief"], "status": "locked" });
    let named = [("/environment", "format"), ("/password", "weak"), ("/roles", "unknown"), ("/status", "format")];
    assert_named(&desk.post("/devices", sent).await, &named);
    let made = desk.post("/devices", json!({ "name": "K7", "environment": "PDA" })).await;
    let path = format!("/devices/{}", made.text_at("/id"));
    assert_eq!(desk.patch(&path, "*", json!({ "status": "retired" })).await.status, 200);
    let patch = json!({ "status": "active", "roles": ["chief"], "description": 7 });
    let named = [("/description", "type"), ("/roles", "unknown"), ("/status", "transition")];
    assert_named(&desk.patch(&path, "*", patch).await, &named);
}

#[actix_web::test]
async fn password_body_names_context_words_with_other_faults() {
    let desk = OfficeClient::open().await;
    let cashier = desk.shop.log_in_native("cashier").await.text_at("/session/user/id");
    let path = format!("/users/{cashier}/password");
    let send = async |body: Value| desk.send(Method::PUT, &path, None, Some(body)).await;
    let named = [("/keys", "type"), ("/password", "weak")];
    assert_named(&send(json!({ "password": "P01P01P01", "keys": 1 })).await, &named);
    assert_named(&send(json!({ "password": "cashier1", "keys": 1 })).await, &named);
    assert_named(&send(json!({ "password": "staple battery", "keys": 1 })).await, &named[..1]);
}

#[actix_web::test]
async fn api_key_body_names_unknown_user_and_device_with_other_faults() {
    let desk = OfficeClient::open().await;
    let unknown = [("/device", "unknown"), ("/user", "unknown")];
    let sent = json!({ "name": 7, "user": "nobody", "device": "P99" });
    assert_named(&desk.post("/api-keys", sent).await, &[unknown[0], ("/name", "type"), unknown[1]]);
    let sent = json!({ "name": "a", "user": "nobody", "device": "P99" });
    assert_named(&desk.post("/api-keys", sent).await, &unknown);
    let sent = json!({ "name": "a", "user": "nobody", "device": "P01" });
    assert_named(&desk.post("/api-keys", sent).await, &unknown[1..]);
    let made = desk.post("/api-keys", json!({ "name": "a", "user": "cashier", "device": "P01" })).await;
    let path = format!("/api-keys/{}", made.text_at("/id"));
    let patch = json!({ "device": "P99", "status": 7 });
    assert_named(&desk.patch(&path, "*", patch).await, &[unknown[0], ("/status", "type")]);

    let (past, range) = ("2020-01-01T00:00:00Z", ("/expires_at", "range"));
    let sent = json!({ "name": 7, "user": "nobody", "device": "P99", "expires_at": past });
    assert_named(&desk.post("/api-keys", sent).await, &[unknown[0], range, ("/name", "type"), unknown[1]]);
    let sent = json!({ "name": "a", "user": "nobody", "device": "P99", "expires_at": past });
    assert_named(&desk.post("/api-keys", sent).await, &[unknown[0], range, unknown[1]]);
    let patch = json!({ "name": " ", "status": 7, "expires_at": past });
    assert_named(&desk.patch(&path, "*", patch).await, &[range, ("/name", "required"), ("/status", "type")]);
    let patch = json!({ "name": " ", "user": "nobody", "expires_at": past });
    assert_named(&desk.patch(&path, "*", patch).await, &[range, ("/name", "required"), unknown[1]]);
}

/// A value that stays is not checked again, so only the store knows whether a name is new.
#[actix_web::test]
async fn patch_names_invalid_new_values_with_other_faults() {
    let desk = OfficeClient::open().await;
    let user = format!("/users/{}", desk.shop.log_in_native("cashier").await.text_at("/session/user/id"));
    let patch =
        json!({ "user_name": "a\u{200b}b", "email": "a.@example.com", "display_name": "x\u{200b}y", "locale": "--" });
    let named = [("/display_name", "format"), ("/email", "format"), ("/locale", "format"), ("/user_name", "format")];
    assert_named(&desk.patch(&user, "*", patch).await, &named);
    let patch = json!({ "user_name": "cashier", "locale": "--" });
    assert_named(&desk.patch(&user, "*", patch).await, &[("/locale", "format")]);

    let made = desk.post("/devices", json!({ "name": "K7", "environment": "PDA" })).await;
    let patch = json!({ "name": "K\u{200b}7", "environment": "Till", "settings": { "a": "b\u{7}" } });
    let named = [("/environment", "format"), ("/name", "format"), ("/settings/a", "format")];
    assert_named(&desk.patch(&format!("/devices/{}", made.text_at("/id")), "*", patch).await, &named);

    let made = desk.post("/roles", json!({ "name": "waiter", "rights": ["storno"], "environments": ["PDA"] })).await;
    let patch = json!({ "name": "w\u{200b}", "label": "x\u{200b}", "rights": 7 });
    let named = [("/label", "format"), ("/name", "format"), ("/rights", "type")];
    assert_named(&desk.patch(&format!("/roles/{}", made.text_at("/id")), "*", patch).await, &named);

    let tenant = format!("/tenants/{}", tenant(&desk.shop).id);
    let patch = json!({ "name": " ", "limits": { "overlap": 1 }, "locale": "--" });
    let named = [("/limits/overlap", "range"), ("/locale", "format"), ("/name", "required")];
    assert_named(&desk.patch(&tenant, "*", patch).await, &named);
    let patch = json!({ "name": " ", "limits": { "overlap": 1 } });
    assert_named(&desk.patch(&tenant, "*", patch).await, &[named[0], named[2]]);
}

/// A request that is rejected for one member names those that only the store can check, too.
#[actix_web::test]
async fn other_contracts_name_what_the_store_reveals_with_other_faults() {
    let shop = TestServer::start();
    let kasir = shop.log_in_kasir("admin@example.com").await.text_at("/data/Token");
    let send = async |method: Method, path: &str, body: Value| {
        let request = build_request(method, &format!("/kasir/api/v1{path}")).set_json(body);
        let response = shop.send(with_bearer(request, &kasir)).await;
        assert_eq!(response.status, 400, "{}", response.json());
        response.text_at("/error")
    };
    let body = json!({ "username": "nina", "email": "none", "password": "P01P01P01", "role": "cashier" });
    let sentence = send(Method::POST, "/users", body).await;
    assert!(sentence.contains("email must") && sentence.contains("password must not"), "{sentence}");
    let body = json!({ "username": "nina", "email": "nina@example.com", "password": "P01P01P01", "role": "cashier" });
    assert!(send(Method::POST, "/users", body).await.starts_with("password must not be made of the name"));
    let john = shop.log_in_kasir("john_doe").await.text_at("/data/profile/id");
    let body = json!({ "username": "j\u{200b}", "email": "a.@example.com", "role": "boss" });
    let sentence = send(Method::PUT, &format!("/users/{john}"), body).await;
    let members: Vec<&str> = sentence.split("; ").filter_map(|part| part.split(' ').next()).collect();
    assert_eq!(members, ["email", "role", "username"], "{sentence}");

    let portos = shop.log_in_portos("admin", "OFFICE").await.text_at("/tokenId");
    let send = async |method: Method, path: &str, body: Value| {
        let request = build_request(method, &format!("/portos/api{path}")).set_json(body);
        let response = shop.send(with_bearer(request, &portos)).await;
        assert_eq!(response.status, 400, "{}", response.json());
        let named = response.json()["errors"].as_array().unwrap().clone();
        named.iter().map(|each| each["memberName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let body = json!({ "name": 1, "userName": "nobody", "deviceName": "P99" });
    assert_eq!(send(Method::POST, "/apikeys", body).await, ["DeviceName", "Name", "UserName"]);
    let made = json!({ "name": "a", "userName": "cashier", "deviceName": "P01" });
    let made = shop.send(with_bearer(build_request(Method::POST, "/portos/api/apikeys").set_json(made), &portos)).await;
    let body = json!({ "name": "a\u{200b}", "userName": "nobody", "isActive": 1 });
    assert_eq!(
        send(Method::PUT, &format!("/apikeys/{}", made.text_at("/id")), body).await,
        ["IsActive", "Name", "UserName"]
    );
}

#[actix_web::test]
async fn ticket_body_names_unknown_owner_with_other_faults() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let send = async |method: Method, path: &str, body: Value| {
        let request = build_request(method, &format!("/api/v1{path}")).insert_header(("If-Match", "*")).set_json(body);
        shop.send(with_bearer(request, &token)).await
    };
    let sent = json!({ "currency": "EURO", "owner": "nobody" });
    assert_named(&send(Method::POST, "/tickets", sent).await, &[("/currency", "format"), ("/owner", "unknown")]);
    let sent = json!({ "currency": "EUR", "owner": "nobody", "rounding": "7.00" });
    assert_named(&send(Method::POST, "/tickets", sent).await, &[("/owner", "unknown"), ("/rounding", "range")]);
    let made = send(Method::POST, "/tickets", json!({ "currency": "EUR" })).await;
    let path = format!("/tickets/{}", made.text_at("/id"));
    let patch = json!({ "owner": "nobody", "name": 7 });
    assert_named(&send(Method::PATCH, &path, patch).await, &[("/name", "type"), ("/owner", "unknown")]);
}

#[actix_web::test]
async fn portos_tickets_name_unknown_owners_with_other_faults() {
    let shop = TestServer::start();
    let token = shop.log_in_portos("manager", "P01").await.text_at("/tokenId");
    let send = async |method: Method, path: &str, body: &Value| {
        let request = build_request(method, &format!("/portos/api/tickets{path}")).set_json(body);
        shop.send(with_bearer(request, &token)).await
    };
    let named = async |method: Method, path: &str, body: Value| {
        let response = send(method, path, &body).await;
        assert_eq!((response.status.as_u16(), response.text_at("/errorCode").as_str()), (400, "ValidationFailed"));
        let errors = response.json()["errors"].as_array().unwrap().clone();
        errors.iter().map(|each| each["memberName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (owner, one, two) = ("Employee.UserName", "[0].Employee.UserName", "[1].Employee.UserName");
    let (nobody, manager) = (json!({ "userName": "nobody" }), json!({ "userName": "manager" }));
    let body = json!({ "employee": nobody, "name": 7 });
    assert_eq!(named(Method::POST, "", body.clone()).await, ["Name", owner]);
    assert_eq!(named(Method::PUT, "/635f7ae3072edfeae7c26a1e", body.clone()).await, ["Name", owner]);

    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(send(Method::POST, "", &json!({})).await.text_at("/id"));
    }
    let path = format!("/{}", ids[0]);
    assert_eq!(named(Method::PUT, &path, body).await, ["Name", owner]);
    assert_eq!(named(Method::PUT, &path, json!({ "employee": manager, "name": 7 })).await, ["Name"]);
    let tickets = json!([{ "id": ids[0], "employee": nobody, "name": 7 }, { "id": ids[1], "employee": nobody }]);
    assert_eq!(named(Method::PATCH, "", tickets).await, [one, "[0].Name", two]);
    // the store alone reveals all of these
    let tickets = json!([{ "id": ids[0], "employee": nobody }, { "id": ids[1], "employee": nobody }]);
    assert_eq!(named(Method::PATCH, "", tickets).await, [one, two]);
    let tickets = json!([{ "id": ids[0], "employee": manager, "name": 7 }, { "id": ids[1], "employee": nobody }]);
    assert_eq!(named(Method::PATCH, "", tickets).await, ["[0].Name", two]);
    // a ticket that does not exist has no owner to compare with
    let tickets = json!([{ "id": "635f7ae3072edfeae7c26a1f", "employee": nobody, "name": 7 }]);
    assert_eq!(named(Method::PATCH, "", tickets).await, ["[0].Id", "[0].Name"]);
}

#[actix_web::test]
async fn portos_batch_names_every_fault_of_every_ticket() {
    let shop = TestServer::start();
    let token = shop.log_in_portos("manager", "P01").await.text_at("/tokenId");
    let send = async |method: Method, path: &str, body: &Value| {
        let request = build_request(method, &format!("/portos/api/tickets{path}")).set_json(body);
        shop.send(with_bearer(request, &token)).await
    };
    let item = json!({ "id": 1, "unitPrice": { "amount": 1 }, "quantity": { "amount": 1 } });
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(send(Method::POST, "", &json!({ "items": [item] })).await.text_at("/id"));
    }
    assert_eq!(send(Method::POST, &format!("/{}/close", ids[3]), &json!({})).await.status, 200);
    let nobody = json!({ "userName": "nobody" });
    let absent = "635f7ae3072edfeae7c26a1f";
    let body = json!([
        { "id": ids[0], "_v": 7, "employee": nobody, "items": [item, item], "payments": [{ "amount": 1.005 }] },
        { "id": ids[1], "name": "stays" },
        { "id": ids[2], "_v": 7 },
        { "id": ids[3], "employee": nobody },
        { "id": absent },
    ]);
    let refused = send(Method::PATCH, "", &body).await;
    let members = |response: &TestResponse| {
        let errors = response.json()["errors"].as_array().unwrap().clone();
        errors.iter().map(|each| each["memberName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = ["[0].Items", "[0].Employee.UserName", "[0].Payments[0].Amount", "[0]._v"];
    let others = ["[2]._v", "[3].Employee.UserName", "[3]", "[4].Id"];
    // the response is that of the first ticket
    assert_eq!((refused.status.as_u16(), refused.text_at("/errorCode").as_str()), (400, "ValidationFailed"));
    assert_eq!(members(&refused), [&first[..], &others[..]].concat());
    let moved = send(Method::PATCH, "", &json!([body[2], body[3], body[1]])).await;
    assert_eq!((moved.status.as_u16(), &moved.json()["resource"]["id"]), (412, &json!(ids[2])));
    assert_eq!(members(&moved), ["[0]._v", "[1].Employee.UserName", "[1]"]);
    let sold = send(Method::PATCH, "", &json!([body[1], { "id": ids[3], "name": "x" }])).await;
    assert_eq!((sold.status.as_u16(), members(&sold)), (409, vec!["[1]".to_owned()]));
    // with a field that cannot be read at all
    let mut unread = body.clone();
    unread[1]["name"] = json!(7);
    let refused = send(Method::PATCH, "", &unread).await;
    let mut expected = [&first[..], &["[1].Name"], &others[..]].concat();
    expected.sort_unstable();
    assert_eq!((refused.status.as_u16(), members(&refused)), (400, expected.iter().map(ToString::to_string).collect()));
    // nothing about a ticket that the caller may not change
    let elsewhere = shop.log_in_portos("admin", "OFFICE").await.text_at("/tokenId");
    let request = build_request(Method::PATCH, "/portos/api/tickets").set_json(&unread);
    let denied = shop.send(with_bearer(request, &elsewhere)).await;
    assert_eq!((denied.status.as_u16(), members(&denied)), (400, vec!["[1].Name".to_owned(), "[4].Id".to_owned()]));
    let request = build_request(Method::PATCH, "/portos/api/tickets").set_json(&body);
    let denied = shop.send(with_bearer(request, &elsewhere)).await;
    assert_eq!((denied.status.as_u16(), denied.json()["errors"].clone()), (403, Value::Null));
    for id in &ids[..3] {
        let kept = send(Method::GET, &format!("/{id}"), &Value::Null).await.json();
        assert_eq!((&kept["_v"], &kept["name"]), (&json!(1), &Value::Null), "nothing was written");
    }
}
