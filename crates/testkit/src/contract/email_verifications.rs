//! Verifications of e-mail addresses: one per user, each of which verifies one address once.

use tillgate_domain::office;
use tillgate_domain::office::ports::EmailVerification;
use tillgate_domain::{Email, StoreExt, User, UserId, UserStatus};

use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, after_start, host_context, run_office_write};
use crate::rendezvous::{Rendezvous, run_both};

fn new_verification(user: UserId, email: &str, number: u8, until: u64) -> EmailVerification {
    EmailVerification {
        digest: [number; 32],
        user,
        email: Email::parse(email).unwrap(),
        created_at: after_start(u64::from(number)),
        expires_at: after_start(until),
    }
}

fn find(harness: &StoreHarness, number: u8) -> Option<EmailVerification> {
    harness.office.read("test", |tx| tx.email_verifications().find(&[number; 32])).unwrap()
}

fn insert(harness: &StoreHarness, verification: &EmailVerification) {
    run_office_write(harness, |tx| tx.email_verifications().insert_or_replace(verification));
}

fn verify(harness: &StoreHarness, number: u8, event: u8) -> Option<UserId> {
    let context = host_context(50, event);
    let verified = office::unguarded::verify_email(&*harness.office, &context, None, &[number; 32]).unwrap();
    verified.map(|user| user.id)
}

/// A user has at most one verification: it is found by its digest and by its user, and a new one
/// replaces it.
pub fn verification_replaces_the_previous_one(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (anna, ben) = (fixture.anna.id, fixture.ben.id);
    let bens = new_verification(ben, "ben@example.com", 3, 90);
    insert(harness, &new_verification(anna, "old@example.com", 1, 80));
    insert(harness, &bens);
    let newer = new_verification(anna, "anna@example.com", 2, 90);
    insert(harness, &newer);
    assert_eq!((find(harness, 1), find(harness, 2), find(harness, 3)), (None, Some(newer.clone()), Some(bens)));
    let of = |user| harness.office.read("test", |tx| tx.email_verifications().find_by_user(user)).unwrap();
    assert_eq!((of(anna), of(fixture.namesake.id)), (Some(newer), None));
}

/// The digest of a verification is replaced while the user still has this verification.
pub fn digest_of_a_verification_is_replaced(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (anna, ben) = (fixture.anna.id, fixture.ben.id);
    let verification = new_verification(anna, "anna@example.com", 1, 90);
    insert(harness, &verification);
    let replace = |user, created_at| {
        run_office_write(harness, |tx| tx.email_verifications().replace_digest(user, created_at, &[2; 32]))
    };
    assert!(!replace(anna, after_start(2)), "another instant");
    assert!(!replace(ben, verification.created_at), "another user");
    assert!(replace(anna, verification.created_at));
    assert_eq!(find(harness, 1), None);
    assert_eq!(find(harness, 2), Some(EmailVerification { digest: [2; 32], ..verification }));
}

/// A verification is consumed once.
pub fn verification_is_consumed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    insert(harness, &new_verification(fixture.anna.id, "anna@example.com", 1, 90));
    insert(harness, &new_verification(fixture.ben.id, "ben@example.com", 2, 90));
    let consume = |number: u8| run_office_write(harness, |tx| tx.email_verifications().consume(&[number; 32]));
    assert_eq!((consume(1), consume(1), consume(3)), (true, false, false));
    assert!(find(harness, 1).is_none() && find(harness, 2).is_some());
}

/// A sweep removes at most `limit` expired verifications.
pub fn expired_verifications_are_removed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    for (user, number, until) in [(fixture.anna.id, 1, 10), (fixture.ben.id, 2, 20), (fixture.namesake.id, 3, 30)] {
        insert(harness, &new_verification(user, "anna@example.com", number, until));
    }
    let sweep =
        |before, limit| run_office_write(harness, |tx| tx.email_verifications().sweep(after_start(before), limit));
    assert_eq!((sweep(10, 9), sweep(30, 1), sweep(30, 9), sweep(30, 9)), (0, 1, 1, 0));
    assert!(find(harness, 3).is_some());
}

/// A verification proves the address to which it was mailed, once, before it expires, and while the
/// user has this address and is not suspended.
pub fn address_is_verified_while_the_token_is_valid(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let id = fixture.anna.id;
    let email = fixture.anna.email.clone().expect("the fixture has an address");
    let user = || harness.office.read("test", |tx| tx.users().find(id)).unwrap().unwrap();
    let update = |changed: User| assert!(run_office_write(harness, |tx| tx.users().update(&changed)));
    insert(harness, &new_verification(id, email.as_str(), 1, 50));
    assert_eq!(verify(harness, 1, 1), None, "it has expired");
    insert(harness, &new_verification(id, "another@example.com", 2, 90));
    assert_eq!(verify(harness, 2, 2), None, "it is for another address");
    insert(harness, &new_verification(id, email.as_str(), 3, 90));
    update(User { status: UserStatus::Suspended, ..user() });
    assert_eq!(verify(harness, 3, 3), None, "the user is suspended");
    update(User { status: UserStatus::Active, ..user() });
    let before = user();
    assert_eq!((verify(harness, 3, 4), verify(harness, 3, 5)), (Some(id), None));
    let at = after_start(50);
    let expected = User { email_verified_at: Some(at), updated_at: at, version: before.version + 1, ..before };
    assert_eq!(user(), expected);
}

/// Of two concurrent uses of one verification, exactly one verifies the address.
pub fn concurrent_uses_of_one_verification_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let email = fixture.anna.email.clone().expect("the fixture has an address");
    insert(harness, &new_verification(fixture.anna.id, email.as_str(), 1, 90));
    let crossing = Rendezvous::default();
    let show = |event: u8| {
        crossing.wait();
        verify(harness, 1, event)
    };
    let (one, other) = run_both(|| show(1), || show(2));
    assert!(one.is_some() ^ other.is_some(), "{one:?} {other:?}");
}
