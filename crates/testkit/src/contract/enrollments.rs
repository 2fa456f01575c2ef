//! Enrollments: one per device, each of which is completed once.

use tillgate_domain::{ApiKeyId, DeviceId, Enrollment, EnrollmentCompletion, SessionId, TenantId};
use uuid::Uuid;

use crate::StoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, run_office_read, run_office_write, run_read, run_write, session_id, user_id,
};
use crate::rendezvous::{Rendezvous, run_both};

pub(super) fn new_enrollment(tenant: TenantId, device: DeviceId, number: u8, until: u64) -> Enrollment {
    Enrollment {
        device,
        tenant,
        digest: [number; 32],
        replaces_key: false,
        confirms: false,
        started_by: Some(user_id(1)),
        started_with: Some(ApiKeyId(Uuid::from_u128(1))),
        created_at: after_start(u64::from(number)),
        expires_at: after_start(until),
        completion: None,
    }
}

fn completion(session: SessionId) -> EnrollmentCompletion {
    EnrollmentCompletion { at: after_start(7), thumbprint: [77; 32], session }
}

fn find(harness: &StoreHarness, number: u8) -> Option<Enrollment> {
    run_read(&harness.auth, |tx| tx.enrollments().find(&[number; 32]))
}

fn insert(harness: &StoreHarness, enrollment: &Enrollment) {
    run_office_write(harness, |tx| tx.enrollments().insert_or_replace(enrollment));
}

fn complete(harness: &StoreHarness, number: u8, session: SessionId) -> bool {
    run_write(&harness.auth, |tx| tx.enrollments().complete(&[number; 32], &completion(session)))
}

/// An enrollment is found by the digest of its code and by its device. A new one of the device
/// replaces it, completed or not.
pub fn enrollment_is_found_and_replaced(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let tenant = fixture.tenant.id;
    let first = new_enrollment(tenant, fixture.till.id, 1, 60);
    let other = Enrollment {
        replaces_key: true,
        confirms: true,
        started_by: None,
        started_with: None,
        ..new_enrollment(tenant, fixture.handheld.id, 2, 60)
    };
    insert(harness, &first);
    insert(harness, &other);
    let of_device = |device| run_office_read(harness, |tx| tx.enrollments().find_by_device(device));
    for each in [&first, &other] {
        assert_eq!(find(harness, each.digest[0]).as_ref(), Some(each));
        assert_eq!(of_device(each.device).as_ref(), Some(each));
    }
    assert_eq!((find(harness, 3), of_device(fixture.retired_device.id)), (None, None));
    assert!(complete(harness, 1, session_id(1)));
    let second = new_enrollment(tenant, fixture.till.id, 3, 90);
    insert(harness, &second);
    assert_eq!((find(harness, 1), find(harness, 3)), (None, Some(second.clone())));
    assert_eq!(of_device(fixture.till.id), Some(second), "it waits for its code again");
    assert_eq!(find(harness, 2), Some(other), "another's stays");
}

/// An enrollment is completed once, and keeps what completed it.
pub fn enrollment_is_completed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let enrollment = new_enrollment(fixture.tenant.id, fixture.till.id, 1, 60);
    insert(harness, &enrollment);
    assert!(!complete(harness, 2, session_id(1)), "there is no such code");
    assert!(complete(harness, 1, session_id(1)));
    assert!(!complete(harness, 1, session_id(2)));
    let done = Enrollment { completion: Some(completion(session_id(1))), ..enrollment };
    assert_eq!(find(harness, 1), Some(done));
}

/// Of two concurrent uses of one code, exactly one completes the enrollment.
pub fn concurrent_uses_of_one_code_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    insert(harness, &new_enrollment(fixture.tenant.id, fixture.till.id, 1, 60));
    let crossing = Rendezvous::default();
    let spend = |number| {
        run_write(&harness.auth, |tx| {
            tx.enrollments().find(&[1; 32])?;
            crossing.wait();
            tx.enrollments().complete(&[1; 32], &completion(session_id(number)))
        })
    };
    let (one, other) = run_both(|| spend(1), || spend(2));
    assert!(one ^ other, "{one} {other}");
    let winner = session_id(if one { 1 } else { 2 });
    assert_eq!(find(harness, 1).and_then(|enrollment| enrollment.completion), Some(completion(winner)));
}

/// An enrollment that waits for its code is canceled with its device or with a role that the device
/// has as itself. A completed one stays.
pub fn waiting_enrollment_is_canceled(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (till, handheld) = (fixture.till.id, fixture.handheld.id);
    let cancel = |device| run_office_write(harness, |tx| tx.enrollments().cancel(device));
    let cancel_by_role = |role| run_office_write(harness, |tx| tx.enrollments().cancel_by_role(role));
    let role = *fixture.till.roles.first().unwrap();
    insert(harness, &new_enrollment(fixture.tenant.id, till, 1, 60));
    insert(harness, &new_enrollment(fixture.tenant.id, handheld, 2, 60));
    assert!(cancel(till));
    assert!(!cancel(till), "there is none");
    assert!(find(harness, 1).is_none() && find(harness, 2).is_some());
    insert(harness, &new_enrollment(fixture.tenant.id, till, 3, 60));
    cancel_by_role(fixture.foreign_role.id);
    assert!(find(harness, 3).is_some(), "the device does not have the role");
    cancel_by_role(role);
    assert!(find(harness, 3).is_none() && find(harness, 2).is_some());
    insert(harness, &new_enrollment(fixture.tenant.id, till, 4, 60));
    assert!(complete(harness, 4, session_id(1)));
    cancel_by_role(role);
    assert!(!cancel(till));
    assert!(find(harness, 4).is_some(), "it was completed");
}

/// The codes that were started with an API key and are not used expire at this instant, unless they
/// expire before.
pub fn enrollments_of_an_api_key_are_limited(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (tenant, key) = (fixture.tenant.id, ApiKeyId(Uuid::from_u128(1)));
    let limit = |until| run_office_write(harness, |tx| tx.enrollments().limit_by_api_key(key, after_start(until)));
    let expiry = |number| find(harness, number).map(|enrollment| enrollment.expires_at);
    let [first, others] = [(fixture.till.id, 1), (fixture.handheld.id, 2)]
        .map(|(device, number)| new_enrollment(tenant, device, number, 60));
    insert(harness, &first);
    insert(harness, &Enrollment { started_with: None, ..others });
    limit(70);
    assert_eq!(expiry(1), Some(after_start(60)), "it expires before");
    limit(30);
    assert_eq!((expiry(1), expiry(2)), (Some(after_start(30)), Some(after_start(60))));
    assert!(complete(harness, 1, session_id(1)));
    limit(20);
    assert_eq!(expiry(1), Some(after_start(30)), "it was used");
}

/// A sweep removes at most `limit` enrollments whose codes have expired.
pub fn expired_enrollments_are_removed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let devices = [(fixture.till.id, 1, 10), (fixture.handheld.id, 2, 20), (fixture.retired_device.id, 3, 30)];
    for (device, number, until) in devices {
        insert(harness, &new_enrollment(fixture.tenant.id, device, number, until));
    }
    let sweep = |before, limit| run_office_write(harness, |tx| tx.enrollments().sweep(after_start(before), limit));
    assert_eq!((sweep(10, 9), sweep(30, 1), sweep(30, 9), sweep(30, 9)), (0, 1, 1, 0));
    assert!(find(harness, 3).is_some());
}
