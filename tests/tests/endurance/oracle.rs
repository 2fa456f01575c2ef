//! What was answered must persist; what was not answered may have happened or not. The oracle knows
//! the possible states and compares the server with them.

use std::sync::Mutex;
use std::time::Duration;

use tillgate_tests::{PortosKey, now};

use crate::api_client::signed_request;
use crate::dialect::{Credentials, TestDialect, Tokens};
use crate::http::{HttpReply, HttpRequest};

/// How long the oracle waits for a response.
const ORACLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The possible values of something that the server stores.
#[derive(Clone, Debug)]
pub(crate) struct PossibleValues<T>(Vec<T>);

impl<T: Clone + PartialEq> PossibleValues<T> {
    pub(crate) fn certainly(value: T) -> Self {
        Self(vec![value])
    }

    /// A change was attempted: until it is answered, both values are possible.
    pub(crate) fn add_possible(&mut self, value: T) {
        self.0.push(value);
    }

    /// The value is certain: a change was answered, or the value was read.
    pub(crate) fn set_certain(&mut self, value: T) {
        self.0 = vec![value];
    }

    pub(crate) fn certain(&self) -> Option<&T> {
        let first = self.0.first()?;
        self.0.iter().all(|each| each == first).then_some(first)
    }

    /// The latest change was rejected: it was not done.
    pub(crate) fn remove_possible(&mut self, value: &T) {
        if self.0.len() > 1 && self.0.last() == Some(value) {
            self.0.pop();
        }
    }

    /// All possible values.
    pub(crate) fn values(&self) -> Vec<T> {
        self.0.clone()
    }

    pub(crate) fn may_be(&self, value: &T) -> bool {
        self.0.contains(value)
    }
}

/// A device by its name and its id.
#[derive(Clone, Debug)]
pub(crate) struct TestDevice {
    pub(crate) name: String,
    pub(crate) id: String,
}

/// A user that the office changes.
#[derive(Clone, Debug)]
pub(crate) struct TestUser {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) device: TestDevice,
    pub(crate) dialect: TestDialect,
    pub(crate) password: PossibleValues<String>,
    pub(crate) active: PossibleValues<bool>,
    /// Whether the device can be used.
    pub(crate) device_unlocked: PossibleValues<bool>,
    pub(crate) role: PossibleValues<&'static str>,
    /// The session that should be live.
    pub(crate) session: Option<Tokens>,
    /// Passwords that were valid once and are certainly not valid any more.
    pub(crate) former_passwords: Vec<String>,
}

impl TestUser {
    /// This password is valid, and no earlier one is.
    pub(crate) fn set_password(&mut self, password: &str) {
        let others = self.password.values().into_iter().filter(|each| each != password);
        self.former_passwords.extend(others);
        self.password.set_certain(password.to_owned());
    }

    pub(crate) fn credentials(&self, password: &str) -> Credentials {
        Credentials { name: self.name.clone(), password: password.to_owned(), device: self.device.name.clone() }
    }
}

/// An API key, and whether it is active.
#[derive(Clone, Debug)]
pub(crate) struct TestApiKey {
    pub(crate) id: String,
    pub(crate) key: PortosKey,
    pub(crate) active: PossibleValues<bool>,
}

/// Deviations from the expected state.
#[derive(Debug, Default)]
pub(crate) struct AnomalyLog {
    anomalies: Mutex<Vec<String>>,
}

impl AnomalyLog {
    pub(crate) fn record(&self, anomaly: String) {
        println!("ANOMALY: {anomaly}");
        self.anomalies.lock().unwrap().push(anomaly);
    }

    /// The deviations since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.anomalies.lock().unwrap())
    }
}

/// A role that the office changes.
#[derive(Clone, Debug)]
pub(crate) struct TestRole {
    pub(crate) id: String,
    /// Whether it has the right `storno`.
    pub(crate) storno: PossibleValues<bool>,
}

/// The expected state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) users: Vec<TestUser>,
    pub(crate) keys: Vec<TestApiKey>,
    pub(crate) roles: Vec<TestRole>,
    /// Tokens of sessions that were ended by answered changes.
    pub(crate) ended_tokens: Vec<(TestDialect, Tokens)>,
    /// Tickets whose creation was answered: the idempotency key, which is also the ticket's name,
    /// and the ticket's id.
    pub(crate) tickets: Vec<(String, String)>,
}

/// Sends a request until there is a response other than 503. A server that was killed has a minute
/// to start again.
pub(crate) fn send_until_decided(server: &str, request: &HttpRequest) -> HttpReply {
    let until = now() + Duration::from_mins(1);
    while now() < until {
        match request.send(server, ORACLE_TIMEOUT) {
            Some(reply) if reply.status != 503 => return reply,
            _ => std::thread::sleep(Duration::from_millis(100)),
        }
    }
    panic!("no response to {} {}", request.method, request.target)
}

impl Oracle {
    /// Checks everything, or what `picked` selects, against the server, and records deviations.
    /// `admin` is the access token of a user who may read everything.
    pub(crate) fn check(&self, server: &str, admin: &str, journal: &AnomalyLog, mut picked: impl FnMut() -> bool) {
        for (contract, tokens) in self.ended_tokens.iter().filter(|_| picked()) {
            check_ended(server, *contract, tokens, journal);
        }
        for (key, id) in self.tickets.iter().filter(|_| picked()) {
            let found =
                send_until_decided(server, &HttpRequest::new("GET", format!("/api/v1/tickets/{id}")).bearer(admin));
            if found.status != 200 || found.text("/name") != *key {
                journal.record(format!("the ticket {key} that was answered is lost: {} {}", found.status, found.body));
            }
        }
        for user in self.users.iter().filter(|_| picked()) {
            check_user(server, admin, user, journal);
        }
        for role in &self.roles {
            let shown = send_until_decided(
                server,
                &HttpRequest::new("GET", format!("/api/v1/roles/{}", role.id)).bearer(admin),
            );
            if shown.status != 200 || !role.storno.may_be(&allows_storno(&shown)) {
                journal
                    .record(format!("the role {} is {}, and may allow storno: {:?}", role.id, shown.body, role.storno));
            }
        }
        for held in &self.keys {
            let status = send_until_decided(server, &signed_request(&held.key, server)).status;
            if !held.active.may_be(&(status == 200)) {
                journal.record(format!("the API key {} is answered {status}, and may be {:?}", held.id, held.active));
            }
        }
    }
}

/// An ended session stays ended: each of its tokens is rejected.
fn check_ended(server: &str, contract: TestDialect, tokens: &Tokens, journal: &AnomalyLog) {
    for (what, request) in
        [("access", contract.current_session_request(&tokens.access)), ("refresh", contract.refresh_request(tokens))]
    {
        let status = send_until_decided(server, &request).status;
        if status != 401 {
            journal.record(format!("the {what} token of an ended session ({contract:?}) is answered {status}"));
        }
    }
}

fn check_user(server: &str, admin: &str, user: &TestUser, journal: &AnomalyLog) {
    let name = &user.name;
    let shown =
        send_until_decided(server, &HttpRequest::new("GET", format!("/api/v1/users/{}", user.id)).bearer(admin));
    if shown.status != 200 {
        return journal.record(format!("{name} cannot be read: {} {}", shown.status, shown.body));
    }
    let active = shown.text("/status") == "active";
    if !user.active.may_be(&active) {
        journal.record(format!("{name} is {}, and may be active: {:?}", shown.text("/status"), user.active));
    }
    let device = send_until_decided(
        server,
        &HttpRequest::new("GET", format!("/api/v1/devices/{}", user.device.id)).bearer(admin),
    );
    if device.status != 200 || !user.device_unlocked.may_be(&(device.text("/status") == "active")) {
        let status = device.text("/status");
        journal.record(format!("the device of {name} is {status}, and may be unlocked: {:?}", user.device_unlocked));
    }
    let role = shown.text("/roles/0");
    if !["cashier", "manager"].iter().any(|may| *may == role && user.role.may_be(may)) {
        journal.record(format!("{name} has the role {role}, and may have {:?}", user.role));
    }
    if let (Some(tokens), Some(true), TestDialect::Native) = (&user.session, user.active.certain(), user.dialect) {
        check_rights(server, user, tokens, journal);
    }
    if user.active.certain() == Some(&true)
        && let Some(password) = user.password.certain()
    {
        let granted =
            send_until_decided(server, &TestDialect::Native.login_request(&office_credentials(user, password)));
        match TestDialect::Native.parse_tokens(&granted) {
            Some(tokens) => drop(send_until_decided(server, &TestDialect::Native.logout_request(&tokens.access))),
            None => journal.record(format!("{name}'s password is refused: {} {}", granted.status, granted.body)),
        }
        if let Some(former) = user.former_passwords.last() {
            let refused =
                send_until_decided(server, &TestDialect::Native.login_request(&office_credentials(user, former)));
            if refused.status != 401 {
                journal.record(format!("a former password of {name} is answered {}", refused.status));
            }
        }
    }
}

/// Whether `storno` is among the rights in a response.
pub(crate) fn allows_storno(shown: &HttpReply) -> bool {
    shown.json()["rights"].as_array().is_some_and(|rights| rights.iter().any(|each| each == "storno"))
}

/// The office device, on which any number of sessions may exist.
fn office_credentials(user: &TestUser, password: &str) -> Credentials {
    Credentials { device: "OFFICE".to_owned(), ..user.credentials(password) }
}

/// The rights of a session are those of the role.
pub(crate) fn check_rights(server: &str, user: &TestUser, tokens: &Tokens, journal: &AnomalyLog) {
    let shown = send_until_decided(server, &TestDialect::Native.current_session_request(&tokens.access));
    if shown.status == 200 {
        let role = if allows_storno(&shown) { "manager" } else { "cashier" };
        if !user.role.may_be(&role) {
            journal.record(format!("{} has the rights of a {role}, and may be {:?}", user.name, user.role));
        }
    }
}
