//! Roles as the back office changes and removes them, and who holds them.

use std::collections::BTreeSet;

use tillgate_domain::office::OfficeTx;
use tillgate_domain::office::ports::{RoleHolderFilter, RoleHolders};
use tillgate_domain::{
    Assignment, Device, DeviceStatus, Environment, PrincipalId, Right, Role, RoleId, RoleName, Scope, StoreResult,
    User, UserStatus,
};

use crate::StoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, device_id, hash_requested_password, new_device, new_user, role_id, run_office_read,
    run_office_write, user_id,
};
use crate::rendezvous::{Rendezvous, run_both};

/// A role of the tenant's own that nobody holds.
fn waiter_role(shop: &ContractFixture) -> Role {
    Role {
        id: role_id(20),
        tenant: shop.tenant.id,
        name: RoleName::parse("Waiter").unwrap(),
        label: "Čašník".into(),
        description: "Serves".into(),
        rights: Right::parse("ticketCreate").into_iter().collect(),
        environments: [Environment::Pda].into(),
        built_in: false,
        version: 1,
    }
}

fn insert_waiter_role(whole: &StoreHarness) -> (ContractFixture, Role) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let role = waiter_role(&shop);
    assert!(run_office_write(whole, |tx| tx.roles().insert(&role)));
    (shop, role)
}

/// A role is found by its id.
pub fn role_is_found(whole: &StoreHarness) {
    let (shop, role) = insert_waiter_role(whole);
    for known in shop.roles.iter().chain([&shop.foreign_role, &role]) {
        assert_eq!(run_office_read(whole, |tx| tx.roles().find(known.id)).as_ref(), Some(known));
    }
    assert_eq!(run_office_read(whole, |tx| tx.roles().find(role_id(50))), None);
}

/// An update of a role stores every field and raises the version; whose it is, and whether it is built in, stays.
pub fn role_update_stores_every_field(whole: &StoreHarness) {
    let (shop, role) = insert_waiter_role(whole);
    let changed = Role {
        name: RoleName::parse("Terrace").unwrap(),
        label: "Terasa".into(),
        description: String::new(),
        rights: ["storno", "ticketClose"].iter().filter_map(|right| Right::parse(right).ok()).collect(),
        environments: [Environment::Tool, Environment::CashRegister].into(),
        ..role.clone()
    };
    let sent = Role { built_in: true, tenant: shop.other_tenant.id, ..changed.clone() };
    assert!(run_office_write(whole, |tx| tx.roles().update(&sent)));
    assert_eq!(run_office_read(whole, |tx| tx.roles().find(role.id)), Some(Role { version: 2, ..changed.clone() }));
    assert_eq!(run_office_read(whole, |tx| tx.roles().find_by_name(shop.tenant.id, &role.name)), None);
    let named = run_office_read(whole, |tx| tx.roles().find_by_name(shop.tenant.id, &changed.name));
    assert_eq!(named.map(|found| found.id), Some(role.id));
    let mut others = run_office_read(whole, |tx| tx.roles().list(shop.tenant.id));
    others.retain(|other| other.id != role.id);
    assert_eq!(others, shop.roles, "others stay");
}

/// An update of a role is lost where the version has moved on, the new name is taken, or there is no such role.
pub fn role_update_fails_on_a_conflict(whole: &StoreHarness) {
    let (_, role) = insert_waiter_role(whole);
    let update = |role: &Role| run_office_write(whole, |tx| tx.roles().update(role));
    assert!(!update(&Role { version: 0, ..role.clone() }));
    assert!(!update(&Role { version: 2, ..role.clone() }));
    assert!(!update(&Role { name: RoleName::parse("CASHIER").unwrap(), ..role.clone() }), "taken");
    assert!(!update(&Role { id: role_id(50), name: RoleName::parse("Other").unwrap(), ..role.clone() }));
    assert_eq!(run_office_read(whole, |tx| tx.roles().find(role.id)), Some(role.clone()));
    assert!(update(&Role { name: RoleName::parse("waiter").unwrap(), ..role }), "its own name in another spelling");
}

/// A role that nobody holds is removed at its version, and its name is free.
pub fn role_is_removed(whole: &StoreHarness) {
    let (shop, role) = insert_waiter_role(whole);
    let remove = |id, version| run_office_write(whole, |tx| tx.roles().remove(id, version));
    assert!(!remove(role.id, 2));
    assert!(!remove(role_id(50), 1));
    assert!(remove(role.id, 1));
    assert!(!remove(role.id, 1), "it is gone");
    assert_eq!(run_office_read(whole, |tx| tx.roles().find(role.id)), None);
    assert_eq!(run_office_read(whole, |tx| tx.roles().list(shop.tenant.id)), shop.roles);
    assert!(run_office_write(whole, |tx| tx.roles().insert(&Role { id: role_id(21), ..role.clone() })));
}

/// A role that somebody holds is not removed: a user without a device, a user on one, a device.
pub fn role_in_use_is_not_removed(whole: &StoreHarness) {
    let (shop, role) = insert_waiter_role(whole);
    let ben = |assignment: Assignment| {
        run_office_write(whole, |tx| {
            let ben = tx.users().find(shop.ben.id)?.expect("he is there");
            tx.users().update(&User { assignment: assignment.clone(), ..ben })
        })
    };
    let handheld = |roles: BTreeSet<RoleId>| {
        run_office_write(whole, |tx| {
            let handheld = tx.devices().find(shop.handheld.id)?.expect("it is there");
            tx.devices().update(&Device { roles: roles.clone(), ..handheld })
        })
    };
    let remove = || run_office_write(whole, |tx| tx.roles().remove(role.id, 1));
    ben(Assignment { office: [role.id].into(), ..Assignment::default() });
    assert!(!remove(), "without a device");
    ben(Assignment { devices: [(shop.till.id, [role.id].into())].into(), ..Assignment::default() });
    assert!(!remove(), "on a device");
    ben(Assignment::default());
    handheld([role.id].into());
    assert!(!remove(), "of a device");
    assert_eq!(run_office_read(whole, |tx| tx.roles().find(role.id)), Some(role.clone()));
    handheld(BTreeSet::new());
    // who is deleted holds nothing, and keeps what they had until it is gone
    let had = Assignment { office: [role.id].into(), devices: [(shop.till.id, [role.id].into())].into() };
    let gone = User { status: UserStatus::Deleted, assignment: had, ..new_user(10, shop.tenant.id, "Gone too", None) };
    run_office_write(whole, |tx| tx.users().insert(&gone));
    assert_eq!(run_office_read(whole, |tx| tx.roles().find_holders(role.id, 5)), RoleHolders::default());
    assert!(remove());
    let left = Assignment { devices: [(shop.till.id, BTreeSet::new())].into(), ..Assignment::default() };
    assert_eq!(run_office_read(whole, |tx| tx.users().find(gone.id)).unwrap().assignment, left);
}

/// Who holds a role is told: users in the order of their ids, then devices, each once, no more than asked for, and how many in all.
pub fn role_holders_are_listed(whole: &StoreHarness) {
    let (shop, role) = insert_waiter_role(whole);
    let held = |id, limit| run_office_read(whole, |tx| tx.roles().find_holders(id, limit));
    assert_eq!(held(role.id, 5), RoleHolders::default());
    for number in 10..13 {
        let assignment = Assignment {
            office: [role.id].into(),
            devices: [(shop.till.id, [role.id].into()), (shop.handheld.id, [role.id].into())].into(),
        };
        let holder = User { assignment, ..new_user(number, shop.tenant.id, &format!("U{number}"), None) };
        run_office_write(whole, |tx| tx.users().insert(&holder));
    }
    let till = Device { roles: [role.id].into(), ..new_device(9, shop.tenant.id, "P09") };
    run_office_write(whole, |tx| tx.devices().insert(&till));
    let names = |holders: &RoleHolders| {
        let users = holders.users.iter().map(ToString::to_string);
        users.chain(holders.devices.iter().map(ToString::to_string)).collect::<Vec<_>>()
    };
    let all = held(role.id, 9);
    assert_eq!((names(&all), all.total), (["U10", "U11", "U12", "P09"].map(str::to_owned).to_vec(), 4));
    let few = held(role.id, 2);
    assert_eq!((names(&few), few.total), (["U10", "U11"].map(str::to_owned).to_vec(), 4));
    assert_eq!(held(role_id(50), 5).total, 0);
}

/// Users who can log in and hold one of the roles where they can are counted, each once: active, with a password, without a device
/// or on an active one.
pub fn holders_of_roles_are_counted(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let holding = |number: u8, status, office: &[u8], till: &[u8]| User {
        status,
        assignment: Assignment {
            office: office.iter().copied().map(role_id).collect(),
            devices: [(shop.till.id, till.iter().copied().map(role_id).collect::<BTreeSet<_>>())].into(),
        },
        ..new_user(number, shop.tenant.id, &format!("U{number}"), None)
    };
    let on_retired =
        Assignment { devices: [(shop.retired_device.id, [role_id(3)].into())].into(), ..Assignment::default() };
    // Anna holds 1 and 3 without a device, 1 and 2 on the till
    for user in [
        holding(10, UserStatus::Active, &[], &[3]),
        holding(11, UserStatus::Active, &[3], &[3]),
        holding(12, UserStatus::Suspended, &[3], &[3]),
        holding(13, UserStatus::Deleted, &[3], &[]),
        holding(14, UserStatus::Active, &[1], &[]),
        holding(15, UserStatus::Pending, &[3], &[]),
        User { assignment: on_retired, ..new_user(16, shop.tenant.id, "U16", None) },
    ] {
        run_office_write(whole, |tx| {
            tx.users().insert(&user)?;
            tx.passwords().set(PrincipalId::User(user.id), &hash_requested_password("x"), after_start(5))
        });
    }
    run_office_write(whole, |tx| tx.users().insert(&holding(17, UserStatus::Active, &[3], &[3])));
    let far = User {
        assignment: Assignment { office: [shop.foreign_role.id].into(), ..Assignment::default() },
        ..new_user(18, shop.other_tenant.id, "Far", None)
    };
    run_office_write(whole, |tx| {
        tx.users().insert(&far)?;
        tx.passwords().set(PrincipalId::User(far.id), &hash_requested_password("x"), after_start(5))
    });
    let counted = |tenant, of: RoleHolderFilter<'_>| run_office_read(whole, |tx| tx.users().count_holders(tenant, &of));
    let count = |tenant, roles: &[RoleId]| counted(tenant, RoleHolderFilter { roles, ..RoleHolderFilter::default() });
    let corner = shop.tenant.id;
    let third = [role_id(3)];
    assert_eq!(count(corner, &third), 3, "Anna, 10 and 11");
    let but = RoleHolderFilter { roles: &third, except_user: Some(shop.anna.id), except_device: None };
    assert_eq!(counted(corner, but), 2);
    assert_eq!(
        counted(corner, RoleHolderFilter { except_device: Some(shop.till.id), ..but }),
        1,
        "11 without a device"
    );
    assert_eq!(count(corner, &[role_id(2)]), 1, "on a device alone");
    assert_eq!(count(corner, &[role_id(1), role_id(3)]), 4);
    assert_eq!(count(corner, &[]), 0);
    assert_eq!(count(shop.other_tenant.id, &[shop.foreign_role.id]), 1);
    assert_eq!(count(corner, &[shop.foreign_role.id]), 0);
    // on a device that is out of use nobody can log in
    let locked = Device {
        status: DeviceStatus::Locked,
        ..run_office_read(whole, |tx| tx.devices().find(shop.till.id)).unwrap()
    };
    assert!(run_office_write(whole, |tx| tx.devices().update(&locked)));
    assert_eq!(count(corner, &third), 2, "Anna and 11");
    run_office_write(whole, |tx| tx.passwords().remove(PrincipalId::User(user_id(11))));
    assert_eq!(count(corner, &third), 1, "nobody logs in without a password");
}

/// What users may do on a device is told as roles, each once, and a device that leaves every list leaves no other.
pub fn device_is_removed_from_every_list(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let ben = User {
        assignment: Assignment {
            devices: [(shop.till.id, [role_id(3), role_id(1)].into())].into(),
            ..Assignment::default()
        },
        ..shop.ben.clone()
    };
    assert!(run_office_write(whole, |tx| tx.users().update(&ben)));
    let on = |id| run_office_read(whole, |tx| tx.users().find_roles_on_device(id));
    assert_eq!(on(shop.till.id), [1, 2, 3].map(role_id).into());
    assert_eq!((on(shop.handheld.id), on(shop.foreign_device.id)), (BTreeSet::new(), BTreeSet::new()));
    run_office_write(whole, |tx| tx.users().remove_device(shop.till.id));
    assert_eq!(on(shop.till.id), BTreeSet::new());
    let anna = run_office_read(whole, |tx| tx.users().find(shop.anna.id)).unwrap();
    let mut expected = shop.anna.assignment.clone();
    expected.devices.remove(&shop.till.id);
    assert_eq!((anna.assignment, anna.version), (expected, shop.anna.version + 1));
    let other = run_office_read(whole, |tx| tx.users().find(shop.namesake.id)).unwrap();
    assert_eq!(other.version, shop.namesake.version, "whoever has not got it is not touched");
}

/// A role that is given to a user at the moment in which it is removed is held, or it is gone and nobody has it.
pub fn role_granted_during_removal_is_held_or_gone(whole: &StoreHarness) {
    let give = |tx: &mut (dyn OfficeTx + '_), role: RoleId| {
        let ben = tx.users().find(user_id(2))?.expect("he is there");
        let assignment = Assignment { office: [role].into(), ..Assignment::default() };
        tx.users().update(&User { assignment, ..ben }).map(drop)
    };
    race_with_removal(whole, give);
}

/// A role that is given to a device at the moment in which it is removed is held, or it is gone and no device has it.
pub fn role_granted_to_a_device_during_removal_is_held_or_gone(whole: &StoreHarness) {
    let give = |tx: &mut (dyn OfficeTx + '_), role: RoleId| {
        let handheld = tx.devices().find(device_id(2))?.expect("it is there");
        tx.devices().update(&Device { roles: [role].into(), ..handheld }).map(drop)
    };
    race_with_removal(whole, give);
}

fn race_with_removal(whole: &StoreHarness, give: impl Fn(&mut (dyn OfficeTx + '_), RoleId) -> StoreResult<()> + Sync) {
    let (_, role) = insert_waiter_role(whole);
    let crossing = Rendezvous::default();
    let (removed, ()) = run_both(
        || {
            run_office_write(whole, |tx| {
                let version = tx.roles().find(role.id)?.map_or(0, |role| role.version);
                crossing.wait();
                tx.roles().remove(role.id, version)
            })
        },
        || {
            run_office_write(whole, |tx| {
                let there = tx.roles().find(role.id)?.is_some();
                crossing.wait();
                if there { give(tx, role.id) } else { Ok(()) }
            });
        },
    );
    let there = run_office_read(whole, |tx| tx.roles().find(role.id)).is_some();
    let held = run_office_read(whole, |tx| tx.roles().find_holders(role.id, 5)).total;
    assert_eq!(there, !removed);
    assert_eq!(held, u64::from(there), "held by one where it is there, by nobody where it is gone");
}

/// Users who are not deleted and devices that hold a role are named, each once; none where they are more than asked for.
pub fn role_holders_are_notified_of_a_change(whole: &StoreHarness) {
    let (shop, role) = insert_waiter_role(whole);
    let scopes = |limit| {
        let scopes = run_office_write(whole, |tx| tx.roles().find_holder_scopes(role.id, limit));
        scopes.map(|scopes| scopes.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(scopes(0), Some(vec![]));
    let twice = Assignment {
        office: [role.id].into(),
        devices: [(shop.till.id, [role.id].into()), (shop.handheld.id, [role.id].into())].into(),
    };
    let on_device = Assignment { devices: [(shop.till.id, [role.id].into())].into(), ..Assignment::default() };
    let suspended = UserStatus::Suspended;
    for (number, status, assignment) in
        [(10, UserStatus::Active, twice.clone()), (11, suspended, on_device), (12, UserStatus::Deleted, twice)]
    {
        let holder = User { status, assignment, ..new_user(number, shop.tenant.id, &format!("U{number}"), None) };
        run_office_write(whole, |tx| tx.users().insert(&holder));
    }
    let till = Device { roles: [role.id].into(), ..new_device(9, shop.tenant.id, "P09") };
    run_office_write(whole, |tx| tx.devices().insert(&till));
    let expected: BTreeSet<Scope> =
        [Scope::User(user_id(10)), Scope::User(user_id(11)), Scope::Device(device_id(9))].into();
    let all = scopes(3).unwrap();
    assert_eq!((all.len(), all.into_iter().collect::<BTreeSet<_>>()), (3, expected));
    assert_eq!(scopes(2), None);
}

/// Who is being given a role at the moment in which it is changed is named, or reads the role as it is changed: what they
/// remember of themselves is never of the role as it was.
pub fn role_granted_during_a_change_is_notified(whole: &StoreHarness) {
    let (shop, role) = insert_waiter_role(whole);
    let (begun, done) = (Rendezvous::default(), Rendezvous::default());
    let (scopes, version) = run_both(
        || {
            run_office_write(whole, |tx| {
                tx.roles().update(&Role { label: "Other".to_owned(), ..role.clone() })?;
                begun.wait();
                let scopes = tx.roles().find_holder_scopes(role.id, 5)?;
                done.wait();
                Ok(scopes)
            })
        },
        || {
            run_office_write(whole, |tx| {
                let ben = tx.users().find(user_id(2))?.expect("he is there");
                begun.wait();
                let assignment = Assignment { office: [role.id].into(), ..Assignment::default() };
                tx.users().update(&User { assignment, ..ben })?;
                let version = tx.roles().find(role.id)?.map(|role| role.version);
                done.wait();
                Ok(version)
            })
        },
    );
    let named = scopes == Some(vec![Scope::User(shop.ben.id)]);
    assert!(named || version == Some(2), "{scopes:?} {version:?}");
}

/// Of two updates of one version of a role one is won.
pub fn concurrent_role_updates_succeed_once(whole: &StoreHarness) {
    let (_, role) = insert_waiter_role(whole);
    let crossing = Rendezvous::default();
    let relabel = |label: &str| {
        run_office_write(whole, |tx| {
            tx.roles().find(role.id)?;
            crossing.wait();
            tx.roles().update(&Role { label: label.to_owned(), ..role.clone() })
        })
    };
    let (one, other) = run_both(|| relabel("one"), || relabel("other"));
    assert!(one != other, "{one} {other}");
    let now = run_office_read(whole, |tx| tx.roles().find(role.id)).unwrap();
    assert_eq!((now.label.as_str(), now.version), (if one { "one" } else { "other" }, 2));
}
