//! Tickets over real sockets, on both databases: two tills change one at once, a request with a key counts once also where it comes
//! twice at once and after a restart, and refunds at once take back no more than was sold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use tillgate_tests::{Answer, Installation, Running, Till, on_both};
use ureq::http::Request;

const ALL: &str = "/api/v1/tickets";

/// A call with a header besides.
fn with_header(till: &Till, server: &Running, call: (&str, &str), header: (&str, &str), body: &Value) -> Answer {
    let request = Request::builder()
        .method(call.0)
        .uri(format!("{}{}", server.address(), call.1))
        .header("authorization", format!("Bearer {}", till.access))
        .header("content-type", "application/json")
        .header(header.0, header.1);
    till.try_send(request.body(body.to_string()).unwrap()).unwrap()
}

fn sheet(price: &str) -> Value {
    json!({ "currency": "EUR", "items": [{ "unit_price": price, "quantity": "1" }] })
}

/// A shop with the manager at two tills, each at a server of its own over the same database.
fn two_tills(shop: &Installation) -> [(Running, Till); 2] {
    ["P01", "P02"].map(|device| {
        let server = shop.serve();
        let till = server.till().login("manager", device);
        (server, till)
    })
}

/// What both do at the same moment.
fn both<T: Send>(act: impl Fn(usize) -> T + Sync) -> [T; 2] {
    std::thread::scope(|scope| {
        let act = &act;
        let threads = [0, 1].map(|number| scope.spawn(move || act(number)));
        threads.map(|thread| thread.join().unwrap())
    })
}

#[test]
fn of_two_tills_that_change_one_ticket_at_once_one_wins() {
    on_both(|shop| {
        let tills = two_tills(shop);
        let [(one, first), _] = &tills;
        let ticket = first.post(ALL, &sheet("3")).expect(201);
        let path = format!("{ALL}/{}", ticket.text_at("/id"));
        for version in 1..=20 {
            let tag = format!("\"{version}\"");
            let answers = both(|number| {
                let (server, till) = &tills[number];
                let body = json!({ "external_id": format!("{version} by {number}") });
                with_header(till, server, ("PATCH", &path), ("if-match", &tag), &body)
            });
            let mut statuses = answers.each_ref().map(Answer::status);
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 412], "{answers:?}");
            let lost = answers.iter().find(|answer| answer.status() == 412).unwrap();
            assert_eq!(lost.json()["version"], json!(version + 1), "who lost is told the version there is");
        }
        // and by PORTOS' words
        let portos = one.till().post(
            "/portos/api/auth",
            &json!({ "UserName": "manager", "Password": tillgate_tests::PASSWORD, "DeviceName": "PDA1" }),
        );
        shop.secrets().note(&portos.text_at("/refreshToken"));
        let handheld = Till::bearing(one, &portos.text_at("/tokenId"));
        let late = handheld.call(
            "PUT",
            &format!("/portos/api/tickets/{}", ticket.text_at("/id")),
            Some(&json!({ "_v": 20, "name": "x" })),
        );
        assert_eq!((late.status(), &late.json()["resource"]["version"]), (412, &json!(21)));
    });
}

#[test]
fn a_key_counts_once_at_once_and_after_a_restart() {
    on_both(|shop| {
        let tills = two_tills(shop);
        let mut answered = Vec::new();
        for round in 0..10 {
            let key = format!("round-{round}");
            let answers = both(|number| {
                let (server, till) = &tills[number];
                with_header(till, server, ("POST", ALL), ("idempotency-key", &key), &sheet("3"))
            });
            assert_eq!(answers.each_ref().map(Answer::status), [201, 201], "{answers:?}");
            let ids = answers.each_ref().map(|answer| answer.text_at("/id"));
            assert_eq!(ids[0], ids[1], "one key, one ticket");
            answered.push((key, answers));
        }
        let listed = tills[0].1.get(ALL).expect(200).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 10);
        let tokens = tills.map(|(server, till)| {
            drop(server);
            till
        });
        let server = shop.serve();
        let till = tokens[1].at(server.address());
        for (key, answers) in &answered {
            let again = with_header(&till, &server, ("POST", ALL), ("idempotency-key", key), &sheet("3"));
            assert_eq!((again.status(), again.text()), (201, answers[1].text()), "{key}");
        }
        let other = with_header(&till, &server, ("POST", ALL), ("idempotency-key", "round-0"), &sheet("4"));
        assert_eq!((other.status(), other.text_at("/code").as_str()), (422, "idempotency_key_reused"));
        assert_eq!(till.get(ALL).json()["items"].as_array().unwrap().len(), 10);
    });
}

#[test]
fn refunds_at_once_take_back_no_more_than_was_sold() {
    on_both(|shop| {
        let tills = two_tills(shop);
        let [(server, till), _] = &tills;
        for _ in 0..10 {
            let ticket = till.post(ALL, &sheet("3")).expect(201);
            let path = format!("{ALL}/{}", ticket.text_at("/id"));
            let paid = json!({ "payments": [{ "means": "card", "amount": "3.00" }] });
            with_header(till, server, ("POST", &format!("{path}/close")), ("if-match", "*"), &paid).expect(200);
            let answers = both(|number| tills[number].1.post(&format!("{path}/refund"), &json!({})));
            let made = answers.iter().filter(|answer| answer.status() == 201).count();
            assert_eq!(made, 1, "{answers:?}");
        }
    });
}

#[test]
fn the_command_line_shows_what_was_sold() {
    on_both(|shop| {
        let server = shop.serve();
        let till = server.till().login("manager", "P01");
        let body = json!({ "currency": "EUR", "name": "Table 5", "discount_rate": "20",
            "items": [{ "article": { "name": "Cheese", "vat_rate": "10" }, "unit_price": "5.363636", "quantity": "1.234", "unit": "kg" }] });
        let open = till.post(ALL, &body).expect(201).text_at("/id");
        let other = till.post(ALL, &sheet("2")).expect(201).text_at("/id");
        let paid = json!({ "payments": [{ "means": "cash", "amount": "5.00" }] });
        with_header(&till, &server, ("POST", &format!("{ALL}/{other}/close")), ("if-match", "\"1\""), &paid)
            .expect(200);
        let table = shop.succeed(&["ticket", "list"], "");
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3, "{table}");
        assert!(lines[0].starts_with("ID") && lines[0].ends_with("NAME"), "{table}");
        assert!(
            lines[1].starts_with(&other) && lines[1].contains("closed") && lines[1].contains("2.00 EUR"),
            "{table}"
        );
        assert!(lines[2].starts_with(&open) && lines[2].ends_with("5.82 EUR  Table 5"), "{table}");
        let closed: Value =
            serde_json::from_str(&shop.succeed(&["ticket", "list", "--state", "closed", "--json"], "")).unwrap();
        assert_eq!((closed.as_array().unwrap().len(), &closed[0]["number"]), (1, &json!(1)));
        assert_eq!(shop.succeed(&["ticket", "list", "--user", "cashier", "--json"], "").trim(), "[]");
        let shown = shop.succeed(&["ticket", "show", &open], "");
        for part in
            ["state: open", " on P01\n", "owner: manager", "payable: 5.82 EUR", "Cheese", "1.234000 kg", "5.900000"]
        {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        let shown: Value = serde_json::from_str(&shop.succeed(&["ticket", "show", &open, "--json"], "")).unwrap();
        assert_eq!((&shown["payable"], &shown["items"][0]["quantity"]), (&json!("5.82"), &json!("1.234000")));
        let none = shop.run(&["ticket", "show", "018f3b3e-0000-7000-8000-000000000000"], "");
        assert_eq!(none.status.code(), Some(1));
    });
}
