//! PORTOS' ticket lists: conditions, order and pages.

use actix_web::body::MessageBody;
use actix_web::http::Method;
use actix_web::test;
use serde_json::{Value, json};

use crate::portos_tickets::{bearer, ids, log_in_at, open_ticket};
use crate::test_server::{self, StoreState, TestServer, build_request, post_request, put_request};

#[actix_web::test]
async fn lists_are_filtered_sorted_and_paged() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let mut made = Vec::new();
    for (number, price) in [(1, 3), (2, 1), (3, 2)] {
        let body = json!({ "name": format!("Stôl {number}"), "items": [{ "unitPrice": { "amount": price }, "quantity": { "amount": 1 } }] });
        made.push(open_ticket(&shop, &token, body).await.text_at("/id"));
        shop.clock.advance(std::time::Duration::from_mins(1));
    }
    let close =
        post_request(&format!("/portos/api/tickets/{}/close", made[1]), json!({ "number": 77, "fiscalName": "F2" }));
    let closed = shop.send(bearer(close, &token)).await;
    assert_eq!(closed.json()["closeInfo"]["number"], json!(77));
    let list = async |query: &str| shop.get(&format!("/portos/api/tickets?{query}"), &token).await;
    for (query, expected) in [
        ("", &[0, 1, 2][..]),
        ("$sort=-openDate", &[2, 1, 0]),
        ("$sort=openDate:desc&$skip=1&$take=1", &[1]),
        ("$sort=payable", &[1, 2, 0]),
        ("$sort=payable:desc&$take=2", &[0, 2]),
        ("$skip=2", &[2]),
        ("STATE=opened", &[0, 2]),
        ("state=Closed", &[1]),
        ("state=ne:Closed", &[0, 2]),
        ("payable=gte:2;lt:3", &[2]),
        ("name=contains:st%C3%B4l&name=ne:St%C3%B4l%203", &[0, 1]),
        ("employee.userName=manager&state=eq:Opened", &[0, 2]),
        ("userName=cashier", &[]),
        ("closeInfo.number=77", &[1]),
        ("openDate=gt:2026-11-21T12:00:30.000Z", &[1, 2]),
        ("openDate=gte:2026-11-21T12:01:00Z", &[1, 2]),
        ("openDate=gt:2026-11-21T13:01:00%2B01:00", &[2]),
        ("openDate=2026-11-21T12:00:00Z", &[0]),
        ("openDate=lte:2026-11-21T12:01:00Z", &[0, 1]),
        ("openDate=lt:2026-11-21T12:01:00Z;ne:2026-11-21T12:00:00Z", &[]),
        ("openDate=gte:2026-11-21;lt:2026-11-22", &[0, 1, 2]),
        ("openDate=lt:2026-11-21", &[]),
        ("state=Closed;Opened", &[]),
        ("IsClosed=true", &[1]),
        ("isclosed=eq:false", &[0, 2]),
        ("IsClosed=ne:false&openDate=gte:2026-11-21", &[1]),
        ("IsClosed=true;false", &[]),
        ("IsClosed=true&state=Opened", &[]),
        ("closeInfoDeviceName=p01", &[1]),
        ("closeInfoDeviceName=nowhere", &[]),
        ("closeInfoFiscalName=F2", &[1]),
        ("closeInfo.fiscalName=startsWith:f", &[1]),
        ("CurrencyLabel=eur", &[0, 1, 2]),
        ("CurrencyLabel=CZK", &[]),
        ("openDate=gte:2026-11-21T13:01:00+01:00", &[1, 2]),
        ("openDate=startsWith:2026-11-21T12:01", &[1]),
        ("$whatever=1&nothing=2", &[0, 1, 2]),
    ] {
        let expected: Vec<&String> = expected.iter().map(|index| &made[*index]).collect();
        let reported = list(query).await;
        assert_eq!(ids(&reported).iter().collect::<Vec<_>>(), expected, "{query}");
        assert_eq!(reported.json()["count"], json!(expected.len()), "{query}");
        let total = if query.contains("$skip") || query.contains("$take") { 3 } else { expected.len() };
        assert_eq!(reported.json()["totalCount"], json!(total), "{query}");
        let counted = list(&format!("$count=true&{}", query.replace("$skip", "$s").replace("$take", "$t"))).await;
        if !query.contains('$') {
            let count = expected.len();
            assert_eq!(counted.json(), json!({ "count": count, "totalCount": count }), "{query}");
        }
    }
    assert_eq!(list("$take=x").await.status, 400);
}

#[actix_web::test]
async fn computed_members_filter_a_list_either_way() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let item =
        |kind: &str, price: f64| json!({ "type": kind, "unitPrice": { "amount": price }, "quantity": { "amount": 1 } });
    let customer = json!({ "id": "c1", "discountRate": 20 });
    let mut made = Vec::new();
    for body in [
        json!({ "items": [item("Positive", 5.0)] }),
        json!({ "items": [item("Positive", 5.0)], "customer": customer, "discountRate": 20 }),
        json!({ "items": [item("Positive", 5.0), item("Negative", -1.0)] }),
        json!({ "items": [item("Returned", -2.0)] }),
        json!({ "items": [item("Negative", 1.0)] }),
        // a returned item with a discount compensates a sold one with the same discount
        json!({ "items": [item("Positive", 5.0), item("Positive", -5.0)], "customer": customer, "discountRate": 20 }),
    ] {
        made.push(open_ticket(&shop, &token, body).await.text_at("/id"));
        shop.clock.advance(std::time::Duration::from_secs(1));
    }
    for (member, having) in [
        ("HasCustomer", &[1, 5][..]),
        ("HasDiscount", &[1, 5]),
        ("HasNegativeItem", &[2, 3, 4, 5]),
        ("HasReturnedItem", &[3]),
        ("IsClosed", &[]),
    ] {
        let lacking: Vec<usize> = (0..made.len()).filter(|index| !having.contains(index)).collect();
        for (value, expected) in [("true", having), ("eq:TRUE", having), ("false", &lacking), ("ne:true", &lacking)] {
            let reported = shop.get(&format!("/portos/api/tickets?{member}={value}"), &token).await;
            let expected: Vec<&String> = expected.iter().map(|index| &made[*index]).collect();
            assert_eq!(ids(&reported).iter().collect::<Vec<_>>(), expected, "{member}={value}");
        }
    }
}

#[actix_web::test]
async fn purchase_type_round_trips_and_filters_a_list() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let mut made = Vec::new();
    for body in [json!({}), json!({ "PurchaseType": "Delivery" }), json!({ "purchaseType": null })] {
        made.push(open_ticket(&shop, &token, body).await);
        shop.clock.advance(std::time::Duration::from_secs(1));
    }
    let kinds: Vec<String> = made.iter().map(|ticket| ticket.text_at("/purchaseType")).collect();
    assert_eq!(kinds, ["WalkIn", "Delivery", "WalkIn"]);
    let listed = async |query: &str| ids(&shop.get(&format!("/portos/api/tickets?{query}"), &token).await);
    let id = |index: usize| made[index].text_at("/id");
    assert_eq!(listed("PurchaseType=delivery").await, [id(1)]);
    assert_eq!(listed("purchaseType=ne:Delivery").await, [id(0), id(2)]);

    let path = format!("/portos/api/tickets/{}", id(1));
    let same = shop.send(bearer(put_request(&path, made[1].json()), &token)).await;
    assert_eq!((same.status.as_u16(), same.json()), (200, made[1].json()), "sent back, it changes nothing");
    let native = crate::tickets::log_in_at(&shop, "manager", "PDA1").await;
    let shown = shop.get(&format!("/api/v1/tickets/{}", id(1)), &native).await;
    assert_eq!(shown.json()["extra"], json!({ "purchaseType": "Delivery" }));
    let changed = shop.send(bearer(put_request(&path, json!({ "purchaseType": "TakeAway" })), &token)).await;
    assert_eq!((changed.text_at("/purchaseType").as_str(), changed.json()["_v"].clone()), ("TakeAway", json!(2)));
    let refused = shop.send(bearer(put_request(&path, json!({ "purchaseType": 1 })), &token)).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/errors/0/memberName").as_str()), (400, "PurchaseType"));
}

#[actix_web::test]
async fn unreadable_value_is_reported_without_a_list() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    for (query, name) in [
        ("IsClosed=", "IsClosed"),
        ("isclosed=maybe", "IsClosed"),
        ("HasDiscount=1", "HasDiscount"),
        ("state=closing", "State"),
        ("openDate=gte:yesterday", "OpenDate"),
        ("payable=gt:9,5", "Payable"),
        ("closeInfo.number=x", "CloseInfo.Number"),
        ("customer=x", "Customer"),
        ("closeInfo=null", "CloseInfo"),
        ("closeInfo.eKasa=x", "CloseInfo"),
        ("items=x", "Items"),
        ("Payments=x", "Payments"),
        ("customer.isCompany=maybe", "Customer"),
        ("$sort=customer", "$sort"),
        ("$take=x", "$take"),
        ("Name=%FF", "Name"),
        ("name=contains:50%", "Name"),
        ("Name=a&Name=%zz", "Name"),
        ("CurrencyLabel=%c0%af", "CurrencyLabel"),
        ("PurchaseType=%", "PurchaseType"),
        ("$skip=%FF", "$skip"),
        ("$sort=%FF", "$sort"),
        ("$sort=nothing", "$sort"),
        ("$sort=-openDate,nothing", "$sort"),
        ("$sort=openDate:up", "$sort"),
    ] {
        for query in [query.to_owned(), format!("$count=true&{query}")] {
            let reported =
                shop.send(bearer(build_request(Method::GET, &format!("/portos/api/tickets?{query}")), &token)).await;
            assert_eq!(
                (reported.status.as_u16(), reported.text_at("/errorCode").as_str()),
                (400, "ValidationFailed"),
                "{query}"
            );
            assert_eq!(reported.json()["errors"][0]["memberName"], json!(name), "{query}");
        }
    }
    for list in [
        "devices?isActive=x",
        "devices?envName=Kitchen",
        "devices?settings=x",
        "devices?preferences.printer=x",
        "users?isVirtual=",
        "users?devices=P01",
        "sessions?createdAt=gt:now",
        "roles?_v=a",
    ] {
        assert_eq!(shop.get(&format!("/portos/api/{list}"), &token).await.status, 400, "{list}");
    }
}

/// A client sorts by the members that it reads.
#[actix_web::test]
async fn list_is_sorted_by_every_scalar_member_of_a_ticket() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let item = json!({ "unitPrice": { "amount": 1 }, "quantity": { "amount": 1 } });
    let made = open_ticket(&shop, &token, json!({ "items": [item], "customer": { "id": "c1" } })).await;
    let path = format!("/portos/api/tickets/{}/close", made.text_at("/id"));
    let closed = shop.send(bearer(post_request(&path, json!({ "number": 77, "fiscalName": "F2" })), &token)).await;
    let mut members = Vec::new();
    collect_scalars(&closed.json(), "", &mut members);
    assert!(members.len() > 30, "{members:?}");
    for member in members {
        let list = shop.get(&format!("/portos/api/tickets?$sort=-{member}"), &token).await;
        assert_eq!((list.status.as_u16(), ids(&list).len()), (200, 1), "{member}");
    }
}

/// The names of all members that are no lists and not in the client's own JSON, such as
/// `customer.id`.
fn collect_scalars(value: &Value, path: &str, members: &mut Vec<String>) {
    match value {
        Value::Object(object) => object.iter().filter(|(name, _)| *name != "meta").for_each(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            collect_scalars(value, &path, members);
        }),
        Value::Array(_) => {}
        _ => members.push(path.to_owned()),
    }
}

/// Creates tickets of this size in a list.
async fn open_tickets(shop: &TestServer, token: &str, count: usize, comment: usize) {
    let comments: Vec<Value> = std::iter::repeat_n("x".repeat(2_000), comment)
        .map(|comment| json!({ "comment": comment, "unitPrice": { "amount": 1 }, "quantity": { "amount": 1 } }))
        .collect();
    for number in 0..count {
        let made = open_ticket(shop, token, json!({ "externalId": number.to_string(), "items": comments })).await;
        assert_eq!(made.status, 201);
    }
}

#[actix_web::test]
async fn long_list_is_streamed_in_small_chunks() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    open_tickets(&shop, &token, 60, 20).await;
    let app = test::init_service(shop.http.app()).await;
    let ask = async |path: &str| {
        let request = test_server::with_bearer(build_request(Method::GET, path), &token).to_request();
        test::call_service(&app, request).await
    };
    for query in ["", "?$sort=-externalId", "?name=ne:x", "?$skip=3&$take=50"] {
        let whole = shop.get(&format!("/portos/api/tickets{query}"), &token).await;
        let json = whole.json();
        let (count, total) = if query.contains("skip") { (50, 60) } else { (60, 60) };
        assert_eq!((&json["count"], &json["totalCount"]), (&json!(count), &json!(total)), "{query}");
        assert_eq!(ids(&whole).len(), count, "{query}");
        let mut body = std::pin::pin!(ask(&format!("/portos/api/tickets{query}")).await.into_body());
        let (mut pieces, mut bytes) = (0, 0);
        while let Some(piece) = std::future::poll_fn(|context| body.as_mut().poll_next(context)).await {
            let piece = piece.unwrap_or_else(|_| panic!("{query} was cut short"));
            assert!((1..=16 * 1024).contains(&piece.len()), "{query}: {}", piece.len());
            (pieces, bytes) = (pieces + 1, bytes + piece.len());
        }
        assert_eq!(bytes, whole.bytes.len(), "{query}");
        assert!(pieces > 100, "{query}: {pieces}");
    }
    let head = shop.with_token(Method::HEAD, "/portos/api/tickets", &token).await;
    assert_eq!((head.status.as_u16(), head.header("content-type"), head.bytes.len()), (200, "application/json", 0));
}

#[actix_web::test]
async fn interrupted_list_has_no_end() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    open_tickets(&shop, &token, 40, 20).await;
    let app = test::init_service(shop.http.app()).await;
    let request = || test_server::with_bearer(build_request(Method::GET, "/portos/api/tickets"), &token).to_request();
    let mut body = std::pin::pin!(test::call_service(&app, request()).await.into_body());
    shop.store.set_state(StoreState::Unavailable);
    let mut reported = Vec::new();
    let end = loop {
        match std::future::poll_fn(|context| body.as_mut().poll_next(context)).await {
            Some(Ok(piece)) => reported.extend_from_slice(&piece),
            end => break end,
        }
    };
    assert!(matches!(end, Some(Err(_))), "the connection ends");
    assert!(reported.starts_with(b"{\"items\":[{") && serde_json::from_slice::<Value>(&reported).is_err());
    assert_eq!(
        test::call_service(&app, request()).await.status(),
        503,
        "before the first piece it is a failure as any"
    );
}
