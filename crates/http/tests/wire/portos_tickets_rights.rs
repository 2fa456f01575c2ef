//! PORTOS' tickets: required rights and devices.

use serde_json::json;

use crate::portos_tickets::{bearer, item, log_in_at, open_ticket};
use crate::test_server::{TestServer, post_request, put_request};

#[actix_web::test]
async fn required_rights_follow_from_the_change_and_the_device() {
    let shop = TestServer::start();
    let cashier = log_in_at(&shop, "cashier", "P01").await;
    let ticket = open_ticket(&shop, &cashier, json!({ "items": [item()] })).await;
    let path = format!("/portos/api/tickets/{}", ticket.text_at("/id"));
    let fewer = json!({ "items": [{ "id": 1, "plu": ticket.json()["items"][0]["plu"], "unitPrice": { "amount": 5.363_636 },
                                    "quantity": { "amount": 1, "unit": "kg" } }] });
    for (body, right) in [
        (json!({ "name": "x" }), "ticketRename"),
        (json!({ "discountRate": 5 }), "ticketSetDiscount"),
        (json!({ "customer": { "id": "c", "discountRate": 5 }, "discountRate": 6 }), "ticketSetDiscount"),
        (json!({ "items": [] }), "storno"),
        (fewer, "storno"),
        (json!({ "employee": { "userName": "manager" } }), "ticketHandover"),
    ] {
        let refused = shop.send(bearer(put_request(&path, body.clone()), &cashier)).await;
        assert_eq!((refused.status.as_u16(), refused.text_at("/errorCode").as_str()), (403, "Unauthorized"), "{body}");
        assert_eq!(refused.text_at("/detail"), format!("The right {right} is missing."), "{body}");
    }
    let own = json!({ "customer": { "id": "c", "discountRate": 5 }, "discountRate": 5 });
    assert_eq!(
        shop.send(bearer(put_request(&path, own), &cashier)).await.status,
        200,
        "the customer's own rate requires no other right"
    );
    // the manager takes the ticket over, and may do so
    let manager = log_in_at(&shop, "manager", "PDA1").await;
    let over = shop.send(bearer(put_request(&path, json!({ "Employee": { "UserName": "MANAGER" } })), &manager)).await;
    assert_eq!((over.status.as_u16(), over.json()["employee"]["userName"].clone()), (200, json!("manager")));
    let refused = shop.send(bearer(put_request(&path, json!({ "externalId": "x" })), &cashier)).await;
    assert_eq!(refused.text_at("/detail"), "The right ticketUpdateAny is missing.");
    // the back office reads and deletes, but sells nothing
    let office = log_in_at(&shop, "admin", "OFFICE").await;
    for request in [
        post_request("/portos/api/tickets", json!({})),
        put_request(&path, json!({ "externalId": "x" })),
        post_request(&format!("{path}/close"), json!({})),
    ] {
        let refused = shop.send(bearer(request, &office)).await;
        assert_eq!((refused.status.as_u16(), refused.text_at("/errorCode").as_str()), (403, "Unauthorized"));
        assert!(refused.text_at("/detail").starts_with("This requires a sale device"), "{}", refused.json());
    }
    assert_eq!(shop.get(&path, &office).await.status, 200);
    let gone = shop.delete(&path, &office).await;
    assert_eq!((gone.status.as_u16(), gone.json()["_v"].clone()), (200, json!(4)));
    assert_eq!(shop.get(&path, &office).await.status, 404, "a void ticket is not there");
    assert_eq!(
        shop.get("/portos/api/tickets", &office).await.json(),
        json!({ "items": [], "count": 0, "totalCount": 0 })
    );
    assert_eq!(
        shop.get("/portos/api/tickets?$count=true", &office).await.json(),
        json!({ "count": 0, "totalCount": 0 })
    );
    // the audit event has the user, device, session and differences
    let events = shop.store.inner.audit_events();
    let events: Vec<_> = events.iter().filter(|event| event.subject.kind().name() == "ticket").collect();
    let done: Vec<&str> =
        events.iter().filter(|event| event.outcome.name() == "done").map(|event| event.action.name()).collect();
    assert_eq!(done, ["ticket.open", "ticket.update", "ticket.update", "ticket.void"]);
    for event in &events {
        assert!(
            event.actor.user.is_some() && event.actor.device.is_some() && event.actor.session.is_some(),
            "{event:?}"
        );
    }
    let change = events.iter().find(|event| event.action.name() == "ticket.update").unwrap();
    assert_eq!(change.details["discount"], json!({ "from": "0.000000", "to": "5.000000" }));
    let lacking =
        shop.store.inner.audit_events().into_iter().filter(|event| event.action.name() == "right.missing").count();
    assert_eq!(lacking, 7 + 3, "denials because of a right or the device are recorded too");
}
