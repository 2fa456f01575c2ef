//! A store that fails: nobody is judged by it.

use std::sync::Arc;

use tillgate_auth_core::ports::SessionFilter;
use tillgate_auth_core::{Auth, Error, Granted, Memory, TokenRefusal};
use tillgate_domain::office::{NewRole, OfficeView, RoleChange};
use tillgate_domain::{Environment, KnownRight, Right, RoleId, RoleName, Store, StoreError};
use tillgate_testkit::Failing;
use tillgate_testkit::clock::MORNING;
use tillgate_testkit::failing::{Failure, Moment};

use crate::shop::{
    HOUR, MINUTE, OVERLAP, Shop, by_device, by_user, call, done, refreshed, stamp, token_refused, unavailable, used,
    with_password,
};

/// A store of the shop that fails when it is told to.
fn shaky(shop: &Shop) -> Arc<Failing<Memory>> {
    Arc::new(Failing::over(Arc::new(shop.memory.process())))
}

fn gone() -> StoreError {
    StoreError::Unavailable("gone".to_owned())
}

/// Every call that asks the store, with what it answers.
fn calls(shop: &Shop, auth: &Auth, granted: &Granted, stranger: &Granted) -> Vec<(&'static str, Result<(), Error>)> {
    let caller = used(&shop.auth, granted).unwrap();
    vec![
        ("login", auth.login(&by_user("cashier", Some("P02"))).map(drop)),
        ("a wrong password", auth.login(&with_password(by_user("cashier", None), "wrong")).map(drop)),
        ("an unknown name", auth.login(&by_user("nobody", None)).map(drop)),
        ("a device's login", auth.login(&by_device("P01")).map(drop)),
        ("refresh", refreshed(auth, granted).map(drop)),
        ("authenticate somebody new", used(auth, stranger).map(drop)),
        ("a token of an unknown key", call(auth, &of_another_key(shop)).map(drop)),
        ("logout", auth.logout(&caller)),
        ("end", auth.end(&caller, granted.session.id).map(drop)),
        ("end a session", auth.end_session(granted.session.id).map(drop)),
        ("end a user", auth.end_user(shop.world.tenant.id, shop.world.cashier.id).map(drop)),
        ("end a device", auth.end_device(shop.world.tenant.id, shop.world.p01.id).map(drop)),
        ("end a tenant", auth.end_tenant(shop.world.tenant.id).map(drop)),
        ("list", auth.sessions(&caller, &SessionFilter::default(), None, 10).map(drop)),
        ("keys", auth.keys().map(drop)),
        ("rotate keys", auth.rotate_keys(true).map(drop)),
        ("revoke a key", auth.revoke_key(shop.auth.keys().unwrap()[0].id).map(drop)),
        ("follow", auth.follow()),
        ("say", auth.say()),
        ("sweep", auth.sweep(&mut |_| ()).map(drop)),
    ]
}

/// A token that another server's engine signed.
fn of_another_key(shop: &Shop) -> String {
    let other = Shop::open();
    let granted = other.user("cashier", None);
    assert_ne!(other.auth.jwks(), shop.auth.jwks());
    granted.access_token.expose().clone()
}

#[test]
fn no_failure_is_told_as_a_refusal() {
    let errors = [
        gone(),
        StoreError::Fault("a missing table".to_owned()),
        StoreError::Corrupt { table: "sessions", column: "user", detail: "not a UUID".to_owned() },
    ];
    for error in errors {
        for moment in [Moment::Before, Moment::AtCommit] {
            let shop = Shop::open();
            let store = shaky(&shop);
            let auth = shop.process_over(store.clone());
            let (granted, stranger) = (shop.user("cashier", Some("P01")), shop.user("manager", None));
            store.fail(Failure::at_once(error.clone()).at(moment));
            for (what, answer) in calls(&shop, &auth, &granted, &stranger) {
                let told = matches!(answer, Err(Error::Unavailable { .. } | Error::Fault(_)));
                assert!(told, "{what} while {error} {moment:?}: {answer:?}");
            }
            store.heal();
            assert!(used(&auth, &granted).is_ok(), "nothing was ended");
            assert!(refreshed(&auth, &granted).is_ok());
        }
    }
}

#[test]
fn each_unit_of_work_of_a_login_or_a_refresh_may_fail() {
    for after in 0..4 {
        for moment in [Moment::Before, Moment::AtCommit, Moment::AfterCommit] {
            let shop = Shop::open();
            let store = shaky(&shop);
            let auth = shop.process_over(store.clone());
            store.fail(Failure::at_once(gone()).at(moment).after(after).times(1));
            let granted = match auth.login(&by_user("cashier", Some("P01"))) {
                Ok(granted) => granted,
                Err(error) => {
                    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
                    // The client tries again.
                    auth.login(&by_user("cashier", Some("P01"))).unwrap()
                }
            };
            store.fail(Failure::at_once(gone()).at(moment).after(after).times(1));
            let mut stored = granted;
            for _ in 0..5 {
                match refreshed(&auth, &stored) {
                    Ok(granted) => stored = granted,
                    Err(error) => assert!(matches!(error, Error::Unavailable { .. }), "{error:?}"),
                }
                assert!(used(&auth, &stored).is_ok(), "failure {after}, {moment:?}");
                shop.clock.advance(OVERLAP);
                auth.follow().unwrap_or(());
            }
        }
    }
}

#[test]
fn a_view_that_cannot_be_made_younger_refuses_nobody() {
    let shop = Shop::open();
    let store = shaky(&shop);
    let auth = shop.process_over(store.clone());
    let (good, ended) = (shop.user("cashier", Some("P01")), shop.user("manager", None));
    assert!(used(&auth, &good).is_ok() && used(&auth, &ended).is_ok());
    shop.auth.end_session(ended.session.id).unwrap();
    assert!(used(&auth, &ended).is_ok(), "not known yet");
    store.fail(Failure::at_once(gone()));
    shop.clock.advance(MINUTE);
    assert!(used(&auth, &good).is_ok(), "the view is young enough without the store");
    shop.clock.advance(MINUTE);
    assert!(unavailable(used(&auth, &good)), "nobody knows");
    assert!(unavailable(used(&auth, &ended)), "nobody knows");
    shop.clock.advance(HOUR);
    assert_eq!(token_refused(used(&auth, &good)), TokenRefusal::Expired, "this takes no store");
    store.heal();
    let fresh = refreshed(&auth, &good).unwrap();
    assert!(used(&auth, &fresh).is_ok());
}

#[test]
fn what_is_known_to_be_over_is_refused_without_the_store() {
    let shop = Shop::open();
    let store = shaky(&shop);
    let auth = shop.process_over(store.clone());
    let granted = shop.user("cashier", Some("P01"));
    shop.auth.end_session(granted.session.id).unwrap();
    auth.follow().unwrap();
    store.fail(Failure::at_once(gone()));
    shop.clock.advance(5 * MINUTE);
    assert_eq!(token_refused(used(&auth, &granted)), TokenRefusal::Over);
}

#[test]
fn uses_that_could_not_be_written_are_written_later() {
    let shop = Shop::open();
    let store = shaky(&shop);
    let auth = shop.process_over(store.clone());
    let granted = shop.user("cashier", Some("P01"));
    used(&auth, &granted).unwrap();
    store.fail(Failure::at_once(gone()).at(Moment::AtCommit));
    assert!(unavailable(auth.write_uses()));
    store.heal();
    auth.write_uses().unwrap();
    let session = shop.session(granted.session.id);
    assert_eq!((session.used, session.last_used_at.is_some()), (1, true));
}

#[test]
fn readiness_says_what_is_wrong() {
    let shop = Shop::open();
    let store = shaky(&shop);
    let auth = shop.process_over(store.clone());
    assert!(auth.readiness().ready());
    store.fail(Failure::at_once(gone()));
    let readiness = auth.readiness();
    assert!(!readiness.ready() && readiness.store.unwrap().contains("gone"));
    store.heal();
    shop.clock.advance(2 * MINUTE);
    assert!(!auth.readiness().ready() && !auth.readiness().fresh);
    auth.follow().unwrap();
    shop.clock.step_forward(3 * HOUR);
    let readiness = auth.readiness();
    assert!(readiness.ready() && readiness.clock_in_doubt, "a doubtful clock is told, not failed");
}

#[test]
fn a_role_that_changes_leaves_everybody_else_their_memory() {
    let shop = Shop::open();
    let store = shaky(&shop);
    let auth = shop.process_over(store.clone());
    let (cashier, manager) = (shop.user("cashier", Some("P01")), shop.user("manager", None));
    let night = role_of_own(&shop, "night");
    shop.assign(shop.world.manager.id, &["manager", "night"]);
    auth.follow().unwrap();
    assert!(used(&auth, &cashier).is_ok() && used(&auth, &manager).is_ok());
    // added, changed and deleted by this process
    let late = add_role(&*store, &shop, "late");
    change_role(&*store, &shop, night, "storno");
    done(tillgate_domain::office::delete_role(&*store, shop.world.tenant.id, &stamp(MORNING), late, None));
    store.fail(Failure::at_once(gone()));
    assert!(used(&auth, &cashier).is_ok(), "who does not hold the role is served from memory");
    assert!(unavailable(used(&auth, &manager)), "what the holder may do now is not known");
    store.heal();
    assert!(used(&auth, &manager).unwrap().profile.rights.allow(KnownRight::Storno), "at once where it was answered");
    // this process finds its own change in the feed, and knows it
    auth.follow().unwrap();
    store.fail(Failure::at_once(gone()));
    assert!(used(&auth, &cashier).is_ok() && used(&auth, &manager).is_ok());
    store.heal();
    // another's change is none of its own, of the same role too
    change_role(shop.office(), &shop, night, "roleCreate");
    auth.follow().unwrap();
    store.fail(Failure::at_once(gone()));
    assert!(used(&auth, &cashier).is_ok());
    assert!(unavailable(used(&auth, &manager)));
    store.heal();
    assert!(!used(&auth, &manager).unwrap().profile.rights.allow(Right::parse("unheardOf").unwrap()));
    assert!(used(&auth, &manager).unwrap().profile.rights.allow(KnownRight::RoleCreate));
}

/// A role of the shop's own that allows one thing, made by another process.
fn role_of_own(shop: &Shop, name: &str) -> RoleId {
    add_role(shop.office(), shop, name)
}

fn add_role(office: &dyn Store<OfficeView>, shop: &Shop, name: &str) -> RoleId {
    let id = RoleId::new(MORNING, crate::shop::chance().draw().unwrap());
    let new = NewRole {
        id,
        name: RoleName::parse(name).unwrap(),
        label: name.to_owned(),
        description: String::new(),
        rights: Right::parse("ticketClose").into_iter().collect(),
        environments: Environment::ALL.into(),
    };
    done(tillgate_domain::office::add_role(office, shop.world.tenant.id, &stamp(MORNING), &new));
    id
}

fn change_role(office: &dyn Store<OfficeView>, shop: &Shop, role: RoleId, right: &str) {
    let rights = Right::parse(right).into_iter().collect();
    let change = RoleChange { rights: Some(rights), ..RoleChange::default() };
    done(tillgate_domain::office::change_role(office, shop.world.tenant.id, &stamp(MORNING), role, None, &change));
}
