//! The native API's tickets: life cycle, rights, idempotency and isolation.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::office::{expected_pointers, violations};
use crate::test_server::{TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, with_bearer};

pub const TICKETS_PATH: &str = "/api/v1/tickets";

fn cheese_item() -> Value {
    json!({ "article": { "name": "Cheese", "vat_rate": "10" }, "unit_price": "5.363636", "quantity": "1.234", "unit": "kg" })
}

pub fn plain_item(price: &str, quantity: &str) -> Value {
    json!({ "unit_price": price, "quantity": quantity })
}

fn ticket_with_items(items: &[Value]) -> Value {
    json!({ "currency": "EUR", "items": items })
}

/// A user at a till.
pub async fn log_in_at(shop: &TestServer, login: &str, device: &str) -> String {
    let response =
        shop.post("/api/v1/sessions", json!({ "login": login, "password": TEST_PASSWORD, "device": device })).await;
    assert_eq!(response.status, 201, "{login}: {}", response.json());
    response.text_at("/access_token")
}

pub async fn send(
    shop: &TestServer,
    token: &str,
    method: &str,
    path: &str,
    version: Option<&str>,
    body: Option<Value>,
) -> TestResponse {
    let mut request = with_bearer(build_request(method.parse::<Method>().unwrap(), path), token);
    if let Some(version) = version {
        request = request.insert_header(("If-Match", version));
    }
    shop.send(if let Some(body) = body { request.set_json(body) } else { request }).await
}

pub async fn open_ticket(shop: &TestServer, token: &str, body: Value) -> TestResponse {
    let response = send(shop, token, "POST", TICKETS_PATH, None, Some(body)).await;
    assert_eq!(response.status, 201, "{}", response.json());
    response
}

pub fn path_of(ticket: &TestResponse) -> String {
    format!("{TICKETS_PATH}/{}", ticket.text_at("/id"))
}

pub fn problem_code(response: &TestResponse) -> (u16, String) {
    (response.status.as_u16(), response.text_at("/code"))
}

/// A request of the rights matrix about tickets, on a till.
pub async fn request(
    shop: &TestServer,
    method: &str,
    path: &str,
    own: bool,
    (someone, known): (&str, bool),
) -> TestRequest {
    let witness = log_in_at(shop, "witness", "PDA1").await;
    let token = log_in_at(shop, someone, "P01").await;
    // already paid: other payments at closing require the rights to update the ticket
    let payments = json!([{ "means": "cash", "amount": "2.00" }]);
    let sold = json!({ "currency": "EUR", "items": [plain_item("1", "2")], "payments": payments });
    let ticket = open_ticket(shop, if own { &token } else { &witness }, sold).await;
    if path.ends_with("/refund") {
        let closed =
            send(shop, &token, "POST", &format!("{}/close", path_of(&ticket)), Some("*"), Some(json!({}))).await;
        assert_eq!(closed.status, 200);
    }
    let at = path.replace("{id}", &ticket.text_at("/id"));
    let request = build_request(method.parse().unwrap(), &at).insert_header(("If-Match", "*"));
    let request = match (method, path.rsplit('/').next()) {
        ("POST", Some("close" | "refund")) => request.set_json(json!({})),
        ("POST", _) => request.set_json(ticket_with_items(&[cheese_item()])),
        ("PATCH", _) => request.set_json(json!({ "location": { "table": "5" } })),
        _ => request,
    };
    if known { with_bearer(request, &token) } else { request }
}

#[actix_web::test]
async fn ticket_is_opened_changed_closed_and_refunded() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let body =
        json!({ "currency": "EUR", "items": [cheese_item()], "discount_rate": "20", "location": { "zone": "garden" } });
    let made = open_ticket(&shop, &token, body).await;
    let path = path_of(&made);
    assert_eq!((made.header("location"), made.header("etag")), (path.as_str(), "\"1\""));
    let totals = json!({ "total": "6.62", "including_vat": "7.28", "after_discount": "5.29",
        "after_discount_including_vat": "5.82", "discount": "1.33", "discount_including_vat": "1.46" });
    assert_eq!((&made.json()["totals"], &made.json()["items"][0]["totals"]), (&totals, &totals));
    let item = &made.json()["items"][0];
    let prices = [
        "unit_price",
        "unit_price_including_vat",
        "unit_price_after_discount",
        "unit_price_after_discount_including_vat",
        "quantity",
    ]
    .map(|name| item[name].as_str().unwrap().to_owned());
    assert_eq!(prices, ["5.363636", "5.900000", "4.290909", "4.720000", "1.234000"]);
    assert_eq!((made.text_at("/payable").as_str(), made.text_at("/currency").as_str()), ("5.82", "EUR"));
    assert_eq!((made.text_at("/owner/user_name").as_str(), made.text_at("/device/name").as_str()), ("manager", "P01"));
    let shown = shop.get(&path, &token).await;
    assert_eq!((shown.json(), shown.header("etag")), (made.json(), "\"1\""));

    // a merge patch, also of nested members
    let patch = json!({ "name": "Table 5", "location": { "table": "5" }, "customer": { "full_name": "Jana", "meta": { "a": 1 } } });
    let changed = send(&shop, &token, "PATCH", &path, Some("\"1\""), Some(patch)).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""));
    assert_eq!(changed.json()["location"], json!({ "zone": "garden", "table": "5" }));
    let patch = json!({ "name": null, "customer": { "meta": { "a": null, "b": 2 } } });
    let changed = send(&shop, &token, "PATCH", &path, Some("*"), Some(patch)).await;
    assert_eq!((changed.text_at("/name").as_str(), changed.text_at("/customer/full_name").as_str()), ("", "Jana"));
    assert_eq!(changed.json()["customer"]["meta"], json!({ "b": 2 }));
    assert_eq!(changed.json()["items"], made.json()["items"]);
    let late = send(&shop, &token, "PATCH", &path, Some("\"2\""), Some(json!({ "name": "x" }))).await;
    assert_eq!((problem_code(&late), late.json()["version"].clone()), ((412, "version_moved".into()), json!(3)));
    for (method, path) in [("PATCH", path.clone()), ("DELETE", path.clone()), ("POST", format!("{path}/close"))] {
        let body = (method != "DELETE").then(|| json!({}));
        let bare = send(&shop, &token, method, &path, None, body).await;
        assert_eq!(bare.status, 428, "{method} {path}");
    }

    // paid, with change in cash
    let close = format!("{path}/close");
    let short = json!({ "payments": [{ "means": "card", "amount": "5.81" }] });
    let refused = send(&shop, &token, "POST", &close, Some("\"3\""), Some(short)).await;
    assert_eq!(
        (problem_code(&refused), refused.text_at("/detail")),
        ((409, "ticket_unpaid".into()), "0.01 is still due; add a payment.".into())
    );
    let paid = json!({ "payments": [{ "means": "card", "amount": "5.00" }, { "means": "cash", "amount": "1.00" }], "fiscal": "eKasa" });
    let closed = send(&shop, &token, "POST", &close, Some("\"3\""), Some(paid)).await;
    assert_eq!(
        (closed.status.as_u16(), closed.text_at("/state").as_str(), closed.text_at("/change").as_str()),
        (200, "closed", "0.18")
    );
    assert_eq!(
        (closed.json()["closed"]["number"].clone(), closed.text_at("/closed/fiscal").as_str()),
        (json!(1), "eKasa")
    );
    for (method, path, body) in
        [("PATCH", &path, Some(json!({ "name": "x" }))), ("DELETE", &path, None), ("POST", &close, Some(json!({})))]
    {
        let refused = send(&shop, &token, method, path, Some("*"), body).await;
        assert_eq!(problem_code(&refused), (409, "ticket_closed".into()), "{method} {path}");
    }

    // refunded in two parts, and no more than that
    let refund = format!("{path}/refund");
    let part = json!({ "items": [{ "id": 1, "quantity": "1" }] });
    let back = send(&shop, &token, "POST", &refund, None, Some(part.clone())).await;
    assert_eq!((back.status.as_u16(), back.text_at("/payable").as_str()), (201, "-4.72"));
    assert_eq!((back.text_at("/refund_of"), back.header("location")), (made.text_at("/id"), path_of(&back).as_str()));
    let more = send(&shop, &token, "POST", &refund, None, Some(part)).await;
    assert_eq!(
        (problem_code(&more), more.text_at("/detail")),
        (
            (409, "refund_too_large".into()),
            "Item 1: at most 0.234000 can still be refunded; reduce the quantity.".into()
        )
    );
    let rest = send(&shop, &token, "POST", &refund, None, Some(json!({}))).await;
    assert_eq!((rest.status.as_u16(), rest.text_at("/payable").as_str()), (201, "-1.10"));
    assert_eq!(
        problem_code(&send(&shop, &token, "POST", &refund, None, Some(json!({}))).await),
        (422, "refund_empty".into())
    );
    let listed = shop.get(&format!("{TICKETS_PATH}?refund_of={}", made.text_at("/id")), &token).await;
    assert_eq!(listed.json()["items"].as_array().unwrap().len(), 2);

    // void with a reason, and still readable
    let gone =
        send(&shop, &token, "DELETE", &format!("{}?reason=by%20mistake", path_of(&rest)), Some("\"1\""), None).await;
    assert_eq!((gone.status.as_u16(), gone.bytes.len()), (204, 0));
    let shown = shop.get(&path_of(&rest), &token).await;
    assert_eq!((shown.text_at("/state").as_str(), shown.text_at("/voided/reason").as_str()), ("void", "by mistake"));
    let again = send(&shop, &token, "POST", &refund, None, Some(json!({}))).await;
    assert_eq!(again.text_at("/payable"), "-1.10", "what is void took nothing");
}

#[actix_web::test]
async fn request_with_idempotency_key_counts_once() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let keyed = async |token: &str, key: &str, path: &str, body: Value| {
        shop.send(with_bearer(post_request(path, body), token).insert_header(("Idempotency-Key", key))).await
    };
    let first = keyed(&token, "one", TICKETS_PATH, ticket_with_items(&[cheese_item()])).await;
    assert_eq!(first.status, 201);
    let patched = send(&shop, &token, "PATCH", &path_of(&first), Some("*"), Some(json!({ "name": "x" }))).await;
    assert_eq!(patched.status, 200);
    for _ in 0..2 {
        shop.clock.advance(Duration::from_mins(1));
        let again = keyed(&token, "one", TICKETS_PATH, ticket_with_items(&[cheese_item()])).await;
        assert_eq!((again.status, &again.bytes), (first.status, &first.bytes), "what it was answered, to the letter");
        assert_eq!((again.header("etag"), again.header("location")), (first.header("etag"), first.header("location")));
    }
    let other = keyed(&token, "one", TICKETS_PATH, ticket_with_items(&[plain_item("1", "1")])).await;
    assert_eq!(problem_code(&other), (422, "idempotency_key_reused".into()));
    // a rejected request does not use up its key
    let refused = keyed(&token, "two", TICKETS_PATH, json!({ "currency": "EUR", "owner": "nobody" })).await;
    assert_eq!(refused.status, 422);
    assert_eq!(keyed(&token, "two", TICKETS_PATH, ticket_with_items(&[])).await.status, 201);
    // the same key of another user is a different key
    let cashier = log_in_at(&shop, "cashier", "PDA1").await;
    let theirs = keyed(&cashier, "one", TICKETS_PATH, ticket_with_items(&[cheese_item()])).await;
    assert_eq!(theirs.status, 201);
    assert_ne!(theirs.text_at("/id"), first.text_at("/id"));
    // a refund is idempotent too, and shares its keys with ticket creation
    let close = json!({ "payments": [{ "means": "cash", "amount": "7.28" }] });
    let closed = send(&shop, &token, "POST", &format!("{}/close", path_of(&first)), Some("*"), Some(close)).await;
    assert_eq!(closed.status, 200, "{}", closed.json());
    let refund = format!("{}/refund", path_of(&first));
    assert_eq!(problem_code(&keyed(&token, "one", &refund, json!({})).await), (422, "idempotency_key_reused".into()));
    let back = keyed(&token, "three", &refund, json!({})).await;
    let again = keyed(&token, "three", &refund, json!({})).await;
    assert_eq!((back.status.as_u16(), &again.bytes), (201, &back.bytes));
    for bad in ["", "a b", &"x".repeat(256)] {
        assert_eq!(
            problem_code(&keyed(&token, bad, TICKETS_PATH, ticket_with_items(&[])).await),
            (400, "idempotency_key_invalid".into()),
            "{bad}"
        );
    }
}

#[actix_web::test]
async fn every_violation_is_reported_with_its_pointer() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "cashier", "P01").await;
    let sent = json!({ "owner": 1, "name": "x".repeat(201), "discount_rate": "100.5", "rounding": 0.01, "location": [],
        "customer": { "discount_rate": "x", "meta": 1 }, "payments": [{ "means": "gold" }],
        "items": [{ "quantity": "1.2345678" }, 7, { "id": -1, "kind": "free", "unit_price": "1", "quantity": "1",
                    "article": { "vat_rate": "-1", "price_fixed": "no", "order_endpoints": [1] } }] });
    let refused = send(&shop, &token, "POST", TICKETS_PATH, None, Some(sent)).await;
    assert_eq!(problem_code(&refused), (422, "fields_invalid".into()));
    let errors = refused.json()["errors"].as_array().unwrap().clone();
    let reported: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(
        reported,
        [
            "/currency",
            "/customer/discount_rate",
            "/customer/meta",
            "/discount_rate",
            "/items/0/quantity",
            "/items/0/unit_price",
            "/items/1",
            "/items/2/article/order_endpoints/0",
            "/items/2/article/price_fixed",
            "/items/2/article/vat_rate",
            "/items/2/id",
            "/items/2/kind",
            "/location",
            "/name",
            "/owner",
            "/payments/0/amount",
            "/payments/0/means",
            "/rounding",
        ]
    );
    for (body, pointer) in [
        (json!({ "currency": "EUR", "owner": "nobody" }), "/owner"),
        (json!({ "currency": "EUR", "rounding": "1.00" }), "/rounding"),
        (
            ticket_with_items(&[
                json!({ "id": 1, "unit_price": "1", "quantity": "1" }),
                json!({ "id": 1, "unit_price": "1", "quantity": "1" }),
            ]),
            "/items",
        ),
        (ticket_with_items(&[plain_item("999999999.999999", "999999")]), "/items"),
    ] {
        let refused = send(&shop, &token, "POST", TICKETS_PATH, None, Some(body.clone())).await;
        assert_eq!((refused.status.as_u16(), refused.text_at("/errors/0/pointer").as_str()), (422, pointer), "{body}");
    }
    let query = shop.get(&format!("{TICKETS_PATH}?state=x&owner=y&from=z&sort=w&limit=0"), &token).await;
    assert_eq!((query.status.as_u16(), query.json()["errors"].as_array().unwrap().len()), (422, 5));
}

#[actix_web::test]
async fn listed_items_are_accepted_back_without_loss() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "cashier", "P01").await;
    let made = open_ticket(&shop, &token, ticket_with_items(&[cheese_item()])).await;
    let path = path_of(&made);
    let mut items = made.json()["items"].clone();
    items[0]["quantity"] = json!("2");
    let changed = send(&shop, &token, "PATCH", &path, Some("\"1\""), Some(json!({ "items": items }))).await;
    assert_eq!(
        (changed.status.as_u16(), changed.text_at("/items/0/quantity")),
        (200, "2.000000".into()),
        "{}",
        changed.json()
    );

    items[0]["article"]["vat"] = json!("10");
    items[0]["price"] = json!("1");
    let patch = json!({ "items": items, "nmae": "x", "location": { "room": "1" }, "customer": { "name": "Jana" },
        "payments": [{ "means": "cash", "amount": "1", "currency": "EUR" }] });
    let refused = send(&shop, &token, "PATCH", &path, Some("\"2\""), Some(patch)).await;
    let places =
        ["/customer/name", "/items/0/article/vat", "/items/0/price", "/location/room", "/nmae", "/payments/0/currency"];
    let expected = expected_pointers(&places.map(|place| (place, "unknown")));
    assert_eq!(violations(&refused), (422, "fields_invalid".to_owned(), expected));
    // null removes a member, but there is none of this name
    let patch = json!({ "location": { "room": null, "zone": null }, "customer": { "name": null, "meta": { "x": null } },
        "extra": { "x": null } });
    let refused = send(&shop, &token, "PATCH", &path, Some("\"2\""), Some(patch)).await;
    let expected = expected_pointers(&["/customer/name", "/location/room"].map(|place| (place, "unknown")));
    assert_eq!(violations(&refused), (422, "fields_invalid".to_owned(), expected));
    assert_eq!(shop.get(&path, &token).await.json(), changed.json());
}

#[actix_web::test]
async fn list_continues_after_the_previous_page() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let mut made = Vec::new();
    for (name, price) in [("a", "3"), ("b", "1"), ("c", "2"), ("d", "1")] {
        let body = json!({ "currency": "EUR", "name": name, "items": [plain_item(price, "1")] });
        made.push(open_ticket(&shop, &token, body).await);
        shop.clock.advance(Duration::from_mins(1));
    }
    let changed =
        send(&shop, &token, "PATCH", &path_of(&made[0]), Some("*"), Some(json!({ "external_id": "X-1" }))).await;
    assert_eq!(changed.status, 200);
    let pages = async |query: &str| {
        let (mut names, mut after) = (String::new(), String::new());
        loop {
            let page = shop.get(&format!("{TICKETS_PATH}?limit=1&{query}{after}"), &token).await;
            assert_eq!(page.status, 200, "{query}: {}", page.json());
            names.extend(page.json()["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()));
            match page.json()["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return names,
            }
        }
    };
    let owner = made[0].text_at("/owner/id");
    for (query, expected) in [
        ("", "abcd"),
        ("sort=-opened_at", "dcba"),
        ("sort=updated_at", "bcda"),
        ("sort=-updated_at", "adcb"),
        ("sort=payable", "bdca"),
        ("sort=-payable", "acdb"),
        ("state=open", "abcd"),
        ("state=closed", ""),
        ("search=x-1", "a"),
        ("from=2026-11-21T12:01:00Z&until=2026-11-21T12:03:00Z", "bc"),
        (&format!("owner={owner}"), "abcd"),
        ("owner=00000000-0000-7000-8000-000000000000", ""),
        (&format!("device={}", made[0].text_at("/device/id")), "abcd"),
    ] {
        assert_eq!(pages(query).await, expected, "{query}");
    }
}

#[actix_web::test]
async fn tickets_require_a_sale_device() {
    let shop = TestServer::start();
    let office = shop.log_in_native("admin").await.text_at("/access_token");
    let refused = send(&shop, &office, "POST", TICKETS_PATH, None, Some(ticket_with_items(&[cheese_item()]))).await;
    assert_eq!(problem_code(&refused), (403, "sale_device_needed".into()));
    let till = log_in_at(&shop, "cashier", "P01").await;
    let ticket = open_ticket(&shop, &till, ticket_with_items(&[cheese_item()])).await;
    assert_eq!(
        send(&shop, &office, "PATCH", &path_of(&ticket), Some("*"), Some(json!({ "name": "x" }))).await.status,
        403
    );
    assert_eq!(shop.get(&path_of(&ticket), &office).await.status, 200);
    assert_eq!(send(&shop, &office, "DELETE", &path_of(&ticket), Some("*"), None).await.status, 204);
    // tickets of other tenants are not visible
    let stranger = shop.log_in_native("stranger@example.com").await.text_at("/access_token");
    assert_eq!(shop.get(&path_of(&ticket), &stranger).await.status, 404);
    assert_eq!(shop.get(TICKETS_PATH, &stranger).await.json()["items"], json!([]));
}
