//! A browser on a page of the back office.

use std::cell::RefCell;
use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tillgate_http::HttpSettings;

use crate::mounts::{native, office};
use crate::test_server::{TEST_PASSWORD, TestResponse, TestServer, build_request};

pub const SESSION: &str = "/office/session";
pub const CURRENT: &str = "/office/api/v1/sessions/current";

pub fn server() -> TestServer {
    let settings = HttpSettings { proxies: vec!["10.0.0.0/8".parse().unwrap()], ..HttpSettings::default() };
    TestServer::with_mounts(settings, [vec![native("/api/v1")], office()].concat())
}

/// A browser on a page of the back office: it keeps cookies, and sends what browsers send.
pub struct Browser<'s> {
    pub shop: &'s TestServer,
    pub cookies: RefCell<BTreeMap<String, String>>,
}

impl<'s> Browser<'s> {
    pub fn new(shop: &'s TestServer) -> Self {
        Self { shop, cookies: RefCell::default() }
    }

    /// Another browser with the cookies as they are now.
    pub fn copy(&self) -> Self {
        Self { shop: self.shop, cookies: self.cookies.clone() }
    }

    pub fn jar(&self) -> String {
        let pairs: Vec<String> = self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Adds the cookies and the host; `Sec-Fetch-Site` is up to the caller.
    pub fn prepare(&self, request: TestRequest) -> TestRequest {
        let request = request.insert_header(("Host", "localhost:8080"));
        match self.jar() {
            jar if jar.is_empty() => request,
            jar => request.insert_header(("Cookie", jar)),
        }
    }

    pub async fn send_raw(&self, request: TestRequest) -> TestResponse {
        let response = self.shop.send_from("127.0.0.1", self.prepare(request)).await;
        self.store_cookies(&response);
        response
    }

    pub fn store_cookies(&self, response: &TestResponse) {
        for line in response.cookies() {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> TestResponse {
        let request = build_request(method, path).insert_header(("Sec-Fetch-Site", "same-origin"));
        self.send_raw(match body {
            Some(body) => request.set_json(body),
            None => request,
        })
        .await
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> TestResponse {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn sign_in(&self, login: &str) -> TestResponse {
        self.sign_in_with(login, TEST_PASSWORD).await
    }

    pub async fn sign_in_with(&self, login: &str, password: &str) -> TestResponse {
        let response = self.post(SESSION, json!({ "login": login, "password": password })).await;
        assert_eq!(response.status, 200, "{login}: {}", response.json());
        response
    }

    pub async fn renew(&self) -> TestResponse {
        self.post(SESSION, json!({})).await
    }

    pub async fn session_id(&self) -> String {
        self.get(CURRENT).await.text_at("/session/id")
    }
}
