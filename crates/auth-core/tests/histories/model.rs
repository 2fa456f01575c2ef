//! A minimal model of a server: one session, its rows, and the memory of each process. It calls the
//! judge and carries out the verdict.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::clock::{Clock, Timekeeper};
use tillgate_auth_core::judge::{Presenter, Verdict, Witness};
use tillgate_auth_core::ports::{SessionRecord, StoreClock};
use tillgate_auth_core::{AuthenticationInfo, DialectName, Epochs, Session, SessionKind, TokenDenied};
use tillgate_domain::{
    DeviceId, DeviceStatus, EndReason, Instant, KeyId, SessionId, TenantId, UserId, UserStatus, Zone,
};
use tillgate_testkit::ManualClock;
use tillgate_testkit::clock::CLOCK_START;
use uuid::Uuid;

use crate::server::{Access, Machines, ProcessView, Reply, Server, Start, Terms, VouchedTime, replace_clock, set};

pub(crate) type Judge = fn(&SessionRecord, i64, &Presenter<'_>, &Witness, Instant) -> Verdict;

struct Process {
    clock: Arc<ManualClock>,
    time: Timekeeper,
    vouching: VouchedTime,
    used: i64,
    /// The generation of its rotation, the timestamp that it wrote, and when.
    rotated: Option<(i64, Instant, Duration)>,
}

impl Process {
    fn new(newest: Option<Instant>, origin: Option<Instant>, clock: Arc<ManualClock>) -> Self {
        let time = Timekeeper::start(clock.clone(), newest, origin);
        Self { time, vouching: VouchedTime::from(clock.monotonic()), clock, used: 0, rotated: None }
    }

    /// The timestamp that it wrote for the current rotation of the session, and how long ago.
    fn own(&self, session: &Session) -> Option<(Instant, Duration)> {
        let (generation, wrote, at) = self.rotated?;
        (generation == session.generation).then(|| (wrote, self.clock.monotonic() - at))
    }

    fn witness(&self, record: &SessionRecord) -> Witness {
        let (session, belief, now) = (&record.session, self.time.confidence(), self.clock.monotonic());
        let up = self.vouching.span(record.clock, now, belief.steady_for);
        let blank =
            Witness { used_generation: self.used, since_rotation: None, vouched_for: up, in_doubt: belief.in_doubt };
        match self.own(session) {
            Some((wrote, ago)) if Some(wrote) == session.rotated_at => Witness { since_rotation: Some(ago), ..blank },
            Some((wrote, ago)) if Some(wrote) > session.rotated_at => Witness { vouched_for: up.min(ago), ..blank },
            _ => blank,
        }
    }
}

/// A database server: its clock, its number, and the date of the rotation, with the number of the
/// server that dated it.
struct Database {
    clock: Arc<ManualClock>,
    server: i64,
    dated: Option<(i64, Instant)>,
}

impl Database {
    fn read_clock(&self) -> StoreClock {
        let dated = self.dated.filter(|(server, _)| *server == self.server);
        let now = self.clock.now();
        StoreClock { since_rotation: dated.map(|(_, at)| now.duration_since(at)), server: self.server, now }
    }
}

pub(crate) struct Model {
    judge: Judge,
    dialect: DialectName,
    terms: Terms,
    record: SessionRecord,
    backup: Option<Session>,
    processes: Vec<Process>,
    database: Option<Database>,
    /// What was recorded of the clock of a start of a machine.
    origins: BTreeMap<Uuid, Instant>,
}

/// A session from the morning, and what decides whether it is valid.
pub(crate) fn session_record(terms: Terms) -> SessionRecord {
    let key = KeyId(Uuid::nil());
    let session = Session {
        id: SessionId(Uuid::nil()),
        tenant: TenantId(Uuid::nil()),
        kind: SessionKind::Person,
        user: Some(UserId(Uuid::nil())),
        device: Some(DeviceId(Uuid::nil())),
        parent: None,
        dialect: DialectName::new("native"),
        terms: terms.to_session_terms(),
        generation: 1,
        key,
        previous_key: key,
        used_generation: 0,
        epochs: Epochs::default(),
        authentication: AuthenticationInfo { methods: "pwd".to_owned(), at: CLOCK_START },
        address: None,
        rotated_from: None,
        thumbprint: None,
        created_at: CLOCK_START,
        rotated_at: None,
        last_used_at: None,
        expires_at: terms.to_session_terms().session_expiry(CLOCK_START, CLOCK_START, &Zone::UTC),
        ended: None,
    };
    SessionRecord {
        session,
        epochs: Epochs::default(),
        user: Some(UserStatus::Active),
        device: Some(DeviceStatus::Active),
        zone: Zone::UTC,
        clock: None,
    }
}

impl Model {
    pub(crate) fn new(judge: Judge, terms: Terms, machines: &Machines) -> Self {
        let (record, dialect) = (session_record(terms), DialectName::new("native"));
        let (clocks, database) = machines.clocks();
        let processes = clocks.into_iter().map(|clock| Process::new(None, None, clock)).collect();
        let database = database.map(|clock| Database { clock, server: 0, dated: None });
        let mut model =
            Self { judge, dialect, terms, record, backup: None, processes, database, origins: BTreeMap::new() };
        model.record.clock = model.database.as_ref().map(Database::read_clock);
        model.poll_feeds();
        model
    }

    /// The processes on the machine of this one.
    fn list_machine_processes(&self, process: usize) -> Vec<usize> {
        let clock = &self.processes[process].clock;
        (0..self.processes.len()).filter(|each| Arc::ptr_eq(&self.processes[*each].clock, clock)).collect()
    }

    /// The store is read or written, which takes time.
    fn touch_store(&mut self, rotated: bool) {
        if let Some(database) = &mut self.database {
            if rotated {
                database.dated = Some((database.server, database.clock.now()));
            }
            self.record.clock = Some(database.read_clock());
        }
    }

    /// Every process polls the feed, and reads the clock of the database server.
    fn poll_feeds(&mut self) {
        let clock = self.database.as_ref().map(Database::read_clock);
        for process in &mut self.processes {
            process.vouching.record_reading(clock, process.clock.monotonic());
        }
    }

    fn grant(&self, now: Instant) -> Access {
        let session = &self.record.session;
        let expires_at = session.terms.access_expiry(session.expires_at, now);
        Access { generation: session.generation, expires_at, token: String::new() }
    }
}

impl Server for Model {
    fn login(&self) -> (Instant, Access) {
        (CLOCK_START, self.grant(CLOCK_START))
    }

    fn terms(&self) -> Terms {
        self.terms
    }

    fn processes(&self) -> usize {
        self.processes.len()
    }

    fn seen(&self, process: usize) -> ProcessView {
        let (process, session) = (&self.processes[process], &self.record.session);
        let now = process.time.now().at;
        let clock = self.database.as_ref().map(Database::read_clock);
        let belief = process.time.confidence();
        let age = process.vouching.age(session, clock, process.own(session), (now, belief, process.clock.monotonic()));
        ProcessView { generation: session.generation, used: session.used_generation.max(process.used), age, now }
    }

    fn refresh(&mut self, process: usize, presented: i64) -> Reply {
        self.touch_store(false);
        let clock = self.record.clock;
        let process = &mut self.processes[process];
        let (time, mono) = (process.time.now(), process.clock.monotonic());
        process.vouching.record_reading(clock, mono);
        let generation = self.record.session.generation;
        let witness = process.witness(&self.record);
        let presenter = Presenter { dialect: &self.dialect, device: None, thumbprint: None, keeps_token: false };
        match (self.judge)(&self.record, presented, &presenter, &witness, time.at) {
            Verdict::Deny(TokenDenied::Expired) if time.in_doubt => Reply::Unavailable,
            Verdict::Deny(refusal) => Reply::Refused(refusal),
            Verdict::Rotate { to, .. } => {
                let session = &mut self.record.session;
                session.generation = to;
                session.rotated_at = Some(time.at);
                session.expires_at = session.terms.session_expiry(session.created_at, time.at, &Zone::UTC);
                process.rotated = Some((to, time.at, mono));
                self.touch_store(true);
                Reply::Granted(self.grant(time.at))
            }
            Verdict::Repeat | Verdict::Reuse | Verdict::Forgive => Reply::Granted(self.grant(time.at)),
            Verdict::Renew => {
                self.record.session.rotated_at = Some(time.at);
                process.rotated = Some((generation, time.at, mono));
                self.touch_store(true);
                Reply::Granted(self.grant(time.at))
            }
            Verdict::Replay => {
                self.record.session.ended = Some((time.at, EndReason::Replay));
                Reply::Refused(TokenDenied::Replay)
            }
            Verdict::Unproven => panic!("the session is bound to no key"),
        }
    }

    fn call(&mut self, process: usize, access: &Access) -> bool {
        let process = &mut self.processes[process];
        let good = self.record.session.ended.is_none() && access.expires_at > process.time.now().at;
        if good {
            process.used = process.used.max(access.generation);
        }
        good
    }

    fn end(&mut self) {
        self.record.session.ended = Some((CLOCK_START, EndReason::Admin));
    }

    fn advance(&mut self, span: Duration) {
        for process in 0..self.processes.len() {
            if self.list_machine_processes(process)[0] == process {
                self.processes[process].clock.advance(span);
            }
        }
        if let Some(database) = &self.database {
            database.clock.advance(span);
        }
        for process in &self.processes {
            process.time.now();
        }
        self.poll_feeds();
    }

    fn step(&mut self, process: usize, (span, forward): (Duration, bool)) {
        set(&self.processes[process].clock, span, forward);
        for each in self.list_machine_processes(process) {
            self.processes[each].time.now();
        }
    }

    fn step_store(&mut self, (span, forward): (Duration, bool)) {
        if let Some(database) = &self.database {
            set(&database.clock, span, forward);
        }
        self.poll_feeds();
    }

    fn in_doubt(&self) -> bool {
        self.processes.iter().any(|process| process.time.now().in_doubt)
    }

    fn write_activity(&mut self, process: usize) {
        let (process, session) = (&mut self.processes[process], &mut self.record.session);
        session.used_generation = session.used_generation.max(std::mem::take(&mut process.used));
    }

    fn restart(&mut self, process: usize, start: Start) {
        let mut newest = self.record.session.rotated_at.max(Some(self.record.session.created_at));
        for process in &self.processes {
            newest = newest.max(Some(process.time.now().at));
            if let Some(origin) = process.time.origin() {
                self.origins.insert(process.clock.boot_id().unwrap(), origin);
            }
        }
        let clock = Arc::clone(&self.processes[process].clock);
        let restarted =
            if start.step.is_some() || start.reboot { self.list_machine_processes(process) } else { vec![process] };
        start.apply(&clock);
        let origin = self.origins.get(&clock.boot_id().unwrap()).copied();
        for process in restarted {
            self.processes[process] = Process::new(newest, origin, Arc::clone(&clock));
        }
        self.poll_feeds();
    }

    fn fail_over(&mut self) {
        if let Some(database) = &mut self.database {
            database.server += 1;
            database.clock = replace_clock(&database.clock);
        }
        self.poll_feeds();
    }

    fn back_up(&mut self) {
        self.backup = Some(self.record.session.clone());
    }

    fn go_back(&mut self) -> bool {
        match &self.backup {
            Some(backup) => {
                self.record.session = backup.clone();
                true
            }
            None => false,
        }
    }
}
