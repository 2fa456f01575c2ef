//! Tenant isolation: the response to an id of another tenant in any route is the same as to an
//! unknown id.

use std::cell::Cell;
use std::collections::BTreeSet;

use actix_web::http::Method;
use serde_json::json;
use tillgate_domain::office::{OfficePorts, PageRequest};
use tillgate_domain::{Device, DeviceId, Store, StoreExt, TenantId};
use tillgate_testkit::Random;
use uuid::Uuid;

use crate::posstar::registration;
use crate::test_server::{NOON, TEST_PASSWORD, TestResponse, TestServer, build_request};

const VENDOR_PASSWORD: &str = "a song in the rain";

/// Sends requests with different addresses, so that no rate limit applies.
struct Client<'s> {
    shop: &'s TestServer,
    sent: Cell<u32>,
}

impl Client<'_> {
    async fn send(&self, method: &str, path: &str, token: &str, body: Option<serde_json::Value>) -> TestResponse {
        self.sent.set(self.sent.get() + 1);
        let peer = std::net::Ipv4Addr::from(0x0a00_0000 + self.sent.get()).to_string();
        let request = build_request(method.parse::<Method>().unwrap(), path)
            .insert_header(("Authorization", format!("Bearer {token}")));
        let request = match body {
            Some(body) => request.set_json(body),
            None => request,
        };
        self.shop.send_from(&peer, request).await
    }

    async fn post(&self, path: &str, body: serde_json::Value) -> TestResponse {
        self.send("POST", path, "", Some(body)).await
    }
}

/// Vendors register, log in by two contracts, exchange and log out; returns the live tokens of each
/// vendor by mount.
async fn run_history(client: &Client<'_>, random: &mut Random) -> Vec<(String, TenantId)> {
    let mut vendors = Vec::new();
    for number in 0..2 + random.below(2) {
        let email = format!("vendor{number}@example.com");
        let registered = client.post("/posstar/api/v1/auth/register", registration(&email)).await;
        assert_eq!(registered.status, 201, "{}", registered.json());
        vendors.push((email, registered.text_at("/user/vendor_id").parse().unwrap()));
    }
    for _ in 0..4 + random.below(8) {
        let (email, _) = &vendors[random.below(vendors.len())];
        let body = json!({ "email": email, "login": email, "password": VENDOR_PASSWORD });
        match random.below(3) {
            0 => drop(client.post("/posstar/api/v1/auth/login", body).await),
            1 => drop(client.post("/api/v1/sessions", body).await),
            _ => {
                let token = client.post("/api/v1/sessions", body).await.text_at("/access_token");
                client.send("DELETE", "/api/v1/sessions/current", &token, None).await;
            }
        }
    }
    vendors
}

/// All ids of a tenant in the store: its own, and those of its stores, users, roles, devices and
/// sessions.
fn ids(shop: &TestServer, tenant: TenantId) -> BTreeSet<Uuid> {
    let office: &dyn Store<OfficePorts> = &*shop.store.inner;
    let mut ids = office
        .read("test", |tx| {
            let found = tx.tenants().find(tenant)?.unwrap();
            let mut ids: BTreeSet<Uuid> =
                [found.id.0].into_iter().chain(found.branches.iter().map(|each| each.id.0)).collect();
            ids.extend(tx.users().list(tenant, &PageRequest { after: None, limit: 200 })?.iter().map(|user| user.id.0));
            ids.extend(tx.roles().list(tenant)?.iter().map(|role| role.id.0));
            ids.extend(
                tx.devices().list(tenant, &PageRequest { after: None, limit: 200 })?.iter().map(|device| device.id.0),
            );
            Ok(ids)
        })
        .unwrap();
    let filter = tillgate_auth_core::ports::SessionFilter { tenant: Some(tenant), ..Default::default() };
    ids.extend(shop.auth.list_all_sessions(&filter, None, 200).unwrap().iter().map(|listed| listed.session.id.0));
    ids
}

/// Creates a device of another tenant from an existing one.
fn assign_device(shop: &TestServer, tenant: TenantId) {
    let office: &dyn Store<OfficePorts> = &*shop.store.inner;
    let added = office.write("test", |tx| {
        let page = PageRequest { after: None, limit: 1 };
        let own = tx.tenants().find_by_slug(&tillgate_domain::Slug::parse("default").unwrap())?.unwrap().id;
        let like = tx.devices().list(own, &page)?.pop().unwrap();
        let id = DeviceId::new(NOON, [77; 10]);
        tx.devices().insert(&Device { id, tenant, roles: [].into(), seat: None, pairing: None, ..like })
    });
    assert!(added.unwrap());
}

/// The response without the requested id, trace ids, and the position of an event stream, which on
/// PostgreSQL is a number that every transaction increases.
fn response_without_id(response: &TestResponse, id: &str) -> (u16, String) {
    let mut text = String::from_utf8_lossy(&response.bytes).replace(id, "ID");
    for (name, end) in [("\"trace_id\":\"", '"'), ("\"traceId\":\"", '"'), ("\n\nid: ", '\n')] {
        if let Some(start) = text.find(name).map(|at| at + name.len()) {
            let end = start + text[start..].find(end).unwrap();
            text.replace_range(start..end, "TRACE");
        }
    }
    (response.status.as_u16(), text)
}

/// Sends the id to every route in all positions: path, query and body.
async fn query_every_route(client: &Client<'_>, tokens: &[(&str, String)], id: &str) -> Vec<(String, (u16, String))> {
    let mut responses = Vec::new();
    for route in client.shop.http.routes() {
        let ends = ["/logout", "/sessions/current", "/auth"].iter().any(|end| route.path.ends_with(end));
        // each of these calls is an event in the lists that other calls return
        let records = route.path.ends_with("/export") || route.path.ends_with("/audit/verifications");
        // routes without ids: those that end the caller's own session, report the state of the
        // process, or return tokens
        if records || (ends && route.method != "GET") || route.mount == "server" || route.path.contains("/register") {
            continue;
        }
        let Some((_, token)) = tokens.iter().find(|(mount, _)| *mount == route.mount) else { continue };
        let mut path = route.path.clone();
        while let Some((before, after)) = path.clone().split_once('{') {
            path = format!("{before}{id}{}", after.split_once('}').unwrap().1);
        }
        let names = ["user", "device", "session", "userId", "deviceId", "user_id", "device_id", "tenant", "after"];
        let query = names.map(|name| format!("{name}={id}")).join("&");
        let body =
            (route.method != "GET").then(|| names.into_iter().map(|name| (name.to_owned(), json!(id))).collect());
        for path in [path.clone(), format!("{path}?{query}")] {
            let response = client.send(&route.method, &path, token, body.clone().map(serde_json::Value::Object)).await;
            responses.push((format!("{} {}", route.method, route.path), response_without_id(&response, id)));
        }
        // each parameter separately, because a second violation could hide one
        if route.method == "GET" {
            for name in names {
                let response = client.send("GET", &format!("{path}?{name}={id}"), token, None).await;
                responses.push((format!("GET {}?{name}", route.path), response_without_id(&response, id)));
            }
        }
    }
    responses
}

/// Whether two responses about a code differ only in that one of them has reached the limit for
/// unknown codes, which each such code comes closer to.
fn differ_by_limit(route: &str, one: &(u16, String), other: &(u16, String)) -> bool {
    let is = |(status, text): &(u16, String), refused, code| {
        *status == refused && text.contains(&format!("\"code\":\"{code}\""))
    };
    let is_held = |response| is(response, 429, "login_held");
    let is_unknown = |response| is(response, 404, "not_found") || is(response, 409, "machine_codes_off");
    route.contains("{user_code}")
        && ((is_held(one) && (is_held(other) || is_unknown(other))) || (is_unknown(one) && is_held(other)))
}

/// Who sends the requests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    /// The admin of the tenant `default`, through every dialect, with the ids of a vendor.
    Admin,
    /// A vendor, with the ids of the tenant `default`.
    Vendor,
}

#[actix_web::test]
async fn ids_of_a_vendor_are_indistinguishable_from_missing_ones() {
    check_isolation(Caller::Admin).await;
}

#[actix_web::test]
async fn ids_of_the_default_tenant_are_indistinguishable_from_missing_ones() {
    check_isolation(Caller::Vendor).await;
}

async fn check_isolation(caller: Caller) {
    for seed in 1..=if tillgate_testkit::is_thorough() { 4 } else { 1 } {
        let shop = TestServer::start();
        let client = Client { shop: &shop, sent: Cell::new(0) };
        let vendors = run_history(&client, &mut Random::from_seed(seed)).await;
        let (email, vendor) = &vendors[0];
        assign_device(&shop, *vendor);
        let own = client
            .send("GET", "/posstar/api/v1/auth/me", &login(&client, "admin@example.com", TEST_PASSWORD).await, None)
            .await;
        let default: TenantId = own.text_at("/vendor_id").parse().unwrap();
        let native = |email: String, password: &'static str| {
            let client = &client;
            async move {
                client
                    .post("/api/v1/sessions", json!({ "login": email, "password": password }))
                    .await
                    .text_at("/access_token")
            }
        };
        let admin = [
            ("native", native("admin@example.com".into(), TEST_PASSWORD).await),
            ("posstar", login(&client, "admin@example.com", TEST_PASSWORD).await),
            ("kasir", shop.log_in_kasir("admin").await.text_at("/data/Token")),
            ("portos", shop.log_in_portos("admin", "OFFICE").await.text_at("/tokenId")),
            ("fiuu", shop.log_in_fiuu().await.text_at("/access/token")),
            ("krmpesan", shop.generate_krmpesan_tokens("admin", "OFFICE").access_token.expose().clone()),
        ];
        let stranger = [
            ("native", native(email.clone(), VENDOR_PASSWORD).await),
            ("posstar", login(&client, email, VENDOR_PASSWORD).await),
        ];
        let (tokens, foreign) = match caller {
            Caller::Admin => (&admin[..], *vendor),
            Caller::Vendor => (&stranger[..], default),
        };
        let there = ids(&shop, foreign);
        assert!(there.len() > 6, "{there:?}");
        // denials because of the session's device appear in the requested logs, the first ten
        // times
        let mut reported = None;
        while reported != Some(shop.recorded_denials().len()) {
            reported = Some(shop.recorded_denials().len());
            query_every_route(&client, tokens, &Uuid::nil().to_string()).await;
        }
        for id in &there {
            // the next id, which is unknown and has the same position in every order
            let nobody = Uuid::from_u128(id.as_u128() ^ 1).to_string();
            let expected = query_every_route(&client, tokens, &nobody).await;
            assert!(expected.len() > 50 || tokens.len() < 3, "{}", expected.len());
            let asked = query_every_route(&client, tokens, &id.to_string()).await;
            for ((route, reported), (_, expected)) in asked.iter().zip(&expected) {
                // the limit for unknown codes is reached after ten, in every tenant
                if !differ_by_limit(route, reported, expected) {
                    assert_eq!(reported, expected, "{route} reveals {id}");
                }
                let others = there.iter().find(|other| reported.1.contains(&other.to_string()));
                assert_eq!(others, None, "{route} bears an id of another tenant");
            }
            assert_eq!(asked.len(), expected.len());
        }
        for (_, token) in &stranger[1..] {
            assert_eq!(
                client.send("GET", "/posstar/api/v1/auth/me", token, None).await.status,
                200,
                "nothing was ended"
            );
        }
    }
}

async fn login(client: &Client<'_>, email: &str, password: &str) -> String {
    client
        .post("/posstar/api/v1/auth/login", json!({ "email": email, "password": password }))
        .await
        .text_at("/access_token")
}
