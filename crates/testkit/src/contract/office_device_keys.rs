//! Keys of devices in the back office, which lists and revokes them.

use tillgate_domain::DeviceKeyState;

use super::device_keys::new_device_key;
use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, after_start, run_office_read, run_office_write, run_read, run_write};

/// The keys of a device are listed newest first. Its current key is revoked once, and stays with
/// this state, so that it is never added again.
pub fn revoked_device_key_stays(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let tenant = fixture.tenant.id;
    let [first, second] = [1, 2].map(|number| new_device_key(tenant, fixture.till.id, number));
    let others = new_device_key(tenant, fixture.handheld.id, 3);
    run_write(&harness.auth, |tx| {
        assert!(tx.device_keys().insert(&first)? && tx.device_keys().insert(&others)?);
        assert!(tx.device_keys().retire(tenant, &first.thumbprint, after_start(5))?);
        tx.device_keys().insert(&second).map(|inserted| assert!(inserted))
    });
    let revoke =
        |number: u8| run_office_write(harness, |tx| tx.device_keys().revoke(tenant, &[number; 32], after_start(9)));
    assert_eq!((revoke(1), revoke(2), revoke(2), revoke(9)), (false, true, false, false));
    let listed = run_office_read(harness, |tx| tx.device_keys().list_by_device(fixture.till.id));
    let states: Vec<_> = listed.iter().map(|key| (key.thumbprint[0], key.state, key.ended_at)).collect();
    let (revoked, retired) = (DeviceKeyState::Revoked, DeviceKeyState::Retired);
    assert_eq!(states, [(2, revoked, Some(after_start(9))), (1, retired, Some(after_start(5)))]);
    assert!(!run_write(&harness.auth, |tx| tx.device_keys().insert(&second)));
    let current = run_read(&harness.auth, |tx| tx.device_keys().find_current(fixture.handheld.id));
    assert_eq!(current, Some(others), "another's stays");
}
