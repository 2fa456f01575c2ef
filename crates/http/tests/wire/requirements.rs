//! The requirement of a route: a caller who does not meet it is denied before anything of the
//! request is examined, in every contract.

use actix_web::http::Method;
use serde_json::json;
use tillgate_domain::{Rank, Rights};
use tillgate_http::{Requirement, RouteInfo};

use crate::every_route;
use crate::test_server::{TestServer, build_request, post_request};

/// Whether the route denies every request of a caller with this built-in role.
pub fn denies_role(requirement: Requirement, rank: Rank) -> bool {
    let rights: Rights = rank.rights();
    match requirement {
        Requirement::Right(right) => !rights.allows(right),
        Requirement::Both(one, other) => !(rights.allows(one) && rights.allows(other)),
        Requirement::AnyOf(any) => !any.iter().any(|right| rights.allows(*right)),
        Requirement::Role(least) => rank < least,
        Requirement::Authenticated | Requirement::RightForOthers(_) => false,
    }
}

/// The routes that deny a built-in role, with the highest such role.
fn denying_routes() -> Vec<(RouteInfo, Requirement, Rank)> {
    let routes = TestServer::start().http.routes().into_iter();
    let denied = |requirement| Rank::ALL.into_iter().filter(|rank| denies_role(requirement, *rank)).max();
    routes
        .filter_map(|route| Some((route.requirement?, route)))
        .filter_map(|(requirement, route)| Some((route, requirement, denied(requirement)?)))
        .collect()
}

#[actix_web::test]
async fn unmet_requirement_is_denied_before_the_request_is_examined() {
    let routes = denying_routes();
    for prefix in ["/api/v1/", "/oauth/", "/portos/", "/kasir/"] {
        assert!(routes.iter().any(|(route, ..)| route.path.starts_with(prefix)), "{prefix}");
    }
    for (route, requirement, rank) in routes {
        let call = format!("{} {} as {}", route.method, route.path, rank.name());
        let method: Method = route.method.parse().unwrap();
        // neither id exists, and the second is none
        for id in ["0192f0c1-a2b3-7c4d-8e5f-60718293a4b5", "none"] {
            let shop = TestServer::start();
            let valid = every_route::request(&shop, &route.method, &route.path, "another's", Some(rank.name())).await;
            let authorization = valid.to_http_request().headers().get("authorization").unwrap().clone();
            // no version, no JSON, an unknown parameter
            let broken = build_request(method.clone(), &format!("{}?unknown=1", route.path.replace("{id}", id)))
                .insert_header(("authorization", authorization))
                .insert_header(("content-type", "application/json"))
                .set_payload("{");
            let response = shop.send(broken).await;
            assert_eq!(response.status, 403, "{call}: {}", String::from_utf8_lossy(&response.bytes));
            let denials = shop.recorded_denials();
            assert_eq!(denials.len(), 1, "{call}: {denials:?}");
            if route.mount == "native" {
                let right = response.text_at("/right");
                assert!(requirement.rights().iter().any(|named| named.as_str() == right), "{call}: {right}");
            }
        }
    }
}

#[actix_web::test]
async fn permitted_caller_learns_what_is_wrong_with_the_request() {
    let shop = TestServer::start();
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    let bearer = ("Authorization", format!("Bearer {admin}"));
    let send = |request: actix_web::test::TestRequest| shop.send(request.insert_header(bearer.clone()));
    let user = "/api/v1/users/0192f0c1-a2b3-7c4d-8e5f-60718293a4b5";
    assert_eq!(send(post_request("/api/v1/users", json!({}))).await.status, 422);
    assert_eq!(send(build_request(Method::DELETE, user)).await.status, 428);
    assert_eq!(send(build_request(Method::DELETE, user).insert_header(("If-Match", "\"1\""))).await.status, 404);
}

#[actix_web::test]
async fn session_of_others_is_denied_whether_it_exists_or_not() {
    let shop = TestServer::start();
    let others = shop.log_in_native("witness").await.text_at("/session/id");
    let cashier = shop.log_in_native("cashier").await.text_at("/access_token");
    for id in [others.as_str(), "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5"] {
        let response = shop.get(&format!("/api/v1/sessions/{id}"), &cashier).await;
        assert_eq!((response.status.as_u16(), response.text_at("/right")), (403, "sessionRead".to_owned()), "{id}");
    }
}
