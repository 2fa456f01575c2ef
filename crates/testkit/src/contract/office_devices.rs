//! Devices as the back office writes and finds them, and the names of retired devices.

use tillgate_auth_core::ports::SessionUse;
use tillgate_domain::office::ports::{DeviceFilter, PageRequest};
use tillgate_domain::{
    Device, DeviceId, DeviceName, DeviceStatus, EndReason, Environment, Epoch, ExactJson, FoldedText, JsonObject,
    PrincipalId, Scope,
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
    let terrace = Device { description: "Terasa".into(), ..new_device(9, fixture.tenant.id, "Žltá 1") };
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
    let both = DeviceFilter { environment: Some(Environment::Tool), ..text("p0") };
    assert_eq!(of(&both, None, 9), [], "all criteria apply");
    let whole_device = run_office_read(harness, |tx| {
        tx.devices().search(fixture.tenant.id, &text("p01"), &PageRequest { after: None, limit: 9 })
    });
    assert_eq!(whole_device, [fixture.till], "complete, with its roles");
}

/// The name of a retired device is free. A search by name finds the device that has the name now, or
/// else the newest retired one.
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
