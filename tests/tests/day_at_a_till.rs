//! A day at a till, by the native API and by PORTOS, on both databases.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::json;
use tillgate_tests::{PASSWORD, on_both};

#[test]
fn a_cashier_works_on_a_till() {
    on_both(|shop| {
        let server = shop.serve();
        let mut till = server.till().login("cashier", "P01");
        let current = till.current().expect(200).json();
        assert_eq!(current["user"]["user_name"], "cashier");
        assert_eq!(current["device"]["name"], "P01");
        assert_eq!(current["device"]["environment"], "CashRegister");
        assert!(current["rights"].as_array().unwrap().contains(&json!("ticketClose")), "{current}");

        let before = till.refresh.clone();
        till.refresh().expect(200);
        assert_ne!(till.refresh, before, "the first refresh rotates");
        till.current().expect(200);

        let id = current["session"]["id"].as_str().unwrap();
        let list = till.get("/api/v1/sessions?live=true").expect(200).json();
        assert!(list["items"].as_array().unwrap().iter().any(|session| session["id"] == id), "{list}");

        till.delete("/api/v1/sessions/current").expect(204);
        assert_eq!(till.current().expect(401).json()["code"], "session_over");
        assert_eq!(till.refresh().expect(401).json()["code"], "session_over");
    });
}

#[test]
fn an_email_finds_its_user_and_a_device_logs_in_as_itself() {
    on_both(|shop| {
        let server = shop.serve();
        let till = server.till();
        let office = till.post("/api/v1/sessions", &json!({"login": "ADMIN@example.com ", "password": PASSWORD}));
        assert_eq!(office.expect(201).json()["session"]["user"]["user_name"], "admin");
        let itself = till.post("/api/v1/sessions", &json!({"device": "p02", "password": PASSWORD})).expect(201);
        let session = itself.json()["session"].clone();
        assert_eq!((&session["user"], session["device"]["name"].as_str()), (&json!(null), Some("P02")));
    });
}

#[test]
fn one_person_at_a_time_sells_and_any_number_work_in_the_office() {
    on_both(|shop| {
        let server = shop.serve();
        let first = server.till().login("cashier", "P01");
        let second = server.till().login("manager", "P01");
        assert_eq!(first.current().expect(401).json()["code"], "session_over");
        second.current().expect(200);
        let offices = [server.till().login("manager", "OFFICE"), server.till().login("manager", "OFFICE")];
        for office in offices {
            office.current().expect(200);
        }
    });
}

#[test]
fn a_portos_till_only_changes_its_address() {
    on_both(|shop| {
        let server = shop.serve();
        let mut till = server.till();
        let login = json!({"UserName": "cashier", "Password": PASSWORD, "DeviceName": "P01"});
        let answer = till.post("/portos/api/auth", &login).expect(200).json();
        let token = |answer: &serde_json::Value, name: &str| answer[name].as_str().unwrap().to_owned();
        till.access = token(&answer, "tokenId");
        shop.secrets().note(&till.access);
        shop.secrets().note(&token(&answer, "refreshToken"));
        let user = till.get("/portos/api/v1/auth").expect(200).json();
        assert_eq!(
            (user["userName"].as_str(), user["device"]["envName"].as_str()),
            (Some("cashier"), Some("CashRegister"))
        );
        let pair = json!({"tokenId": till.access, "refreshToken": token(&answer, "refreshToken")});
        let bare = server.till();
        let refreshed = bare.post("/portos/api/auth/refresh", &pair).expect(200).json();
        shop.secrets().note(&token(&refreshed, "tokenId"));
        shop.secrets().note(&token(&refreshed, "refreshToken"));
        till.get("/api/v1/sessions/current").expect(401);
        till.delete("/portos/api/auth").expect(200);
        let over = till.get("/portos/api/auth").expect(401);
        assert_eq!(over.json()["errorCode"], "Unauthenticated");
        assert!(over.header("content-type").starts_with("application/problem+json"));
    });
}

#[test]
fn a_wrong_password_says_no_more_than_a_wrong_name() {
    on_both(|shop| {
        let server = shop.serve();
        let till = server.till();
        let say = |body: serde_json::Value| {
            let mut answer = till.post("/api/v1/sessions", &body).expect(401).json();
            answer["trace_id"] = json!("");
            answer
        };
        let wrong = say(json!({"login": "cashier", "password": "not-the-password", "device": "P01"}));
        for body in [
            json!({"login": "nobody", "password": "not-the-password", "device": "P01"}),
            json!({"login": "cashier", "password": PASSWORD, "device": "P99"}),
            json!({"login": "nobody@example.com", "password": PASSWORD}),
            json!({"login": "cashier", "password": PASSWORD, "tenant": "elsewhere"}),
        ] {
            assert_eq!(say(body.clone()), wrong, "{body}");
        }
    });
}
