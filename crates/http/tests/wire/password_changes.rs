//! A required password change in every contract: some report it, the others answer as to a wrong
//! password.

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::Action;

use crate::office::{OfficeClient, expected_pointers, violations};
use crate::test_server::{TEST_PASSWORD, TestResponse, TestServer, post_request, with_bearer};

const NEW_PASSWORD: &str = "staple battery";
const CHANGE_REQUIRED_CODE: &str = "password_change_required";

/// The body of a login with this password.
type Body = fn(&str) -> Value;

/// Requires the user to change the password; no session ends.
async fn require_password_change(desk: &OfficeClient, user: &str) -> String {
    let path = format!("/users/{}", desk.shop.log_in_native(user).await.text_at("/session/user/id"));
    let response = desk.patch(&path, "*", json!({ CHANGE_REQUIRED_CODE: true })).await;
    assert_eq!(
        (response.status.as_u16(), &response.json()[CHANGE_REQUIRED_CODE]),
        (200, &json!(true)),
        "{}",
        response.json()
    );
    path
}

async fn log_in(shop: &TestServer, body: Value) -> TestResponse {
    shop.post("/api/v1/sessions", body).await
}

fn login(password: &str, new: Option<&str>) -> Value {
    let mut body = json!({ "login": "cashier", "password": password, "device": "P01" });
    if let Some(new) = new {
        body["new_password"] = json!(new);
    }
    body
}

#[actix_web::test]
async fn native_login_reports_required_password_change_and_accepts_new_password() {
    let desk = OfficeClient::open().await;
    let path = require_password_change(&desk, "cashier").await;
    let refused = log_in(&desk.shop, login(TEST_PASSWORD, None)).await;
    assert_eq!(violations(&refused), (403, CHANGE_REQUIRED_CODE.to_owned(), vec![]));
    assert!(refused.text_at("/detail").contains("`new_password`"), "{}", refused.json());
    assert!(refused.challenges().is_empty());
    let wrong = log_in(&desk.shop, login("wrong horse", None)).await;
    assert_eq!(violations(&wrong), (401, "login_mismatch".to_owned(), vec![]));
    let wrong = log_in(&desk.shop, login("wrong horse", Some(NEW_PASSWORD))).await;
    assert_eq!(violations(&wrong), (401, "login_mismatch".to_owned(), vec![]));

    let granted = log_in(&desk.shop, login(TEST_PASSWORD, Some(NEW_PASSWORD))).await;
    assert_eq!(granted.status, 201, "{}", granted.json());
    assert_eq!(desk.shop.get("/api/v1/sessions/current", &granted.text_at("/access_token")).await.status, 200);
    assert_eq!(desk.get(&path).await.json()[CHANGE_REQUIRED_CODE], false);
    assert_eq!(log_in(&desk.shop, login(TEST_PASSWORD, None)).await.status, 401);
    assert_eq!(log_in(&desk.shop, login(NEW_PASSWORD, None)).await.status, 201);
    let audit = desk.shop.store.inner.audit_events();
    let refused = audit.iter().find(|event| event.details.get("why") == Some(&json!(CHANGE_REQUIRED_CODE))).unwrap();
    assert_eq!(refused.action, Action::Login);
    let changed = audit.iter().find(|event| event.action == Action::UserUpdate).unwrap();
    assert_eq!(changed.details[CHANGE_REQUIRED_CODE], json!({ "from": false, "to": true }));
}

#[actix_web::test]
async fn rejected_new_password_keeps_the_old_one_and_reports_all_violations() {
    let desk = OfficeClient::open().await;
    require_password_change(&desk, "cashier").await;
    let before = desk.shop.log_in_native("manager").await;
    let weak = || (422, "password_weak".to_owned(), expected_pointers(&[("/new_password", "weak")]));
    for (new, says) in [
        ("short", "at least 8 characters"),
        ("password1", "commonest"),
        (TEST_PASSWORD, "differ"),
        ("cashier-2026", "\"cashier\""),
        ("Cora Cashier", "made of the name"),
        ("P01-office-P01", "made of the name"),
        ("correct\u{200b}horse", "U+200B"),
        ("correct horse\u{202e}", "U+202E"),
    ] {
        let response = log_in(&desk.shop, login(TEST_PASSWORD, Some(new))).await;
        assert_eq!(violations(&response), weak(), "{new}: {}", response.json());
        assert!(response.text_at("/errors/0/detail").contains(says), "{new}: {}", response.json());
    }
    let response = log_in(&desk.shop, json!({ "login": 7, "password": TEST_PASSWORD, "new_password": "short" })).await;
    let all = expected_pointers(&[("/login", "type"), ("/new_password", "weak")]);
    assert_eq!(violations(&response), (422, "fields_invalid".to_owned(), all));
    let typed = log_in(&desk.shop, json!({ "login": "cashier", "password": TEST_PASSWORD, "new_password": 7 })).await;
    assert_eq!(violations(&typed).2, expected_pointers(&[("/new_password", "type")]));
    let device =
        log_in(&desk.shop, json!({ "device": "P01", "password": TEST_PASSWORD, "new_password": NEW_PASSWORD })).await;
    assert_eq!(violations(&device).2, expected_pointers(&[("/new_password", "unexpected")]));

    let still = log_in(&desk.shop, login(TEST_PASSWORD, None)).await;
    assert_eq!(violations(&still).1, CHANGE_REQUIRED_CODE, "the old password is right");
    assert_eq!(desk.shop.get("/api/v1/sessions/current", &before.text_at("/access_token")).await.status, 200);
    // violations that reveal names are reported after the correct password only
    let guess = log_in(&desk.shop, login("wrong horse", Some("Cora Cashier"))).await;
    assert_eq!(violations(&guess).0, 401, "{}", guess.json());
}

#[actix_web::test]
async fn password_may_be_changed_with_any_login() {
    let shop = TestServer::start();
    let before = shop.log_in_native("cashier").await.text_at("/access_token");
    assert_eq!(log_in(&shop, login(TEST_PASSWORD, Some(NEW_PASSWORD))).await.status, 201);
    assert_eq!(shop.get("/api/v1/sessions/current", &before).await.status, 401, "other sessions end");
    let null = json!({ "login": "cashier", "password": NEW_PASSWORD, "new_password": null });
    assert_eq!(log_in(&shop, null).await.status, 201);
}

#[actix_web::test]
async fn office_sets_whether_password_must_be_changed() {
    let desk = OfficeClient::open().await;
    let new =
        json!({ "user_name": "nina", "password": TEST_PASSWORD, "roles": ["cashier"], CHANGE_REQUIRED_CODE: true });
    let added = desk.post("/users", new).await;
    assert_eq!((added.status.as_u16(), &added.json()[CHANGE_REQUIRED_CODE]), (201, &json!(true)), "{}", added.json());
    let path = format!("/users/{}", added.text_at("/id"));
    let nina = |password: &str| json!({ "login": "nina", "password": password });
    assert_eq!(violations(&log_in(&desk.shop, nina(TEST_PASSWORD)).await).1, CHANGE_REQUIRED_CODE);
    let put = async |body: Value| desk.send(Method::PUT, &format!("{path}/password"), None, Some(body)).await.status;
    assert_eq!(put(json!({ "password": "third horse" })).await, 200);
    assert_eq!(log_in(&desk.shop, nina("third horse")).await.status, 201, "without a word it need not");
    let token = log_in(&desk.shop, nina("third horse")).await.text_at("/access_token");
    assert_eq!(put(json!({ "password": "fourth horse", CHANGE_REQUIRED_CODE: true })).await, 200);
    assert_eq!(desk.shop.get("/api/v1/sessions/current", &token).await.status, 401);
    assert_eq!(violations(&log_in(&desk.shop, nina("fourth horse")).await).1, CHANGE_REQUIRED_CODE);
    assert_eq!(
        desk.patch(&path, "*", json!({ CHANGE_REQUIRED_CODE: false })).await.json()[CHANGE_REQUIRED_CODE],
        false
    );
    let token = log_in(&desk.shop, nina("fourth horse")).await.text_at("/access_token");
    assert_eq!(desk.patch(&path, "*", json!({ CHANGE_REQUIRED_CODE: true })).await.status, 200);
    assert_eq!(desk.shop.get("/api/v1/sessions/current", &token).await.status, 200, "it alone ends nothing");
    let own = json!({ "current_password": "fourth horse", "password": NEW_PASSWORD });
    let own = with_bearer(crate::test_server::put_request("/api/v1/sessions/current/password", own), &token);
    assert_eq!(desk.shop.send(own).await.status, 200);
    assert_eq!(desk.get(&path).await.json()[CHANGE_REQUIRED_CODE], false);
    let plain = desk.post("/users", json!({ "user_name": "otto" })).await;
    assert_eq!(plain.json()[CHANGE_REQUIRED_CODE], false);
    for (body, fault) in
        [(json!({ CHANGE_REQUIRED_CODE: "yes" }), "type"), (json!({ CHANGE_REQUIRED_CODE: null }), "required")]
    {
        let path_of_fault = format!("/{CHANGE_REQUIRED_CODE}");
        assert_eq!(violations(&desk.patch(&path, "*", body).await).2, expected_pointers(&[(&path_of_fault, fault)]));
    }
}

/// Published contracts cannot report it: the response is exactly that to a wrong password.
#[actix_web::test]
async fn published_contracts_answer_as_to_a_wrong_password() {
    let desk = OfficeClient::open().await;
    let (cashier, admin) = (require_password_change(&desk, "cashier").await, "admin@example.com");
    let logins: [(&str, Body); 4] = [
        ("/portos/api/auth", |password| json!({ "UserName": "cashier", "Password": password, "DeviceName": "P01" })),
        ("/kasir/api/v1/auth/login", |password| json!({ "email": "cashier", "password": password })),
        ("/krmpesan/app/login", |password| json!({ "login": "cashier", "password": password })),
        ("/posstar/api/v1/auth/login", |password| json!({ "email": "admin@example.com", "password": password })),
    ];
    let own = format!("/users/{}", desk.get("/sessions/current").await.text_at("/user/id"));
    assert_eq!(desk.patch(&own, "*", json!({ CHANGE_REQUIRED_CODE: true })).await.status, 200);
    for (path, body) in logins {
        let [right, wrong] =
            [desk.shop.post(path, body(TEST_PASSWORD)).await, desk.shop.post(path, body("wrong")).await];
        assert_eq!(right.status, 401, "{path}: {}", right.json());
        let without_trace = |response: &TestResponse| {
            let mut json = response.json();
            json.as_object_mut().unwrap().remove("traceId");
            (response.status, json)
        };
        assert_eq!(without_trace(&right), without_trace(&wrong), "{path}");
    }
    // a register logs in as itself
    desk.shop.log_in_fiuu().await;
    // an existing session cannot generate a permanent token with the password
    let reset = json!({ CHANGE_REQUIRED_CODE: false });
    assert_eq!(desk.patch(&cashier, "*", reset).await.status, 200);
    let visit = desk.shop.log_in_krmpesan_page("cashier").await.text_at("/data/token");
    assert_eq!(desk.patch(&cashier, "*", json!({ CHANGE_REQUIRED_CODE: true })).await.status, 200);
    let generate = json!({ "device": "P01", "password": TEST_PASSWORD });
    let generated = desk.shop.send(with_bearer(post_request("/krmpesan/app/generate", generate), &visit)).await;
    assert_eq!(generated.status, 401, "{}", generated.json());

    assert_eq!(log_in(&desk.shop, login(TEST_PASSWORD, Some(NEW_PASSWORD))).await.status, 201);
    assert_eq!(desk.shop.post("/portos/api/auth", logins[0].1(NEW_PASSWORD)).await.status, 200);
    let admin = json!({ "login": admin, "password": TEST_PASSWORD, "new_password": NEW_PASSWORD });
    assert_eq!(log_in(&desk.shop, admin).await.status, 201);
    assert_eq!(desk.shop.post("/posstar/api/v1/auth/login", logins[3].1(NEW_PASSWORD)).await.status, 200);
}
