//! Tickets over real sockets, on both databases: two tills change one ticket concurrently, a
//! request with an idempotency key has one effect even if it is sent twice concurrently and after a
//! restart, and concurrent refunds take back no more than was sold.

use serde_json::{Value, json};
use tillgate_tests::{DatabaseEngine, Installation, RunningServer, TestResponse, TillClient};
use ureq::http::Request;

const TICKETS_PATH: &str = "/api/v1/tickets";

/// Sends a request with an additional header.
fn call_with_header(
    till: &TillClient,
    server: &RunningServer,
    call: (&str, &str),
    header: (&str, &str),
    body: &Value,
) -> TestResponse {
    let request = Request::builder()
        .method(call.0)
        .uri(format!("{}{}", server.address(), call.1))
        .header("authorization", format!("Bearer {}", till.access))
        .header("content-type", "application/json")
        .header(header.0, header.1);
    till.send(&request.body(body.to_string()).unwrap())
}

fn sheet_json(price: &str) -> Value {
    json!({ "currency": "EUR", "items": [{ "unit_price": price, "quantity": "1" }] })
}

/// Starts a shop in which the manager works on two tills, each with its own server on the same
/// database.
fn start_two_tills(installation: &Installation) -> [(RunningServer, TillClient); 2] {
    ["P01", "P02"].map(|device| {
        let server = installation.serve();
        let till = server.new_till().login("manager", device);
        (server, till)
    })
}

/// Runs the same action for both concurrently.
fn run_both<T: Send>(act: impl Fn(usize) -> T + Sync) -> [T; 2] {
    std::thread::scope(|scope| {
        let act = &act;
        let threads = [0, 1].map(|number| scope.spawn(move || act(number)));
        threads.map(|thread| thread.join().unwrap())
    })
}

tillgate_testkit::on_both_databases!(
    concurrent_changes_of_one_ticket_succeed_once,
    idempotency_key_counts_once_concurrently_and_after_a_restart,
    concurrent_refunds_return_no_more_than_was_sold,
    command_line_shows_sold_tickets
);

fn concurrent_changes_of_one_ticket_succeed_once(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let tills = start_two_tills(&installation);
    let [(one, first), _] = &tills;
    let ticket = first.post(TICKETS_PATH, &sheet_json("3")).expect_status(201);
    let path = format!("{TICKETS_PATH}/{}", ticket.text_at("/id"));
    for version in 1..=20 {
        let tag = format!("\"{version}\"");
        let responses = run_both(|number| {
            let (server, till) = &tills[number];
            let body = json!({ "external_id": format!("{version} by {number}") });
            call_with_header(till, server, ("PATCH", &path), ("if-match", &tag), &body)
        });
        let mut statuses = responses.each_ref().map(TestResponse::status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{responses:?}");
        let lost = responses.iter().find(|response| response.status() == 412).unwrap();
        assert_eq!(lost.json()["version"], json!(version + 1), "the denied change reports the current version");
    }
    // with PORTOS
    let portos = one.new_till().post(
        "/portos/api/auth",
        &json!({ "UserName": "manager", "Password": tillgate_tests::PASSWORD, "DeviceName": "PDA1" }),
    );
    installation.secrets().add(&portos.text_at("/refreshToken"));
    let handheld = TillClient::with_token(one, &portos.text_at("/tokenId"));
    let late = handheld.call(
        "PUT",
        &format!("/portos/api/tickets/{}", ticket.text_at("/id")),
        Some(&json!({ "_v": 20, "name": "x" })),
    );
    assert_eq!((late.status(), &late.json()["resource"]["version"]), (412, &json!(21)));
}

fn idempotency_key_counts_once_concurrently_and_after_a_restart(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let tills = start_two_tills(&installation);
    let mut answered = Vec::new();
    for round in 0..10 {
        let key = format!("round-{round}");
        let responses = run_both(|number| {
            let (server, till) = &tills[number];
            call_with_header(till, server, ("POST", TICKETS_PATH), ("idempotency-key", &key), &sheet_json("3"))
        });
        assert_eq!(responses.each_ref().map(TestResponse::status), [201, 201], "{responses:?}");
        let ids = responses.each_ref().map(|response| response.text_at("/id"));
        assert_eq!(ids[0], ids[1], "one key, one ticket");
        answered.push((key, responses));
    }
    let listed = tills[0].1.get(TICKETS_PATH).expect_status(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 10);
    let tokens = tills.map(|(server, till)| {
        drop(server);
        till
    });
    let server = installation.serve();
    let till = tokens[1].at_server(server.address());
    for (key, responses) in &answered {
        let again =
            call_with_header(&till, &server, ("POST", TICKETS_PATH), ("idempotency-key", key), &sheet_json("3"));
        assert_eq!((again.status(), again.text()), (201, responses[1].text()), "{key}");
    }
    let other =
        call_with_header(&till, &server, ("POST", TICKETS_PATH), ("idempotency-key", "round-0"), &sheet_json("4"));
    assert_eq!((other.status(), other.text_at("/code").as_str()), (422, "idempotency_key_reused"));
    assert_eq!(till.get(TICKETS_PATH).json()["items"].as_array().unwrap().len(), 10);
}

fn concurrent_refunds_return_no_more_than_was_sold(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let tills = start_two_tills(&installation);
    let [(server, till), _] = &tills;
    for _ in 0..10 {
        let ticket = till.post(TICKETS_PATH, &sheet_json("3")).expect_status(201);
        let path = format!("{TICKETS_PATH}/{}", ticket.text_at("/id"));
        let paid = json!({ "payments": [{ "means": "card", "amount": "3.00" }] });
        call_with_header(till, server, ("POST", &format!("{path}/close")), ("if-match", "*"), &paid).expect_status(200);
        let responses = run_both(|number| tills[number].1.post(&format!("{path}/refund"), &json!({})));
        let made = responses.iter().filter(|response| response.status() == 201).count();
        assert_eq!(made, 1, "{responses:?}");
    }
}

fn command_line_shows_sold_tickets(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let till = server.new_till().login("manager", "P01");
    let body = json!({ "currency": "EUR", "name": "Table 5", "discount_rate": "20",
        "items": [{ "article": { "name": "Cheese", "vat_rate": "10" }, "unit_price": "5.363636", "quantity": "1.234", "unit": "kg" }] });
    let open = till.post(TICKETS_PATH, &body).expect_status(201).text_at("/id");
    let other = till.post(TICKETS_PATH, &sheet_json("2")).expect_status(201).text_at("/id");
    let paid = json!({ "payments": [{ "means": "cash", "amount": "5.00" }] });
    call_with_header(&till, &server, ("POST", &format!("{TICKETS_PATH}/{other}/close")), ("if-match", "\"1\""), &paid)
        .expect_status(200);
    let table = installation.run_ok(&["ticket", "list"], "");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("ID") && lines[0].ends_with("NAME"), "{table}");
    assert!(lines[1].starts_with(&other) && lines[1].contains("closed") && lines[1].contains("2.00 EUR"), "{table}");
    assert!(lines[2].starts_with(&open) && lines[2].ends_with("5.82 EUR  Table 5"), "{table}");
    let closed: Value =
        serde_json::from_str(&installation.run_ok(&["ticket", "list", "--state", "closed", "--json"], "")).unwrap();
    assert_eq!((closed.as_array().unwrap().len(), &closed[0]["closed"]["number"]), (1, &json!(1)));
    assert_eq!(installation.run_ok(&["ticket", "list", "--user", "cashier", "--json"], "").trim(), "[]");
    let shown = installation.run_ok(&["ticket", "show", &open], "");
    for part in ["state: open", " on P01\n", "owner: manager", "payable: 5.82 EUR", "Cheese", "1.234000 kg", "5.900000"]
    {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let shown: Value = serde_json::from_str(&installation.run_ok(&["ticket", "show", &open, "--json"], "")).unwrap();
    assert_eq!((&shown["payable"], &shown["items"][0]["quantity"]), (&json!("5.82"), &json!("1.234000")));
    let none = installation.run(&["ticket", "show", "018f3b3e-0000-7000-8000-000000000000"], "");
    assert_eq!(none.status.code(), Some(1));
}
