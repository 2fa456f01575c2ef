//! Password resets: the requests, and the tokens issued for them.

use std::collections::BTreeSet;
use std::time::Duration;

use tillgate_domain::office::ports::{Reset, ResetRequest};
use tillgate_domain::office::{self, ResetDispatch, ResetGrant};
use tillgate_domain::{Email, FoldedText, Instant, ResetId, Secret, StoreExt};

use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, FIXTURE_START, after_start, host_context, run_office_write};
use crate::rendezvous::{Rendezvous, run_both};

fn reset_id(number: u8) -> ResetId {
    ResetId::new(FIXTURE_START, [number; 10])
}

fn sample_email() -> Email {
    Email::parse("Anna@Example.com").unwrap()
}

fn new_request(number: u8, due: u64) -> ResetRequest {
    let due_at = after_start(due);
    ResetRequest {
        id: reset_id(number),
        email: sample_email(),
        tenant: None,
        address: None,
        requested_at: FIXTURE_START,
        due_at,
        tries: 0,
    }
}

fn new_reset(fixture: &ContractFixture, number: u8, until: u64) -> Reset {
    Reset {
        digest: [number; 32],
        request: reset_id(number),
        user: fixture.anna.id,
        email: sample_email(),
        granted_at: after_start(u64::from(number)),
        expires_at: after_start(until),
    }
}

fn due_requests(harness: &StoreHarness, now: Instant, limit: u32) -> Vec<ResetRequest> {
    harness.office.read("test", |tx| tx.resets().list_due(now, limit)).unwrap()
}

/// Reset requests are returned as they were inserted, those that have been due longest first, none
/// before it is due, and none after it is settled.
pub fn reset_requests_are_returned_when_due(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let whole_request = ResetRequest {
        tenant: Some(fixture.tenant.id),
        address: Some("2001:db8::7".parse().unwrap()),
        tries: 3,
        ..new_request(1, 20)
    };
    let requests = [whole_request.clone(), new_request(2, 10), new_request(3, 30)];
    for each in &requests {
        run_office_write(harness, |tx| tx.resets().insert_request(each));
    }
    assert_eq!(due_requests(harness, after_start(9), 10), []);
    assert_eq!(due_requests(harness, after_start(20), 10), [new_request(2, 10), whole_request.clone()]);
    assert_eq!(due_requests(harness, after_start(90), 1), [new_request(2, 10)]);
    run_office_write(harness, |tx| tx.resets().remove_request(reset_id(2)));
    run_office_write(harness, |tx| tx.resets().remove_request(reset_id(2)));
    assert_eq!(due_requests(harness, after_start(90), 10), [whole_request, new_request(3, 30)]);
}

/// A reset request is claimed and postponed from the instant that was read. A failed attempt is
/// counted once, when the request is postponed, and not when it is claimed.
pub fn reset_request_is_postponed_once(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    run_office_write(harness, |tx| tx.resets().insert_request(&new_request(1, 10)));
    let postpone = |from, to| {
        run_office_write(harness, |tx| tx.resets().postpone(reset_id(1), after_start(from), after_start(to)))
    };
    let claim =
        |from, to| run_office_write(harness, |tx| tx.resets().claim(reset_id(1), after_start(from), after_start(to)));
    assert!(!claim(11, 40) && !postpone(11, 50));
    assert!(claim(10, 40) && !claim(10, 50) && !postpone(10, 50));
    assert_eq!(due_requests(harness, after_start(40), 10), [new_request(1, 40)]);
    assert!(postpone(40, 50));
    assert!(!postpone(40, 60));
    assert_eq!(due_requests(harness, after_start(49), 10), []);
    assert_eq!(due_requests(harness, after_start(50), 10), [ResetRequest { tries: 1, ..new_request(1, 50) }]);
    assert!(
        !run_office_write(harness, |tx| tx.resets().postpone(reset_id(2), after_start(10), after_start(50))),
        "none exists"
    );
}

/// The use cases count an attempt once: a grant and a release count nothing, a failure counts one.
/// The token of an attempt that ended so is void.
pub fn attempts_to_mail_a_reset_are_counted_once(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    let store = &*harness.office;
    let first = new_request(1, 10);
    run_office_write(harness, |tx| tx.resets().insert_request(&first));
    let grant = |request: &ResetRequest, number: u8| {
        let retry_at = request.due_at.saturating_add(Duration::from_secs(5));
        let grant = ResetGrant { digest: [number; 32], expires_at: after_start(90), retry_at };
        let granted = office::unguarded::grant_reset(store, &host_context(50, number), request, &grant).unwrap();
        assert!(matches!(granted, ResetDispatch::Mail { .. }), "{granted:?}");
        grant
    };
    let released_grant = grant(&first, 1);
    office::unguarded::release_reset(store, first.id, &released_grant, released_grant.retry_at).unwrap();
    let released = ResetRequest { due_at: released_grant.retry_at, ..first };
    assert_eq!(due_requests(harness, after_start(90), 9), std::slice::from_ref(&released));
    let failed_grant = grant(&released, 2);
    office::unguarded::retry_reset(store, released.id, &failed_grant, failed_grant.retry_at).unwrap();
    let failed = ResetRequest { due_at: failed_grant.retry_at, tries: 1, ..released };
    assert_eq!(due_requests(harness, after_start(90), 9), [failed]);
    for number in [1, 2] {
        assert_eq!(harness.office.read("test", |tx| tx.resets().find(&[number; 32])).unwrap(), None);
    }
}

/// Several reset requests are settled together, even if some of them no longer exist.
pub fn reset_requests_are_settled_together(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    for number in 1..=4 {
        run_office_write(harness, |tx| tx.resets().insert_request(&new_request(number, 10)));
    }
    let settle = |numbers: &[u8]| {
        let ids: Vec<ResetId> = numbers.iter().map(|number| reset_id(*number)).collect();
        run_office_write(harness, |tx| tx.resets().remove_requests(&ids))
    };
    assert_eq!((settle(&[]), settle(&[1, 3, 9]), settle(&[1, 3])), (0, 2, 0));
    assert_eq!(due_requests(harness, after_start(90), 10), [new_request(2, 10), new_request(4, 10)]);
}

/// Users are found by many e-mail addresses in one query, in any tenant.
pub fn users_are_found_by_many_addresses(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let emails: Vec<FoldedText> =
        [&fixture.anna, &fixture.ben].into_iter().filter_map(|user| Some(user.email.as_ref()?.to_folded())).collect();
    assert!(!emails.is_empty());
    let find = |emails: &[FoldedText]| {
        let requests = emails.iter().cloned().chain([FoldedText::of("nobody@example.com")]).collect();
        let found = harness.office.read("test", |tx| tx.users().find_many_by_email(&requests)).unwrap();
        found.into_iter().map(|user| user.id).collect::<BTreeSet<_>>()
    };
    let expected: BTreeSet<_> =
        [&fixture.anna, &fixture.ben].into_iter().filter(|user| user.email.is_some()).map(|user| user.id).collect();
    assert_eq!(find(&emails), expected);
    assert_eq!(find(&[]), BTreeSet::new());
    assert_eq!(harness.office.read("test", |tx| tx.users().find_many_by_email(&BTreeSet::new())).unwrap(), []);
}

/// A reset is found by its digest until it is used, and it can be used once.
pub fn reset_is_spent_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    run_office_write(harness, |tx| tx.resets().insert_reset(&new_reset(&fixture, 1, 90)));
    run_office_write(harness, |tx| tx.resets().insert_reset(&new_reset(&fixture, 2, 90)));
    let find = |number| harness.office.read("test", |tx| tx.resets().find(&[number; 32])).unwrap();
    assert_eq!((find(1), find(3)), (Some(new_reset(&fixture, 1, 90)), None));
    assert!(run_office_write(harness, |tx| tx.resets().consume(&[1; 32])));
    assert!(!run_office_write(harness, |tx| tx.resets().consume(&[1; 32])));
    assert_eq!((find(1), find(2)), (None, Some(new_reset(&fixture, 2, 90))));
}

/// Resets belong to a user: the newest one from another request is returned, and all are removed
/// together.
pub fn resets_belong_to_a_user(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let others = Reset { user: fixture.namesake.id, ..new_reset(&fixture, 9, 90) };
    for each in [&new_reset(&fixture, 1, 90), &new_reset(&fixture, 2, 90), &others] {
        run_office_write(harness, |tx| tx.resets().insert_reset(each));
    }
    let newest =
        |but| harness.office.read("test", |tx| tx.resets().find_newest_grant(fixture.anna.id, reset_id(but))).unwrap();
    assert_eq!((newest(7), newest(2), newest(1)), (Some(after_start(2)), Some(after_start(1)), Some(after_start(2))));
    run_office_write(harness, |tx| tx.resets().revoke_by_user(fixture.anna.id));
    assert_eq!(newest(7), None);
    assert!(harness.office.read("test", |tx| tx.resets().find(&[9; 32])).unwrap().is_some(), "another's stays");
}

/// A sweep removes at most `limit` expired resets.
pub fn expired_resets_are_removed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    for (number, until) in [(1, 10), (2, 20), (3, 30)] {
        run_office_write(harness, |tx| tx.resets().insert_reset(&new_reset(&fixture, number, until)));
    }
    let sweep = |before, limit| run_office_write(harness, |tx| tx.resets().sweep(after_start(before), limit));
    assert_eq!((sweep(10, 9), sweep(30, 1), sweep(30, 9), sweep(30, 9)), (0, 1, 1, 0));
    assert!(harness.office.read("test", |tx| tx.resets().find(&[3; 32])).unwrap().is_some());
}

/// After a reset, the password does not have to be changed: the user has chosen it.
pub fn reset_password_need_not_be_changed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let email = fixture.anna.email.clone().unwrap();
    run_office_write(harness, |tx| {
        tx.resets().insert_reset(&Reset { email: email.clone(), ..new_reset(&fixture, 1, 90) })
    });
    assert!(run_office_write(harness, |tx| tx.users().set_password_change_required(
        fixture.anna.id,
        true,
        after_start(40)
    )));
    let stamp = host_context(50, 1);
    let set = office::unguarded::reset_password(
        &*harness.office,
        &stamp,
        None,
        &[1; 32],
        &Secret::new("verifier".to_owned()),
    )
    .unwrap();
    assert_eq!(set, Some(fixture.anna.id));
    let anna = harness.office.read("test", |tx| tx.users().find(fixture.anna.id)).unwrap().unwrap();
    assert!(!anna.password_change_required);
}

/// Of two concurrent uses of one reset token, exactly one sets a password.
pub fn concurrent_uses_of_one_reset_token_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let email = fixture.anna.email.clone().unwrap();
    run_office_write(harness, |tx| {
        tx.resets().insert_reset(&Reset { email: email.clone(), ..new_reset(&fixture, 1, 90) })
    });
    let crossing = Rendezvous::default();
    let show = |number: u8| {
        let stamp = host_context(50, number);
        crossing.wait();
        office::unguarded::reset_password(
            &*harness.office,
            &stamp,
            None,
            &[1; 32],
            &Secret::new(format!("verifier {number}")),
        )
        .unwrap()
    };
    let (one, other) = run_both(|| show(1), || show(2));
    assert!(one.is_some() ^ other.is_some(), "{one:?} {other:?}");
    assert_eq!(one.or(other), Some(fixture.anna.id));
}
