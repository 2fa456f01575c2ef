//! The engine itself, on the store that `TEST_STORE` chooses: one engine for each process.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::ports::{Rotation, SessionRecord};
use tillgate_auth_core::{
    Auth, AuthDenied, AuthPorts, AuthRequest, AuthSettings, DialectName, Error, IssuedTokens, LoginIdentity,
    LoginRequest, LoginSecret, MasterKey, QueueLimits, RefreshRequest, RequestCredentials, Session, Tenancy,
    TokenDenied,
};
use tillgate_domain::{Instant, Secret, SessionId, Store, StoreExt};
use tillgate_test_store::TestStore;
use tillgate_testkit::clock::CLOCK_START;
use tillgate_testkit::{Fixture, ManualClock, SeededEntropy};

use crate::server::{Access, Machines, ProcessView, Reply, Server, Start, Terms, VouchedTime, replace_clock, set};
use tillgate_testkit::PlainHasher;

/// A process, and what an observer knows of it.
struct Process {
    auth: Arc<Auth>,
    clock: Arc<ManualClock>,
    used: i64,
    rotated: Option<(i64, Option<Instant>, Duration)>,
    vouching: VouchedTime,
}

pub(crate) struct Engines {
    store: TestStore,
    master: MasterKey,
    hasher: Arc<PlainHasher>,
    dialect: DialectName,
    terms: Terms,
    processes: Vec<Process>,
    database: Option<Arc<ManualClock>>,
    session: SessionId,
    created: Instant,
    first: Access,
    /// The refresh token of each generation.
    tokens: BTreeMap<i64, String>,
    backup: Option<Session>,
}

fn entropy() -> SeededEntropy {
    static SEEDS: AtomicU64 = AtomicU64::new(1);
    SeededEntropy::from_seed(SEEDS.fetch_add(1, Ordering::Relaxed))
}

fn build(store: &TestStore, master: &MasterKey, hasher: &Arc<PlainHasher>, clock: &Arc<ManualClock>) -> Arc<Auth> {
    let queue = QueueLimits { workers: NonZeroUsize::new(1), ..QueueLimits::default() };
    Auth::builder(Arc::new(store.share_with_process()))
        .master(master.clone())
        .settings(AuthSettings { queue, ..AuthSettings::default() })
        .clock(clock.clone())
        .entropy(Arc::new(entropy()))
        .hasher(hasher.clone())
        .without_maintenance()
        .build()
        .unwrap()
}

impl Process {
    fn start(store: &TestStore, master: &MasterKey, hasher: &Arc<PlainHasher>, clock: Arc<ManualClock>) -> Self {
        let auth = build(store, master, hasher, &clock);
        Self { auth, vouching: VouchedTime::from(clock.monotonic()), clock, used: 0, rotated: None }
    }

    /// The timestamp that it wrote for the current rotation of the session, and how long ago.
    fn own(&self, session: &Session) -> Option<(Instant, Duration)> {
        let (generation, wrote, at) = self.rotated?;
        (generation == session.generation).then(|| Some((wrote?, self.clock.monotonic() - at))).flatten()
    }
}

fn access(granted: &IssuedTokens) -> Access {
    Access {
        generation: granted.session.generation,
        expires_at: granted.access_expires_at,
        token: granted.access_token.expose().clone(),
    }
}

fn refresh_token(granted: &IssuedTokens) -> String {
    granted.refresh_token.as_ref().unwrap().expose().clone()
}

impl Engines {
    pub(crate) fn new(terms: Terms, machines: &Machines) -> Self {
        let (clocks, database) = machines.clocks();
        // SQLite has no clock of its own, and PostgreSQL always has one
        let store = if database.is_some() { TestStore::new_with_clock() } else { TestStore::new_without_clock() };
        let fixture = Fixture::demo(CLOCK_START).user_passwords(|_| Some(PlainHasher::verifier("right"))).build();
        fixture.insert_into(&store).unwrap();
        let (master, hasher) = (MasterKey::generate(&entropy()).unwrap(), Arc::new(PlainHasher::default()));
        if let Some(clock) = &database {
            store.set_clock(clock.clone());
        }
        let start = |clock| Process::start(&store, &master, &hasher, clock);
        let mut processes: Vec<_> = clocks.into_iter().map(start).collect();
        let dialect = DialectName::new("native");
        let granted = processes[0]
            .auth
            .login(&LoginRequest {
                dialect: dialect.clone(),
                terms: terms.to_session_terms(),
                tenancy: Tenancy::default(),
                identity: LoginIdentity::User { login: "cashier".to_owned(), device: Some("P01".to_owned()) },
                secret: LoginSecret::Password(Secret::new("right".to_owned())),
                proven_key: None,
                min_rank: None,
                requires_office_right: false,
                previous_refresh_tokens: Vec::new(),
                reports_password_change: false,
                address: None,
            })
            .unwrap();
        // Each process has polled the feed at its start, and read the clock of the store.
        let record =
            (&store as &dyn Store<AuthPorts>).read("test", |tx| tx.sessions().find(granted.session.id)).unwrap();
        for process in &mut processes {
            process.vouching.record_reading(record.as_ref().unwrap().clock, process.clock.monotonic());
        }
        Self {
            first: access(&granted),
            tokens: [(1, refresh_token(&granted))].into(),
            session: granted.session.id,
            created: granted.session.created_at,
            backup: None,
            store,
            master,
            hasher,
            dialect,
            terms,
            processes,
            database,
        }
    }

    fn find_record(&self) -> SessionRecord {
        let store: &dyn Store<AuthPorts> = &self.store;
        store.read("test", |tx| tx.sessions().find(self.session)).unwrap().unwrap()
    }

    /// Every process polls the feed, and reads the clock of the database server.
    fn poll_feeds(&mut self) {
        let clock = self.find_record().clock;
        for process in &mut self.processes {
            process.auth.poll_feed().unwrap();
            process.vouching.record_reading(clock, process.clock.monotonic());
        }
    }

    fn stored(&self) -> Session {
        self.find_record().session
    }

    /// The processes on the machine of this one.
    fn list_machine_processes(&self, process: usize) -> Vec<usize> {
        let clock = &self.processes[process].clock;
        (0..self.processes.len()).filter(|each| Arc::ptr_eq(&self.processes[*each].clock, clock)).collect()
    }
}

impl Server for Engines {
    fn login(&self) -> (Instant, Access) {
        (self.created, self.first.clone())
    }

    fn terms(&self) -> Terms {
        self.terms
    }

    fn processes(&self) -> usize {
        self.processes.len()
    }

    fn seen(&self, process: usize) -> ProcessView {
        let (process, record) = (&self.processes[process], self.find_record());
        let (session, now) = (&record.session, process.auth.time().at);
        let said = (now, process.auth.clock_confidence(), process.clock.monotonic());
        let age = process.vouching.age(session, record.clock, process.own(session), said);
        ProcessView { generation: session.generation, used: session.used_generation.max(process.used), age, now }
    }

    fn refresh(&mut self, process: usize, presented: i64) -> Reply {
        let Some(token) = self.tokens.get(&presented) else { return Reply::Refused(TokenDenied::Invalid) };
        let before = self.find_record();
        let process = &mut self.processes[process];
        process.vouching.record_reading(before.clock, process.clock.monotonic());
        let refreshing = RefreshRequest {
            dialect: &self.dialect,
            tenant: None,
            token,
            access_token: None,
            device: None,
            proof: None,
            keeps_token: false,
            address: None,
        };
        match process.auth.refresh(&refreshing) {
            Ok(granted) => {
                let session = &granted.session;
                if session.rotated_at != before.session.rotated_at {
                    process.rotated = Some((session.generation, session.rotated_at, process.clock.monotonic()));
                }
                let (generation, token) = (session.generation, refresh_token(&granted));
                let known = self.tokens.entry(generation).or_insert_with(|| token.clone());
                assert_eq!(*known, token, "the refresh token of a generation is one");
                Reply::Granted(access(&granted))
            }
            Err(Error::Denied(AuthDenied::Token(refusal))) => Reply::Refused(refusal),
            Err(Error::Unavailable { .. }) => Reply::Unavailable,
            Err(other) => panic!("{other:?}"),
        }
    }

    fn call(&mut self, process: usize, access: &Access) -> bool {
        let process = &mut self.processes[process];
        process.auth.poll_feed().unwrap();
        let presented = AuthRequest {
            credentials: RequestCredentials::Bearer(&access.token),
            dialect: &self.dialect,
            tenant: None,
            address: None,
        };
        match process.auth.authenticate(&presented) {
            Ok(caller) => {
                assert_eq!(caller.session_context().unwrap().generation, access.generation);
                process.used = process.used.max(access.generation);
                true
            }
            Err(Error::Denied(AuthDenied::Token(_))) => false,
            Err(other) => panic!("{other:?}"),
        }
    }

    fn end(&mut self) {
        self.processes[0].auth.end_session(self.session).unwrap();
    }

    fn advance(&mut self, span: Duration) {
        for process in 0..self.processes.len() {
            if self.list_machine_processes(process)[0] == process {
                self.processes[process].clock.advance(span);
            }
        }
        if let Some(clock) = &self.database {
            clock.advance(span);
        }
        for process in &self.processes {
            process.auth.time();
        }
        self.poll_feeds();
    }

    fn step_store(&mut self, (span, forward): (Duration, bool)) {
        if let Some(clock) = &self.database {
            set(clock, span, forward);
        }
        self.poll_feeds();
    }

    fn step(&mut self, process: usize, (span, forward): (Duration, bool)) {
        set(&self.processes[process].clock, span, forward);
        for each in self.list_machine_processes(process) {
            self.processes[each].auth.time();
        }
    }

    fn in_doubt(&self) -> bool {
        self.processes.iter().any(|process| process.auth.time().in_doubt)
    }

    fn write_activity(&mut self, process: usize) {
        self.processes[process].auth.write_activity().unwrap();
        self.processes[process].used = 0;
    }

    fn restart(&mut self, process: usize, start: Start) {
        for process in &self.processes {
            process.auth.send_heartbeat().unwrap();
        }
        let clock = Arc::clone(&self.processes[process].clock);
        let restarted =
            if start.step.is_some() || start.reboot { self.list_machine_processes(process) } else { vec![process] };
        start.apply(&clock);
        for process in restarted {
            self.processes[process] = Process::start(&self.store, &self.master, &self.hasher, Arc::clone(&clock));
        }
        self.poll_feeds();
    }

    fn fail_over(&mut self) {
        if let Some(clock) = &mut self.database {
            *clock = replace_clock(clock);
            self.store.set_clock(clock.clone());
        }
        self.poll_feeds();
    }

    fn back_up(&mut self) {
        self.backup = Some(self.stored());
    }

    /// Loses the rotations of the session, but neither an end nor uses.
    fn go_back(&mut self) -> bool {
        let Some(backup) = &self.backup else { return false };
        let (store, newest): (&dyn Store<AuthPorts>, _) = (&self.store, self.stored().generation);
        let back = Rotation {
            generation: backup.generation,
            key: backup.key,
            previous_key: backup.previous_key,
            at: backup.rotated_at.unwrap_or(backup.created_at),
            expires_at: backup.expires_at,
            from: backup.rotated_from,
            proved_at: None,
        };
        store.write("test", |tx| tx.sessions().rotate(backup.id, newest, &back)).unwrap()
    }
}
