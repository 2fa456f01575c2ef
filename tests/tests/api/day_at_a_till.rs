//! A day at a till, with the native API and with PORTOS, on both databases.

use serde_json::json;
use tillgate_tests::{DatabaseEngine, Installation, PASSWORD};

tillgate_testkit::on_both_databases!(
    cashier_works_on_a_till,
    email_finds_its_user_and_device_logs_in_as_itself,
    sale_device_has_one_session_and_back_office_many,
    portos_till_needs_another_address_only,
    wrong_password_reveals_no_more_than_a_wrong_name
);

fn cashier_works_on_a_till(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let mut till = server.new_till().login("cashier", "P01");
    let current = till.get_current_session().expect_status(200).json();
    assert_eq!(current["user"]["user_name"], "cashier");
    assert_eq!(current["device"]["name"], "P01");
    assert_eq!(current["device"]["environment"], "CashRegister");
    assert!(current["rights"].as_array().unwrap().contains(&json!("ticketClose")), "{current}");

    let before = till.refresh.clone();
    till.refresh().expect_status(200);
    assert_ne!(till.refresh, before, "the first refresh rotates");
    till.get_current_session().expect_status(200);

    let id = current["session"]["id"].as_str().unwrap();
    let list = till.get("/api/v1/sessions?live=true").expect_status(200).json();
    assert!(list["items"].as_array().unwrap().iter().any(|session| session["id"] == id), "{list}");

    till.delete("/api/v1/sessions/current").expect_status(204);
    assert_eq!(till.get_current_session().expect_status(401).json()["code"], "session_over");
    assert_eq!(till.refresh().expect_status(401).json()["code"], "session_over");
}

fn email_finds_its_user_and_device_logs_in_as_itself(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let till = server.new_till();
    let office = till.post("/api/v1/sessions", &json!({"login": "ADMIN@example.com ", "password": PASSWORD}));
    assert_eq!(office.expect_status(201).json()["session"]["user"]["user_name"], "admin");
    let itself = till.post("/api/v1/sessions", &json!({"device": "p02", "password": PASSWORD})).expect_status(201);
    let session = itself.json()["session"].clone();
    assert_eq!((&session["user"], session["device"]["name"].as_str()), (&json!(null), Some("P02")));
}

fn sale_device_has_one_session_and_back_office_many(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let first = server.new_till().login("cashier", "P01");
    let second = server.new_till().login("manager", "P01");
    assert_eq!(first.get_current_session().expect_status(401).json()["code"], "session_over");
    second.get_current_session().expect_status(200);
    let offices = [server.new_till().login("manager", "OFFICE"), server.new_till().login("manager", "OFFICE")];
    for office in offices {
        office.get_current_session().expect_status(200);
    }
}

fn portos_till_needs_another_address_only(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let mut till = server.new_till();
    let login = json!({"UserName": "cashier", "Password": PASSWORD, "DeviceName": "P01"});
    let response = till.post("/portos/api/auth", &login).expect_status(200).json();
    let token = |response: &serde_json::Value, name: &str| response[name].as_str().unwrap().to_owned();
    till.access = token(&response, "tokenId");
    installation.secrets().add(&till.access);
    installation.secrets().add(&token(&response, "refreshToken"));
    let user = till.get("/portos/api/v1/auth").expect_status(200).json();
    assert_eq!(
        (user["userName"].as_str(), user["device"]["envName"].as_str()),
        (Some("cashier"), Some("CashRegister"))
    );
    let pair = json!({"tokenId": till.access, "refreshToken": token(&response, "refreshToken")});
    let bare = server.new_till();
    let refreshed = bare.post("/portos/api/auth/refresh", &pair).expect_status(200).json();
    installation.secrets().add(&token(&refreshed, "tokenId"));
    installation.secrets().add(&token(&refreshed, "refreshToken"));
    till.get("/api/v1/sessions/current").expect_status(401);
    till.delete("/portos/api/auth").expect_status(200);
    let over = till.get("/portos/api/auth").expect_status(401);
    assert_eq!(over.json()["errorCode"], "Unauthenticated");
    assert!(over.header("content-type").starts_with("application/problem+json"));
}

fn wrong_password_reveals_no_more_than_a_wrong_name(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let till = server.new_till();
    let say = |body: serde_json::Value| {
        let mut response = till.post("/api/v1/sessions", &body).expect_status(401).json();
        response["trace_id"] = json!("");
        response
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
}
