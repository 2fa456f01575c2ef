//! PORTOS' lists of tickets: narrowed by conditions, sorted and cut.

use serde_json::json;

use crate::portos_tickets::{at, bearer, ids, opened};
use crate::shop::{Shop, post};

#[actix_web::test]
async fn lists_are_narrowed_sorted_and_cut() {
    let shop = Shop::open();
    let token = at(&shop, "manager", "P01").await;
    let mut made = Vec::new();
    for (number, price) in [(1, 3), (2, 1), (3, 2)] {
        let body = json!({ "name": format!("Stôl {number}"), "items": [{ "unitPrice": { "amount": price }, "quantity": { "amount": 1 } }] });
        made.push(opened(&shop, &token, body).await.text("/id"));
        shop.clock.pass(std::time::Duration::from_mins(1));
    }
    let close = post(&format!("/portos/api/tickets/{}/close", made[1]), json!({ "number": 77, "fiscalName": "F2" }));
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
        ("state=closing", &[]),
        ("$whatever=1&nothing=2", &[0, 1, 2]),
    ] {
        let expected: Vec<&String> = expected.iter().map(|index| &made[*index]).collect();
        assert_eq!(ids(&list(query).await).iter().collect::<Vec<_>>(), expected, "{query}");
        let counted = list(&format!("$count=true&{}", query.replace("$skip", "$s").replace("$take", "$t"))).await;
        if !query.contains('$') {
            assert_eq!(counted.json(), json!({ "items": [], "count": expected.len() }), "{query}");
        }
    }
    assert_eq!(list("$take=x").await.status, 400);
}
