//! Lenient paths of PORTOS, POS Kasir and PosStar (case, trailing slash); all other contracts
//! compare exactly.

use actix_web::http::Method;
use serde_json::json;
use tillgate_domain::Rank;
use tillgate_http::{AccessRequirement, AccessRule, HttpSettings};

use crate::portos_client::UnsignedRequest;
use crate::portos_signed::{create_key, get, sign_request};
use crate::test_server::{TestResponse, TestServer, build_request, post_request};

const LENIENT_DIALECTS: [&str; 3] = ["portos", "kasir", "posstar"];

/// Changes every other letter of the literal segments below the prefix to upper case, and fills in
/// the parameters.
fn vary_case(path: &str, prefix: &str, fill: &str) -> String {
    let below = path.strip_prefix(prefix).unwrap();
    let letters = |(at, letter): (usize, char)| if at % 2 == 0 { letter } else { letter.to_ascii_uppercase() };
    let segment = |segment: &str| {
        if segment.starts_with('{') { fill.to_owned() } else { segment.chars().enumerate().map(letters).collect() }
    };
    format!("{prefix}{}", below.split('/').map(segment).collect::<Vec<_>>().join("/"))
}

fn fill_parameters(path: &str, fill: &str) -> String {
    let segment = |segment: &str| if segment.starts_with('{') { fill.to_owned() } else { segment.to_owned() };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// Identifies the matched path: a method without a route is answered with the methods of the path.
async fn allowed_methods(shop: &TestServer, path: &str) -> (u16, String) {
    let response = shop.send(build_request(Method::from_bytes(b"BREW").unwrap(), path)).await;
    (response.status.as_u16(), response.headers.get("allow").map_or("", |allow| allow.to_str().unwrap()).to_owned())
}

#[actix_web::test]
async fn every_lenient_route_is_found_in_any_case_and_with_slash() {
    let shop = TestServer::start();
    let mut tried = 0;
    for route in shop.http.routes() {
        let exact = fill_parameters(&route.path, "Id7");
        let known = allowed_methods(&shop, &exact).await;
        assert_eq!(known.0, 405, "{route:?}");
        if LENIENT_DIALECTS.contains(&route.mount) {
            tried += 1;
            let prefix = format!("/{}", route.mount);
            let capital = vary_case(&route.path, &prefix, "Id7");
            for path in [&capital, &format!("{exact}/"), &format!("{capital}/")] {
                assert_eq!(allowed_methods(&shop, path).await, known, "{path}");
            }
            // one slash only, an exact prefix, and no Unicode letter that folds to an ASCII letter
            let head = route.path.replacen(&prefix, &prefix.to_uppercase(), 1);
            let kelvin = capital.replacen(['k', 'K'], "%E2%84%AA", 1);
            for path in [format!("{exact}//"), fill_parameters(&head, "Id7"), exact.replacen("/api", "//api", 1)] {
                assert_eq!(allowed_methods(&shop, &path).await.0, 404, "{path}");
            }
            assert!(kelvin == capital || allowed_methods(&shop, &kelvin).await.0 == 404, "{kelvin}");
        } else if route.mount != "server" {
            for path in [exact.to_uppercase(), format!("{exact}/")] {
                assert_eq!(allowed_methods(&shop, &path).await.0, 404, "{path}");
            }
        }
    }
    assert!(tried > 50, "{tried}");
}

#[actix_web::test]
async fn path_parameter_keeps_its_spelling() {
    let shop = TestServer::start();
    let token = shop.log_in_portos("cashier", "P01").await.text_at("/tokenId");
    let made =
        shop.send(crate::test_server::with_bearer(post_request("/portos/API/v1/Tickets/", json!({})), &token)).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let id = made.text_at("/id");
    assert_eq!(made.header("location"), format!("/portos/API/v1/Tickets/{id}"));
    assert_eq!(shop.get(made.header("location"), &token).await.text_at("/id"), id);
    assert_eq!(shop.get(&format!("/portos/api/TICKETS/{id}/"), &token).await.text_at("/id"), id);
    for path in ["/portos/api/roles/cashier", "/portos/api/Roles/cashier/", "/portos/API/roles/%63ashier/"] {
        assert_eq!(shop.get(path, &token).await.text_at("/name"), "cashier", "{path}");
    }
    // a name that looks like a literal segment is still a name
    assert_eq!(shop.get("/portos/api/tickets/Close/", &token).await.status, 404);
    let problem = shop.get("/portos/Api/Auth/", "").await;
    assert_eq!((problem.status.as_u16(), problem.text_at("/instance").as_str()), (401, "/Api/Auth/"));
}

#[actix_web::test]
async fn signature_covers_the_path_as_sent() {
    let shop = TestServer::start();
    let (_, key) = create_key(&shop, "cashier", "P01", &[]);
    for target in ["/portos/api/v1/apiKeys", "/portos/API/auth/", "/portos/api/Devices/P01/?x=1"] {
        let response = shop.send(sign_request(&key, &get(target))).await;
        assert!([200, 403].contains(&response.status.as_u16()), "{target}: {}", response.status);
        let other = key.sign(&UnsignedRequest { ..get(&target.to_lowercase()) });
        let request = build_request(Method::GET, target).insert_header(("Host", get(target).host));
        let request = other.into_iter().fold(request, actix_web::test::TestRequest::insert_header);
        assert_eq!(shop.send(request).await.status, 401, "{target}: the path in small letters was signed");
    }
}

#[actix_web::test]
async fn public_route_and_login_are_found_in_any_case() {
    let shop = TestServer::start();
    let kasir = post_request(
        "/kasir/API/V1/Auth/Login/",
        json!({ "email": "cashier", "password": crate::test_server::TEST_PASSWORD }),
    );
    // a login authenticates by its body, whatever header is sent
    let login: TestResponse = shop.send(kasir.insert_header(("Authorization", "Bearer x"))).await;
    assert_eq!(login.status, 200, "{}", login.json());
    let vendor = crate::posstar::registration("rita@example.com");
    assert_eq!(shop.send(post_request("/posstar/Api/v1/auth/Register/", vendor)).await.status, 201);
}

#[actix_web::test]
async fn access_rules_compare_paths_the_same_way() {
    for mount in ["portos", "kasir"] {
        let rule = AccessRule {
            methods: vec![Method::GET],
            path: "/api/v1/orders/{id}/items".parse().unwrap(),
            mounts: vec![mount.to_owned()],
            tenant: None,
            requirement: AccessRequirement::Role(Rank::Cashier),
        };
        let shop = TestServer::with_settings(HttpSettings { access_rules: vec![rule], ..HttpSettings::default() });
        let token = match mount {
            "portos" => shop.log_in_portos("cashier", "P01").await.text_at("/tokenId"),
            _ => shop.log_in_kasir("cashier").await.text_at("/data/Token"),
        };
        for (target, status) in [
            ("/api/v1/orders/Id7/items", 204),
            ("/API/v1/Orders/Id7/ITEMS", 204),
            ("/api/v1/orders/Id7/items/", 204),
            ("/api/v1/orders/Id7/items//", 403),
            ("/api/v1/orders//items", 403),
        ] {
            let ask = build_request(Method::GET, "/api/v1/access")
                .insert_header(("X-Original-Method", "GET"))
                .insert_header(("X-Original-URI", target));
            assert_eq!(
                shop.send(crate::test_server::with_bearer(ask, &token)).await.status,
                status,
                "{mount}: {target}"
            );
        }
    }
}
