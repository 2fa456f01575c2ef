//! Tenants, users, devices and roles as authentication reads them, and the claims of a login.

use tillgate_domain::{
    Device, DeviceId, DeviceStatus, EndReason, Environment, Epoch, FoldedText, RoleId, Scope, SessionId, Slug,
    TenantId, User, UserId, UserStatus, Zone,
};

use crate::contract_fixture::{self, ContractFixture, after_start, run_read, run_write, session_id};
use crate::{AuthStoreHarness, Roster};

fn unknown_id() -> uuid::Uuid {
    uuid::Uuid::from_u128(77)
}

/// A tenant is found by its id and by its slug, with all fields.
pub fn tenant_is_found(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    for tenant in [&fixture.tenant, &fixture.other_tenant] {
        assert_eq!(run_read(harness, |tx| tx.tenants().find(tenant.id)).as_ref(), Some(tenant));
        assert_eq!(run_read(harness, |tx| tx.tenants().find_by_slug(&tenant.slug)).as_ref(), Some(tenant));
    }
    assert_eq!(run_read(harness, |tx| tx.tenants().find(TenantId(unknown_id()))), None);
    assert_eq!(run_read(harness, |tx| tx.tenants().find_by_slug(&Slug::parse("nowhere").unwrap())), None);
}

/// A user is found by id with all fields, also if deleted.
pub fn user_is_found_by_id(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    for user in [&fixture.anna, &fixture.ben, &fixture.namesake, &fixture.deleted_user] {
        assert_eq!(run_read(harness, |tx| tx.users().find(user.id)).as_ref(), Some(user));
    }
    assert_eq!(run_read(harness, |tx| tx.users().find(UserId(unknown_id()))), None);
}

/// A user is found by name within the tenant, in any spelling that folds to the same text. A
/// deleted user is not found.
pub fn user_is_found_by_name(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let named = |tenant, name: &str| {
        run_read(harness, |tx| tx.users().find_by_name(tenant, &FoldedText::of(name))).map(|user| user.id)
    };
    assert_eq!(named(fixture.tenant.id, " ANNA "), Some(fixture.anna.id));
    assert_eq!(named(fixture.other_tenant.id, "anna"), Some(fixture.namesake.id));
    assert_eq!(named(fixture.other_tenant.id, "ben"), None);
    assert_eq!(named(fixture.tenant.id, "gone"), None);
    assert_eq!(named(fixture.tenant.id, "anna@example.com"), None, "an e-mail address is no name");
}

/// A name that no database can store (one with a NUL character) matches no user and is not an
/// error.
pub fn unstorable_name_matches_no_user(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    for text in ["\0", "anna\0", "a\0nna", "ž\0", "anna@example.com\0"] {
        let name = FoldedText::of(text);
        assert_eq!(run_read(harness, |tx| tx.users().find_by_name(fixture.tenant.id, &name)), None, "{text:?}");
        assert_eq!(run_read(harness, |tx| tx.users().find_by_email(&name)), None, "{text:?}");
        assert_eq!(run_read(harness, |tx| tx.devices().find_by_name(fixture.tenant.id, &name)), None, "{text:?}");
        assert!(run_read(harness, |tx| tx.api_keys().find_by_client_id(text)).is_none(), "{text:?}");
    }
}

/// A user is found by e-mail address in whichever tenant. A deleted user is not found.
pub fn user_is_found_by_email(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let mailed =
        |email: &str| run_read(harness, |tx| tx.users().find_by_email(&FoldedText::of(email))).map(|user| user.id);
    assert_eq!(mailed("anna@EXAMPLE.com"), Some(fixture.anna.id));
    assert_eq!(mailed("other.anna@example.com"), Some(fixture.namesake.id));
    assert_eq!(mailed("gone@example.com"), None);
    assert_eq!(mailed("anna"), None, "a name is no e-mail address");
}

/// The claim of a user succeeds if the user is active, and fails in every other status.
pub fn user_claim_requires_the_status(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    for (status, number) in UserStatus::ALL.into_iter().zip(10..) {
        let user =
            User { status, ..contract_fixture::new_user(number, fixture.tenant.id, &format!("U{number}"), None) };
        harness.insert_roster(&Roster { users: vec![user.clone()], ..Roster::default() });
        let claimed = run_write(harness, |tx| tx.users().claim(user.id, Epoch(0), after_start(9)));
        assert_eq!(claimed, status == UserStatus::Active, "{status:?}");
        assert_eq!(
            run_read(harness, |tx| tx.users().find(user.id)),
            Some(User { last_login_at: claimed.then_some(after_start(9)), ..user }),
            "a claim changes nothing else that is read"
        );
    }
    assert!(!run_write(harness, |tx| tx.users().claim(UserId(unknown_id()), Epoch(0), after_start(9))));
}

/// The claim of a user succeeds at the current epoch and fails at any other.
pub fn user_claim_requires_the_epoch(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let claims = || {
        [0, 1, 2].map(|epoch| run_write(harness, |tx| tx.users().claim(fixture.anna.id, Epoch(epoch), after_start(9))))
    };
    assert_eq!(claims(), [true, false, false]);
    run_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Admin, after_start(9))
    });
    assert_eq!(claims(), [false, true, false]);
}

/// A device is found by id with all fields, also if retired.
pub fn device_is_found_by_id(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let others = Environment::ALL.into_iter().zip(10..).map(|(environment, number)| Device {
        environment,
        ..contract_fixture::new_device(number, fixture.tenant.id, &format!("D{number}"))
    });
    let others: Vec<Device> = others.collect();
    harness.insert_roster(&Roster { devices: others.clone(), ..Roster::default() });
    for device in
        [&fixture.till, &fixture.handheld, &fixture.retired_device, &fixture.foreign_device].into_iter().chain(&others)
    {
        assert_eq!(run_read(harness, |tx| tx.devices().find(device.id)).as_ref(), Some(device));
    }
    assert_eq!(run_read(harness, |tx| tx.devices().find(DeviceId(unknown_id()))), None);
}

/// A device is found by name within the tenant, also if retired.
pub fn device_is_found_by_name(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let named = |tenant, name: &str| {
        run_read(harness, |tx| tx.devices().find_by_name(tenant, &FoldedText::of(name))).map(|found| found.id)
    };
    assert_eq!(named(fixture.tenant.id, "p01"), Some(fixture.till.id));
    assert_eq!(named(fixture.other_tenant.id, "P01"), Some(fixture.foreign_device.id));
    assert_eq!(named(fixture.tenant.id, "P03"), Some(fixture.retired_device.id));
    assert_eq!(named(fixture.other_tenant.id, "PDA1"), None);
}

/// The claim of a device succeeds if the device is active, and fails in every other status.
pub fn device_claim_requires_the_status(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    for (status, number) in DeviceStatus::ALL.into_iter().zip(10..) {
        let device =
            Device { status, ..contract_fixture::new_device(number, fixture.tenant.id, &format!("D{number}")) };
        harness.insert_roster(&Roster { devices: vec![device.clone()], ..Roster::default() });
        let claimed = run_write(harness, |tx| tx.devices().claim(device.id, Epoch(0), after_start(9)));
        assert_eq!(claimed, status == DeviceStatus::Active, "{status:?}");
        assert_eq!(
            run_read(harness, |tx| tx.devices().find(device.id)),
            Some(device),
            "a claim changes nothing that is read"
        );
    }
    assert!(!run_write(harness, |tx| tx.devices().claim(DeviceId(unknown_id()), Epoch(0), after_start(9))));
}

/// The claim of a device succeeds at the current epoch and fails at any other.
pub fn device_claim_requires_the_epoch(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let claims = || {
        [0, 1, 2]
            .map(|epoch| run_write(harness, |tx| tx.devices().claim(fixture.till.id, Epoch(epoch), after_start(9))))
    };
    assert_eq!(claims(), [true, false, false]);
    run_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::Device(fixture.till.id), EndReason::Admin, after_start(9))
    });
    assert_eq!(claims(), [false, true, false]);
}

/// A seat passes from its current session to another, from none to one, and from one to none. It
/// fails if the given current session is wrong.
pub fn seat_has_one_holder(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    contract_fixture::insert_sessions(harness, &[fixture.new_till_session(1), fixture.new_till_session(2)]);
    let (one, two) = (Some(session_id(1)), Some(session_id(2)));
    let seat = |from: Option<SessionId>, to| run_write(harness, |tx| tx.devices().seat(fixture.till.id, from, to));
    let holder = |id| run_read(harness, |tx| tx.devices().find(id)).and_then(|device| device.seat);
    assert!(!seat(one, two), "nobody has it");
    assert!(seat(None, one));
    assert!(!seat(None, two), "it is in use");
    assert!(!seat(two, None), "by the other");
    assert_eq!(holder(fixture.till.id), one);
    assert!(seat(one, two));
    assert!(!seat(one, None), "used by the other user now");
    assert_eq!(holder(fixture.till.id), two);
    assert!(seat(two, None));
    assert_eq!(holder(fixture.till.id), None);
    assert_eq!(holder(fixture.handheld.id), None, "another device's seat stays");
    assert!(!run_write(harness, |tx| tx.devices().seat(DeviceId(unknown_id()), None, one)), "no such device");
}

/// A pairing passes from its current session to another, from none to one, and from one to none. It
/// is independent of the seat.
pub fn pairing_has_one_holder(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    contract_fixture::insert_sessions(harness, &[fixture.new_till_session(1), fixture.new_till_session(2)]);
    let (one, two) = (Some(session_id(1)), Some(session_id(2)));
    let pair = |from: Option<SessionId>, to| run_write(harness, |tx| tx.devices().pair(fixture.till.id, from, to));
    let holder = |id| run_read(harness, |tx| tx.devices().find(id)).and_then(|device| device.pairing);
    assert!(!pair(one, two), "nobody has it");
    assert!(pair(None, one));
    assert!(!pair(None, two), "it is in use");
    assert!(!pair(two, None), "by the other");
    assert_eq!(holder(fixture.till.id), one);
    assert!(pair(one, two));
    assert_eq!(holder(fixture.till.id), two);
    assert_eq!(
        run_read(harness, |tx| tx.devices().find(fixture.till.id)).and_then(|device| device.seat),
        None,
        "no seat"
    );
    assert!(run_write(harness, |tx| tx.devices().seat(fixture.till.id, None, one)));
    assert_eq!(holder(fixture.till.id), two, "changing the seat does not change the pairing");
    assert!(pair(two, None));
    assert_eq!(holder(fixture.till.id), None);
    assert!(!run_write(harness, |tx| tx.devices().pair(DeviceId(unknown_id()), None, one)), "no such device");
}

/// Of the requested roles, those of the tenant are returned with all fields, each once.
pub fn roles_of_a_tenant_are_found(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let among = |tenant, ids: &[RoleId]| {
        let mut roles = run_read(harness, |tx| tx.roles().find_many(tenant, ids));
        roles.sort_by_key(|role| role.id);
        roles
    };
    let all: Vec<RoleId> = fixture.roles.iter().map(|role| role.id).collect();
    assert_eq!(among(fixture.tenant.id, &all), fixture.roles);
    assert_eq!(among(fixture.tenant.id, &all[..1]), fixture.roles[..1]);
    assert_eq!(among(fixture.tenant.id, &[all[0], all[0], RoleId(unknown_id())]), fixture.roles[..1]);
    assert_eq!(among(fixture.tenant.id, &[fixture.foreign_role.id, all[1]]), fixture.roles[1..2]);
    assert_eq!(among(fixture.other_tenant.id, &[fixture.foreign_role.id]), std::slice::from_ref(&fixture.foreign_role));
    assert_eq!(among(fixture.tenant.id, &[]), []);
}

/// A tenant's time zone is read back unchanged.
pub fn zone_is_stored(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    for (zone, number) in ["America/Sao_Paulo", "Asia/Kuala_Lumpur", "Pacific/Auckland"].into_iter().zip(10..) {
        let tenant = contract_fixture::new_tenant(number, &format!("fixture-{number}"), zone);
        harness.insert_roster(&Roster { tenants: vec![tenant.clone()], ..Roster::default() });
        let found = run_read(harness, |tx| tx.tenants().find(tenant.id)).map(|tenant| tenant.zone);
        assert_eq!(found, Some(Zone::parse(zone).unwrap()));
    }
    assert_ne!(fixture.tenant.zone, fixture.other_tenant.zone);
}
