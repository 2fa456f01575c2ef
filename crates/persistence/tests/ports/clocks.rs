//! Clocks that are wrong: what they would do for good is not done. The engine itself, on both databases.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tillgate_auth_core::passwords::{HashError, SALT};
use tillgate_auth_core::ports::{SignatureDigest, Verifier};
use tillgate_auth_core::{
    Auth, Dialect, Error, Evidence, Granted, Login, MasterKey, PasswordHasher, Presented, Proof, QueueLimits, Refresh,
    Refreshing, Refusal, Settings, Tenancy, Terms, TokenRefusal, Who,
};
use tillgate_domain::office::ports::IdempotencyKey;
use tillgate_domain::office::{self, Authority, NewTicket, OfficeView, Once, Stamp, TicketChange};
use tillgate_domain::ticket::Currency;
use tillgate_domain::{Action, Actor, EventId, Secret, Store, TicketId, UserStatus};
use tillgate_testkit::clock::MORNING;
use tillgate_testkit::world::Verifiers;
use tillgate_testkit::{CountedEntropy, ManualClock, World};

use crate::on_both;
use crate::stores::{Fresh, Raw};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const OVERLAP: Duration = Duration::from_mins(2);

/// Compares passwords as they are.
struct Plain;

impl PasswordHasher for Plain {
    fn hash(&self, password: &str, _salt: &[u8; SALT]) -> Result<Verifier, HashError> {
        Ok(Secret::new(format!("plain {password}")))
    }

    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError> {
        Ok(*verifier.expose() == format!("plain {password}"))
    }

    fn stale(&self, _verifier: &Verifier) -> bool {
        false
    }
}

fn chance() -> CountedEntropy {
    static SEEDS: AtomicU64 = AtomicU64::new(1);
    CountedEntropy::of(SEEDS.fetch_add(1, Ordering::Relaxed))
}

/// A shop on a database, and the machine that its server runs on.
struct Place<'a> {
    fresh: &'a Fresh,
    world: World,
    clock: Arc<ManualClock>,
    master: MasterKey,
    dialect: Dialect,
}

impl<'a> Place<'a> {
    fn open(fresh: &'a Fresh) -> Self {
        let verifier = |_: &str| Some(Secret::new("plain right".to_owned()));
        let office: &dyn Store<OfficeView> = &*fresh.database;
        let world = World::populate(office, MORNING, &Verifiers { user: &verifier, device: &|_| None }).unwrap();
        let (clock, master) = (Arc::new(ManualClock::default()), MasterKey::draw(&chance()).unwrap());
        Self { fresh, world, clock, master, dialect: Dialect::new("native") }
    }

    /// A process with this clock that sweeps as soon as it may.
    fn start_on(&self, clock: &Arc<ManualClock>) -> Arc<Auth> {
        let queue = QueueLimits { workers: NonZeroUsize::new(1), ..QueueLimits::default() };
        Auth::builder(self.fresh.database.clone())
            .master(self.master.clone())
            .settings(Settings { queue, sweep_delay: Duration::ZERO, ..Settings::default() })
            .clock(clock.clone())
            .entropy(Arc::new(chance()))
            .hasher(Arc::new(Plain))
            .without_chores()
            .build()
            .unwrap()
    }

    /// The server starts, on a machine that has just been started with its clock as it is now.
    fn start(&self) -> Arc<Auth> {
        self.clock.reboot();
        let auth = self.start_on(&self.clock);
        assert!(!auth.time().in_doubt, "there is nothing to doubt the clock by");
        auth
    }

    fn log_in(&self, auth: &Auth, name: &str, device: Option<&str>) -> Granted {
        let refresh = Some(Refresh { idle: Some(12 * HOUR), overlap: Some(OVERLAP), first_reusable: false });
        let login = Login {
            dialect: self.dialect.clone(),
            terms: Terms { access: 15 * MINUTE, refresh, absolute: None, midnight: false, exchange_overlap: None },
            tenancy: Tenancy::default(),
            who: Who::User { login: format!("{name}@example.com"), device: device.map(str::to_owned) },
            proof: Proof::Password(Secret::new("right".to_owned())),
            least: None,
            address: None,
            previous: Vec::new(),
            reports_password_change: false,
        };
        auth.login(&login).unwrap()
    }

    fn call(&self, auth: &Auth, granted: &Granted) -> Result<(), TokenRefusal> {
        let presented = Presented {
            evidence: Evidence::Bearer(granted.access_token.expose()),
            dialect: &self.dialect,
            tenant: None,
            method: "GET",
            target: "/",
            body: None,
            address: None,
        };
        auth.authenticate(&presented).map(drop).map_err(refusal)
    }

    fn refresh(&self, auth: &Auth, granted: &Granted) -> Result<Granted, TokenRefusal> {
        let refreshing = Refreshing {
            dialect: &self.dialect,
            tenant: None,
            token: granted.refresh_token.as_ref().unwrap().expose(),
            beside: None,
            device: None,
            thumbprint: None,
            address: None,
            keeps_token: false,
        };
        auth.refresh(&refreshing).map_err(refusal)
    }

    fn stamp(&self, auth: &Auth) -> Stamp {
        let actor = Actor { user: Some(self.world.cashier.id), device: Some(self.world.p01.id), ..Actor::default() };
        Stamp {
            at: auth.time().at,
            event: auth.id(EventId::new).unwrap(),
            actor,
            authority: Authority::Host,
            shell: None,
        }
    }

    /// Opens a ticket by the same request each time.
    fn open_ticket(&self, auth: &Auth) -> TicketId {
        let new = NewTicket {
            id: auth.id(TicketId::new).unwrap(),
            currency: Currency::parse("EUR").unwrap(),
            sheet: TicketChange::default(),
        };
        let once = Once { key: IdempotencyKey::parse("the-same").unwrap(), request: [7; 32], earlier: [8; 32] };
        let office: &dyn Store<OfficeView> = &*self.fresh.database;
        let opened = office::open_ticket(office, self.world.tenant.id, &self.stamp(auth), &new, Some(&once));
        opened.unwrap().unwrap().shown.ticket.id
    }

    /// Whether a signature is the first of its kind.
    fn sees(&self, auth: &Auth) -> bool {
        let at = auth.time().at;
        self.fresh.write(|tx| tx.signatures().see(&SignatureDigest([9; 32]), at))
    }

    fn told(&self, action: Action) -> usize {
        self.fresh.raw().lines().iter().filter(|line| line.action == action.name()).count()
    }
}

fn refusal(error: Error) -> TokenRefusal {
    match error {
        Error::Refused(Refusal::Token(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

on_both! {
    /// The server is started once with its clock days ahead, for seconds, then with the right time.
    fn what_was_ended_and_what_counted_stays_so_after_a_start_with_a_wrong_clock(fresh) {
        let place = Place::open(fresh);
        let first = place.start();
        let (out, suspended, live) = (
            place.log_in(&first, "admin", Some("P01")),
            place.log_in(&first, "manager", Some("P02")),
            place.log_in(&first, "cashier", Some("PDA1")),
        );
        assert!(first.end_session(out.session.id).unwrap());
        let office: &dyn Store<OfficeView> = &*fresh.database;
        let (tenant, manager) = (place.world.tenant.id, place.world.manager.id);
        office::set_user_status(office, tenant, &place.stamp(&first), manager, UserStatus::Suspended).unwrap().unwrap();
        let (ticket, changes) = (place.open_ticket(&first), fresh.read(|tx| tx.feed().look(None)).changes.len());
        assert!(changes > 0 && place.sees(&first));
        first.leave().unwrap();
        drop(first);
        let mut passed = Duration::ZERO;
        for days in [2, 8, 32, 70] {
            place.clock.step_forward(days * DAY);
            let wrong = place.start();
            for _ in 0..3 {
                place.clock.advance(Duration::from_secs(1));
                wrong.chore();
                let before = wrong.sweep_instant().unwrap().before(2 * DAY);
                assert_eq!(office::sweep_idempotency_keys(office, before, 500).unwrap(), 0, "{days} days");
                wrong.sweep(&mut |_| ()).unwrap();
            }
            wrong.leave().unwrap();
            passed += Duration::from_secs(3);
            place.clock.set(MORNING.after(passed));
            let right = place.start();
            assert_eq!(fresh.read(|tx| tx.feed().look(None)).changes.len(), changes, "{days} days");
            for dead in [&out, &suspended] {
                assert_eq!(place.call(&right, dead), Err(TokenRefusal::Over), "{days} days");
                assert_eq!(place.refresh(&right, dead).unwrap_err(), TokenRefusal::Over, "{days} days");
            }
            assert_eq!(place.call(&right, &live), Ok(()), "{days} days");
            assert_eq!(place.refresh(&right, &live).unwrap().session.id, live.session.id, "{days} days");
            assert_eq!(place.open_ticket(&right), ticket, "{days} days: the same request makes no other ticket");
            assert!(!place.sees(&right), "{days} days: a signature counts once");
            right.leave().unwrap();
        }
    }

    /// The feed is not needed for what had ended before the process started.
    fn ended_tokens_stay_dead_where_the_feed_is_gone(fresh) {
        let place = Place::open(fresh);
        let first = place.start();
        let (out, suspended, live) = (
            place.log_in(&first, "admin", Some("P01")),
            place.log_in(&first, "manager", Some("P02")),
            place.log_in(&first, "admin", Some("PDA1")),
        );
        assert!(first.end_session(out.session.id).unwrap());
        let office: &dyn Store<OfficeView> = &*fresh.database;
        let (tenant, manager) = (place.world.tenant.id, place.world.manager.id);
        office::set_user_status(office, tenant, &place.stamp(&first), manager, UserStatus::Suspended).unwrap().unwrap();
        assert!(fresh.write(|tx| tx.feed().sweep(MORNING.after(DAY), 1000)) > 0);
        let started = place.start_on(&place.clock);
        for _ in 0..2 {
            assert_eq!(place.call(&started, &out), Err(TokenRefusal::Over));
            assert_eq!(place.call(&started, &suspended), Err(TokenRefusal::Over));
            assert_eq!(place.call(&started, &live), Ok(()));
        }
    }

    /// Two threads of a till, a crash, and a server that starts again with another clock.
    fn second_thread_gets_the_successor_after_a_restart_with_the_clock_ahead(fresh) {
        let place = Place::open(fresh);
        let first = place.start();
        let one = place.log_in(&first, "cashier", Some("P01"));
        let two = place.refresh(&first, &one).unwrap();
        place.call(&first, &two).unwrap();
        first.write_uses().unwrap();
        drop(first);
        place.clock.step_forward(HOUR);
        let again = place.start();
        let repeated = place.refresh(&again, &one).unwrap();
        assert_eq!(repeated.refresh_token, two.refresh_token);
        // PostgreSQL's own clock says that the rotation was just now
        let forgiven = usize::from(matches!(fresh.raw(), Raw::Sqlite(_)));
        assert_eq!((place.told(Action::RefreshShared), place.told(Action::RefreshReplay)), (forgiven, 0));
        assert_eq!(place.refresh(&again, &two).unwrap().refresh_token, two.refresh_token);
    }

    fn clock_that_was_set_while_nobody_ran_is_in_doubt(fresh) {
        let place = Place::open(fresh);
        let first = place.start();
        let granted = place.log_in(&first, "cashier", Some("P01"));
        first.say().unwrap();
        first.leave().unwrap();
        place.clock.step_forward(2 * DAY);
        let again = place.start_on(&place.clock);
        assert!(again.time().in_doubt);
        assert_eq!(place.call(&again, &granted), Ok(()));
        assert!(again.sweep_instant().is_err() && !again.sweeps());
        place.clock.step_back(2 * DAY);
        assert!(!again.time().in_doubt);
    }
}

/// Two processes whose clocks differ, over PostgreSQL: its own clock says how old a rotation is.
#[test]
fn clocks_of_processes_that_differ_end_nothing_on_postgres() {
    for (off, ahead) in [(10 * MINUTE, true), (HOUR, true), (10 * MINUTE, false)] {
        let fresh = Fresh::postgres();
        let place = Place::open(&fresh);
        let first = place.start();
        let theirs = Arc::new(ManualClock::default());
        if ahead {
            theirs.step_forward(off);
        } else {
            theirs.step_back(off);
        }
        let other = place.start_on(&theirs);
        // it has been asking this server for longer than an overlap
        let known = place.log_in(&first, "manager", None);
        place.refresh(&other, &known).unwrap();
        theirs.advance(15 * MINUTE);
        let one = place.log_in(&first, "cashier", Some("P01"));
        let two = place.refresh(&first, &one).unwrap();
        place.call(&first, &two).unwrap();
        first.write_uses().unwrap();
        assert_eq!(place.refresh(&other, &one).unwrap().refresh_token, two.refresh_token, "{off:?}");
        assert_eq!(place.told(Action::RefreshShared), 0, "it can vouch for that");
        fresh.raw().sql("UPDATE sessions SET rotated_clock = rotated_clock - 119000");
        assert_eq!(place.refresh(&other, &one).unwrap().refresh_token, two.refresh_token, "{off:?}");
        fresh.raw().sql("UPDATE sessions SET rotated_clock = rotated_clock - 2000");
        assert_eq!(
            place.refresh(&other, &one).unwrap_err(),
            TokenRefusal::Replay,
            "{off:?}: now an overlap has passed"
        );
    }
}

/// What another server dated says nothing here.
#[test]
fn rotation_that_another_server_dated_is_as_old_as_this_one_is_known() {
    let fresh = Fresh::postgres();
    let place = Place::open(&fresh);
    let first = place.start();
    let one = place.log_in(&first, "cashier", Some("P01"));
    let two = place.refresh(&first, &one).unwrap();
    place.call(&first, &two).unwrap();
    first.write_uses().unwrap();
    fresh
        .raw()
        .sql("UPDATE sessions SET rotated_server = rotated_server - 2, rotated_clock = rotated_clock - 999999999");
    let other = place.start_on(&place.clock);
    assert_eq!(place.refresh(&other, &one).unwrap().refresh_token, two.refresh_token);
    assert_eq!(place.told(Action::RefreshShared), 1);
    place.clock.advance(OVERLAP);
    assert_eq!(place.refresh(&other, &one).unwrap_err(), TokenRefusal::Replay);
}
