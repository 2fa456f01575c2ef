//! What was answered must stand; what was not answered may be either. The oracle knows what may be, and asks the server whether it is.

use std::sync::Mutex;
use std::time::Duration;

use tillgate_tests::{PortosKey, now};

use crate::api_client::signed_request;
use crate::dialect::{Credentials, TestDialect, Tokens};
use crate::http::{HttpReply, HttpRequest};

/// How long the oracle waits for an answer.
const ORACLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Something that the server keeps, as it may be.
#[derive(Clone, Debug)]
pub(crate) struct PossibleValues<T>(Vec<T>);

impl<T: Clone + PartialEq> PossibleValues<T> {
    pub(crate) fn certainly(value: T) -> Self {
        Self(vec![value])
    }

    /// A change was tried: until it is answered, both may be.
    pub(crate) fn add_possible(&mut self, value: T) {
        self.0.push(value);
    }

    /// It is this: a change was answered, or was seen.
    pub(crate) fn set_certain(&mut self, value: T) {
        self.0 = vec![value];
    }

    pub(crate) fn certain(&self) -> Option<&T> {
        let first = self.0.first()?;
        self.0.iter().all(|each| each == first).then_some(first)
    }

    /// The change that was tried last was refused: it was not done.
    pub(crate) fn remove_possible(&mut self, value: &T) {
        if self.0.len() > 1 && self.0.last() == Some(value) {
            self.0.pop();
        }
    }

    /// Everything that may be.
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

/// A user to whom the office does everything.
#[derive(Clone, Debug)]
pub(crate) struct TestUser {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) device: TestDevice,
    pub(crate) dialect: TestDialect,
    pub(crate) password: PossibleValues<String>,
    pub(crate) active: PossibleValues<bool>,
    /// Whether the device may be used.
    pub(crate) device_unlocked: PossibleValues<bool>,
    pub(crate) role: PossibleValues<&'static str>,
    /// The session that is believed to live.
    pub(crate) session: Option<Tokens>,
    /// Passwords that were good once, and are known not to be any more.
    pub(crate) former_passwords: Vec<String>,
}

impl TestUser {
    /// This password is good, and no other that ever was.
    pub(crate) fn set_password(&mut self, password: &str) {
        let others = self.password.values().into_iter().filter(|each| each != password);
        self.former_passwords.extend(others);
        self.password.set_certain(password.to_owned());
    }

    pub(crate) fn credentials(&self, password: &str) -> Credentials {
        Credentials { name: self.name.clone(), password: password.to_owned(), device: self.device.name.clone() }
    }
}

/// A key of a program, and whether it counts.
#[derive(Clone, Debug)]
pub(crate) struct TestApiKey {
    pub(crate) id: String,
    pub(crate) key: PortosKey,
    pub(crate) active: PossibleValues<bool>,
}

/// What went wrong.
#[derive(Debug, Default)]
pub(crate) struct AnomalyLog {
    anomalies: Mutex<Vec<String>>,
}

impl AnomalyLog {
    pub(crate) fn record(&self, anomaly: String) {
        println!("ANOMALY: {anomaly}");
        self.anomalies.lock().unwrap().push(anomaly);
    }

    /// What was noted since this was last asked.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.anomalies.lock().unwrap())
    }
}

/// A role that the office changes.
#[derive(Clone, Debug)]
pub(crate) struct TestRole {
    pub(crate) id: String,
    /// Whether it allows `storno`.
    pub(crate) storno: PossibleValues<bool>,
}

/// What may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) users: Vec<TestUser>,
    pub(crate) keys: Vec<TestApiKey>,
    pub(crate) roles: Vec<TestRole>,
    /// Tokens of sessions that were ended, by answered changes.
    pub(crate) ended_tokens: Vec<(TestDialect, Tokens)>,
    /// Tickets that were answered: the key of the request, which is the ticket's name too, and its id.
    pub(crate) tickets: Vec<(String, String)>,
}

/// An answer that decides something: no 503, and there is one. A server that was killed is given a minute to start again.
pub(crate) fn send_until_decided(server: &str, asked: &HttpRequest) -> HttpReply {
    let until = now() + Duration::from_mins(1);
    while now() < until {
        match asked.send(server, ORACLE_TIMEOUT) {
            Some(reply) if reply.status != 503 => return reply,
            _ => std::thread::sleep(Duration::from_millis(100)),
        }
    }
    panic!("no answer to {} {}", asked.method, asked.target)
}

impl Oracle {
    /// Asks the server about everything, or about what chance picks, and notes what is not as it may be. `admin` is the access token
    /// of somebody who may read everything.
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
        for victim in self.users.iter().filter(|_| picked()) {
            check_user(server, admin, victim, journal);
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

/// A session that was ended is over: each of its tokens is refused.
fn check_ended(server: &str, contract: TestDialect, tokens: &Tokens, journal: &AnomalyLog) {
    for (what, asked) in
        [("access", contract.current_session_request(&tokens.access)), ("refresh", contract.refresh_request(tokens))]
    {
        let status = send_until_decided(server, &asked).status;
        if status != 401 {
            journal.record(format!("the {what} token of an ended session ({contract:?}) is answered {status}"));
        }
    }
}

fn check_user(server: &str, admin: &str, victim: &TestUser, journal: &AnomalyLog) {
    let name = &victim.name;
    let shown =
        send_until_decided(server, &HttpRequest::new("GET", format!("/api/v1/users/{}", victim.id)).bearer(admin));
    if shown.status != 200 {
        return journal.record(format!("{name} cannot be read: {} {}", shown.status, shown.body));
    }
    let active = shown.text("/status") == "active";
    if !victim.active.may_be(&active) {
        journal.record(format!("{name} is {}, and may be active: {:?}", shown.text("/status"), victim.active));
    }
    let device = send_until_decided(
        server,
        &HttpRequest::new("GET", format!("/api/v1/devices/{}", victim.device.id)).bearer(admin),
    );
    if device.status != 200 || !victim.device_unlocked.may_be(&(device.text("/status") == "active")) {
        let status = device.text("/status");
        journal.record(format!("the device of {name} is {status}, and may be unlocked: {:?}", victim.device_unlocked));
    }
    let role = shown.text("/roles/0");
    if !["cashier", "manager"].iter().any(|may| *may == role && victim.role.may_be(may)) {
        journal.record(format!("{name} has the role {role}, and may have {:?}", victim.role));
    }
    if let (Some(tokens), Some(true), TestDialect::Native) = (&victim.session, victim.active.certain(), victim.dialect)
    {
        check_rights(server, victim, tokens, journal);
    }
    if victim.active.certain() == Some(&true)
        && let Some(password) = victim.password.certain()
    {
        let granted =
            send_until_decided(server, &TestDialect::Native.login_request(&office_credentials(victim, password)));
        match TestDialect::Native.parse_tokens(&granted) {
            Some(tokens) => drop(send_until_decided(server, &TestDialect::Native.logout_request(&tokens.access))),
            None => journal.record(format!("{name}'s password is refused: {} {}", granted.status, granted.body)),
        }
        if let Some(former) = victim.former_passwords.last() {
            let refused =
                send_until_decided(server, &TestDialect::Native.login_request(&office_credentials(victim, former)));
            if refused.status != 401 {
                journal.record(format!("a former password of {name} is answered {}", refused.status));
            }
        }
    }
}

/// Whether there is `storno` among the rights that are shown.
pub(crate) fn allows_storno(shown: &HttpReply) -> bool {
    shown.json()["rights"].as_array().is_some_and(|rights| rights.iter().any(|each| each == "storno"))
}

/// The office, where any number of sessions may be.
fn office_credentials(victim: &TestUser, password: &str) -> Credentials {
    Credentials { device: "OFFICE".to_owned(), ..victim.credentials(password) }
}

/// The rights of a session are those of the role.
pub(crate) fn check_rights(server: &str, victim: &TestUser, tokens: &Tokens, journal: &AnomalyLog) {
    let shown = send_until_decided(server, &TestDialect::Native.current_session_request(&tokens.access));
    if shown.status == 200 {
        let role = if allows_storno(&shown) { "manager" } else { "cashier" };
        if !victim.role.may_be(&role) {
            journal.record(format!("{} has the rights of a {role}, and may be {:?}", victim.name, victim.role));
        }
    }
}
