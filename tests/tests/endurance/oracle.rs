//! What was answered must stand; what was not answered may be either. The oracle knows what may be, and asks the server whether it is.

use std::sync::Mutex;
use std::time::Duration;

use tillgate_tests::{PortosKey, now};

use crate::contract::{Account, Contract, Tokens};
use crate::program::signed;
use crate::wire::{Asked, Reply};

/// How long the oracle waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Something that the server keeps, as it may be.
#[derive(Clone, Debug)]
pub(crate) struct Fact<T>(Vec<T>);

impl<T: Clone + PartialEq> Fact<T> {
    pub(crate) fn of(value: T) -> Self {
        Self(vec![value])
    }

    /// A change was tried: until it is answered, both may be.
    pub(crate) fn tried(&mut self, value: T) {
        self.0.push(value);
    }

    /// It is this: a change was answered, or was seen.
    pub(crate) fn is(&mut self, value: T) {
        self.0 = vec![value];
    }

    pub(crate) fn certain(&self) -> Option<&T> {
        let first = self.0.first()?;
        self.0.iter().all(|each| each == first).then_some(first)
    }

    /// The change that was tried last was refused: it was not done.
    pub(crate) fn gave_up(&mut self, value: &T) {
        if self.0.len() > 1 && self.0.last() == Some(value) {
            self.0.pop();
        }
    }

    /// Everything that may be.
    pub(crate) fn all(&self) -> Vec<T> {
        self.0.clone()
    }

    pub(crate) fn may_be(&self, value: &T) -> bool {
        self.0.contains(value)
    }
}

/// A device by its name and its id.
#[derive(Clone, Debug)]
pub(crate) struct Employed {
    pub(crate) name: String,
    pub(crate) id: String,
}

/// A user to whom the office does everything.
#[derive(Clone, Debug)]
pub(crate) struct Victim {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) device: Employed,
    pub(crate) contract: Contract,
    pub(crate) password: Fact<String>,
    pub(crate) active: Fact<bool>,
    /// Whether the device may be used.
    pub(crate) unlocked: Fact<bool>,
    pub(crate) role: Fact<&'static str>,
    /// The session that is believed to live.
    pub(crate) session: Option<Tokens>,
    /// Passwords that were good once, and are known not to be any more.
    pub(crate) former: Vec<String>,
}

impl Victim {
    /// This password is good, and no other that ever was.
    pub(crate) fn knows(&mut self, password: &str) {
        let others = self.password.all().into_iter().filter(|each| each != password);
        self.former.extend(others);
        self.password.is(password.to_owned());
    }

    pub(crate) fn account(&self, password: &str) -> Account {
        Account { name: self.name.clone(), password: password.to_owned(), device: self.device.name.clone() }
    }
}

/// A key of a program, and whether it counts.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) key: PortosKey,
    pub(crate) active: Fact<bool>,
}

/// What went wrong.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    anomalies: Mutex<Vec<String>>,
}

impl Journal {
    pub(crate) fn note(&self, anomaly: String) {
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
pub(crate) struct Changing {
    pub(crate) id: String,
    /// Whether it allows `storno`.
    pub(crate) storno: Fact<bool>,
}

/// What may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) victims: Vec<Victim>,
    pub(crate) keys: Vec<Held>,
    pub(crate) roles: Vec<Changing>,
    /// Tokens of sessions that were ended, by answered changes.
    pub(crate) dead: Vec<(Contract, Tokens)>,
    /// Tickets that were answered: the key of the request, which is the ticket's name too, and its id.
    pub(crate) tickets: Vec<(String, String)>,
}

/// An answer that decides something: no 503, and there is one. A server that was killed is given a minute to start again.
pub(crate) fn decided(server: &str, asked: &Asked) -> Reply {
    let until = now() + Duration::from_mins(1);
    while now() < until {
        match asked.ask(server, PATIENCE) {
            Some(reply) if reply.status != 503 => return reply,
            _ => std::thread::sleep(Duration::from_millis(100)),
        }
    }
    panic!("no answer to {} {}", asked.method, asked.target)
}

impl Oracle {
    /// Asks the server about everything, or about what chance picks, and notes what is not as it may be. `admin` is the access token
    /// of somebody who may read everything.
    pub(crate) fn check(&self, server: &str, admin: &str, journal: &Journal, mut picked: impl FnMut() -> bool) {
        for (contract, tokens) in self.dead.iter().filter(|_| picked()) {
            ended(server, *contract, tokens, journal);
        }
        for (key, id) in self.tickets.iter().filter(|_| picked()) {
            let found = decided(server, &Asked::new("GET", format!("/api/v1/tickets/{id}")).bearer(admin));
            if found.status != 200 || found.text("/name") != *key {
                journal.note(format!("the ticket {key} that was answered is lost: {} {}", found.status, found.body));
            }
        }
        for victim in self.victims.iter().filter(|_| picked()) {
            check_victim(server, admin, victim, journal);
        }
        for role in &self.roles {
            let shown = decided(server, &Asked::new("GET", format!("/api/v1/roles/{}", role.id)).bearer(admin));
            if shown.status != 200 || !role.storno.may_be(&allows_storno(&shown)) {
                journal
                    .note(format!("the role {} is {}, and may allow storno: {:?}", role.id, shown.body, role.storno));
            }
        }
        for held in &self.keys {
            let status = decided(server, &signed(&held.key, server)).status;
            if !held.active.may_be(&(status == 200)) {
                journal.note(format!("the API key {} is answered {status}, and may be {:?}", held.id, held.active));
            }
        }
    }
}

/// A session that was ended is over: each of its tokens is refused.
fn ended(server: &str, contract: Contract, tokens: &Tokens, journal: &Journal) {
    for (what, asked) in [("access", contract.who(&tokens.access)), ("refresh", contract.refresh(tokens))] {
        let status = decided(server, &asked).status;
        if status != 401 {
            journal.note(format!("the {what} token of an ended session ({contract:?}) is answered {status}"));
        }
    }
}

fn check_victim(server: &str, admin: &str, victim: &Victim, journal: &Journal) {
    let name = &victim.name;
    let shown = decided(server, &Asked::new("GET", format!("/api/v1/users/{}", victim.id)).bearer(admin));
    if shown.status != 200 {
        return journal.note(format!("{name} cannot be read: {} {}", shown.status, shown.body));
    }
    let active = shown.text("/status") == "active";
    if !victim.active.may_be(&active) {
        journal.note(format!("{name} is {}, and may be active: {:?}", shown.text("/status"), victim.active));
    }
    let device = decided(server, &Asked::new("GET", format!("/api/v1/devices/{}", victim.device.id)).bearer(admin));
    if device.status != 200 || !victim.unlocked.may_be(&(device.text("/status") == "active")) {
        let status = device.text("/status");
        journal.note(format!("the device of {name} is {status}, and may be unlocked: {:?}", victim.unlocked));
    }
    let role = shown.text("/roles/0");
    if !["cashier", "manager"].iter().any(|may| *may == role && victim.role.may_be(may)) {
        journal.note(format!("{name} has the role {role}, and may have {:?}", victim.role));
    }
    if let (Some(tokens), Some(true), Contract::Native) = (&victim.session, victim.active.certain(), victim.contract) {
        check_rights(server, victim, tokens, journal);
    }
    if victim.active.certain() == Some(&true)
        && let Some(password) = victim.password.certain()
    {
        let granted = decided(server, &Contract::Native.log_in(&office(victim, password)));
        match Contract::Native.tokens(&granted) {
            Some(tokens) => drop(decided(server, &Contract::Native.log_out(&tokens.access))),
            None => journal.note(format!("{name}'s password is refused: {} {}", granted.status, granted.body)),
        }
        if let Some(former) = victim.former.last() {
            let refused = decided(server, &Contract::Native.log_in(&office(victim, former)));
            if refused.status != 401 {
                journal.note(format!("a former password of {name} is answered {}", refused.status));
            }
        }
    }
}

/// Whether there is `storno` among the rights that are shown.
pub(crate) fn allows_storno(shown: &Reply) -> bool {
    shown.json()["rights"].as_array().is_some_and(|rights| rights.iter().any(|each| each == "storno"))
}

/// The office, where any number of sessions may be.
fn office(victim: &Victim, password: &str) -> Account {
    Account { device: "OFFICE".to_owned(), ..victim.account(password) }
}

/// The rights of a session are those of the role.
pub(crate) fn check_rights(server: &str, victim: &Victim, tokens: &Tokens, journal: &Journal) {
    let shown = decided(server, &Contract::Native.who(&tokens.access));
    if shown.status == 200 {
        let role = if allows_storno(&shown) { "manager" } else { "cashier" };
        if !victim.role.may_be(&role) {
            journal.note(format!("{} has the rights of a {role}, and may be {:?}", victim.name, victim.role));
        }
    }
}
