//! The rules for enrollments of devices: who may start one, for which device, and what makes its
//! code void.

use std::time::Duration;

use tillgate_auth_core::AuthPorts;
use tillgate_domain::enrollment::{MAX_ENROLLMENT_LIFETIME, MIN_ENROLLMENT_LIFETIME};
use tillgate_domain::office::{AuditContext, DeviceChange, FieldName, NewEnrollment, OfficeError, RoleChange};
use tillgate_domain::{Action, Device, DeviceKey, DeviceStatus, Enrollment, Environment, Store, StoreExt};
use tillgate_testkit::records::new_device_key;

use crate::inputs::*;
use crate::staffed_fixture::*;

const LIFETIME: Duration = Duration::from_mins(10);

fn new_enrollment(number: u8) -> NewEnrollment {
    NewEnrollment { digest: [number; 32], lifetime: LIFETIME, replaces_key: false, confirms: false }
}

fn start(
    shop: &StaffedFixture,
    context: &AuditContext,
    device: &Device,
    number: u8,
) -> Result<Enrollment, OfficeError> {
    shop.office_as(context.clone()).start_enrollment(device.id, &new_enrollment(number)).unwrap()
}

fn find(shop: &StaffedFixture, device: &Device) -> Option<Enrollment> {
    shop.office().reader().find_enrollment(device.id).unwrap().unwrap()
}

/// Gives the device a current key.
fn insert_key(shop: &StaffedFixture, device: &Device, number: u8) -> DeviceKey {
    let key = new_device_key(shop.tenant_id(), device.id, number, NOW);
    let store: &dyn Store<AuthPorts> = &shop.store;
    assert!(store.write("test", |tx| tx.device_keys().insert(&key)).unwrap());
    key
}

#[test]
fn enrollment_is_started_and_replaced() {
    let shop = StaffedFixture::open();
    let till = shop.fixture.device("P01");
    let mut manager = caller_context(&["admin"]);
    manager.actor.user = Some(shop.fixture.user("manager").id);
    let started = start(&shop, &manager, till, 1).unwrap();
    assert_eq!((started.device, started.tenant, started.created_at), (till.id, shop.tenant_id(), NOW));
    assert_eq!(started.expires_at, NOW.saturating_add(LIFETIME));
    assert_eq!(started.started_by, Some(shop.fixture.user("manager").id));
    assert_eq!(find(&shop, till), Some(started));
    let event = shop.last_event();
    assert_eq!((event.action, event.subject.uuid()), (Action::DeviceEnrollStart, Some(till.id.0)));
    let second = start(&shop, &audit_context(), till, 2).unwrap();
    assert_eq!((second.started_by, find(&shop, till).map(|found| found.digest)), (None, Some([2; 32])));
}

#[test]
fn enrollment_requires_its_right_and_those_of_the_device() {
    let shop = StaffedFixture::open();
    let till = shop.add_till("K01", &["manager"]);
    assert_eq!(start(&shop, &caller_context(&["deviceUpdate"]), &till, 1), Err(missing_right("deviceEnroll")));
    let clerk = caller_context(&["deviceEnroll"]);
    assert!(matches!(start(&shop, &clerk, &till, 1), Err(OfficeError::RightMissing(_))));
    let bare = shop.add_till("K02", &[]);
    assert!(start(&shop, &clerk, &bare, 1).is_ok(), "the device has no rights as itself");
    let key = insert_key(&shop, &till, 7);
    let office = shop.office_as(clerk);
    assert!(matches!(office.revoke_device_key(till.id, &key.thumbprint).unwrap(), Err(OfficeError::RightMissing(_))));
    let stranger = shop.office_as(caller_context(&["deviceUpdate"]));
    assert_eq!(stranger.cancel_enrollment(till.id).unwrap(), Err(missing_right("deviceEnroll")));
    assert_eq!(stranger.reader().find_enrollment(till.id).unwrap(), Err(missing_right("deviceEnroll")));
    assert_eq!(stranger.reader().list_device_keys(till.id).unwrap(), Err(missing_right("deviceEnroll")));
}

#[test]
fn enrollment_and_revocation_require_a_recent_proof() {
    let shop = StaffedFixture::open();
    let till = shop.fixture.device("P01");
    let key = insert_key(&shop, till, 7);
    let stale = shop.office().with_stale_proof(Some(LIFETIME));
    let replace = NewEnrollment { replaces_key: true, ..new_enrollment(1) };
    let too_old = OfficeError::ProofTooOld { max_age: LIFETIME };
    assert_eq!(stale.start_enrollment(till.id, &replace).unwrap(), Err(too_old.clone()));
    assert_eq!(stale.revoke_device_key(till.id, &key.thumbprint).unwrap(), Err(too_old));
    assert_eq!(shop.office().start_enrollment(till.id, &replace).unwrap().map(drop), Ok(()));
    assert_eq!(stale.cancel_enrollment(till.id).unwrap(), Ok(()), "this gives no access");
}

#[test]
fn only_an_active_device_without_a_key_is_enrolled_without_replacement() {
    let shop = StaffedFixture::open();
    let till = shop.fixture.device("P01");
    for status in [DeviceStatus::Pending, DeviceStatus::Locked] {
        shop.set_status(till.id, status).unwrap();
        let expected = OfficeError::DeviceNotActive { name: till.name.clone(), status };
        assert_eq!(start(&shop, &audit_context(), till, 1), Err(expected));
    }
    shop.set_status(till.id, DeviceStatus::Active).unwrap();
    insert_key(&shop, till, 7);
    assert_eq!(start(&shop, &audit_context(), till, 1), Err(OfficeError::DeviceEnrolled(till.name.clone())));
    let replace = NewEnrollment { replaces_key: true, ..new_enrollment(1) };
    assert!(shop.office().start_enrollment(till.id, &replace).unwrap().unwrap().replaces_key);
    shop.set_status(till.id, DeviceStatus::Retired).unwrap();
    let retired = start(&shop, &audit_context(), till, 2);
    assert!(matches!(retired, Err(OfficeError::DeviceNotActive { status: DeviceStatus::Retired, .. })), "{retired:?}");
}

#[test]
fn lifetime_of_a_code_is_bounded() {
    let shop = StaffedFixture::open();
    let till = shop.fixture.device("P01");
    let second = Duration::from_secs(1);
    let start =
        |lifetime| shop.office().start_enrollment(till.id, &NewEnrollment { lifetime, ..new_enrollment(1) }).unwrap();
    for lifetime in [MIN_ENROLLMENT_LIFETIME.saturating_sub(second), MAX_ENROLLMENT_LIFETIME.saturating_add(second)] {
        let denied = start(lifetime);
        let is_range =
            |error: &OfficeError| matches!(error, OfficeError::OutOfRange(all) if all[0].field == FieldName::ExpiresIn);
        assert!(denied.as_ref().is_err_and(is_range), "{denied:?}");
    }
    assert!(start(MIN_ENROLLMENT_LIFETIME).is_ok() && start(MAX_ENROLLMENT_LIFETIME).is_ok());
}

#[test]
fn code_is_void_once_the_device_gets_other_rights() {
    let shop = StaffedFixture::open();
    let night = shop.add_role("night", &["storno"], ALL_ENVIRONMENTS);
    let till = shop.add_till("K01", &["night"]);
    let start = |number| start(&shop, &audit_context(), &till, number).unwrap();
    let change_role = |change| shop.change_role(&audit_context(), &night, &change).unwrap();
    let change = |change| shop.change_device(till.id, &audit_context(), &change).unwrap();

    start(1);
    change_role(RoleChange { label: Some("Night".to_owned()), ..RoleChange::default() });
    change(DeviceChange { description: Some("By the door".to_owned()), ..DeviceChange::default() });
    assert!(find(&shop, &till).is_some(), "the rights are the same");
    change_role(RoleChange { rights: Some(parse_rights(&["storno", "ticketClose"])), ..RoleChange::default() });
    assert_eq!(find(&shop, &till), None);
    start(2);
    change(DeviceChange { roles: Some(vec![parse_role("cashier")]), ..DeviceChange::default() });
    assert_eq!(find(&shop, &till), None);
    start(3);
    change(DeviceChange { environment: Some(Environment::Pda), ..DeviceChange::default() });
    assert_eq!(find(&shop, &till), None);
}

#[test]
fn code_is_void_once_the_device_is_locked_or_its_key_is_revoked() {
    let shop = StaffedFixture::open();
    let till = shop.fixture.device("P01");
    start(&shop, &audit_context(), till, 1).unwrap();
    shop.set_status(till.id, DeviceStatus::Locked).unwrap();
    assert_eq!(find(&shop, till), None);
    shop.set_status(till.id, DeviceStatus::Active).unwrap();
    assert_eq!(find(&shop, till), None, "it does not come back");
    let key = insert_key(&shop, till, 7);
    let replace = NewEnrollment { replaces_key: true, ..new_enrollment(2) };
    shop.office().start_enrollment(till.id, &replace).unwrap().unwrap();
    assert_eq!(shop.office().revoke_device_key(till.id, &key.thumbprint).unwrap(), Ok(true));
    assert_eq!(find(&shop, till), None);
    start(&shop, &audit_context(), till, 3).unwrap();
    shop.set_status(till.id, DeviceStatus::Retired).unwrap();
    assert_eq!(find(&shop, till), None);
}

#[test]
fn enrollment_is_canceled_once() {
    let shop = StaffedFixture::open();
    let till = shop.fixture.device("P01");
    let cancel = || shop.office().cancel_enrollment(till.id).unwrap();
    let absent = || Err(OfficeError::NotFound { field: FieldName::Enrollment, value: till.id.to_string() });
    assert_eq!(cancel(), absent());
    start(&shop, &audit_context(), till, 1).unwrap();
    assert_eq!(cancel(), Ok(()));
    assert_eq!(shop.last_event().action, Action::DeviceEnrollCancel);
    assert_eq!((cancel(), find(&shop, till)), (absent(), None));
}
