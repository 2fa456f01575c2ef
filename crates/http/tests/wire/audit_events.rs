//! The native API's audit: what was done is listed, narrowed and shown to whoever may read it; and who lacked a right for something
//! is told there, by whichever contract they tried it.

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::{Action, Outcome, Subject};

use crate::office::{Desk, faults, pointers};
use crate::shop::{Mood, PASSWORD, Shop, call, post};

#[actix_web::test]
async fn what_was_done_is_listed_narrowed_and_shown() {
    let desk = Desk::open().await;
    let added = desk.post("/users", json!({ "user_name": "nina", "password": "staple battery" })).await;
    let nina = added.text("/id");
    let all = desk.all("/audit-events", "/id").await;
    assert!(all.len() > 1 && all.windows(2).all(|pair| pair[0] > pair[1]), "the newest first: {all:?}");
    let actions = |items: &Value| -> Vec<String> {
        let items = items["items"].as_array().unwrap();
        items.iter().map(|item| item["action"].as_str().unwrap().to_owned()).collect()
    };
    let of = |query: String| {
        let desk = &desk;
        async move { actions(&desk.get(&format!("/audit-events?{query}")).await.json()) }
    };
    assert_eq!(of(format!("subject={nina}")).await, ["user.add"]);
    assert_eq!(of("action=user.add&outcome=done".to_owned()).await[0], "user.add");
    assert!(of("action=user.add&outcome=refused".to_owned()).await.is_empty());
    assert!(of("subject_kind=device".to_owned()).await.iter().all(|action| action.starts_with("device")));
    assert!(of("until=2020-01-01T00:00:00Z".to_owned()).await.is_empty());
    assert_eq!(of("from=2020-01-01T00:00:00%2B01:00&limit=200".to_owned()).await.len(), all.len());
    assert_eq!(of("search=NINA".to_owned()).await, ["user.add"]);

    let shown = desk
        .get(&format!("/audit-events/{}", desk.all(&format!("/audit-events?subject={nina}"), "/id").await[0]))
        .await;
    let line = shown.json();
    assert_eq!((line["action"].as_str(), line["outcome"].as_str()), (Some("user.add"), Some("done")));
    assert_eq!(line["subject"], json!({ "kind": "user", "id": nina }));
    assert_eq!(line["user"]["user_name"], "admin");
    assert!(line["session"].is_string() && line["at"] == "2026-11-21T12:00:00.000Z", "{line}");
    let session = line["session"].as_str().unwrap();
    assert!(of(format!("session={session}")).await.contains(&"user.add".to_owned()));
    let by = line["user"]["id"].as_str().unwrap();
    assert!(of(format!("user={by}")).await.contains(&"user.add".to_owned()));
}

#[actix_web::test]
async fn every_fault_of_a_query_is_told_and_nothing_of_another_tenant() {
    let desk = Desk::open().await;
    let sent = "user=x&session=1&action=fly&outcome=maybe&subject_kind=moon&from=today&until=2026-13-01&limit=0";
    let refused = desk.get(&format!("/audit-events?{sent}")).await;
    let (status, code, mut told) = faults(&refused);
    told.sort();
    let expected = pointers(&[
        ("action", "format"),
        ("from", "type"),
        ("limit", "range"),
        ("outcome", "format"),
        ("session", "type"),
        ("subject_kind", "format"),
        ("until", "type"),
        ("user", "type"),
    ]);
    assert_eq!((status, code.as_str(), told), (422, "fields_invalid", expected));
    let lines = desk.shop.store.memory.audit();
    let own = lines.iter().find(|line| line.action == Action::Login).unwrap().tenant;
    for foreign in lines.iter().filter(|line| line.tenant != own) {
        assert_eq!(desk.get(&format!("/audit-events/{}", foreign.id)).await.status, 404, "{foreign:?}");
    }
    assert!(lines.iter().any(|line| line.tenant != own));
    for path in ["/audit-events/garbage", "/audit-events/00000000-0000-7000-8000-000000000000"] {
        assert_eq!(faults(&desk.get(path).await), (404, "not_found".to_owned(), vec![]));
    }
}

#[actix_web::test]
async fn a_refusal_says_who_where_what_and_what_was_lacking() {
    let desk = Desk::of("cashier").await;
    let witness = desk.shop.native("witness").await.text("/session/user/id");
    let refused = desk.send(Method::DELETE, &format!("/users/{witness}?x=secret"), Some("*"), None).await;
    assert_eq!((refused.status.as_u16(), refused.text("/right").as_str()), (403, "userDelete"));
    let [line] = &desk.shop.refusals()[..] else { panic!("{:?}", desk.shop.refusals()) };
    assert_eq!(line.outcome, Outcome::Refused);
    assert_eq!(line.subject, Subject::User(witness.parse().unwrap()));
    assert!(line.actor.user.is_some() && line.actor.session.is_some());
    assert_eq!(
        serde_json::to_value(&line.details).unwrap(),
        json!({ "right": "userDelete", "call": format!("DELETE /api/v1/users/{witness}"), "dialect": "native" })
    );
}

#[actix_web::test]
async fn where_somebody_is_logged_in_is_told_as_what_they_lack() {
    let desk = Desk::open().await;
    assert_eq!(desk.post("/tickets", json!({ "currency": "EUR" })).await.text("/code"), "sale_device_needed");
    let [line] = &desk.shop.refusals()[..] else { panic!("{:?}", desk.shop.refusals()) };
    assert_eq!(
        serde_json::to_value(&line.details).unwrap(),
        json!({ "environments": ["CashRegister", "PDA"], "call": "POST /api/v1/tickets", "dialect": "native" })
    );
    assert!(line.actor.user.is_some() && line.actor.device.is_none(), "{line:?}");
    desk.shop.give_device("P01", "cashier");
    let login = json!({ "device": "P01", "password": PASSWORD });
    let token = desk.shop.post("/api/v1/sessions", login).await.text("/access_token");
    let sold = post("/api/v1/tickets", json!({ "currency": "EUR" }));
    let refused = desk.shop.send(sold.insert_header(("Authorization", format!("Bearer {token}")))).await;
    assert_eq!(refused.text("/code"), "person_needed");
    let [_, line] = &desk.shop.refusals()[..] else { panic!("{:?}", desk.shop.refusals()) };
    assert_eq!(line.details["kind"], "person");
    assert!(line.actor.user.is_none() && line.actor.device.is_some(), "{line:?}");
}

#[actix_web::test]
async fn a_gateways_refusal_is_told_of_whoever_asked_it() {
    let shop = crate::access::open();
    let token = shop.kasir("cashier").await.text("/data/Token");
    let asked = call(Method::GET, "/api/v1/access")
        .insert_header(("Authorization", format!("Bearer {token}")))
        .insert_header(("X-Original-Method", "DELETE"))
        .insert_header(("X-Original-URI", "/api/v1/products/7?price=1"));
    assert_eq!(shop.send(asked).await.status, 403);
    let [line] = &shop.refusals()[..] else { panic!("{:?}", shop.refusals()) };
    assert_eq!(line.details["call"], "DELETE /api/v1/products/7");
    assert_eq!(line.details["role"], "admin");
}

#[actix_web::test]
async fn a_loop_of_refusals_fills_nothing_and_is_counted() {
    let desk = Desk::of("cashier").await;
    for _ in 0..50 {
        assert_eq!(desk.get("/users").await.status, 403);
    }
    assert_eq!(desk.shop.refusals().len(), 10);
    // the count comes at the latest when the server goes
    desk.shop.auth.leave().unwrap();
    let lines = desk.shop.refusals();
    assert_eq!((lines.len(), &lines[10].details["times"]), (11, &json!(40)));
}

#[actix_web::test]
async fn what_is_refused_for_another_reason_is_no_refusal_of_rights() {
    let shop = Shop::open();
    let login = json!({ "login": "cashier", "password": "wrong" });
    assert_eq!(shop.post("/api/v1/sessions", login).await.status, 401);
    let desk = Desk::open().await;
    assert_eq!(desk.get("/users/00000000-0000-7000-8000-000000000000").await.status, 404);
    assert_eq!(desk.post("/users", json!({ "user_name": "cashier" })).await.status, 409);
    assert_eq!((shop.refusals().len(), desk.shop.refusals().len()), (0, 0));
}

#[actix_web::test]
async fn a_refusal_stands_where_it_cannot_be_written() {
    let desk = Desk::of("cashier").await;
    // what the caller may do is remembered from here on
    assert_eq!(desk.get("/sessions").await.status, 200);
    for mood in [Mood::Unavailable, Mood::Broken, Mood::Panics] {
        desk.shop.store.set(mood);
        assert_eq!(desk.get("/users").await.status, 403);
        desk.shop.store.set(Mood::Well);
    }
    assert_eq!(desk.shop.refusals().len(), 0);
    let login = post("/api/v1/sessions", json!({ "login": "cashier", "password": PASSWORD }));
    assert_eq!(desk.shop.send(login).await.status, 201);
}
