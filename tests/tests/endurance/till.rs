//! A till that keeps the rules of `docs/tills.md`: two threads over one file, each of which stores an answer before it uses it, and
//! reads the file again before it asks anew.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tillgate_tests::now;

use crate::chance::Chance;
use crate::contract::{Account, Contract, Tokens};
use crate::oracle::decided;
use crate::wire::{Asked, Reply};
use crate::world::World;

/// In a thousand answers to a refresh, so many are lost by a crash of the till.
const CRASHES: usize = 10;

/// A till.
pub(crate) struct Till {
    pub(crate) contract: Contract,
    pub(crate) account: Account,
    /// What it has stored.
    file: Mutex<Option<Tokens>>,
    tickets: AtomicUsize,
}

/// What came of asking with an access token.
enum Called {
    Done(Reply),
    /// No answer that decides anything.
    Nothing,
    /// The access token is refused.
    Refused,
}

impl Till {
    pub(crate) fn new(contract: Contract, account: Account) -> Self {
        Self { contract, account, file: Mutex::default(), tickets: AtomicUsize::new(0) }
    }

    pub(crate) fn read(&self) -> Option<Tokens> {
        self.file.lock().unwrap().clone()
    }

    fn store(&self, tokens: Tokens) {
        *self.file.lock().unwrap() = Some(tokens);
    }

    /// Logs in, where nobody has yet.
    pub(crate) fn log_in(&self, world: &World) {
        let mut file = self.file.lock().unwrap();
        if file.is_some() {
            return;
        }
        let reply = self.contract.log_in(&self.account).ask(world.address(), Duration::from_secs(10));
        match reply {
            None => world.count(|counts| &counts.unanswered),
            Some(reply) if reply.status == 503 => world.count(|counts| &counts.unanswered),
            Some(reply) => match self.contract.tokens(&reply) {
                Some(tokens) => *file = Some(tokens),
                None => world.journal.note(format!("{self}: a login was answered {} {}", reply.status, reply.body)),
            },
        }
    }

    /// One of its threads.
    pub(crate) fn run(&self, world: &World, mut chance: Chance) {
        let mut pending = None;
        while world.goes_on() {
            match self.read() {
                None => self.log_in(world),
                Some(tokens) => self.work(world, &tokens, &mut chance, &mut pending),
            }
            std::thread::sleep(chance.between(5, world.plan.pause));
        }
    }

    fn work(&self, world: &World, tokens: &Tokens, chance: &mut Chance, pending: &mut Option<String>) {
        let refused = match chance.below(10) {
            0..2 => true,
            2..4 if self.contract == Contract::Native => self.sell(world, tokens, pending),
            _ => matches!(call(world, &self.contract.who(&tokens.access)), Called::Refused),
        };
        if refused {
            self.refresh(world, chance);
        }
    }

    /// Opens a ticket by a key that counts once, and asks by the same key until it is answered. True where the token is refused.
    fn sell(&self, world: &World, tokens: &Tokens, pending: &mut Option<String>) -> bool {
        let key = pending
            .get_or_insert_with(|| format!("{}-{}", self.account.name, self.tickets.fetch_add(1, Ordering::Relaxed)));
        let items = json!([{ "unit_price": "3.50", "quantity": "2" }]);
        let asked = Asked::new("POST", "/api/v1/tickets")
            .bearer(&tokens.access)
            .header("idempotency-key", key.clone())
            .json(&json!({ "currency": "EUR", "name": key, "items": items }));
        match call(world, &asked) {
            Called::Refused => return true,
            Called::Nothing => {}
            Called::Done(reply) if reply.status == 201 => {
                world.oracle.lock().unwrap().tickets.push((key.clone(), reply.text("/id")));
                *pending = None;
            }
            Called::Done(reply) => {
                world.journal.note(format!("{self}: a ticket was answered {} {}", reply.status, reply.body));
                *pending = None;
            }
        }
        false
    }

    /// Refreshes by what is in the file.
    pub(crate) fn refresh(&self, world: &World, chance: &mut Chance) {
        let began = now();
        let Some(sent) = self.read() else { return };
        match self.contract.refresh(&sent).ask(world.address(), world.plan.limit) {
            Some(reply) if reply.status == 200 => match self.contract.tokens(&reply) {
                // it is lost with the till that crashes; or it comes too late, and the till has stopped waiting for it
                Some(_) if chance.in_thousand(CRASHES) => std::thread::sleep(chance.between(100, 1500)),
                Some(_) if began.elapsed() > world.plan.limit => world.count(|counts| &counts.unanswered),
                Some(tokens) => {
                    self.store(tokens);
                    world.count(|counts| &counts.refreshed);
                }
                None => world.journal.note(format!("{self}: a refresh was answered without tokens: {}", reply.body)),
            },
            Some(reply) if reply.status == 401 => {
                world.journal.note(format!("{self}: logged out: {}", reply.body));
                *self.file.lock().unwrap() = None;
            }
            Some(reply) if ![408, 503].contains(&reply.status) => {
                world.journal.note(format!("{self}: a refresh was answered {} {}", reply.status, reply.body));
            }
            _ => {
                world.count(|counts| &counts.unanswered);
                std::thread::sleep(chance.between(50, 300));
            }
        }
    }

    /// What no till may do: uses an answer, loses it, and comes back with what it had before.
    pub(crate) fn break_the_rule(&self, world: &World) {
        let stale = self.read().unwrap();
        let fresh = self.contract.tokens(&decided(world.address(), &self.contract.refresh(&stale))).unwrap();
        assert_ne!(stale, fresh, "it has rotated");
        assert_eq!(decided(world.address(), &self.contract.who(&fresh.access)).status, 200);
        std::thread::sleep(world.plan.overlap + world.plan.overlap / 2);
        self.refresh(world, &mut Chance::of(0));
    }
}

impl std::fmt::Display for Till {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {}", self.contract, self.account.name)
    }
}

fn call(world: &World, asked: &Asked) -> Called {
    match asked.ask(world.address(), world.plan.limit) {
        Some(reply) if reply.status == 401 => Called::Refused,
        Some(reply) if matches!(reply.status, 200 | 201) => {
            world.count(|counts| &counts.answered);
            Called::Done(reply)
        }
        Some(reply) if ![408, 503].contains(&reply.status) => {
            world
                .journal
                .note(format!("{} {} was answered {} {}", asked.method, asked.target, reply.status, reply.body));
            Called::Nothing
        }
        _ => {
            world.count(|counts| &counts.unanswered);
            Called::Nothing
        }
    }
}
