//! Roles as the back office changes and removes them, and the users and devices that have them.

use std::collections::BTreeSet;

use tillgate_domain::office::OfficeTx;
use tillgate_domain::office::ports::{RoleHolderFilter, RoleHolders};
use tillgate_domain::{
    Assignment, Device, DeviceStatus, Environment, PrincipalId, Rank, Right, Role, RoleId, RoleName, Scope,
    StoreResult, User, UserStatus,
};

use crate::StoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, device_id, hash_requested_password, new_device, new_role, new_user, role_id,
    run_office_read, run_office_write, user_id,
};
use crate::rendezvous::{Rendezvous, run_both};

/// A role of the tenant that is not built in and that nobody has.
fn waiter_role(fixture: &ContractFixture) -> Role {
    Role {
        id: role_id(20),
        tenant: fixture.tenant.id,
        name: RoleName::parse("Waiter").unwrap(),
        label: "Čašník".into(),
        description: "Serves".into(),
        rights: Right::parse("ticketCreate").into_iter().collect(),
        environments: [Environment::Pda].into(),
        built_in: false,
        version: 1,
    }
}

fn insert_waiter_role(harness: &StoreHarness) -> (ContractFixture, Role) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let role = waiter_role(&fixture);
    assert!(run_office_write(harness, |tx| tx.roles().insert(&role)));
    (fixture, role)
}

/// A role is found by its id.
pub fn role_is_found(harness: &StoreHarness) {
    let (fixture, role) = insert_waiter_role(harness);
    for known in fixture.roles.iter().chain([&fixture.foreign_role, &role]) {
        assert_eq!(run_office_read(harness, |tx| tx.roles().find(known.id)).as_ref(), Some(known));
    }
    assert_eq!(run_office_read(harness, |tx| tx.roles().find(role_id(50))), None);
}

/// An update of a role stores every field and increments the version. The tenant stays, and so does
/// whether the role is built in.
pub fn role_update_stores_every_field(harness: &StoreHarness) {
    let (fixture, role) = insert_waiter_role(harness);
    let changed = Role {
        name: RoleName::parse("Terrace").unwrap(),
        label: "Terasa".into(),
        description: String::new(),
        rights: ["storno", "ticketClose"].iter().filter_map(|right| Right::parse(right).ok()).collect(),
        environments: [Environment::Tool, Environment::CashRegister].into(),
        ..role.clone()
    };
    let sent = Role { built_in: true, tenant: fixture.other_tenant.id, ..changed.clone() };
    assert!(run_office_write(harness, |tx| tx.roles().update(&sent)));
    assert_eq!(run_office_read(harness, |tx| tx.roles().find(role.id)), Some(Role { version: 2, ..changed.clone() }));
    assert_eq!(run_office_read(harness, |tx| tx.roles().find_by_name(fixture.tenant.id, &role.name)), None);
    let named = run_office_read(harness, |tx| tx.roles().find_by_name(fixture.tenant.id, &changed.name));
    assert_eq!(named.map(|found| found.id), Some(role.id));
    let mut others = run_office_read(harness, |tx| tx.roles().list(fixture.tenant.id));
    others.retain(|other| other.id != role.id);
    assert_eq!(others, fixture.roles, "others stay");
}

/// An update of a role fails if the version is not the current one, the new name is taken, or there
/// is no such role.
pub fn role_update_fails_on_a_conflict(harness: &StoreHarness) {
    let (_, role) = insert_waiter_role(harness);
    let update = |role: &Role| run_office_write(harness, |tx| tx.roles().update(role));
    assert!(!update(&Role { version: 0, ..role.clone() }));
    assert!(!update(&Role { version: 2, ..role.clone() }));
    assert!(!update(&Role { name: RoleName::parse("CASHIER").unwrap(), ..role.clone() }), "taken");
    assert!(!update(&Role { id: role_id(50), name: RoleName::parse("Other").unwrap(), ..role.clone() }));
    assert_eq!(run_office_read(harness, |tx| tx.roles().find(role.id)), Some(role.clone()));
    assert!(update(&Role { name: RoleName::parse("waiter").unwrap(), ..role }), "its own name in another spelling");
}

/// A role that nobody has is removed at its current version, and its name is free again.
pub fn role_is_removed(harness: &StoreHarness) {
    let (fixture, role) = insert_waiter_role(harness);
    let remove = |id, version| run_office_write(harness, |tx| tx.roles().remove(id, version));
    assert!(!remove(role.id, 2));
    assert!(!remove(role_id(50), 1));
    assert!(remove(role.id, 1));
    assert!(!remove(role.id, 1), "it has been removed");
    assert_eq!(run_office_read(harness, |tx| tx.roles().find(role.id)), None);
    assert_eq!(run_office_read(harness, |tx| tx.roles().list(fixture.tenant.id)), fixture.roles);
    assert!(run_office_write(harness, |tx| tx.roles().insert(&Role { id: role_id(21), ..role.clone() })));
}

/// A role in use is not removed, whether a user has it in general, a user has it on a device, or a
/// device has it.
pub fn role_in_use_is_not_removed(harness: &StoreHarness) {
    let (fixture, role) = insert_waiter_role(harness);
    let ben = |assignment: Assignment| {
        run_office_write(harness, |tx| {
            let ben = tx.users().find(fixture.ben.id)?.expect("the user is stored");
            tx.users().update(&User { assignment: assignment.clone(), ..ben })
        })
    };
    let handheld = |roles: BTreeSet<RoleId>| {
        run_office_write(harness, |tx| {
            let handheld = tx.devices().find(fixture.handheld.id)?.expect("it is stored");
            tx.devices().update(&Device { roles: roles.clone(), ..handheld })
        })
    };
    let remove = || run_office_write(harness, |tx| tx.roles().remove(role.id, 1));
    ben(Assignment { office: [role.id].into(), ..Assignment::default() });
    assert!(!remove(), "without a device");
    ben(Assignment { devices: [(fixture.till.id, [role.id].into())].into(), ..Assignment::default() });
    assert!(!remove(), "on a device");
    ben(Assignment::default());
    handheld([role.id].into());
    assert!(!remove(), "of a device");
    assert_eq!(run_office_read(harness, |tx| tx.roles().find(role.id)), Some(role.clone()));
    handheld(BTreeSet::new());
    // a deleted user has no roles, and keeps the stored assignment until the role is removed
    let had = Assignment { office: [role.id].into(), devices: [(fixture.till.id, [role.id].into())].into() };
    let deleted_user =
        User { status: UserStatus::Deleted, assignment: had, ..new_user(10, fixture.tenant.id, "Gone too", None) };
    run_office_write(harness, |tx| tx.users().insert(&deleted_user));
    assert_eq!(run_office_read(harness, |tx| tx.roles().find_holders(role.id, 5)), RoleHolders::default());
    assert!(remove());
    let left = Assignment { devices: [(fixture.till.id, BTreeSet::new())].into(), ..Assignment::default() };
    assert_eq!(run_office_read(harness, |tx| tx.users().find(deleted_user.id)).unwrap().assignment, left);
}

/// The holders of a role are listed: users in the order of their ids, then devices, each once, at
/// most `limit`, with the total number.
pub fn role_holders_are_listed(harness: &StoreHarness) {
    let (fixture, role) = insert_waiter_role(harness);
    let holders = |id, limit| run_office_read(harness, |tx| tx.roles().find_holders(id, limit));
    assert_eq!(holders(role.id, 5), RoleHolders::default());
    for number in 10..13 {
        let assignment = Assignment {
            office: [role.id].into(),
            devices: [(fixture.till.id, [role.id].into()), (fixture.handheld.id, [role.id].into())].into(),
        };
        let holder = User { assignment, ..new_user(number, fixture.tenant.id, &format!("U{number}"), None) };
        run_office_write(harness, |tx| tx.users().insert(&holder));
    }
    let till = Device { roles: [role.id].into(), ..new_device(9, fixture.tenant.id, "P09") };
    run_office_write(harness, |tx| tx.devices().insert(&till));
    let names = |holders: &RoleHolders| {
        let users = holders.users.iter().map(ToString::to_string);
        users.chain(holders.devices.iter().map(ToString::to_string)).collect::<Vec<_>>()
    };
    let all = holders(role.id, 9);
    assert_eq!((names(&all), all.total), (["U10", "U11", "U12", "P09"].map(str::to_owned).to_vec(), 4));
    let few = holders(role.id, 2);
    assert_eq!((names(&few), few.total), (["U10", "U11"].map(str::to_owned).to_vec(), 4));
    assert_eq!(holders(role_id(50), 5).total, 0);
}

/// The users who can use one of the roles are counted, each once: they are active, have a password,
/// and have the role in general or on an active device.
pub fn holders_of_roles_are_counted(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let holding = |number: u8, status, office: &[u8], till: &[u8]| User {
        status,
        assignment: Assignment {
            office: office.iter().copied().map(role_id).collect(),
            devices: [(fixture.till.id, till.iter().copied().map(role_id).collect::<BTreeSet<_>>())].into(),
        },
        ..new_user(number, fixture.tenant.id, &format!("U{number}"), None)
    };
    let on_retired =
        Assignment { devices: [(fixture.retired_device.id, [role_id(3)].into())].into(), ..Assignment::default() };
    // Anna has 1 and 3 in general, 1 and 2 on the till
    for user in [
        holding(10, UserStatus::Active, &[], &[3]),
        holding(11, UserStatus::Active, &[3], &[3]),
        holding(12, UserStatus::Suspended, &[3], &[3]),
        holding(13, UserStatus::Deleted, &[3], &[]),
        holding(14, UserStatus::Active, &[1], &[]),
        holding(15, UserStatus::Pending, &[3], &[]),
        User { assignment: on_retired, ..new_user(16, fixture.tenant.id, "U16", None) },
    ] {
        run_office_write(harness, |tx| {
            tx.users().insert(&user)?;
            tx.passwords().set(PrincipalId::User(user.id), &hash_requested_password("x"), after_start(5))
        });
    }
    run_office_write(harness, |tx| tx.users().insert(&holding(17, UserStatus::Active, &[3], &[3])));
    let far = User {
        assignment: Assignment { office: [fixture.foreign_role.id].into(), ..Assignment::default() },
        ..new_user(18, fixture.other_tenant.id, "Far", None)
    };
    run_office_write(harness, |tx| {
        tx.users().insert(&far)?;
        tx.passwords().set(PrincipalId::User(far.id), &hash_requested_password("x"), after_start(5))
    });
    let counted =
        |tenant, of: RoleHolderFilter<'_>| run_office_read(harness, |tx| tx.users().count_holders(tenant, &of));
    let count = |tenant, roles: &[RoleId]| counted(tenant, RoleHolderFilter { roles, ..RoleHolderFilter::default() });
    let corner = fixture.tenant.id;
    let third = [role_id(3)];
    assert_eq!(count(corner, &third), 3, "Anna, 10 and 11");
    let but = RoleHolderFilter { roles: &third, except_user: Some(fixture.anna.id), except_device: None };
    assert_eq!(counted(corner, but), 2);
    assert_eq!(
        counted(corner, RoleHolderFilter { except_device: Some(fixture.till.id), ..but }),
        1,
        "11 without a device"
    );
    assert_eq!(count(corner, &[role_id(2)]), 1, "on a device only");
    assert_eq!(count(corner, &[role_id(1), role_id(3)]), 4);
    assert_eq!(count(corner, &[]), 0);
    assert_eq!(count(fixture.other_tenant.id, &[fixture.foreign_role.id]), 1);
    assert_eq!(count(corner, &[fixture.foreign_role.id]), 0);
    // nobody can log in on a locked device
    let locked = Device {
        status: DeviceStatus::Locked,
        ..run_office_read(harness, |tx| tx.devices().find(fixture.till.id)).unwrap()
    };
    assert!(run_office_write(harness, |tx| tx.devices().update(&locked)));
    assert_eq!(count(corner, &third), 2, "Anna and 11");
    run_office_write(harness, |tx| tx.passwords().remove(PrincipalId::User(user_id(11))));
    assert_eq!(count(corner, &third), 1, "nobody logs in without a password");
}

/// Removing a device from all users' assignments removes nothing else.
pub fn device_is_removed_from_every_list(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let ben = User {
        assignment: Assignment {
            devices: [(fixture.till.id, [role_id(3), role_id(1)].into())].into(),
            ..Assignment::default()
        },
        ..fixture.ben.clone()
    };
    assert!(run_office_write(harness, |tx| tx.users().update(&ben)));
    let on = |id| run_office_read(harness, |tx| tx.users().find_roles_on_device(id));
    assert_eq!(on(fixture.till.id), [1, 2, 3].map(role_id).into());
    assert_eq!((on(fixture.handheld.id), on(fixture.foreign_device.id)), (BTreeSet::new(), BTreeSet::new()));
    run_office_write(harness, |tx| tx.users().remove_device(fixture.till.id));
    assert_eq!(on(fixture.till.id), BTreeSet::new());
    let anna = run_office_read(harness, |tx| tx.users().find(fixture.anna.id)).unwrap();
    let mut expected = fixture.anna.assignment.clone();
    expected.devices.remove(&fixture.till.id);
    assert_eq!((anna.assignment, anna.version), (expected, fixture.anna.version + 1));
    let other = run_office_read(harness, |tx| tx.users().find(fixture.namesake.id)).unwrap();
    assert_eq!(other.version, fixture.namesake.version, "users without the role are not listed");
}

/// A role that is assigned to a user while it is being removed is either kept, or removed and
/// assigned to nobody.
pub fn role_granted_during_removal_is_held_or_gone(harness: &StoreHarness) {
    let give = |tx: &mut (dyn OfficeTx + '_), role: RoleId| {
        let ben = tx.users().find(user_id(2))?.expect("the user is stored");
        let assignment = Assignment { office: [role].into(), ..Assignment::default() };
        tx.users().update(&User { assignment, ..ben }).map(drop)
    };
    race_with_removal(harness, give);
}

/// A role that is assigned to a device while it is being removed is either kept, or removed and
/// assigned to no device.
pub fn role_granted_to_a_device_during_removal_is_held_or_gone(harness: &StoreHarness) {
    let give = |tx: &mut (dyn OfficeTx + '_), role: RoleId| {
        let handheld = tx.devices().find(device_id(2))?.expect("it is stored");
        tx.devices().update(&Device { roles: [role].into(), ..handheld }).map(drop)
    };
    race_with_removal(harness, give);
}

fn race_with_removal(
    harness: &StoreHarness,
    give: impl Fn(&mut (dyn OfficeTx + '_), RoleId) -> StoreResult<()> + Sync,
) {
    let (_, role) = insert_waiter_role(harness);
    let crossing = Rendezvous::default();
    let (removed, ()) = run_both(
        || {
            run_office_write(harness, |tx| {
                let version = tx.roles().find(role.id)?.map_or(0, |role| role.version);
                crossing.wait();
                tx.roles().remove(role.id, version)
            })
        },
        || {
            run_office_write(harness, |tx| {
                let there = tx.roles().find(role.id)?.is_some();
                crossing.wait();
                if there { give(tx, role.id) } else { Ok(()) }
            });
        },
    );
    let there = run_office_read(harness, |tx| tx.roles().find(role.id)).is_some();
    let holders = run_office_read(harness, |tx| tx.roles().find_holders(role.id, 5)).total;
    assert_eq!(there, !removed);
    assert_eq!(holders, u64::from(there), "either the role exists and one has it, or it is removed and nobody has it");
}

/// The users (except deleted ones) and devices that have a role are listed for notification, each
/// once. If there are more than `limit`, none is listed.
pub fn role_holders_are_notified_of_a_change(harness: &StoreHarness) {
    let (fixture, role) = insert_waiter_role(harness);
    let scopes = |limit| {
        let scopes = run_office_write(harness, |tx| tx.roles().find_holder_scopes(role.id, limit));
        scopes.map(|scopes| scopes.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(scopes(0), Some(vec![]));
    let twice = Assignment {
        office: [role.id].into(),
        devices: [(fixture.till.id, [role.id].into()), (fixture.handheld.id, [role.id].into())].into(),
    };
    let on_device = Assignment { devices: [(fixture.till.id, [role.id].into())].into(), ..Assignment::default() };
    let suspended = UserStatus::Suspended;
    for (number, status, assignment) in
        [(10, UserStatus::Active, twice.clone()), (11, suspended, on_device), (12, UserStatus::Deleted, twice)]
    {
        let holder = User { status, assignment, ..new_user(number, fixture.tenant.id, &format!("U{number}"), None) };
        run_office_write(harness, |tx| tx.users().insert(&holder));
    }
    let till = Device { roles: [role.id].into(), ..new_device(9, fixture.tenant.id, "P09") };
    run_office_write(harness, |tx| tx.devices().insert(&till));
    let expected: BTreeSet<Scope> =
        [Scope::User(user_id(10)), Scope::User(user_id(11)), Scope::Device(device_id(9))].into();
    let all = scopes(3).unwrap();
    assert_eq!((all.len(), all.into_iter().collect::<BTreeSet<_>>()), (3, expected));
    assert_eq!(scopes(2), None);
}

/// A user to whom a role is assigned while it is being changed is either notified, or reads the
/// changed role: no cached profile contains the role as it was.
pub fn role_granted_during_a_change_is_notified(harness: &StoreHarness) {
    let (fixture, role) = insert_waiter_role(harness);
    let (begun, done) = (Rendezvous::default(), Rendezvous::default());
    let (scopes, version) = run_both(
        || {
            run_office_write(harness, |tx| {
                tx.roles().update(&Role { label: "Other".to_owned(), ..role.clone() })?;
                begun.wait();
                let scopes = tx.roles().find_holder_scopes(role.id, 5)?;
                done.wait();
                Ok(scopes)
            })
        },
        || {
            run_office_write(harness, |tx| {
                let ben = tx.users().find(user_id(2))?.expect("the user is stored");
                begun.wait();
                let assignment = Assignment { office: [role.id].into(), ..Assignment::default() };
                tx.users().update(&User { assignment, ..ben })?;
                let version = tx.roles().find(role.id)?.map(|role| role.version);
                done.wait();
                Ok(version)
            })
        },
    );
    let named = scopes == Some(vec![Scope::User(fixture.ben.id)]);
    assert!(named || version == Some(2), "{scopes:?} {version:?}");
}

/// Of two concurrent updates of a role from the same version, exactly one succeeds.
pub fn concurrent_role_updates_succeed_once(harness: &StoreHarness) {
    let (_, role) = insert_waiter_role(harness);
    let crossing = Rendezvous::default();
    let relabel = |label: &str| {
        run_office_write(harness, |tx| {
            tx.roles().find(role.id)?;
            crossing.wait();
            tx.roles().update(&Role { label: label.to_owned(), ..role.clone() })
        })
    };
    let (one, other) = run_both(|| relabel("one"), || relabel("other"));
    assert!(one != other, "{one} {other}");
    let now = run_office_read(harness, |tx| tx.roles().find(role.id)).unwrap();
    assert_eq!((now.label.as_str(), now.version), (if one { "one" } else { "other" }, 2));
}

/// A role's name is unique in its tenant.
pub fn role_name_is_unique(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let add = |role: &Role| run_office_write(harness, |tx| tx.roles().insert(role));
    assert!(!add(&new_role(10, fixture.tenant.id, Rank::Cashier)));
    assert!(add(&new_role(10, fixture.other_tenant.id, Rank::Admin)), "the same name elsewhere");
    let narrow = Role {
        name: RoleName::parse("Waiter").unwrap(),
        label: "Čašník".into(),
        description: "Serves".into(),
        environments: [Environment::Pda].into(),
        built_in: false,
        ..new_role(11, fixture.tenant.id, Rank::Cashier)
    };
    assert!(add(&narrow));
    assert_eq!(run_office_read(harness, |tx| tx.roles().find_by_name(fixture.tenant.id, &narrow.name)), Some(narrow));
    assert_eq!(run_office_read(harness, |tx| tx.roles().list(fixture.tenant.id)).len(), 4);
}
