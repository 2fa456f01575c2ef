//! A server over the store of the tests, which can be made unavailable, with a stopped clock and
//! helpers for requests.

use std::cell::OnceCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};

use crate::test_users;
use actix_web::body::MessageBody;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, SET_COOKIE, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::test::{self, TestRequest};
use serde_json::{Value, json};
use tillgate_auth_core::ports::AuthPorts;
use tillgate_auth_core::{
    Auth, AuthStore, Clock, DialectName, Entropy, IssuedTokens, LoginIdentity, LoginRequest, LoginSecret, MasterKey,
    SystemEntropy, Tenancy,
};
use tillgate_domain::change::Observer;
use tillgate_domain::office::{AuditContext, DeviceChange, Office, OfficePorts};
use tillgate_domain::{
    Action, Actor, Authority, Event, EventId, FoldedText, Instant, RoleName, Scope, Secret, Slug, Store, StoreError,
    StoreExt, StoreResult, UnitOfWork, Work, Zone,
};
use tillgate_http::{Http, HttpSettings, Krmpesan, Metrics, Mount, Mounts};
use tillgate_test_store::TestStore;
use tillgate_testkit::{ManualClock, PlainHasher};

/// The initial time: 2026-11-21T12:00:00Z.
pub const NOON: Instant = Instant::from_millis(1_795_262_400_000);

/// The password of all users.
pub const TEST_PASSWORD: &str = "correct horse";

/// The state of the store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StoreState {
    Healthy = 0,
    Unavailable = 1,
    Broken = 2,
    Panicking = 3,
    /// Operations wait until the state changes.
    Hanging = 4,
    /// Only the change feed cannot be read.
    FeedUnavailable = 5,
}

/// The store of the tests, which can be made unavailable.
pub struct FlakyStore {
    pub inner: Arc<TestStore>,
    /// The names of the units of work, in order.
    pub units: Mutex<Vec<&'static str>>,
    state: AtomicU8,
    state_changed: (Mutex<()>, Condvar),
}

impl FlakyStore {
    /// Sets the state of the store, and resumes operations that wait.
    pub fn set_state(&self, mood: StoreState) {
        let held = self.state_changed.0.lock().unwrap();
        self.state.store(mood as u8, Ordering::SeqCst);
        drop(held);
        self.state_changed.1.notify_all();
    }

    fn is_state(&self, mood: StoreState) -> bool {
        self.state.load(Ordering::SeqCst) == mood as u8
    }

    fn wait_while_hanging(&self) {
        let held = self.state_changed.0.lock().unwrap();
        drop(self.state_changed.1.wait_while(held, |()| self.is_state(StoreState::Hanging)).unwrap());
    }
}

impl FlakyStore {
    /// Runs a unit of work, or fails as the state requires.
    fn check_state(&self, unit: &UnitOfWork) -> StoreResult<()> {
        self.units.lock().unwrap().push(unit.name);
        match self.state.load(Ordering::SeqCst) {
            1 => return Err(StoreError::Unavailable("the disk is full".into())),
            2 => return Err(StoreError::Fault("no such table: sessions".into())),
            3 => panic!("the store panics"),
            4 => self.wait_while_hanging(),
            5 if unit.name == "poll_feed" => return Err(StoreError::Unavailable("the disk is full".into())),
            _ => {}
        }
        Ok(())
    }
}

impl Store<AuthPorts> for FlakyStore {
    fn run(&self, unit: UnitOfWork, work: Work<'_, AuthPorts>) -> StoreResult<()> {
        self.check_state(&unit)?;
        Store::<AuthPorts>::run(&*self.inner, unit, work)
    }
}

impl Store<OfficePorts> for FlakyStore {
    fn run(&self, unit: UnitOfWork, work: Work<'_, OfficePorts>) -> StoreResult<()> {
        self.check_state(&unit)?;
        Store::<OfficePorts>::run(&*self.inner, unit, work)
    }
}

impl AuthStore for FlakyStore {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        self.inner.add_observer(observer);
    }
}

/// Handles a request without a socket.
type Service = Box<dyn Fn(TestRequest) -> Pin<Box<dyn Future<Output = TestResponse>>>>;

pub struct TestServer {
    pub store: Arc<FlakyStore>,
    pub clock: Arc<ManualClock>,
    pub http: Http,
    pub auth: Arc<Auth>,
    /// Built at the first request: it takes longer than most requests.
    service: OnceCell<Service>,
}

impl TestServer {
    /// Returns the audit events of denials.
    pub fn recorded_denials(&self) -> Vec<Event> {
        self.store.inner.audit_events().into_iter().filter(|event| event.action == Action::RightMissing).collect()
    }
}

/// A received response.
pub struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl TestResponse {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("no JSON: {:?}", String::from_utf8_lossy(&self.bytes)))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    /// Returns the `Set-Cookie` headers.
    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).map(|value| value.to_str().unwrap()).collect()
    }
    pub fn challenges(&self) -> Vec<&str> {
        self.headers.get_all(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap()).collect()
    }
    /// Returns the text at a JSON pointer.
    pub fn text_at(&self, pointer: &str) -> String {
        self.json()
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {pointer}: {}", self.json()))
            .to_owned()
    }
    /// Returns the body with generated values replaced by their kind. A replaced value must be
    /// present and not empty.
    pub fn json_masked(&self, drawn: &[&str]) -> Value {
        let mut json = self.json();
        for pointer in drawn {
            let value = json.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}: {}", self.json()));
            assert!(value.as_str().is_some_and(|text| !text.is_empty()), "{pointer} is empty");
            *value = json!("…");
        }
        json
    }
}

impl TestServer {
    pub fn start() -> Self {
        Self::with_settings(HttpSettings::default())
    }

    pub fn with_settings(settings: HttpSettings) -> Self {
        Self::with_mounts(settings, crate::mounts::mounts())
    }

    pub fn with_mounts(settings: HttpSettings, mounts: Vec<Mount>) -> Self {
        Self::in_time_zone(Zone::UTC, settings, mounts)
    }

    /// Starts a server in a time zone.
    pub fn in_time_zone(zone: Zone, settings: HttpSettings, mounts: Vec<Mount>) -> Self {
        Self::with_users(TestStore::new(), zone, settings, mounts)
    }

    /// Starts a server on the in-memory store. `reason` says why the test cannot hold on a
    /// database.
    pub fn in_memory(reason: &str, settings: HttpSettings) -> Self {
        Self::with_users(TestStore::in_memory(reason), Zone::UTC, settings, crate::mounts::mounts())
    }

    fn with_users(store: TestStore, zone: Zone, settings: HttpSettings, mounts: Vec<Mount>) -> Self {
        test_users::insert_users(&store, zone);
        let master = MasterKey::generate(&SystemEntropy::new()).unwrap();
        Self::over(Arc::new(store), master, settings, mounts)
    }

    /// Starts a server over this store, whose keys are encrypted with this master key.
    pub fn over(inner: Arc<TestStore>, master: MasterKey, settings: HttpSettings, mounts: Vec<Mount>) -> Self {
        crate::captured_log::capture_log();
        let (units, state, state_changed) = Default::default();
        let clock = Arc::new(ManualClock::starting_at(NOON));
        inner.follow_clock(clock.clone());
        let store = Arc::new(FlakyStore { inner, units, state, state_changed });
        let auth = build_auth(&store, &clock, master);
        let http = Http::new(
            Arc::clone(&auth),
            store.clone(),
            Mounts::check(mounts).unwrap(),
            settings,
            Metrics::new(Vec::new),
        );
        Self { store, clock, http, auth, service: OnceCell::new() }
    }

    /// Serves this application from now on.
    pub fn replace_http(&mut self, http: Http) {
        self.http = http;
        self.service = OnceCell::new();
    }

    async fn service(&self) -> &Service {
        if self.service.get().is_none() {
            let app = Rc::new(test::init_service(self.http.app()).await);
            let service = move |request: TestRequest| -> Pin<Box<dyn Future<Output = TestResponse>>> {
                let app = Rc::clone(&app);
                Box::pin(async move {
                    let response = test::call_service(&*app, request.to_request()).await;
                    let (status, headers) = (response.status(), response.headers().clone());
                    let is_endless = headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
                    let bytes = if is_endless {
                        read_available(response.into_body())
                    } else {
                        test::read_body(response).await.to_vec()
                    };
                    TestResponse { status, headers, bytes }
                })
            };
            // two first requests may both have built it
            drop(self.service.set(Box::new(service)));
        }
        self.service.get().unwrap()
    }

    /// Sends a request from 192.0.2.7.
    pub async fn send(&self, request: TestRequest) -> TestResponse {
        self.send_from("192.0.2.7", request).await
    }

    pub async fn send_from(&self, peer: &str, request: TestRequest) -> TestResponse {
        let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 4711);
        (self.service().await)(request.peer_addr(peer)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> TestResponse {
        self.send(post_request(path, body)).await
    }

    pub async fn with_token(&self, method: Method, path: &str, token: &str) -> TestResponse {
        self.send(with_bearer(build_request(method, path), token)).await
    }

    pub async fn get(&self, path: &str, token: &str) -> TestResponse {
        self.with_token(Method::GET, path, token).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> TestResponse {
        self.with_token(Method::DELETE, path, token).await
    }

    /// Logs in to the native API without a device; the login must succeed.
    pub async fn log_in_native(&self, login: &str) -> TestResponse {
        let response = self.post("/api/v1/sessions", json!({ "login": login, "password": TEST_PASSWORD })).await;
        assert_eq!(response.status, 201, "{login}: {}", response.json());
        response
    }

    /// Logs in to POS Kasir; the login must succeed.
    pub async fn log_in_kasir(&self, email: &str) -> TestResponse {
        let response =
            self.post("/kasir/api/v1/auth/login", json!({ "email": email, "password": TEST_PASSWORD })).await;
        assert_eq!(response.status, 200, "{email}: {}", response.json());
        response
    }

    /// Generates krmpesan tokens of this user for this device; it must succeed.
    pub fn generate_krmpesan_tokens(&self, user: &str, device: &str) -> IssuedTokens {
        let login = LoginRequest {
            dialect: DialectName::new(Krmpesan::NAME),
            terms: Krmpesan::default_terms(),
            tenancy: Tenancy::default(),
            identity: LoginIdentity::User { login: user.to_owned(), device: Some(device.to_owned()) },
            secret: LoginSecret::Password(Secret::new(TEST_PASSWORD.to_owned())),
            proven_key: None,
            min_rank: None,
            requires_office_right: false,
            previous_refresh_tokens: Vec::new(),
            reports_password_change: false,
            address: None,
        };
        self.auth.generate_permanent_token(&login).unwrap()
    }

    /// Logs in to krmpesan's page; the login must succeed.
    pub async fn log_in_krmpesan_page(&self, user: &str) -> TestResponse {
        let response = self.post("/krmpesan/app/login", json!({ "login": user, "password": TEST_PASSWORD })).await;
        assert_eq!(response.status, 200, "{user}: {}", response.json());
        response
    }

    /// Logs in P01 as itself to Fiuu; the login must succeed.
    pub async fn log_in_fiuu(&self) -> TestResponse {
        let response = self.post("/fiuu/auth/login", json!({ "posId": "P01", "password": TEST_PASSWORD })).await;
        assert_eq!(response.status, 200, "{}", response.json());
        response
    }

    /// Changes a device as the operator of the server.
    pub fn change_device(&self, name: &str, change: &DeviceChange) {
        let store: &dyn Store<OfficePorts> = &*self.store.inner;
        let (tenant, device) = store
            .read("test", |tx| {
                let tenant = tx.tenants().find_by_slug(&Slug::parse("default").unwrap())?.unwrap().id;
                Ok((tenant, tx.devices().find_by_name(tenant, &FoldedText::of(name))?.unwrap().id))
            })
            .unwrap();
        let at = self.clock.now();
        let event = EventId::new(at, (&SystemEntropy::new() as &dyn Entropy).random_bytes().unwrap());
        let stamp =
            AuditContext { at, event_id: event, actor: Actor::default(), authority: Authority::Host, os_user: None };
        Office::new(store, tenant, stamp.clone()).change_device(device, None, change).unwrap().unwrap();
    }

    /// Gives the device this single role for its own logins.
    pub fn set_device_role(&self, name: &str, role: &str) {
        let roles = Some(vec![RoleName::parse(role).unwrap()]);
        self.change_device(name, &DeviceChange { roles, ..DeviceChange::default() });
    }

    /// Gives a user this single role without a device; the vendor may lose its last admin.
    pub fn set_user_role(&self, user: &str, role: &str) {
        let store: &dyn Store<OfficePorts> = &*self.store.inner;
        let fits = store.write("test", |tx| {
            let mut user = tx.users().find(user.parse().unwrap())?.unwrap();
            let roles = tx.roles().list(user.tenant)?;
            user.assignment.office =
                roles.iter().filter(|each| each.name.as_str() == role).map(|each| each.id).collect();
            tx.revocations().invalidate(Scope::User(user.id), self.clock.now())?;
            tx.users().update(&user)
        });
        assert!(fits.unwrap());
    }

    /// Logs in to PORTOS; the login must succeed.
    pub async fn log_in_portos(&self, user: &str, device: &str) -> TestResponse {
        let body = json!({ "UserName": user, "Password": TEST_PASSWORD, "DeviceName": device });
        let response = self.post("/portos/api/auth", body).await;
        assert_eq!(response.status, 200, "{user}: {}", response.json());
        response
    }
}

pub fn build_auth(store: &Arc<FlakyStore>, clock: &Arc<ManualClock>, master: MasterKey) -> Arc<Auth> {
    let store: Arc<dyn AuthStore> = store.clone();
    let clock: Arc<dyn Clock> = clock.clone();
    Auth::builder(store)
        .master(master)
        .clock(clock)
        .hasher(Arc::new(PlainHasher::default()))
        .without_maintenance()
        .build()
        .unwrap()
}

pub fn build_request(method: Method, path: &str) -> TestRequest {
    TestRequest::with_uri(path).method(method)
}

/// Adds the access token to the request.
pub fn with_bearer(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("Authorization", format!("Bearer {token}")))
}

/// What of a stream is there, which is then dropped.
fn read_available(body: impl MessageBody) -> Vec<u8> {
    let mut body = Box::pin(body);
    let context = &mut Context::from_waker(Waker::noop());
    let mut bytes = Vec::new();
    while let Poll::Ready(Some(Ok(piece))) = body.as_mut().poll_next(context) {
        bytes.extend_from_slice(&piece);
    }
    bytes
}

pub fn post_request(path: &str, body: Value) -> TestRequest {
    build_request(Method::POST, path).set_json(body)
}

pub fn put_request(path: &str, body: Value) -> TestRequest {
    build_request(Method::PUT, path).set_json(body)
}
