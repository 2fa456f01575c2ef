//! Several processes over one store, at the same time and one after another.

use std::sync::Arc;

use tillgate_auth_core::ports::KeyKind;
use tillgate_auth_core::{AuthPorts, BuildError, IssuedTokens, MasterKey, TokenDenied};
use tillgate_domain::office::OfficePorts;
use tillgate_domain::{Action, Change, Epoch, Instant, KnownRight, Scope, Store, StoreExt, UserStatus};

use crate::fixture::{
    EngineFixture, MINUTE, OVERLAP, assign, authenticate, builder, by_user, next_entropy, refresh, status, token,
    token_refused,
};

#[test]
fn sessions_and_keys_survive_a_restart() {
    let fixture = EngineFixture::open();
    let (first, ended) = (fixture.user("cashier", Some("P01")), fixture.user("manager", None));
    let second = refresh(&fixture.auth, &first).unwrap();
    assert!(fixture.auth.end_session(ended.session.id).unwrap());
    let (jwks, issuer) = (fixture.auth.jwks(), fixture.auth.issuer().to_owned());
    let EngineFixture { store, clock, hasher, master, auth, .. } = fixture;
    auth.leave().unwrap();
    drop(auth);
    clock.advance(MINUTE);
    let store = Arc::new(store.share_with_process());
    let auth = builder(store, &clock, &hasher).master(master).build().unwrap();
    assert_eq!((auth.jwks(), auth.issuer()), (jwks, issuer.as_str()));
    assert!(authenticate(&auth, &first).is_ok() && authenticate(&auth, &second).is_ok());
    assert_eq!(token_refused(authenticate(&auth, &ended)), TokenDenied::SessionOver, "what was ended stays so");
    assert_eq!(token(&refresh(&auth, &second).unwrap()), token(&second), "within the overlap");
    clock.advance(OVERLAP);
    assert_eq!(refresh(&auth, &second).unwrap().session.generation, 3);
}

/// Maintenance runs on a thread of its own, whose heartbeat may come after the process has left.
#[test]
fn process_that_has_left_is_not_live_again() {
    let fixture = EngineFixture::open();
    let live = || {
        let store: &dyn Store<AuthPorts> = &*fixture.store;
        store.read("test", |tx| tx.nodes().list_live(Instant::from_millis(0))).unwrap().len()
    };
    fixture.auth.send_heartbeat().unwrap();
    assert_eq!(live(), 1);
    fixture.auth.leave().unwrap();
    assert_eq!(live(), 0);
    fixture.auth.send_heartbeat().unwrap();
    fixture.clock.advance(MINUTE);
    fixture.auth.run_due_maintenance();
    assert_eq!(live(), 0, "it does not come back");
}

#[test]
fn heartbeat_acknowledges_a_revocation_with_the_instant_of_its_application() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let granted = fixture.user("cashier", Some("P01"));
    fixture.auth.poll_feed().unwrap();
    fixture.auth.send_heartbeat().unwrap();
    fixture.auth.record_acknowledgment().unwrap();
    fixture.clock.advance(MINUTE);
    let ended_at = other.time().at;
    assert!(other.end_session(granted.session.id).unwrap());
    let end = other.find_feed_end().unwrap();
    fixture.auth.poll_feed().unwrap();
    fixture.auth.send_heartbeat().unwrap();
    let acknowledgments = other.list_acknowledgments().unwrap();
    let own = acknowledgments.iter().find(|own| own.id == fixture.auth.process_id()).unwrap();
    assert!(own.applied >= end);
    assert_eq!(own.applied_at, Some(ended_at));
}

#[test]
fn second_engine_accepts_tokens_of_first() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let granted = fixture.user("cashier", Some("P01"));
    assert!(authenticate(&other, &granted).is_ok());
    let moved = refresh(&other, &granted).unwrap();
    assert!(authenticate(&fixture.auth, &moved).is_ok());
    fixture.clock.advance(OVERLAP);
    assert_eq!(refresh(&fixture.auth, &moved).unwrap().session.generation, 3);
}

#[test]
fn engines_built_concurrently_share_keys() {
    let fixture = EngineFixture::open();
    let store = tillgate_test_store::TestStore::new();
    let engines: Vec<_> = std::thread::scope(|scope| {
        let build = |store| {
            let builder = builder(store, &fixture.clock, &fixture.hasher).master(fixture.master.clone());
            scope.spawn(move || builder.build().unwrap())
        };
        let threads: Vec<_> = (0..4).map(|_| build(Arc::new(store.share_with_process()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(engines.iter().all(|engine| engine.jwks() == engines[0].jwks()));
    assert_eq!(engines[0].list_keys().unwrap().len(), KeyKind::ALL.len(), "one of each kind");
}

#[test]
fn wrong_master_key_is_rejected_with_reason() {
    let fixture = EngineFixture::open();
    let other = MasterKey::generate(&*next_entropy()).unwrap();
    let build = |master: Option<MasterKey>| {
        let builder = builder(Arc::new(fixture.store.share_with_process()), &fixture.clock, &fixture.hasher);
        match master {
            Some(master) => builder.master(master).build(),
            None => builder.build(),
        }
    };
    let error = build(Some(other)).err().unwrap();
    assert!(matches!(error, BuildError::Keys(_)));
    assert!(error.to_string().contains("master key does not open the keys in the store"), "{error}");
    assert_eq!(build(None).err().unwrap(), BuildError::MasterKeyMissing);
    assert!(build(Some(fixture.master.clone())).is_ok(), "and the store is as it was");
}

/// Runs an action in one process; the other one knows its effect after its next poll.
fn end_in_other_process(what: &str, end: impl Fn(&EngineFixture, &IssuedTokens)) {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let granted = fixture.user("cashier", Some("P01"));
    let bystander = fixture.user("manager", Some("P02"));
    for auth in [&fixture.auth, &other] {
        assert!(authenticate(auth, &granted).is_ok() && authenticate(auth, &bystander).is_ok());
    }
    end(&fixture, &granted);
    assert_eq!(token_refused(authenticate(&fixture.auth, &granted)), TokenDenied::SessionOver, "{what}: at once");
    assert!(authenticate(&other, &granted).is_ok(), "{what}: it has not looked yet");
    assert_eq!(token_refused(refresh(&other, &granted)), TokenDenied::SessionOver, "{what}: a refresh asks the store");
    other.poll_feed().unwrap();
    assert_eq!(token_refused(authenticate(&other, &granted)), TokenDenied::SessionOver, "{what}");
    assert!(authenticate(&other, &bystander).is_ok(), "{what}: the others stay");
}

#[test]
fn ended_session_is_known_locally_at_once_and_elsewhere_after_poll() {
    end_in_other_process("a session", |fixture, granted| {
        assert!(fixture.auth.end_session(granted.session.id).unwrap());
    });
    end_in_other_process("a user", |fixture, _| {
        assert!(fixture.auth.end_user_sessions(fixture.records.tenant.id, fixture.records.user("cashier").id).unwrap());
    });
    end_in_other_process("a device", |fixture, _| {
        assert!(fixture.auth.end_device_sessions(fixture.records.tenant.id, fixture.records.device("P01").id).unwrap());
    });
    end_in_other_process("suspended", |fixture, _| fixture.suspend(fixture.records.user("cashier").id));
    end_in_other_process("locked", |fixture, _| fixture.lock(fixture.records.device("P01").id));
    end_in_other_process("replaced", |fixture, _| drop(fixture.user("admin", Some("P01"))));
    end_in_other_process("logout", |fixture, granted| {
        fixture.auth.logout(&authenticate(&fixture.auth, granted).unwrap()).unwrap();
    });
}

#[test]
fn stale_feed_is_polled_before_it_is_trusted() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let granted = fixture.user("cashier", Some("P01"));
    assert!(authenticate(&other, &granted).is_ok());
    assert!(fixture.auth.end_session(granted.session.id).unwrap());
    fixture.clock.advance(MINUTE);
    assert!(authenticate(&other, &granted).is_ok(), "just young enough");
    fixture.clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(token_refused(authenticate(&other, &granted)), TokenDenied::SessionOver, "it looked");
    assert!(other.feed_age().unwrap().is_zero());
}

#[test]
fn cached_authentication_reports_when_store_is_needed() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let granted = fixture.user("cashier", Some("P01"));
    let dialect = crate::fixture::native();
    let presented = crate::fixture::presented(granted.access_token.expose(), &dialect);
    assert!(fixture.auth.authenticate_cached(&presented).unwrap().is_ok(), "the login filled it");
    assert!(other.authenticate_cached(&presented).is_none(), "the profile is not there");
    assert!(authenticate(&other, &granted).is_ok());
    assert!(other.authenticate_cached(&presented).unwrap().is_ok());
    fixture.clock.advance(2 * MINUTE);
    assert!(other.authenticate_cached(&presented).is_none(), "the view is too old");
    fixture.auth.poll_feed().unwrap();
    fixture.assign(fixture.records.user("cashier").id, &["manager"]);
    assert!(fixture.auth.authenticate_cached(&presented).is_none(), "the profile is stale");
    assert!(fixture.auth.end_session(granted.session.id).unwrap());
    assert_eq!(token_refused(fixture.auth.authenticate_cached(&presented).unwrap()), TokenDenied::SessionOver);
}

#[test]
fn role_change_applies_to_existing_tokens_at_next_request() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let granted = fixture.user("manager", None);
    let storno = |auth: &tillgate_auth_core::Auth| {
        authenticate(auth, &granted).unwrap().profile.rights.allows(KnownRight::Storno)
    };
    assert!(storno(&fixture.auth) && storno(&other));
    fixture.assign(fixture.records.user("manager").id, &["cashier"]);
    assert!(!storno(&fixture.auth), "at once, without a 401");
    assert!(storno(&other), "it has not looked yet");
    other.poll_feed().unwrap();
    assert!(!storno(&other));
    let theirs = fixture.store.share_with_process();
    let office: &dyn Store<OfficePorts> = &theirs;
    assign(office, &fixture.records, fixture.records.user("manager").id, &["manager"]);
    assert!(!storno(&fixture.auth));
    fixture.auth.poll_feed().unwrap();
    assert!(storno(&fixture.auth), "and back");
}

#[test]
fn suspension_in_other_process_denies_login() {
    let fixture = EngineFixture::open();
    let theirs = fixture.store.share_with_process();
    status(&theirs, &fixture.records, fixture.records.user("cashier").id, UserStatus::Suspended);
    assert!(fixture.auth.login(&by_user("cashier", None)).is_err());
    status(&theirs, &fixture.records, fixture.records.user("cashier").id, UserStatus::Active);
    let granted = fixture.user("cashier", None);
    fixture.auth.poll_feed().unwrap();
    assert!(authenticate(&fixture.auth, &granted).is_ok(), "it was made after the raise");
}

#[test]
fn maintenance_thread_runs_until_engine_is_dropped() {
    let fixture = EngineFixture::open();
    let build = tillgate_auth_core::Auth::builder(Arc::new(fixture.store.share_with_process()))
        .master(fixture.master.clone())
        .hasher(fixture.hasher.clone())
        .clock(fixture.clock.clone())
        .entropy(next_entropy())
        .build()
        .unwrap();
    let granted = fixture.user("cashier", None);
    fixture.auth.end_session(granted.session.id).unwrap();
    let weak = Arc::downgrade(&build);
    let patience = std::time::Duration::from_secs(10);
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while authenticate(&build, &granted).is_ok() {
            std::thread::yield_now();
        }
        drop(build);
        sender.send(()).unwrap();
    });
    receiver.recv_timeout(patience).expect("the end was followed");
    while weak.upgrade().is_some() {
        std::thread::yield_now();
    }
}

/// A process that was stopped has missed polls of the feed: it polls before it trusts its view.
/// While the store is unavailable, it trusts a view that is young enough.
#[test]
fn process_that_missed_polls_polls_before_trusting_feed() {
    let fixture = EngineFixture::open();
    let store = Arc::new(tillgate_testkit::FailingStore::new(Arc::new(fixture.store.share_with_process())));
    let stopped = tillgate_auth_core::Auth::builder(store.clone())
        .master(fixture.master.clone())
        .settings(crate::fixture::settings())
        .hasher(fixture.hasher.clone())
        .clock(fixture.clock.clone())
        .entropy(next_entropy())
        .build()
        .unwrap();
    for _ in 0..20 {
        let (granted, bystander) = (fixture.user("cashier", Some("P01")), fixture.user("manager", Some("P02")));
        assert!(authenticate(&stopped, &granted).is_ok() && authenticate(&stopped, &bystander).is_ok());
        fixture.auth.end_session(granted.session.id).unwrap();
        fixture.clock.advance(std::time::Duration::from_secs(3));
        assert_eq!(token_refused(authenticate(&stopped, &granted)), TokenDenied::SessionOver);
        assert!(authenticate(&stopped, &bystander).is_ok());
    }
    let granted = fixture.user("cashier", Some("P01"));
    assert!(authenticate(&stopped, &granted).is_ok());
    store.plan_failure(tillgate_testkit::failing_store::PlannedFailure::at_once(
        tillgate_domain::StoreError::Unavailable("away".into()),
    ));
    fixture.clock.advance(std::time::Duration::from_secs(3));
    assert!(authenticate(&stopped, &granted).is_ok(), "no look can be had");
    let dialect = crate::fixture::native();
    let presented = crate::fixture::presented(granted.access_token.expose(), &dialect);
    assert!(stopped.authenticate_cached(&presented).is_some_and(|known| known.is_ok()), "nobody waits for one again");
    fixture.clock.advance(MINUTE);
    assert!(crate::fixture::unavailable(authenticate(&stopped, &granted)), "it is too old by now");
    store.clear_failure();
}

/// A store that can lose changes; it keeps the observer.
struct ForgetfulStore {
    store: tillgate_test_store::TestStore,
    observer: std::sync::Mutex<Option<Arc<dyn tillgate_domain::change::Observer>>>,
}

impl Store<tillgate_auth_core::AuthPorts> for ForgetfulStore {
    fn run(
        &self,
        unit: tillgate_domain::UnitOfWork,
        work: tillgate_domain::Work<'_, tillgate_auth_core::AuthPorts>,
    ) -> tillgate_domain::StoreResult<()> {
        Store::<tillgate_auth_core::AuthPorts>::run(&self.store, unit, work)
    }
}

impl tillgate_auth_core::AuthStore for ForgetfulStore {
    fn add_observer(&self, observer: Arc<dyn tillgate_domain::change::Observer>) {
        self.store.add_observer(Arc::clone(&observer));
        *self.observer.lock().unwrap() = Some(observer);
    }
}

#[test]
fn forgotten_epoch_is_restored_by_next_login() {
    let fixture = EngineFixture::open();
    let store =
        Arc::new(ForgetfulStore { store: fixture.store.share_with_process(), observer: std::sync::Mutex::default() });
    let auth = fixture.process_over(store.clone());
    let observer = store.observer.lock().unwrap().clone().unwrap();
    let records = &fixture.records;
    let before = auth.login(&by_user("cashier", Some("P01"))).unwrap();
    for (scope, epoch) in [
        (Scope::User(records.user("cashier").id), 1),
        (Scope::Device(records.device("P01").id), 3),
        (Scope::Tenant(records.tenant.id), 2),
    ] {
        observer.on_commit(&[Change::EpochBumped { scope, epoch: Epoch(epoch) }]);
    }
    assert_eq!(token_refused(authenticate(&auth, &before)), TokenDenied::SessionOver);
    let after = auth.login(&by_user("cashier", Some("P01"))).unwrap();
    let epochs = after.session.epochs;
    assert_eq!((epochs.user, epochs.device, epochs.tenant), (Epoch(1), Epoch(3), Epoch(2)));
    assert!(authenticate(&auth, &after).is_ok(), "the session of a new login stands at once");
    assert_eq!(fixture.audit_events(Action::StoreRollback).len(), 1);
    let again = auth.login(&by_user("cashier", Some("P01"))).unwrap();
    assert_eq!(again.session.epochs, epochs, "once is enough");
    assert_eq!(fixture.audit_events(Action::StoreRollback).len(), 1);
}
