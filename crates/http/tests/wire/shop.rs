//! A shop over the store in memory, with a clock that stands, a store that can be taken away, and calls to it.

use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::people;
use actix_web::http::header::{HeaderMap, SET_COOKIE, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::test::{self, TestRequest};
use serde_json::{Value, json};
use tillgate_auth_core::passwords::{HashError, SALT};
use tillgate_auth_core::ports::{AuthView, Verifier};
use tillgate_auth_core::{
    Auth, AuthStore, Clock, Dialect, Entropy, Granted, Login, MasterKey, Memory, PasswordHasher, Proof, SystemEntropy,
    Tenancy, Who,
};
use tillgate_domain::change::Observer;
use tillgate_domain::office::{self, Authority, DeviceChange, OfficeView, Stamp};
use tillgate_domain::{
    Action, Actor, Event, EventId, Folded, Instant, Mode, RoleName, Scope, Secret, Slug, Store, StoreError, StoreExt,
    Stored, Work, Zone,
};
use tillgate_http::{Http, Krmpesan, Metrics, Mount, Mounts, Settings};

/// 2026-11-21T12:00:00Z, when everything happens.
pub const NOON: Instant = Instant::from_millis(1_795_262_400_000);

/// The password of everybody.
pub const PASSWORD: &str = "correct horse";

/// A clock that stands until it is told to go on.
pub struct Standing(AtomicI64);

impl Standing {
    pub fn pass(&self, span: Duration) {
        self.0.fetch_add(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Standing {
    fn now(&self) -> Instant {
        Instant::from_millis(NOON.millis() + self.0.load(Ordering::SeqCst))
    }
    fn boot(&self) -> Duration {
        self.monotonic()
    }
    fn monotonic(&self) -> Duration {
        Duration::from_hours(1) + Duration::from_millis(self.0.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// A hash that costs nothing and hides nothing.
struct Plain;

impl PasswordHasher for Plain {
    fn hash(&self, password: &str, _salt: &[u8; SALT]) -> Result<Verifier, HashError> {
        Ok(Secret::new(format!("$plain${password}")))
    }
    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError> {
        Ok(*verifier.expose() == format!("$plain${password}"))
    }
    fn stale(&self, _verifier: &Verifier) -> bool {
        false
    }
}

/// How the store is at the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well = 0,
    Unavailable = 1,
    Broken = 2,
    Panics = 3,
    /// Whoever asks waits until the mood changes.
    Hangs = 4,
}

/// The store in memory, which can be taken away.
pub struct Moody {
    pub memory: Arc<Memory>,
    mood: AtomicU8,
    door: (Mutex<()>, Condvar),
}

impl Moody {
    /// From now on the store is like this; whoever hung in it is let go.
    pub fn set(&self, mood: Mood) {
        let held = self.door.0.lock().unwrap();
        self.mood.store(mood as u8, Ordering::SeqCst);
        drop(held);
        self.door.1.notify_all();
    }

    fn is(&self, mood: Mood) -> bool {
        self.mood.load(Ordering::SeqCst) == mood as u8
    }

    fn hang(&self) {
        let held = self.door.0.lock().unwrap();
        drop(self.door.1.wait_while(held, |()| self.is(Mood::Hangs)).unwrap());
    }
}

impl Moody {
    /// Lets a unit of work in, or behaves as the mood is.
    fn enter(&self) -> Stored<()> {
        match self.mood.load(Ordering::SeqCst) {
            1 => return Err(StoreError::Unavailable("the disk is full".into())),
            2 => return Err(StoreError::Fault("no such table: sessions".into())),
            3 => panic!("the store panics"),
            4 => self.hang(),
            _ => {}
        }
        Ok(())
    }
}

impl Store<AuthView> for Moody {
    fn run(&self, mode: Mode, work: Work<'_, AuthView>) -> Stored<()> {
        self.enter()?;
        Store::<AuthView>::run(&*self.memory, mode, work)
    }
}

impl Store<OfficeView> for Moody {
    fn run(&self, mode: Mode, work: Work<'_, OfficeView>) -> Stored<()> {
        self.enter()?;
        Store::<OfficeView>::run(&*self.memory, mode, work)
    }
}

impl AuthStore for Moody {
    fn observe(&self, observer: Arc<dyn Observer>) {
        self.memory.observe(observer);
    }
}

pub struct Shop {
    pub store: Arc<Moody>,
    pub clock: Arc<Standing>,
    pub http: Http,
    /// The engine under it.
    pub auth: Arc<Auth>,
}

impl Shop {
    /// What the audit tells of rights and roles that somebody lacked.
    pub fn refusals(&self) -> Vec<Event> {
        self.store.memory.audit().into_iter().filter(|event| event.action == Action::RightMissing).collect()
    }
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("no JSON: {:?}", String::from_utf8_lossy(&self.bytes)))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    /// What it gives a browser to keep, line by line.
    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).map(|value| value.to_str().unwrap()).collect()
    }
    pub fn challenges(&self) -> Vec<&str> {
        self.headers.get_all(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap()).collect()
    }
    /// The text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> String {
        self.json()
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {pointer}: {}", self.json()))
            .to_owned()
    }
    /// The whole answer, with what is drawn by chance replaced by its kind. What is replaced must be there and not empty.
    pub fn masked(&self, drawn: &[&str]) -> Value {
        let mut json = self.json();
        for pointer in drawn {
            let value = json.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}: {}", self.json()));
            assert!(value.as_str().is_some_and(|text| !text.is_empty()), "{pointer} is empty");
            *value = json!("…");
        }
        json
    }
}

impl Shop {
    pub fn open() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        Self::mounted(settings, crate::mounts::mounts())
    }

    pub fn mounted(settings: Settings, mounts: Vec<Mount>) -> Self {
        Self::lying_in(Zone::UTC, settings, mounts)
    }

    /// The same in a time zone of its own.
    pub fn lying_in(zone: Zone, settings: Settings, mounts: Vec<Mount>) -> Self {
        crate::log::listen();
        let memory = Arc::new(Memory::new());
        people::enroll(&memory, zone);
        let store = Arc::new(Moody { memory, mood: AtomicU8::new(0), door: Default::default() });
        let clock = Arc::new(Standing(AtomicI64::new(0)));
        let master = MasterKey::draw(&SystemEntropy::new()).unwrap();
        let auth = engine(&store, &clock, master);
        let http = Http::new(
            Arc::clone(&auth),
            store.clone(),
            Mounts::check(mounts).unwrap(),
            settings,
            Metrics::new(Vec::new),
        );
        Self { store, clock, http, auth }
    }

    /// Sends a request from 192.0.2.7.
    pub async fn send(&self, request: TestRequest) -> Answer {
        self.send_from("192.0.2.7", request).await
    }

    pub async fn send_from(&self, peer: &str, request: TestRequest) -> Answer {
        let app = test::init_service(self.http.app()).await;
        let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 4711);
        let answer = test::call_service(&app, request.peer_addr(peer).to_request()).await;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer { status, headers, bytes: test::read_body(answer).await.to_vec() }
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(post(path, body)).await
    }

    pub async fn with_token(&self, method: Method, path: &str, token: &str) -> Answer {
        self.send(bearer(call(method, path), token)).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.with_token(Method::GET, path, token).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        self.with_token(Method::DELETE, path, token).await
    }

    /// A native login in the office, which must succeed.
    pub async fn native(&self, login: &str) -> Answer {
        let answer = self.post("/api/v1/sessions", json!({ "login": login, "password": PASSWORD })).await;
        assert_eq!(answer.status, 201, "{login}: {}", answer.json());
        answer
    }

    /// A POS Kasir login, which must succeed.
    pub async fn kasir(&self, email: &str) -> Answer {
        let answer = self.post("/kasir/api/v1/auth/login", json!({ "email": email, "password": PASSWORD })).await;
        assert_eq!(answer.status, 200, "{email}: {}", answer.json());
        answer
    }

    /// A krmpesan token that this user generates for this device, which must succeed.
    pub fn krmpesan(&self, user: &str, device: &str) -> Granted {
        let login = Login {
            dialect: Dialect::new(Krmpesan::NAME),
            terms: Krmpesan::terms(),
            tenancy: Tenancy::default(),
            who: Who::User { login: user.to_owned(), device: Some(device.to_owned()) },
            proof: Proof::Password(Secret::new(PASSWORD.to_owned())),
            least: None,
            previous: Vec::new(),
            reports_password_change: false,
            address: None,
        };
        self.auth.generate(&login).unwrap()
    }

    /// A login at krmpesan's page, which must succeed.
    pub async fn krmpesan_visit(&self, user: &str) -> Answer {
        let answer = self.post("/krmpesan/app/login", json!({ "login": user, "password": PASSWORD })).await;
        assert_eq!(answer.status, 200, "{user}: {}", answer.json());
        answer
    }

    /// P01 logs in as itself by Fiuu, which must succeed.
    pub async fn fiuu(&self) -> Answer {
        let answer = self.post("/fiuu/auth/login", json!({ "posId": "P01", "password": PASSWORD })).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer
    }

    /// Changes a device as whoever runs the server does.
    pub fn change_device(&self, name: &str, change: &DeviceChange) {
        let store: &dyn Store<OfficeView> = &*self.store.memory;
        let (tenant, device) = store
            .read(|tx| {
                let tenant = tx.tenants().named(&Slug::parse("default").unwrap())?.unwrap().id;
                Ok((tenant, tx.devices().named(tenant, &Folded::of(name))?.unwrap().id))
            })
            .unwrap();
        let at = self.clock.now();
        let event = EventId::new(at, (&SystemEntropy::new() as &dyn Entropy).draw().unwrap());
        let stamp = Stamp { at, event, actor: Actor::default(), authority: Authority::Host, shell: None };
        office::change_device(store, tenant, &stamp, device, None, change).unwrap().unwrap();
    }

    /// From now on the device holds this one role when it logs in as itself.
    pub fn give_device(&self, name: &str, role: &str) {
        let roles = Some(vec![RoleName::parse(role).unwrap()]);
        self.change_device(name, &DeviceChange { roles, ..DeviceChange::default() });
    }

    /// Gives a user this one role in the office, whatever they held; their vendor may be left without an admin.
    pub fn rank(&self, user: &str, role: &str) {
        let store: &dyn Store<OfficeView> = &*self.store.memory;
        let fits = store.write(|tx| {
            let mut user = tx.users().find(user.parse().unwrap())?.unwrap();
            let roles = tx.roles().list(user.tenant)?;
            user.assignment.office =
                roles.iter().filter(|each| each.name.as_str() == role).map(|each| each.id).collect();
            tx.endings().touch(Scope::User(user.id), self.clock.now())?;
            tx.users().update(&user)
        });
        assert!(fits.unwrap());
    }

    /// A PORTOS login, which must succeed.
    pub async fn portos(&self, user: &str, device: &str) -> Answer {
        let body = json!({ "UserName": user, "Password": PASSWORD, "DeviceName": device });
        let answer = self.post("/portos/api/auth", body).await;
        assert_eq!(answer.status, 200, "{user}: {}", answer.json());
        answer
    }
}

pub fn engine(store: &Arc<Moody>, clock: &Arc<Standing>, master: MasterKey) -> Arc<Auth> {
    let store: Arc<dyn AuthStore> = store.clone();
    let clock: Arc<dyn Clock> = clock.clone();
    Auth::builder(store).master(master).clock(clock).hasher(Arc::new(Plain)).without_chores().build().unwrap()
}

pub fn call(method: Method, path: &str) -> TestRequest {
    TestRequest::with_uri(path).method(method)
}

/// The request, by whoever has this token.
pub fn bearer(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("Authorization", format!("Bearer {token}")))
}

pub fn post(path: &str, body: Value) -> TestRequest {
    call(Method::POST, path).set_json(body)
}

pub fn put(path: &str, body: Value) -> TestRequest {
    call(Method::PUT, path).set_json(body)
}
