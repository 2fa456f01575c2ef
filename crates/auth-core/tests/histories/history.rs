//! A history: random events of a till, a thief and a server, and whether each property held.

mod presenting;

use std::collections::BTreeMap;
use std::time::Duration;

use tillgate_domain::Instant;
use tillgate_testkit::Random;

use crate::OVERLAP;
use crate::kind::{HistoryCounts, Kind, PropertyViolation, violation};
use crate::server::{Access, Server, Start};
use crate::till::{Thread, Till};

/// The time-out of the client: the longest time from a request to its stored response. A request
/// may arrive this late, whether or not its thread still waits. Three eighths of the grace period,
/// because a response that is repeated for a client that never had it is not rotated for three
/// quarters of it.
const LATENCY: Duration = Duration::from_secs(45);

/// The number of events in one history.
const EVENTS: usize = 250;

struct Request {
    thread: usize,
    attempt: u32,
    presented: i64,
    sent: Duration,
}

struct Response {
    thread: usize,
    attempt: u32,
    access: Access,
    sent: Duration,
}

#[allow(clippy::struct_excessive_bools, reason = "each is apart from the others")]
pub(crate) struct History<S> {
    kind: Kind,
    random: Random,
    server: S,
    till: Till,
    /// The token of the thief.
    loot: Option<Access>,
    /// Whether the thief has done more than copy.
    stolen: bool,
    now: Duration,
    requests: Vec<Request>,
    responses: Vec<Response>,
    /// When each generation was first used.
    used: BTreeMap<i64, Duration>,
    /// When each process last accepted a previous token as a lost response, and of which
    /// generation.
    forgiven: Vec<Option<(i64, Duration)>>,
    /// The latest end of the session under its terms.
    bound: Instant,
    created: Instant,
    idle: Duration,
    absolute: Option<Duration>,
    ended: bool,
    /// The state of the last two in the backup.
    backup: Option<(Instant, bool, i64)>,
    over: bool,
    counted: HistoryCounts,
    traces: bool,
}

impl<S: Server> History<S> {
    pub(crate) fn new(kind: Kind, random: Random, server: S) -> Self {
        let (created, first) = server.login();
        let terms = server.terms();
        let mut history = Self {
            kind,
            random,
            till: Till::new(first, kind.threads, kind.careless),
            loot: None,
            stolen: false,
            now: Duration::ZERO,
            requests: Vec::new(),
            responses: Vec::new(),
            used: BTreeMap::new(),
            forgiven: vec![None; server.processes()],
            bound: created,
            created,
            idle: terms.idle,
            absolute: terms.absolute,
            ended: false,
            backup: None,
            over: false,
            counted: HistoryCounts { histories: 1, ..HistoryCounts::default() },
            traces: std::env::var_os("HISTORIES_SEED").is_some(),
            server,
        };
        history.bound = history.bound_from(created);
        history
    }

    pub(crate) fn run(mut self) -> Result<HistoryCounts, PropertyViolation> {
        for _ in 0..EVENTS {
            self.happen()?;
            if self.over {
                break;
            }
        }
        Ok(self.counted)
    }

    fn trace(&self, what: impl FnOnce() -> String) {
        if self.traces {
            println!("{:>12.3?} {}", self.now, what());
        }
    }

    fn happen(&mut self) -> Result<(), PropertyViolation> {
        let kind = self.kind;
        match self.random.below(200) {
            0..=35 => self.send_request(),
            36..=71 => return self.receive_request(),
            72..=77 if !self.requests.is_empty() => {
                let lost = self.random.below(self.requests.len());
                self.requests.swap_remove(lost);
                self.counted.lost += 1;
            }
            78..=107 => return self.receive_response(),
            108..=113 if !self.responses.is_empty() => {
                let lost = self.random.below(self.responses.len());
                self.responses.swap_remove(lost);
                self.counted.lost += 1;
            }
            114..=137 => {
                let thread = self.random.below(kind.threads);
                self.till.store(thread);
            }
            138..=153 => return self.work(),
            154..=156 => {
                self.trace(|| "the till is killed".to_owned());
                self.till.kill();
            }
            157..=160 => {
                let thread = self.random.below(kind.threads);
                if matches!(self.till.threads[thread], Thread::Waiting) {
                    self.till.abort(thread);
                }
            }
            161..=178 => self.wait(),
            179..=180 => {
                let process = self.process();
                self.server.write_activity(process);
            }
            181..=182 if kind.restarts => self.restart(),
            199 if kind.outages && self.random.once_in(2) => self.outage(),
            199 if kind.failovers => self.fail_over(),
            183..=184 if kind.steps => self.step(),
            185 if kind.back => {
                self.server.back_up();
                self.backup = Some((self.bound, self.ended, self.server.seen(0).generation));
            }
            186 if kind.back => self.go_back(),
            187..=188 if kind.thief => self.loot = Some(self.till.stored.clone()),
            189..=194 if kind.thief => return self.steal(),
            195..=197 if kind.thief => return self.use_stolen_token(),
            198 if self.random.once_in(3) => {
                self.trace(|| "the session is ended".to_owned());
                self.server.end();
                self.ended = true;
                self.counted.ended += 1;
            }
            _ => {}
        }
        Ok(())
    }

    fn process(&mut self) -> usize {
        self.random.below(self.server.processes())
    }

    fn send_request(&mut self) {
        let thread = self.random.below(self.kind.threads);
        if matches!(self.till.threads[thread], Thread::Idle) {
            self.till.attempts[thread] += 1;
            // A thread that reads once for all attempts has as long for all of them as others have
            // for each.
            let read = self.till.read[thread].filter(|(_, at)| self.kind.reads_once && *at + LATENCY >= self.now);
            let (presented, sent) = read.unwrap_or((self.till.stored.generation, self.now));
            self.till.read[thread] = Some((presented, sent));
            let attempt = self.till.attempts[thread];
            self.till.threads[thread] = Thread::Waiting;
            self.requests.push(Request { thread, attempt, presented, sent });
            self.trace(|| format!("thread {thread} sends {presented}"));
        }
    }

    /// A request of the till arrives, whether or not its thread still waits.
    fn receive_request(&mut self) -> Result<(), PropertyViolation> {
        if self.requests.is_empty() {
            return Ok(());
        }
        let at = self.random.below(self.requests.len());
        let Request { thread, attempt, presented, sent } = self.requests.swap_remove(at);
        if self.kind.prompt && !self.till.waits(thread, attempt) {
            return Ok(());
        }
        match self.present("the till", presented)? {
            Some(access) => self.responses.push(Response { thread, attempt, access, sent }),
            None if self.till.waits(thread, attempt) => self.till.abort(thread),
            None => {}
        }
        Ok(())
    }

    /// A response arrives at the till.
    fn receive_response(&mut self) -> Result<(), PropertyViolation> {
        if self.responses.is_empty() {
            return Ok(());
        }
        let at = self.random.below(self.responses.len());
        let Response { thread, attempt, access, sent } = self.responses.swap_remove(at);
        if self.till.waits(thread, attempt) {
            self.trace(|| format!("thread {thread} receives {}", access.generation));
            self.till.threads[thread] = Thread::Holding(access.clone(), sent);
            if self.till.careless {
                return self.call(&access);
            }
        }
        Ok(())
    }

    /// The till works: it uses what it has stored.
    fn work(&mut self) -> Result<(), PropertyViolation> {
        let access = self.till.stored.clone();
        self.call(&access)
    }

    fn call(&mut self, access: &Access) -> Result<(), PropertyViolation> {
        let process = self.process();
        let seen = self.server.seen(process);
        let good = self.server.call(process, access);
        self.trace(|| format!("{} is used at {process}: {good}", access.generation));
        if good && (self.ended || seen.now >= access.expires_at) {
            return Err(violation(1, "an access token outlives its session or itself"));
        }
        if good {
            self.used.entry(access.generation).or_insert(self.now);
        }
        Ok(())
    }

    fn steal(&mut self) -> Result<(), PropertyViolation> {
        let Some(loot) = self.loot.clone() else { return Ok(()) };
        self.stolen = true;
        self.counted.stolen += 1;
        if let Some(access) = self.present("the thief", loot.generation)?
            && !self.random.once_in(4)
        {
            self.loot = Some(access);
        }
        Ok(())
    }

    fn use_stolen_token(&mut self) -> Result<(), PropertyViolation> {
        match self.loot.clone() {
            Some(loot) => {
                self.stolen = true;
                self.call(&loot)
            }
            None => Ok(()),
        }
    }

    /// Time passes. What was on its way for too long is lost, and the thread that waited for it
    /// gives up.
    fn wait(&mut self) {
        let seconds = Duration::from_secs;
        let most = self.random.pick(&[1, 1, 5, 5, 20, 60, 60, 125, 125, 1000, 4000, 20_000].map(seconds));
        let span = if self.random.once_in(8) { OVERLAP } else { self.random.duration_up_to(most) };
        self.now += span;
        self.server.advance(span);
        let late = |sent: Duration| sent + LATENCY < self.now;
        let given_up: Vec<_> = (self.requests.iter().map(|each| (each.thread, each.attempt, each.sent)))
            .chain(self.responses.iter().map(|each| (each.thread, each.attempt, each.sent)))
            .filter(|(.., sent)| late(*sent))
            .collect();
        self.requests.retain(|each| !late(each.sent));
        self.responses.retain(|each| !late(each.sent));
        for (thread, attempt, _) in given_up {
            if self.till.waits(thread, attempt) {
                self.till.abort(thread);
            }
        }
        for thread in 0..self.kind.threads {
            if matches!(self.till.threads[thread], Thread::Holding(_, sent) if late(sent)) {
                self.till.abort(thread);
            }
        }
    }

    /// How a process restarts, possibly with a clock that was set in between.
    fn start(&mut self) -> Start {
        let spans = [50, 90, 600, 4000, 100_000, 700_000].map(Duration::from_secs);
        let step =
            (self.kind.steps && self.random.once_in(2)).then(|| (self.random.pick(&spans), self.random.once_in(2)));
        Start { step, reboot: self.random.once_in(4) }
    }

    fn restart(&mut self) {
        let process = self.process();
        let start = if self.kind.clocked || self.server.processes() == 1 {
            self.start()
        } else if self.server.in_doubt() {
            // Of two processes on one machine, the later one would doubt its clock for longer.
            return;
        } else {
            Start::default()
        };
        self.trace(|| format!("process {process} restarts: {start:?}"));
        self.server.restart(process, start);
        self.counted.restarted += 1;
    }

    /// No process serves for a while. Threads that wait for a response lose it.
    fn stop_serving(&mut self) {
        let span =
            self.random.pick(&[OVERLAP, OVERLAP, 3 * OVERLAP, 30 * OVERLAP]) + self.random.duration_up_to(OVERLAP);
        self.requests.clear();
        self.responses.clear();
        for thread in 0..self.kind.threads {
            if !matches!(self.till.threads[thread], Thread::Idle) {
                self.till.abort(thread);
            }
        }
        self.now += span;
        self.server.advance(span);
        // A thread has as long for its attempts as it is served.
        for (_, at) in self.till.read.iter_mut().flatten() {
            *at += span;
        }
        self.trace(|| format!("nobody was served for {span:?}"));
    }

    /// All processes die, and restart after a while.
    fn outage(&mut self) {
        self.stop_serving();
        for process in 0..self.server.processes() {
            // Processes on one machine start at the same time, with the same clock.
            let start = if self.kind.clocked || process == 0 { self.start() } else { Start::default() };
            self.trace(|| format!("process {process} restarts: {start:?}"));
            self.server.restart(process, start);
        }
        self.counted.outages += 1;
    }

    /// The database server is lost, and another one takes over after a while.
    fn fail_over(&mut self) {
        self.stop_serving();
        self.trace(|| "another server takes over".to_owned());
        self.server.fail_over();
        self.counted.failovers += 1;
    }

    fn step(&mut self) {
        let (process, forward) = (self.process(), self.random.once_in(2));
        let span = self.random.pick(&[20, 50, 90, 600, 10_000, 200_000].map(Duration::from_secs));
        if self.kind.clocked && self.random.once_in(2) {
            self.trace(|| format!("the clock of the store is set by {span:?}, forward {forward}"));
            self.server.step_store((span, forward));
            self.counted.store_stepped += 1;
            return;
        }
        self.trace(|| format!("the clock of {process} is set by {span:?}, forward {forward}"));
        self.server.step(process, (span, forward));
        self.counted.stepped += 1;
    }

    fn go_back(&mut self) {
        if let Some((bound, ended, generation)) = self.backup
            && self.server.go_back()
        {
            self.trace(|| format!("the store goes back to {generation}"));
            (self.bound, self.ended) = (bound, ended);
            self.used.retain(|used, _| *used <= generation);
            self.forgiven.fill(None);
            self.counted.went_back += 1;
        }
    }
}
