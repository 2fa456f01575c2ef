//! The export of audit events: the file, its filter, and the event that records it.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::http::Method;
use actix_web::test;
use serde_json::{Map, Value, json};
use tillgate_domain::office::{MAX_PAGE_SIZE, OfficePorts};
use tillgate_domain::{Action, Actor, Event, EventId, EventOutcome, Store, StoreExt, Subject, TenantId, UserId};

use crate::office::{OfficeClient, expected_pointers, tenant, violations};
use crate::office_browser::{Browser, server};
use crate::test_server::{TEST_PASSWORD, TestResponse, build_request, with_bearer};

const EXPORT: &str = "/audit-events/export";

/// Records this number of events of the tenant with a detail that a spreadsheet would calculate.
fn record_events(desk: &OfficeClient, number: usize) {
    let store: &dyn Store<OfficePorts> = &*desk.shop.store.inner;
    let tenant = tenant(&desk.shop).id;
    for _ in 0..number {
        let event = Event {
            id: desk.shop.auth.new_id(EventId::new).unwrap(),
            at: desk.shop.auth.time().at,
            tenant: Some(tenant),
            actor: Actor::default(),
            action: Action::ClockAccept,
            subject: Subject::Server,
            outcome: EventOutcome::Done,
            details: Map::from_iter([("why".to_owned(), json!("a;=1+1"))]),
            approver: None,
        };
        store.write("test", |tx| tx.audit().record(&event)).unwrap();
        desk.shop.clock.advance(Duration::from_millis(1));
    }
}

fn lines(response: &TestResponse) -> Vec<Value> {
    assert_eq!(response.status, 200, "{:?}", String::from_utf8_lossy(&response.bytes));
    let text = std::str::from_utf8(&response.bytes).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn exports(desk: &OfficeClient) -> Vec<Event> {
    let events = desk.shop.store.inner.audit_events();
    events.into_iter().filter(|event| event.action == Action::AuditExport).collect()
}

#[actix_web::test]
async fn export_of_several_pages_has_every_event_of_the_list() {
    let desk = OfficeClient::open().await;
    record_events(&desk, 450);
    let listed = desk.collect_pages("/audit-events?action=clock.accept", "/id").await;
    let response = desk.get(&format!("{EXPORT}?action=clock.accept")).await;
    let found: Vec<String> = lines(&response).iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((found.len(), &found), (450, &listed));
    assert_eq!(response.header("content-type"), "application/jsonl");
    assert_eq!(response.header("content-disposition"), "attachment; filename=\"audit-2026-11-21.jsonl\"");
    record_events(&desk, 50);
    // nothing of another tenant, whatever the filter
    let own = json!(tenant(&desk.shop).id);
    let subject = uuid::Uuid::from_u128(77);
    let store: &dyn Store<OfficePorts> = &*desk.shop.store.inner;
    let foreign = Event {
        id: desk.shop.auth.new_id(EventId::new).unwrap(),
        tenant: Some(TenantId(uuid::Uuid::from_u128(9))),
        subject: Subject::User(UserId(subject)),
        ..desk.shop.store.inner.audit_events().pop().unwrap()
    };
    store.write("test", |tx| tx.audit().record(&foreign)).unwrap();
    assert!(lines(&desk.get(EXPORT).await).iter().all(|line| line["tenant"] == own));
    assert!(lines(&desk.get(&format!("{EXPORT}?subject={subject}")).await).is_empty());
    // exactly one page: the last 150 of the first events, and the 50 after them; and no event at
    // all
    let from = lines(&response)[149]["at"].as_str().unwrap().to_owned();
    let page = desk.get(&format!("{EXPORT}?action=clock.accept&from={from}&format=jsonl")).await;
    assert_eq!((lines(&page).len(), MAX_PAGE_SIZE), (200, 200));
    assert!(lines(&desk.get(&format!("{EXPORT}?until=2020-01-01T00:00:00Z")).await).is_empty());
}

#[actix_web::test]
async fn csv_export_is_safe_for_spreadsheets() {
    let desk = OfficeClient::open().await;
    let name = json!({ "user_name": "=cmd()", "password": TEST_PASSWORD, "roles": ["manager"] });
    assert_eq!(desk.post("/users", name).await.status, 201);
    desk.shop.log_in_native("=cmd()").await;
    record_events(&desk, 2);
    let response = desk.get(&format!("{EXPORT}?format=csv")).await;
    assert_eq!(response.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(response.header("content-disposition"), "attachment; filename=\"audit-2026-11-21.csv\"");
    let text = String::from_utf8(response.bytes).unwrap();
    assert!(text.starts_with("\u{feff}id,at,tenant_id,user_id,user_name,"), "{text}");
    assert!(text.contains(",'=cmd(),") && !text.contains(",=cmd"), "{text}");
    assert!(text.contains("a;'=1+1") && !text.contains(";=1"), "{text}");
    let unmarked = desk.get(&format!("{EXPORT}?format=csv&bom=false&action=clock.accept")).await;
    let unmarked = String::from_utf8(unmarked.bytes).unwrap();
    assert_eq!((unmarked.starts_with("id,at,"), unmarked.split("\r\n").count()), (true, 4));
    // the header row alone
    let empty = desk.get(&format!("{EXPORT}?format=csv&until=2020-01-01T00:00:00Z")).await;
    assert_eq!(String::from_utf8(empty.bytes).unwrap().split("\r\n").count(), 2);
}

#[actix_web::test]
async fn export_is_an_event_outside_of_the_file() {
    let desk = OfficeClient::open().await;
    let from = "2020-01-01T00:00:00.000Z";
    let response = desk.get(&format!("{EXPORT}?format=csv&action=login&outcome=done&from={from}&search=admin")).await;
    assert_eq!(response.status, 200);
    let [event] = &exports(&desk)[..] else { panic!("{:?}", exports(&desk)) };
    assert_eq!((event.tenant, event.subject), (Some(tenant(&desk.shop).id), Subject::Tenant(tenant(&desk.shop).id)));
    assert!(event.actor.user.is_some() && event.actor.session.is_some());
    let filter = json!({ "action": ["login"], "outcome": "done", "from": 1_577_836_800_000_i64, "search": "admin" });
    assert_eq!(Value::Object(event.details.clone()), json!({ "format": "csv", "filter": filter }));
    // the second export has the event of the first, and not its own
    let second = lines(&desk.get(&format!("{EXPORT}?action=audit.export")).await);
    assert_eq!(second.len(), 1);
    assert_eq!((&second[0]["id"], exports(&desk).len()), (&json!(event.id), 2));
    assert_eq!(second[0]["tenant"], json!(tenant(&desk.shop).id));
}

#[actix_web::test]
async fn export_with_unknown_parameters_is_rejected_and_not_recorded() {
    let desk = OfficeClient::open().await;
    let refused = desk.get(&format!("{EXPORT}?format=xml&bom=maybe&limit=2&user=x")).await;
    let (status, code, mut found) = violations(&refused);
    found.sort();
    let expected = expected_pointers(&[("bom", "type"), ("format", "format"), ("limit", "unknown"), ("user", "type")]);
    assert_eq!((status, code.as_str(), found), (422, "fields_invalid", expected));
    let marked = violations(&desk.get(&format!("{EXPORT}?bom=true")).await);
    assert_eq!(marked, (422, "fields_invalid".to_owned(), expected_pointers(&[("bom", "format")])));
    let cashier = OfficeClient::log_in_as("cashier").await;
    assert_eq!(cashier.get(EXPORT).await.text_at("/right"), "auditRead");
    assert_eq!((exports(&desk).len(), exports(&cashier).len()), (0, 0));
}

#[actix_web::test]
async fn export_ends_with_the_session_or_the_right() {
    for ending in ["logout", "suspension", "right", "expiry", "nothing"] {
        let desk = OfficeClient::open().await;
        record_events(&desk, 450);
        desk.create_role("auditor", &["auditRead"]);
        let auditor = json!({ "user_name": "auditor", "password": TEST_PASSWORD, "roles": ["auditor"] });
        let auditor = format!("/users/{}", desk.post("/users", auditor).await.text_at("/id"));
        let login = desk.shop.log_in_native("auditor").await;
        let session = format!("/sessions/{}", login.text_at("/session/id"));
        let app = test::init_service(desk.shop.http.app()).await;
        let request = build_request(Method::GET, &format!("/api/v1{EXPORT}?action=clock.accept"));
        let request = with_bearer(request, &login.text_at("/access_token")).to_request();
        let mut body = pin!(test::call_service(&app, request).await.into_body());
        match ending {
            "logout" => drop(desk.send(Method::DELETE, &session, Some("*"), None).await),
            "suspension" => drop(desk.patch(&auditor, "*", json!({ "status": "suspended" })).await),
            "right" => drop(desk.patch(&auditor, "*", json!({ "roles": [] })).await),
            "expiry" => desk.shop.clock.advance(Duration::from_hours(12)),
            _ => {}
        }
        let mut sent = Vec::new();
        let is_whole = loop {
            match poll_fn(|context| body.as_mut().poll_next(context)).await {
                Some(Ok(piece)) => sent.extend_from_slice(&piece),
                Some(Err(_)) => break false,
                None => break true,
            }
        };
        let lines = sent.split(|byte| *byte == b'\n').count() - 1;
        assert_eq!((is_whole, lines), if ending == "nothing" { (true, 450) } else { (false, 200) }, "{ending}");
    }
}

#[actix_web::test]
async fn headers_of_an_export_are_no_export() {
    let desk = OfficeClient::open().await;
    record_events(&desk, 450);
    let head = desk.send(Method::HEAD, &format!("{EXPORT}?format=csv"), None, None).await;
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(exports(&desk).len(), 0);
    let cashier = OfficeClient::log_in_as("cashier").await;
    assert_eq!(cashier.send(Method::HEAD, EXPORT, None, None).await.status, 403);
}

#[actix_web::test]
async fn export_in_the_browser_requires_a_recent_proof() {
    let shop = server();
    let browser = Browser::new(&shop);
    browser.sign_in("admin").await;
    let export = || browser.send(Method::GET, "/office/api/v1/audit-events/export?format=csv", None);
    let response = export().await;
    assert_eq!((response.status.as_u16(), response.header("cache-control")), (200, "no-store"));
    shop.clock.advance(Duration::from_mins(6));
    let refused = export().await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/code").as_str()), (403, "proof_too_old"));
    let events = shop.store.inner.audit_events();
    assert_eq!(events.iter().filter(|event| event.action == Action::AuditExport).count(), 1);
}
