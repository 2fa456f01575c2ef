//! POS Kasir in browsers: cookies instead of a header, and restrictions on pages of other origins.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;
use tillgate_domain::Slug;
use tillgate_http::{BrowserSettings, HttpSettings, SameSite, SecurePolicy};

use crate::kasir::{CHANGE_PASSWORD, LOGIN, LOGOUT, ME, REFRESH, assert_error};
use crate::mounts::{kasir, native};
use crate::test_server::{TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, put_request};

const FRONT: &str = "https://front.example";

fn server_with(web: BrowserSettings) -> TestServer {
    let settings = HttpSettings { proxies: vec!["10.0.0.0/8".parse().unwrap()], ..HttpSettings::default() };
    TestServer::with_mounts(settings, vec![native("/api/v1"), kasir(web).with_tenant(Slug::parse("default").unwrap())])
}

fn server_with_front() -> TestServer {
    server_with(BrowserSettings { origins: vec![FRONT.parse().unwrap()], ..BrowserSettings::default() })
}

/// The cookies that a browser sends back: names and values.
fn read_cookie_jar(response: &TestResponse) -> String {
    let pairs = response.cookies().into_iter().map(|line| line.split(';').next().unwrap().to_owned());
    pairs.collect::<Vec<_>>().join("; ")
}

fn browser_request(method: Method, path: &str, jar: &str) -> TestRequest {
    build_request(method, path).insert_header(("Cookie", jar.to_owned()))
}

fn set_cookie_lines(response: &TestResponse, secure: &str) -> Vec<String> {
    let line = |name: &str, value: String, seconds: u32| {
        format!("{name}={value}; HttpOnly; SameSite=Lax{secure}; Path=/; Max-Age={seconds}")
    };
    vec![
        line("access_token", response.text_at("/data/Token"), 3600),
        line("refresh_token", response.text_at("/data/refresh_token"), 604_800),
    ]
}

#[actix_web::test]
async fn login_and_refresh_set_both_cookies_with_their_lifetimes() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("john@example.com").await;
    assert_eq!(login.cookies(), set_cookie_lines(&login, ""));
    shop.clock.advance(Duration::from_mins(30));
    let renewed = shop.send(browser_request(Method::POST, REFRESH, &read_cookie_jar(&login))).await;
    assert_eq!(renewed.status, 200);
    assert_eq!(renewed.cookies(), set_cookie_lines(&renewed, ""));
    let out = shop.send(browser_request(Method::POST, LOGOUT, &read_cookie_jar(&renewed))).await;
    assert_eq!(out.status, 200);
    assert_eq!(
        out.cookies(),
        [
            "access_token=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0",
            "refresh_token=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
        ]
    );
    assert_error(
        &shop.send(browser_request(Method::GET, ME, &read_cookie_jar(&renewed))).await,
        401,
        "Invalid or expired token",
        "logged out",
    );
}

#[actix_web::test]
async fn cookie_is_secure_only_over_https() {
    let body = || post_request(LOGIN, json!({ "email": "john@example.com", "password": TEST_PASSWORD }));
    let shop = server_with(BrowserSettings::default());
    for (peer, proto, secure) in [
        ("10.0.0.1", Some("https"), "; Secure"),
        ("10.0.0.1", Some("http"), ""),
        ("10.0.0.1", None, ""),
        ("192.0.2.7", Some("https"), ""),
    ] {
        let request = match proto {
            Some(proto) => body().insert_header(("X-Forwarded-Proto", proto)),
            None => body(),
        };
        let response = shop.send_from(peer, request).await;
        assert_eq!(response.cookies(), set_cookie_lines(&response, secure), "{peer} {proto:?}");
    }
    for (secure, same_site, line) in [
        (SecurePolicy::On, SameSite::Auto, "; HttpOnly; SameSite=Lax; Secure; Path=/; "),
        (SecurePolicy::Off, SameSite::Strict, "; HttpOnly; SameSite=Strict; Path=/; "),
        (SecurePolicy::Auto, SameSite::None, "; HttpOnly; SameSite=None; Secure; Path=/; "),
    ] {
        let response = server_with(BrowserSettings { origins: vec![], secure, same_site }).send(body()).await;
        assert!(response.cookies().iter().all(|cookie| cookie.contains(line)), "{:?}", response.cookies());
    }
    let front = server_with_front().send_from("10.0.0.1", body().insert_header(("X-Forwarded-Proto", "https"))).await;
    let line = "; HttpOnly; SameSite=None; Secure; Path=/; ";
    assert!(front.cookies().iter().all(|cookie| cookie.contains(line)), "{:?}", front.cookies());
}

#[actix_web::test]
async fn authorization_header_wins_over_cookie() {
    let shop = TestServer::start();
    let (john, admin) = (shop.log_in_kasir("john@example.com").await, shop.log_in_kasir("admin@example.com").await);
    let name = |response: &TestResponse| response.text_at("/data/username");
    assert_eq!(name(&shop.send(browser_request(Method::GET, ME, &read_cookie_jar(&john))).await), "john_doe");
    let both = browser_request(Method::GET, ME, &read_cookie_jar(&john));
    let both = both.insert_header(("Authorization", format!("Bearer {}", admin.text_at("/data/Token"))));
    assert_eq!(name(&shop.send(both).await), "admin");
    let bad =
        browser_request(Method::GET, ME, &read_cookie_jar(&john)).insert_header(("Authorization", "Bearer garbage"));
    assert_error(&shop.send(bad).await, 401, "Invalid or expired token", "a bad header beside a good cookie");
    // a header with another scheme is not a bearer token
    let basic =
        browser_request(Method::GET, ME, &read_cookie_jar(&john)).insert_header(("Authorization", "Basic YTpi"));
    assert_eq!(shop.send(basic).await.status, 200);
    // for a refresh, the body has precedence, then the cookie
    let body = post_request(REFRESH, json!({ "refresh_token": admin.text_at("/data/refresh_token") }));
    let body = shop.send(body.insert_header(("Cookie", read_cookie_jar(&john)))).await;
    assert_eq!(name(&shop.get(ME, &body.text_at("/data/Token")).await), "admin");
    let cookie = browser_request(Method::POST, REFRESH, &read_cookie_jar(&john));
    let header = format!("Bearer {}", admin.text_at("/data/refresh_token"));
    let cookie = shop.send(cookie.insert_header(("Authorization", header))).await;
    assert_eq!(name(&shop.get(ME, &cookie.text_at("/data/Token")).await), "john_doe");
}

#[actix_web::test]
async fn malformed_cookies_authenticate_nobody() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("john@example.com").await;
    let token = login.text_at("/data/Token");
    for (cookie, status) in [
        (format!("access_token={token}"), 200),
        (format!("a=b; access_token={token}; c"), 200),
        (format!("access_token=\"{token}\""), 200),
        (format!("access_token={token}; access_token={token}"), 200),
        (format!("access_token={token}; access_token=other"), 200),
        (format!("access_token=other; access_token={token}"), 200),
        ("access_token=other; access_token=another".to_owned(), 401),
        ("access_token=".to_owned(), 401),
        (format!("Access_Token={token}"), 401),
        (format!("refresh_token={token}"), 401),
        (format!("access_token={}", login.text_at("/data/refresh_token")), 401),
        ("=; ;;=;access_token".to_owned(), 401),
    ] {
        assert_eq!(shop.send(browser_request(Method::GET, ME, &cookie)).await.status, status, "{cookie}");
    }
    let bytes = build_request(Method::GET, ME).insert_header(("Cookie", &b"access_token=\xff"[..]));
    assert_error(&shop.send(bytes).await, 401, "Authorization header required", "bytes");
    let access = browser_request(Method::POST, REFRESH, &format!("refresh_token={token}"));
    assert_error(&shop.send(access).await, 401, "Invalid or expired session", "an access token as the refresh cookie");
}

/// The cookies of a browser whose access cookie has expired.
#[actix_web::test]
async fn logout_by_refresh_cookie_ends_session_and_clears_both() {
    for (cookies, body) in [
        ("refresh_token=%", ""),
        ("access_token=expired; refresh_token=%", "null"),
        ("refresh_token=other; refresh_token=%", "\"\""),
        ("refresh_token=%; access_token=other; refresh_token=other", "{}"),
    ] {
        let shop = TestServer::start();
        let (login, other) = (shop.log_in_kasir("john@example.com").await, shop.log_in_kasir("john@example.com").await);
        let cookie = cookies.replace('%', &login.text_at("/data/refresh_token"));
        let out = shop.send(browser_request(Method::POST, LOGOUT, &cookie).set_payload(body)).await;
        assert_eq!(out.status, 200, "{cookies}");
        assert_eq!(String::from_utf8_lossy(&out.bytes), "{\"message\":\"Successfully logged out\",\"data\":null}");
        let cleared = out.cookies();
        assert!(cleared.len() == 2 && cleared.iter().all(|line| line.contains("=; ") && line.ends_with("Max-Age=0")));
        assert_error(&shop.get(ME, &login.text_at("/data/Token")).await, 401, "Invalid or expired token", cookies);
        let again = shop.post(REFRESH, json!({ "refresh_token": login.text_at("/data/refresh_token") })).await;
        assert_error(&again, 401, "Invalid or expired session", cookies);
        assert_eq!(shop.get(ME, &other.text_at("/data/Token")).await.status, 200, "another session");
    }
    let shop = TestServer::start();
    let login = shop.log_in_kasir("john@example.com").await;
    let missing = shop.send(build_request(Method::POST, LOGOUT)).await;
    assert_error(&missing, 401, "Authorization header required", "nothing was sent");
    for cookie in ["refresh_token=other", "access_token=other", "access_token=a; refresh_token=b"] {
        let response = shop.send(browser_request(Method::POST, LOGOUT, cookie)).await;
        assert_error(&response, 401, "Invalid or expired token", cookie);
    }
    // the header has precedence over valid cookies
    let header = browser_request(Method::POST, LOGOUT, &read_cookie_jar(&login))
        .insert_header(("Authorization", "Bearer garbage"));
    assert_error(&shop.send(header).await, 401, "Invalid or expired token", "a bad header");
    assert_eq!(shop.get(ME, &login.text_at("/data/Token")).await.status, 200);
}

/// If cookies of the same name were set for different paths or by other hosts of the domain, the
/// valid one is used.
#[actix_web::test]
async fn any_valid_cookie_of_one_name_counts() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("john@example.com").await;
    let over = shop.log_in_kasir("admin@example.com").await;
    shop.send(browser_request(Method::POST, LOGOUT, &read_cookie_jar(&over))).await;
    let first = login.text_at("/data/refresh_token");
    let renewed = shop.send(browser_request(Method::POST, REFRESH, &format!("refresh_token={first}"))).await;
    let (token, second) = (renewed.text_at("/data/Token"), renewed.text_at("/data/refresh_token"));
    assert_eq!(shop.get(ME, &token).await.status, 200);
    shop.clock.advance(Duration::from_mins(3));
    let dead = over.text_at("/data/refresh_token");
    for cookie in [
        // the previous one would end the session by now
        format!("refresh_token={first}; refresh_token={second}"),
        format!("refresh_token={second}; refresh_token={dead}"),
        format!("refresh_token=garbage; refresh_token={dead}; refresh_token={second}; refresh_token={first}"),
    ] {
        let response = shop.send(browser_request(Method::POST, REFRESH, &cookie)).await;
        assert_eq!(response.status, 200, "{cookie}");
        assert_ne!(response.text_at("/data/refresh_token"), second);
    }
    let dead = format!("refresh_token={dead}; refresh_token=garbage");
    let none = shop.send(browser_request(Method::POST, REFRESH, &dead)).await;
    assert_error(&none, 401, "Invalid or expired session", "none is good");
    let other = over.text_at("/data/Token");
    let me = shop.send(browser_request(Method::GET, ME, &format!("access_token={other}; access_token={token}"))).await;
    assert_eq!(me.text_at("/data/username"), "john_doe");
}

#[actix_web::test]
async fn bytes_of_other_cookies_are_ignored() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("john@example.com").await;
    let with = |method, path, cookie: String| {
        let mut line = "shop=Kaviareň; x=".to_owned().into_bytes();
        line.extend_from_slice(b"\xff; ");
        line.extend_from_slice(cookie.as_bytes());
        build_request(method, path).insert_header(("Cookie", line))
    };
    let access = format!("access_token={}", login.text_at("/data/Token"));
    let refresh = format!("refresh_token={}", login.text_at("/data/refresh_token"));
    assert_eq!(shop.send(with(Method::GET, ME, access.clone())).await.status, 200);
    assert_eq!(shop.send(with(Method::POST, REFRESH, refresh)).await.status, 200);
    assert_eq!(shop.send(with(Method::POST, LOGOUT, access)).await.status, 200);
}

/// OWASP ASVS 5.0, 7.2.4: a login ends the session that it replaces.
#[actix_web::test]
async fn login_ends_session_of_the_replaced_cookie() {
    let shop = server_with_front();
    let login = || post_request(LOGIN, json!({ "email": "admin@example.com", "password": TEST_PASSWORD }));
    let old = shop.log_in_kasir("john@example.com").await;
    let token = old.text_at("/data/Token");
    let evil =
        login().insert_header(("Cookie", read_cookie_jar(&old))).insert_header(("Origin", "https://evil.example"));
    assert_eq!(shop.send(evil).await.status, 200);
    assert_eq!(shop.get(ME, &token).await.status, 200, "a foreign page ends nothing");
    let wrong = json!({ "email": "admin@example.com", "password": "wrong" });
    assert_eq!(
        shop.send(post_request(LOGIN, wrong).insert_header(("Cookie", read_cookie_jar(&old)))).await.status,
        401
    );
    let access = login().insert_header(("Cookie", format!("access_token={token}; refresh_token=garbage")));
    assert_eq!(shop.send(access).await.status, 200);
    assert_eq!(shop.get(ME, &token).await.status, 200, "only the refresh cookie authenticates");
    let new = shop.send(login().insert_header(("Cookie", read_cookie_jar(&old)))).await;
    assert_eq!(new.status, 200);
    assert_error(&shop.get(ME, &token).await, 401, "Invalid or expired token", "replaced");
    assert_eq!(shop.get(ME, &new.text_at("/data/Token")).await.status, 200);
}

/// Each changing request from each kind of page; a rejected request changes nothing.
#[actix_web::test]
async fn cookie_alone_changes_nothing_for_an_untrusted_page() {
    let own = [("Host", "till.example:8080")];
    for (headers, passes) in [
        (&[][..], true),
        (&[("Sec-Fetch-Site", "same-origin")], true),
        (&[("Sec-Fetch-Site", "none")], true),
        (&[("Sec-Fetch-Site", "same-site")], false),
        (&[("Sec-Fetch-Site", "cross-site")], false),
        (&[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")], false),
        (&[("Sec-Fetch-Site", "cross-site"), ("Origin", FRONT)], true),
        (&[("Origin", FRONT)], true),
        (&[("Origin", "http://till.example:8080")], true),
        (&[("Origin", "https://evil.example")], false),
        (&[("Origin", "null")], false),
    ] {
        for path in [REFRESH, LOGOUT, CHANGE_PASSWORD] {
            let shop = server_with_front();
            let login = shop.log_in_kasir("john@example.com").await;
            let dress = |request: TestRequest| {
                own.iter().chain(headers).fold(request, |request, header| request.insert_header(*header))
            };
            let body = json!({ "old_password": TEST_PASSWORD, "new_password": "staple battery" });
            let request =
                if path == CHANGE_PASSWORD { put_request(path, body) } else { build_request(Method::POST, path) };
            let response = shop.send(dress(request.insert_header(("Cookie", read_cookie_jar(&login))))).await;
            if passes {
                assert_eq!(response.status, 200, "{path} {headers:?}");
                continue;
            }
            assert_error(&response, 403, "Origin not allowed", path);
            assert!(response.challenges().is_empty());
            // nothing has changed: the session still exists, and reading is allowed
            assert_eq!(shop.send(dress(browser_request(Method::GET, ME, &read_cookie_jar(&login)))).await.status, 200);
            let next = shop.post(REFRESH, json!({ "refresh_token": login.text_at("/data/refresh_token") })).await;
            assert_eq!(next.text_at("/data/refresh_token"), login.text_at("/data/refresh_token"), "it has not rotated");
            // requests without cookies are accepted from everywhere
            let header = format!("Bearer {}", login.text_at("/data/Token"));
            let request = browser_request(Method::POST, LOGOUT, &read_cookie_jar(&login))
                .insert_header(("Authorization", header));
            assert_eq!(shop.send(dress(request)).await.status, 200);
        }
    }
}

#[actix_web::test]
async fn body_token_and_login_ignore_cookie_checks() {
    let shop = server_with_front();
    let login = shop.log_in_kasir("john@example.com").await;
    let evil = |request: TestRequest| {
        request.insert_header(("Origin", "https://evil.example")).insert_header(("Cookie", read_cookie_jar(&login)))
    };
    let body = json!({ "refresh_token": login.text_at("/data/refresh_token") });
    assert_eq!(shop.send(evil(post_request(REFRESH, body))).await.status, 200);
    let again = json!({ "email": "john@example.com", "password": TEST_PASSWORD });
    let response = shop.send(evil(post_request(LOGIN, again))).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("access-control-allow-origin"), "", "its page cannot read the response");
}

#[actix_web::test]
async fn scripts_of_configured_origins_only_may_call() {
    let shop = server_with_front();
    let ask = |origin: &str, path: &str| {
        build_request(Method::OPTIONS, path)
            .insert_header(("Origin", origin.to_owned()))
            .insert_header(("Access-Control-Request-Method", "POST"))
            .insert_header(("Access-Control-Request-Headers", "authorization,content-type"))
    };
    // the page can read responses to unknown routes
    for path in [LOGIN, REFRESH, LOGOUT, "/kasir/api/v1/auth/me/avatar", "/kasir/nothing"] {
        let leave = shop.send(ask(FRONT, path)).await;
        assert_eq!((leave.status.as_u16(), leave.bytes.len()), (204, 0));
        for (name, value) in [
            ("access-control-allow-origin", FRONT),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
            ("access-control-allow-headers", "authorization, content-type"),
            ("access-control-max-age", "600"),
            ("vary", "Access-Control-Request-Method, Access-Control-Request-Headers, Origin"),
        ] {
            assert_eq!(leave.header(name), value, "{path}");
        }
        // other origins are never named, so their browsers send no request
        for origin in ["https://evil.example", "null", ""] {
            let none = shop.send(ask(origin, path)).await;
            assert_eq!((none.status.as_u16(), none.bytes.len()), (204, 0), "{origin} {path}");
            for name in ["access-control-allow-origin", "access-control-allow-credentials"] {
                assert_eq!(none.header(name), "", "{origin} {path}");
            }
            assert_eq!(none.header("vary"), leave.header("vary"), "{origin} {path}");
        }
    }
    for (response, status) in [
        (shop.send(build_request(Method::OPTIONS, LOGIN)).await, 405),
        (shop.send(build_request(Method::GET, ME).insert_header(("Origin", "https://evil.example"))).await, 401),
    ] {
        assert_eq!((response.status.as_u16(), response.header("access-control-allow-origin")), (status, ""));
        assert_eq!((response.header("access-control-allow-credentials"), response.header("vary")), ("", "Origin"));
    }
    // the page can read errors too
    let none = shop.send(build_request(Method::GET, ME).insert_header(("Origin", FRONT))).await;
    assert_eq!((none.status.as_u16(), none.header("access-control-allow-origin")), (401, FRONT));
    assert_eq!(none.header("access-control-expose-headers"), "Retry-After, X-Request-Id");
    let nowhere = shop.send(put_request("/kasir/api/v1/nothing", json!({})).insert_header(("Origin", FRONT))).await;
    assert_eq!((nowhere.status.as_u16(), nowhere.header("access-control-allow-origin")), (404, FRONT));
    // other mounts neither name nor mention origins
    let native = shop.send(build_request(Method::GET, "/api/v1/sessions").insert_header(("Origin", FRONT))).await;
    assert_eq!((native.header("access-control-allow-origin"), native.header("vary")), ("", ""));
    // and if no origin is configured, no response mentions any
    let closed = TestServer::start().send(ask(FRONT, LOGIN)).await;
    assert_eq!((closed.status.as_u16(), closed.header("vary")), (405, ""));
}

/// Guesses of others do not lock out a browser that still has its refresh cookie.
#[actix_web::test]
async fn login_with_refresh_cookie_is_not_limited_by_others_guesses() {
    let shop = server_with_front();
    let body = |password: &str| json!({ "email": "john@example.com", "password": password });
    let john = shop.send_from("192.0.2.1", post_request(LOGIN, body(TEST_PASSWORD))).await;
    assert_eq!(john.status, 200, "{}", john.json());
    for number in 0..12 {
        shop.send_from(&format!("198.51.{number}.1"), post_request(LOGIN, body(&format!("wrong {number}")))).await;
    }
    let from_anew = |request: TestRequest| shop.send_from("203.0.113.1", request);
    let held = from_anew(post_request(LOGIN, body(TEST_PASSWORD))).await;
    assert_eq!((held.status.as_u16(), held.header("retry-after")), (429, "960"));
    let with = |cookie: &str| post_request(LOGIN, body(TEST_PASSWORD)).insert_header(("Cookie", cookie.to_owned()));
    assert_eq!(from_anew(with("refresh_token=garbage")).await.status, 429);
    let strange = with(&read_cookie_jar(&john)).insert_header(("Origin", "https://evil.example"));
    assert_ne!(from_anew(strange).await.status, 200, "another origin may not use the cookie");
    assert_eq!(from_anew(with(&read_cookie_jar(&john))).await.status, 200);
}
