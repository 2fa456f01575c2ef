//! A login meets what happens between its two units of work, while its password is being verified.

use std::sync::Arc;

use tillgate_auth_core::{LoginRefusal, Memory};
use tillgate_domain::office::{self, DeviceRoles};
use tillgate_domain::{Action, DeviceStatus, EndedWhy, KnownRight, Outcome, PrincipalId, Scope, StoreExt, UserStatus};
use tillgate_testkit::World;
use tillgate_testkit::clock::MORNING;

use crate::hasher::Plain;
use crate::shop::{
    Shop, assign, by_device, by_user, done, login_refused, stamp, status, unavailable, used, with_password,
};

/// This happens during the next login.
fn meanwhile(shop: &Shop, happening: impl FnOnce(&Memory, &World) + Send + 'static) {
    let (memory, world) = (Arc::clone(&shop.memory), shop.world.clone());
    shop.hasher.meanwhile(move || happening(&memory, &world));
}

fn set_password(memory: &Memory, world: &World, principal: PrincipalId, password: &str) {
    done(office::set_password(memory, world.tenant.id, &stamp(MORNING), principal, &Plain::verifier(password)));
}

fn end_everything(memory: &Memory, scope: Scope) {
    let store: &dyn tillgate_domain::Store<tillgate_auth_core::AuthView> = memory;
    store.write(|tx| tx.endings().raise(scope, EndedWhy::Admin, MORNING)).unwrap();
}

#[test]
fn a_password_that_changes_meanwhile_no_longer_lets_in() {
    let shop = Shop::open();
    meanwhile(&shop, |memory, world| set_password(memory, world, PrincipalId::User(world.cashier.id), "another"));
    assert_eq!(login_refused(shop.auth.login(&by_user("cashier", Some("P01")))), LoginRefusal::Mismatch);
    assert_eq!(shop.sessions(), 0);
    meanwhile(&shop, |memory, world| set_password(memory, world, PrincipalId::Device(world.p01.id), "another"));
    assert_eq!(login_refused(shop.auth.login(&by_device("P01"))), LoginRefusal::Mismatch);
    assert_eq!(shop.sessions(), 0);
}

#[test]
fn the_password_that_it_changes_to_is_what_counts() {
    let shop = Shop::open();
    let (before, after) = ("the password of cashier", "another");
    meanwhile(&shop, |memory, world| set_password(memory, world, PrincipalId::User(world.cashier.id), "another"));
    // Wrong as it was read. It is not looked at again: whoever was early is refused.
    assert_eq!(login_refused(shop.auth.login(&with_password(by_user("cashier", None), after))), LoginRefusal::Mismatch);
    assert!(shop.auth.login(&with_password(by_user("cashier", None), after)).is_ok());
    assert_eq!(
        login_refused(shop.auth.login(&with_password(by_user("cashier", None), before))),
        LoginRefusal::Mismatch
    );
}

#[test]
fn a_user_who_is_suspended_or_deleted_meanwhile_is_refused() {
    for (to, expected) in
        [(UserStatus::Suspended, LoginRefusal::Suspended), (UserStatus::Deleted, LoginRefusal::Mismatch)]
    {
        let shop = Shop::open();
        meanwhile(&shop, move |memory, world| status(memory, world, world.cashier.id, to));
        assert_eq!(login_refused(shop.auth.login(&by_user("cashier", Some("P01")))), expected, "{to:?}");
        assert_eq!(shop.sessions(), 0, "{to:?}");
        let told = shop.told(Action::Login);
        assert!(told.iter().all(|event| event.outcome == Outcome::Refused) && told.len() == 1, "{to:?}");
    }
}

#[test]
fn a_device_that_is_locked_meanwhile_is_refused() {
    let lock = |memory: &Memory, world: &World| {
        let stamp = stamp(MORNING);
        done(office::set_device_status(memory, world.tenant.id, &stamp, world.p01.id, DeviceStatus::Locked));
    };
    let shop = Shop::open();
    meanwhile(&shop, lock);
    assert_eq!(login_refused(shop.auth.login(&by_user("cashier", Some("P01")))), LoginRefusal::NotThere);
    let shop = Shop::open();
    meanwhile(&shop, lock);
    assert_eq!(login_refused(shop.auth.login(&by_device("P01"))), LoginRefusal::Suspended);
    assert_eq!(shop.sessions(), 0);
}

#[test]
fn a_device_that_leaves_the_list_meanwhile_is_refused() {
    let shop = Shop::open();
    meanwhile(&shop, |memory, world| {
        let off = DeviceRoles::Edit { on: Vec::new(), off: vec![world.p01.name.clone()] };
        done(office::assign_roles(memory, world.tenant.id, &stamp(MORNING), world.cashier.id, None, off));
    });
    assert_eq!(login_refused(shop.auth.login(&by_user("cashier", Some("P01")))), LoginRefusal::NotThere);
    assert_eq!(shop.sessions(), 0);
}

#[test]
fn roles_that_change_meanwhile_are_those_that_are_granted() {
    let shop = Shop::open();
    meanwhile(&shop, |memory, world| assign(memory, world, world.manager.id, &["cashier"]));
    let granted = shop.user("manager", None);
    assert!(!granted.profile.rights.allow(KnownRight::Storno));
    assert!(!used(&shop.auth, &granted).unwrap().profile.rights.allow(KnownRight::Storno));
}

#[test]
fn what_ends_everything_meanwhile_does_not_end_what_comes_after() {
    let shop = Shop::open();
    let (user, device, tenant) = (shop.world.cashier.id, shop.world.p01.id, shop.world.tenant.id);
    for scope in [Scope::User(user), Scope::Device(device), Scope::Tenant(tenant)] {
        let before = shop.user("cashier", Some("P01"));
        meanwhile(&shop, move |memory, _| end_everything(memory, scope));
        let after = shop.user("cashier", Some("P01"));
        assert!(used(&shop.auth, &before).is_err(), "{scope:?}");
        assert!(used(&shop.auth, &after).is_ok(), "{scope:?}: it was made after the raise");
    }
}

#[test]
fn a_login_that_keeps_losing_is_told_to_come_again_and_is_no_failure() {
    let shop = Shop::open();
    let user = shop.world.cashier.id;
    for _ in 0..4 {
        meanwhile(&shop, move |memory, _| end_everything(memory, Scope::User(user)));
    }
    assert!(unavailable(shop.auth.login(&by_user("cashier", None))));
    assert_eq!(shop.sessions(), 0);
    for _ in 0..5 {
        let wrong = with_password(by_user("cashier", None), "wrong");
        assert_eq!(login_refused(shop.auth.login(&wrong)), LoginRefusal::Mismatch, "all five are still free");
    }
}

#[test]
fn of_two_logins_at_once_on_a_till_one_stays() {
    let shop = Shop::open();
    let auth = Arc::clone(&shop.auth);
    // The second one runs as a whole on another engine while the first one's password is verified.
    let other = shop.process();
    shop.hasher.meanwhile(move || {
        other.login(&by_user("manager", Some("P01"))).unwrap();
    });
    let first = auth.login(&by_user("cashier", Some("P01"))).unwrap();
    let live = tillgate_auth_core::ports::SessionFilter {
        device: Some(shop.world.p01.id),
        live: Some((true, MORNING)),
        ..Default::default()
    };
    let live = auth.all_sessions(&live, None, 10).unwrap();
    assert_eq!(live.iter().map(|each| each.session.id).collect::<Vec<_>>(), [first.session.id]);
}
