//! Refreshing: each row of the judge's table, through the engine.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tillgate_auth_core::{Auth, AuthStore, AuthView, Dialect, Granted, How, Memory, Refreshing, TokenRefusal};
use tillgate_domain::change::Observer;
use tillgate_domain::{
    Action, Change, EndedWhy, Epoch, KnownRight, Mode, PrincipalId, Scope, Store, StoreExt, Stored, Work,
};

use crate::shop::{
    HOUR, OVERLAP, Shop, by_user, native, refreshed, refreshing, token, token_refused, unavailable, used,
};

const MOMENT: Duration = Duration::from_millis(1);

/// A session that was refreshed once, after its first hour: what each gave, the second used.
fn once_refreshed(shop: &Shop) -> (Granted, Granted) {
    let first = shop.user("cashier", Some("P01"));
    used(&shop.auth, &first).unwrap();
    shop.clock.advance(10 * crate::shop::MINUTE);
    let second = refreshed(&shop.auth, &first).unwrap();
    used(&shop.auth, &second).unwrap();
    (first, second)
}

fn generations(auth: &Auth, presented: &Granted) -> (How, i64) {
    let granted = refreshed(auth, presented).unwrap();
    (granted.how, granted.session.generation)
}

#[test]
fn a_session_that_was_never_rotated_moves_on_at_its_first_refresh() {
    let shop = Shop::open();
    let first = shop.user("cashier", Some("P01"));
    assert_eq!(generations(&shop.auth, &first), (How::Rotated, 2));
    assert_eq!(shop.session(first.session.id).generation, 2);
}

#[test]
fn the_newest_one_moves_on_once_in_an_overlap() {
    let shop = Shop::open();
    let (_, second) = once_refreshed(&shop);
    for _ in 0..3 {
        shop.clock.advance(OVERLAP / 4);
        let again = refreshed(&shop.auth, &second).unwrap();
        assert_eq!((again.how, token(&again)), (How::Repeated, token(&second)), "the very same");
        assert_ne!(again.access_token, second.access_token, "with an access token of now");
        assert!(again.access_expires_at > second.access_expires_at);
        assert!(used(&shop.auth, &again).is_ok());
    }
    let written = shop.session(second.session.id);
    assert_eq!(written, second.session, "nothing is written");
    shop.clock.advance(OVERLAP / 4);
    assert_eq!(generations(&shop.auth, &second), (How::Rotated, 3));
}

#[test]
fn the_one_before_is_repeated_within_the_overlap_though_the_newest_is_used() {
    let shop = Shop::open();
    let (first, second) = once_refreshed(&shop);
    shop.clock.advance(OVERLAP - MOMENT);
    let again = refreshed(&shop.auth, &first).unwrap();
    assert_eq!((again.how, token(&again)), (How::Repeated, token(&second)));
}

#[test]
fn the_one_before_is_repeated_for_as_long_as_the_newest_is_unused() {
    let shop = Shop::open();
    let first = shop.user("cashier", Some("P01"));
    let lost = refreshed(&shop.auth, &first).unwrap();
    for _ in 0..5 {
        shop.clock.advance(HOUR);
        let again = refreshed(&shop.auth, &first).unwrap();
        assert_eq!((again.how, token(&again)), (How::Repeated, token(&lost)), "a lost answer is not a theft");
    }
    let found = refreshed(&shop.auth, &first).unwrap();
    used(&shop.auth, &found).unwrap();
    assert_eq!(refreshed(&shop.auth, &first).unwrap().how, How::Repeated, "it was handed out a moment ago");
    shop.clock.advance(OVERLAP);
    assert_eq!(token_refused(refreshed(&shop.auth, &first)), TokenRefusal::Replay, "now it is");
}

#[test]
fn an_answer_that_is_found_again_begins_its_overlap_anew_in_every_process() {
    let shop = Shop::open();
    let other = shop.process();
    let first = shop.user("cashier", Some("P01"));
    refreshed(&shop.auth, &first).unwrap();
    shop.clock.advance(HOUR);
    let found = refreshed(&other, &first).unwrap();
    used(&other, &found).unwrap();
    assert_eq!(found.session_expires_at, shop.session(first.session.id).expires_at, "it lengthens nothing");
    for auth in [&shop.auth, &other] {
        let again = refreshed(auth, &found).unwrap();
        assert_eq!((again.how, token(&again)), (How::Repeated, token(&found)), "it does not move on");
        assert_eq!(refreshed(auth, &first).unwrap().how, How::Repeated, "while a late request may be on its way");
    }
    shop.clock.advance(OVERLAP);
    assert_eq!(generations(&other, &found), (How::Rotated, 3));
}

#[test]
fn a_crowd_of_siblings_writes_nothing() {
    let shop = Shop::open();
    let first = shop.user("cashier", Some("P01"));
    refreshed(&shop.auth, &first).unwrap();
    let before = shop.session(first.session.id);
    shop.clock.advance(OVERLAP / 4 - MOMENT);
    refreshed(&shop.auth, &first).unwrap();
    refreshed(&shop.process(), &first).unwrap();
    assert_eq!(shop.session(first.session.id), before);
    shop.clock.advance(MOMENT);
    refreshed(&shop.auth, &first).unwrap();
    assert_eq!(shop.session(first.session.id).rotated_at, Some(shop.auth.time().at), "a retry does");
}

#[test]
fn what_this_process_knows_to_be_over_stays_so_though_the_store_has_forgotten_it() {
    let shop = Shop::open();
    let (one, two) = (shop.user("cashier", Some("P01")), shop.user("manager", None));
    let memory = Arc::new(shop.memory.process());
    let told = Arc::new(Told { memory, observer: Mutex::default() });
    let auth = shop.process_over(told.clone());
    assert!(refreshed(&auth, &one).is_ok() && refreshed(&auth, &two).is_ok());
    let scope = Scope::User(shop.world.manager.id);
    let gone = [Change::Ended(one.session.id), Change::Raised { scope, epoch: Epoch(1) }];
    told.observer.lock().unwrap().clone().unwrap().committed(&gone);
    for granted in [&one, &two] {
        assert_eq!(token_refused(refreshed(&auth, granted)), TokenRefusal::Over);
        assert_eq!(token_refused(used(&auth, granted)), TokenRefusal::Over);
    }
}

/// A store whose observer the test keeps.
struct Told {
    memory: Arc<Memory>,
    observer: Mutex<Option<Arc<dyn Observer>>>,
}

impl Store<AuthView> for Told {
    fn run(&self, mode: Mode, work: Work<'_, AuthView>) -> Stored<()> {
        Store::<AuthView>::run(&*self.memory, mode, work)
    }
}

impl AuthStore for Told {
    fn observe(&self, observer: Arc<dyn Observer>) {
        *self.observer.lock().unwrap() = Some(observer);
    }
}

#[test]
fn an_older_copy_after_the_overlap_and_after_use_ends_the_session_and_the_audit_says_so() {
    let shop = Shop::open();
    let (first, second) = once_refreshed(&shop);
    shop.clock.advance(OVERLAP);
    assert_eq!(token_refused(refreshed(&shop.auth, &first)), TokenRefusal::Replay);
    assert_eq!(shop.session(first.session.id).ended.map(|(_, why)| why), Some(EndedWhy::Replay));
    assert_eq!(token_refused(used(&shop.auth, &second)), TokenRefusal::Over, "at once, for everybody");
    assert_eq!(token_refused(refreshed(&shop.auth, &second)), TokenRefusal::Over);
    assert_eq!(token_refused(refreshed(&shop.auth, &first)), TokenRefusal::Over, "it is told once");
    let told = shop.told(Action::RefreshReplay);
    let [line] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((line.actor.session, line.actor.user), (Some(first.session.id), Some(shop.world.cashier.id)));
    assert_eq!((line.details["generation"].as_i64(), line.details["presented"].as_i64()), (Some(2), Some(1)));
}

#[test]
fn two_behind_is_a_replay_whatever_the_time() {
    let shop = Shop::open();
    let (first, second) = once_refreshed(&shop);
    shop.clock.advance(OVERLAP);
    refreshed(&shop.auth, &second).unwrap();
    assert_eq!(token_refused(refreshed(&shop.auth, &first)), TokenRefusal::Replay, "within the overlap, unused");
}

#[test]
fn one_ahead_of_a_store_that_went_back_moves_on_and_the_audit_says_so() {
    let shop = Shop::open();
    let (first, second) = once_refreshed(&shop);
    shop.clock.advance(OVERLAP);
    let third = refreshed(&shop.auth, &second).unwrap();
    // A backup of before comes back.
    let was = &first.session;
    let back = tillgate_auth_core::ports::Rotation {
        generation: 1,
        key: was.key,
        previous_key: was.key,
        at: was.created_at,
        expires_at: was.expires_at,
        from: was.address,
    };
    assert!(shop.auth_store().write(|tx| tx.sessions().rotate(was.id, 3, &back)).unwrap());
    for auth in [shop.auth.clone(), shop.process()] {
        let ahead = refreshed(&auth, &third).unwrap();
        assert_eq!((ahead.session.generation, token(&ahead)), (3, token(&third)), "the store catches up");
        assert!(used(&auth, &ahead).is_ok());
    }
    let told = shop.told(Action::StoreWentBack);
    assert_eq!(told.len(), 1, "the second refresh repeats: {told:?}");
}

#[test]
fn what_is_over_is_refused_and_stays_as_it_is() {
    type End = fn(&Shop, &Granted);
    let cases: [(&str, End, TokenRefusal); 8] = [
        ("logout", |shop, granted| shop.auth.logout(&used(&shop.auth, granted).unwrap()).unwrap(), TokenRefusal::Over),
        ("ended", |shop, granted| assert!(shop.auth.end_session(granted.session.id).unwrap()), TokenRefusal::Over),
        (
            "the user's",
            |shop, _| drop(shop.auth.end_user(shop.world.tenant.id, shop.world.cashier.id)),
            TokenRefusal::Over,
        ),
        (
            "the device's",
            |shop, _| drop(shop.auth.end_device(shop.world.tenant.id, shop.world.p01.id)),
            TokenRefusal::Over,
        ),
        ("the tenant's", |shop, _| drop(shop.auth.end_tenant(shop.world.tenant.id)), TokenRefusal::Over),
        ("suspended", |shop, _| shop.suspend(shop.world.cashier.id), TokenRefusal::Over),
        (
            "password",
            |shop, _| shop.set_password(PrincipalId::User(shop.world.cashier.id), "other"),
            TokenRefusal::Over,
        ),
        ("expired", |shop, _| shop.clock.advance(12 * HOUR), TokenRefusal::Expired),
    ];
    for (what, end, expected) in cases {
        let shop = Shop::open();
        let (first, second) = once_refreshed(&shop);
        end(&shop, &second);
        for presented in [&first, &second] {
            assert_eq!(token_refused(refreshed(&shop.auth, presented)), expected, "{what}");
        }
        assert!(shop.told(Action::RefreshReplay).is_empty(), "{what}: nobody is accused");
    }
}

#[test]
fn what_was_ended_below_an_epoch_survives_no_activation() {
    let shop = Shop::open();
    let (_, second) = once_refreshed(&shop);
    shop.suspend(shop.world.cashier.id);
    crate::shop::status(shop.office(), &shop.world, shop.world.cashier.id, tillgate_domain::UserStatus::Active);
    assert_eq!(token_refused(refreshed(&shop.auth, &second)), TokenRefusal::Over);
    assert_eq!(token_refused(used(&shop.auth, &second)), TokenRefusal::Over);
    assert!(shop.auth.login(&by_user("cashier", Some("P01"))).is_ok());
}

#[test]
fn another_device_contract_tenant_or_token_beside_is_refused() {
    let shop = Shop::open();
    let (_, second) = once_refreshed(&shop);
    let other = shop.user("manager", Some("OFFICE"));
    let (native, portos) = (native(), Dialect::new("portos"));
    let base = refreshing(token(&second), &native);
    let refused = |refreshing: &Refreshing<'_>| token_refused(shop.auth.refresh(refreshing));
    assert_eq!(refused(&Refreshing { device: Some(shop.world.p02.id), ..base.clone() }), TokenRefusal::Over);
    assert_eq!(refused(&Refreshing { dialect: &portos, ..base.clone() }), TokenRefusal::Foreign);
    assert_eq!(refused(&Refreshing { tenant: Some(shop.market.id), ..base.clone() }), TokenRefusal::Foreign);
    for beside in [other.access_token.expose().as_str(), token(&second), "", "x.y.z"] {
        assert_eq!(refused(&Refreshing { beside: Some(beside), ..base.clone() }), TokenRefusal::Invalid, "{beside}");
    }
    let right = Refreshing {
        device: Some(shop.world.p01.id),
        tenant: Some(shop.world.tenant.id),
        beside: Some(second.access_token.expose()),
        ..base
    };
    shop.clock.advance(HOUR);
    assert!(shop.auth.refresh(&right).is_ok(), "the one beside may have expired");
}

#[test]
fn a_session_that_was_swept_reads_as_over() {
    let shop = Shop::open();
    let granted = shop.user("cashier", None);
    shop.clock.advance(60 * 24 * HOUR);
    assert!(shop.auth.sweep(&mut |_| ()).unwrap().sessions > 0);
    assert_eq!(token_refused(refreshed(&shop.auth, &granted)), TokenRefusal::Over);
}

#[test]
fn a_refresh_brings_the_rights_of_now() {
    let shop = Shop::open();
    let first = shop.user("manager", None);
    shop.assign(shop.world.manager.id, &["cashier"]);
    let second = refreshed(&shop.auth, &first).unwrap();
    assert!(!second.profile.rights.allow(KnownRight::Storno));
}

#[test]
fn a_store_that_fails_is_no_refusal() {
    let shop = Shop::open();
    let (first, _) = once_refreshed(&shop);
    shop.memory.turn(tillgate_auth_core::ports::InstanceState::Draining);
    shop.clock.advance(OVERLAP);
    assert!(unavailable(refreshed(&shop.auth, &first)), "a replay that cannot be written is not told");
    shop.memory.turn(tillgate_auth_core::ports::InstanceState::Open);
    assert_eq!(token_refused(refreshed(&shop.auth, &first)), TokenRefusal::Replay);
}
