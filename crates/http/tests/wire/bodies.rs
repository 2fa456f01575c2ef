//! JSON bodies in all contracts: duplicate members, byte order marks, numbers, and empty bodies.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::office::{OfficeClient, expected_pointers, violations};
use crate::test_server::{TEST_PASSWORD, TestResponse, TestServer, build_request, with_bearer};
use crate::tickets::{log_in_at, open_ticket, path_of, plain_item, send};

const TICKETS: &str = "/api/v1/tickets";

/// A request with exactly this body.
fn with_text(method: Method, path: &str, body: &str) -> TestRequest {
    build_request(method, path).insert_header(("Content-Type", "application/json")).set_payload(body.to_owned())
}

async fn send_text(desk: &OfficeClient, method: Method, path: &str, body: &str) -> TestResponse {
    let request = with_text(method, &format!("/api/v1{path}"), body);
    desk.shop.send(request.insert_header(desk.bearer()).insert_header(("If-Match", "*"))).await
}

/// The logins of all contracts with JSON, each with the text after the first brace.
fn login_bodies() -> Vec<(&'static str, String, u16)> {
    vec![
        ("/api/v1/sessions", format!(r#""login":"admin","password":"{TEST_PASSWORD}"}}"#), 201),
        ("/portos/api/auth", format!(r#""UserName":"cashier","Password":"{TEST_PASSWORD}","DeviceName":"P01"}}"#), 200),
        ("/kasir/api/v1/auth/login", format!(r#""email":"cashier","password":"{TEST_PASSWORD}"}}"#), 200),
        (
            "/posstar/api/v1/auth/login",
            format!(r#""email":"stranger@example.com","password":"{TEST_PASSWORD}"}}"#),
            200,
        ),
    ]
}

#[actix_web::test]
async fn byte_order_mark_before_json_is_skipped() {
    let shop = TestServer::start();
    for (path, members, status) in login_bodies() {
        for mark in ["", "\u{feff}", "\u{feff} \r\n"] {
            let response = shop.send(with_text(Method::POST, path, &format!("{mark}{{{members}"))).await;
            assert_eq!(response.status, status, "{path} {mark:?}: {}", String::from_utf8_lossy(&response.bytes));
        }
    }
    let desk = OfficeClient::open().await;
    let response = send_text(&desk, Method::POST, "/stores", "\u{feff}{\"name\":\"Station\"}").await;
    assert_eq!((response.status.as_u16(), response.text_at("/name").as_str()), (201, "Station"));
}

#[actix_web::test]
async fn duplicate_member_is_rejected_by_every_contract_at_any_depth() {
    let shop = TestServer::start();
    for (path, members, _) in login_bodies() {
        for twice in ["\"x\":1,\"x\":1,", "\"more\":[{\"x\":1,\"x\":2}],"] {
            let response = shop.send(with_text(Method::POST, path, &format!("{{{twice}{members}"))).await;
            assert!([400, 422].contains(&response.status.as_u16()), "{path} {twice}: {}", response.status);
        }
        let name = members.split(':').next().unwrap();
        let response = shop.send(with_text(Method::POST, path, &format!("{{{name}:\"somebody\",{members}"))).await;
        assert!([400, 422].contains(&response.status.as_u16()), "{path} {name}: {}", response.status);
    }
    let token = shop.log_in_portos("manager", "P01").await.text_at("/tokenId");
    for body in [
        r#"{"Items":[],"items":[{"unitPrice":{"amount":100},"quantity":{"amount":1}}]}"#,
        r#"{"items":[{"unitPrice":{"amount":100,"Amount":1},"quantity":{"amount":1}}]}"#,
    ] {
        let response = shop.send(with_bearer(with_text(Method::POST, "/portos/api/tickets", body), &token)).await;
        assert_eq!(response.status, 400, "{}", response.json());
        assert!(response.text_at("/errors/0/memberName").to_lowercase().starts_with("items"), "{}", response.json());
    }
}

/// A request with the pointers and codes of its violations.
type ViolationCase<'c> = (Method, &'c str, &'c str, &'c [(&'c str, &'c str)]);

/// A repeated member is reported with the other violations of its body, of which it hid all.
#[actix_web::test]
async fn duplicate_member_hides_no_other_violation() {
    let desk = OfficeClient::open().await;
    let till = log_in_at(&desk.shop, "manager", "P01").await;
    let ticket = path_of(&open_ticket(&desk.shop, &till, json!({ "currency": "EUR" })).await);
    let cases: [ViolationCase<'_>; 5] = [
        (
            Method::POST,
            "/api/v1/sessions",
            r#"{"login":"a","login":"b","new_password":"short"}"#,
            &[("/login", "duplicate"), ("/new_password", "weak"), ("/password", "required")],
        ),
        (
            Method::POST,
            "/api/v1/users",
            r#"{"user_name":7,"user_name":"","display_name":8,"other":1}"#,
            &[
                ("/display_name", "type"),
                ("/other", "unknown"),
                ("/user_name", "duplicate"),
                ("/user_name", "required"),
            ],
        ),
        (
            Method::POST,
            "/api/v1/enrollments/start",
            r#"{"storage":"hardware","storage":"paper","tenant":7}"#,
            &[("/storage", "duplicate"), ("/storage", "format"), ("/tenant", "type")],
        ),
        (Method::PATCH, &ticket, r#"{"name":"A","name":"B","items":7}"#, &[("/items", "type"), ("/name", "duplicate")]),
        (
            Method::POST,
            TICKETS,
            r#"{"a":1,"a":2}"#,
            &[("/a", "duplicate"), ("/a", "unknown"), ("/currency", "required")],
        ),
    ];
    for (method, path, body, places) in cases {
        let request = with_text(method, path, body).insert_header(("If-Match", "*"));
        let at_till = path.starts_with(TICKETS);
        let request = if at_till { with_bearer(request, &till) } else { request.insert_header(desk.bearer()) };
        assert_eq!(violations(&desk.shop.send(request).await).2, expected_pointers(places), "{body}");
    }
}

/// The dialects report the same in their own formats: a list of members, a text, or a code.
#[actix_web::test]
async fn duplicate_member_hides_no_other_violation_in_a_dialect() {
    let shop = TestServer::start();
    let token = shop.log_in_portos("manager", "P01").await.text_at("/tokenId");
    let item = r#"{"unitPrice":{"amount":"x","Amount":"y"},"quantity":{"amount":1},"quantity":{"amount":"z"}}"#;
    let in_items = ["Quantity.Amount", "UnitPrice.Amount", "quantity", "unitPrice.Amount"];
    let in_items = in_items.map(|member| format!("Items[0].{member}"));
    let ticket_members: Vec<&str> = in_items.iter().map(String::as_str).chain(["_v"]).collect();
    for (path, body, members) in [
        (
            "/portos/api/auth",
            r#"{"UserName":"a","username":"b","Password":7}"#.to_owned(),
            &["DeviceName", "Password", "UserName"][..],
        ),
        ("/portos/api/tickets", format!(r#"{{"Items":[{item}],"_v":"one"}}"#), &ticket_members),
        ("/portos/api/tickets", r#"{"Items":[],"items":7,"_v":"one"}"#.to_owned(), &["Items", "_v", "Items"]),
    ] {
        let response = shop.send(with_bearer(with_text(Method::POST, path, &body), &token)).await;
        let errors = response.json()["errors"].as_array().unwrap().clone();
        let named: Vec<&str> = errors.iter().map(|error| error["memberName"].as_str().unwrap()).collect();
        assert_eq!((response.status.as_u16(), named.as_slice()), (400, members), "{path}");
    }
    for (path, body, texts) in [
        (
            "/kasir/api/v1/auth/login",
            r#"{"email":"a","email":"b","password":7}"#,
            &["email must not be repeated; password "][..],
        ),
        (
            "/posstar/api/v1/auth/register",
            r#"{"email":"a@example.com","email":7,"password":"short"}"#,
            &["email must not be repeated", "email must be", "password ", "industry is required"],
        ),
        ("/fiuu/auth/login", r#"{"posId":"","password":"a","password":"b"}"#, &["40021"]),
    ] {
        let response = shop.send(with_text(Method::POST, path, body)).await;
        let text = String::from_utf8_lossy(&response.bytes).into_owned();
        assert!(response.status == 400 && texts.iter().all(|each| text.contains(each)), "{path}: {text}");
    }
}

#[actix_web::test]
async fn every_duplicate_member_is_reported_by_pointer() {
    let desk = OfficeClient::open().await;
    let made = desk.post("/users", json!({ "user_name": "nora" })).await.text_at("/id");
    for (method, path, body, places) in [
        (Method::POST, "/stores".to_owned(), r#"{"name":"A","name":"B"}"#, &["/name"][..]),
        (
            Method::POST,
            "/users".to_owned(),
            r#"{"user_name":"twice","devices":[{"device":"P01","roles":["cashier"],"roles":["manager"]},{"device":"P02","device":"PDA1","roles":[]}]}"#,
            &["/devices/0/roles", "/devices/1/device"],
        ),
        (Method::PATCH, format!("/users/{made}"), r#"{"display_name":"A","display_name":"B"}"#, &["/display_name"]),
        (
            Method::POST,
            "/devices".to_owned(),
            r#"{"name":"X1","environment":"Tool","preferences":{"a":{"b/c":1,"b/c":1}}}"#,
            &["/preferences/a/b~1c"],
        ),
    ] {
        let response = send_text(&desk, method, &path, body).await;
        let places: Vec<(&str, &str)> = places.iter().map(|place| (*place, "duplicate")).collect();
        assert_eq!(violations(&response), (422, "fields_invalid".to_owned(), expected_pointers(&places)), "{body}");
    }
    let shop = &desk.shop;
    let till = log_in_at(shop, "manager", "P01").await;
    let body = r#"{"currency":"EUR","items":[{"unit_price":"100","quantity":"1","unit_price":"1"}]}"#;
    let response = shop.send(with_bearer(with_text(Method::POST, TICKETS, body), &till)).await;
    assert_eq!(violations(&response).2, expected_pointers(&[("/items/0/unit_price", "duplicate")]));
    let ticket = open_ticket(shop, &till, json!({ "currency": "EUR" })).await;
    let patch = with_text(Method::PATCH, &path_of(&ticket), r#"{"name":"A","name":"B"}"#);
    let response = shop.send(with_bearer(patch, &till).insert_header(("If-Match", "*"))).await;
    assert_eq!(violations(&response).2, expected_pointers(&[("/name", "duplicate")]));
}

#[actix_web::test]
async fn device_listed_twice_is_rejected() {
    let desk = OfficeClient::open().await;
    let devices = json!([{ "device": "P01", "roles": ["cashier"] }, { "device": "p01", "roles": ["manager"] }]);
    let expected = (422, "fields_invalid".to_owned(), expected_pointers(&[("/devices", "duplicate")]));
    let added = desk.post("/users", json!({ "user_name": "nora", "devices": devices })).await;
    assert_eq!(violations(&added), expected);
    let nora = desk.post("/users", json!({ "user_name": "nora", "devices": [devices[0]] })).await;
    assert_eq!(nora.status, 201, "{}", nora.json());
    let path = format!("/users/{}", nora.text_at("/id"));
    assert_eq!(violations(&desk.patch(&path, "*", json!({ "devices": devices })).await), expected);
    assert_eq!(desk.get(&path).await.json()["devices"], json!([{ "device": "P01", "roles": ["cashier"] }]));
}

#[actix_web::test]
async fn client_json_round_trips_unchanged() {
    let desk = OfficeClient::open().await;
    let kept = r#"{"z":1.10,"a":[1.0,1e2,-0,0.1000,123456789012345678901234567890],"n":{"deep":1E-7}}"#;
    let body = format!(r#"{{"name":"X1","environment":"Tool","preferences":{kept}}}"#);
    let made = send_text(&desk, Method::POST, "/devices", &body).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let holds = |response: &TestResponse, text: &str| {
        let shown = String::from_utf8_lossy(&response.bytes).into_owned();
        assert!(shown.contains(text), "{shown} has no {text}");
    };
    let path = format!("/devices/{}", made.text_at("/id"));
    holds(&made, &format!("\"preferences\":{kept}"));
    holds(&desk.get(&path).await, &format!("\"preferences\":{kept}"));
    let patched = send_text(&desk, Method::PATCH, &path, r#"{"preferences":{"n":{"more":2.50}}}"#).await;
    holds(
        &patched,
        r#""preferences":{"z":1.10,"a":[1.0,1e2,-0,0.1000,123456789012345678901234567890],"n":{"deep":1E-7,"more":2.50}}"#,
    );
    let reader = desk.shop.log_in_portos("manager", "P01").await.text_at("/tokenId");
    for path in ["/portos/api/devices/X1", "/portos/api/devices?name=X1"] {
        holds(&desk.shop.get(path, &reader).await, r#""n":{"deep":1E-7,"more":2.50}}"#);
    }

    let shop = &desk.shop;
    let till = log_in_at(shop, "manager", "P01").await;
    let body = format!(r#"{{"currency":"EUR","customer":{{"full_name":"Jana","meta":{kept}}}}}"#);
    let ticket = shop.send(with_bearer(with_text(Method::POST, TICKETS, &body), &till)).await;
    holds(&ticket, &format!("\"meta\":{kept}"));
    let renamed =
        send(shop, &till, "PATCH", &path_of(&ticket), Some("*"), Some(json!({ "customer": { "phone": "1" } }))).await;
    holds(&renamed, &format!("\"meta\":{kept}"));

    let shop = TestServer::start();
    let token = shop.log_in_portos("manager", "P01").await.text_at("/tokenId");
    let body = format!(r#"{{"customer":{{"fullName":"Jana","meta":{kept}}}}}"#);
    let ticket = shop.send(with_bearer(with_text(Method::POST, "/portos/api/tickets", &body), &token)).await;
    assert_eq!(ticket.status, 201, "{}", ticket.json());
    holds(&ticket, &format!("\"meta\":{kept}"));
}

#[actix_web::test]
async fn number_beyond_double_range_is_rejected() {
    let desk = OfficeClient::open().await;
    for number in ["1e400", "-1e400", "1e999999"] {
        let body = format!(r#"{{"name":"X1","environment":"Tool","preferences":{{"a":[{number}]}}}}"#);
        let response = send_text(&desk, Method::POST, "/devices", &body).await;
        assert_eq!((response.status.as_u16(), response.text_at("/code").as_str()), (400, "body_malformed"), "{number}");
        assert!(response.text_at("/detail").contains("number that is out of range"), "{}", response.json());
    }
    let token = desk.shop.log_in_portos("manager", "P01").await.text_at("/tokenId");
    let body = r#"{"customer":{"meta":{"a":1e400}}}"#;
    let response = desk.shop.send(with_bearer(with_text(Method::POST, "/portos/api/tickets", body), &token)).await;
    assert_eq!(response.status, 400);
}

#[actix_web::test]
async fn empty_body_is_accepted_if_none_is_required() {
    let shop = TestServer::start();
    let till = log_in_at(&shop, "manager", "P01").await;
    let other = TestServer::start();
    let portos = other.log_in_portos("manager", "P01").await.text_at("/tokenId");
    for nothing in ["", "null", " null\n", "\u{feff}", "{}"] {
        let free = open_ticket(
            &shop,
            &till,
            json!({ "currency": "EUR", "items": [plain_item("1", "1")],
            "payments": [{ "means": "cash", "amount": "1.00" }] }),
        )
        .await;
        let close = with_text(Method::POST, &format!("{}/close", path_of(&free)), nothing);
        let closed = shop.send(with_bearer(close, &till).insert_header(("If-Match", "*"))).await;
        assert_eq!(closed.status, 200, "{nothing:?}: {}", closed.json());
        let refund = with_text(Method::POST, &format!("{}/refund", path_of(&free)), nothing);
        let back = shop.send(with_bearer(refund, &till)).await;
        assert_eq!((back.status.as_u16(), back.text_at("/payable").as_str()), (201, "-1.00"), "{nothing:?}");

        let item = json!({ "items": [{ "unitPrice": { "amount": 1 }, "quantity": { "amount": 1 } }] });
        let ticket =
            other.send(with_bearer(build_request(Method::POST, "/portos/api/tickets").set_json(item), &portos)).await;
        assert_eq!(ticket.status, 201, "{}", ticket.json());
        let path = format!("/portos/api/tickets/{}/close", ticket.text_at("/id"));
        let closed = other.send(with_bearer(with_text(Method::POST, &path, nothing), &portos)).await;
        assert_eq!(closed.status, 200, "{nothing:?}: {}", closed.json());
    }
    // an empty body is an error if members are required
    let desk = OfficeClient::open().await;
    let response = send_text(&desk, Method::POST, "/stores", "null").await;
    assert_eq!(violations(&response), (422, "fields_invalid".to_owned(), expected_pointers(&[("", "type")])));
}

#[actix_web::test]
async fn idempotency_key_and_request_are_equal_in_any_spelling() {
    let shop = TestServer::start();
    let till = log_in_at(&shop, "manager", "P01").await;
    let keyed = async |key: &str, body: &str| {
        shop.send(with_bearer(with_text(Method::POST, TICKETS, body), &till).insert_header(("Idempotency-Key", key)))
            .await
    };
    let first = keyed("one", r#"{"currency":"EUR","name":"é","items":[{"unit_price":"1","quantity":"2"}]}"#).await;
    assert_eq!(first.status, 201, "{}", first.json());
    for (key, body) in [
        ("\"one\"", r#"{"currency":"EUR","name":"é","items":[{"unit_price":"1","quantity":"2"}]}"#),
        (
            "one",
            "{ \"items\": [ { \"quantity\": \"2\",\r\n\t\"unit_price\": \"1\" } ], \"currency\": \"EUR\", \"name\": \"\\u00e9\" }",
        ),
        ("\"one\"; p=1;q", r#"{"currency":"EUR","name":"é","items":[{"unit_price":"1","quantity":"2"}]}"#),
        (
            " \"one\" ",
            "\u{feff}{\"name\":\"é\",\"items\":[{\"unit_price\":\"1\",\"quantity\":\"2\"}],\"currency\":\"EUR\"}",
        ),
    ] {
        let again = keyed(key, body).await;
        assert_eq!((again.status.as_u16(), &again.bytes), (201, &first.bytes), "{key} {body}");
    }
    for other in [
        r#"{"currency":"EUR","name":"é","items":[{"unit_price":"1.0","quantity":"2"}]}"#,
        r#"{"currency":"EUR","name":"é"}"#,
    ] {
        let response = keyed("\"one\"", other).await;
        assert_eq!(
            (response.status.as_u16(), response.text_at("/code").as_str()),
            (422, "idempotency_key_reused"),
            "{other}"
        );
    }
    for bad in ["\"\"", "\"a b\"", "\"a\"b\"", "\"one\";", "\"one\";p=", "\"one\";p=(1)"] {
        let response = keyed(bad, "{}").await;
        assert_eq!(
            (response.status.as_u16(), response.text_at("/code").as_str()),
            (400, "idempotency_key_invalid"),
            "{bad}"
        );
    }
    let listed = shop.get(TICKETS, &till).await.json()["items"].as_array().map(Vec::len);
    assert_eq!(listed, Some(1), "it counted once: {}", Value::from(listed));
}
