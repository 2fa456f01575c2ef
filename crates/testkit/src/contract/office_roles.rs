//! Roles as the back office changes and removes them, and who holds them.

use std::collections::BTreeSet;

use tillgate_domain::office::OfficeTx;
use tillgate_domain::office::ports::{Holders, HoldersOf};
use tillgate_domain::{
    Assignment, Device, DeviceStatus, Environment, PrincipalId, Right, Role, RoleId, RoleName, Scope, Stored, User,
    UserStatus,
};

use crate::Whole;
use crate::meeting::{Crossing, both};
use crate::shop::{Shop, at, device, device_id, look, office, role_id, user, user_id, verifier};

/// A role of the tenant's own that nobody holds.
fn waiter(shop: &Shop) -> Role {
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

fn with_waiter(whole: &Whole) -> (Shop, Role) {
    let shop = Shop::open(&whole.bench);
    let role = waiter(&shop);
    assert!(office(whole, |tx| tx.roles().insert(&role)));
    (shop, role)
}

/// A role is found by its id.
pub fn a_role_is_found(whole: &Whole) {
    let (shop, role) = with_waiter(whole);
    for known in shop.roles.iter().chain([&shop.foreign, &role]) {
        assert_eq!(look(whole, |tx| tx.roles().find(known.id)).as_ref(), Some(known));
    }
    assert_eq!(look(whole, |tx| tx.roles().find(role_id(50))), None);
}

/// An update of a role stores every field and raises the version; whose it is, and whether it is built in, stays.
pub fn an_update_of_a_role_stores_every_field(whole: &Whole) {
    let (shop, role) = with_waiter(whole);
    let changed = Role {
        name: RoleName::parse("Terrace").unwrap(),
        label: "Terasa".into(),
        description: String::new(),
        rights: ["storno", "ticketClose"].iter().filter_map(|right| Right::parse(right).ok()).collect(),
        environments: [Environment::Tool, Environment::CashRegister].into(),
        ..role.clone()
    };
    let sent = Role { built_in: true, tenant: shop.other.id, ..changed.clone() };
    assert!(office(whole, |tx| tx.roles().update(&sent)));
    assert_eq!(look(whole, |tx| tx.roles().find(role.id)), Some(Role { version: 2, ..changed.clone() }));
    assert_eq!(look(whole, |tx| tx.roles().named(shop.tenant.id, &role.name)), None);
    let named = look(whole, |tx| tx.roles().named(shop.tenant.id, &changed.name));
    assert_eq!(named.map(|found| found.id), Some(role.id));
    let mut others = look(whole, |tx| tx.roles().list(shop.tenant.id));
    others.retain(|other| other.id != role.id);
    assert_eq!(others, shop.roles, "others stay");
}

/// An update of a role is lost where the version has moved on, the new name is taken, or there is no such role.
pub fn an_update_of_a_role_may_be_lost(whole: &Whole) {
    let (_, role) = with_waiter(whole);
    let update = |role: &Role| office(whole, |tx| tx.roles().update(role));
    assert!(!update(&Role { version: 0, ..role.clone() }));
    assert!(!update(&Role { version: 2, ..role.clone() }));
    assert!(!update(&Role { name: RoleName::parse("CASHIER").unwrap(), ..role.clone() }), "taken");
    assert!(!update(&Role { id: role_id(50), name: RoleName::parse("Other").unwrap(), ..role.clone() }));
    assert_eq!(look(whole, |tx| tx.roles().find(role.id)), Some(role.clone()));
    assert!(update(&Role { name: RoleName::parse("waiter").unwrap(), ..role }), "its own name in another spelling");
}

/// A role that nobody holds is removed at its version, and its name is free.
pub fn a_role_is_removed(whole: &Whole) {
    let (shop, role) = with_waiter(whole);
    let remove = |id, version| office(whole, |tx| tx.roles().remove(id, version));
    assert!(!remove(role.id, 2));
    assert!(!remove(role_id(50), 1));
    assert!(remove(role.id, 1));
    assert!(!remove(role.id, 1), "it is gone");
    assert_eq!(look(whole, |tx| tx.roles().find(role.id)), None);
    assert_eq!(look(whole, |tx| tx.roles().list(shop.tenant.id)), shop.roles);
    assert!(office(whole, |tx| tx.roles().insert(&Role { id: role_id(21), ..role.clone() })));
}

/// A role that somebody holds is not removed: a user without a device, a user on one, a device.
pub fn a_role_that_is_held_is_not_removed(whole: &Whole) {
    let (shop, role) = with_waiter(whole);
    let ben = |assignment: Assignment| {
        office(whole, |tx| {
            let ben = tx.users().find(shop.ben.id)?.expect("he is there");
            tx.users().update(&User { assignment: assignment.clone(), ..ben })
        })
    };
    let handheld = |roles: BTreeSet<RoleId>| {
        office(whole, |tx| {
            let handheld = tx.devices().find(shop.handheld.id)?.expect("it is there");
            tx.devices().update(&Device { roles: roles.clone(), ..handheld })
        })
    };
    let remove = || office(whole, |tx| tx.roles().remove(role.id, 1));
    ben(Assignment { office: [role.id].into(), ..Assignment::default() });
    assert!(!remove(), "without a device");
    ben(Assignment { devices: [(shop.till.id, [role.id].into())].into(), ..Assignment::default() });
    assert!(!remove(), "on a device");
    ben(Assignment::default());
    handheld([role.id].into());
    assert!(!remove(), "of a device");
    assert_eq!(look(whole, |tx| tx.roles().find(role.id)), Some(role.clone()));
    handheld(BTreeSet::new());
    // who is deleted holds nothing, and keeps what they had until it is gone
    let had = Assignment { office: [role.id].into(), devices: [(shop.till.id, [role.id].into())].into() };
    let gone = User { status: UserStatus::Deleted, assignment: had, ..user(10, shop.tenant.id, "Gone too", None) };
    office(whole, |tx| tx.users().insert(&gone));
    assert_eq!(look(whole, |tx| tx.roles().held(role.id, 5)), Holders::default());
    assert!(remove());
    let left = Assignment { devices: [(shop.till.id, BTreeSet::new())].into(), ..Assignment::default() };
    assert_eq!(look(whole, |tx| tx.users().find(gone.id)).unwrap().assignment, left);
}

/// Who holds a role is told: users in the order of their ids, then devices, each once, no more than asked for, and how many in all.
pub fn who_holds_a_role_is_told(whole: &Whole) {
    let (shop, role) = with_waiter(whole);
    let held = |id, limit| look(whole, |tx| tx.roles().held(id, limit));
    assert_eq!(held(role.id, 5), Holders::default());
    for number in 10..13 {
        let assignment = Assignment {
            office: [role.id].into(),
            devices: [(shop.till.id, [role.id].into()), (shop.handheld.id, [role.id].into())].into(),
        };
        let holder = User { assignment, ..user(number, shop.tenant.id, &format!("U{number}"), None) };
        office(whole, |tx| tx.users().insert(&holder));
    }
    let till = Device { roles: [role.id].into(), ..device(9, shop.tenant.id, "P09") };
    office(whole, |tx| tx.devices().insert(&till));
    let names = |holders: &Holders| {
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
pub fn holders_of_roles_are_counted(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let holding = |number: u8, status, office: &[u8], till: &[u8]| User {
        status,
        assignment: Assignment {
            office: office.iter().copied().map(role_id).collect(),
            devices: [(shop.till.id, till.iter().copied().map(role_id).collect::<BTreeSet<_>>())].into(),
        },
        ..user(number, shop.tenant.id, &format!("U{number}"), None)
    };
    let on_retired = Assignment { devices: [(shop.retired.id, [role_id(3)].into())].into(), ..Assignment::default() };
    // Anna holds 1 and 3 without a device, 1 and 2 on the till
    for user in [
        holding(10, UserStatus::Active, &[], &[3]),
        holding(11, UserStatus::Active, &[3], &[3]),
        holding(12, UserStatus::Suspended, &[3], &[3]),
        holding(13, UserStatus::Deleted, &[3], &[]),
        holding(14, UserStatus::Active, &[1], &[]),
        holding(15, UserStatus::Pending, &[3], &[]),
        User { assignment: on_retired, ..user(16, shop.tenant.id, "U16", None) },
    ] {
        office(whole, |tx| {
            tx.users().insert(&user)?;
            tx.passwords().set(PrincipalId::User(user.id), &verifier("x"), at(5))
        });
    }
    office(whole, |tx| tx.users().insert(&holding(17, UserStatus::Active, &[3], &[3])));
    let far = User {
        assignment: Assignment { office: [shop.foreign.id].into(), ..Assignment::default() },
        ..user(18, shop.other.id, "Far", None)
    };
    office(whole, |tx| {
        tx.users().insert(&far)?;
        tx.passwords().set(PrincipalId::User(far.id), &verifier("x"), at(5))
    });
    let counted = |tenant, of: HoldersOf<'_>| look(whole, |tx| tx.users().holders(tenant, &of));
    let count = |tenant, roles: &[RoleId]| counted(tenant, HoldersOf { roles, ..HoldersOf::default() });
    let corner = shop.tenant.id;
    let third = [role_id(3)];
    assert_eq!(count(corner, &third), 3, "Anna, 10 and 11");
    let but = HoldersOf { roles: &third, but_user: Some(shop.anna.id), but_device: None };
    assert_eq!(counted(corner, but), 2);
    assert_eq!(counted(corner, HoldersOf { but_device: Some(shop.till.id), ..but }), 1, "11 without a device");
    assert_eq!(count(corner, &[role_id(2)]), 1, "on a device alone");
    assert_eq!(count(corner, &[role_id(1), role_id(3)]), 4);
    assert_eq!(count(corner, &[]), 0);
    assert_eq!(count(shop.other.id, &[shop.foreign.id]), 1);
    assert_eq!(count(corner, &[shop.foreign.id]), 0);
    // on a device that is out of use nobody can log in
    let locked = Device { status: DeviceStatus::Locked, ..look(whole, |tx| tx.devices().find(shop.till.id)).unwrap() };
    assert!(office(whole, |tx| tx.devices().update(&locked)));
    assert_eq!(count(corner, &third), 2, "Anna and 11");
    office(whole, |tx| tx.passwords().remove(PrincipalId::User(user_id(11))));
    assert_eq!(count(corner, &third), 1, "nobody logs in without a password");
}

/// What users may do on a device is told as roles, each once, and a device that leaves every list leaves no other.
pub fn a_device_leaves_every_list(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let ben = User {
        assignment: Assignment {
            devices: [(shop.till.id, [role_id(3), role_id(1)].into())].into(),
            ..Assignment::default()
        },
        ..shop.ben.clone()
    };
    assert!(office(whole, |tx| tx.users().update(&ben)));
    let on = |id| look(whole, |tx| tx.users().roles_on(id));
    assert_eq!(on(shop.till.id), [1, 2, 3].map(role_id).into());
    assert_eq!((on(shop.handheld.id), on(shop.far.id)), (BTreeSet::new(), BTreeSet::new()));
    office(whole, |tx| tx.users().unlist(shop.till.id));
    assert_eq!(on(shop.till.id), BTreeSet::new());
    let anna = look(whole, |tx| tx.users().find(shop.anna.id)).unwrap();
    let mut expected = shop.anna.assignment.clone();
    expected.devices.remove(&shop.till.id);
    assert_eq!((anna.assignment, anna.version), (expected, shop.anna.version + 1));
    let other = look(whole, |tx| tx.users().find(shop.namesake.id)).unwrap();
    assert_eq!(other.version, shop.namesake.version, "whoever has not got it is not touched");
}

/// A role that is given to a user at the moment in which it is removed is held, or it is gone and nobody has it.
pub fn a_role_that_is_given_is_held_or_gone(whole: &Whole) {
    let give = |tx: &mut (dyn OfficeTx + '_), role: RoleId| {
        let ben = tx.users().find(user_id(2))?.expect("he is there");
        let assignment = Assignment { office: [role].into(), ..Assignment::default() };
        tx.users().update(&User { assignment, ..ben }).map(drop)
    };
    meets_its_removal(whole, give);
}

/// A role that is given to a device at the moment in which it is removed is held, or it is gone and no device has it.
pub fn a_role_of_a_device_is_held_or_gone(whole: &Whole) {
    let give = |tx: &mut (dyn OfficeTx + '_), role: RoleId| {
        let handheld = tx.devices().find(device_id(2))?.expect("it is there");
        tx.devices().update(&Device { roles: [role].into(), ..handheld }).map(drop)
    };
    meets_its_removal(whole, give);
}

fn meets_its_removal(whole: &Whole, give: impl Fn(&mut (dyn OfficeTx + '_), RoleId) -> Stored<()> + Sync) {
    let (_, role) = with_waiter(whole);
    let crossing = Crossing::default();
    let (removed, ()) = both(
        || {
            office(whole, |tx| {
                let version = tx.roles().find(role.id)?.map_or(0, |role| role.version);
                crossing.meet();
                tx.roles().remove(role.id, version)
            })
        },
        || {
            office(whole, |tx| {
                let there = tx.roles().find(role.id)?.is_some();
                crossing.meet();
                if there { give(tx, role.id) } else { Ok(()) }
            });
        },
    );
    let there = look(whole, |tx| tx.roles().find(role.id)).is_some();
    let held = look(whole, |tx| tx.roles().held(role.id, 5)).total;
    assert_eq!(there, !removed);
    assert_eq!(held, u64::from(there), "held by one where it is there, by nobody where it is gone");
}

/// Users who are not deleted and devices that hold a role are named, each once; none where they are more than asked for.
pub fn whoever_holds_a_role_is_told_of_its_change(whole: &Whole) {
    let (shop, role) = with_waiter(whole);
    let scopes = |limit| {
        let scopes = office(whole, |tx| tx.roles().scopes(role.id, limit));
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
        let holder = User { status, assignment, ..user(number, shop.tenant.id, &format!("U{number}"), None) };
        office(whole, |tx| tx.users().insert(&holder));
    }
    let till = Device { roles: [role.id].into(), ..device(9, shop.tenant.id, "P09") };
    office(whole, |tx| tx.devices().insert(&till));
    let expected: BTreeSet<Scope> =
        [Scope::User(user_id(10)), Scope::User(user_id(11)), Scope::Device(device_id(9))].into();
    let all = scopes(3).unwrap();
    assert_eq!((all.len(), all.into_iter().collect::<BTreeSet<_>>()), (3, expected));
    assert_eq!(scopes(2), None);
}

/// Who is being given a role at the moment in which it is changed is named, or reads the role as it is changed: what they
/// remember of themselves is never of the role as it was.
pub fn whoever_is_being_given_a_role_knows_of_its_change(whole: &Whole) {
    let (shop, role) = with_waiter(whole);
    let (begun, done) = (Crossing::default(), Crossing::default());
    let (scopes, version) = both(
        || {
            office(whole, |tx| {
                tx.roles().update(&Role { label: "Other".to_owned(), ..role.clone() })?;
                begun.meet();
                let scopes = tx.roles().scopes(role.id, 5)?;
                done.meet();
                Ok(scopes)
            })
        },
        || {
            office(whole, |tx| {
                let ben = tx.users().find(user_id(2))?.expect("he is there");
                begun.meet();
                let assignment = Assignment { office: [role.id].into(), ..Assignment::default() };
                tx.users().update(&User { assignment, ..ben })?;
                let version = tx.roles().find(role.id)?.map(|role| role.version);
                done.meet();
                Ok(version)
            })
        },
    );
    let named = scopes == Some(vec![Scope::User(shop.ben.id)]);
    assert!(named || version == Some(2), "{scopes:?} {version:?}");
}

/// Of two updates of one version of a role one is won.
pub fn two_updates_of_a_role(whole: &Whole) {
    let (_, role) = with_waiter(whole);
    let crossing = Crossing::default();
    let relabel = |label: &str| {
        office(whole, |tx| {
            tx.roles().find(role.id)?;
            crossing.meet();
            tx.roles().update(&Role { label: label.to_owned(), ..role.clone() })
        })
    };
    let (one, other) = both(|| relabel("one"), || relabel("other"));
    assert!(one != other, "{one} {other}");
    let now = look(whole, |tx| tx.roles().find(role.id)).unwrap();
    assert_eq!((now.label.as_str(), now.version), (if one { "one" } else { "other" }, 2));
}
