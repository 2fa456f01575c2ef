//! The rules for users: names, statuses, roles, passwords, the last admin, and rights that callers
//! cannot grant.

use std::time::Duration;
use tillgate_auth_core::AuthPorts;

use tillgate_auth_core::ports::{Bucket, CountKey, TokenDisposition};
use tillgate_domain::office::{
    self, AuditContext, DeviceChange, DeviceRolesChange, FieldName, NewUser, Office, OfficeError, PageRequest,
    UserChange,
};
use tillgate_domain::{
    Action, Actor, Change, DeviceId, DeviceName, Email, Epoch, MissingRight, PrincipalId, Right, Scope, Secret, Store,
    StoreExt, Subject, UserId, UserName, UserStatus,
};

use crate::fixture::*;
use crate::inputs::*;

#[test]
fn names_and_addresses_are_unique_and_the_refusal_names_the_field() {
    let shop = OfficeFixture::open();
    let anna = shop.add(&NewUser { email: Email::parse("anna@example.com").ok(), ..new_user("Anna", &[]) }).unwrap();
    assert_eq!(shop.add(&new_user("  ANNA ", &[])), Err(already_exists(FieldName::UserName, "ANNA")));
    let same = NewUser { email: Email::parse("ANNA@example.com").ok(), ..new_user("hana", &[]) };
    assert_eq!(shop.add(&same), Err(already_exists(FieldName::Email, "ANNA@example.com")));
    let hana = shop.add_user("hana", &[]);
    let rename = UserChange { name: UserName::parse("anna").ok(), ..UserChange::default() };
    assert_eq!(shop.change_user(&hana, &rename), Err(already_exists(FieldName::UserName, "anna")));
    // the name of a deleted user is free again
    shop.set_status(&anna, UserStatus::Deleted).unwrap();
    assert_eq!(shop.change_user(&hana, &rename).unwrap().name.as_str(), "anna");
    shop.add_device("P01");
    let again = shop.office().add_device(&new_device("p01")).unwrap();
    assert_eq!(again, Err(already_exists(FieldName::Name, "p01")));
    let other = shop.add_device("P02");
    let rename = DeviceChange { name: DeviceName::parse("P01").ok(), ..DeviceChange::default() };
    let renamed = shop.office().change_device(other.id, None, &rename).unwrap();
    assert_eq!(renamed, Err(already_exists(FieldName::Name, "P01")));
}

#[test]
fn refusal_changes_and_records_nothing() {
    let shop = OfficeFixture::open();
    let admin = shop.add_user("admin", &["admin"]);
    let (actions, changes) = (shop.list_actions(), shop.list_changes());
    assert_eq!(shop.set_status(&admin, UserStatus::Suspended), Err(OfficeError::LastAdmin));
    assert_eq!(shop.add(&new_user("admin", &[])), Err(already_exists(FieldName::UserName, "admin")));
    let rename = UserChange {
        name: UserName::parse("other").ok(),
        roles: Some(vec![parse_role("nobody")]),
        ..UserChange::default()
    };
    assert_eq!(
        shop.change_user(&admin, &rename),
        Err(OfficeError::UnknownName { field: FieldName::Roles, value: "nobody".into() })
    );
    assert_eq!((shop.list_actions(), shop.list_changes()), (actions, changes));
    assert_eq!(shop.unguarded().find_user(admin.id).unwrap(), Some(admin));
}

#[test]
fn suspension_bumps_the_epoch_and_activation_does_not() {
    let shop = OfficeFixture::open();
    let anna = shop.add_user("anna", &["cashier"]);
    let suspended = shop.set_status(&anna, UserStatus::Suspended).unwrap();
    assert_eq!((suspended.status, suspended.epoch), (UserStatus::Suspended, Epoch(1)));
    let raised = Change::EpochBumped { scope: Scope::User(anna.id), epoch: Epoch(1) };
    assert_eq!(shop.list_changes().last(), Some(&raised));
    let active = shop.set_status(&anna, UserStatus::Active).unwrap();
    assert_eq!((active.status, active.epoch), (UserStatus::Active, Epoch(1)));
    assert_eq!(shop.list_changes().last(), Some(&Change::Invalidated(Scope::User(anna.id))));
    // the same change again writes nothing
    let actions = shop.list_actions().len();
    assert_eq!(shop.set_status(&anna, UserStatus::Active).unwrap().version, active.version);
    assert_eq!(shop.list_actions().len(), actions);
    assert_eq!(
        shop.set_status(&anna, UserStatus::Pending),
        Err(OfficeError::InvalidStatusTransition { from: "active", to: "pending" })
    );
}

#[test]
fn deleted_user_cannot_return() {
    let shop = OfficeFixture::open();
    let anna = shop.add_user("anna", &[]);
    let deleted = shop.set_status(&anna, UserStatus::Deleted).unwrap();
    assert_eq!((deleted.status, deleted.epoch), (UserStatus::Deleted, Epoch(1)));
    let unknown = OfficeError::NotFound { field: FieldName::User, value: anna.id.to_string() };
    for status in UserStatus::ALL {
        assert_eq!(shop.set_status(&anna, status), Err(unknown.clone()));
    }
    assert_eq!(shop.unguarded().find_user_by_name(&anna.name).unwrap(), None);
    let page = PageRequest { after: None, limit: 10 };
    assert_eq!(shop.unguarded().list_users(&page).unwrap().len(), 1);
}

#[test]
fn last_admin_cannot_be_removed() {
    let shop = OfficeFixture::open();
    let admin = shop.add_user("admin", &["admin"]);
    assert_eq!(shop.set_status(&admin, UserStatus::Suspended), Err(OfficeError::LastAdmin));
    assert_eq!(shop.set_status(&admin, UserStatus::Deleted), Err(OfficeError::LastAdmin));
    assert_eq!(shop.assign(&admin, Some(&["cashier"]), DeviceRolesChange::Keep), Err(OfficeError::LastAdmin));
    // a suspended admin does not count
    let other = shop.add_user("other", &["admin"]);
    shop.set_status(&other, UserStatus::Suspended).unwrap();
    assert_eq!(shop.set_status(&admin, UserStatus::Suspended), Err(OfficeError::LastAdmin));
    shop.set_status(&other, UserStatus::Active).unwrap();
    shop.set_status(&admin, UserStatus::Suspended).unwrap();
    assert_eq!(shop.set_status(&other, UserStatus::Deleted), Err(OfficeError::LastAdmin));
    // an admin of another tenant does not count
    let elsewhere = office::add_tenant(shop.store(), &audit_context(), &new_tenant("elsewhere")).unwrap().unwrap();
    Office::new(shop.store(), elsewhere.id, audit_context()).add_user(&new_user("admin", &["admin"])).unwrap().unwrap();
    assert_eq!(shop.set_status(&other, UserStatus::Deleted), Err(OfficeError::LastAdmin));
}

#[test]
fn admin_on_a_device_counts_and_may_move() {
    let shop = OfficeFixture::open();
    shop.add_device("P01");
    let admin = shop.add_user("admin", &["admin"]);
    let moved = DeviceRolesChange::Edit { set: vec![roles_on("P01", &["admin"])], remove: Vec::new() };
    let moved = shop.assign(&admin, Some(&[]), moved).unwrap();
    assert!(moved.assignment.office.is_empty());
    let off = DeviceRolesChange::Edit { set: Vec::new(), remove: vec![DeviceName::parse("P01").unwrap()] };
    assert_eq!(shop.assign(&admin, None, off.clone()), Err(OfficeError::LastAdmin));
    shop.add_user("second", &["admin"]);
    assert!(shop.assign(&admin, None, off).unwrap().assignment.devices.is_empty());
}

#[test]
fn role_change_updates_the_user_version() {
    let shop = OfficeFixture::open();
    let (p01, p02) = (shop.add_device("P01"), shop.add_device("P02"));
    let anna = shop.add(&NewUser { devices: vec![roles_on("p01", &["cashier"])], ..new_user("anna", &[]) }).unwrap();
    let edit = DeviceRolesChange::Edit {
        set: vec![roles_on("P02", &["cashier", "Manager"]), roles_on("P01", &[])],
        remove: Vec::new(),
    };
    let after = shop.assign(&anna, None, edit).unwrap();
    assert_eq!(after.assignment.devices[&p01.id].len(), 0);
    assert_eq!(after.assignment.devices[&p02.id].len(), 2);
    assert_eq!(after.epoch, Epoch(0), "nobody is logged out by other rights");
    assert_eq!(shop.list_changes().last(), Some(&Change::Invalidated(Scope::User(anna.id))));
    let replaced =
        shop.assign(&anna, Some(&["cashier"]), DeviceRolesChange::Replace(vec![roles_on("P02", &[])])).unwrap();
    assert_eq!(replaced.assignment.devices.keys().collect::<Vec<_>>(), [&p02.id]);
    assert_eq!(shop.list_actions().last(), Some(&Action::UserRoles));
    let nowhere = DeviceRolesChange::Edit { set: vec![roles_on("P09", &[])], remove: Vec::new() };
    assert_eq!(
        shop.assign(&anna, None, nowhere),
        Err(OfficeError::UnknownName { field: FieldName::Devices, value: "P09".into() })
    );
}

#[test]
fn stale_user_version_is_refused() {
    let shop = OfficeFixture::open();
    let anna = shop.add_user("anna", &[]);
    let change = UserChange { display_name: Some("Anna B.".into()), ..UserChange::default() };
    let by = |versions: &[i64]| shop.office().change_user(anna.id, Some(versions), &change).unwrap();
    let changed = by(&[anna.version]).unwrap();
    assert_eq!((anna.version, changed.version), (1, 2));
    let mismatch = |subject| OfficeError::VersionMismatch { subject, current: 2 };
    for stale in [&[anna.version][..], &[anna.version, 99], &[]] {
        assert_eq!(by(stale), Err(mismatch(Subject::User(anna.id))), "{stale:?}");
    }
    for matching in [&[2][..], &[2, 99], &[99, 1, 2]] {
        assert_eq!(by(matching).as_ref(), Ok(&changed), "{matching:?}");
    }
    let till = shop.add_device("P01");
    let change = DeviceChange { description: Some("door".into()), ..DeviceChange::default() };
    let by = |versions: &[i64]| shop.office().change_device(till.id, Some(versions), &change).unwrap();
    by(&[till.version]).unwrap();
    assert_eq!(by(&[till.version]), Err(mismatch(Subject::Device(till.id))));
}

#[test]
fn password_change_ends_every_session_of_the_user() {
    let shop = OfficeFixture::open();
    let anna = PrincipalId::User(shop.add_user("anna", &[]).id);
    let till = PrincipalId::Device(shop.add_device("P01").id);
    for (principal, scope) in [(anna, Scope::User(UserId(anna.uuid()))), (till, Scope::Device(DeviceId(till.uuid())))] {
        for number in [1, 2] {
            let verifier = Secret::new("hash".to_owned());
            shop.office().set_password(principal, &verifier).unwrap().unwrap();
            assert_eq!(shop.password_version(principal), Some(number + i64::from(principal == anna)));
            assert_eq!(shop.list_changes().last(), Some(&Change::EpochBumped { scope, epoch: Epoch(number) }));
            assert_eq!(shop.list_actions().last(), Some(&Action::Password));
        }
    }
}

#[test]
fn virtual_user_has_no_password() {
    let shop = OfficeFixture::open();
    let verifier = Secret::new("hash".to_owned());
    let kiosk = NewUser { feature: Some("kiosk".into()), ..new_user("kiosk", &[]) };
    let refused = OfficeError::VirtualUser(kiosk.name.clone());
    assert_eq!(shop.add(&NewUser { verifier: Some(verifier.clone()), ..kiosk.clone() }), Err(refused.clone()));
    let kiosk = PrincipalId::User(shop.add(&kiosk).unwrap().id);
    let set = shop.office().set_password(kiosk, &verifier).unwrap();
    assert_eq!(set, Err(refused));
    assert_eq!(shop.password_version(kiosk), None);
}

#[test]
fn unlock_and_password_change_forgive_failed_logins() {
    let shop = OfficeFixture::open();
    let anna = PrincipalId::User(shop.add_user("anna", &[]).id);
    let store: &dyn Store<AuthPorts> = &shop.store;
    let key = CountKey([7; 32]);
    let fail = || {
        store
            .write("test", |tx| {
                let from = tx.attempts().find_buckets(&[key])?[0];
                let to = Bucket { full_at: NOW.saturating_add(Duration::from_mins(1)), ..from };
                assert!(tx.attempts().take_token(key, Some(anna.uuid()), &from, &to, NOW)?);
                tx.attempts().settle(key, TokenDisposition::Spent, NOW)
            })
            .unwrap();
    };
    let is_full = || store.read("test", |tx| tx.attempts().find_buckets(&[key])).unwrap()[0] == Bucket::default();
    fail();
    assert!(!is_full());
    assert_eq!(shop.office().unlock_principal(anna).unwrap(), Ok(()));
    assert!(is_full());
    assert_eq!(shop.list_actions().last(), Some(&Action::Unlock));
    fail();
    assert!(!is_full());
    let verifier = Secret::new("hash".to_owned());
    shop.office().set_password(anna, &verifier).unwrap().unwrap();
    assert!(is_full());
}

#[test]
fn rights_beyond_the_callers_cannot_be_granted() {
    let shop = OfficeFixture::open();
    let admin = shop.add_user("admin", &["admin"]);
    let anna = shop.add_user("anna", &["cashier"]);
    let missing = |name: &str| OfficeError::RightMissing(MissingRight(Right::parse(name).unwrap()));
    let clerk = || {
        caller_context(&[
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
    // without the right for the operation
    let added =
        Office::new(shop.store(), tenant, caller_context(&["userRead"])).add_user(&new_user("new", &[])).unwrap();
    assert_eq!(added, Err(missing("userCreate")));
    // with roles beyond the caller's own rights
    let added = Office::new(shop.store(), tenant, clerk()).add_user(&new_user("new", &["admin"])).unwrap();
    assert_eq!(added, Err(missing("admin")));
    let roles = Some(vec![parse_role("admin")]);
    let assigned =
        Office::new(shop.store(), tenant, clerk()).assign_roles(anna.id, roles, DeviceRolesChange::Keep).unwrap();
    assert_eq!(assigned, Err(missing("admin")));
    // on a user who has more rights than the caller
    let verifier = Secret::new("hash".to_owned());
    let set = Office::new(shop.store(), tenant, clerk()).set_password(PrincipalId::User(admin.id), &verifier).unwrap();
    assert_eq!(set, Err(missing("admin")));
    // callers may grant rights that they have
    assert!(Office::new(shop.store(), tenant, clerk()).add_user(&new_user("new", &["cashier"])).unwrap().is_ok());
    let set = Office::new(shop.store(), tenant, clerk()).set_password(PrincipalId::User(anna.id), &verifier).unwrap();
    assert_eq!(set, Ok(vec![]));
    // deleting requires a separate right
    let deleted = Office::new(shop.store(), tenant, clerk()).set_user_status(anna.id, UserStatus::Deleted).unwrap();
    assert_eq!(deleted, Err(missing("userDelete")));
}

#[test]
fn every_change_is_recorded_with_actor_and_subject() {
    let shop = OfficeFixture::open();
    let anna = shop.add_user("anna", &[]);
    let actor = Actor { user: Some(anna.id), ..Actor::default() };
    let by = AuditContext { actor, ..audit_context() };
    let change = UserChange { display_name: Some("Anna B.".into()), ..UserChange::default() };
    shop.office_as(by.clone()).change_user(anna.id, None, &change).unwrap().unwrap();
    let events = shop.store.audit_events();
    let last = events.last().unwrap();
    assert_eq!(
        (last.id, last.actor, last.action, last.tenant),
        (by.event_id, actor, Action::UserUpdate, Some(shop.tenant.id))
    );
    assert_eq!(last.details["display_name"], serde_json::json!({ "from": "anna", "to": "Anna B." }));
}

#[test]
fn own_password_and_address_require_a_proof() {
    let shop = OfficeFixture::open();
    let anna =
        shop.add(&NewUser { email: Email::parse("anna@example.com").ok(), ..new_user("anna", &["admin"]) }).unwrap();
    let (ben, till) = (shop.add_user("ben", &[]), shop.add_device("P01"));
    let tenant = shop.tenant.id;
    let by = |user: Option<UserId>, device: Option<DeviceId>| AuditContext {
        actor: Actor { user, device, ..Actor::default() },
        ..caller_context(&["admin"])
    };
    let verifier = Secret::new("hash".to_owned());
    let set = |stamp: &AuditContext, whose: PrincipalId| {
        Office::new(shop.store(), tenant, stamp.clone()).set_password(whose, &verifier).unwrap()
    };
    let (hers, its) = (PrincipalId::User(anna.id), PrincipalId::Device(till.id));
    for stamp in [by(Some(anna.id), None), by(Some(anna.id), Some(till.id))] {
        assert_eq!(set(&stamp, hers), Err(OfficeError::OwnPassword));
        assert_eq!(
            Office::new(shop.store(), tenant, stamp.clone()).authorize_set_password(hers).unwrap(),
            Err(OfficeError::OwnPassword)
        );
        assert_eq!(set(&stamp, its), Ok(vec![]), "somebody who works on the device is not the device");
    }
    assert_eq!(
        set(&by(None, Some(till.id)), its),
        Err(OfficeError::OwnPassword),
        "a device that is logged in as itself"
    );
    assert_eq!(set(&by(Some(ben.id), None), hers), Ok(vec![]));
    assert_eq!(set(&audit_context(), hers), Ok(vec![]), "a command on the host needs no rights");

    let change = |email: Option<&str>, proved: bool| {
        let email = Some(email.map(|email| Email::parse(email).unwrap()));
        let change = UserChange { email, password_confirmed: proved, ..UserChange::default() };
        Office::new(shop.store(), tenant, by(Some(anna.id), None)).change_user(anna.id, None, &change).unwrap()
    };
    assert_eq!(change(Some("other@example.com"), false), Err(OfficeError::CurrentPasswordRequired));
    assert_eq!(change(None, false), Err(OfficeError::CurrentPasswordRequired));
    assert!(change(Some("anna@example.com"), false).is_ok(), "the same address is no change");
    assert!(change(Some("other@example.com"), true).is_ok());
}
