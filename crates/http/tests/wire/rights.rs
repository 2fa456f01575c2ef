//! Every role against every route. A route that is not in the table fails.

use std::collections::BTreeSet;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;

use crate::shop::{PASSWORD, Shop, call, post, put};
use crate::{office, openapi};

/// What nobody, a cashier, a manager and an admin are answered. Where a route names a session, it is tried with the caller's own
/// and with somebody else's.
const TABLE: &[(&str, &str, &str, [u16; 4])] = &[
    ("GET", "/.well-known/jwks.json", "", [200, 200, 200, 200]),
    ("GET", "/.well-known/oauth-authorization-server", "", [200, 200, 200, 200]),
    // the issuer has no path
    ("GET", "/.well-known/oauth-authorization-server/{issuer:.*}", "", [404, 404, 404, 404]),
    ("GET", "/healthz", "", [200, 200, 200, 200]),
    ("GET", "/metrics", "", [200, 200, 200, 200]),
    ("GET", "/openapi.json", "", [200, 200, 200, 200]),
    ("GET", "/docs", "", [308, 308, 308, 308]),
    // there is no file of this name: see openapi.rs
    ("GET", "/docs/{file}", "", [404, 404, 404, 404]),
    ("GET", "/readyz", "", [200, 200, 200, 200]),
    // it asks about nothing: see access.rs
    ("GET", "/api/v1/access", "", [400, 400, 400, 400]),
    ("POST", "/api/v1/sessions", "", [201, 201, 201, 201]),
    ("POST", "/api/v1/sessions/refresh", "", [200, 200, 200, 200]),
    ("GET", "/api/v1/sessions", "", [401, 200, 200, 200]),
    ("GET", "/api/v1/sessions/current", "", [401, 200, 200, 200]),
    ("DELETE", "/api/v1/sessions/current", "", [401, 204, 204, 204]),
    ("GET", "/api/v1/sessions/{id}", "own", [401, 200, 200, 200]),
    ("GET", "/api/v1/sessions/{id}", "another's", [401, 403, 200, 200]),
    ("DELETE", "/api/v1/sessions/{id}", "own", [401, 204, 204, 204]),
    ("DELETE", "/api/v1/sessions/{id}", "another's", [401, 403, 204, 204]),
    ("POST", "/oauth/introspect", "", [401, 403, 403, 200]),
    ("POST", "/oauth/revoke", "", [401, 403, 200, 200]),
    ("POST", "/api/v1/sessions/end", "own", [401, 204, 204, 204]),
    ("POST", "/api/v1/sessions/end", "another's", [401, 403, 204, 204]),
    ("PUT", "/api/v1/sessions/current/password", "", [401, 204, 204, 204]),
    ("GET", "/api/v1/users", "", [401, 403, 200, 200]),
    ("POST", "/api/v1/users", "", [401, 403, 403, 201]),
    ("GET", "/api/v1/users/{id}", "own", [401, 200, 200, 200]),
    ("GET", "/api/v1/users/{id}", "another's", [401, 403, 200, 200]),
    ("PATCH", "/api/v1/users/{id}", "", [401, 403, 403, 200]),
    ("DELETE", "/api/v1/users/{id}", "", [401, 403, 403, 204]),
    ("PUT", "/api/v1/users/{id}/password", "", [401, 403, 403, 204]),
    ("POST", "/api/v1/users/{id}/unlock", "", [401, 403, 403, 204]),
    ("GET", "/api/v1/tickets", "", [401, 200, 200, 200]),
    ("POST", "/api/v1/tickets", "", [401, 201, 201, 201]),
    ("GET", "/api/v1/tickets/{id}", "", [401, 200, 200, 200]),
    ("PATCH", "/api/v1/tickets/{id}", "own", [401, 200, 200, 200]),
    ("PATCH", "/api/v1/tickets/{id}", "another's", [401, 403, 200, 200]),
    ("DELETE", "/api/v1/tickets/{id}", "own", [401, 403, 204, 204]),
    ("DELETE", "/api/v1/tickets/{id}", "another's", [401, 403, 204, 204]),
    ("POST", "/api/v1/tickets/{id}/close", "own", [401, 200, 200, 200]),
    ("POST", "/api/v1/tickets/{id}/close", "another's", [401, 200, 200, 200]),
    ("POST", "/api/v1/tickets/{id}/refund", "own", [401, 403, 201, 201]),
    ("POST", "/api/v1/tickets/{id}/refund", "another's", [401, 403, 201, 201]),
    ("GET", "/api/v1/api-keys", "", [401, 403, 403, 200]),
    ("POST", "/api/v1/api-keys", "", [401, 403, 403, 201]),
    ("GET", "/api/v1/api-keys/{id}", "", [401, 403, 403, 200]),
    ("PATCH", "/api/v1/api-keys/{id}", "", [401, 403, 403, 200]),
    ("DELETE", "/api/v1/api-keys/{id}", "", [401, 403, 403, 204]),
    ("GET", "/api/v1/devices", "", [401, 200, 200, 200]),
    ("POST", "/api/v1/devices", "", [401, 403, 403, 201]),
    ("GET", "/api/v1/devices/{id}", "", [401, 200, 200, 200]),
    ("PATCH", "/api/v1/devices/{id}", "", [401, 403, 403, 200]),
    ("DELETE", "/api/v1/devices/{id}", "", [401, 403, 403, 204]),
    ("PUT", "/api/v1/devices/{id}/password", "", [401, 403, 403, 204]),
    ("DELETE", "/api/v1/devices/{id}/password", "", [401, 403, 403, 204]),
    ("POST", "/api/v1/devices/{id}/unlock", "", [401, 403, 403, 204]),
    ("GET", "/api/v1/roles", "", [401, 200, 200, 200]),
    ("POST", "/api/v1/roles", "", [401, 403, 403, 201]),
    ("GET", "/api/v1/roles/{id}", "", [401, 200, 200, 200]),
    ("PATCH", "/api/v1/roles/{id}", "", [401, 403, 403, 200]),
    ("DELETE", "/api/v1/roles/{id}", "", [401, 403, 403, 204]),
    ("GET", "/api/v1/rights", "", [401, 200, 200, 200]),
    ("GET", "/api/v1/stores", "", [401, 200, 200, 200]),
    ("POST", "/api/v1/stores", "", [401, 403, 403, 201]),
    ("GET", "/api/v1/stores/{id}", "", [401, 200, 200, 200]),
    ("PATCH", "/api/v1/stores/{id}", "", [401, 403, 403, 200]),
    ("DELETE", "/api/v1/stores/{id}", "", [401, 403, 403, 204]),
    ("GET", "/api/v1/tenants", "", [401, 200, 200, 200]),
    ("GET", "/api/v1/tenants/{id}", "", [401, 200, 200, 200]),
    ("PATCH", "/api/v1/tenants/{id}", "", [401, 403, 403, 200]),
    ("GET", "/api/v1/audit-events", "", [401, 403, 200, 200]),
    ("GET", "/api/v1/audit-events/{id}", "", [401, 403, 200, 200]),
    ("POST", "/portos/api/auth", "", [200, 200, 200, 200]),
    ("POST", "/portos/api/v1/auth", "", [200, 200, 200, 200]),
    ("POST", "/portos/api/auth/refresh", "", [200, 200, 200, 200]),
    ("POST", "/portos/api/v1/auth/refresh", "", [200, 200, 200, 200]),
    ("GET", "/portos/api/auth", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/v1/auth", "", [401, 200, 200, 200]),
    ("DELETE", "/portos/api/auth", "", [401, 200, 200, 200]),
    ("DELETE", "/portos/api/v1/auth", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/sessions", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/sessions/{id}", "own", [401, 200, 200, 200]),
    ("GET", "/portos/api/sessions/{id}", "another's", [401, 403, 200, 200]),
    ("DELETE", "/portos/api/sessions/{id}", "own", [401, 200, 200, 200]),
    ("DELETE", "/portos/api/sessions/{id}", "another's", [401, 403, 200, 200]),
    ("GET", "/portos/api/devices", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/devices/{name}", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/roles", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/roles/{name}", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/users", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/users/{id}", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/apikeys", "", [401, 403, 403, 200]),
    ("POST", "/portos/api/apikeys", "", [401, 403, 403, 201]),
    ("GET", "/portos/api/apikeys/{id}", "", [401, 403, 403, 200]),
    ("PUT", "/portos/api/apikeys/{id}", "", [401, 403, 403, 200]),
    ("DELETE", "/portos/api/apikeys/{id}", "", [401, 403, 403, 200]),
    ("GET", "/portos/api/v1/sessions", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/v1/sessions/{id}", "own", [401, 200, 200, 200]),
    ("GET", "/portos/api/v1/sessions/{id}", "another's", [401, 403, 200, 200]),
    ("DELETE", "/portos/api/v1/sessions/{id}", "own", [401, 200, 200, 200]),
    ("DELETE", "/portos/api/v1/sessions/{id}", "another's", [401, 403, 200, 200]),
    ("GET", "/portos/api/v1/devices", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/v1/devices/{name}", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/v1/roles", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/v1/roles/{name}", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/v1/users", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/v1/users/{id}", "", [401, 200, 200, 200]),
    ("GET", "/portos/api/v1/apikeys", "", [401, 403, 403, 200]),
    ("POST", "/portos/api/v1/apikeys", "", [401, 403, 403, 201]),
    ("GET", "/portos/api/v1/apikeys/{id}", "", [401, 403, 403, 200]),
    ("PUT", "/portos/api/v1/apikeys/{id}", "", [401, 403, 403, 200]),
    ("DELETE", "/portos/api/v1/apikeys/{id}", "", [401, 403, 403, 200]),
    ("GET", "/portos/api/tickets", "", [401, 200, 200, 200]),
    ("POST", "/portos/api/tickets", "", [401, 201, 201, 201]),
    ("PATCH", "/portos/api/tickets", "own", [401, 200, 200, 200]),
    ("PATCH", "/portos/api/tickets", "another's", [401, 403, 200, 200]),
    ("GET", "/portos/api/tickets/{id}", "", [401, 200, 200, 200]),
    ("PUT", "/portos/api/tickets/{id}", "own", [401, 200, 200, 200]),
    ("PUT", "/portos/api/tickets/{id}", "another's", [401, 403, 200, 200]),
    ("DELETE", "/portos/api/tickets/{id}", "own", [401, 403, 200, 200]),
    ("DELETE", "/portos/api/tickets/{id}", "another's", [401, 403, 200, 200]),
    ("POST", "/portos/api/tickets/{id}/close", "own", [401, 200, 200, 200]),
    ("POST", "/portos/api/tickets/{id}/close", "another's", [401, 200, 200, 200]),
    ("GET", "/portos/api/v1/tickets", "", [401, 200, 200, 200]),
    ("POST", "/portos/api/v1/tickets", "", [401, 201, 201, 201]),
    ("PATCH", "/portos/api/v1/tickets", "own", [401, 200, 200, 200]),
    ("PATCH", "/portos/api/v1/tickets", "another's", [401, 403, 200, 200]),
    ("GET", "/portos/api/v1/tickets/{id}", "", [401, 200, 200, 200]),
    ("PUT", "/portos/api/v1/tickets/{id}", "own", [401, 200, 200, 200]),
    ("PUT", "/portos/api/v1/tickets/{id}", "another's", [401, 403, 200, 200]),
    ("DELETE", "/portos/api/v1/tickets/{id}", "own", [401, 403, 200, 200]),
    ("DELETE", "/portos/api/v1/tickets/{id}", "another's", [401, 403, 200, 200]),
    ("POST", "/portos/api/v1/tickets/{id}/close", "own", [401, 200, 200, 200]),
    ("POST", "/portos/api/v1/tickets/{id}/close", "another's", [401, 200, 200, 200]),
    ("POST", "/kasir/api/v1/auth/login", "", [200, 200, 200, 200]),
    ("GET", "/kasir/api/v1/auth/me", "", [401, 200, 200, 200]),
    ("POST", "/kasir/api/v1/auth/refresh", "", [200, 200, 200, 200]),
    ("PUT", "/kasir/api/v1/auth/me/password", "", [401, 200, 200, 200]),
    ("POST", "/kasir/api/v1/auth/logout", "", [401, 200, 200, 200]),
    ("POST", "/kasir/api/v1/auth/add", "", [401, 403, 403, 200]),
    ("GET", "/kasir/api/v1/users", "", [401, 200, 200, 200]),
    ("POST", "/kasir/api/v1/users", "", [401, 403, 403, 201]),
    ("GET", "/kasir/api/v1/users/{id}", "", [401, 403, 200, 200]),
    ("PUT", "/kasir/api/v1/users/{id}", "", [401, 403, 403, 200]),
    ("DELETE", "/kasir/api/v1/users/{id}", "", [401, 403, 403, 200]),
    ("POST", "/kasir/api/v1/users/{id}/toggle-status", "", [401, 403, 403, 200]),
    ("GET", "/kasir/api/v1/activity-logs", "", [401, 403, 403, 200]),
    ("POST", "/fiuu/auth/login", "", [200, 200, 200, 200]),
    ("POST", "/fiuu/auth/refresh", "", [200, 200, 200, 200]),
    ("POST", "/fiuu/auth/logout", "", [401, 200, 200, 200]),
    ("GET", "/fiuu/api/terminals", "", [401, 200, 200, 200]),
    ("POST", "/posstar/api/v1/auth/register", "", [201, 201, 201, 201]),
    ("POST", "/posstar/api/v1/auth/login", "", [200, 200, 200, 200]),
    ("POST", "/posstar/api/v1/auth/forgot-password", "", [200, 200, 200, 200]),
    ("POST", "/posstar/api/v1/auth/reset-password", "", [400, 400, 400, 400]),
    ("GET", "/posstar/api/v1/auth/me", "", [401, 200, 200, 200]),
    ("POST", "/posstar/api/v1/auth/refresh", "", [200, 200, 200, 200]),
    ("GET", "/krmpesan/token", "", [200, 200, 200, 200]),
    ("POST", "/krmpesan/token", "", [200, 200, 200, 200]),
    ("GET", "/krmpesan/tokens", "", [200, 200, 200, 200]),
    ("POST", "/krmpesan/tokens", "", [200, 200, 200, 200]),
    ("GET", "/krmpesan/devices", "", [401, 200, 200, 200]),
    ("GET", "/krmpesan/app", "", [200, 200, 200, 200]),
    ("GET", "/krmpesan/app/page.css", "", [200, 200, 200, 200]),
    ("GET", "/krmpesan/app/page.js", "", [200, 200, 200, 200]),
    ("POST", "/krmpesan/app/login", "", [200, 200, 200, 200]),
    ("GET", "/krmpesan/app/devices", "", [401, 200, 200, 200]),
    ("POST", "/krmpesan/app/generate", "", [401, 200, 200, 200]),
    ("POST", "/krmpesan/app/logout", "", [401, 200, 200, 200]),
];

const ROLES: [Option<&str>; 4] = [None, Some("cashier"), Some("manager"), Some("admin")];

#[test]
fn every_route_is_in_the_table_and_every_line_is_a_route() {
    let system = actix_web::rt::System::new();
    let routes: BTreeSet<(String, String)> = system
        .block_on(async { Shop::open().http.routes() })
        .into_iter()
        .map(|route| (route.method, route.path))
        .collect();
    let lines = TABLE.iter().map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(routes, lines);
}

#[actix_web::test]
async fn every_role_may_what_the_table_says() {
    for (method, path, whose, expected) in TABLE {
        for (role, expected) in ROLES.into_iter().zip(expected) {
            let shop = Shop::open();
            let request = request(&shop, method, path, whose, role).await;
            let answer = shop.send(request).await;
            let said = String::from_utf8_lossy(&answer.bytes);
            assert_eq!(answer.status, *expected, "{method} {path} {whose} as {role:?}: {said}");
            let refused = shop.refusals();
            let told = usize::from(*expected == 403);
            assert_eq!(refused.len(), told, "{method} {path} {whose} as {role:?} is told in the audit: {refused:?}");
            if *expected == 403 && path.starts_with("/api/") {
                let (right, told) = (answer.text("/right"), openapi::description(&shop, method, path).await);
                assert!(
                    told.contains(&format!("`{right}`")),
                    "{method} {path}: {right} is missing, and told was {told:?}"
                );
            }
        }
    }
}

#[actix_web::test]
async fn open_routes_are_those_that_nobody_is_asked_at() {
    for route in Shop::open().http.routes() {
        let of_nobody =
            TABLE.iter().find(|(method, path, ..)| (*method, *path) == (&*route.method, &*route.path)).unwrap().3[0];
        assert_eq!(route.open, of_nobody != 401, "{route:?}");
    }
}

#[actix_web::test]
async fn without_the_right_a_list_holds_ones_own_alone() {
    let shop = Shop::open();
    shop.native("witness").await;
    for (role, all) in [("cashier", false), ("manager", true), ("admin", true)] {
        let token = shop.native(role).await.text("/access_token");
        let list = shop.get("/api/v1/sessions", &token).await.json();
        let names: BTreeSet<&str> =
            list["items"].as_array().unwrap().iter().map(|item| item["user"]["user_name"].as_str().unwrap()).collect();
        assert!(names.contains(role));
        assert_eq!(names.contains("witness"), all, "{role}: {names:?}");
    }
}

#[actix_web::test]
async fn nobody_sees_or_ends_a_session_of_another_tenant() {
    let shop = Shop::open();
    let stranger = shop.native("stranger@example.com").await;
    let token = shop.native("admin").await.text("/access_token");
    let path = format!("/api/v1/sessions/{}", stranger.text("/session/id"));
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(shop.with_token(method, &path, &token).await.status, 404);
    }
    for path in ["/api/v1/sessions/garbage", "/api/v1/sessions/00000000-0000-7000-8000-000000000000"] {
        let answer = shop.get(path, &token).await;
        assert_eq!((answer.status.as_u16(), answer.text("/code").as_str()), (404, "session_not_found"));
    }
    assert_eq!(shop.get("/api/v1/sessions/current", &stranger.text("/access_token")).await.status, 200);
}

async fn request(shop: &Shop, method: &str, path: &str, whose: &str, role: Option<&str>) -> TestRequest {
    let witness = shop.native("witness").await;
    let someone = role.unwrap_or("cashier");
    if path.starts_with("/oauth") {
        return crate::oauth::request(shop, path, someone, role.is_some()).await;
    }
    if path.starts_with("/kasir") {
        return kasir(shop, method, path, someone, role.is_some()).await;
    }
    if path.starts_with("/krmpesan/app") {
        return krmpesan_page(shop, method, path, someone, role.is_some()).await;
    }
    if path.starts_with("/krmpesan") {
        return krmpesan(shop, method, path, someone, role.is_some());
    }
    if path.starts_with("/posstar") {
        return posstar(shop, method, path, role).await;
    }
    if path.starts_with("/fiuu") {
        return fiuu(shop, method, path, role).await;
    }
    if path.starts_with("/portos") && path.contains("/tickets") {
        return crate::portos_tickets::request(shop, method, path, whose == "own", (someone, role.is_some())).await;
    }
    if path.starts_with("/portos") && !path.contains("/auth") {
        return crate::portos_office::request(shop, method, path, whose == "own", (someone, role.is_some())).await;
    }
    if path.starts_with("/api/v1/tickets") {
        return crate::tickets::request(shop, method, path, whose == "own", (someone, role.is_some())).await;
    }
    if office::is_ours(path) {
        return office::request(shop, method, path, whose == "own", (someone, role.is_some())).await;
    }
    let portos = path.starts_with("/portos");
    let login = if portos { shop.portos(someone, "OFFICE").await } else { shop.native(someone).await };
    let request = match (method, path) {
        ("POST", path) if path.ends_with("/refresh") && portos => {
            post(path, json!({ "tokenId": login.text("/tokenId"), "refreshToken": login.text("/refreshToken") }))
        }
        ("POST", path) if path.ends_with("/refresh") => {
            post(path, json!({ "refresh_token": login.text("/refresh_token") }))
        }
        ("POST", path) if portos => {
            post(path, json!({ "UserName": someone, "Password": PASSWORD, "DeviceName": "OFFICE" }))
        }
        ("POST", path) => post(path, json!({ "login": someone, "password": PASSWORD })),
        (method, path) => {
            let named = if whose == "own" { &login } else { &witness };
            call(method.parse().unwrap(), &path.replace("{id}", &named.text("/session/id")))
        }
    };
    let token = login.text(if portos { "/tokenId" } else { "/access_token" });
    match role {
        Some(_) => request.insert_header(("Authorization", format!("Bearer {token}"))),
        None => request,
    }
}

fn krmpesan(shop: &Shop, method: &str, path: &str, someone: &str, known: bool) -> TestRequest {
    let granted = shop.krmpesan(someone, "OFFICE");
    let query = if path.contains("token") {
        let token = granted.refresh_token.as_ref().unwrap().expose();
        format!("?refresh_token={token}&device_id={}", granted.session.id)
    } else {
        String::new()
    };
    let request = call(method.parse().unwrap(), &format!("{path}{query}"));
    if known {
        let bearer = format!("Bearer {}", granted.access_token.expose());
        request.insert_header(("Authorization", bearer))
    } else {
        request
    }
}

async fn krmpesan_page(shop: &Shop, method: &str, path: &str, someone: &str, known: bool) -> TestRequest {
    let request = match path {
        "/krmpesan/app/login" => post(path, json!({ "login": someone, "password": PASSWORD })),
        "/krmpesan/app/generate" => post(path, json!({ "device": "OFFICE", "password": PASSWORD })),
        _ => call(method.parse().unwrap(), path),
    };
    if known {
        let token = shop.krmpesan_visit(someone).await.text("/data/token");
        request.insert_header(("Authorization", format!("Bearer {token}")))
    } else {
        request
    }
}

/// Somebody registers a vendor, and gives up the rank of an admin where another is asked for.
async fn posstar(shop: &Shop, method: &str, path: &str, role: Option<&str>) -> TestRequest {
    let (email, password) = ("rita@example.com", "a song in the rain");
    let registered = shop.post("/posstar/api/v1/auth/register", crate::posstar::registration(email)).await;
    assert_eq!(registered.status, 201, "{}", registered.json());
    let token = registered.text("/access_token");
    shop.rank(&registered.text("/user/id"), role.unwrap_or("cashier"));
    let request = match path.trim_start_matches("/posstar/api/v1/auth/") {
        "register" => post(path, crate::posstar::registration("another@example.com")),
        "login" => post(path, json!({ "email": email, "password": password })),
        "forgot-password" => post(path, json!({ "email": email })),
        // nobody's token, whoever calls
        "reset-password" => post(path, json!({ "token": "none", "password": password })),
        "refresh" => post(path, json!({ "token": token })),
        _ => call(method.parse().unwrap(), path),
    };
    match role {
        Some(_) => request.insert_header(("Authorization", format!("Bearer {token}"))),
        None => request,
    }
}

/// The register itself holds the role.
async fn fiuu(shop: &Shop, method: &str, path: &str, role: Option<&str>) -> TestRequest {
    shop.give_device("P01", role.unwrap_or("cashier"));
    let login = shop.fiuu().await;
    let bearer = |pointer: &str| ("Authorization", format!("Bearer {}", login.text(pointer)));
    match (path.trim_start_matches("/fiuu"), role) {
        ("/auth/login", _) => post(path, json!({ "posId": "P01", "password": PASSWORD })),
        ("/auth/refresh", _) => call(Method::POST, path).insert_header(bearer("/refresh/token")),
        (_, None) => call(method.parse().unwrap(), path),
        (_, Some(_)) => call(method.parse().unwrap(), path).insert_header(bearer("/access/token")),
    }
}

async fn kasir(shop: &Shop, method: &str, path: &str, someone: &str, known: bool) -> TestRequest {
    let login = shop.kasir(someone).await;
    let request = match path.trim_start_matches("/kasir/api/v1") {
        "/auth/login" => post(path, json!({ "email": someone, "password": PASSWORD })),
        "/auth/refresh" => post(path, json!({ "refresh_token": login.text("/data/refresh_token") })),
        "/auth/me/password" => put(path, json!({ "old_password": PASSWORD, "new_password": "staple battery" })),
        "/auth/add" | "/users" if method == "POST" => post(path, crate::kasir_users::nina()),
        "/users/{id}" if method == "PUT" => put(&someones(shop, path).await, json!({ "role": "manager" })),
        "/users/{id}" | "/users/{id}/toggle-status" => call(method.parse().unwrap(), &someones(shop, path).await),
        _ => call(method.parse().unwrap(), path),
    };
    if known {
        request.insert_header(("Authorization", format!("Bearer {}", login.text("/data/Token"))))
    } else {
        request
    }
}

/// The path with the id of somebody who is not the caller.
async fn someones(shop: &Shop, path: &str) -> String {
    path.replace("{id}", &shop.kasir("john_doe").await.text("/data/profile/id"))
}
