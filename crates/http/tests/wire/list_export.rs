//! The exports of tickets and users: the files, their filters, and the events that record them.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::{Action, Event};

use crate::office::{OfficeClient, expected_pointers, violations};
use crate::office_browser::{Browser, server};
use crate::test_server::TestResponse;
use crate::tickets::{log_in_at, open_ticket, path_of, plain_item, send};

fn lines(response: &TestResponse) -> Vec<Value> {
    assert_eq!(response.status, 200, "{:?}", String::from_utf8_lossy(&response.bytes));
    std::str::from_utf8(&response.bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The rows of a CSV file as the names of the columns and the cells, without quoted commas.
fn rows(response: &TestResponse) -> Vec<Vec<String>> {
    assert_eq!(response.status, 200, "{:?}", String::from_utf8_lossy(&response.bytes));
    let text = std::str::from_utf8(&response.bytes).unwrap().trim_start_matches('\u{feff}');
    text.split_terminator("\r\n").map(|row| row.split(',').map(str::to_owned).collect()).collect()
}

fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let at = rows[0].iter().position(|heading| heading == name).unwrap();
    rows[1..].iter().map(|row| row[at].clone()).collect()
}

fn exports(desk: &OfficeClient) -> Vec<Event> {
    let events = desk.shop.store.inner.audit_events();
    events.into_iter().filter(|event| [Action::UserExport, Action::TicketExport].contains(&event.action)).collect()
}

#[actix_web::test]
async fn users_are_exported_page_by_page_and_safely_for_spreadsheets() {
    let desk = OfficeClient::open().await;
    for number in 0..250 {
        assert_eq!(desk.post("/users", json!({ "user_name": format!("u{number:03}") })).await.status, 201);
    }
    let hostile = json!({ "user_name": "=cmd()", "display_name": "+1;=2", "roles": ["manager"],
        "devices": [{ "device": "P01", "roles": ["cashier"] }] });
    assert_eq!(desk.post("/users", hostile).await.status, 201);
    let listed = desk.collect_pages("/users?sort=-user_name", "/id").await;
    let response = desk.get("/users/export?sort=-user_name").await;
    let found: Vec<String> = lines(&response).iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((found.len() > 250, &found), (true, &listed));
    assert_eq!(response.header("content-type"), "application/jsonl");
    assert_eq!(response.header("content-disposition"), "attachment; filename=\"users-2026-11-21.jsonl\"");
    assert_eq!(lines(&response)[0], desk.get("/users?sort=-user_name&limit=1").await.json()["items"][0]);
    let csv = desk.get("/users/export?format=csv&search=cmd").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let text = String::from_utf8(csv.bytes).unwrap();
    assert!(text.starts_with("\u{feff}id,user_name,display_name,"), "{text}");
    assert!(text.contains(",'=cmd(),\"'+1;'=2\",") && text.contains(",manager,P01=cashier,"), "{text}");
    let unmarked = desk.get("/users/export?format=csv&bom=false&search=nobody").await;
    assert_eq!((unmarked.bytes.starts_with(b"id,"), rows(&unmarked).len()), (true, 1));
}

#[actix_web::test]
async fn tickets_are_exported_with_amounts_that_a_spreadsheet_can_add() {
    let desk = OfficeClient::open().await;
    let token = log_in_at(&desk.shop, "manager", "P01").await;
    let ticket = json!({ "currency": "EUR", "name": "=1+1", "items": [plain_item("4.30", "2")] });
    let sold = open_ticket(&desk.shop, &token, ticket).await;
    let payments = json!({ "payments": [{ "means": "cash", "amount": sold.text_at("/payable") }] });
    let close = send(&desk.shop, &token, "POST", &format!("{}/close", path_of(&sold)), Some("*"), Some(payments)).await;
    assert_eq!(close.status, 200, "{}", close.json());
    let refund = send(&desk.shop, &token, "POST", &format!("{}/refund", path_of(&sold)), None, Some(json!({}))).await;
    assert_eq!(refund.status, 201, "{}", refund.json());
    open_ticket(&desk.shop, &token, json!({ "currency": "EUR", "items": [plain_item("1", "1")] })).await;
    let all = rows(&desk.get("/tickets/export?format=csv&sort=-payable").await);
    let payable = sold.text_at("/payable");
    assert_eq!(column(&all, "payable"), [payable.clone(), "1.00".to_owned(), format!("-{payable}")]);
    assert_eq!(column(&all, "name")[0], "'=1+1");
    assert_eq!(column(&all, "number")[..2], ["1", ""]);
    assert_eq!(column(&all, "refund_of")[2], sold.text_at("/id"));
    assert_eq!((column(&all, "device")[0].as_str(), column(&all, "owner")[0].as_str()), ("P01", "manager"));
    assert_eq!(desk.collect_pages("/tickets?number=1", "/id").await, [sold.text_at("/id")]);
    let found = lines(&desk.get("/tickets/export?state=closed&refund=false&number=1").await);
    assert_eq!((found.len(), &found[0]), (1, &desk.get(&format!("/tickets/{}", sold.text_at("/id"))).await.json()));
}

#[actix_web::test]
async fn exports_of_lists_are_events_and_require_what_the_lists_do() {
    let desk = OfficeClient::open().await;
    for path in ["/users/export", "/tickets/export"] {
        let refused = violations(&desk.get(&format!("{path}?format=xml&limit=2&after=x&status=0&state=0")).await);
        assert_eq!(refused.0, 422, "{refused:?}");
        for expected in expected_pointers(&[("after", "unknown"), ("format", "format"), ("limit", "unknown")]) {
            assert!(refused.2.contains(&expected), "{path}: {refused:?}");
        }
        let head = desk.send(Method::HEAD, &format!("{path}?format=csv"), None, None).await;
        assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
    }
    let cashier = OfficeClient::log_in_as("cashier").await;
    for method in [Method::GET, Method::HEAD] {
        assert_eq!(cashier.send(method, "/users/export", None, None).await.status, 403);
    }
    assert_eq!((exports(&desk).len(), exports(&cashier).len()), (0, 0));
    assert_eq!(desk.get("/users/export?format=csv").await.status, 200);
    assert_eq!(cashier.get("/tickets/export").await.status, 200);
    let [event] = &exports(&desk)[..] else { panic!("{:?}", exports(&desk)) };
    assert_eq!((event.action, event.details["format"].clone()), (Action::UserExport, json!("csv")));
    let [event] = &exports(&cashier)[..] else { panic!("{:?}", exports(&cashier)) };
    assert_eq!((event.action, event.details["format"].clone()), (Action::TicketExport, json!("jsonl")));
}

#[actix_web::test]
async fn exports_of_lists_in_the_browser_require_a_recent_proof() {
    let shop = server();
    let browser = Browser::new(&shop);
    browser.sign_in("admin").await;
    for list in ["users", "tickets"] {
        let path = format!("/office/api/v1/{list}/export?format=csv");
        assert_eq!(browser.send(Method::GET, &path, None).await.status, 200);
    }
    shop.clock.advance(Duration::from_mins(6));
    for list in ["users", "tickets"] {
        let refused = browser.send(Method::GET, &format!("/office/api/v1/{list}/export?format=csv"), None).await;
        assert_eq!((refused.status.as_u16(), refused.text_at("/code").as_str()), (403, "proof_too_old"), "{list}");
    }
}
