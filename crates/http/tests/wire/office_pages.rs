//! The pages of the back office: the app's document and files, and the forms for signing in and
//! out.

use std::collections::BTreeSet;

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::test::TestRequest;
use serde_json::json;
use tillgate_http::Mount;

use crate::mounts::office;
use crate::office_browser::{Browser, SESSION, server};
use crate::test_server::{TEST_PASSWORD, TestResponse, TestServer, build_request};

const SIGN_IN: &str = "/office/sign-in";

/// The most that a first visit may load, compressed, and in how many requests.
const MAX_FIRST_VISIT_BYTES: usize = 70_000;
const MAX_FIRST_VISIT_REQUESTS: usize = 45;

fn text(response: &TestResponse) -> String {
    String::from_utf8(response.bytes.clone()).unwrap()
}

/// A form of the page, as a browser posts it.
fn form(path: &str, fields: &[(&str, &str)]) -> TestRequest {
    build_request(Method::POST, path).insert_header(("Sec-Fetch-Site", "same-origin")).set_form(fields)
}

fn compressed(path: &str) -> TestRequest {
    build_request(Method::GET, path).insert_header(("Accept-Encoding", "gzip, deflate, br"))
}

/// The addresses that the document loads.
fn loaded(document: &str) -> BTreeSet<String> {
    let tags = document.split('<').filter(|tag| tag.starts_with("link ") || tag.starts_with("script "));
    let address = |tag: &str| {
        let from = tag.split_once("href=\"").or_else(|| tag.split_once("src=\""))?;
        Some(from.1.split('"').next()?.to_owned())
    };
    tags.filter_map(address).collect()
}

#[actix_web::test]
async fn first_visit_is_small_and_the_second_is_one_request() {
    let shop = server();
    let document = shop.send(compressed("/office")).await;
    let (mut bytes, mut requests) = (document.bytes.len(), 1);
    assert_eq!((document.status.as_u16(), document.header("content-encoding")), (200, "gzip"));
    let files = loaded(&text(&shop.send(build_request(Method::GET, "/office")).await));
    assert!(files.len() >= 3, "the style sheet, the icon and the modules: {files:?}");
    let base = files.iter().next().unwrap().split('/').take(4).collect::<Vec<_>>().join("/");
    // the texts, which a module loads in the language of the person
    let catalog = format!("{base}/locales/sk.json");
    for path in files.iter().chain([&catalog]) {
        let file = shop.send(compressed(path)).await;
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
        (bytes, requests) = (bytes + file.bytes.len(), requests + 1);
    }
    assert!(
        bytes <= MAX_FIRST_VISIT_BYTES && requests <= MAX_FIRST_VISIT_REQUESTS,
        "{bytes} bytes, {requests} requests"
    );
    let again = compressed("/office").insert_header(("If-None-Match", document.header("etag").to_owned()));
    let again = shop.send(again).await;
    assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));
    assert_eq!((again.header("etag"), again.header("cache-control")), (document.header("etag"), "no-cache"));
}

#[actix_web::test]
async fn every_page_has_the_document_and_other_addresses_an_error_page() {
    let shop = server();
    for path in
        ["/office", "/office/", "/office/tills", "/office/people/0192f0c1", "/office/api-keys", "/office/audit?q=a"]
    {
        let page = shop.send(build_request(Method::GET, path)).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        assert_eq!(page.header("cache-control"), "no-cache");
        let policy = page.header("content-security-policy");
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types lit-html",
        ] {
            assert!(policy.split("; ").any(|each| each == directive), "{directive}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    for path in ["/office/other", "/office/tills/a/b", "/office/a/0123456789ab/app.css", "/office/a/x"] {
        let page = shop.send(build_request(Method::GET, path)).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (404, "text/html; charset=utf-8"), "{path}");
        assert!(text(&page).contains("No such page"), "{path}");
    }
    let unknown = shop.send(build_request(Method::GET, "/office/api/v1/other")).await;
    assert_eq!((unknown.status.as_u16(), unknown.text_at("/code").as_str()), (404, "route_unknown"), "a call is JSON");
}

#[actix_web::test]
async fn every_response_isolates_its_document_and_names_the_version() {
    let shop = server();
    let browser = Browser::new(&shop);
    let headers: Vec<HeaderMap> = vec![
        browser.get("/office").await.headers,
        browser.get(SIGN_IN).await.headers,
        browser.get("/office/other").await.headers,
        browser.get("/office/api/v1/users").await.headers,
        browser.post(SESSION, json!({})).await.headers,
        browser.post(SESSION, json!({ "login": "x", "password": "x" })).await.headers,
    ];
    for headers in headers {
        let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        assert!(header("x-tillgate-version").starts_with(env!("CARGO_PKG_VERSION")), "{headers:?}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("permissions-policy").contains("camera=()"));
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
    }
}

#[actix_web::test]
async fn person_signs_in_and_out_by_forms_without_scripts() {
    let shop = server();
    let browser = Browser::new(&shop);
    let page = browser.get("/office/sign-in?next=/office/people?tab=roles").await;
    assert_eq!(page.status, 200);
    assert!(text(&page).contains("name=\"next\" value=\"/office/people?tab=roles\""), "{}", text(&page));
    assert!(!text(&page).contains("<script") && !page.header("content-security-policy").contains("script"));
    let wrong = [("login", "admin"), ("password", "wrong horse"), ("next", "/office/people")];
    let refused = browser.send_raw(form(SIGN_IN, &wrong)).await;
    assert_eq!(refused.status, 401);
    let shown = text(&refused);
    assert!(
        shown.contains("value=\"admin\"")
            && shown.contains("value=\"/office/people\"")
            && !shown.contains("wrong horse")
    );
    let right = [("login", "admin"), ("password", TEST_PASSWORD), ("next", "/office/people")];
    let signed_in = browser.send_raw(form(SIGN_IN, &right)).await;
    assert_eq!((signed_in.status.as_u16(), signed_in.header("location")), (303, "/office/people"));
    let current = "/office/api/v1/sessions/current";
    assert_eq!(browser.get(current).await.status, 200);
    let copy = browser.copy();
    let out = browser.send_raw(form("/office/sign-out", &[])).await;
    assert_eq!((out.status.as_u16(), out.header("location")), (303, "/office/signed-out"));
    assert_eq!(out.header("clear-site-data"), "\"cache\"");
    assert!(browser.cookies.borrow().is_empty());
    assert_eq!(copy.get(current).await.status, 401);
    assert!(text(&browser.get("/office/signed-out").await).contains("Signed out"));
}

#[actix_web::test]
async fn sign_in_leads_to_pages_of_the_back_office_only() {
    let shop = server();
    for next in
        ["https://evil.example/", "//evil.example/office", "/\\evil.example", "/office\\@evil.example", "/api/v1/users"]
    {
        let fields = [("login", "admin"), ("password", TEST_PASSWORD), ("next", next)];
        let signed_in = Browser::new(&shop).send_raw(form(SIGN_IN, &fields)).await;
        assert_eq!((signed_in.status.as_u16(), signed_in.header("location")), (303, "/office/"), "{next}");
    }
}

#[actix_web::test]
async fn form_is_accepted_from_own_pages_only() {
    let shop = server();
    let fields = [("login", "admin"), ("password", TEST_PASSWORD)];
    for sender in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "none"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("X-Nothing", "at all"),
    ] {
        for path in [SIGN_IN, "/office/sign-out"] {
            let request = build_request(Method::POST, path).insert_header(sender).set_form(fields);
            let refused = Browser::new(&shop).send_raw(request).await;
            assert_eq!(refused.status, 403, "{sender:?} {path}");
            assert!(text(&refused).contains("another site") && refused.cookies().is_empty());
        }
    }
    // a browser that sends no fetch metadata names its page
    let request = build_request(Method::POST, SIGN_IN).insert_header(("Origin", "http://localhost:8080"));
    assert_eq!(Browser::new(&shop).send_raw(request.set_form(fields)).await.status, 303);
    let page = Browser::new(&shop).get(SIGN_IN).await;
    assert_eq!(page.header("referrer-policy"), "same-origin", "without it, the form would say `Origin: null`");
    let json = build_request(Method::POST, SIGN_IN).insert_header(("Sec-Fetch-Site", "same-origin"));
    let json = json.set_json(json!({ "login": "admin", "password": TEST_PASSWORD }));
    assert_eq!(Browser::new(&shop).send_raw(json).await.status, 415);
}

#[actix_web::test]
async fn sign_in_page_says_what_prevents_it() {
    let shop = server();
    let browser = Browser::new(&shop);
    let sign_in = |login: &'static str, password: &'static str| {
        browser.send_raw(form(SIGN_IN, &[("login", login), ("password", password)]))
    };
    for (login, password, status, sentence) in [
        ("cashier", "wrong horse", 401, "User name or password is wrong."),
        ("cashier", TEST_PASSWORD, 403, "you have no role in the back office."),
    ] {
        let page = sign_in(login, password).await;
        assert_eq!(page.status.as_u16(), status, "{login}");
        assert!(text(&page).contains(sentence), "{}", text(&page));
    }
    // a repeated wrong password counts once
    let guess = |number: u32| {
        let password = format!("wrong horse {number}");
        browser.send_raw(form(SIGN_IN, &[("login", "manager"), ("password", &password)]))
    };
    for number in 0..12 {
        guess(number).await;
    }
    let limited = guess(12).await;
    assert_eq!(limited.status, 429);
    let seconds: u64 = limited.header("retry-after").parse().unwrap();
    assert!(text(&limited).contains(&format!("Try again in {seconds} s.")), "{}", text(&limited));
    let slovak = build_request(Method::GET, SIGN_IN).insert_header(("Accept-Language", "sk-SK,sk;q=0.9,en;q=0.8"));
    assert!(text(&browser.send_raw(slovak).await).contains("<html lang=\"sk\""));
    // without TLS from another machine
    let plain = build_request(Method::GET, SIGN_IN).insert_header(("Host", "till.example"));
    let plain = shop.send(plain).await;
    assert_eq!(plain.status, 403);
    assert!(text(&plain).contains("tls_cert") && text(&plain).contains("proxies"), "{}", text(&plain));
}

#[actix_web::test]
async fn chosen_language_is_kept_without_scripts_and_stands_above_that_of_the_browser() {
    let shop = server();
    let request = |path: &str| {
        let headers = (("Host", "localhost"), ("Accept-Language", "id"));
        build_request(Method::GET, path).insert_header(headers.0).insert_header(headers.1)
    };
    // the machine itself, which needs no TLS
    let send = async |request: TestRequest| shop.send_from("127.0.0.1", request).await;
    let language = |page: &str| page.split("<html lang=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let plain = send(request(SIGN_IN)).await;
    assert_eq!((language(&text(&plain)).as_str(), plain.header("set-cookie")), ("id", ""));
    assert_eq!(plain.header("vary"), "Accept-Language, Cookie");
    let chosen = send(request("/office/sign-in?lang=sk&next=%2Foffice%2Fpeople")).await;
    assert_eq!(language(&text(&chosen)), "sk");
    assert!(text(&chosen).contains("value=\"/office/people\""), "{}", text(&chosen));
    let cookie = chosen.header("set-cookie").to_owned();
    assert!(cookie.starts_with("tillgate-locale=sk; ") && cookie.contains("SameSite=Lax"), "{cookie}");
    for path in [SIGN_IN, "/office/signed-out", "/office/invitation", "/office/nowhere"] {
        let page = send(request(path).insert_header(("Cookie", "tillgate-locale=sk"))).await;
        assert_eq!((language(&text(&page)).as_str(), page.header("set-cookie")), ("sk", ""), "{path}");
    }
    // neither a parameter nor a cookie without such a language changes anything
    for path in [SIGN_IN, "/office/sign-in?lang=de", "/office/sign-in?lang=%22%0d%0a"] {
        let page = send(request(path).insert_header(("Cookie", "tillgate-locale=de"))).await;
        assert_eq!((language(&text(&page)).as_str(), page.header("set-cookie")), ("id", ""), "{path}");
    }
}

#[actix_web::test]
async fn required_password_change_is_a_third_field_of_the_form() {
    let shop = server();
    let admin = Browser::new(&shop);
    admin.sign_in("admin").await;
    let user = json!({
        "user_name": "nora", "password": "first horse battery", "password_change_required": true, "roles": ["manager"],
    });
    assert_eq!(admin.post("/office/api/v1/users", user).await.status, 201);
    let browser = Browser::new(&shop);
    let old = [("login", "nora"), ("password", "first horse battery")];
    let page = browser.send_raw(form(SIGN_IN, &old)).await;
    assert_eq!(page.status, 403);
    assert!(text(&page).contains("name=\"new_password\""), "{}", text(&page));
    let with_new = |new: &'static str| browser.send_raw(form(SIGN_IN, &[old[0], old[1], ("new_password", new)]));
    let weak = with_new("nora nora").await;
    assert_eq!(weak.status, 422);
    assert!(text(&weak).contains("name=\"new_password\""));
    assert_eq!(with_new("second horse battery").await.status, 303);
}

#[actix_web::test]
async fn root_leads_to_the_back_office_where_it_is_mounted() {
    let shop = server();
    let home = shop.send(build_request(Method::GET, "/")).await;
    assert_eq!((home.status.as_u16(), home.header("location")), (307, "/office/"));
    let without = TestServer::start();
    assert_eq!(without.send(build_request(Method::GET, "/")).await.status, 404);
    let of_a_host: Vec<Mount> = office().into_iter().map(|mount| mount.with_host("office.example")).collect();
    let bound = TestServer::with_mounts(tillgate_http::HttpSettings::default(), of_a_host);
    assert_eq!(bound.send(build_request(Method::GET, "/")).await.status, 404);
    let docs = shop.send(build_request(Method::GET, "/docs/")).await;
    assert_eq!((docs.status.as_u16(), docs.header("location")), (308, "/docs/index.html"));
}
