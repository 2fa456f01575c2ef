//! Who there is: tenants, users, devices and roles as authentication asks for them, and the claims of a login.

use tillgate_domain::{
    Device, DeviceId, DeviceStatus, EndReason, Environment, Epoch, FoldedText, RoleId, Scope, SessionId, Slug,
    TenantId, User, UserId, UserStatus, Zone,
};

use crate::contract_fixture::{self, ContractFixture, after_start, run_read, run_write, session_id};
use crate::{AuthStoreHarness, Roster};

fn unknown_id() -> uuid::Uuid {
    uuid::Uuid::from_u128(77)
}

/// A tenant is found by its id and by its short name, whole.
pub fn tenant_is_found(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    for tenant in [&shop.tenant, &shop.other_tenant] {
        assert_eq!(run_read(bench, |tx| tx.tenants().find(tenant.id)).as_ref(), Some(tenant));
        assert_eq!(run_read(bench, |tx| tx.tenants().find_by_slug(&tenant.slug)).as_ref(), Some(tenant));
    }
    assert_eq!(run_read(bench, |tx| tx.tenants().find(TenantId(unknown_id()))), None);
    assert_eq!(run_read(bench, |tx| tx.tenants().find_by_slug(&Slug::parse("nowhere").unwrap())), None);
}

/// A user is found by their id whole, deleted ones too.
pub fn user_is_found_by_id(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    for user in [&shop.anna, &shop.ben, &shop.namesake, &shop.deleted_user] {
        assert_eq!(run_read(bench, |tx| tx.users().find(user.id)).as_ref(), Some(user));
    }
    assert_eq!(run_read(bench, |tx| tx.users().find(UserId(unknown_id()))), None);
}

/// A user is found by their name in their own tenant, however it is spelt; a deleted one is not.
pub fn user_is_found_by_name(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let named = |tenant, name: &str| {
        run_read(bench, |tx| tx.users().find_by_name(tenant, &FoldedText::of(name))).map(|user| user.id)
    };
    assert_eq!(named(shop.tenant.id, " ANNA "), Some(shop.anna.id));
    assert_eq!(named(shop.other_tenant.id, "anna"), Some(shop.namesake.id));
    assert_eq!(named(shop.other_tenant.id, "ben"), None);
    assert_eq!(named(shop.tenant.id, "gone"), None);
    assert_eq!(named(shop.tenant.id, "anna@example.com"), None, "an e-mail address is no name");
}

/// What no database stores is nobody's name, and no fault: a NUL, wherever it stands.
pub fn unstorable_name_matches_no_user(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    for text in ["\0", "anna\0", "a\0nna", "ž\0", "anna@example.com\0"] {
        let name = FoldedText::of(text);
        assert_eq!(run_read(bench, |tx| tx.users().find_by_name(shop.tenant.id, &name)), None, "{text:?}");
        assert_eq!(run_read(bench, |tx| tx.users().find_by_email(&name)), None, "{text:?}");
        assert_eq!(run_read(bench, |tx| tx.devices().find_by_name(shop.tenant.id, &name)), None, "{text:?}");
        assert!(run_read(bench, |tx| tx.api_keys().find_by_client_id(text)).is_none(), "{text:?}");
    }
}

/// A user is found by their e-mail address whichever tenant they belong to; a deleted one is not.
pub fn user_is_found_by_email(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let mailed =
        |email: &str| run_read(bench, |tx| tx.users().find_by_email(&FoldedText::of(email))).map(|user| user.id);
    assert_eq!(mailed("anna@EXAMPLE.com"), Some(shop.anna.id));
    assert_eq!(mailed("other.anna@example.com"), Some(shop.namesake.id));
    assert_eq!(mailed("gone@example.com"), None);
    assert_eq!(mailed("anna"), None, "a name is no e-mail address");
}

/// The claim of a user is won where they are active, and lost in every other status.
pub fn user_claim_requires_the_status(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    for (status, number) in UserStatus::ALL.into_iter().zip(10..) {
        let user = User { status, ..contract_fixture::new_user(number, shop.tenant.id, &format!("U{number}"), None) };
        bench.enroll(&Roster { users: vec![user.clone()], ..Roster::default() });
        let claimed = run_write(bench, |tx| tx.users().claim(user.id, Epoch(0), after_start(9)));
        assert_eq!(claimed, status == UserStatus::Active, "{status:?}");
        assert_eq!(run_read(bench, |tx| tx.users().find(user.id)), Some(user), "a claim changes nothing that is read");
    }
    assert!(!run_write(bench, |tx| tx.users().claim(UserId(unknown_id()), Epoch(0), after_start(9))));
}

/// The claim of a user is won at the epoch of now and lost at any other.
pub fn user_claim_requires_the_epoch(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let claims =
        || [0, 1, 2].map(|epoch| run_write(bench, |tx| tx.users().claim(shop.anna.id, Epoch(epoch), after_start(9))));
    assert_eq!(claims(), [true, false, false]);
    run_write(bench, |tx| tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Admin, after_start(9)));
    assert_eq!(claims(), [false, true, false]);
}

/// A device is found by its id whole, retired ones too.
pub fn device_is_found_by_id(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let others = Environment::ALL.into_iter().zip(10..).map(|(environment, number)| Device {
        environment,
        ..contract_fixture::new_device(number, shop.tenant.id, &format!("D{number}"))
    });
    let others: Vec<Device> = others.collect();
    bench.enroll(&Roster { devices: others.clone(), ..Roster::default() });
    for device in [&shop.till, &shop.handheld, &shop.retired_device, &shop.foreign_device].into_iter().chain(&others) {
        assert_eq!(run_read(bench, |tx| tx.devices().find(device.id)).as_ref(), Some(device));
    }
    assert_eq!(run_read(bench, |tx| tx.devices().find(DeviceId(unknown_id()))), None);
}

/// A device is found by its name in its own tenant, retired ones too.
pub fn device_is_found_by_name(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let named = |tenant, name: &str| {
        run_read(bench, |tx| tx.devices().find_by_name(tenant, &FoldedText::of(name))).map(|found| found.id)
    };
    assert_eq!(named(shop.tenant.id, "p01"), Some(shop.till.id));
    assert_eq!(named(shop.other_tenant.id, "P01"), Some(shop.foreign_device.id));
    assert_eq!(named(shop.tenant.id, "P03"), Some(shop.retired_device.id));
    assert_eq!(named(shop.other_tenant.id, "PDA1"), None);
}

/// The claim of a device is won where it is active, and lost in every other status.
pub fn device_claim_requires_the_status(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    for (status, number) in DeviceStatus::ALL.into_iter().zip(10..) {
        let device = Device { status, ..contract_fixture::new_device(number, shop.tenant.id, &format!("D{number}")) };
        bench.enroll(&Roster { devices: vec![device.clone()], ..Roster::default() });
        let claimed = run_write(bench, |tx| tx.devices().claim(device.id, Epoch(0), after_start(9)));
        assert_eq!(claimed, status == DeviceStatus::Active, "{status:?}");
        assert_eq!(
            run_read(bench, |tx| tx.devices().find(device.id)),
            Some(device),
            "a claim changes nothing that is read"
        );
    }
    assert!(!run_write(bench, |tx| tx.devices().claim(DeviceId(unknown_id()), Epoch(0), after_start(9))));
}

/// The claim of a device is won at the epoch of now and lost at any other.
pub fn device_claim_requires_the_epoch(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let claims =
        || [0, 1, 2].map(|epoch| run_write(bench, |tx| tx.devices().claim(shop.till.id, Epoch(epoch), after_start(9))));
    assert_eq!(claims(), [true, false, false]);
    run_write(bench, |tx| tx.revocations().bump_epoch(Scope::Device(shop.till.id), EndReason::Admin, after_start(9)));
    assert_eq!(claims(), [false, true, false]);
}

/// A seat goes from the one that holds it to another, from nobody, and to nobody; whoever is wrong about its holder is told no.
pub fn seat_has_one_holder(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    contract_fixture::insert_sessions(bench, &[shop.new_till_session(1), shop.new_till_session(2)]);
    let (one, two) = (Some(session_id(1)), Some(session_id(2)));
    let seat = |from: Option<SessionId>, to| run_write(bench, |tx| tx.devices().seat(shop.till.id, from, to));
    let holder = |id| run_read(bench, |tx| tx.devices().find(id)).and_then(|device| device.seat);
    assert!(!seat(one, two), "nobody holds it");
    assert!(seat(None, one));
    assert!(!seat(None, two), "it is held");
    assert!(!seat(two, None), "by the other");
    assert_eq!(holder(shop.till.id), one);
    assert!(seat(one, two));
    assert!(!seat(one, None), "by the other now");
    assert_eq!(holder(shop.till.id), two);
    assert!(seat(two, None));
    assert_eq!(holder(shop.till.id), None);
    assert_eq!(holder(shop.handheld.id), None, "another device's seat stays");
    assert!(!run_write(bench, |tx| tx.devices().seat(DeviceId(unknown_id()), None, one)), "no such device");
}

/// A pairing goes from the one that holds it to another, from nobody, and to nobody; it is no seat.
pub fn pairing_has_one_holder(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    contract_fixture::insert_sessions(bench, &[shop.new_till_session(1), shop.new_till_session(2)]);
    let (one, two) = (Some(session_id(1)), Some(session_id(2)));
    let pair = |from: Option<SessionId>, to| run_write(bench, |tx| tx.devices().pair(shop.till.id, from, to));
    let holder = |id| run_read(bench, |tx| tx.devices().find(id)).and_then(|device| device.pairing);
    assert!(!pair(one, two), "nobody holds it");
    assert!(pair(None, one));
    assert!(!pair(None, two), "it is held");
    assert!(!pair(two, None), "by the other");
    assert_eq!(holder(shop.till.id), one);
    assert!(pair(one, two));
    assert_eq!(holder(shop.till.id), two);
    assert_eq!(run_read(bench, |tx| tx.devices().find(shop.till.id)).and_then(|device| device.seat), None, "no seat");
    assert!(run_write(bench, |tx| tx.devices().seat(shop.till.id, None, one)));
    assert_eq!(holder(shop.till.id), two, "a seat moves no pairing");
    assert!(pair(two, None));
    assert_eq!(holder(shop.till.id), None);
    assert!(!run_write(bench, |tx| tx.devices().pair(DeviceId(unknown_id()), None, one)), "no such device");
}

/// Of the roles that are asked for those come back that the tenant has, whole and once each.
pub fn roles_of_a_tenant_are_found(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let among = |tenant, ids: &[RoleId]| {
        let mut roles = run_read(bench, |tx| tx.roles().find_many(tenant, ids));
        roles.sort_by_key(|role| role.id);
        roles
    };
    let all: Vec<RoleId> = shop.roles.iter().map(|role| role.id).collect();
    assert_eq!(among(shop.tenant.id, &all), shop.roles);
    assert_eq!(among(shop.tenant.id, &all[..1]), shop.roles[..1]);
    assert_eq!(among(shop.tenant.id, &[all[0], all[0], RoleId(unknown_id())]), shop.roles[..1]);
    assert_eq!(among(shop.tenant.id, &[shop.foreign_role.id, all[1]]), shop.roles[1..2]);
    assert_eq!(among(shop.other_tenant.id, &[shop.foreign_role.id]), std::slice::from_ref(&shop.foreign_role));
    assert_eq!(among(shop.tenant.id, &[]), []);
}

/// A tenant's zone comes back as the zone that it is.
pub fn zone_is_stored(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    for (zone, number) in ["America/Sao_Paulo", "Asia/Kuala_Lumpur", "Pacific/Auckland"].into_iter().zip(10..) {
        let tenant = contract_fixture::new_tenant(number, &format!("shop-{number}"), zone);
        bench.enroll(&Roster { tenants: vec![tenant.clone()], ..Roster::default() });
        let found = run_read(bench, |tx| tx.tenants().find(tenant.id)).map(|tenant| tenant.zone);
        assert_eq!(found, Some(Zone::parse(zone).unwrap()));
    }
    assert_ne!(shop.tenant.zone, shop.other_tenant.zone);
}
