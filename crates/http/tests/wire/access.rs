//! The access check for gateways: by any mount's token, against the table, with the identity in the answer's headers.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;
use tillgate_domain::{Rank, Right, Slug};
use tillgate_http::{AccessRule, Kasir, Need, Settings, Web};

use crate::mounts::{kasir, krmpesan, native, portos};
use crate::shop::{Answer, Mood, PASSWORD, Shop, call, post};

fn rule(method: &str, path: &str, mounts: &[&str], need: Need) -> AccessRule {
    let methods = if method == "*" { vec![] } else { vec![method.parse().unwrap()] };
    let mounts = mounts.iter().map(|mount| (*mount).to_owned()).collect();
    AccessRule { methods, path: path.parse().unwrap(), mounts, tenant: None, need }
}

fn rights(names: &[&str]) -> Need {
    Need::Rights(names.iter().map(|name| Right::parse(name).unwrap()).collect())
}

/// The table of the tests: the first row that fits decides.
fn table() -> Vec<AccessRule> {
    vec![
        rule("GET", "/api/v1/products/*", &["kasir"], Need::Role(Rank::Cashier)),
        rule("DELETE", "/api/v1/products/{id}", &["kasir"], Need::Role(Rank::Admin)),
        rule("*", "/api/v1/products/*", &["kasir"], Need::Role(Rank::Manager)),
        rule("*", "/tickets", &["native", "portos", "krmpesan"], rights(&["ticketCreate", "ticketClose"])),
        rule("*", "/tickets/{id}", &["native", "portos"], rights(&["ticketCreate", "storno"])),
        rule("GET", "/native/*", &["native"], Need::Role(Rank::Cashier)),
    ]
}

fn settings() -> Settings {
    Settings { access: table(), ..Settings::default() }
}

pub fn open() -> Shop {
    Shop::with(settings())
}

/// What a gateway asks.
fn ask(method: &str, target: &str) -> TestRequest {
    call(Method::GET, "/api/v1/access")
        .insert_header(("X-Original-Method", method))
        .insert_header(("X-Original-URI", target))
}

fn with(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("Authorization", format!("Bearer {token}")))
}

fn is_refused(answer: &Answer, status: u16, code: &str, what: &str) {
    let said = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert_eq!(answer.status.as_u16(), status, "{what}: {said}");
    assert_eq!(answer.header("x-tillgate-code"), code, "{what}: {said}");
    // in whatever contract's words
    assert!(answer.header("content-type").ends_with("json") && answer.json().is_object(), "{what}: {said}");
    let identity = answer.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-tillgate-"));
    assert_eq!(identity.count(), 1, "{what}: nobody is named");
    assert_eq!(answer.challenges().len(), usize::from(status == 401), "{what}");
}

#[actix_web::test]
async fn target_of_ingress_nginx_is_enough() {
    let shop = open();
    let cashier = shop.kasir("cashier").await.text("/data/Token");
    let by_url = |url: &'static str| {
        call(Method::GET, "/api/v1/access")
            .insert_header(("X-Original-Method", "GET"))
            .insert_header(("X-Original-URL", url))
    };
    let answer = shop.send(with(by_url("https://shop.example:8443/api/v1/products/7?fields=x"), &cashier)).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-tillgate-user")), (204, "cashier"));
    for url in ["https://shop.example/nothing/here", "/api/v1/products/7", "https://shop.example"] {
        let refused = shop.send(with(by_url(url), &cashier)).await;
        is_refused(&refused, 403, "access_unlisted", url);
    }
}

#[actix_web::test]
async fn who_may_is_answered_204_with_their_identity() {
    let shop = open();
    let login = shop.kasir("cashier").await;
    let (cashier, id) = (login.text("/data/Token"), login.text("/data/profile/id"));
    let answer = shop.send(with(ask("GET", "/api/v1/products/7?fields=%2e%2e//"), &cashier)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (204, 0));
    for (name, value) in [
        ("x-tillgate-user", "cashier"),
        ("x-tillgate-user-id", &*id),
        ("x-tillgate-device-id", ""),
        ("x-tillgate-device", ""),
        ("x-tillgate-role", "cashier"),
        ("x-tillgate-rights", "fiscalOpenDrawer ticketClose ticketCreate ticketSetCustomer ticketUpdate"),
        ("x-tillgate-tenant", "default"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.headers.get(name).map(|value| value.to_str().unwrap()), Some(value), "{name}");
    }
    let till = shop.portos("999", "P01").await.text("/tokenId");
    let answer = shop.send(with(ask("POST", "/tickets"), &till)).await;
    let told = ["x-tillgate-user", "x-tillgate-device", "x-tillgate-role", "x-tillgate-rights"]
        .map(|name| answer.header(name));
    assert_eq!((answer.status.as_u16(), told), (204, ["999", "P01", "admin", "admin"]));
    assert!(answer.header("x-tillgate-device-id").parse::<tillgate_domain::DeviceId>().is_ok());
}

#[actix_web::test]
async fn the_first_row_that_fits_decides() {
    let shop = open();
    for (role, expected) in
        [("cashier", [204, 204, 403, 403, 403]), ("manager", [204, 204, 403, 204, 204]), ("admin", [204; 5])]
    {
        let token = shop.kasir(role).await.text("/data/Token");
        let asked = [
            ("GET", "/api/v1/products"),
            ("HEAD", "/api/v1/products/1"),
            ("DELETE", "/api/v1/products/1"),
            ("POST", "/api/v1/products"),
            ("DELETE", "/api/v1/products/1/options/2"),
        ];
        for ((method, path), expected) in asked.into_iter().zip(expected) {
            let answer = shop.send(with(ask(method, path), &token)).await;
            if expected == 403 {
                is_refused(&answer, 403, "rank_missing", &format!("{role} {method} {path}"));
            } else {
                assert_eq!(answer.status, expected, "{role} {method} {path}");
            }
        }
    }
    let token = shop.native("cashier").await.text("/access_token");
    assert_eq!(shop.send(with(ask("PUT", "/tickets"), &token)).await.status, 204);
    let answer = shop.send(with(ask("PUT", "/tickets/1"), &token)).await;
    is_refused(&answer, 403, "right_missing", "storno");
    assert_eq!(answer.text("/right"), "storno");
    let token = shop.native("manager").await.text("/access_token");
    assert_eq!(shop.send(with(ask("PUT", "/tickets/1"), &token)).await.status, 204);
}

#[actix_web::test]
async fn what_has_no_row_is_for_nobody() {
    let shop = open();
    let admin = shop.kasir("admin").await.text("/data/Token");
    for (method, target) in [
        ("GET", "/"),
        ("GET", "/api/v1/orders"),
        ("get", "/api/v1/activity-logs"),
        ("POST", "/native/a"),
        ("GET", "/api/v1/productsx"),
        ("GET", "/api/v1/products/../products"),
        ("GET", "/api/v1//products"),
        ("GET", "//api/v1/products"),
        ("GET", "/api/v1/products/%2e%2e/orders"),
        ("GET", "/api/v1/products/..%2forders"),
        ("GET", "/api/v1/products/a%5cb"),
        ("GET", "/api/v1/products/%252e%252e/orders"),
        ("GET", "/api/v1/products;a/1"),
        ("GET", "/api/v1/products#/../orders"),
        ("GET", "http://pos.example/api/v1/products"),
        ("GET", ""),
        ("OPTIONS", "*"),
    ] {
        let answer = shop.send(with(ask(method, target), &admin)).await;
        is_refused(&answer, 403, "access_unlisted", target);
        is_refused(&shop.send(ask(method, target)).await, 403, "access_unlisted", "without a look at any token");
    }
    let none = Shop::open();
    let admin = none.kasir("admin").await.text("/data/Token");
    is_refused(&none.send(with(ask("GET", "/"), &admin)).await, 403, "access_unlisted", "a table without rows");
}

#[actix_web::test]
async fn letters_have_no_case_where_they_could_lead_past_a_row() {
    let shop = open();
    let token = shop.kasir("manager").await.text("/data/Token");
    for path in ["/API/v1/Products/1", "/api/v1/%70RODUCTS/1", "/api/v1/products/1/"] {
        let answer = shop.send(with(ask("DELETE", path), &token)).await;
        is_refused(&answer, 403, "rank_missing", path);
    }
}

/// A client may send what a gateway sends; a gateway that does not overwrite it must not be led astray.
#[actix_web::test]
async fn a_gateway_that_says_two_things_is_refused() {
    let shop = open();
    let token = shop.kasir("cashier").await.text("/data/Token");
    let allowed = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/products")];
    let forwarded = |method, uri| {
        let request = call(Method::GET, "/api/v1/access").insert_header(("X-Forwarded-Method", method));
        with(request.insert_header(("X-Forwarded-Uri", uri)), &token)
    };
    assert_eq!(shop.send(forwarded("GET", "/api/v1/products")).await.status, 204, "as Traefik and Caddy ask");
    is_refused(&shop.send(forwarded("POST", "/api/v1/products")).await, 403, "rank_missing", "as they ask");
    for (method, uri) in [("POST", "/api/v1/products"), ("GET", "/api/v1/orders")] {
        for header in allowed {
            let request = with(ask(method, uri), &token).insert_header(header);
            is_refused(&shop.send(request).await, 403, "access_unlisted", "half of another request");
        }
        let request = with(ask(method, uri), &token).insert_header(allowed[0]).insert_header(allowed[1]);
        is_refused(&shop.send(request).await, 403, "access_unlisted", "another request");
        let twice = with(ask(method, uri), &token).append_header(("X-Original-URI", "/api/v1/products"));
        is_refused(&shop.send(twice).await, 403, "access_unlisted", "a second target");
    }
    let nothing = with(call(Method::GET, "/api/v1/access"), &token);
    is_refused(&shop.send(nothing).await, 400, "access_nothing_asked", "nothing");
}

#[actix_web::test]
async fn each_row_takes_the_tokens_of_its_mounts_alone() {
    let shop = open();
    let [native, portos, kasir] = [
        shop.native("admin").await.text("/access_token"),
        shop.portos("admin", "OFFICE").await.text("/tokenId"),
        shop.kasir("admin").await.text("/data/Token"),
    ];
    let permanent = shop.krmpesan("admin", "OFFICE");
    let tokens = [native.as_str(), &portos, &kasir, permanent.id_token.as_ref().unwrap().expose()];
    for (method, path, takes) in [
        ("GET", "/api/v1/products", [false, false, true, false]),
        ("PUT", "/tickets", [true, true, false, true]),
        ("PUT", "/tickets/1", [true, true, false, false]),
        ("GET", "/native/x", [true, false, false, false]),
    ] {
        for (token, takes) in tokens.into_iter().zip(takes) {
            let answer = shop.send(with(ask(method, path), token)).await;
            if takes {
                assert_eq!(answer.status, 204, "{path}");
            } else {
                is_refused(&answer, 401, "token_foreign", path);
            }
        }
        is_refused(&shop.send(ask(method, path)).await, 401, "token_missing", path);
        is_refused(&shop.send(with(ask(method, path), "garbage")).await, 401, "token_invalid", path);
    }
    let refresh = shop.native("admin").await.text("/refresh_token");
    is_refused(&shop.send(with(ask("GET", "/native/x"), &refresh)).await, 401, "token_invalid", "a refresh token");
    assert_eq!(shop.delete("/api/v1/sessions/current", &native).await.status, 204);
    is_refused(&shop.send(with(ask("GET", "/native/x"), &native)).await, 401, "session_over", "a session that is over");
}

#[actix_web::test]
async fn a_token_of_another_tenant_opens_nothing_where_one_is_named() {
    let tenant = |slug| Some(Slug::parse(slug).unwrap());
    let only =
        |path: &str, slug| AccessRule { tenant: tenant(slug), ..rule("*", path, &["native"], Need::Role(Rank::Admin)) };
    let any = rule("*", "/any", &["native"], Need::Role(Rank::Admin));
    let settings =
        Settings { access: vec![only("/default", "default"), only("/other", "other"), any], ..Settings::default() };
    let shop = Shop::with(settings);
    let (own, other) = (shop.native("admin").await, shop.native("stranger@example.com").await);
    for (login, path, passes) in [
        (&own, "/default", true),
        (&own, "/other", false),
        (&own, "/any", true),
        (&other, "/default", false),
        (&other, "/other", true),
        (&other, "/any", true),
    ] {
        let answer = shop.send(with(ask("GET", path), &login.text("/access_token"))).await;
        if passes {
            assert_eq!(answer.status, 204, "{path}");
        } else {
            is_refused(&answer, 401, "token_foreign", path);
        }
    }
}

#[actix_web::test]
async fn a_cookie_counts_by_where_what_it_changes_comes_from() {
    let web = Web { origins: vec!["https://front.example".parse().unwrap()], ..Web::default() };
    let shop = Shop::mounted(settings(), vec![native("/api/v1"), kasir(web), portos("/portos"), krmpesan("/krmpesan")]);
    let token = shop.kasir("admin").await.text("/data/Token");
    let cookie = |method| {
        let request = ask(method, "/api/v1/products").insert_header(("Cookie", format!("access_token={token}")));
        request.insert_header(("Host", "pos.example"))
    };
    let from = |method, headers: &[(&'static str, &'static str)]| {
        headers.iter().fold(cookie(method), |request, header| request.insert_header(*header))
    };
    for (method, headers, passes) in [
        ("GET", &[][..], true),
        ("GET", &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")], true),
        ("POST", &[], true),
        ("POST", &[("Origin", "https://pos.example")], true),
        ("POST", &[("Origin", "https://front.example"), ("Sec-Fetch-Site", "cross-site")], true),
        ("POST", &[("Sec-Fetch-Site", "same-origin")], true),
        ("POST", &[("Origin", "https://evil.example")], false),
        ("POST", &[("Origin", "null")], false),
        ("POST", &[("Sec-Fetch-Site", "cross-site")], false),
        ("DELETE", &[("Sec-Fetch-Site", "same-site")], false),
    ] {
        let answer = shop.send(from(method, headers)).await;
        if passes {
            assert_eq!(answer.status, 204, "{method} {headers:?}");
        } else {
            is_refused(&answer, 403, "origin_foreign", &format!("{method} {headers:?}"));
        }
    }
    // a header decides over a cookie, and a cookie is none of another contract's
    is_refused(&shop.send(with(cookie("GET"), "garbage")).await, 401, "token_invalid", "a header beside a cookie");
    let native = ask("GET", "/native/x").insert_header(("Cookie", format!("access_token={token}")));
    is_refused(&shop.send(native).await, 401, "token_missing", "a row without POS Kasir");
}

#[actix_web::test]
async fn a_gateways_checks_are_not_counted_against_its_clients() {
    let shop = open();
    let token = shop.kasir("cashier").await.text("/data/Token");
    for _ in 0..=Kasir::PER_MINUTE {
        assert_eq!(shop.send(with(ask("GET", "/api/v1/products"), &token)).await.status, 204);
    }
    assert_eq!(shop.get("/kasir/api/v1/auth/me", &token).await.status, 200);
}

#[actix_web::test]
async fn without_a_store_nobody_is_refused_who_is_not_known_and_nobody_let_through() {
    let shop = open();
    let login = shop.kasir("cashier").await;
    let (token, user) = (login.text("/data/Token"), login.text("/data/profile/id").parse().unwrap());
    assert_eq!(shop.send(with(ask("GET", "/api/v1/products"), &token)).await.status, 204);
    shop.store.set(Mood::Unavailable);
    assert_eq!(shop.send(with(ask("GET", "/api/v1/products"), &token)).await.status, 204, "from memory");
    shop.store.set(Mood::Well);
    tillgate_domain::StoreExt::<tillgate_auth_core::AuthView>::write(&*shop.store, |tx| {
        tx.endings().touch(tillgate_domain::Scope::User(user), crate::shop::NOON)
    })
    .unwrap();
    for (mood, status, code) in
        [(Mood::Unavailable, 503, "unavailable"), (Mood::Broken, 500, "internal"), (Mood::Panics, 500, "internal")]
    {
        shop.store.set(mood);
        is_refused(&shop.send(with(ask("GET", "/api/v1/products"), &token)).await, status, code, "not known");
    }
    shop.store.set(Mood::Well);
    assert_eq!(shop.send(with(ask("GET", "/api/v1/products"), &token)).await.status, 204);
    shop.http.gate().shut();
    is_refused(&shop.send(with(ask("GET", "/api/v1/products"), &token)).await, 503, "unavailable", "the gate is shut");
    assert_eq!(shop.send(post("/api/v1/access", json!({ "password": PASSWORD }))).await.status, 405);
}

#[actix_web::test]
async fn only_gateways_are_told_the_code_in_a_header() {
    let shop = open();
    for (path, body) in [
        ("/api/v1/sessions", json!({"login": "cashier", "password": "not the password"})),
        ("/kasir/api/v1/auth/login", json!({"email": "cashier@example.com", "password": "not the password"})),
        ("/portos/api/auth", json!({"UserName": "cashier", "Password": "not the password", "DeviceName": "P01"})),
    ] {
        let answer = shop.send(post(path, body)).await;
        assert!(answer.status.is_client_error(), "{path}");
        assert_eq!(answer.header("x-tillgate-code"), "", "{path}: it may say more than the contract does");
    }
}
