//! Wrong clocks have no permanent effect. These tests run the engine on both databases.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tillgate_auth_core::ports::SignatureDigest;
use tillgate_auth_core::{
    Auth, AuthDenied, AuthRequest, AuthSettings, DialectName, Error, IssuedTokens, LoginIdentity, LoginRequest,
    LoginSecret, MasterKey, QueueLimits, RefreshRequest, RefreshTerms, RequestCredentials, Tenancy, Terms, TokenDenied,
};
use tillgate_domain::office::ports::IdempotencyKey;
use tillgate_domain::office::{self, AuditContext, IdempotentRequest, NewTicket, Office, OfficePorts, TicketChange};
use tillgate_domain::ticket::Currency;
use tillgate_domain::{Action, Actor, Authority, EventId, Secret, Store, TicketId, UserStatus};
use tillgate_testkit::DatabaseEngine;
use tillgate_testkit::clock::CLOCK_START;
use tillgate_testkit::{Fixture, ManualClock, PlainHasher, SeededEntropy};

use crate::test_database::{RawConnection, TestDatabase};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const OVERLAP: Duration = Duration::from_mins(2);

fn next_entropy() -> SeededEntropy {
    static SEEDS: AtomicU64 = AtomicU64::new(1);
    SeededEntropy::from_seed(SEEDS.fetch_add(1, Ordering::Relaxed))
}

/// A shop on a database, and the machine of its server.
struct ClockFixture<'a> {
    fresh: &'a TestDatabase,
    records: Fixture,
    clock: Arc<ManualClock>,
    master: MasterKey,
    dialect: DialectName,
}

impl<'a> ClockFixture<'a> {
    fn open(fresh: &'a TestDatabase) -> Self {
        let records = Fixture::demo(CLOCK_START).user_passwords(|_| Some(PlainHasher::verifier("right"))).build();
        records.insert_into(&*fresh.database).unwrap();
        let (clock, master) = (Arc::new(ManualClock::default()), MasterKey::generate(&next_entropy()).unwrap());
        Self { fresh, records, clock, master, dialect: DialectName::new("native") }
    }

    /// A process with this clock that sweeps as soon as it may.
    fn start_on(&self, clock: &Arc<ManualClock>) -> Arc<Auth> {
        let queue = QueueLimits { workers: NonZeroUsize::new(1), ..QueueLimits::default() };
        Auth::builder(self.fresh.database.clone())
            .master(self.master.clone())
            .settings(AuthSettings { queue, sweep_delay: Duration::ZERO, ..AuthSettings::default() })
            .clock(clock.clone())
            .entropy(Arc::new(next_entropy()))
            .hasher(Arc::new(PlainHasher::default()))
            .without_maintenance()
            .build()
            .unwrap()
    }

    /// Starts the server on a machine that has just been started, with its clock as it is now.
    fn start(&self) -> Arc<Auth> {
        self.clock.reboot();
        let auth = self.start_on(&self.clock);
        assert!(!auth.time().in_doubt, "there is nothing to doubt the clock by");
        auth
    }

    fn log_in(&self, auth: &Auth, name: &str, device: Option<&str>) -> IssuedTokens {
        let refresh = Some(RefreshTerms { idle: Some(12 * HOUR), overlap: Some(OVERLAP), first_reusable: false });
        let login = LoginRequest {
            dialect: self.dialect.clone(),
            terms: Terms {
                access: 15 * MINUTE,
                refresh,
                absolute: None,
                midnight: false,
                exchange_overlap: None,
                office: None,
            },
            tenancy: Tenancy::default(),
            identity: LoginIdentity::User { login: format!("{name}@example.com"), device: device.map(str::to_owned) },
            secret: LoginSecret::Password(Secret::new("right".to_owned())),
            proven_key: None,
            min_rank: None,
            requires_office_right: false,
            address: None,
            previous_refresh_tokens: Vec::new(),
            reports_password_change: false,
        };
        auth.login(&login).unwrap()
    }

    fn authenticate(&self, auth: &Auth, granted: &IssuedTokens) -> Result<(), TokenDenied> {
        let presented = AuthRequest {
            credentials: RequestCredentials::Bearer(granted.access_token.expose()),
            dialect: &self.dialect,
            tenant: None,
            address: None,
        };
        auth.authenticate(&presented).map(drop).map_err(token_refusal)
    }

    fn refresh_session(&self, auth: &Auth, granted: &IssuedTokens) -> Result<IssuedTokens, TokenDenied> {
        let refreshing = RefreshRequest {
            dialect: &self.dialect,
            tenant: None,
            token: granted.refresh_token.as_ref().unwrap().expose(),
            access_token: None,
            device: None,
            proof: None,
            address: None,
            keeps_token: false,
        };
        auth.refresh(&refreshing).map_err(token_refusal)
    }

    fn audit_context(&self, auth: &Auth) -> AuditContext {
        let actor = Actor {
            user: Some(self.records.user("cashier").id),
            device: Some(self.records.device("P01").id),
            ..Actor::default()
        };
        AuditContext {
            at: auth.time().at,
            event_id: auth.new_id(EventId::new).unwrap(),
            actor,
            authority: Authority::Host,
            os_user: None,
        }
    }

    /// Opens a ticket with the same request each time.
    fn open_ticket(&self, auth: &Auth) -> TicketId {
        let new = NewTicket {
            id: auth.new_id(TicketId::new).unwrap(),
            currency: Currency::parse("EUR").unwrap(),
            sheet: TicketChange::default(),
        };
        let once = IdempotentRequest {
            key: IdempotencyKey::parse("the-same").unwrap(),
            digest: [7; 32],
            legacy_digest: [8; 32],
        };
        let office: &dyn Store<OfficePorts> = &*self.fresh.database;
        let opened =
            Office::new(office, self.records.tenant.id, self.audit_context(auth)).open_ticket(&new, Some(&once));
        opened.unwrap().unwrap().ticket.ticket.id
    }

    /// Whether a signature is new.
    fn inserts_signature(&self, auth: &Auth) -> bool {
        let at = auth.time().at;
        self.fresh.write(|tx| tx.signatures().insert_if_new(&SignatureDigest([9; 32]), at))
    }

    fn count_events(&self, action: Action) -> usize {
        self.fresh.raw().read_events().iter().filter(|line| line.action == action.name()).count()
    }
}

fn token_refusal(error: Error) -> TokenDenied {
    match error {
        Error::Denied(AuthDenied::Token(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

tillgate_testkit::on_both_databases!(
    ended_sessions_and_counts_survive_a_start_with_a_wrong_clock,
    ended_tokens_stay_invalid_without_the_feed,
    second_thread_gets_the_successor_after_a_restart_with_a_fast_clock,
    clock_changed_while_stopped_is_in_doubt
);

/// The server runs for seconds with its clock days ahead, and then with the correct time.
fn ended_sessions_and_counts_survive_a_start_with_a_wrong_clock(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let place = ClockFixture::open(fresh);
    let first = place.start();
    let (out, suspended, live) = (
        place.log_in(&first, "admin", Some("P01")),
        place.log_in(&first, "manager", Some("P02")),
        place.log_in(&first, "cashier", Some("PDA1")),
    );
    assert!(first.end_session(out.session.id).unwrap());
    let office: &dyn Store<OfficePorts> = &*fresh.database;
    let (tenant, manager) = (place.records.tenant.id, place.records.user("manager").id);
    Office::new(office, tenant, place.audit_context(&first))
        .set_user_status(manager, UserStatus::Suspended)
        .unwrap()
        .unwrap();
    let (ticket, changes) = (place.open_ticket(&first), fresh.read(|tx| tx.feed().poll(None)).entries.len());
    assert!(changes > 0 && place.inserts_signature(&first));
    first.leave().unwrap();
    drop(first);
    let mut passed = Duration::ZERO;
    for days in [2, 8, 32, 70] {
        place.clock.step_forward(days * DAY);
        let wrong = place.start();
        for _ in 0..3 {
            place.clock.advance(Duration::from_secs(1));
            wrong.run_due_maintenance();
            let before = wrong.sweep_cutoff().unwrap().saturating_sub(2 * DAY);
            assert_eq!(office::unguarded::sweep_idempotency_keys(office, before, 500).unwrap(), 0, "{days} days");
            wrong.sweep(&mut |_| ()).unwrap();
        }
        wrong.leave().unwrap();
        passed += Duration::from_secs(3);
        place.clock.set(CLOCK_START.saturating_add(passed));
        let right = place.start();
        assert_eq!(fresh.read(|tx| tx.feed().poll(None)).entries.len(), changes, "{days} days");
        for dead in [&out, &suspended] {
            assert_eq!(place.authenticate(&right, dead), Err(TokenDenied::SessionOver), "{days} days");
            assert_eq!(place.refresh_session(&right, dead).unwrap_err(), TokenDenied::SessionOver, "{days} days");
        }
        assert_eq!(place.authenticate(&right, &live), Ok(()), "{days} days");
        assert_eq!(place.refresh_session(&right, &live).unwrap().session.id, live.session.id, "{days} days");
        assert_eq!(place.open_ticket(&right), ticket, "{days} days: the same request makes no other ticket");
        assert!(!place.inserts_signature(&right), "{days} days: a signature counts once");
        right.leave().unwrap();
    }
}

/// Sessions that had ended before the process started are known without the feed.
fn ended_tokens_stay_invalid_without_the_feed(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let place = ClockFixture::open(fresh);
    let first = place.start();
    let (out, suspended, live) = (
        place.log_in(&first, "admin", Some("P01")),
        place.log_in(&first, "manager", Some("P02")),
        place.log_in(&first, "admin", Some("PDA1")),
    );
    assert!(first.end_session(out.session.id).unwrap());
    let office: &dyn Store<OfficePorts> = &*fresh.database;
    let (tenant, manager) = (place.records.tenant.id, place.records.user("manager").id);
    Office::new(office, tenant, place.audit_context(&first))
        .set_user_status(manager, UserStatus::Suspended)
        .unwrap()
        .unwrap();
    assert!(fresh.write(|tx| tx.feed().sweep(CLOCK_START.saturating_add(DAY), 1000)) > 0);
    let started = place.start_on(&place.clock);
    for _ in 0..2 {
        assert_eq!(place.authenticate(&started, &out), Err(TokenDenied::SessionOver));
        assert_eq!(place.authenticate(&started, &suspended), Err(TokenDenied::SessionOver));
        assert_eq!(place.authenticate(&started, &live), Ok(()));
    }
}

/// Two threads of a till, a crash, and a server that starts again with another clock.
fn second_thread_gets_the_successor_after_a_restart_with_a_fast_clock(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let place = ClockFixture::open(fresh);
    let first = place.start();
    let one = place.log_in(&first, "cashier", Some("P01"));
    let two = place.refresh_session(&first, &one).unwrap();
    place.authenticate(&first, &two).unwrap();
    first.write_activity().unwrap();
    drop(first);
    place.clock.step_forward(HOUR);
    let again = place.start();
    let repeated = place.refresh_session(&again, &one).unwrap();
    assert_eq!(repeated.refresh_token, two.refresh_token);
    // according to PostgreSQL's clock, the rotation was just now
    let forgiven = usize::from(matches!(fresh.raw(), RawConnection::Sqlite(_)));
    assert_eq!((place.count_events(Action::RefreshShared), place.count_events(Action::RefreshReplay)), (forgiven, 0));
    assert_eq!(place.refresh_session(&again, &two).unwrap().refresh_token, two.refresh_token);
}

fn clock_changed_while_stopped_is_in_doubt(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let place = ClockFixture::open(fresh);
    let first = place.start();
    let granted = place.log_in(&first, "cashier", Some("P01"));
    first.send_heartbeat().unwrap();
    first.leave().unwrap();
    place.clock.step_forward(2 * DAY);
    let again = place.start_on(&place.clock);
    assert!(again.time().in_doubt);
    assert_eq!(place.authenticate(&again, &granted), Ok(()));
    assert!(again.sweep_cutoff().is_err() && !again.may_sweep());
    place.clock.step_back(2 * DAY);
    assert!(!again.time().in_doubt);
}

/// Two processes with different clocks, on PostgreSQL: its own clock determines the age of a
/// rotation.
#[test]
#[ignore = "requires PostgreSQL"]
fn differing_process_clocks_end_no_session_on_postgres() {
    for (off, ahead) in [(10 * MINUTE, true), (HOUR, true), (10 * MINUTE, false)] {
        let fresh = TestDatabase::postgres();
        let place = ClockFixture::open(&fresh);
        let first = place.start();
        let theirs = Arc::new(ManualClock::default());
        if ahead {
            theirs.step_forward(off);
        } else {
            theirs.step_back(off);
        }
        let other = place.start_on(&theirs);
        // it has been connected to this server for longer than a grace period
        let known = place.log_in(&first, "manager", None);
        place.refresh_session(&other, &known).unwrap();
        theirs.advance(15 * MINUTE);
        let one = place.log_in(&first, "cashier", Some("P01"));
        let two = place.refresh_session(&first, &one).unwrap();
        place.authenticate(&first, &two).unwrap();
        first.write_activity().unwrap();
        assert_eq!(place.refresh_session(&other, &one).unwrap().refresh_token, two.refresh_token, "{off:?}");
        assert_eq!(place.count_events(Action::RefreshShared), 0, "it can vouch for that");
        fresh.raw().execute("UPDATE sessions SET rotated_clock = rotated_clock - 119000");
        assert_eq!(place.refresh_session(&other, &one).unwrap().refresh_token, two.refresh_token, "{off:?}");
        fresh.raw().execute("UPDATE sessions SET rotated_clock = rotated_clock - 2000");
        assert_eq!(
            place.refresh_session(&other, &one).unwrap_err(),
            TokenDenied::Replay,
            "{off:?}: now an overlap has passed"
        );
    }
}

/// The timestamp of another server is not used.
#[test]
#[ignore = "requires PostgreSQL"]
fn rotation_dated_by_another_server_has_the_age_known_here() {
    let fresh = TestDatabase::postgres();
    let place = ClockFixture::open(&fresh);
    let first = place.start();
    let one = place.log_in(&first, "cashier", Some("P01"));
    let two = place.refresh_session(&first, &one).unwrap();
    place.authenticate(&first, &two).unwrap();
    first.write_activity().unwrap();
    fresh
        .raw()
        .execute("UPDATE sessions SET rotated_server = rotated_server - 2, rotated_clock = rotated_clock - 999999999");
    let other = place.start_on(&place.clock);
    assert_eq!(place.refresh_session(&other, &one).unwrap().refresh_token, two.refresh_token);
    assert_eq!(place.count_events(Action::RefreshShared), 1);
    place.clock.advance(OVERLAP);
    assert_eq!(place.refresh_session(&other, &one).unwrap_err(), TokenDenied::Replay);
}
