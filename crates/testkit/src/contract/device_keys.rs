//! Keys of devices: each belongs to one device of a tenant for good, and one of a device is
//! current.

use tillgate_domain::{DeviceId, DeviceKey, DeviceKeyState, KeyStorage, TenantId};

use crate::contract_fixture::{ContractFixture, after_start, run_read, run_write, user_id};
use crate::rendezvous::{Rendezvous, run_both};
use crate::{AuthStoreHarness, records};

/// The current key with this number, of a device.
pub(super) fn new_device_key(tenant: TenantId, device: DeviceId, number: u8) -> DeviceKey {
    DeviceKey {
        storage: KeyStorage::Hardware,
        label: "Box under the counter".to_owned(),
        app: "Kasa 5.1".to_owned(),
        enrolled_by: Some(user_id(1)),
        ..records::new_device_key(tenant, device, number, after_start(u64::from(number)))
    }
}

fn insert(harness: &AuthStoreHarness, key: &DeviceKey) -> bool {
    run_write(harness, |tx| tx.device_keys().insert(key))
}

fn find(harness: &AuthStoreHarness, key: &DeviceKey) -> Option<DeviceKey> {
    run_read(harness, |tx| tx.device_keys().find(key.tenant, &key.thumbprint))
}

fn find_current(harness: &AuthStoreHarness, device: DeviceId) -> Option<DeviceKey> {
    run_read(harness, |tx| tx.device_keys().find_current(device))
}

/// A key is read back as it was added, by its tenant and thumbprint, and as the current one of its
/// device.
pub fn device_key_is_read_back_as_added(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let key = new_device_key(fixture.tenant.id, fixture.till.id, 1);
    let other = DeviceKey {
        storage: KeyStorage::Software,
        enrolled_by: None,
        ..new_device_key(fixture.tenant.id, fixture.handheld.id, 2)
    };
    assert_eq!((find(harness, &key), find_current(harness, key.device)), (None, None));
    assert!(insert(harness, &key) && insert(harness, &other));
    for each in [&key, &other] {
        assert_eq!(find(harness, each).as_ref(), Some(each));
        assert_eq!(find_current(harness, each.device).as_ref(), Some(each));
    }
    let elsewhere = DeviceKey { tenant: fixture.other_tenant.id, ..key };
    assert_eq!(find(harness, &elsewhere), None);
}

/// A tenant has a thumbprint once, whatever the state of its key and whichever device it is of.
/// Another tenant may have it, too.
pub fn thumbprint_is_used_once_in_a_tenant(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let key = new_device_key(fixture.tenant.id, fixture.till.id, 1);
    assert!(insert(harness, &key));
    assert!(run_write(harness, |tx| tx.device_keys().retire(key.tenant, &key.thumbprint, after_start(9))));
    assert!(!insert(harness, &key), "the same key again");
    assert!(!insert(harness, &DeviceKey { device: fixture.handheld.id, ..key.clone() }), "of another device");
    assert_eq!((find_current(harness, fixture.till.id), find_current(harness, fixture.handheld.id)), (None, None));
    let (tenant, device) = (fixture.other_tenant.id, fixture.foreign_device.id);
    assert!(insert(harness, &DeviceKey { tenant, device, ..key }));
}

/// A device has one current key. The next one is added after the current one was retired, which
/// happens once and keeps the retired key.
pub fn device_has_one_current_key(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let [key, next] = [1, 2].map(|number| new_device_key(fixture.tenant.id, fixture.till.id, number));
    assert!(insert(harness, &key));
    assert!(!insert(harness, &next));
    assert_eq!(find(harness, &next), None, "nothing was added");
    let retire =
        |key: &DeviceKey| run_write(harness, |tx| tx.device_keys().retire(key.tenant, &key.thumbprint, after_start(9)));
    assert!(!retire(&next), "there is no such key");
    assert!(retire(&key));
    assert!(!retire(&key), "it is no longer current");
    let retired = DeviceKey { state: DeviceKeyState::Retired, ended_at: Some(after_start(9)), ..key };
    assert_eq!((find(harness, &retired), find_current(harness, fixture.till.id)), (Some(retired), None));
    assert!(insert(harness, &next));
    assert_eq!(find_current(harness, fixture.till.id), Some(next));
}

/// A use is stored unless a recent one is stored. A key that does not exist is skipped.
pub fn device_key_use_is_recorded_once_in_an_interval(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let key = new_device_key(fixture.tenant.id, fixture.till.id, 1);
    assert!(insert(harness, &key));
    let record = |thumbprint: u8, at, recorded_before| {
        run_write(harness, |tx| {
            tx.device_keys().record_use(key.tenant, &[thumbprint; 32], after_start(at), after_start(recorded_before))
        });
        find(harness, &key).unwrap().used_at
    };
    assert_eq!(record(2, 9, 9), None, "of another key");
    assert_eq!(record(1, 10, 5), Some(after_start(10)));
    assert_eq!(record(1, 14, 9), Some(after_start(10)));
    assert_eq!(record(1, 15, 10), Some(after_start(15)));
}

/// Of two concurrent inserts of keys of one device, exactly one is made.
pub fn concurrent_keys_of_one_device_succeed_once(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let crossing = Rendezvous::default();
    let add = |number| {
        let key = new_device_key(fixture.tenant.id, fixture.till.id, number);
        run_write(harness, |tx| {
            tx.device_keys().find_current(key.device)?;
            crossing.wait();
            tx.device_keys().insert(&key)
        })
    };
    let (one, other) = run_both(|| add(1), || add(2));
    assert!(one ^ other, "{one} {other}");
    assert!(find_current(harness, fixture.till.id).is_some());
}
