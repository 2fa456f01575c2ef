//! The native API's tickets.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::office::{faults, pointers};
use crate::shop::{Answer, PASSWORD, Shop, bearer, call, post};

pub const ALL: &str = "/api/v1/tickets";

fn cheese() -> Value {
    json!({ "article": { "name": "Cheese", "vat_rate": "10" }, "unit_price": "5.363636", "quantity": "1.234", "unit": "kg" })
}

pub fn plain(price: &str, quantity: &str) -> Value {
    json!({ "unit_price": price, "quantity": quantity })
}

fn with(items: &[Value]) -> Value {
    json!({ "currency": "EUR", "items": items })
}

/// Somebody at a till.
pub async fn at(shop: &Shop, login: &str, device: &str) -> String {
    let answer = shop.post("/api/v1/sessions", json!({ "login": login, "password": PASSWORD, "device": device })).await;
    assert_eq!(answer.status, 201, "{login}: {}", answer.json());
    answer.text("/access_token")
}

pub async fn send(
    shop: &Shop,
    token: &str,
    method: &str,
    path: &str,
    version: Option<&str>,
    body: Option<Value>,
) -> Answer {
    let mut request = bearer(call(method.parse::<Method>().unwrap(), path), token);
    if let Some(version) = version {
        request = request.insert_header(("If-Match", version));
    }
    shop.send(if let Some(body) = body { request.set_json(body) } else { request }).await
}

pub async fn opened(shop: &Shop, token: &str, body: Value) -> Answer {
    let answer = send(shop, token, "POST", ALL, None, Some(body)).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer
}

pub fn path_of(ticket: &Answer) -> String {
    format!("{ALL}/{}", ticket.text("/id"))
}

pub fn code(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.text("/code"))
}

/// A call about tickets, as the table of rights makes it: on a till.
pub async fn request(shop: &Shop, method: &str, path: &str, own: bool, (someone, known): (&str, bool)) -> TestRequest {
    let witness = at(shop, "witness", "PDA1").await;
    let token = at(shop, someone, "P01").await;
    // paid already: other payments at the closing ask what a change asks
    let payments = json!([{ "means": "cash", "amount": "2.00" }]);
    let sold = json!({ "currency": "EUR", "items": [plain("1", "2")], "payments": payments });
    let ticket = opened(shop, if own { &token } else { &witness }, sold).await;
    if path.ends_with("/refund") {
        let closed =
            send(shop, &token, "POST", &format!("{}/close", path_of(&ticket)), Some("*"), Some(json!({}))).await;
        assert_eq!(closed.status, 200);
    }
    let at = path.replace("{id}", &ticket.text("/id"));
    let request = call(method.parse().unwrap(), &at).insert_header(("If-Match", "*"));
    let request = match (method, path.rsplit('/').next()) {
        ("POST", Some("close" | "refund")) => request.set_json(json!({})),
        ("POST", _) => request.set_json(with(&[cheese()])),
        ("PATCH", _) => request.set_json(json!({ "location": { "table": "5" } })),
        _ => request,
    };
    if known { bearer(request, &token) } else { request }
}

#[actix_web::test]
async fn a_ticket_is_opened_changed_closed_and_taken_back() {
    let shop = Shop::open();
    let token = at(&shop, "manager", "P01").await;
    let body =
        json!({ "currency": "EUR", "items": [cheese()], "discount_rate": "20", "location": { "zone": "garden" } });
    let made = opened(&shop, &token, body).await;
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
    assert_eq!((made.text("/payable").as_str(), made.text("/currency").as_str()), ("5.82", "EUR"));
    assert_eq!((made.text("/owner/user_name").as_str(), made.text("/device/name").as_str()), ("manager", "P01"));
    let shown = shop.get(&path, &token).await;
    assert_eq!((shown.json(), shown.header("etag")), (made.json(), "\"1\""));

    // a merge patch: members of members too
    let patch = json!({ "name": "Table 5", "location": { "table": "5" }, "customer": { "full_name": "Jana", "meta": { "a": 1 } } });
    let changed = send(&shop, &token, "PATCH", &path, Some("\"1\""), Some(patch)).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""));
    assert_eq!(changed.json()["location"], json!({ "zone": "garden", "table": "5" }));
    let patch = json!({ "name": null, "customer": { "meta": { "a": null, "b": 2 } } });
    let changed = send(&shop, &token, "PATCH", &path, Some("*"), Some(patch)).await;
    assert_eq!((changed.text("/name").as_str(), changed.text("/customer/full_name").as_str()), ("", "Jana"));
    assert_eq!(changed.json()["customer"]["meta"], json!({ "b": 2 }));
    assert_eq!(changed.json()["items"], made.json()["items"]);
    let late = send(&shop, &token, "PATCH", &path, Some("\"2\""), Some(json!({ "name": "x" }))).await;
    assert_eq!((code(&late), late.json()["version"].clone()), ((412, "version_moved".into()), json!(3)));
    for (method, path) in [("PATCH", path.clone()), ("DELETE", path.clone()), ("POST", format!("{path}/close"))] {
        let body = (method != "DELETE").then(|| json!({}));
        let bare = send(&shop, &token, method, &path, None, body).await;
        assert_eq!(bare.status, 428, "{method} {path}");
    }

    // paid, with change on the cash
    let close = format!("{path}/close");
    let short = json!({ "payments": [{ "means": "card", "amount": "5.81" }] });
    let refused = send(&shop, &token, "POST", &close, Some("\"3\""), Some(short)).await;
    assert_eq!(
        (code(&refused), refused.text("/detail")),
        ((409, "ticket_unpaid".into()), "0.01 is still to be paid; add a payment.".into())
    );
    let paid = json!({ "payments": [{ "means": "card", "amount": "5.00" }, { "means": "cash", "amount": "1.00" }], "fiscal": "eKasa" });
    let closed = send(&shop, &token, "POST", &close, Some("\"3\""), Some(paid)).await;
    assert_eq!(
        (closed.status.as_u16(), closed.text("/state").as_str(), closed.text("/change").as_str()),
        (200, "closed", "0.18")
    );
    assert_eq!(
        (closed.json()["closed"]["number"].clone(), closed.text("/closed/fiscal").as_str()),
        (json!(1), "eKasa")
    );
    for (method, path, body) in
        [("PATCH", &path, Some(json!({ "name": "x" }))), ("DELETE", &path, None), ("POST", &close, Some(json!({})))]
    {
        let refused = send(&shop, &token, method, path, Some("*"), body).await;
        assert_eq!(code(&refused), (409, "ticket_closed".into()), "{method} {path}");
    }

    // taken back in two parts, and no more
    let refund = format!("{path}/refund");
    let part = json!({ "items": [{ "id": 1, "quantity": "1" }] });
    let back = send(&shop, &token, "POST", &refund, None, Some(part.clone())).await;
    assert_eq!((back.status.as_u16(), back.text("/payable").as_str()), (201, "-4.72"));
    assert_eq!((back.text("/refund_of"), back.header("location")), (made.text("/id"), path_of(&back).as_str()));
    let more = send(&shop, &token, "POST", &refund, None, Some(part)).await;
    assert_eq!(
        (code(&more), more.text("/detail")),
        (
            (409, "refund_too_large".into()),
            "Item 1: 0.234000 of it can still be taken back; lower the quantity.".into()
        )
    );
    let rest = send(&shop, &token, "POST", &refund, None, Some(json!({}))).await;
    assert_eq!((rest.status.as_u16(), rest.text("/payable").as_str()), (201, "-1.10"));
    assert_eq!(code(&send(&shop, &token, "POST", &refund, None, Some(json!({}))).await), (422, "refund_empty".into()));
    let listed = shop.get(&format!("{ALL}?refund_of={}", made.text("/id")), &token).await;
    assert_eq!(listed.json()["items"].as_array().unwrap().len(), 2);

    // void, with a reason, and shown for ever
    let gone =
        send(&shop, &token, "DELETE", &format!("{}?reason=by%20mistake", path_of(&rest)), Some("\"1\""), None).await;
    assert_eq!((gone.status.as_u16(), gone.bytes.len()), (204, 0));
    let shown = shop.get(&path_of(&rest), &token).await;
    assert_eq!((shown.text("/state").as_str(), shown.text("/voided/reason").as_str()), ("void", "by mistake"));
    let again = send(&shop, &token, "POST", &refund, None, Some(json!({}))).await;
    assert_eq!(again.text("/payable"), "-1.10", "what is void took nothing");
}

#[actix_web::test]
async fn a_request_with_a_key_counts_once() {
    let shop = Shop::open();
    let token = at(&shop, "manager", "P01").await;
    let keyed = async |token: &str, key: &str, path: &str, body: Value| {
        shop.send(bearer(post(path, body), token).insert_header(("Idempotency-Key", key))).await
    };
    let first = keyed(&token, "one", ALL, with(&[cheese()])).await;
    assert_eq!(first.status, 201);
    let patched = send(&shop, &token, "PATCH", &path_of(&first), Some("*"), Some(json!({ "name": "x" }))).await;
    assert_eq!(patched.status, 200);
    for _ in 0..2 {
        shop.clock.pass(Duration::from_mins(1));
        let again = keyed(&token, "one", ALL, with(&[cheese()])).await;
        assert_eq!((again.status, &again.bytes), (first.status, &first.bytes), "what it was answered, to the letter");
        assert_eq!((again.header("etag"), again.header("location")), (first.header("etag"), first.header("location")));
    }
    let other = keyed(&token, "one", ALL, with(&[plain("1", "1")])).await;
    assert_eq!(code(&other), (422, "idempotency_key_reused".into()));
    // what was refused has used no key
    let refused = keyed(&token, "two", ALL, json!({ "currency": "EUR", "owner": "nobody" })).await;
    assert_eq!(refused.status, 422);
    assert_eq!(keyed(&token, "two", ALL, with(&[])).await.status, 201);
    // somebody else's same key is another
    let cashier = at(&shop, "cashier", "PDA1").await;
    let theirs = keyed(&cashier, "one", ALL, with(&[cheese()])).await;
    assert_eq!(theirs.status, 201);
    assert_ne!(theirs.text("/id"), first.text("/id"));
    // a refund counts once too, and its key is one with those of tickets
    let close = json!({ "payments": [{ "means": "cash", "amount": "7.28" }] });
    let closed = send(&shop, &token, "POST", &format!("{}/close", path_of(&first)), Some("*"), Some(close)).await;
    assert_eq!(closed.status, 200, "{}", closed.json());
    let refund = format!("{}/refund", path_of(&first));
    assert_eq!(code(&keyed(&token, "one", &refund, json!({})).await), (422, "idempotency_key_reused".into()));
    let back = keyed(&token, "three", &refund, json!({})).await;
    let again = keyed(&token, "three", &refund, json!({})).await;
    assert_eq!((back.status.as_u16(), &again.bytes), (201, &back.bytes));
    for bad in ["", "a b", &"x".repeat(256)] {
        assert_eq!(code(&keyed(&token, bad, ALL, with(&[])).await), (400, "idempotency_key_invalid".into()), "{bad}");
    }
}

#[actix_web::test]
async fn every_fault_is_told_with_its_pointer() {
    let shop = Shop::open();
    let token = at(&shop, "cashier", "P01").await;
    let sent = json!({ "owner": 1, "name": "x".repeat(201), "discount_rate": "100.5", "rounding": 0.01, "location": [],
        "customer": { "discount_rate": "x", "meta": 1 }, "payments": [{ "means": "gold" }],
        "items": [{ "quantity": "1.2345678" }, 7, { "id": -1, "kind": "free", "unit_price": "1", "quantity": "1",
                    "article": { "vat_rate": "-1", "price_fixed": "no", "order_endpoints": [1] } }] });
    let refused = send(&shop, &token, "POST", ALL, None, Some(sent)).await;
    assert_eq!(code(&refused), (422, "fields_invalid".into()));
    let errors = refused.json()["errors"].as_array().unwrap().clone();
    let told: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(
        told,
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
            with(&[
                json!({ "id": 1, "unit_price": "1", "quantity": "1" }),
                json!({ "id": 1, "unit_price": "1", "quantity": "1" }),
            ]),
            "/items",
        ),
        (with(&[plain("999999999.999999", "999999")]), "/items"),
    ] {
        let refused = send(&shop, &token, "POST", ALL, None, Some(body.clone())).await;
        assert_eq!((refused.status.as_u16(), refused.text("/errors/0/pointer").as_str()), (422, pointer), "{body}");
    }
    let query = shop.get(&format!("{ALL}?state=x&owner=y&from=z&sort=w&limit=0"), &token).await;
    assert_eq!((query.status.as_u16(), query.json()["errors"].as_array().unwrap().len()), (422, 5));
}

#[actix_web::test]
async fn items_are_sent_back_as_they_were_shown_and_nothing_in_them_is_lost() {
    let shop = Shop::open();
    let token = at(&shop, "cashier", "P01").await;
    let made = opened(&shop, &token, with(&[cheese()])).await;
    let path = path_of(&made);
    let mut items = made.json()["items"].clone();
    items[0]["quantity"] = json!("2");
    let changed = send(&shop, &token, "PATCH", &path, Some("\"1\""), Some(json!({ "items": items }))).await;
    assert_eq!(
        (changed.status.as_u16(), changed.text("/items/0/quantity")),
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
    let expected = pointers(&places.map(|place| (place, "unknown")));
    assert_eq!(faults(&refused), (422, "fields_invalid".to_owned(), expected));
    assert_eq!(shop.get(&path, &token).await.json(), changed.json());
}

#[actix_web::test]
async fn lists_go_on_where_the_page_before_ended() {
    let shop = Shop::open();
    let token = at(&shop, "manager", "P01").await;
    let mut made = Vec::new();
    for (name, price) in [("a", "3"), ("b", "1"), ("c", "2"), ("d", "1")] {
        let body = json!({ "currency": "EUR", "name": name, "items": [plain(price, "1")] });
        made.push(opened(&shop, &token, body).await);
        shop.clock.pass(Duration::from_mins(1));
    }
    let changed =
        send(&shop, &token, "PATCH", &path_of(&made[0]), Some("*"), Some(json!({ "external_id": "X-1" }))).await;
    assert_eq!(changed.status, 200);
    let pages = async |query: &str| {
        let (mut names, mut after) = (String::new(), String::new());
        loop {
            let page = shop.get(&format!("{ALL}?limit=1&{query}{after}"), &token).await;
            assert_eq!(page.status, 200, "{query}: {}", page.json());
            names.extend(page.json()["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()));
            match page.json()["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return names,
            }
        }
    };
    let owner = made[0].text("/owner/id");
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
        (&format!("device={}", made[0].text("/device/id")), "abcd"),
    ] {
        assert_eq!(pages(query).await, expected, "{query}");
    }
}

#[actix_web::test]
async fn goods_are_sold_where_goods_are_sold() {
    let shop = Shop::open();
    let office = shop.native("admin").await.text("/access_token");
    let refused = send(&shop, &office, "POST", ALL, None, Some(with(&[cheese()]))).await;
    assert_eq!(code(&refused), (403, "sale_device_needed".into()));
    let till = at(&shop, "cashier", "P01").await;
    let ticket = opened(&shop, &till, with(&[cheese()])).await;
    assert_eq!(
        send(&shop, &office, "PATCH", &path_of(&ticket), Some("*"), Some(json!({ "name": "x" }))).await.status,
        403
    );
    assert_eq!(shop.get(&path_of(&ticket), &office).await.status, 200);
    assert_eq!(send(&shop, &office, "DELETE", &path_of(&ticket), Some("*"), None).await.status, 204);
    // another tenant's is not there
    let stranger = shop.native("stranger@example.com").await.text("/access_token");
    assert_eq!(shop.get(&path_of(&ticket), &stranger).await.status, 404);
    assert_eq!(shop.get(ALL, &stranger).await.json()["items"], json!([]));
}
