//! A server in a few lines: one session, its rows, and what each process remembers. It asks the judge and carries out the verdict.

use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::clock::{Clock, Timekeeper};
use tillgate_auth_core::judge::{Presenter, Verdict, Witness};
use tillgate_auth_core::ports::Standing;
use tillgate_auth_core::{Dialect, Epochs, Proved, Session, SessionKind, TokenRefusal};
use tillgate_domain::{
    DeviceId, DeviceStatus, EndedWhy, Instant, KeyId, SessionId, TenantId, UserId, UserStatus, Zone,
};
use tillgate_testkit::ManualClock;
use tillgate_testkit::clock::MORNING;
use uuid::Uuid;

use crate::server::{Access, Reply, Seen, Server, Terms};

pub(crate) type Judge = fn(&Standing, i64, &Presenter<'_>, &Witness, Instant) -> Verdict;

struct Process {
    clock: Arc<ManualClock>,
    time: Timekeeper,
    used: i64,
    /// Which generation it rotated to, what it wrote of when, and when.
    rotated: Option<(i64, Instant, Duration)>,
}

impl Process {
    fn new(newest: Option<Instant>, clock: Arc<ManualClock>) -> Self {
        Self { time: Timekeeper::start(clock.clone(), newest), clock, used: 0, rotated: None }
    }

    /// How long ago it wrote what the store says of the session.
    fn age(&self, session: &Session) -> Option<Duration> {
        let (generation, wrote, at) = self.rotated?;
        let own = generation == session.generation && Some(wrote) >= session.rotated_at;
        own.then(|| self.clock.monotonic() - at)
    }
}

pub(crate) struct Model {
    judge: Judge,
    dialect: Dialect,
    terms: Terms,
    standing: Standing,
    backup: Option<Session>,
    processes: Vec<Process>,
}

/// A session that was made in the morning, and what decides whether it stands.
pub(crate) fn standing(terms: Terms) -> Standing {
    let key = KeyId(Uuid::nil());
    let session = Session {
        id: SessionId(Uuid::nil()),
        tenant: TenantId(Uuid::nil()),
        kind: SessionKind::Person,
        user: Some(UserId(Uuid::nil())),
        device: Some(DeviceId(Uuid::nil())),
        parent: None,
        dialect: Dialect::new("native"),
        terms: terms.whole(),
        generation: 1,
        key,
        previous_key: key,
        used: 0,
        epochs: Epochs::default(),
        proved: Proved { methods: "pwd".to_owned(), at: MORNING },
        address: None,
        rotated_from: None,
        thumbprint: None,
        created_at: MORNING,
        rotated_at: None,
        last_used_at: None,
        expires_at: terms.whole().session_expiry(MORNING, MORNING, &Zone::UTC),
        ended: None,
    };
    Standing {
        session,
        epochs: Epochs::default(),
        user: Some(UserStatus::Active),
        device: Some(DeviceStatus::Active),
        zone: Zone::UTC,
    }
}

impl Model {
    pub(crate) fn new(judge: Judge, terms: Terms, processes: usize) -> Self {
        let (standing, dialect) = (standing(terms), Dialect::new("native"));
        let processes = (0..processes).map(|_| Process::new(None, Arc::new(ManualClock::default()))).collect();
        Self { judge, dialect, terms, standing, backup: None, processes }
    }

    fn grant(&self, now: Instant) -> Access {
        let session = &self.standing.session;
        let expires_at = session.terms.access_expiry(session.expires_at, now);
        Access { generation: session.generation, expires_at, token: String::new() }
    }
}

impl Server for Model {
    fn login(&self) -> (Instant, Access) {
        (MORNING, self.grant(MORNING))
    }

    fn terms(&self) -> Terms {
        self.terms
    }

    fn processes(&self) -> usize {
        self.processes.len()
    }

    fn seen(&self, process: usize) -> Seen {
        let (process, session) = (&self.processes[process], &self.standing.session);
        let now = process.time.now().at;
        let age = process.age(session);
        Seen {
            generation: session.generation,
            used: session.used.max(process.used),
            age: age.or(session.rotated_at.map(|at| now.since(at))),
            now,
        }
    }

    fn refresh(&mut self, process: usize, presented: i64) -> Reply {
        let process = &mut self.processes[process];
        let (time, mono) = (process.time.now(), process.clock.monotonic());
        let generation = self.standing.session.generation;
        let witness = Witness { used: process.used, rotated: process.age(&self.standing.session) };
        let presenter = Presenter { dialect: &self.dialect, device: None, thumbprint: None, keeps_token: false };
        match (self.judge)(&self.standing, presented, &presenter, &witness, time.at) {
            Verdict::Refuse(TokenRefusal::Expired) if time.in_doubt => Reply::Unavailable,
            Verdict::Refuse(refusal) => Reply::Refused(refusal),
            Verdict::Rotate { to, .. } => {
                let session = &mut self.standing.session;
                session.generation = to;
                session.rotated_at = Some(time.at);
                session.expires_at = session.terms.session_expiry(session.created_at, time.at, &Zone::UTC);
                process.rotated = Some((to, time.at, mono));
                Reply::Granted(self.grant(time.at))
            }
            Verdict::Repeat | Verdict::Reuse => Reply::Granted(self.grant(time.at)),
            Verdict::Renew => {
                self.standing.session.rotated_at = Some(time.at);
                process.rotated = Some((generation, time.at, mono));
                Reply::Granted(self.grant(time.at))
            }
            Verdict::Replay => {
                self.standing.session.ended = Some((time.at, EndedWhy::Replay));
                Reply::Refused(TokenRefusal::Replay)
            }
        }
    }

    fn call(&mut self, process: usize, access: &Access) -> bool {
        let process = &mut self.processes[process];
        let good = self.standing.session.ended.is_none() && access.expires_at > process.time.now().at;
        if good {
            process.used = process.used.max(access.generation);
        }
        good
    }

    fn end(&mut self) {
        self.standing.session.ended = Some((MORNING, EndedWhy::Admin));
    }

    fn advance(&mut self, span: Duration) {
        for process in &self.processes {
            process.clock.advance(span);
            process.time.now();
        }
    }

    fn step(&mut self, process: usize, span: Duration, forward: bool) {
        let process = &self.processes[process];
        if forward {
            process.clock.step_forward(span);
        } else {
            process.clock.step_back(span);
        }
        process.time.now();
    }

    fn write_uses(&mut self, process: usize) {
        let (process, session) = (&mut self.processes[process], &mut self.standing.session);
        session.used = session.used.max(std::mem::take(&mut process.used));
    }

    fn restart(&mut self, process: usize) {
        let session = &self.standing.session;
        let newest = session.rotated_at.max(Some(session.created_at));
        let process = &mut self.processes[process];
        *process = Process::new(newest, process.clock.clone());
    }

    fn back_up(&mut self) {
        self.backup = Some(self.standing.session.clone());
    }

    fn go_back(&mut self) -> bool {
        match &self.backup {
            Some(backup) => {
                self.standing.session = backup.clone();
                true
            }
            None => false,
        }
    }
}
