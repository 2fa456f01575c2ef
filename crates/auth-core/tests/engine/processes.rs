//! Several processes over one store, and one process after another.

use std::sync::Arc;

use tillgate_auth_core::{AuthView, BuildError, Granted, MasterKey, TokenRefusal};
use tillgate_domain::office::OfficeView;
use tillgate_domain::{Action, Change, Epoch, Instant, KnownRight, Scope, Store, StoreExt, UserStatus};

use crate::shop::{
    MINUTE, OVERLAP, Shop, assign, builder, by_user, chance, refreshed, status, token, token_refused, used,
};

#[test]
fn sessions_and_keys_survive_a_restart() {
    let shop = Shop::open();
    let (first, ended) = (shop.user("cashier", Some("P01")), shop.user("manager", None));
    let second = refreshed(&shop.auth, &first).unwrap();
    assert!(shop.auth.end_session(ended.session.id).unwrap());
    let (jwks, issuer) = (shop.auth.jwks(), shop.auth.issuer().to_owned());
    let Shop { memory, clock, hasher, master, auth, .. } = shop;
    auth.leave().unwrap();
    drop(auth);
    clock.advance(MINUTE);
    let memory = Arc::new(memory.process());
    let auth = builder(memory, &clock, &hasher).master(master).build().unwrap();
    assert_eq!((auth.jwks(), auth.issuer()), (jwks, issuer.as_str()));
    assert!(used(&auth, &first).is_ok() && used(&auth, &second).is_ok());
    assert_eq!(token_refused(used(&auth, &ended)), TokenRefusal::Over, "what was ended stays so");
    assert_eq!(token(&refreshed(&auth, &second).unwrap()), token(&second), "within the overlap");
    clock.advance(OVERLAP);
    assert_eq!(refreshed(&auth, &second).unwrap().session.generation, 3);
}

/// The chores have a thread of their own, which may come to say that this process is there after it has left.
#[test]
fn process_that_has_left_is_not_live_again() {
    let shop = Shop::open();
    let live = || {
        let store: &dyn Store<AuthView> = &*shop.memory;
        store.read(|tx| tx.nodes().live(Instant::from_millis(0))).unwrap().len()
    };
    shop.auth.say().unwrap();
    assert_eq!(live(), 1);
    shop.auth.leave().unwrap();
    assert_eq!(live(), 0);
    shop.auth.say().unwrap();
    shop.clock.advance(MINUTE);
    shop.auth.chore();
    assert_eq!(live(), 0, "it does not come back");
}

#[test]
fn a_second_engine_serves_the_first_ones_tokens() {
    let shop = Shop::open();
    let other = shop.process();
    let granted = shop.user("cashier", Some("P01"));
    assert!(used(&other, &granted).is_ok());
    let moved = refreshed(&other, &granted).unwrap();
    assert!(used(&shop.auth, &moved).is_ok());
    shop.clock.advance(OVERLAP);
    assert_eq!(refreshed(&shop.auth, &moved).unwrap().session.generation, 3);
}

#[test]
fn two_engines_that_are_built_at_once_have_the_same_keys() {
    let shop = Shop::open();
    let memory = tillgate_auth_core::Memory::new();
    let engines: Vec<_> = std::thread::scope(|scope| {
        let build = |store| {
            let builder = builder(store, &shop.clock, &shop.hasher).master(shop.master.clone());
            scope.spawn(move || builder.build().unwrap())
        };
        let threads: Vec<_> = (0..4).map(|_| build(Arc::new(memory.process()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(engines.iter().all(|engine| engine.jwks() == engines[0].jwks()));
    assert_eq!(engines[0].keys().unwrap().len(), 2, "one of each kind");
}

#[test]
fn another_master_key_is_refused_with_the_reason() {
    let shop = Shop::open();
    let other = MasterKey::draw(&*chance()).unwrap();
    let build = |master: Option<MasterKey>| {
        let builder = builder(Arc::new(shop.memory.process()), &shop.clock, &shop.hasher);
        match master {
            Some(master) => builder.master(master).build(),
            None => builder.build(),
        }
    };
    let error = build(Some(other)).err().unwrap();
    assert!(matches!(error, BuildError::Keys(_)));
    assert!(error.to_string().contains("master key does not open the keys in the store"), "{error}");
    assert_eq!(build(None).err().unwrap(), BuildError::NoMaster);
    assert!(build(Some(shop.master.clone())).is_ok(), "and the store is as it was");
}

/// What one process does to a session, and that the other knows it after its next look.
fn ended_elsewhere(what: &str, end: impl Fn(&Shop, &Granted)) {
    let shop = Shop::open();
    let other = shop.process();
    let granted = shop.user("cashier", Some("P01"));
    let bystander = shop.user("manager", Some("P02"));
    for auth in [&shop.auth, &other] {
        assert!(used(auth, &granted).is_ok() && used(auth, &bystander).is_ok());
    }
    end(&shop, &granted);
    assert_eq!(token_refused(used(&shop.auth, &granted)), TokenRefusal::Over, "{what}: at once");
    assert!(used(&other, &granted).is_ok(), "{what}: it has not looked yet");
    assert_eq!(token_refused(refreshed(&other, &granted)), TokenRefusal::Over, "{what}: a refresh asks the store");
    other.follow().unwrap();
    assert_eq!(token_refused(used(&other, &granted)), TokenRefusal::Over, "{what}");
    assert!(used(&other, &bystander).is_ok(), "{what}: the others stay");
}

#[test]
fn an_end_is_known_here_at_once_and_elsewhere_after_the_next_look() {
    ended_elsewhere("a session", |shop, granted| assert!(shop.auth.end_session(granted.session.id).unwrap()));
    ended_elsewhere("a user", |shop, _| {
        assert!(shop.auth.end_user(shop.world.tenant.id, shop.world.cashier.id).unwrap());
    });
    ended_elsewhere("a device", |shop, _| {
        assert!(shop.auth.end_device(shop.world.tenant.id, shop.world.p01.id).unwrap());
    });
    ended_elsewhere("suspended", |shop, _| shop.suspend(shop.world.cashier.id));
    ended_elsewhere("locked", |shop, _| shop.lock(shop.world.p01.id));
    ended_elsewhere("replaced", |shop, _| drop(shop.user("admin", Some("P01"))));
    ended_elsewhere("logout", |shop, granted| shop.auth.logout(&used(&shop.auth, granted).unwrap()).unwrap());
}

#[test]
fn a_view_that_is_too_old_is_made_younger_before_it_is_trusted() {
    let shop = Shop::open();
    let other = shop.process();
    let granted = shop.user("cashier", Some("P01"));
    assert!(used(&other, &granted).is_ok());
    assert!(shop.auth.end_session(granted.session.id).unwrap());
    shop.clock.advance(MINUTE);
    assert!(used(&other, &granted).is_ok(), "just young enough");
    shop.clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(token_refused(used(&other, &granted)), TokenRefusal::Over, "it looked");
    assert!(other.view_age().unwrap().is_zero());
}

#[test]
fn what_needs_the_store_is_not_recognized_from_memory_alone() {
    let shop = Shop::open();
    let other = shop.process();
    let granted = shop.user("cashier", Some("P01"));
    let dialect = crate::shop::native();
    let presented = crate::shop::presented(granted.access_token.expose(), &dialect);
    assert!(shop.auth.recognize(&presented).unwrap().is_ok(), "the login filled it");
    assert!(other.recognize(&presented).is_none(), "the profile is not there");
    assert!(used(&other, &granted).is_ok());
    assert!(other.recognize(&presented).unwrap().is_ok());
    shop.clock.advance(2 * MINUTE);
    assert!(other.recognize(&presented).is_none(), "the view is too old");
    shop.auth.follow().unwrap();
    shop.assign(shop.world.cashier.id, &["manager"]);
    assert!(shop.auth.recognize(&presented).is_none(), "the profile is stale");
    assert!(shop.auth.end_session(granted.session.id).unwrap());
    assert_eq!(token_refused(shop.auth.recognize(&presented).unwrap()), TokenRefusal::Over);
}

#[test]
fn roles_that_change_hold_from_the_next_request_for_tokens_of_before() {
    let shop = Shop::open();
    let other = shop.process();
    let granted = shop.user("manager", None);
    let storno =
        |auth: &tillgate_auth_core::Auth| used(auth, &granted).unwrap().profile.rights.allow(KnownRight::Storno);
    assert!(storno(&shop.auth) && storno(&other));
    shop.assign(shop.world.manager.id, &["cashier"]);
    assert!(!storno(&shop.auth), "at once, without a 401");
    assert!(storno(&other), "it has not looked yet");
    other.follow().unwrap();
    assert!(!storno(&other));
    let theirs = shop.memory.process();
    let office: &dyn Store<OfficeView> = &theirs;
    assign(office, &shop.world, shop.world.manager.id, &["manager"]);
    assert!(!storno(&shop.auth));
    shop.auth.follow().unwrap();
    assert!(storno(&shop.auth), "and back");
}

#[test]
fn a_suspension_elsewhere_is_met_by_a_login_here() {
    let shop = Shop::open();
    let theirs = shop.memory.process();
    status(&theirs, &shop.world, shop.world.cashier.id, UserStatus::Suspended);
    assert!(shop.auth.login(&by_user("cashier", None)).is_err());
    status(&theirs, &shop.world, shop.world.cashier.id, UserStatus::Active);
    let granted = shop.user("cashier", None);
    shop.auth.follow().unwrap();
    assert!(used(&shop.auth, &granted).is_ok(), "it was made after the raise");
}

#[test]
fn a_thread_does_the_chores_until_the_engine_is_dropped() {
    let shop = Shop::open();
    let build = tillgate_auth_core::Auth::builder(Arc::new(shop.memory.process()))
        .master(shop.master.clone())
        .hasher(shop.hasher.clone())
        .clock(shop.clock.clone())
        .entropy(chance())
        .build()
        .unwrap();
    let granted = shop.user("cashier", None);
    shop.auth.end_session(granted.session.id).unwrap();
    let weak = Arc::downgrade(&build);
    let patience = std::time::Duration::from_secs(10);
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while used(&build, &granted).is_ok() {
            std::thread::yield_now();
        }
        drop(build);
        told.send(()).unwrap();
    });
    heard.recv_timeout(patience).expect("the end was followed");
    while weak.upgrade().is_some() {
        std::thread::yield_now();
    }
}

/// A process that was stopped has missed looks at the feed: it looks before it trusts what it knows. While the store is away, it
/// trusts a view that is young enough.
#[test]
fn process_that_has_missed_looks_looks_before_it_trusts_its_view() {
    let shop = Shop::open();
    let store = Arc::new(tillgate_testkit::Failing::over(Arc::new(shop.memory.process())));
    let stopped = tillgate_auth_core::Auth::builder(store.clone())
        .master(shop.master.clone())
        .settings(crate::shop::settings())
        .hasher(shop.hasher.clone())
        .clock(shop.clock.clone())
        .entropy(chance())
        .build()
        .unwrap();
    for _ in 0..20 {
        let (granted, bystander) = (shop.user("cashier", Some("P01")), shop.user("manager", Some("P02")));
        assert!(used(&stopped, &granted).is_ok() && used(&stopped, &bystander).is_ok());
        shop.auth.end_session(granted.session.id).unwrap();
        shop.clock.advance(std::time::Duration::from_secs(3));
        assert_eq!(token_refused(used(&stopped, &granted)), TokenRefusal::Over);
        assert!(used(&stopped, &bystander).is_ok());
    }
    let granted = shop.user("cashier", Some("P01"));
    assert!(used(&stopped, &granted).is_ok());
    store.fail(tillgate_testkit::failing::Failure::at_once(tillgate_domain::StoreError::Unavailable("away".into())));
    shop.clock.advance(std::time::Duration::from_secs(3));
    assert!(used(&stopped, &granted).is_ok(), "no look can be had");
    let dialect = crate::shop::native();
    let presented = crate::shop::presented(granted.access_token.expose(), &dialect);
    assert!(stopped.recognize(&presented).is_some_and(|known| known.is_ok()), "nobody waits for one again");
    shop.clock.advance(MINUTE);
    assert!(crate::shop::unavailable(used(&stopped, &granted)), "it is too old by now");
    store.heal();
}

/// A store of which the test can play what it has forgotten: it keeps the observer.
struct Forgetful {
    memory: tillgate_auth_core::Memory,
    observer: std::sync::Mutex<Option<Arc<dyn tillgate_domain::change::Observer>>>,
}

impl Store<tillgate_auth_core::AuthView> for Forgetful {
    fn run(
        &self,
        mode: tillgate_domain::Mode,
        work: tillgate_domain::Work<'_, tillgate_auth_core::AuthView>,
    ) -> tillgate_domain::Stored<()> {
        Store::<tillgate_auth_core::AuthView>::run(&self.memory, mode, work)
    }
}

impl tillgate_auth_core::AuthStore for Forgetful {
    fn observe(&self, observer: Arc<dyn tillgate_domain::change::Observer>) {
        self.memory.observe(Arc::clone(&observer));
        *self.observer.lock().unwrap() = Some(observer);
    }
}

#[test]
fn a_raise_that_the_store_has_forgotten_comes_back_with_the_next_login() {
    let shop = Shop::open();
    let store = Arc::new(Forgetful { memory: shop.memory.process(), observer: std::sync::Mutex::default() });
    let auth = shop.process_over(store.clone());
    let observer = store.observer.lock().unwrap().clone().unwrap();
    let world = &shop.world;
    let before = auth.login(&by_user("cashier", Some("P01"))).unwrap();
    for (scope, epoch) in
        [(Scope::User(world.cashier.id), 1), (Scope::Device(world.p01.id), 3), (Scope::Tenant(world.tenant.id), 2)]
    {
        observer.committed(&[Change::Raised { scope, epoch: Epoch(epoch) }]);
    }
    assert_eq!(token_refused(used(&auth, &before)), TokenRefusal::Over);
    let after = auth.login(&by_user("cashier", Some("P01"))).unwrap();
    let epochs = after.session.epochs;
    assert_eq!((epochs.user, epochs.device, epochs.tenant), (Epoch(1), Epoch(3), Epoch(2)));
    assert!(used(&auth, &after).is_ok(), "the session of a new login stands at once");
    assert_eq!(shop.told(Action::StoreWentBack).len(), 1);
    let again = auth.login(&by_user("cashier", Some("P01"))).unwrap();
    assert_eq!(again.session.epochs, epochs, "once is enough");
    assert_eq!(shop.told(Action::StoreWentBack).len(), 1);
}
