//! The rights matrix: every role against every route. A route that is missing in the table fails
//! the test.

use std::collections::BTreeSet;

use actix_web::http::Method;
use tillgate_domain::Rank;
use tillgate_http::Requirement;

use crate::every_route::request;
use crate::openapi;
use crate::requirements::denies_role;
use crate::test_server::TestServer;

/// Expected statuses for nobody, a cashier, a manager and an admin. If a route refers to a session,
/// it is tried with the caller's own and with another user's.
const TABLE: &[(&str, &str, &str, [u16; 4])] = &[
    ("GET", "/.well-known/jwks.json", "", [200, 200, 200, 200]),
    ("GET", "/.well-known/oauth-authorization-server", "", [200, 200, 200, 200]),
    // the issuer has no path
    ("GET", "/.well-known/oauth-authorization-server/{issuer:.*}", "", [404, 404, 404, 404]),
    ("GET", "/healthz", "", [200, 200, 200, 200]),
    ("GET", "/metrics", "", [200, 200, 200, 200]),
    ("GET", "/openapi.json", "", [200, 200, 200, 200]),
    ("GET", "/docs", "", [308, 308, 308, 308]),
    ("GET", "/docs/", "", [308, 308, 308, 308]),
    // there is no such file: see openapi.rs
    ("GET", "/docs/{file}", "", [404, 404, 404, 404]),
    ("GET", "/readyz", "", [200, 200, 200, 200]),
    // no original request: see gateway_check.rs
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
    ("PUT", "/api/v1/sessions/current/password", "", [401, 200, 200, 200]),
    ("POST", "/api/v1/sessions/current/step-up", "", [401, 200, 200, 200]),
    ("GET", "/api/v1/users", "", [401, 403, 200, 200]),
    ("GET", "/api/v1/users/export", "", [401, 403, 200, 200]),
    ("POST", "/api/v1/users", "", [401, 403, 403, 201]),
    ("GET", "/api/v1/users/{id}", "own", [401, 200, 200, 200]),
    ("GET", "/api/v1/users/{id}", "another's", [401, 403, 200, 200]),
    ("PATCH", "/api/v1/users/{id}", "", [401, 403, 403, 200]),
    ("DELETE", "/api/v1/users/{id}", "", [401, 403, 403, 204]),
    ("PUT", "/api/v1/users/{id}/password", "", [401, 403, 403, 200]),
    ("POST", "/api/v1/users/{id}/invitations", "", [401, 403, 403, 201]),
    // no mail with a link can be sent: see email_verification.rs
    ("POST", "/api/v1/users/{id}/email-verification", "own", [401, 409, 409, 409]),
    ("POST", "/api/v1/users/{id}/email-verification", "another's", [401, 403, 403, 409]),
    ("POST", "/api/v1/users/{id}/unlock", "", [401, 403, 403, 204]),
    ("POST", "/api/v1/users/{id}/pin", "", [401, 403, 403, 201]),
    ("DELETE", "/api/v1/users/{id}/pin", "", [401, 403, 403, 204]),
    ("PUT", "/api/v1/sessions/current/pin", "", [401, 200, 200, 200]),
    ("GET", "/api/v1/events", "", [401, 200, 200, 200]),
    ("GET", "/api/v1/revocations/{position}", "", [401, 403, 200, 200]),
    ("GET", "/api/v1/tickets", "", [401, 200, 200, 200]),
    ("GET", "/api/v1/tickets/export", "", [401, 200, 200, 200]),
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
    ("POST", "/api/v1/api-keys/{id}/rotate", "", [401, 403, 403, 200]),
    ("DELETE", "/api/v1/api-keys/{id}", "", [401, 403, 403, 204]),
    ("GET", "/api/v1/devices", "", [401, 200, 200, 200]),
    ("POST", "/api/v1/devices", "", [401, 403, 403, 201]),
    ("GET", "/api/v1/devices/{id}", "", [401, 200, 200, 200]),
    ("PATCH", "/api/v1/devices/{id}", "", [401, 403, 403, 200]),
    ("DELETE", "/api/v1/devices/{id}", "", [401, 403, 403, 204]),
    ("PUT", "/api/v1/devices/{id}/password", "", [401, 403, 403, 204]),
    ("DELETE", "/api/v1/devices/{id}/password", "", [401, 403, 403, 204]),
    ("POST", "/api/v1/devices/{id}/unlock", "", [401, 403, 403, 204]),
    ("POST", "/api/v1/devices/{id}/unlock-pins", "", [401, 403, 204, 204]),
    ("POST", "/api/v1/devices/{id}/enrollment", "", [401, 403, 201, 201]),
    ("GET", "/api/v1/devices/{id}/enrollment", "", [401, 403, 200, 200]),
    ("DELETE", "/api/v1/devices/{id}/enrollment", "", [401, 403, 204, 204]),
    ("GET", "/api/v1/devices/{id}/keys", "", [401, 403, 200, 200]),
    // there is no such key: see enrollments.rs
    ("DELETE", "/api/v1/devices/{id}/keys/{thumbprint}", "", [401, 403, 404, 404]),
    // in the session of an enrolled till only: see operators.rs
    ("GET", "/api/v1/till", "", [401, 409, 409, 409]),
    ("GET", "/api/v1/till/operators", "", [401, 409, 409, 409]),
    ("POST", "/api/v1/till/operator", "", [401, 409, 409, 409]),
    ("DELETE", "/api/v1/till/operator", "", [401, 409, 409, 409]),
    // without a proof: see enrollments.rs
    ("POST", "/api/v1/enrollments", "", [400, 400, 400, 400]),
    ("POST", "/api/v1/enrollments/start", "", [400, 400, 400, 400]),
    ("POST", "/api/v1/enrollments/poll", "", [400, 400, 400, 400]),
    // no machine waits: see pending_keys.rs
    ("GET", "/api/v1/enrollments/{user_code}", "", [401, 403, 404, 404]),
    ("POST", "/api/v1/enrollments/{user_code}/accept", "", [401, 403, 404, 404]),
    ("POST", "/api/v1/enrollments/{user_code}/deny", "", [401, 403, 404, 404]),
    ("POST", "/api/v1/devices/{id}/enrollment/confirm", "", [401, 403, 404, 404]),
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
    ("GET", "/api/v1/summary", "", [401, 200, 200, 200]),
    ("GET", "/api/v1/tenants", "", [401, 200, 200, 200]),
    ("GET", "/api/v1/tenants/{id}", "", [401, 200, 200, 200]),
    ("PATCH", "/api/v1/tenants/{id}", "", [401, 403, 403, 200]),
    ("GET", "/api/v1/audit-events", "", [401, 403, 200, 200]),
    ("GET", "/api/v1/audit-events/export", "", [401, 403, 200, 200]),
    ("GET", "/api/v1/audit-events/{id}", "", [401, 403, 200, 200]),
    ("GET", "/api/v1/audit/seal", "", [401, 403, 200, 200]),
    ("POST", "/api/v1/audit/verifications", "", [401, 403, 202, 202]),
    ("GET", "/api/v1/audit/verifications/{id}", "", [401, 403, 200, 200]),
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
    ("POST", "/posstar/api/v1/auth/logout", "", [401, 200, 200, 200]),
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
fn rights_table_lists_every_route() {
    let system = actix_web::rt::System::new();
    let routes: BTreeSet<(String, String)> = system
        .block_on(async { TestServer::start().http.routes() })
        .into_iter()
        .map(|route| (route.method, route.path))
        .collect();
    let lines = TABLE.iter().map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(routes, lines);
}

#[actix_web::test]
async fn every_role_is_allowed_what_the_table_lists() {
    for (method, path, whose, expected) in TABLE {
        for (role, expected) in ROLES.into_iter().zip(expected) {
            let shop = TestServer::start();
            let request = request(&shop, method, path, whose, role).await;
            let response = shop.send(request).await;
            let said = String::from_utf8_lossy(&response.bytes);
            assert_eq!(response.status, *expected, "{method} {path} {whose} as {role:?}: {said}");
            let refused = shop.recorded_denials();
            let reported = usize::from(*expected == 403);
            assert_eq!(
                refused.len(),
                reported,
                "{method} {path} {whose} as {role:?} is recorded as an audit event: {refused:?}"
            );
            if *expected == 403 && path.starts_with("/api/") {
                let (right, reported) = (response.text_at("/right"), openapi::description(&shop, method, path).await);
                assert!(
                    reported.contains(&format!("`{right}`")),
                    "{method} {path}: {right} is missing, recorded was {reported:?}"
                );
            }
        }
    }
}

#[actix_web::test]
async fn public_routes_are_those_without_authentication() {
    // its credential may be a refresh token, which only its handler checks
    let judges_itself = "/kasir/api/v1/auth/logout";
    for route in TestServer::start().http.routes().into_iter().filter(|route| route.path != judges_itself) {
        let of_nobody =
            TABLE.iter().find(|(method, path, ..)| (*method, *path) == (&*route.method, &*route.path)).unwrap().3[0];
        assert_eq!(route.requirement.is_none(), of_nobody != 401, "{route:?}");
    }
}

#[test]
fn table_denies_what_the_requirement_of_the_route_denies() {
    let system = actix_web::rt::System::new();
    let routes = system.block_on(async { TestServer::start().http.routes() });
    for (method, path, whose, expected) in TABLE {
        let route = routes.iter().find(|route| (&*route.method, &*route.path) == (*method, *path)).unwrap();
        let Some(requirement) = route.requirement else { continue };
        for (rank, expected) in Rank::ALL.into_iter().zip(&expected[1..]) {
            let call = format!("{method} {path} {whose} as {}: {requirement:?}", rank.name());
            if denies_role(requirement, rank) {
                assert_eq!(*expected, 403, "{call}");
            } else if *expected == 403 {
                // the use case decides about the rest
                let depends_on_owner = *whose == "another's" || matches!(requirement, Requirement::RightForOthers(_));
                assert!(depends_on_owner, "{call}");
            }
        }
    }
}

#[actix_web::test]
async fn list_without_the_right_holds_own_items_only() {
    let shop = TestServer::start();
    shop.log_in_native("witness").await;
    for (role, all) in [("cashier", false), ("manager", true), ("admin", true)] {
        let token = shop.log_in_native(role).await.text_at("/access_token");
        let list = shop.get("/api/v1/sessions", &token).await.json();
        let names: BTreeSet<&str> =
            list["items"].as_array().unwrap().iter().map(|item| item["user"]["user_name"].as_str().unwrap()).collect();
        assert!(names.contains(role));
        assert_eq!(names.contains("witness"), all, "{role}: {names:?}");
    }
}

#[actix_web::test]
async fn sessions_of_another_tenant_are_neither_seen_nor_ended() {
    let shop = TestServer::start();
    let stranger = shop.log_in_native("stranger@example.com").await;
    let token = shop.log_in_native("admin").await.text_at("/access_token");
    let path = format!("/api/v1/sessions/{}", stranger.text_at("/session/id"));
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(shop.with_token(method, &path, &token).await.status, 404);
    }
    for path in ["/api/v1/sessions/garbage", "/api/v1/sessions/00000000-0000-7000-8000-000000000000"] {
        let response = shop.get(path, &token).await;
        assert_eq!((response.status.as_u16(), response.text_at("/code").as_str()), (404, "session_not_found"));
    }
    assert_eq!(shop.get("/api/v1/sessions/current", &stranger.text_at("/access_token")).await.status, 200);
}
