//! A till that follows the rules of `docs/tills.md`: two threads that share a file, each of which
//! stores a response before it uses it, and reads the file again before the next refresh.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tillgate_testkit::Random;
use tillgate_tests::now;

use crate::dialect::{Credentials, TestDialect, Tokens};
use crate::http::{HttpReply, HttpRequest};
use crate::oracle::send_until_decided;
use crate::simulation::Simulation;

/// Of a thousand responses to a refresh, so many are lost in a crash of the till.
const CRASHES_PER_MILLE: usize = 10;

/// A till with its contract and credentials.
pub(crate) struct Till {
    pub(crate) dialect: TestDialect,
    pub(crate) credentials: Credentials,
    /// The stored tokens.
    file: Mutex<Option<Tokens>>,
    tickets: AtomicUsize,
}

/// The outcome of a request with an access token.
enum CallOutcome {
    Done(HttpReply),
    /// There was no response that decides.
    Undecided,
    /// The access token was rejected.
    Refused,
}

impl Till {
    pub(crate) fn new(contract: TestDialect, account: Credentials) -> Self {
        Self { dialect: contract, credentials: account, file: Mutex::default(), tickets: AtomicUsize::new(0) }
    }

    pub(crate) fn read_tokens(&self) -> Option<Tokens> {
        self.file.lock().unwrap().clone()
    }

    fn store_tokens(&self, tokens: Tokens) {
        *self.file.lock().unwrap() = Some(tokens);
    }

    /// Logs in if there is no session yet.
    pub(crate) fn log_in(&self, world: &Simulation) {
        let mut file = self.file.lock().unwrap();
        if file.is_some() {
            return;
        }
        let reply = self.dialect.login_request(&self.credentials).send(world.address(), Duration::from_secs(10));
        match reply {
            None => world.increment(|counts| &counts.unanswered),
            Some(reply) if reply.status == 503 => world.increment(|counts| &counts.unanswered),
            Some(reply) => match self.dialect.parse_tokens(&reply) {
                Some(tokens) => *file = Some(tokens),
                None => world.anomalies.record(format!("{self}: a login was answered {} {}", reply.status, reply.body)),
            },
        }
    }

    /// One of the till's threads.
    pub(crate) fn run_thread(&self, world: &Simulation, mut random: Random) {
        let mut pending = None;
        while world.is_running() {
            match self.read_tokens() {
                None => self.log_in(world),
                Some(tokens) => self.run_step(world, &tokens, &mut random, &mut pending),
            }
            std::thread::sleep(random.millis_between(5, world.plan.max_pause_millis));
        }
    }

    fn run_step(&self, world: &Simulation, tokens: &Tokens, random: &mut Random, pending: &mut Option<String>) {
        let refused = match random.below(10) {
            0..2 => true,
            2..4 if self.dialect == TestDialect::Native => self.open_ticket(world, tokens, pending),
            _ => {
                matches!(send_call(world, &self.dialect.current_session_request(&tokens.access)), CallOutcome::Refused)
            }
        };
        if refused {
            self.refresh(world, random);
        }
    }

    /// Opens a ticket with an idempotency key, and repeats the request with the same key until it
    /// is answered. Returns true if the token is rejected.
    fn open_ticket(&self, world: &Simulation, tokens: &Tokens, pending: &mut Option<String>) -> bool {
        let key = pending.get_or_insert_with(|| {
            format!("{}-{}", self.credentials.name, self.tickets.fetch_add(1, Ordering::Relaxed))
        });
        let items = json!([{ "unit_price": "3.50", "quantity": "2" }]);
        let request = HttpRequest::new("POST", "/api/v1/tickets")
            .bearer(&tokens.access)
            .header("idempotency-key", key.clone())
            .json(&json!({ "currency": "EUR", "name": key, "items": items }));
        match send_call(world, &request) {
            CallOutcome::Refused => return true,
            CallOutcome::Undecided => {}
            CallOutcome::Done(reply) if reply.status == 201 => {
                world.oracle.lock().unwrap().tickets.push((key.clone(), reply.text("/id")));
                *pending = None;
            }
            CallOutcome::Done(reply) => {
                world.anomalies.record(format!("{self}: a ticket was answered {} {}", reply.status, reply.body));
                *pending = None;
            }
        }
        false
    }

    /// Refreshes with the token in the file.
    pub(crate) fn refresh(&self, world: &Simulation, random: &mut Random) {
        let began = now();
        let Some(sent) = self.read_tokens() else { return };
        match self.dialect.refresh_request(&sent).send(world.address(), world.plan.response_limit) {
            Some(reply) if reply.status == 200 => match self.dialect.parse_tokens(&reply) {
                // the response is lost with the crashed till, or it comes too late and the till has
                // stopped waiting
                Some(_) if random.in_thousand(CRASHES_PER_MILLE) => {
                    std::thread::sleep(random.millis_between(100, 1500));
                }
                Some(_) if began.elapsed() > world.plan.response_limit => world.increment(|counts| &counts.unanswered),
                Some(tokens) => {
                    self.store_tokens(tokens);
                    world.increment(|counts| &counts.refreshed);
                }
                None => {
                    world.anomalies.record(format!("{self}: a refresh was answered without tokens: {}", reply.body));
                }
            },
            Some(reply) if reply.status == 401 => {
                world.anomalies.record(format!("{self}: logged out: {}", reply.body));
                *self.file.lock().unwrap() = None;
            }
            Some(reply) if ![408, 503].contains(&reply.status) => {
                world.anomalies.record(format!("{self}: a refresh was answered {} {}", reply.status, reply.body));
            }
            _ => {
                world.increment(|counts| &counts.unanswered);
                std::thread::sleep(random.millis_between(50, 300));
            }
        }
    }

    /// What no till may do: uses a response, loses it, and continues with the earlier tokens.
    pub(crate) fn reuse_lost_tokens(&self, world: &Simulation) {
        let stale = self.read_tokens().unwrap();
        let fresh = self
            .dialect
            .parse_tokens(&send_until_decided(world.address(), &self.dialect.refresh_request(&stale)))
            .unwrap();
        assert_ne!(stale, fresh, "it has rotated");
        assert_eq!(
            send_until_decided(world.address(), &self.dialect.current_session_request(&fresh.access)).status,
            200
        );
        std::thread::sleep(world.plan.overlap + world.plan.overlap / 2);
        self.refresh(world, &mut Random::from_seed(0));
    }
}

impl std::fmt::Display for Till {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {}", self.dialect, self.credentials.name)
    }
}

fn send_call(world: &Simulation, request: &HttpRequest) -> CallOutcome {
    match request.send(world.address(), world.plan.response_limit) {
        Some(reply) if reply.status == 401 => CallOutcome::Refused,
        Some(reply) if matches!(reply.status, 200 | 201) => {
            world.increment(|counts| &counts.answered);
            CallOutcome::Done(reply)
        }
        Some(reply) if ![408, 503].contains(&reply.status) => {
            world
                .anomalies
                .record(format!("{} {} was answered {} {}", request.method, request.target, reply.status, reply.body));
            CallOutcome::Undecided
        }
        _ => {
            world.increment(|counts| &counts.unanswered);
            CallOutcome::Undecided
        }
    }
}
