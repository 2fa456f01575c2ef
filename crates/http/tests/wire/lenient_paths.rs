//! Paths of PORTOS, POS Kasir and PosStar in other letters and with a slash at the end; those of the other contracts to the letter.

use actix_web::http::Method;
use serde_json::json;
use tillgate_domain::Rank;
use tillgate_http::{AccessRule, Need, Settings};

use crate::portos_client::Unsigned;
use crate::portos_signed::{get, key, signed};
use crate::shop::{Answer, Shop, call, post};

const LENIENT: [&str; 3] = ["portos", "kasir", "posstar"];

/// Every other letter of the literal segments below the prefix in capitals, and the names in braces filled in.
fn odd(path: &str, prefix: &str, fill: &str) -> String {
    let below = path.strip_prefix(prefix).unwrap();
    let letters = |(at, letter): (usize, char)| if at % 2 == 0 { letter } else { letter.to_ascii_uppercase() };
    let segment = |segment: &str| {
        if segment.starts_with('{') { fill.to_owned() } else { segment.chars().enumerate().map(letters).collect() }
    };
    format!("{prefix}{}", below.split('/').map(segment).collect::<Vec<_>>().join("/"))
}

fn filled(path: &str, fill: &str) -> String {
    let segment = |segment: &str| if segment.starts_with('{') { fill.to_owned() } else { segment.to_owned() };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// What tells one path from another: a method that no route has is answered with those that the path has.
async fn methods(shop: &Shop, path: &str) -> (u16, String) {
    let answer = shop.send(call(Method::from_bytes(b"BREW").unwrap(), path)).await;
    (answer.status.as_u16(), answer.headers.get("allow").map_or("", |allow| allow.to_str().unwrap()).to_owned())
}

#[actix_web::test]
async fn every_route_of_the_three_is_found_in_any_case_and_with_a_slash() {
    let shop = Shop::open();
    let mut tried = 0;
    for route in shop.http.routes() {
        let exact = filled(&route.path, "Id7");
        let known = methods(&shop, &exact).await;
        assert_eq!(known.0, 405, "{route:?}");
        if LENIENT.contains(&route.mount) {
            tried += 1;
            let prefix = format!("/{}", route.mount);
            let capital = odd(&route.path, &prefix, "Id7");
            for path in [&capital, &format!("{exact}/"), &format!("{capital}/")] {
                assert_eq!(methods(&shop, path).await, known, "{path}");
            }
            // one slash, no less of the prefix, and nothing that becomes a letter of ours elsewhere in Unicode
            let head = route.path.replacen(&prefix, &prefix.to_uppercase(), 1);
            let kelvin = capital.replacen(['k', 'K'], "%E2%84%AA", 1);
            for path in [format!("{exact}//"), filled(&head, "Id7"), exact.replacen("/api", "//api", 1)] {
                assert_eq!(methods(&shop, &path).await.0, 404, "{path}");
            }
            assert!(kelvin == capital || methods(&shop, &kelvin).await.0 == 404, "{kelvin}");
        } else if route.mount != "server" {
            for path in [exact.to_uppercase(), format!("{exact}/")] {
                assert_eq!(methods(&shop, &path).await.0, 404, "{path}");
            }
        }
    }
    assert!(tried > 50, "{tried}");
}

#[actix_web::test]
async fn what_stands_for_a_name_is_kept_as_it_was_sent() {
    let shop = Shop::open();
    let token = shop.portos("cashier", "P01").await.text("/tokenId");
    let made = shop.send(crate::shop::bearer(post("/portos/API/v1/Tickets/", json!({})), &token)).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let id = made.text("/id");
    assert_eq!(made.header("location"), format!("/portos/API/v1/Tickets/{id}"));
    assert_eq!(shop.get(made.header("location"), &token).await.text("/id"), id);
    assert_eq!(shop.get(&format!("/portos/api/TICKETS/{id}/"), &token).await.text("/id"), id);
    for path in ["/portos/api/roles/cashier", "/portos/api/Roles/cashier/", "/portos/API/roles/%63ashier/"] {
        assert_eq!(shop.get(path, &token).await.text("/name"), "cashier", "{path}");
    }
    // a name that looks like a literal stays a name
    assert_eq!(shop.get("/portos/api/tickets/Close/", &token).await.status, 404);
    let problem = shop.get("/portos/Api/Auth/", "").await;
    assert_eq!((problem.status.as_u16(), problem.text("/instance").as_str()), (401, "/Api/Auth/"));
}

#[actix_web::test]
async fn a_signature_is_over_the_path_as_sent() {
    let shop = Shop::open();
    let (_, key) = key(&shop, "cashier", "P01", &[]);
    for target in ["/portos/api/v1/apiKeys", "/portos/API/auth/", "/portos/api/Devices/P01/?x=1"] {
        let answer = shop.send(signed(&key, &get(target))).await;
        assert!([200, 403].contains(&answer.status.as_u16()), "{target}: {}", answer.status);
        let other = key.sign(&Unsigned { ..get(&target.to_lowercase()) });
        let request = call(Method::GET, target).insert_header(("Host", get(target).host));
        let request = other.into_iter().fold(request, actix_web::test::TestRequest::insert_header);
        assert_eq!(shop.send(request).await.status, 401, "{target}: the path in small letters was signed");
    }
}

#[actix_web::test]
async fn an_open_call_and_a_login_are_the_same_call_in_any_case() {
    let shop = Shop::open();
    let kasir = post("/kasir/API/V1/Auth/Login/", json!({ "email": "cashier", "password": crate::shop::PASSWORD }));
    // a login proves itself, whatever stands beside it
    let login: Answer = shop.send(kasir.insert_header(("Authorization", "Bearer x"))).await;
    assert_eq!(login.status, 200, "{}", login.json());
    let vendor = crate::posstar::registration("rita@example.com");
    assert_eq!(shop.send(post("/posstar/Api/v1/auth/Register/", vendor)).await.status, 201);
}

#[actix_web::test]
async fn rows_of_a_gateway_compare_the_same_way() {
    for mount in ["portos", "kasir"] {
        let rule = AccessRule {
            methods: vec![Method::GET],
            path: "/api/v1/orders/{id}/items".parse().unwrap(),
            mounts: vec![mount.to_owned()],
            tenant: None,
            need: Need::Role(Rank::Cashier),
        };
        let shop = Shop::with(Settings { access: vec![rule], ..Settings::default() });
        let token = match mount {
            "portos" => shop.portos("cashier", "P01").await.text("/tokenId"),
            _ => shop.kasir("cashier").await.text("/data/Token"),
        };
        for (target, status) in [
            ("/api/v1/orders/Id7/items", 204),
            ("/API/v1/Orders/Id7/ITEMS", 204),
            ("/api/v1/orders/Id7/items/", 204),
            ("/api/v1/orders/Id7/items//", 403),
            ("/api/v1/orders//items", 403),
        ] {
            let ask = call(Method::GET, "/api/v1/access")
                .insert_header(("X-Original-Method", "GET"))
                .insert_header(("X-Original-URI", target));
            assert_eq!(shop.send(crate::shop::bearer(ask, &token)).await.status, status, "{mount}: {target}");
        }
    }
}
