//! The back office in the browser: the session in cookies, and the native API behind it.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::office_browser::{Browser, CURRENT, SESSION, server};
use crate::test_server::{TEST_PASSWORD, TestResponse, build_request, with_bearer};

#[actix_web::test]
async fn browser_has_the_calls_of_the_native_api_except_those_that_return_tokens() {
    let shop = server();
    let calls = |mount: &str, prefix: &str| -> BTreeSet<(String, String)> {
        let routes = shop.http.routes().into_iter().filter(|route| route.mount == mount);
        routes.filter_map(|route| Some((route.method, route.path.strip_prefix(prefix)?.to_owned()))).collect()
    };
    let (native, browser) = (calls("native", "/api/v1"), calls("office", "/office/api/v1"));
    let absent: Vec<String> = native.difference(&browser).map(|(method, path)| format!("{method} {path}")).collect();
    let expected = [
        "DELETE /till/operator",
        "GET /access",
        "GET /till",
        "GET /till/operators",
        "POST /enrollments",
        "POST /enrollments/poll",
        "POST /enrollments/start",
        "POST /sessions",
        "POST /sessions/refresh",
        "POST /till/operator",
    ];
    assert_eq!(absent, expected);
    assert_eq!(browser.difference(&native).count(), 0);
    let document = shop.get("/openapi.json", "").await.json();
    let documented = document.pointer("/paths").unwrap().as_object().unwrap();
    assert!(documented.keys().all(|path| !path.starts_with("/office")), "the calls are documented once");
}

#[actix_web::test]
async fn sign_in_answers_the_session_and_no_token() {
    let shop = server();
    let browser = Browser::new(&shop);
    let response = browser.sign_in("admin").await;
    let current = browser.get(CURRENT).await;
    assert_eq!(current.status, 200);
    let mut expected = current.json();
    let mut session = response.json()["session"].clone();
    // the first use is recorded by the request itself
    for body in [&mut expected, &mut session] {
        body["session"]["last_used_at"] = Value::Null;
    }
    assert_eq!(session, expected);
    assert_eq!(expected.pointer("/session/mount"), Some(&json!("office")));
    assert_eq!((&response.json()["expires_in"], &response.json()["idle_in"]), (&json!(900), &json!(900)));
    let text = String::from_utf8(response.bytes.clone()).unwrap();
    for value in browser.cookies.borrow().values() {
        assert!(value.len() > 40 && !text.contains(value), "{text}");
    }
    assert!(!response.header("x-tillgate-version").is_empty());
    assert_eq!(response.header("cache-control"), "no-store");
}

#[actix_web::test]
async fn cookies_are_secure_with_tls_and_plain_on_the_machine_itself() {
    let shop = server();
    let sign_in = |host: &'static str, scheme: &'static str| {
        let body = json!({ "login": "admin", "password": TEST_PASSWORD });
        let request = build_request(Method::POST, SESSION).set_json(body).insert_header(("Host", host));
        shop.send_from(
            "10.0.0.1",
            request
                .insert_header(("X-Forwarded-For", "192.0.2.9"))
                .insert_header(("X-Forwarded-Proto", scheme))
                .insert_header(("Sec-Fetch-Site", "same-origin")),
        )
    };
    let attributes = |response: &TestResponse| -> Vec<String> {
        let line = |line: &str| {
            let (name, rest) = line.split_once('=').unwrap();
            format!("{name};{}", rest.split_once(';').unwrap().1)
        };
        response.cookies().into_iter().map(line).collect()
    };
    assert_eq!(
        attributes(&sign_in("till.example", "https").await),
        [
            "__Host-tillgate-office; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=900",
            "__Host-tillgate-renew; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=900",
        ]
    );
    let local = Browser::new(&shop).sign_in("admin").await;
    assert_eq!(
        attributes(&local),
        [
            "tillgate-office; HttpOnly; SameSite=Strict; Path=/; Max-Age=900",
            "tillgate-renew; HttpOnly; SameSite=Strict; Path=/; Max-Age=900",
        ]
    );
    // what a proxy forwards comes from another machine, whatever it names as the host
    assert_eq!(sign_in("localhost:8080", "http").await.text_at("/code"), "tls_required");
    let refused = sign_in("till.example", "http").await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/code").as_str()), (403, "tls_required"));
    assert!(refused.text_at("/detail").contains("server.tls_cert") && refused.text_at("/detail").contains("proxies"));
    assert!(refused.cookies().is_empty());
}

#[actix_web::test]
async fn token_opens_only_the_mount_that_issued_it() {
    let shop = server();
    let browser = Browser::new(&shop);
    browser.sign_in("admin").await;
    let access = browser.cookies.borrow()["tillgate-office"].clone();
    let renewal = browser.cookies.borrow()["tillgate-renew"].clone();
    let current = "/api/v1/sessions/current";
    // the cookie at the native API: as a cookie, as a bearer token, and as a refresh token
    let as_cookie = browser.get(current).await;
    assert_eq!((as_cookie.status.as_u16(), as_cookie.text_at("/code").as_str()), (401, "token_missing"));
    let as_bearer = shop.get(current, &access).await;
    assert_eq!((as_bearer.status.as_u16(), as_bearer.text_at("/code").as_str()), (401, "token_foreign"));
    let refreshed = shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": renewal })).await;
    assert_eq!(refreshed.status, 401, "{}", refreshed.json());
    // the cookie's token as a bearer token of the office: only the cookie counts
    let bearer = build_request(Method::GET, CURRENT).insert_header(("Host", "localhost:8080"));
    assert_eq!(shop.send(with_bearer(bearer, &access)).await.status, 401);
    // the other way round
    let native = shop.log_in_native("admin").await;
    let stranger = Browser::new(&shop);
    stranger.cookies.borrow_mut().insert("tillgate-office".to_owned(), native.text_at("/access_token"));
    stranger.cookies.borrow_mut().insert("tillgate-renew".to_owned(), native.text_at("/refresh_token"));
    let response = stranger.get(CURRENT).await;
    assert_eq!((response.status.as_u16(), response.text_at("/code").as_str()), (401, "token_foreign"));
    assert_eq!(stranger.renew().await.status, 401);
    assert_eq!(stranger.send(Method::DELETE, SESSION, None).await.status, 204);
    assert_eq!(shop.get(current, &native.text_at("/access_token")).await.status, 200, "the native session lives on");
    assert_eq!(browser.get(CURRENT).await.status, 200);
}

#[actix_web::test]
async fn change_is_accepted_from_own_pages_only() {
    const FOREIGN: &str = "https://evil.example";
    let shop = server();
    let browser = Browser::new(&shop);
    browser.sign_in("admin").await;
    let senders: [&[(&str, &str)]; 7] = [
        &[],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "none")],
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost:8080")],
        &[("Origin", FOREIGN)],
        &[("Origin", "null")],
    ];
    let with_sender = |sender: &[(&'static str, &'static str)], request: TestRequest| {
        sender.iter().fold(request, |request, header| request.insert_header(*header))
    };
    let role =
        json!({ "name": "auditor", "label": "Auditor", "rights": ["auditRead"], "environments": ["BackOffice"] });
    for sender in senders {
        let changes = [
            build_request(Method::POST, "/office/api/v1/roles").set_json(role.clone()),
            build_request(Method::POST, SESSION).set_json(json!({})),
            build_request(Method::POST, SESSION).set_json(json!({ "login": "admin", "password": TEST_PASSWORD })),
            build_request(Method::DELETE, SESSION),
            build_request(Method::DELETE, CURRENT),
        ];
        for change in changes {
            let response = browser.send_raw(with_sender(sender, change)).await;
            assert_eq!(
                (response.status.as_u16(), response.text_at("/code").as_str()),
                (403, "origin_foreign"),
                "{sender:?}"
            );
            assert!(response.cookies().is_empty());
        }
    }
    // a call requires JSON: browsers send forms without asking the server first
    let form = build_request(Method::POST, "/office/api/v1/roles")
        .insert_header(("Sec-Fetch-Site", "same-origin"))
        .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
        .set_payload(role.to_string());
    assert_eq!(browser.send_raw(form).await.status, 415);
    let form = build_request(Method::POST, SESSION)
        .insert_header(("Sec-Fetch-Site", "same-origin"))
        .insert_header(("Content-Type", "text/plain"))
        .set_payload(json!({ "login": "admin", "password": TEST_PASSWORD }).to_string());
    assert_eq!(browser.send_raw(form).await.status, 415);
    // nothing was done, and an older browser that sends only its origin may do it
    assert_eq!(browser.get(CURRENT).await.status, 200);
    let request =
        build_request(Method::POST, "/office/api/v1/roles").insert_header(("Origin", "http://localhost:8080"));
    let created = browser.send_raw(request.set_json(role)).await;
    assert_eq!(created.status, 201, "{}", created.json());
    assert!(created.header("location").starts_with("/office/api/v1/roles/"));
}

#[actix_web::test]
async fn session_lasts_by_what_its_user_may_do() {
    let shop = server();
    let admin = Browser::new(&shop);
    admin.sign_in("admin").await;
    let role = json!({ "name": "auditor", "label": "Auditor", "rights": ["auditRead", "userRead"], "environments": ["BackOffice"] });
    assert_eq!(admin.post("/office/api/v1/roles", role).await.status, 201);
    let ida = json!({ "user_name": "ida", "password": "sea salt and honey", "roles": ["auditor"] });
    let made = admin.post("/office/api/v1/users", ida).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let reader = Browser::new(&shop);
    let response = reader.sign_in_with("ida", "sea salt and honey").await;
    assert_eq!((&response.json()["expires_in"], &response.json()["idle_in"]), (&json!(3600), &json!(3600)));
    // the administrator's session ends after a quarter of an hour, the reader's does not
    shop.clock.advance(Duration::from_secs(15 * 60 + 1));
    assert_eq!((admin.get(CURRENT).await.status.as_u16(), admin.renew().await.status.as_u16()), (401, 401));
    assert_eq!(reader.get(CURRENT).await.status, 200);
    // more rights count from the next renewal
    let admin = Browser::new(&shop);
    admin.sign_in("admin").await;
    let path = made.header("location");
    let etag = made.header("etag");
    let change = build_request(Method::PATCH, path)
        .insert_header(("Sec-Fetch-Site", "same-origin"))
        .insert_header(("If-Match", etag))
        .set_json(json!({ "roles": ["manager"] }));
    let changed = admin.send_raw(change).await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    let renewed = reader.renew().await;
    assert_eq!((&renewed.json()["expires_in"], &renewed.json()["idle_in"]), (&json!(900), &json!(900)));
}

#[actix_web::test]
async fn session_ends_twelve_hours_after_the_sign_in_however_often_it_is_renewed() {
    let shop = server();
    let browser = Browser::new(&shop);
    browser.sign_in("admin").await;
    for _ in 0..71 {
        shop.clock.advance(Duration::from_mins(10));
        assert_eq!(browser.renew().await.status, 200);
    }
    assert_eq!(browser.renew().await.json()["idle_in"], json!(600), "no longer than twelve hours");
    shop.clock.advance(Duration::from_secs(601));
    assert_eq!((browser.get(CURRENT).await.status.as_u16(), browser.renew().await.status.as_u16()), (401, 401));
}

#[actix_web::test]
async fn lost_responses_and_several_tabs_do_not_sign_out() {
    let shop = server();
    let browser = Browser::new(&shop);
    browser.sign_in("admin").await;
    shop.clock.advance(Duration::from_mins(5));
    // two tabs renew at once with the same cookie
    let other_tab = browser.copy();
    assert_eq!(browser.renew().await.status, 200);
    assert_eq!(other_tab.renew().await.status, 200);
    assert_eq!(other_tab.get(CURRENT).await.status, 200);
    assert_eq!(browser.get(CURRENT).await.status, 200);
    // a response is lost, and the browser comes back much later with the cookie that it has
    let lost = browser.copy();
    shop.clock.advance(Duration::from_mins(5));
    assert_eq!(lost.renew().await.status, 200);
    shop.clock.advance(Duration::from_mins(10));
    assert_eq!(browser.renew().await.status, 200);
    assert_eq!(browser.get(CURRENT).await.status, 200);
}

#[actix_web::test]
async fn each_sign_in_has_a_new_session_and_ends_the_old_one() {
    let shop = server();
    let browser = Browser::new(&shop);
    browser.sign_in("admin").await;
    let (before, old) = (browser.session_id().await, browser.copy());
    browser.sign_in("manager").await;
    assert_ne!(browser.session_id().await, before);
    assert_eq!((old.get(CURRENT).await.status.as_u16(), old.renew().await.status.as_u16()), (401, 401));
    // the late response to the old tab does not take the new cookies
    assert!(old.renew().await.cookies().is_empty());
}

#[actix_web::test]
async fn missing_office_role_is_revealed_to_the_right_password_only() {
    let shop = server();
    let browser = Browser::new(&shop);
    // a cashier of the office has no right of it, and the others have no role without a device
    for login in ["cashier", "john_doe", "far", "999"] {
        let sign_in = |password: &str| browser.post(SESSION, json!({ "login": login, "password": password }));
        let wrong = sign_in("wrong horse").await;
        assert_eq!((wrong.status.as_u16(), wrong.text_at("/code").as_str()), (401, "login_mismatch"), "{login}");
        let right = sign_in(TEST_PASSWORD).await;
        assert_eq!((right.status.as_u16(), right.text_at("/code").as_str()), (403, "office_role_missing"), "{login}");
        assert!(browser.cookies.borrow().is_empty());
    }
    let idle = browser.post(SESSION, json!({ "login": "idle", "password": TEST_PASSWORD })).await;
    assert_eq!((idle.status.as_u16(), idle.text_at("/code").as_str()), (401, "login_mismatch"));
}

#[actix_web::test]
async fn sign_out_ends_the_session_and_clears_the_browser() {
    let shop = server();
    let browser = Browser::new(&shop);
    browser.sign_in("admin").await;
    let copy = browser.copy();
    let out = browser.send(Method::DELETE, SESSION, None).await;
    assert_eq!(out.status, 204);
    assert_eq!(out.header("clear-site-data"), "\"cache\"");
    assert_eq!(
        out.cookies(),
        [
            "tillgate-office=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0",
            "tillgate-renew=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0",
        ]
    );
    assert_eq!((copy.get(CURRENT).await.status.as_u16(), copy.renew().await.status.as_u16()), (401, 401));
    // signing out again, without cookies or with those of an ended session, is no error
    assert_eq!(browser.send(Method::DELETE, SESSION, None).await.status, 204);
    assert_eq!(copy.send(Method::DELETE, SESSION, None).await.status, 204);
    // a browser that has only the renewal cookie left is signed out, too
    let late = Browser::new(&shop);
    late.sign_in("admin").await;
    let copy = late.copy();
    late.cookies.borrow_mut().remove("tillgate-office");
    assert_eq!(late.send(Method::DELETE, SESSION, None).await.status, 204);
    assert_eq!(copy.get(CURRENT).await.status, 401);
}

#[actix_web::test]
async fn password_that_must_be_changed_is_changed_by_the_sign_in() {
    let shop = server();
    let admin = Browser::new(&shop);
    admin.sign_in("admin").await;
    let user = json!({ "user_name": "nora", "password": "first horse battery", "password_change_required": true, "roles": ["manager"] });
    assert_eq!(admin.post("/office/api/v1/users", user).await.status, 201);
    let browser = Browser::new(&shop);
    let old = json!({ "login": "nora", "password": "first horse battery" });
    let refused = browser.post(SESSION, old).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/code").as_str()), (403, "password_change_required"));
    let sign_in = |new: &str| {
        browser.post(SESSION, json!({ "login": "nora", "password": "first horse battery", "new_password": new }))
    };
    assert_eq!(sign_in("short").await.status, 422);
    assert_eq!(sign_in("second horse battery").await.status, 200);
    assert_eq!(browser.get(CURRENT).await.status, 200);
}

#[actix_web::test]
async fn act_that_gives_access_requires_a_recent_proof_in_the_browser_only() {
    let shop = server();
    let browser = Browser::new(&shop);
    browser.sign_in("admin").await;
    let id = browser.session_id().await;
    let native = shop.log_in_native("admin").await.text_at("/access_token");
    let role = |name: &str| json!({ "name": name, "rights": ["storno"], "environments": ["PDA"] });
    assert_eq!(browser.post("/office/api/v1/roles", role("one")).await.status, 201);
    shop.clock.advance(Duration::from_mins(6));
    let refused = browser.post("/office/api/v1/roles", role("two")).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/code").as_str()), (403, "proof_too_old"));
    assert_eq!(refused.json()["max_age"], json!(300));
    // reading, and what can be undone, is not affected
    assert_eq!(browser.get("/office/api/v1/roles").await.status, 200);
    let native_role = with_bearer(build_request(Method::POST, "/api/v1/roles").set_json(role("two")), &native);
    assert_eq!(shop.send(native_role).await.status, 201, "the native API does not require it");
    let step_up = "/office/api/v1/sessions/current/step-up";
    let wrong = browser.post(step_up, json!({ "password": "wrong horse" })).await;
    assert_eq!((wrong.status.as_u16(), wrong.text_at("/code").as_str()), (403, "password_wrong"));
    let before = browser.copy();
    let proved = browser.post(step_up, json!({ "password": TEST_PASSWORD })).await;
    assert_eq!((proved.status.as_u16(), &proved.json()["expires_in"]), (200, &json!(900)));
    assert_eq!(proved.text_at("/session/session/id"), id, "the session keeps its id");
    let text = String::from_utf8(proved.bytes).unwrap();
    assert!(browser.cookies.borrow().values().all(|value| !text.contains(value)), "no token in the response: {text}");
    assert_ne!(browser.jar(), before.jar());
    assert_eq!(browser.post("/office/api/v1/roles", role("three")).await.status, 201);
    // another tab with the cookies from before renews, and has the proof as well
    assert_eq!(before.renew().await.status, 200);
    assert_eq!(before.post("/office/api/v1/roles", role("four")).await.status, 201);
    // the native call answers tokens
    let request = build_request(Method::POST, "/api/v1/sessions/current/step-up");
    let tokens = shop.send(with_bearer(request.set_json(json!({ "password": TEST_PASSWORD })), &native)).await;
    assert_eq!(tokens.status, 200);
    assert_eq!(shop.get("/api/v1/sessions/current", &tokens.text_at("/access_token")).await.status, 200);
}
