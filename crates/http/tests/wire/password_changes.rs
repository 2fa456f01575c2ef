//! A password that must be changed at the next login, by every contract: where it is said, and where it reads as a wrong password.

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::Action;

use crate::office::{Desk, faults, pointers};
use crate::shop::{Answer, PASSWORD, Shop, bearer, post};

const NEW: &str = "staple battery";
const REQUIRED: &str = "password_change_required";

/// The body of a login by this password.
type Body = fn(&str) -> Value;

/// The user must change the password from now on. Nothing of theirs ends.
async fn require(desk: &Desk, user: &str) -> String {
    let path = format!("/users/{}", desk.shop.native(user).await.text("/session/user/id"));
    let answer = desk.patch(&path, "*", json!({ REQUIRED: true })).await;
    assert_eq!((answer.status.as_u16(), &answer.json()[REQUIRED]), (200, &json!(true)), "{}", answer.json());
    path
}

async fn log_in(shop: &Shop, body: Value) -> Answer {
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
async fn native_login_says_that_the_password_must_be_changed_and_takes_another() {
    let desk = Desk::open().await;
    let path = require(&desk, "cashier").await;
    let refused = log_in(&desk.shop, login(PASSWORD, None)).await;
    assert_eq!(faults(&refused), (403, REQUIRED.to_owned(), vec![]));
    assert!(refused.text("/detail").contains("`new_password`"), "{}", refused.json());
    assert!(refused.challenges().is_empty());
    let wrong = log_in(&desk.shop, login("wrong horse", None)).await;
    assert_eq!(faults(&wrong), (401, "login_mismatch".to_owned(), vec![]));
    let wrong = log_in(&desk.shop, login("wrong horse", Some(NEW))).await;
    assert_eq!(faults(&wrong), (401, "login_mismatch".to_owned(), vec![]));

    let granted = log_in(&desk.shop, login(PASSWORD, Some(NEW))).await;
    assert_eq!(granted.status, 201, "{}", granted.json());
    assert_eq!(desk.shop.get("/api/v1/sessions/current", &granted.text("/access_token")).await.status, 200);
    assert_eq!(desk.get(&path).await.json()[REQUIRED], false);
    assert_eq!(log_in(&desk.shop, login(PASSWORD, None)).await.status, 401);
    assert_eq!(log_in(&desk.shop, login(NEW, None)).await.status, 201);
    let audit = desk.shop.store.memory.audit();
    let refused = audit.iter().find(|event| event.details.get("why") == Some(&json!(REQUIRED))).unwrap();
    assert_eq!(refused.action, Action::Login);
    let changed = audit.iter().find(|event| event.action == Action::UserUpdate).unwrap();
    assert_eq!(changed.details[REQUIRED], json!({ "from": false, "to": true }));
}

#[actix_web::test]
async fn new_password_that_cannot_be_keeps_the_old_one_and_names_every_fault() {
    let desk = Desk::open().await;
    require(&desk, "cashier").await;
    let before = desk.shop.native("manager").await;
    let weak = || (422, "password_weak".to_owned(), pointers(&[("/new_password", "weak")]));
    for (new, says) in [
        ("short", "at least 8 characters"),
        ("password1", "commonest"),
        (PASSWORD, "differ"),
        ("cashier-2026", "\"cashier\""),
        ("Cora Cashier", "made of the name"),
        ("P01-office-P01", "made of the name"),
    ] {
        let answer = log_in(&desk.shop, login(PASSWORD, Some(new))).await;
        assert_eq!(faults(&answer), weak(), "{new}: {}", answer.json());
        assert!(answer.text("/errors/0/detail").contains(says), "{new}: {}", answer.json());
    }
    let answer = log_in(&desk.shop, json!({ "login": 7, "password": PASSWORD, "new_password": "short" })).await;
    let all = pointers(&[("/login", "type"), ("/new_password", "weak")]);
    assert_eq!(faults(&answer), (422, "fields_invalid".to_owned(), all));
    let typed = log_in(&desk.shop, json!({ "login": "cashier", "password": PASSWORD, "new_password": 7 })).await;
    assert_eq!(faults(&typed).2, pointers(&[("/new_password", "type")]));
    let device = log_in(&desk.shop, json!({ "device": "P01", "password": PASSWORD, "new_password": NEW })).await;
    assert_eq!(faults(&device).2, pointers(&[("/new_password", "unexpected")]));

    let still = log_in(&desk.shop, login(PASSWORD, None)).await;
    assert_eq!(faults(&still).1, REQUIRED, "the old password is right");
    assert_eq!(desk.shop.get("/api/v1/sessions/current", &before.text("/access_token")).await.status, 200);
    // what is told of names is told after the right password alone
    let guess = log_in(&desk.shop, login("wrong horse", Some("Cora Cashier"))).await;
    assert_eq!(faults(&guess).0, 401, "{}", guess.json());
}

#[actix_web::test]
async fn whoever_need_not_may_change_the_password_with_a_login() {
    let shop = Shop::open();
    let before = shop.native("cashier").await.text("/access_token");
    assert_eq!(log_in(&shop, login(PASSWORD, Some(NEW))).await.status, 201);
    assert_eq!(shop.get("/api/v1/sessions/current", &before).await.status, 401, "the others end");
    let null = json!({ "login": "cashier", "password": NEW, "new_password": null });
    assert_eq!(log_in(&shop, null).await.status, 201);
}

#[actix_web::test]
async fn office_says_with_each_password_whether_it_must_be_changed() {
    let desk = Desk::open().await;
    let new = json!({ "user_name": "nina", "password": PASSWORD, "roles": ["cashier"], REQUIRED: true });
    let added = desk.post("/users", new).await;
    assert_eq!((added.status.as_u16(), &added.json()[REQUIRED]), (201, &json!(true)), "{}", added.json());
    let path = format!("/users/{}", added.text("/id"));
    let nina = |password: &str| json!({ "login": "nina", "password": password });
    assert_eq!(faults(&log_in(&desk.shop, nina(PASSWORD)).await).1, REQUIRED);
    let put = async |body: Value| desk.send(Method::PUT, &format!("{path}/password"), None, Some(body)).await.status;
    assert_eq!(put(json!({ "password": "third horse" })).await, 200);
    assert_eq!(log_in(&desk.shop, nina("third horse")).await.status, 201, "without a word it need not");
    let token = log_in(&desk.shop, nina("third horse")).await.text("/access_token");
    assert_eq!(put(json!({ "password": "fourth horse", REQUIRED: true })).await, 200);
    assert_eq!(desk.shop.get("/api/v1/sessions/current", &token).await.status, 401);
    assert_eq!(faults(&log_in(&desk.shop, nina("fourth horse")).await).1, REQUIRED);
    assert_eq!(desk.patch(&path, "*", json!({ REQUIRED: false })).await.json()[REQUIRED], false);
    let token = log_in(&desk.shop, nina("fourth horse")).await.text("/access_token");
    assert_eq!(desk.patch(&path, "*", json!({ REQUIRED: true })).await.status, 200);
    assert_eq!(desk.shop.get("/api/v1/sessions/current", &token).await.status, 200, "it alone ends nothing");
    let own = json!({ "current_password": "fourth horse", "password": NEW });
    let own = bearer(crate::shop::put("/api/v1/sessions/current/password", own), &token);
    assert_eq!(desk.shop.send(own).await.status, 200);
    assert_eq!(desk.get(&path).await.json()[REQUIRED], false);
    let plain = desk.post("/users", json!({ "user_name": "otto" })).await;
    assert_eq!(plain.json()[REQUIRED], false);
    for (body, fault) in [(json!({ REQUIRED: "yes" }), "type"), (json!({ REQUIRED: null }), "required")] {
        let path_of_fault = format!("/{REQUIRED}");
        assert_eq!(faults(&desk.patch(&path, "*", body).await).2, pointers(&[(&path_of_fault, fault)]));
    }
}

/// A published contract has no word for it: the answer is that to a wrong password, to the letter.
#[actix_web::test]
async fn published_contracts_answer_as_to_a_wrong_password() {
    let desk = Desk::open().await;
    let (cashier, admin) = (require(&desk, "cashier").await, "admin@example.com");
    let logins: [(&str, Body); 4] = [
        ("/portos/api/auth", |password| json!({ "UserName": "cashier", "Password": password, "DeviceName": "P01" })),
        ("/kasir/api/v1/auth/login", |password| json!({ "email": "cashier", "password": password })),
        ("/krmpesan/app/login", |password| json!({ "login": "cashier", "password": password })),
        ("/posstar/api/v1/auth/login", |password| json!({ "email": "admin@example.com", "password": password })),
    ];
    let own = format!("/users/{}", desk.get("/sessions/current").await.text("/user/id"));
    assert_eq!(desk.patch(&own, "*", json!({ REQUIRED: true })).await.status, 200);
    for (path, body) in logins {
        let [right, wrong] = [desk.shop.post(path, body(PASSWORD)).await, desk.shop.post(path, body("wrong")).await];
        assert_eq!(right.status, 401, "{path}: {}", right.json());
        let without_trace = |answer: &Answer| {
            let mut json = answer.json();
            json.as_object_mut().unwrap().remove("traceId");
            (answer.status, json)
        };
        assert_eq!(without_trace(&right), without_trace(&wrong), "{path}");
    }
    // a register logs in as itself
    desk.shop.fiuu().await;
    // a session that is there generates no permanent token by it
    let reset = json!({ REQUIRED: false });
    assert_eq!(desk.patch(&cashier, "*", reset).await.status, 200);
    let visit = desk.shop.krmpesan_visit("cashier").await.text("/data/token");
    assert_eq!(desk.patch(&cashier, "*", json!({ REQUIRED: true })).await.status, 200);
    let generate = json!({ "device": "P01", "password": PASSWORD });
    let generated = desk.shop.send(bearer(post("/krmpesan/app/generate", generate), &visit)).await;
    assert_eq!(generated.status, 401, "{}", generated.json());

    assert_eq!(log_in(&desk.shop, login(PASSWORD, Some(NEW))).await.status, 201);
    assert_eq!(desk.shop.post("/portos/api/auth", logins[0].1(NEW)).await.status, 200);
    let admin = json!({ "login": admin, "password": PASSWORD, "new_password": NEW });
    assert_eq!(log_in(&desk.shop, admin).await.status, 201);
    assert_eq!(desk.shop.post("/posstar/api/v1/auth/login", logins[3].1(NEW)).await.status, 200);
}
