//! The rules of users: names, statuses, roles, passwords, the last admin, and what nobody grants.

use std::time::Duration;
use tillgate_auth_core::AuthView;

use tillgate_auth_core::ports::{Bucket, CountKey, Settled};
use tillgate_domain::office::{self, DeviceChange, DeviceRoles, Field, NewUser, Page, Refused, Stamp, UserChange};
use tillgate_domain::{
    Action, Actor, Change, DeviceId, DeviceName, Email, Epoch, PrincipalId, Right, Scope, Secret, Store, StoreExt,
    UserId, UserName, UserStatus,
};

use crate::asked::*;
use crate::shop::*;

#[test]
fn names_and_addresses_are_unique_and_the_refusal_names_the_field() {
    let shop = Shop::open();
    let anna = shop.add(&NewUser { email: Email::parse("anna@example.com").ok(), ..new_user("Anna", &[]) }).unwrap();
    assert_eq!(shop.add(&new_user("  ANNA ", &[])), Err(taken(Field::UserName, "ANNA")));
    let same = NewUser { email: Email::parse("ANNA@example.com").ok(), ..new_user("hana", &[]) };
    assert_eq!(shop.add(&same), Err(taken(Field::Email, "ANNA@example.com")));
    let hana = shop.user("hana", &[]);
    let rename = UserChange { name: UserName::parse("anna").ok(), ..UserChange::default() };
    assert_eq!(shop.change(&hana, &rename), Err(taken(Field::UserName, "anna")));
    // a deleted name is free again
    shop.status(&anna, UserStatus::Deleted).unwrap();
    assert_eq!(shop.change(&hana, &rename).unwrap().name.as_str(), "anna");
    shop.device("P01");
    let again = office::add_device(shop.store(), shop.tenant.id, &stamp(), &new_device("p01")).unwrap();
    assert_eq!(again, Err(taken(Field::Name, "p01")));
    let other = shop.device("P02");
    let rename = DeviceChange { name: DeviceName::parse("P01").ok(), ..DeviceChange::default() };
    let renamed = office::change_device(shop.store(), shop.tenant.id, &stamp(), other.id, None, &rename).unwrap();
    assert_eq!(renamed, Err(taken(Field::Name, "P01")));
}

#[test]
fn a_refusal_changes_nothing_and_tells_nothing() {
    let shop = Shop::open();
    let admin = shop.user("admin", &["admin"]);
    let (told, changes) = (shop.actions(), shop.changes());
    assert_eq!(shop.status(&admin, UserStatus::Suspended), Err(Refused::LastAdmin));
    assert_eq!(shop.add(&new_user("admin", &[])), Err(taken(Field::UserName, "admin")));
    let rename =
        UserChange { name: UserName::parse("other").ok(), roles: Some(vec![role("nobody")]), ..UserChange::default() };
    assert_eq!(shop.change(&admin, &rename), Err(Refused::Unknown { field: Field::Roles, value: "nobody".into() }));
    assert_eq!((shop.actions(), shop.changes()), (told, changes));
    assert_eq!(office::find_user(shop.store(), shop.tenant.id, admin.id).unwrap(), Some(admin));
}

#[test]
fn suspending_raises_the_epoch_and_activating_does_not() {
    let shop = Shop::open();
    let anna = shop.user("anna", &["cashier"]);
    let suspended = shop.status(&anna, UserStatus::Suspended).unwrap();
    assert_eq!((suspended.status, suspended.epoch), (UserStatus::Suspended, Epoch(1)));
    let raised = Change::Raised { scope: Scope::User(anna.id), epoch: Epoch(1) };
    assert_eq!(shop.changes().last(), Some(&raised));
    let active = shop.status(&anna, UserStatus::Active).unwrap();
    assert_eq!((active.status, active.epoch), (UserStatus::Active, Epoch(1)));
    assert_eq!(shop.changes().last(), Some(&Change::Touched(Scope::User(anna.id))));
    // the same again writes nothing
    let told = shop.actions().len();
    assert_eq!(shop.status(&anna, UserStatus::Active).unwrap().version, active.version);
    assert_eq!(shop.actions().len(), told);
    assert_eq!(shop.status(&anna, UserStatus::Pending), Err(Refused::Status { from: "active", to: "pending" }));
}

#[test]
fn a_deleted_user_is_gone_for_good() {
    let shop = Shop::open();
    let anna = shop.user("anna", &[]);
    let gone = shop.status(&anna, UserStatus::Deleted).unwrap();
    assert_eq!((gone.status, gone.epoch), (UserStatus::Deleted, Epoch(1)));
    let unknown = Refused::Absent { field: Field::User, value: anna.id.to_string() };
    for status in UserStatus::ALL {
        assert_eq!(shop.status(&anna, status), Err(unknown.clone()));
    }
    assert_eq!(office::user_named(shop.store(), shop.tenant.id, &anna.name).unwrap(), None);
    let page = Page { after: None, limit: 10 };
    assert_eq!(office::list_users(shop.store(), shop.tenant.id, &page).unwrap().len(), 1);
}

#[test]
fn nobody_removes_the_last_admin_in_any_way() {
    let shop = Shop::open();
    let admin = shop.user("admin", &["admin"]);
    assert_eq!(shop.status(&admin, UserStatus::Suspended), Err(Refused::LastAdmin));
    assert_eq!(shop.status(&admin, UserStatus::Deleted), Err(Refused::LastAdmin));
    assert_eq!(shop.assign(&admin, Some(&["cashier"]), DeviceRoles::Keep), Err(Refused::LastAdmin));
    // a suspended admin is none
    let other = shop.user("other", &["admin"]);
    shop.status(&other, UserStatus::Suspended).unwrap();
    assert_eq!(shop.status(&admin, UserStatus::Suspended), Err(Refused::LastAdmin));
    shop.status(&other, UserStatus::Active).unwrap();
    shop.status(&admin, UserStatus::Suspended).unwrap();
    assert_eq!(shop.status(&other, UserStatus::Deleted), Err(Refused::LastAdmin));
    // an admin of another tenant is none here
    let elsewhere = office::add_tenant(shop.store(), &stamp(), &new_tenant("elsewhere")).unwrap().unwrap();
    office::add_user(shop.store(), elsewhere.id, &stamp(), &new_user("admin", &["admin"])).unwrap().unwrap();
    assert_eq!(shop.status(&other, UserStatus::Deleted), Err(Refused::LastAdmin));
}

#[test]
fn an_admin_on_a_device_counts_and_may_move() {
    let shop = Shop::open();
    shop.device("P01");
    let admin = shop.user("admin", &["admin"]);
    let moved = DeviceRoles::Edit { on: vec![on("P01", &["admin"])], off: Vec::new() };
    let moved = shop.assign(&admin, Some(&[]), moved).unwrap();
    assert!(moved.assignment.office.is_empty());
    let off = DeviceRoles::Edit { on: Vec::new(), off: vec![DeviceName::parse("P01").unwrap()] };
    assert_eq!(shop.assign(&admin, None, off.clone()), Err(Refused::LastAdmin));
    shop.user("second", &["admin"]);
    assert!(shop.assign(&admin, None, off).unwrap().assignment.devices.is_empty());
}

#[test]
fn roles_are_edited_or_replaced_and_the_user_is_touched() {
    let shop = Shop::open();
    let (p01, p02) = (shop.device("P01"), shop.device("P02"));
    let anna = shop.add(&NewUser { devices: vec![on("p01", &["cashier"])], ..new_user("anna", &[]) }).unwrap();
    let edit = DeviceRoles::Edit { on: vec![on("P02", &["cashier", "Manager"]), on("P01", &[])], off: Vec::new() };
    let after = shop.assign(&anna, None, edit).unwrap();
    assert_eq!(after.assignment.devices[&p01.id].len(), 0);
    assert_eq!(after.assignment.devices[&p02.id].len(), 2);
    assert_eq!(after.epoch, Epoch(0), "nobody is logged out by other rights");
    assert_eq!(shop.changes().last(), Some(&Change::Touched(Scope::User(anna.id))));
    let replaced = shop.assign(&anna, Some(&["cashier"]), DeviceRoles::Replace(vec![on("P02", &[])])).unwrap();
    assert_eq!(replaced.assignment.devices.keys().collect::<Vec<_>>(), [&p02.id]);
    assert_eq!(shop.actions().last(), Some(&Action::UserRoles));
    let nowhere = DeviceRoles::Edit { on: vec![on("P09", &[])], off: Vec::new() };
    assert_eq!(shop.assign(&anna, None, nowhere), Err(Refused::Unknown { field: Field::Devices, value: "P09".into() }));
}

#[test]
fn a_change_holds_to_the_version_that_was_read() {
    let shop = Shop::open();
    let anna = shop.user("anna", &[]);
    let change = UserChange { display_name: Some("Anna B.".into()), ..UserChange::default() };
    let by = |version| office::change_user(shop.store(), shop.tenant.id, &stamp(), anna.id, version, &change).unwrap();
    let changed = by(Some(anna.version)).unwrap();
    assert_eq!(changed.version, anna.version + 1);
    assert_eq!(by(Some(anna.version)), Err(Refused::Moved { current: changed.version }));
    let till = shop.device("P01");
    let change = DeviceChange { description: Some("door".into()), ..DeviceChange::default() };
    let by =
        |version| office::change_device(shop.store(), shop.tenant.id, &stamp(), till.id, version, &change).unwrap();
    let changed = by(Some(till.version)).unwrap();
    assert_eq!(by(Some(till.version)), Err(Refused::Moved { current: changed.version }));
}

#[test]
fn a_password_ends_every_session_of_its_owner() {
    let shop = Shop::open();
    let anna = PrincipalId::User(shop.user("anna", &[]).id);
    let till = PrincipalId::Device(shop.device("P01").id);
    for (principal, scope) in [(anna, Scope::User(UserId(anna.uuid()))), (till, Scope::Device(DeviceId(till.uuid())))] {
        for number in [1, 2] {
            let verifier = Secret::new("hash".to_owned());
            office::set_password(shop.store(), shop.tenant.id, &stamp(), principal, &verifier).unwrap().unwrap();
            assert_eq!(shop.version(principal), Some(number + i64::from(principal == anna)));
            assert_eq!(shop.changes().last(), Some(&Change::Raised { scope, epoch: Epoch(number) }));
            assert_eq!(shop.actions().last(), Some(&Action::Password));
        }
    }
}

#[test]
fn a_virtual_user_has_no_password() {
    let shop = Shop::open();
    let verifier = Secret::new("hash".to_owned());
    let kiosk = NewUser { feature: Some("kiosk".into()), ..new_user("kiosk", &[]) };
    assert_eq!(shop.add(&NewUser { verifier: Some(verifier.clone()), ..kiosk.clone() }), Err(Refused::Virtual));
    let kiosk = PrincipalId::User(shop.add(&kiosk).unwrap().id);
    let set = office::set_password(shop.store(), shop.tenant.id, &stamp(), kiosk, &verifier).unwrap();
    assert_eq!(set, Err(Refused::Virtual));
    assert_eq!(shop.version(kiosk), None);
}

#[test]
fn unlocking_and_another_password_forget_the_failed_logins() {
    let shop = Shop::open();
    let anna = PrincipalId::User(shop.user("anna", &[]).id);
    let store: &dyn Store<AuthView> = &shop.memory;
    let key = CountKey([7; 32]);
    let fail = || {
        store
            .write(|tx| {
                let from = tx.attempts().buckets(&[key])?[0];
                let to = Bucket { full_at: AT.after(Duration::from_mins(1)), ..from };
                assert!(tx.attempts().charge(key, Some(anna.uuid()), &from, &to, AT)?);
                tx.attempts().settle(key, Settled::Spent, AT)
            })
            .unwrap();
    };
    let is_full = || store.read(|tx| tx.attempts().buckets(&[key])).unwrap()[0] == Bucket::default();
    fail();
    assert!(!is_full());
    assert_eq!(office::unlock(shop.store(), shop.tenant.id, &stamp(), anna).unwrap(), Ok(()));
    assert!(is_full());
    assert_eq!(shop.actions().last(), Some(&Action::Unlock));
    fail();
    assert!(!is_full());
    let verifier = Secret::new("hash".to_owned());
    office::set_password(shop.store(), shop.tenant.id, &stamp(), anna, &verifier).unwrap().unwrap();
    assert!(is_full());
}

#[test]
fn nobody_grants_or_touches_what_they_do_not_hold() {
    let shop = Shop::open();
    let admin = shop.user("admin", &["admin"]);
    let anna = shop.user("anna", &["cashier"]);
    let missing = |name: &str| Refused::Missing(Right::parse(name).unwrap());
    let clerk = || {
        caller(&[
            "userCreate",
            "userUpdate",
            "ticketClose",
            "ticketCreate",
            "ticketUpdate",
            "ticketSetCustomer",
            "fiscalOpenDrawer",
        ])
    };
    let tenant = shop.tenant.id;
    // without the right to do it at all
    let added = office::add_user(shop.store(), tenant, &caller(&["userRead"]), &new_user("new", &[])).unwrap();
    assert_eq!(added, Err(missing("userCreate")));
    // granting more than one holds
    let added = office::add_user(shop.store(), tenant, &clerk(), &new_user("new", &["admin"])).unwrap();
    assert_eq!(added, Err(missing("admin")));
    let roles = Some(vec![role("admin")]);
    let assigned = office::assign_roles(shop.store(), tenant, &clerk(), anna.id, roles, DeviceRoles::Keep).unwrap();
    assert_eq!(assigned, Err(missing("admin")));
    // power over somebody who holds more
    let verifier = Secret::new("hash".to_owned());
    let set = office::set_password(shop.store(), tenant, &clerk(), PrincipalId::User(admin.id), &verifier).unwrap();
    assert_eq!(set, Err(missing("admin")));
    // what they do hold, they may give
    assert!(office::add_user(shop.store(), tenant, &clerk(), &new_user("new", &["cashier"])).unwrap().is_ok());
    let set = office::set_password(shop.store(), tenant, &clerk(), PrincipalId::User(anna.id), &verifier).unwrap();
    assert_eq!(set, Ok(vec![]));
    // deleting asks a right of its own
    let deleted = office::set_user_status(shop.store(), tenant, &clerk(), anna.id, UserStatus::Deleted).unwrap();
    assert_eq!(deleted, Err(missing("userDelete")));
}

#[test]
fn every_change_tells_the_audit_who_and_what() {
    let shop = Shop::open();
    let anna = shop.user("anna", &[]);
    let actor = Actor { user: Some(anna.id), ..Actor::default() };
    let by = Stamp { actor, ..stamp() };
    let change = UserChange { display_name: Some("Anna B.".into()), ..UserChange::default() };
    office::change_user(shop.store(), shop.tenant.id, &by, anna.id, None, &change).unwrap().unwrap();
    let told = shop.memory.audit();
    let last = told.last().unwrap();
    assert_eq!(
        (last.id, last.actor, last.action, last.tenant),
        (by.event, actor, Action::UserUpdate, Some(shop.tenant.id))
    );
    assert_eq!(last.details["display_name"], serde_json::json!({ "from": "anna", "to": "Anna B." }));
}

#[test]
fn nobody_sets_their_own_password_and_ones_own_address_requires_a_proof() {
    let shop = Shop::open();
    let anna =
        shop.add(&NewUser { email: Email::parse("anna@example.com").ok(), ..new_user("anna", &["admin"]) }).unwrap();
    let (ben, till) = (shop.user("ben", &[]), shop.device("P01"));
    let tenant = shop.tenant.id;
    let by = |user: Option<UserId>, device: Option<DeviceId>| Stamp {
        actor: Actor { user, device, ..Actor::default() },
        ..caller(&["admin"])
    };
    let verifier = Secret::new("hash".to_owned());
    let set = |stamp: &Stamp, whose: PrincipalId| {
        office::set_password(shop.store(), tenant, stamp, whose, &verifier).unwrap()
    };
    let (hers, its) = (PrincipalId::User(anna.id), PrincipalId::Device(till.id));
    for stamp in [by(Some(anna.id), None), by(Some(anna.id), Some(till.id))] {
        assert_eq!(set(&stamp, hers), Err(Refused::OwnPassword));
        assert_eq!(office::may_set_password(shop.store(), tenant, &stamp, hers).unwrap(), Err(Refused::OwnPassword));
        assert_eq!(set(&stamp, its), Ok(vec![]), "somebody who works on the device is not the device");
    }
    assert_eq!(set(&by(None, Some(till.id)), its), Err(Refused::OwnPassword), "a device that is logged in as itself");
    assert_eq!(set(&by(Some(ben.id), None), hers), Ok(vec![]));
    assert_eq!(set(&stamp(), hers), Ok(vec![]), "whoever runs commands on the host");

    let change = |email: Option<&str>, proved: bool| {
        let email = Some(email.map(|email| Email::parse(email).unwrap()));
        let change = UserChange { email, proved, ..UserChange::default() };
        office::change_user(shop.store(), tenant, &by(Some(anna.id), None), anna.id, None, &change).unwrap()
    };
    assert_eq!(change(Some("other@example.com"), false), Err(Refused::Unproved));
    assert_eq!(change(None, false), Err(Refused::Unproved));
    assert!(change(Some("anna@example.com"), false).is_ok(), "the same address is no change");
    assert!(change(Some("other@example.com"), true).is_ok());
}
