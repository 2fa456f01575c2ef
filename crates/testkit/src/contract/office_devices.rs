//! Devices as the back office finds them, and the names of those that are retired.

use tillgate_domain::office::ports::{DeviceFilter, PageRequest};
use tillgate_domain::{Device, DeviceId, DeviceStatus, Environment, FoldedText, PrincipalId};

use crate::StoreHarness;
use crate::contract_fixture::{
    self, ContractFixture, after_start, device_id, hash_requested_password, new_device, run_office_read,
    run_office_write,
};
use crate::rendezvous::{Rendezvous, run_both};

/// A filter narrows the devices of a tenant, in the order of their ids and in parts.
pub fn filter_narrows_the_devices(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let terrace = Device { description: "Terasa".into(), ..new_device(9, shop.tenant.id, "Žltá 1") };
    run_office_write(whole, |tx| tx.devices().insert(&terrace));
    let of = |filter: &DeviceFilter, after, limit| -> Vec<DeviceId> {
        let found =
            run_office_read(whole, |tx| tx.devices().search(shop.tenant.id, filter, &PageRequest { after, limit }));
        found.into_iter().map(|device| device.id).collect()
    };
    let every = [shop.till.id, shop.handheld.id, shop.retired_device.id, terrace.id];
    let none = DeviceFilter::default();
    assert_eq!(of(&none, None, 9), every);
    assert_eq!(of(&none, None, 2), every[..2]);
    assert_eq!(of(&none, Some(shop.handheld.id), 1), every[2..3]);
    assert_eq!(of(&none, Some(terrace.id), 9), []);
    let pda = DeviceFilter { environment: Some(Environment::Pda), ..none.clone() };
    assert_eq!(of(&pda, None, 9), [shop.handheld.id]);
    let retired = DeviceFilter { statuses: vec![DeviceStatus::Retired, DeviceStatus::Locked], ..none.clone() };
    assert_eq!(of(&retired, None, 9), [shop.retired_device.id]);
    let text = |text: &str| DeviceFilter { text: Some(text.into()), ..none.clone() };
    assert_eq!(of(&text("p0"), None, 9), [shop.till.id, shop.retired_device.id]);
    assert_eq!(of(&text("TERASA"), None, 9), [terrace.id], "in the description");
    assert_eq!(of(&text("žLTÁ"), None, 9), [terrace.id], "as names are compared");
    assert_eq!(of(&text("ŽLTÁ TERAsa"), None, 9), [], "in one of them");
    for pattern in ["%", "_", "\\"] {
        assert_eq!(of(&text(pattern), None, 9), [], "no pattern");
    }
    let both = DeviceFilter { environment: Some(Environment::Tool), ..text("p0") };
    assert_eq!(of(&both, None, 9), [], "all of it has to fit");
    let whole_device = run_office_read(whole, |tx| {
        tx.devices().search(shop.tenant.id, &text("p01"), &PageRequest { after: None, limit: 9 })
    });
    assert_eq!(whole_device, [shop.till], "whole, with its roles");
}

/// The name of a retired device is free; a lookup finds the one that has it now, and the newest retired one where none has.
pub fn retired_name_is_free(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let named = |name: &str| {
        let found = run_office_read(whole, |tx| tx.devices().find_by_name(shop.tenant.id, &FoldedText::of(name)));
        let known = contract_fixture::run_read(&whole.auth, |tx| {
            tx.devices().find_by_name(shop.tenant.id, &FoldedText::of(name))
        });
        assert_eq!(found, known, "both views");
        found.map(|device| device.id)
    };
    assert_eq!(named("P03"), Some(shop.retired_device.id));
    let next = new_device(8, shop.tenant.id, "P03");
    assert!(run_office_write(whole, |tx| tx.devices().insert(&next)));
    assert_eq!(named("P03"), Some(next.id));
    assert!(!run_office_write(whole, |tx| tx.devices().insert(&new_device(9, shop.tenant.id, "p03"))), "taken again");
    let again = Device { status: DeviceStatus::Active, ..shop.retired_device.clone() };
    assert!(!run_office_write(whole, |tx| tx.devices().update(&again)), "whoever comes back meets who has the name");
    let described = Device { description: "broken".into(), ..shop.retired_device.clone() };
    assert!(run_office_write(whole, |tx| tx.devices().update(&described)), "while retired it may have the same");
    let retire = |id| {
        run_office_write(whole, |tx| {
            let found = tx.devices().find(id)?.expect("it is there");
            tx.devices().update(&Device { status: DeviceStatus::Retired, ..found })
        })
    };
    assert!(retire(next.id));
    assert_eq!(named("P03"), Some(next.id), "the newest of two retired ones");
    assert!(retire(shop.till.id));
    assert!(run_office_write(whole, |tx| tx.devices().insert(&new_device(10, shop.tenant.id, "P01"))));
    assert_eq!(named("P01"), Some(device_id(10)));
}

/// Of two devices that take the name of a retired one at once one is added.
pub fn concurrent_reuse_of_a_retired_name_succeeds_once(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let crossing = Rendezvous::default();
    let add = |number: u8| {
        run_office_write(whole, |tx| {
            tx.devices().find_by_name(shop.tenant.id, &FoldedText::of("P03"))?;
            crossing.wait();
            tx.devices().insert(&new_device(number, shop.tenant.id, "P03"))
        })
    };
    let (one, other) = run_both(|| add(10), || add(11));
    assert!(one != other, "{one} {other}");
}

/// A password is taken away, once, and that of another stays.
pub fn password_is_removed(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let (till, anna) = (PrincipalId::Device(shop.till.id), PrincipalId::User(shop.anna.id));
    run_office_write(whole, |tx| tx.passwords().set(till, &hash_requested_password("till"), after_start(5)));
    let remove = |principal| run_office_write(whole, |tx| tx.passwords().remove(principal));
    let has = |principal| run_office_read(whole, |tx| tx.passwords().has(principal));
    assert!(!remove(PrincipalId::Device(shop.handheld.id)));
    assert!(remove(till));
    assert_eq!((has(till), has(anna)), (false, true));
    assert!(!remove(till), "it is gone");
    run_office_write(whole, |tx| tx.passwords().set(till, &hash_requested_password("another"), after_start(6)));
    assert!(has(till));
}
