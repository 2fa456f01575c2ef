//! Helpers for tests of the native API's back office, with a valid request for each route.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tillgate_domain::office::{self, NewRole, Office, OfficePorts, UnguardedOffice};
use tillgate_domain::{
    Branch, BranchId, Device, DeviceName, Environment, Right, Role, RoleId, RoleName, Slug, Store, Tenant,
};
use tillgate_http::{Http, HttpSettings, Metrics, Mount, Mounts};

use crate::portos_signed;
use crate::test_server::{TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, with_bearer};

/// A server with a user's token.
pub struct OfficeClient {
    pub shop: TestServer,
    token: String,
}

impl OfficeClient {
    /// Starts a server and logs in its admin.
    pub async fn open() -> Self {
        Self::log_in_as("admin").await
    }

    pub async fn log_in_as(login: &str) -> Self {
        let shop = TestServer::start();
        let token = shop.log_in_native(login).await.text_at("/access_token");
        Self { shop, token }
    }

    /// Replaces the mounts of the server by these.
    pub fn with_mounts(mut self, mounts: Vec<Mount>) -> Self {
        let mounts = Mounts::check(mounts).unwrap();
        let office = self.shop.store.clone();
        let http = Http::new(self.shop.auth.clone(), office, mounts, HttpSettings::default(), Metrics::new(Vec::new));
        self.shop.replace_http(http);
        self
    }

    /// Adds a custom role that applies on all devices.
    pub fn create_role(&self, name: &str, rights: &[&str]) {
        create_role(&self.shop, name, rights);
    }

    /// The header with the access token.
    pub fn bearer(&self) -> (&'static str, String) {
        ("Authorization", format!("Bearer {}", self.token))
    }

    /// Sends a request; `if_match` is the version.
    pub async fn send(&self, method: Method, path: &str, if_match: Option<&str>, body: Option<Value>) -> TestResponse {
        let mut request = build_request(method, &format!("/api/v1{path}")).insert_header(self.bearer());
        if let Some(tag) = if_match {
            request = request.insert_header(("If-Match", tag));
        }
        self.shop.send(if let Some(body) = body { request.set_json(body) } else { request }).await
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        self.send(Method::GET, path, None, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> TestResponse {
        self.send(Method::POST, path, None, Some(body)).await
    }

    pub async fn patch(&self, path: &str, if_match: &str, body: Value) -> TestResponse {
        self.send(Method::PATCH, path, Some(if_match), Some(body)).await
    }

    /// The items of a list at this pointer, over all pages of two items.
    pub async fn collect_pages(&self, path: &str, pointer: &str) -> Vec<String> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let (mut all, mut next) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}{joint}limit=2{next}")).await;
            assert_eq!(page.status, 200, "{}", page.json());
            let items = page.json()["items"].as_array().unwrap().clone();
            assert!(items.len() <= 2);
            all.extend(items.iter().map(|item| item.pointer(pointer).unwrap().as_str().unwrap().to_owned()));
            match page.json()["next"].as_str() {
                Some(after) => next = format!("&after={after}"),
                None => return all,
            }
        }
    }
}

/// Returns the tenant in its current version.
pub fn tenant(shop: &TestServer) -> Tenant {
    let store: &dyn Store<OfficePorts> = &*shop.store.inner;
    office::unguarded::find_tenant_by_slug(store, &Slug::parse("default").unwrap()).unwrap().unwrap()
}

/// Returns a device of the tenant.
pub fn device(shop: &TestServer, name: &str) -> Device {
    let store: &dyn Store<OfficePorts> = &*shop.store.inner;
    UnguardedOffice::new(store, tenant(shop).id)
        .find_device_by_name(&DeviceName::parse(name).unwrap())
        .unwrap()
        .unwrap()
}

/// Adds a custom role that applies on all devices.
pub fn create_role(shop: &TestServer, name: &str, rights: &[&str]) -> Role {
    let new = NewRole {
        id: shop.auth.new_id(RoleId::new).unwrap(),
        name: RoleName::parse(name).unwrap(),
        label: name.to_owned(),
        description: String::new(),
        rights: rights.iter().map(|right| Right::parse(right).unwrap()).collect(),
        environments: Environment::ALL.into(),
    };
    let stamp = shop.auth.system_context(None).unwrap();
    Office::new(&*shop.store.inner, tenant(shop).id, stamp.clone()).add_role(&new).unwrap().unwrap()
}

/// Adds another store to the tenant.
pub fn open_store(shop: &TestServer, name: &str) -> BranchId {
    let branch = Branch { id: shop.auth.new_id(BranchId::new).unwrap(), name: name.to_owned(), zone: None };
    let stamp = shop.auth.system_context(None).unwrap();
    Office::new(&*shop.store.inner, tenant(shop).id, stamp.clone()).add_store(&branch).unwrap().unwrap();
    branch.id
}

/// Returns status, code, and each violation by its pointer or parameter.
pub fn violations(response: &TestResponse) -> (u16, String, Vec<(String, String)>) {
    let json = response.json();
    let faults = json["errors"].as_array().cloned().unwrap_or_default();
    let fault = |fault: &Value| {
        let place = fault.get("pointer").or(fault.get("parameter")).unwrap();
        (place.as_str().unwrap().to_owned(), fault["code"].as_str().unwrap().to_owned())
    };
    (response.status.as_u16(), response.text_at("/code"), faults.iter().map(fault).collect())
}

/// Violations in the format of [`violations`].
pub fn expected_pointers(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
}

/// Builds a valid request for this route by `someone`, or by nobody unless `known`, so that only a
/// missing right can deny it. The path refers to the caller's own resource or to another user's.
pub async fn request(
    shop: &TestServer,
    method: &str,
    path: &str,
    own: bool,
    (someone, known): (&str, bool),
) -> TestRequest {
    let login = shop.log_in_native(someone).await;
    let named = if own { shop.log_in_native(someone).await } else { shop.log_in_native("witness").await };
    let lines = shop.store.inner.audit_events();
    let id = match path {
        "/api/v1/audit-events/{id}" => lines.last().unwrap().id.to_string(),
        "/api/v1/audit/verifications/{id}" => {
            let admin = shop.log_in_native("admin").await.text_at("/access_token");
            let start = post_request("/api/v1/audit/verifications", json!({}));
            shop.send(with_bearer(start, &admin)).await.text_at("/id")
        }
        path if path.starts_with("/api/v1/api-keys") => {
            portos_signed::create_key(shop, "cashier", "P01", &[]).0.id.to_string()
        }
        path if path.starts_with("/api/v1/devices/") => {
            let id = device(shop, "P01").id.to_string();
            if path.ends_with("/enrollment") && method != "POST" {
                let admin = shop.log_in_native("admin").await.text_at("/access_token");
                let start = post_request(&path.replace("{id}", &id), json!({}));
                assert_eq!(shop.send(with_bearer(start, &admin)).await.status, 201);
            }
            id
        }
        // a custom role and a second store, which can be deleted
        path if path.starts_with("/api/v1/roles/") => create_role(shop, "spare", &["storno"]).id.to_string(),
        path if path.starts_with("/api/v1/stores/") => open_store(shop, "Station").to_string(),
        path if path.starts_with("/api/v1/tenants/") => tenant(shop).id.to_string(),
        _ => named.text_at("/session/user/id"),
    };
    let request = well_formed(method, path, &id);
    if known {
        request.insert_header(("Authorization", format!("Bearer {}", login.text_at("/access_token"))))
    } else {
        request
    }
}

/// Whether the route belongs to the native API's back office.
pub fn is_office_path(path: &str) -> bool {
    let own = ["/api/v1/sessions", "/api/v1/access"].iter().any(|other| path.starts_with(other));
    path.starts_with("/api/v1/")
        && (!own
            || ["/current/password", "/current/pin", "/current/step-up", "/sessions/end"]
                .iter()
                .any(|ours| path.ends_with(ours)))
}

/// The thumbprint of a key that no device has.
const UNKNOWN_KEY: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

/// Builds a valid request for this route without a token, about the resource with this id.
pub fn well_formed(method: &str, path: &str, id: &str) -> TestRequest {
    let body = match (method, path.trim_start_matches("/api/v1")) {
        ("POST", "/users") => Some(json!({ "user_name": "nina", "password": "staple battery" })),
        ("POST", "/sessions/end") => Some(json!({ "user": id })),
        ("POST", "/api-keys") => Some(json!({ "name": "Warehouse", "user": "cashier", "device": "P01" })),
        ("PATCH", "/api-keys/{id}") => Some(json!({ "status": "revoked" })),
        ("POST", "/api-keys/{id}/rotate") => Some(json!({ "overlap_hours": 1 })),
        ("POST", "/enrollments") => Some(json!({ "code": "KQLZ-SGBV", "storage": "software" })),
        ("POST", "/enrollments/start") => Some(json!({ "storage": "software" })),
        ("POST", "/enrollments/poll") => Some(json!({ "device_code": "none" })),
        ("POST", "/enrollments/{user_code}/accept") => Some(json!({ "device": "P01", "fingerprint": "0000" })),
        ("POST", "/devices/{id}/enrollment/confirm") => Some(json!({ "fingerprint": "0000" })),
        ("POST", "/till/operator") => Some(json!({ "user": id, "pin": "905817" })),
        ("POST", "/devices") => Some(json!({ "name": "P09", "environment": "PDA" })),
        ("PATCH", "/devices/{id}") => Some(json!({ "description": "Another" })),
        ("POST", "/roles") => Some(json!({ "name": "waiter", "rights": ["storno"], "environments": ["PDA"] })),
        ("PATCH", "/roles/{id}") => Some(json!({ "label": "Another" })),
        ("POST", "/stores") => Some(json!({ "name": "Airport" })),
        ("PATCH", "/stores/{id}" | "/tenants/{id}") => Some(json!({ "name": "Another" })),
        ("POST", "/tickets") => Some(json!({ "currency": "EUR" })),
        ("PATCH", "/tickets/{id}") => Some(json!({ "name": "Table 5" })),
        ("POST", "/tickets/{id}/close" | "/tickets/{id}/refund") => Some(json!({})),
        ("PATCH", "/users/{id}") => Some(json!({ "display_name": "Another" })),
        ("PUT", "/users/{id}/password" | "/devices/{id}/password") => Some(json!({ "password": "staple battery" })),
        ("PUT", "/sessions/current/password") => {
            Some(json!({ "current_password": TEST_PASSWORD, "password": "staple battery" }))
        }
        ("PUT", "/sessions/current/pin") | ("POST", "/sessions/current/step-up") => {
            Some(json!({ "password": TEST_PASSWORD }))
        }
        _ => None,
    };
    let path_of_resource = path.replace("{id}", id).replace("{position}", "1").replace("{thumbprint}", UNKNOWN_KEY);
    let path_of_resource = path_of_resource.replace("{user_code}", "BCDF-GHJK");
    let mut request = build_request(method.parse().unwrap(), &path_of_resource);
    if matches!(method, "PATCH" | "DELETE") || path.ends_with("/close") || path.ends_with("/rotate") {
        request = request.insert_header(("If-Match", "*"));
    }
    if let Some(body) = body { request.set_json(body) } else { request }
}
