//! A flood of logins from many networks, over a real listener behind a proxy: a login from a
//! network in which the account is known is served before all of them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use actix_web::HttpServer;
use serde_json::{Value, json};
use tillgate_auth_core::passwords::{HashError, QueueLimits, SALT_BYTES};
use tillgate_auth_core::ports::Verifier;
use tillgate_auth_core::{Auth, AuthSettings, MasterKey, PasswordHasher, SystemEntropy};
use tillgate_domain::Zone;
use tillgate_http::{Http, HttpSettings, Metrics, Mounts};
use tillgate_test_store::TestStore;
use tillgate_testkit::PlainHasher;

use crate::test_server::TEST_PASSWORD;
use crate::test_users;

/// How long a test waits for an expected event before it fails.
const MAX_WAIT: Duration = Duration::from_mins(1);

/// The number of blocking threads, and of logins that may wait for a hash: two thirds, as
/// configured by the server.
const BLOCKING_THREADS: usize = 24;
const MAX_WAITING_LOGINS: usize = 16;

/// The number of flooding networks, and of concurrent requests from each.
const NETWORKS: usize = 12;
const AT_ONCE: usize = 6;

/// A hasher that verifies or hashes one password per permit.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    turned: Condvar,
}

#[derive(Default)]
struct GateState {
    permits: usize,
    /// The passwords in the order in which their verification or hashing began.
    begun: Vec<String>,
    /// Whether all passwords have a permit.
    open: bool,
}

impl Gate {
    fn permit(&self, count: usize) {
        self.state.lock().unwrap().permits += count;
        self.turned.notify_all();
    }

    /// Returns the password whose verification began at this position, starting at 0.
    fn begun(&self, index: usize) -> String {
        let state = self.state.lock().unwrap();
        let short = |state: &mut GateState| state.begun.len() <= index;
        let (state, timeout) = self.turned.wait_timeout_while(state, MAX_WAIT, short).unwrap();
        assert!(!timeout.timed_out(), "{index}: {:?}", state.begun);
        state.begun[index].clone()
    }

    /// Grants permits to all passwords from now on, or stops to do so.
    fn open(&self, open: bool) {
        let mut state = self.state.lock().unwrap();
        (state.open, state.permits) = (open, 0);
        drop(state);
        self.turned.notify_all();
    }

    fn pass(&self, password: &str) {
        let mut state = self.state.lock().unwrap();
        state.begun.push(password.to_owned());
        self.turned.notify_all();
        let mut state = self.turned.wait_while(state, |state| !state.open && state.permits == 0).unwrap();
        if !state.open {
            state.permits -= 1;
        }
    }

    fn count(&self) -> usize {
        self.state.lock().unwrap().begun.len()
    }
}

impl PasswordHasher for Gate {
    fn hash(&self, password: &str, _salt: &[u8; SALT_BYTES]) -> Result<Verifier, HashError> {
        self.pass(password);
        Ok(PlainHasher::verifier(password))
    }
    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError> {
        self.pass(password);
        Ok(*verifier == PlainHasher::verifier(password))
    }
    fn needs_rehash(&self, _verifier: &Verifier) -> bool {
        false
    }
}

/// A listening server.
struct ListeningServer {
    gate: Arc<Gate>,
    auth: Arc<Auth>,
    address: SocketAddr,
    stop: actix_web::dev::ServerHandle,
    running: Option<thread::JoinHandle<()>>,
}

impl ListeningServer {
    fn start() -> Self {
        let (gate, store) = (Arc::new(Gate::default()), Arc::new(TestStore::new()));
        // the verifier for unknown names is hashed at start
        gate.permit(1);
        test_users::insert_users(&store, Zone::UTC);
        let queue = QueueLimits {
            workers: Some(1.try_into().unwrap()),
            waiting: MAX_WAITING_LOGINS,
            max_wait: MAX_WAIT,
            ..QueueLimits::default()
        };
        let auth = Auth::builder(store.clone())
            .master(MasterKey::generate(&SystemEntropy::new()).unwrap())
            .hasher(gate.clone())
            .settings(AuthSettings { queue, ..AuthSettings::default() })
            .without_maintenance()
            .build()
            .unwrap();
        let settings = HttpSettings {
            proxies: vec!["127.0.0.0/8".parse().unwrap()],
            threads: BLOCKING_THREADS,
            blocking_limit: BLOCKING_THREADS + MAX_WAITING_LOGINS,
            deadline: MAX_WAIT,
            ..HttpSettings::default()
        };
        let mounts = Mounts::check(crate::mounts::mounts()).unwrap();
        let http = Http::new(auth.clone(), store, mounts, settings, Metrics::new(Vec::new));
        let (sender, receiver) = mpsc::channel();
        let running = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server =
                    HttpServer::new(move || http.app()).workers(1).worker_max_blocking_threads(BLOCKING_THREADS);
                let server = server.h1_allow_half_closed(true).disable_signals().shutdown_timeout(1);
                let server = server.bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                sender.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, stop) = receiver.recv().unwrap();
        Self { gate, auth, address, stop, running: Some(running) }
    }

    /// Sends a login through the proxy, from a client with this address.
    fn send(&self, from: &str, login: &str, password: &str) -> TcpStream {
        self.request(from, "POST", "/sessions", None, &json!({ "login": login, "password": password }))
    }

    fn request(&self, from: &str, method: &str, path: &str, token: Option<&str>, body: &Value) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(MAX_WAIT)).unwrap();
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let body = body.to_string();
        write!(
            stream,
            "{method} /api/v1{path} HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: {from}\r\nConnection: close\r\n{token}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        stream
    }

    fn log_in(&self, from: &str, login: &str, password: &str) -> u16 {
        status(&mut self.send(from, login, password))
    }

    fn until(&self, what: &str, so: impl Fn(&Self) -> bool) {
        for _ in 0..12_000 {
            if so(self) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("{what}: {:?}", self.auth.hash_queue().stats());
    }
}

impl Drop for ListeningServer {
    fn drop(&mut self) {
        self.gate.open(true);
        drop(self.stop.stop(false));
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

/// A completely received response.
fn response(stream: &mut TcpStream) -> String {
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    String::from_utf8(response).unwrap()
}

fn status(stream: &mut TcpStream) -> u16 {
    response(stream).split(' ').nth(1).unwrap().parse().unwrap()
}

/// Ends the flood, also if the test fails.
struct End<'a>(&'a ListeningServer, &'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.1.store(true, Ordering::SeqCst);
        self.0.gate.open(true);
    }
}

#[test]
fn flood_from_many_networks_keeps_no_login_of_a_known_network_waiting() {
    let served = ListeningServer::start();
    // the password is also rehashed
    served.gate.permit(2);
    assert_eq!(served.log_in("198.51.100.7", "cashier", TEST_PASSWORD), 201);
    let (over, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
    let before = served.gate.count();
    thread::scope(|scope| {
        let _end = End(&served, &over);
        for client in 0..NETWORKS * AT_ONCE {
            let (served, over, refused) = (&served, &over, &refused);
            scope.spawn(move || {
                let from = format!("203.0.{}.{}", client % NETWORKS, client);
                let mut count = 0;
                while !over.load(Ordering::SeqCst) {
                    count += 1;
                    // some guess the cashier's password, others that of an unknown name
                    let login = if client % 2 == 0 { "cashier".to_owned() } else { format!("nobody-{client}-{count}") };
                    if served.log_in(&from, &login, &format!("wrong-{client}-{count}")) == 503 {
                        refused.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        served.until("strangers fill their part and the rest is refused", |served| {
            let facts = served.auth.hash_queue().stats();
            facts.strangers == MAX_WAITING_LOGINS / 2 && facts.running == 1 && refused.load(Ordering::SeqCst) > 100
        });
        let known = scope.spawn(|| {
            // A server that is short of processor time sheds load before the queue, so the till
            // repeats.
            let mut responses = std::iter::repeat_with(|| served.log_in("198.51.100.9", "cashier", TEST_PASSWORD));
            responses.find(|status| *status != 503).unwrap()
        });
        served.until("the known one waits for its hash", |served| {
            assert!(!known.is_finished(), "it was answered without a hash");
            served.auth.hash_queue().stats().known == 1
        });
        served.gate.permit(1);
        assert!(served.gate.begun(before).starts_with("wrong"), "what was being hashed when it came");
        assert_eq!(served.gate.begun(before + 1), TEST_PASSWORD, "it is the next");
        served.gate.permit(1);
        assert_eq!(known.join().unwrap(), 201);
    });
}

#[test]
fn login_whose_connection_is_reset_is_not_hashed() {
    let served = ListeningServer::start();
    let running = served.send("203.0.113.1", "cashier", "running");
    let first = served.gate.count();
    served.until("it is being hashed", |served| {
        served.gate.count() > first || served.auth.hash_queue().stats().running == 1
    });
    let gone = served.send("203.0.113.2", "cashier", "gone");
    served.until("it waits for its hash", |served| served.auth.hash_queue().stats().strangers == 1);
    rustix::net::sockopt::set_socket_linger(&gone, Some(Duration::ZERO)).unwrap();
    drop(gone);
    served.until("the queue is empty", |served| served.auth.hash_queue().stats().strangers == 0);
    served.gate.permit(1);
    assert_eq!(status(&mut { running }), 401);
    served.gate.permit(2);
    assert_eq!(served.log_in("203.0.113.2", "cashier", TEST_PASSWORD), 201);
    assert!(served.gate.state.lock().unwrap().begun.iter().all(|password| password != "gone"));
}

/// Every operation that hashes a new password for a caller of network 1 waits in the queue of that
/// network, behind earlier logins from there.
#[test]
fn new_passwords_are_hashed_in_the_turn_of_the_network_of_their_caller() {
    const NEW: &str = "staple battery 9";
    let served = ListeningServer::start();
    served.gate.open(true);
    let (here, there) = ("198.51.100.7", "203.0.113.7");
    let mut tokens = Vec::new();
    for (login, from) in [("admin", here), ("cashier", here), ("cashier", there), ("witness", here)] {
        let response = response(&mut served.send(from, login, TEST_PASSWORD));
        let body: Value = serde_json::from_str(response.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        tokens.push(body["access_token"].as_str().unwrap().to_owned());
    }
    let own = json!({ "current_password": TEST_PASSWORD, "password": NEW });
    let new_user = |name: &str| json!({ "user_name": name, "password": NEW });
    let at_login = json!({ "login": "witness", "password": TEST_PASSWORD, "new_password": NEW });
    for (method, path, token, body, proves) in [
        ("POST", "/users", Some(&tokens[0]), new_user("nina"), false),
        ("POST", "/devices", Some(&tokens[0]), json!({ "name": "T9", "environment": "Tool", "password": NEW }), false),
        ("POST", "/sessions", None, at_login, true),
        ("PUT", "/sessions/current/password", Some(&tokens[0]), own, true),
    ] {
        served.gate.open(false);
        let first = served.gate.count();
        let known = |count| move |served: &ListeningServer| served.auth.hash_queue().stats().known == count;
        let mut waiting = Vec::new();
        let call = || served.request(here, method, path, token.map(String::as_str), &body);
        // the hash begins to wait while another password is verified: the caller's own or another
        // one
        let mut changing = proves.then(call);
        if !proves {
            waiting.push(served.send(here, "cashier", "wrong-0"));
        }
        served.gate.begun(first);
        for (count, (from, password)) in
            [(here, "wrong-1"), (here, "wrong-2"), (here, "wrong-3"), (there, "wrong-4")].into_iter().enumerate()
        {
            waiting.push(served.send(from, "cashier", password));
            served.until("they wait in this order", known(count + 1));
        }
        if proves {
            served.gate.permit(1);
            served.gate.begun(first + 1);
        } else {
            changing = Some(call());
        }
        served.until("the new password waits", known(4 + usize::from(!proves)));
        served.gate.open(true);
        let status = status(&mut changing.unwrap());
        assert!((200..300).contains(&status), "{method} {path}: {status}");
        for stream in &mut waiting {
            assert_eq!(self::status(stream), 401);
        }
        let begun = served.gate.state.lock().unwrap().begun.split_off(first + 1);
        let new = begun.iter().position(|password| password == NEW);
        let last = begun.iter().position(|password| password == "wrong-3");
        assert!(last.is_some() && new > last, "{method} {path}: {begun:?}");
    }
}
