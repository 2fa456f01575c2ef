//! An invalid element of a list hides no other violation of a ticket, in the native API and PORTOS.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::office::{expected_pointers, violations};
use crate::portos_tickets as portos;
use crate::test_server::{TestResponse, TestServer, build_request, post_request, put_request, with_bearer};
use crate::tickets::{TICKETS_PATH, log_in_at, open_ticket, path_of, plain_item, problem_code, send};

/// Asserts that the response reports exactly these members, in any order of equal pointers.
#[track_caller]
fn assert_reported(response: &TestResponse, expected: &[(&str, &str)]) {
    let (status, _, mut found) = violations(response);
    let mut expected = expected_pointers(expected);
    found.sort();
    expected.sort();
    assert_eq!((status, found), (422, expected), "{}", response.json());
}

/// A ticket of which everything is wrong that can be.
fn faulty_ticket() -> Value {
    json!({
        "rounding": "0.001",
        "items": [{ "id": 1, "unit_price": "1" }, { "id": 1, "unit_price": "1", "quantity": "1" }],
        "payments": [
            { "means": "cash" }, { "means": "coin", "amount": "1.005" }, 5, { "means": "cash", "amount": "0.001" }
        ],
    })
}

#[actix_web::test]
async fn invalid_payment_hides_no_unpayable_amount() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let in_any_currency = [
        ("/items", "taken"),
        ("/items/0/quantity", "required"),
        ("/payments/0/amount", "required"),
        ("/payments/1/means", "format"),
        ("/payments/2", "type"),
    ];
    let in_euro = [("/payments/1/amount", "range"), ("/payments/3/amount", "range"), ("/rounding", "range")];
    let all = [&in_any_currency[..], &in_euro[..]].concat();
    let mut new = faulty_ticket();
    new["currency"] = json!("EUR");
    assert_reported(&send(&shop, &token, "POST", TICKETS_PATH, None, Some(new.clone())).await, &all);
    let ticket = open_ticket(&shop, &token, json!({ "currency": "EUR", "items": [plain_item("1", "1")] })).await;
    assert_reported(&send(&shop, &token, "PATCH", &path_of(&ticket), Some("*"), Some(faulty_ticket())).await, &all);
    // what no currency allows is found without one
    new["currency"] = json!("euro");
    let expected = [&in_any_currency[..], &[("/currency", "format")]].concat();
    assert_reported(&send(&shop, &token, "POST", TICKETS_PATH, None, Some(new)).await, &expected);
    // an item whose sums are out of range has an id, too
    let items = json!([{ "id": 7, "unit_price": "999999999", "quantity": "999999" }, { "id": 7, "unit_price": "1", "quantity": "1" }]);
    let large = json!({ "currency": "EUR", "items": items });
    let expected = [("/items", "range"), ("/items", "taken")];
    assert_reported(&send(&shop, &token, "POST", TICKETS_PATH, None, Some(large)).await, &expected);
}

#[actix_web::test]
async fn closing_reports_unpayable_amounts_with_all_violations() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let ticket = open_ticket(&shop, &token, json!({ "currency": "EUR", "items": [plain_item("1", "1")] })).await;
    let path = format!("{}/close", path_of(&ticket));
    let close = async |body: Value| send(&shop, &token, "POST", &path, Some("*"), Some(body)).await;
    let unpayable = json!({ "means": "card", "amount": "1.005" });
    let back = json!({ "means": "cash", "amount": "-1" });
    let sent = json!({ "number": "x", "payments": [{ "means": "cash" }, unpayable, back] });
    let expected = [
        ("/number", "type"),
        ("/payments", "range"),
        ("/payments/0/amount", "required"),
        ("/payments/1/amount", "range"),
    ];
    assert_reported(&close(sent).await, &expected);
    // an amount that is invalid is not reported as zero, and one that is zero is
    let sent = json!({ "payments": [{ "means": "cash" }, unpayable] });
    assert_reported(&close(sent).await, &[("/payments/0/amount", "required"), ("/payments/1/amount", "range")]);
    let zero = json!({ "means": "cash", "amount": "0" });
    let sent = json!({ "number": "x", "payments": [zero] });
    assert_reported(&close(sent).await, &[("/number", "type"), ("/payments", "range")]);
    let both = close(json!({ "payments": [zero, unpayable] })).await;
    assert_reported(&both, &[("/payments", "range"), ("/payments/1/amount", "range")]);
    // of a ticket that does not exist, only the body is known
    let path = format!("{TICKETS_PATH}/018f3b3e-0000-7000-8000-000000000000/close");
    let body = json!({ "number": "x", "payments": [unpayable] });
    let absent = send(&shop, &token, "POST", &path, Some("*"), Some(body));
    assert_reported(&absent.await, &[("/number", "type")]);
}

#[actix_web::test]
async fn refund_reports_all_that_is_wrong_with_its_items() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let paid = json!([{ "means": "cash", "amount": "1" }]);
    let body = json!({ "currency": "EUR", "items": [plain_item("1", "1")], "payments": paid });
    let ticket = open_ticket(&shop, &token, body).await;
    let closed = send(&shop, &token, "POST", &format!("{}/close", path_of(&ticket)), Some("*"), None).await;
    assert_eq!(closed.status, 200, "{}", closed.json());
    let path = format!("{}/refund", path_of(&ticket));
    let refund = async |items: Value| send(&shop, &token, "POST", &path, None, Some(json!({ "items": items }))).await;
    let sent = json!([{ "id": 1 }, { "id": 1, "quantity": "1" }, { "id": 9, "quantity": "0" }, { "quantity": "1" }]);
    let expected = [
        ("/items", "required"),
        ("/items", "taken"),
        ("/items", "unknown"),
        ("/items/0/quantity", "required"),
        ("/items/3/id", "required"),
    ];
    assert_reported(&refund(sent).await, &expected);
    let one = json!({ "id": 1, "quantity": "1" });
    let several = refund(json!([one, one, { "id": 9, "quantity": "0" }, { "id": 8, "quantity": "1" }])).await;
    let expected = [("/items", "required"), ("/items", "taken"), ("/items", "unknown"), ("/items", "unknown")];
    assert_reported(&several, &expected);
    assert_eq!(problem_code(&refund(json!([one, one])).await), (422, "item_twice".to_owned()));
    assert_eq!(refund(json!([one])).await.status, 201);
}

/// The members that a response of PORTOS reports.
#[track_caller]
fn members(response: &TestResponse) -> Vec<String> {
    assert_eq!(response.status, 400, "{}", response.json());
    let errors = response.json()["errors"].as_array().unwrap().clone();
    let mut members: Vec<String> =
        errors.iter().map(|error| error["memberName"].as_str().unwrap().to_owned()).collect();
    members.sort();
    members
}

#[actix_web::test]
async fn portos_reports_rounding_and_repeated_items_with_other_faults() {
    let shop = TestServer::start();
    let token = portos::log_in_at(&shop, "manager", "PDA1").await;
    let item = json!({ "id": 1, "unitPrice": { "amount": 1 }, "quantity": { "amount": 1 } });
    let unpayable = json!({ "amount": 1.005 });
    let readable = json!({ "roundingAmount": 0.5, "items": [item, item], "payments": [unpayable] });
    let expected = ["Items", "Payments[0].Amount", "RoundingAmount"];
    let open = shop.send(portos::bearer(post_request("/portos/api/tickets", readable.clone()), &token)).await;
    assert_eq!(members(&open), expected);
    let unread = json!({ "roundingAmount": 0.5, "items": [item, { "id": 1 }], "payments": [{ "type": 5 }, unpayable] });
    let expected_unread = [
        "Items",
        "Items[1].Quantity",
        "Items[1].UnitPrice",
        "Payments[0].Amount",
        "Payments[0].Type",
        "Payments[1].Amount",
        "RoundingAmount",
    ];
    let open = shop.send(portos::bearer(post_request("/portos/api/tickets", unread.clone()), &token)).await;
    assert_eq!(members(&open), expected_unread);
    // of a new ticket under a client's id, and of one that exists
    let id = portos::open_ticket(&shop, &token, json!({ "items": [item] })).await.text_at("/id");
    for id in ["635f7ae3072edfeae7c26a1f", &id] {
        let path = format!("/portos/api/tickets/{id}");
        for (body, expected) in [(&readable, &expected[..]), (&unread, &expected_unread[..])] {
            let response = shop.send(portos::bearer(put_request(&path, body.clone()), &token)).await;
            assert_eq!(members(&response), expected, "{id}");
        }
    }
    // of several at once
    let mut one = unread.clone();
    one["id"] = json!(id);
    let several = build_request(Method::PATCH, "/portos/api/tickets").set_json(json!([one]));
    let several = shop.send(with_bearer(several, &token)).await;
    assert_eq!(members(&several), expected_unread.map(|member| format!("[0].{member}")));
    // and when it is closed
    let path = format!("/portos/api/tickets/{id}/close");
    let closing = json!({ "number": "x", "payments": [{}, unpayable] });
    let close = shop.send(portos::bearer(post_request(&path, closing), &token)).await;
    assert_eq!(members(&close), ["Number", "Payments[0].Amount", "Payments[1].Amount"]);
    let closing = json!({ "number": "x", "payments": [{ "amount": 0 }] });
    let close = shop.send(portos::bearer(post_request(&path, closing), &token)).await;
    assert_eq!(members(&close), ["Number", "Payments"]);
}
