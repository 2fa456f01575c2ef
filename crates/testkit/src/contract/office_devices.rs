//! Devices as the back office writes and finds them, and the names of retired devices.

use tillgate_auth_core::Session;
use tillgate_auth_core::ports::{SessionFilter, SessionOrder, SessionUse};
use tillgate_domain::office::ports::{DeviceFilter, PageRequest, TillCountSpan, TillCounts};
use tillgate_domain::{
    Branch, BranchId, Device, DeviceId, DeviceName, DeviceStatus, EndReason, Environment, Epoch, ExactJson, FoldedText,
    JsonObject, PrincipalId, Scope, StoreExt, Tenant,
};

use crate::StoreHarness;
use crate::contract_fixture::{
    self, ContractFixture, after_start, device_id, hash_requested_password, insert_sessions, new_device, role_id,
    run_office_read, run_office_write, session_id,
};
use crate::rendezvous::{Rendezvous, run_both};

/// A filter narrows the devices of a tenant, which are listed in pages, in the order of their ids.
pub fn filter_narrows_the_devices(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let branch = Some(fixture.tenant.branches[0].id);
    let terrace = Device { description: "Terasa".into(), branch, ..new_device(9, fixture.tenant.id, "Žltá 1") };
    run_office_write(harness, |tx| tx.devices().insert(&terrace));
    let of = |filter: &DeviceFilter, after, limit| -> Vec<DeviceId> {
        let found = run_office_read(harness, |tx| {
            tx.devices().search(fixture.tenant.id, filter, &PageRequest { after, limit })
        });
        found.into_iter().map(|device| device.id).collect()
    };
    let every = [fixture.till.id, fixture.handheld.id, fixture.retired_device.id, terrace.id];
    let none = DeviceFilter::default();
    assert_eq!(of(&none, None, 9), every);
    assert_eq!(of(&none, None, 2), every[..2]);
    assert_eq!(of(&none, Some(fixture.handheld.id), 1), every[2..3]);
    assert_eq!(of(&none, Some(terrace.id), 9), []);
    let pda = DeviceFilter { environment: Some(Environment::Pda), ..none.clone() };
    assert_eq!(of(&pda, None, 9), [fixture.handheld.id]);
    let retired = DeviceFilter { statuses: vec![DeviceStatus::Retired, DeviceStatus::Locked], ..none.clone() };
    assert_eq!(of(&retired, None, 9), [fixture.retired_device.id]);
    let text = |text: &str| DeviceFilter { text: Some(text.into()), ..none.clone() };
    assert_eq!(of(&text("p0"), None, 9), [fixture.till.id, fixture.retired_device.id]);
    assert_eq!(of(&text("TERASA"), None, 9), [terrace.id], "in the description");
    assert_eq!(of(&text("žLTÁ"), None, 9), [terrace.id], "as names are compared");
    assert_eq!(of(&text("ŽLTÁ TERAsa"), None, 9), [], "in one of them");
    for pattern in ["%", "_", "\\"] {
        assert_eq!(of(&text(pattern), None, 9), [], "no pattern");
    }
    let here = DeviceFilter { branch, ..none.clone() };
    assert_eq!(of(&here, None, 9), [terrace.id], "in the store");
    let elsewhere = DeviceFilter { branch: Some(fixture.other_tenant.branches[0].id), ..none.clone() };
    assert_eq!(of(&elsewhere, None, 9), []);
    let both = DeviceFilter { environment: Some(Environment::Tool), ..text("p0") };
    assert_eq!(of(&both, None, 9), [], "all criteria apply");
    let whole_device = run_office_read(harness, |tx| {
        tx.devices().search(fixture.tenant.id, &text("p01"), &PageRequest { after: None, limit: 9 })
    });
    assert_eq!(whole_device, [fixture.till], "complete, with its roles");
}

/// The name of a retired device is free. A search by name finds the device that has the name now,
/// or else the newest retired one.
pub fn retired_name_is_free(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let named = |name: &str| {
        let found = run_office_read(harness, |tx| tx.devices().find_by_name(fixture.tenant.id, &FoldedText::of(name)));
        let known = contract_fixture::run_read(&harness.auth, |tx| {
            tx.devices().find_by_name(fixture.tenant.id, &FoldedText::of(name))
        });
        assert_eq!(found, known, "both views");
        found.map(|device| device.id)
    };
    assert_eq!(named("P03"), Some(fixture.retired_device.id));
    let next = new_device(8, fixture.tenant.id, "P03");
    assert!(run_office_write(harness, |tx| tx.devices().insert(&next)));
    assert_eq!(named("P03"), Some(next.id));
    assert!(
        !run_office_write(harness, |tx| tx.devices().insert(&new_device(9, fixture.tenant.id, "p03"))),
        "taken again"
    );
    let again = Device { status: DeviceStatus::Active, ..fixture.retired_device.clone() };
    assert!(
        !run_office_write(harness, |tx| tx.devices().update(&again)),
        "reactivating fails while another device has the name"
    );
    let described = Device { description: "broken".into(), ..fixture.retired_device.clone() };
    assert!(
        run_office_write(harness, |tx| tx.devices().update(&described)),
        "a retired device may keep a name that is in use"
    );
    let retire = |id| {
        run_office_write(harness, |tx| {
            let found = tx.devices().find(id)?.expect("it is stored");
            tx.devices().update(&Device { status: DeviceStatus::Retired, ..found })
        })
    };
    assert!(retire(next.id));
    assert_eq!(named("P03"), Some(next.id), "the newest of two retired ones");
    assert!(retire(fixture.till.id));
    assert!(run_office_write(harness, |tx| tx.devices().insert(&new_device(10, fixture.tenant.id, "P01"))));
    assert_eq!(named("P01"), Some(device_id(10)));
}

/// Of two concurrent inserts with the name of a retired device, exactly one succeeds.
pub fn concurrent_reuse_of_a_retired_name_succeeds_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let crossing = Rendezvous::default();
    let add = |number: u8| {
        run_office_write(harness, |tx| {
            tx.devices().find_by_name(fixture.tenant.id, &FoldedText::of("P03"))?;
            crossing.wait();
            tx.devices().insert(&new_device(number, fixture.tenant.id, "P03"))
        })
    };
    let (one, other) = run_both(|| add(10), || add(11));
    assert!(one != other, "{one} {other}");
}

/// A password is removed once, and no other password changes.
pub fn password_is_removed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (till, anna) = (PrincipalId::Device(fixture.till.id), PrincipalId::User(fixture.anna.id));
    run_office_write(harness, |tx| tx.passwords().set(till, &hash_requested_password("till"), after_start(5)));
    let remove = |principal| run_office_write(harness, |tx| tx.passwords().remove(principal));
    let has = |principal| run_office_read(harness, |tx| tx.passwords().has(principal));
    assert!(!remove(PrincipalId::Device(fixture.handheld.id)));
    assert!(remove(till));
    assert_eq!((has(till), has(anna)), (false, true));
    assert!(!remove(till), "it has been removed");
    run_office_write(harness, |tx| tx.passwords().set(till, &hash_requested_password("another"), after_start(6)));
    assert!(has(till));
}

/// A device's name is unique in its tenant among devices that are not retired.
pub fn device_name_is_unique(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let add = |device: &Device| run_office_write(harness, |tx| tx.devices().insert(device));
    assert!(!add(&new_device(9, fixture.tenant.id, "p01")));
    assert_eq!(run_office_read(harness, |tx| tx.devices().find(device_id(9))), None);
    assert!(add(&new_device(9, fixture.other_tenant.id, "PDA1")), "the same name elsewhere");
}

/// The devices of a store are counted, and the store cannot be removed while there are any. A
/// device can leave its store.
pub fn store_is_kept_while_devices_are_in_it(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let first = fixture.tenant.branches[0].clone();
    let second = Branch { id: BranchId::new(after_start(1), [1; 10]), name: "Station".into(), zone: None };
    let both = Tenant { branches: vec![first.clone(), second.clone()], ..fixture.tenant.clone() };
    assert!(run_office_write(harness, |tx| tx.tenants().update(&both)));
    let till = Device { branch: Some(second.id), ..fixture.till.clone() };
    assert!(run_office_write(harness, |tx| tx.devices().update(&till)));
    insert_sessions(&harness.auth, &[fixture.new_session(1), fixture.new_till_session(2)]);
    let here = SessionFilter { branch: Some(second.id), ..SessionFilter::default() };
    let found =
        contract_fixture::run_read(&harness.auth, |tx| tx.sessions().list(&here, SessionOrder::Newest, None, 9));
    assert_eq!(found.iter().map(|view| view.session.id).collect::<Vec<_>>(), [session_id(2)], "sessions of the store");
    let retired = Device { branch: Some(second.id), ..fixture.retired_device.clone() };
    assert!(run_office_write(harness, |tx| tx.devices().update(&retired)));
    let count = |id| run_office_read(harness, |tx| tx.devices().count_in_branch(id));
    assert_eq!((count(first.id), count(second.id)), (0, 2), "of any status");
    let remaining = Tenant { branches: vec![first], version: 2, ..fixture.tenant.clone() };
    let refused = harness.office.write("test", |tx| tx.tenants().update(&remaining));
    assert!(refused.is_err(), "devices are in it: {refused:?}");
    for id in [till.id, retired.id] {
        let left = run_office_write(harness, |tx| {
            let device = tx.devices().find(id)?.expect("it is stored");
            tx.devices().update(&Device { branch: None, ..device })
        });
        assert!(left);
    }
    assert_eq!(count(second.id), 0);
    assert!(run_office_write(harness, |tx| tx.tenants().update(&remaining)));
}

/// A device is added to a store, or the store is removed, but not both.
pub fn device_and_removal_of_its_store_exclude_each_other(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let store = Branch { id: BranchId::new(after_start(1), [1; 10]), name: "Station".into(), zone: None };
    let branches = vec![fixture.tenant.branches[0].clone(), store.clone()];
    let both = Tenant { branches, ..fixture.tenant.clone() };
    assert!(run_office_write(harness, |tx| tx.tenants().update(&both)));
    let crossing = Rendezvous::default();
    let add = || {
        run_office_write(harness, |tx| {
            let tenant = tx.tenants().find(fixture.tenant.id)?.expect("it is stored");
            crossing.wait();
            if !tenant.branches.contains(&store) {
                return Ok(false);
            }
            tx.devices().insert(&Device { branch: Some(store.id), ..new_device(9, fixture.tenant.id, "P09") })
        })
    };
    let remove = || {
        run_office_write(harness, |tx| {
            let devices = tx.devices().count_in_branch(store.id)?;
            let tenant = tx.tenants().find(fixture.tenant.id)?.expect("it is stored");
            crossing.wait();
            if devices > 0 {
                return Ok(false);
            }
            tx.tenants().update(&Tenant { branches: vec![fixture.tenant.branches[0].clone()], ..tenant })
        })
    };
    let (added, removed) = run_both(add, remove);
    assert!(added != removed, "{added} {removed}");
}

/// Sale devices are counted by status, and those whose seat has a live session by its newest use.
pub fn tills_are_counted_by_state(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let branch = fixture.tenant.branches[0].id;
    let of = |number: u8, status, environment| Device {
        status,
        environment,
        branch: Some(branch),
        ..new_device(number, fixture.tenant.id, &format!("K{number}"))
    };
    let (active, pda) = (DeviceStatus::Active, Environment::Pda);
    for device in [
        of(20, active, pda),
        of(21, active, Environment::CashRegister),
        of(22, active, pda),
        of(23, DeviceStatus::Locked, pda),
        of(24, DeviceStatus::Pending, pda),
        of(25, active, Environment::BackOffice),
        Device { branch: None, ..of(26, DeviceStatus::Retired, pda) },
    ] {
        assert!(run_office_write(harness, |tx| tx.devices().insert(&device)));
    }
    let on = |number: u8, device: u8, expires: u64, used: Option<u64>| Session {
        device: Some(device_id(device)),
        expires_at: Some(after_start(expires)),
        last_used_at: used.map(after_start),
        ..fixture.new_till_session(number)
    };
    // created after 1 to 5 seconds
    let ended = Session { ended: Some((after_start(50), EndReason::Logout)), ..on(4, 22, 900, Some(60)) };
    insert_sessions(
        &harness.auth,
        &[on(1, 20, 900, Some(60)), on(2, 21, 900, None), on(3, 22, 100, Some(60)), ended, on(5, 25, 900, None)],
    );
    contract_fixture::run_write(&harness.auth, |tx| {
        for (device, session) in [(20, 1), (21, 2), (22, 3), (25, 5)] {
            tx.devices().seat(device_id(device), None, Some(session_id(session)))?;
        }
        Ok(())
    });
    let count = |branch, now, idle| {
        let span = TillCountSpan { now: after_start(now), idle_since: after_start(idle) };
        run_office_read(harness, |tx| tx.devices().count_tills(fixture.tenant.id, branch, &span))
    };
    let expected = TillCounts { active: 3, locked: 1, pending: 1, logged_in: 3, idle: 1 };
    assert_eq!(count(Some(branch), 99, 59), expected);
    assert_eq!(count(Some(branch), 100, 60), TillCounts { logged_in: 2, idle: 2, ..expected }, "one has expired");
    contract_fixture::run_write(&harness.auth, |tx| {
        tx.devices().seat(device_id(22), Some(session_id(3)), Some(session_id(4)))
    });
    assert_eq!(count(Some(branch), 99, 59).logged_in, 2, "one has ended");
    assert_eq!(count(None, 99, 59).active, 5, "with those in no store");
    assert_eq!(count(Some(fixture.other_tenant.branches[0].id), 99, 59), TillCounts::default());
}

/// An update of a device stores every field except those that other operations write, and
/// increments the version.
pub fn device_update_stores_every_field(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    insert_sessions(&harness.auth, &[fixture.new_till_session(1)]);
    contract_fixture::run_write(&harness.auth, |tx| {
        tx.devices().seat(fixture.till.id, None, Some(session_id(1)))?;
        tx.sessions().record_uses(&[SessionUse { session: session_id(1), generation: 1, at: after_start(60) }])
    });
    run_office_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::Device(fixture.till.id), EndReason::Admin, after_start(9))
    });
    let read = run_office_read(harness, |tx| tx.devices().find(fixture.till.id)).unwrap();
    let changed = Device {
        name: DeviceName::parse("Kasa 1").unwrap(),
        environment: Environment::Tool,
        status: DeviceStatus::Locked,
        description: "In the cellar".into(),
        preferences: JsonObject::new(vec![
            ("sound".to_owned(), ExactJson::Null),
            ("so\0und".to_owned(), ExactJson::string("\0")),
            ("level".to_owned(), ExactJson::Number("1.10".to_owned())),
            ("far".to_owned(), ExactJson::Number("123456789012345678901234567890".to_owned())),
        ]),
        branch: Some(fixture.tenant.branches[0].id),
        till_mode: true,
        settings: [("Ž".to_owned(), "\"\\\n".to_owned())].into(),
        roles: [role_id(3)].into(),
        epoch: Epoch(99),
        seat: None,
        pairing: Some(session_id(1)),
        last_seen_at: None,
        updated_at: after_start(70),
        ..read.clone()
    };
    assert!(run_office_write(harness, |tx| tx.devices().update(&changed)));
    let expected = Device {
        epoch: Epoch(1),
        seat: Some(session_id(1)),
        pairing: None,
        last_seen_at: Some(after_start(60)),
        version: read.version + 1,
        ..changed
    };
    assert_eq!(run_office_read(harness, |tx| tx.devices().find(fixture.till.id)), Some(expected));
    let named = |name: &str| {
        run_office_read(harness, |tx| tx.devices().find_by_name(fixture.tenant.id, &FoldedText::of(name)))
            .map(|found| found.id)
    };
    assert_eq!((named("p01"), named("kasa 1")), (None, Some(fixture.till.id)));
    assert_eq!(
        run_office_read(harness, |tx| tx.devices().find(fixture.handheld.id)),
        Some(fixture.handheld),
        "another device stays"
    );
}

/// An update of a device fails if the version is not the current one or the new name is taken.
pub fn device_update_fails_on_a_conflict(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let update = |device: &Device| run_office_write(harness, |tx| tx.devices().update(device));
    let renamed = |name: &str| Device { name: DeviceName::parse(name).unwrap(), ..fixture.handheld.clone() };
    assert!(!update(&Device { version: 0, ..fixture.handheld.clone() }));
    assert!(!update(&Device { version: 2, ..fixture.handheld.clone() }));
    assert!(!update(&renamed("p01")), "taken");
    assert!(!update(&Device { id: device_id(77), ..renamed("Nowhere") }));
    assert_eq!(run_office_read(harness, |tx| tx.devices().find(fixture.handheld.id)), Some(fixture.handheld.clone()));
    assert!(update(&renamed("pda1")), "its own name in another spelling");
    assert!(!update(&renamed("PDA2")), "the version has changed since it was read");
}
