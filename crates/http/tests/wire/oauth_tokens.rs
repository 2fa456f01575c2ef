//! Introspection and revocation of the tokens of every contract, in the client's own tenant only.

use std::time::Duration;

use serde_json::{Value, json};
use tillgate_auth_core::ports::{AuthPorts, SessionFilter, SessionOrder};
use tillgate_domain::office::unguarded::read_audit;
use tillgate_domain::office::{EventFilter, OffsetPageRequest};
use tillgate_domain::{Action, Actor, Store, StoreExt, Subject};

use crate::oauth::{REVOKE, create_client_key, introspect, token_request};
use crate::portos_client::PortosKey;
use crate::test_server::TestServer;

/// The tokens of one login by each contract: access tokens, and refresh tokens if there are any.
async fn tokens(shop: &TestServer) -> Vec<(&'static str, &'static str, String)> {
    let native = shop.log_in_native("cashier").await;
    let portos = shop.log_in_portos("cashier", "OFFICE").await;
    let kasir = shop.log_in_kasir("john_doe").await;
    let fiuu = shop.log_in_fiuu().await;
    let posstar = shop
        .post(
            "/posstar/api/v1/auth/login",
            json!({ "email": "admin@example.com", "password": crate::test_server::TEST_PASSWORD }),
        )
        .await;
    let krmpesan = shop.generate_krmpesan_tokens("cashier", "OFFICE");
    vec![
        ("native", "access", native.text_at("/access_token")),
        ("native", "refresh", native.text_at("/refresh_token")),
        ("portos", "access", portos.text_at("/tokenId")),
        ("portos", "refresh", portos.text_at("/refreshToken")),
        ("kasir", "access", kasir.text_at("/data/Token")),
        ("kasir", "refresh", kasir.text_at("/data/refresh_token")),
        ("fiuu", "access", fiuu.text_at("/access/token")),
        ("fiuu", "refresh", fiuu.text_at("/refresh/token")),
        ("posstar", "access", posstar.text_at("/access_token")),
        ("krmpesan", "access", krmpesan.access_token.expose().clone()),
        ("krmpesan", "access", krmpesan.id_token.as_ref().unwrap().expose().clone()),
        ("krmpesan", "refresh", krmpesan.refresh_token.as_ref().unwrap().expose().clone()),
    ]
}

fn inactive_body() -> Value {
    json!({ "active": false })
}

/// Creates a key in the tenant `other`, whose admin is `stranger`.
fn token_of_another_tenant(shop: &TestServer) -> PortosKey {
    crate::portos_signed::create_key_in(shop, "other", "stranger", "THEIRS", &[]).1
}

#[actix_web::test]
async fn tokens_of_every_contract_are_introspected() {
    let shop = TestServer::start();
    let held = create_client_key(&shop);
    for (mount, token_use, token) in tokens(&shop).await {
        let found = introspect(&shop, &held, &token).await;
        assert_eq!((&found["active"], &found["token_use"]), (&json!(true), &json!(token_use)), "{mount}: {found}");
        assert!(found["aud"].as_str().unwrap().starts_with(&format!("urn:tillgate:{mount}:")), "{found}");
        assert_eq!(found["token_type"], if token_use == "access" { "Bearer" } else { "N_A" });
        assert_eq!(found["jti"].is_string(), token_use == "access");
        let expires = mount != "krmpesan" || token_use == "access";
        assert_eq!(found["exp"].is_i64(), expires, "{mount}: {found}");
        for member in ["iat", "sub", "iss", "session", "tenant", "client_id", "scope"] {
            assert!(!found[member].is_null(), "{mount} without {member}: {found}");
        }
        assert_eq!(found["username"].is_null(), mount == "fiuu", "{mount}: a device has no user's name");
        assert_eq!(introspect(&shop, &held, &format!("%20{token}%0D%0A")).await, found, "{mount}");
    }
}

#[actix_web::test]
async fn introspection_returns_token_claims_with_current_rights() {
    let shop = TestServer::start();
    let held = create_client_key(&shop);
    let login = shop
        .post(
            "/api/v1/sessions",
            json!({ "login": "cashier", "password": crate::test_server::TEST_PASSWORD, "device": "P01" }),
        )
        .await;
    let mut found = introspect(&shop, &held, &login.text_at("/access_token")).await;
    let current = shop.get("/api/v1/sessions/current", &login.text_at("/access_token")).await.json();
    assert!(!found["jti"].take().is_null() && !found["tenant"].take().is_null() && !found["iss"].take().is_null());
    let aud = found["aud"].take();
    assert!(aud.as_str().unwrap().starts_with("urn:tillgate:native:"));
    let noon = crate::test_server::NOON.seconds();
    let rights: Vec<&str> = current["rights"].as_array().unwrap().iter().map(|right| right.as_str().unwrap()).collect();
    assert_eq!(
        found,
        json!({
            "active": true, "scope": rights.join(" "), "client_id": current["device"]["id"], "username": "cashier",
            "token_type": "Bearer", "exp": noon + 900, "iat": noon, "sub": current["user"]["id"], "aud": null, "iss": null,
            "jti": null, "token_use": "access", "session": current["session"]["id"], "device": current["device"]["id"],
            "tenant": null,
        })
    );
    // reduced rights apply at once, without a new token
    let office = shop.log_in_native("witness").await;
    assert_ne!(introspect(&shop, &held, &office.text_at("/access_token")).await["scope"], "");
    shop.set_user_role(&office.text_at("/session/user/id"), "none");
    for token in ["/access_token", "/refresh_token"] {
        assert_eq!(introspect(&shop, &held, &office.text_at(token)).await["scope"], "", "{token}");
    }
}

#[actix_web::test]
async fn token_of_another_tenant_is_neither_introspected_nor_revoked() {
    let shop = TestServer::start();
    let (own, other) = (create_client_key(&shop), token_of_another_tenant(&shop));
    for (mount, _, token) in tokens(&shop).await {
        assert_eq!(introspect(&shop, &other, &token).await, inactive_body(), "{mount}");
        for hint in ["", "&token_type_hint=access_token", "&token_type_hint=refresh_token"] {
            let response = shop.send(token_request(REVOKE, &other, &format!("{token}{hint}"))).await;
            assert_eq!((response.status.as_u16(), response.bytes.len()), (200, 0), "{mount}");
        }
        assert_eq!(introspect(&shop, &own, &token).await["active"], true, "{mount}");
    }
    let theirs = shop.log_in_native("stranger@example.com").await;
    assert_eq!(introspect(&shop, &own, &theirs.text_at("/access_token")).await, inactive_body());
    assert_eq!(introspect(&shop, &other, &theirs.text_at("/access_token")).await["active"], true);
}

#[actix_web::test]
async fn invalid_token_is_inactive() {
    let shop = TestServer::start();
    let held = create_client_key(&shop);
    let login = shop.log_in_native("cashier").await;
    let (access, refresh) = (login.text_at("/access_token"), login.text_at("/refresh_token"));
    let mut forged = access.clone();
    forged.replace_range(
        access.len() - 5..access.len() - 4,
        if access.as_bytes()[access.len() - 5] == b'A' { "B" } else { "A" },
    );
    for token in
        ["x", "a.b.c", "....", &"A".repeat(96), &"x".repeat(10_000), &forged, &format!("{access}x"), &held.secret]
    {
        assert_eq!(introspect(&shop, &held, token).await, inactive_body(), "{token}");
    }
    // a refresh token whose successor is in use
    let next = shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": refresh })).await;
    assert_eq!(introspect(&shop, &held, &refresh).await["active"], true, "its successor may have been lost");
    assert_eq!(introspect(&shop, &held, &refresh).await["iat"], Value::Null);
    shop.get("/api/v1/sessions/current", &next.text_at("/access_token")).await;
    shop.clock.advance(Duration::from_mins(3));
    assert_eq!(introspect(&shop, &held, &refresh).await, inactive_body());
    assert_eq!(
        introspect(&shop, &held, &next.text_at("/refresh_token")).await["active"],
        true,
        "to be asked about ended nothing"
    );
    shop.clock.advance(Duration::from_mins(13));
    assert_eq!(introspect(&shop, &held, &access).await, inactive_body(), "expired");
    let fresh = shop.log_in_native("cashier").await;
    shop.delete("/api/v1/sessions/current", &fresh.text_at("/access_token")).await;
    for token in ["/access_token", "/refresh_token"] {
        assert_eq!(introspect(&shop, &held, &fresh.text_at(token)).await, inactive_body(), "over: {token}");
    }
}

/// The audit events of ended sessions: what ended, by which kind of token, and who ended it.
fn count_ended_sessions(shop: &TestServer) -> Vec<(Subject, Value, Actor)> {
    let filter = EventFilter { actions: vec![Action::SessionEnd], ..EventFilter::default() };
    let reported =
        read_audit(&*shop.store.inner, &filter, &OffsetPageRequest { after: None, skip: 0, limit: 100 }).unwrap();
    reported
        .into_iter()
        .map(|reported| {
            assert!(reported.event.details.contains_key("api_key"), "{:?}", reported.event.details);
            (reported.event.subject, reported.event.details["token"].clone(), reported.event.actor)
        })
        .collect()
}

#[actix_web::test]
async fn expired_or_rotated_token_still_revokes_its_session() {
    for token in ["/access_token", "/refresh_token"] {
        let shop = TestServer::start();
        let held = create_client_key(&shop);
        let login = shop.log_in_native("cashier").await;
        shop.clock.advance(Duration::from_mins(20));
        let refresh = json!({ "refresh_token": login.text_at("/refresh_token") });
        let next = shop.post("/api/v1/sessions/refresh", refresh).await;
        assert_eq!(introspect(&shop, &held, &next.text_at("/access_token")).await["active"], true);
        assert_eq!(shop.send(token_request(REVOKE, &held, &login.text_at(token))).await.status, 200);
        assert_eq!(introspect(&shop, &held, &next.text_at("/access_token")).await, inactive_body(), "{token}");
        assert_eq!(shop.get("/api/v1/sessions/current", &next.text_at("/access_token")).await.status, 401, "{token}");
    }
}

#[actix_web::test]
async fn unsupported_token_type_is_reported() {
    let shop = TestServer::start();
    let held = create_client_key(&shop);
    for (hint, status) in [("access_token", 200), ("refresh_token", 200), ("", 200), ("id_token", 400), ("pct", 400)] {
        let response = shop.send(token_request(REVOKE, &held, &format!("x&token_type_hint={hint}"))).await;
        assert_eq!(response.status, status, "{hint}");
        if status == 400 {
            assert_eq!(response.text_at("/error"), "unsupported_token_type");
        }
        // each of our tokens is found, whatever the hint
        let token = shop.log_in_native("cashier").await.text_at("/access_token");
        let response = shop.send(token_request(REVOKE, &held, &format!("{token}&token_type_hint={hint}"))).await;
        assert_eq!(response.status, 200, "{hint}");
        assert_eq!(introspect(&shop, &held, &token).await, inactive_body(), "{hint}");
    }
}

#[actix_web::test]
async fn revoked_token_ends_its_session() {
    for index in 0..12 {
        let shop = TestServer::start();
        let held = create_client_key(&shop);
        let all = tokens(&shop).await;
        let (mount, token_use, token) = &all[index];
        let session = introspect(&shop, &held, token).await["session"].clone();
        for again in ["first", "again"] {
            let response = shop.send(token_request(REVOKE, &held, token)).await;
            assert_eq!((response.status.as_u16(), response.bytes.len()), (200, 0), "{mount}, {again}");
        }
        for (mount, token_use, token) in &all {
            let found = introspect(&shop, &held, token).await;
            let ended = found == inactive_body();
            assert!(
                ended || found["session"] != session,
                "{mount} {token_use} belongs to the session and is still valid"
            );
        }
        assert_eq!(introspect(&shop, &held, token).await, inactive_body(), "{mount}");
        let sessions: &dyn Store<AuthPorts> = &*shop.store.inner;
        let all = sessions
            .read("test", |tx| tx.sessions().list(&SessionFilter::default(), SessionOrder::Newest, None, 100))
            .unwrap();
        let ended: Vec<_> = all.iter().filter(|listed| listed.session.ended.is_some()).collect();
        assert_eq!(ended.len(), 1, "{mount}: that one and no other");
        assert_eq!(json!(ended[0].session.id), session, "{mount}");
        let lines = count_ended_sessions(&shop);
        assert_eq!(lines.len(), 1, "{mount}: recorded once");
        assert_eq!((lines[0].0, &lines[0].1), (Subject::Session(ended[0].session.id), &json!(token_use)), "{mount}");
        assert!(lines[0].2.user.is_some() && lines[0].2.address.is_some(), "{mount}: by the key's user");
    }
}
