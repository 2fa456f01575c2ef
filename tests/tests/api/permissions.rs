//! A caller without the right of a call is denied before the request is examined, on both databases
//! and through several mounts of one server.

use serde_json::{Value, json};
use tillgate_tests::{DatabaseEngine, Installation, PASSWORD, TillClient};

tillgate_testkit::on_both_databases!(missing_right_is_denied_before_the_request_is_examined);

fn missing_right_is_denied_before_the_request_is_examined(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let cashier = server.new_till().login("cashier", "P01");
    let unknown = "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5";
    let native = |method: &str, path: &str, body: Option<Value>, right: &str| {
        let response = cashier.call(method, path, body.as_ref());
        assert_eq!((response.status(), response.text_at("/right").as_str()), (403, right), "{method} {path}");
    };
    // an invalid body, an unknown id, and no `If-Match`
    native("POST", "/api/v1/users", Some(json!({"user_name": 7})), "userCreate");
    native("PATCH", &format!("/api/v1/users/{unknown}"), Some(json!({})), "userUpdate");
    native("DELETE", &format!("/api/v1/devices/{unknown}"), None, "deviceDelete");
    native("GET", &format!("/api/v1/users/{unknown}"), None, "userRead");
    native("GET", &format!("/api/v1/sessions/{unknown}"), None, "sessionRead");

    let login = json!({"UserName": "cashier", "Password": PASSWORD, "DeviceName": "P02"});
    let token = server.new_till().post("/portos/api/auth", &login).expect_status(200).text_at("/tokenId");
    let portos = TillClient::with_token(&server, &token);
    portos.post("/portos/api/apikeys", &json!({"name": 7})).expect_status(403);
    portos.delete(&format!("/portos/api/tickets/{unknown}")).expect_status(403);

    let login = json!({"email": "cashier@example.com", "password": PASSWORD});
    let token = server.new_till().post("/kasir/api/v1/auth/login", &login).expect_status(200).text_at("/data/Token");
    let kasir = TillClient::with_token(&server, &token);
    let response = kasir.post("/kasir/api/v1/users", &json!({"username": 7})).expect_status(403);
    assert_eq!(response.text_at("/message"), "Insufficient permissions");
    kasir.delete("/kasir/api/v1/users/none").expect_status(403);

    let audit: Value = serde_json::from_str(&installation.run_ok(&["audit", "list", "--json"], "")).unwrap();
    let denials = audit.as_array().unwrap().iter().filter(|event| event["action"] == "right.missing");
    assert!(denials.count() > 3, "{audit}");
}
