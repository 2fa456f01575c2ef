//! Invitations: one per user, each of which sets a password once.

use tillgate_auth_core::ports::CredentialKind;
use tillgate_domain::office;
use tillgate_domain::office::ports::{Invitation, Reset};
use tillgate_domain::{Email, PrincipalId, ResetId, Secret, StoreExt, UserId, UserStatus};

use crate::StoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, hash_requested_password, host_context, run_office_write, run_read, run_write,
};
use crate::rendezvous::{Rendezvous, run_both};

fn new_invitation(user: UserId, number: u8, until: u64) -> Invitation {
    Invitation {
        digest: [number; 32],
        user,
        email: None,
        created_at: after_start(u64::from(number)),
        expires_at: after_start(until),
    }
}

fn new_reset(user: UserId, number: u8, until: u64) -> Reset {
    Reset {
        digest: [number; 32],
        request: ResetId::new(after_start(0), [number; 10]),
        user,
        email: Email::parse("anna@example.com").unwrap(),
        granted_at: after_start(u64::from(number)),
        expires_at: after_start(until),
    }
}

fn find(harness: &StoreHarness, number: u8) -> Option<Invitation> {
    harness.office.read("test", |tx| tx.invitations().find(&[number; 32])).unwrap()
}

fn insert(harness: &StoreHarness, invitation: &Invitation) {
    run_office_write(harness, |tx| tx.invitations().insert_or_replace(invitation));
}

fn accept(harness: &StoreHarness, number: u8, event: u8) -> Option<UserId> {
    let context = host_context(50, event);
    let verifier = Secret::new(format!("verifier {event}"));
    let accepted =
        office::unguarded::accept_invitation(&*harness.office, &context, None, &[number; 32], &verifier).unwrap();
    accepted.map(|user| user.id)
}

/// An invitation is found by its digest until it is consumed, once.
pub fn invitation_is_consumed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (annas, bens) = (new_invitation(fixture.anna.id, 1, 90), new_invitation(fixture.ben.id, 2, 90));
    insert(harness, &annas);
    insert(harness, &bens);
    let list =
        |users: [UserId; 2]| harness.office.read("test", |tx| tx.invitations().list_by_users(&users.into())).unwrap();
    assert_eq!(list([fixture.anna.id, fixture.namesake.id]), std::slice::from_ref(&annas));
    assert_eq!((find(harness, 1), find(harness, 3)), (Some(annas), None));
    let consume = |number: u8| run_office_write(harness, |tx| tx.invitations().consume(&[number; 32]));
    assert_eq!((consume(1), consume(1), consume(3)), (true, false, false));
    assert_eq!((find(harness, 1), find(harness, 2)), (None, Some(bens)));
}

/// A user has at most one invitation: a new one replaces it, and it can be removed.
pub fn invitation_replaces_the_previous_one(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    insert(harness, &new_invitation(fixture.anna.id, 1, 90));
    insert(harness, &new_invitation(fixture.ben.id, 3, 90));
    let newer = Invitation { email: fixture.anna.email.clone(), ..new_invitation(fixture.anna.id, 2, 95) };
    assert!(newer.email.is_some());
    insert(harness, &newer);
    assert_eq!((find(harness, 1), find(harness, 2)), (None, Some(newer.clone())));
    let of = |user| harness.office.read("test", |tx| tx.invitations().find_by_user(user)).unwrap();
    assert_eq!((of(fixture.anna.id), of(fixture.namesake.id)), (Some(newer), None));
    run_office_write(harness, |tx| tx.invitations().revoke_by_user(fixture.anna.id));
    assert_eq!(find(harness, 2), None);
    assert!(find(harness, 3).is_some(), "another's stays");
}

/// The digest of an invitation is replaced while the user still has this invitation.
pub fn digest_of_an_invitation_is_replaced(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let invitation = new_invitation(fixture.anna.id, 1, 90);
    insert(harness, &invitation);
    insert(harness, &new_invitation(fixture.ben.id, 3, 90));
    let replace =
        |user, created_at| run_office_write(harness, |tx| tx.invitations().replace_digest(user, created_at, &[2; 32]));
    assert!(!replace(fixture.anna.id, after_start(2)), "another instant");
    assert!(!replace(fixture.namesake.id, invitation.created_at), "another user");
    assert!(replace(fixture.anna.id, invitation.created_at));
    assert_eq!(find(harness, 1), None);
    assert_eq!(find(harness, 2), Some(Invitation { digest: [2; 32], ..invitation }));
    assert!(find(harness, 3).is_some(), "another's stays");
}

/// Accepting an invitation that was mailed verifies the address, if the user still has it; another
/// address makes the invitation void. An invitation that was shown verifies nothing.
pub fn mailed_invitation_verifies_the_address(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let user = |id| harness.office.read("test", |tx| tx.users().find(id)).unwrap().unwrap();
    let (anna, ben) = (fixture.anna.id, fixture.ben.id);
    assert_eq!(user(anna).email_verified_at, None);
    insert(harness, &new_invitation(anna, 1, 90));
    assert_eq!((accept(harness, 1, 1), user(anna).email_verified_at), (Some(anna), None));
    let mailed =
        |email: &Option<Email>, number| Invitation { email: email.clone(), ..new_invitation(anna, number, 90) };
    let elsewhere = Email::parse("elsewhere@example.com").ok();
    insert(harness, &mailed(&elsewhere, 2));
    assert_eq!((accept(harness, 2, 2), user(anna).email_verified_at), (None, None));
    insert(harness, &mailed(&fixture.anna.email, 3));
    assert_eq!((accept(harness, 3, 3), user(anna).email_verified_at), (Some(anna), Some(after_start(50))));
    assert_eq!(user(ben).email_verified_at, None);
}

/// Setting the password of a user removes the user's invitation and resets: in the back office, and
/// when the user changes it.
pub fn password_removes_invitation_and_resets(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (anna, password) = (PrincipalId::User(fixture.anna.id), hash_requested_password("another"));
    let insert_both = |user, number| {
        insert(harness, &new_invitation(user, number, 90));
        run_office_write(harness, |tx| tx.resets().insert_reset(&new_reset(user, number, 90)));
    };
    let has_reset = |number| harness.office.read("test", |tx| tx.resets().find(&[number; 32])).unwrap().is_some();
    insert_both(fixture.ben.id, 9);
    insert_both(fixture.anna.id, 1);
    run_office_write(harness, |tx| tx.passwords().set(anna, &password, after_start(5)));
    assert_eq!((find(harness, 1), has_reset(1)), (None, false));
    insert_both(fixture.anna.id, 2);
    let kind = CredentialKind::Password;
    let version = run_read(&harness.auth, |tx| tx.credentials().find(anna, kind)).unwrap().version;
    let replace = |version| {
        run_write(&harness.auth, |tx| tx.credentials().replace(anna, kind, version, &password, after_start(6)))
    };
    assert!(!replace(version + 1));
    assert!(find(harness, 2).is_some() && has_reset(2), "nothing was replaced");
    assert!(replace(version));
    assert_eq!((find(harness, 2), has_reset(2)), (None, false));
    assert!(find(harness, 9).is_some() && has_reset(9), "another's stay");
}

/// The invitations of the users who have a role are removed together, whether they have it with or
/// without a device.
pub fn invitations_of_a_role_are_removed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let revoke = |role| run_office_write(harness, |tx| tx.invitations().revoke_by_role(role));
    let mut held = fixture.anna.assignment.office.clone();
    held.extend(fixture.anna.assignment.devices.values().flatten());
    assert_eq!(held.len(), 3, "one without a device, one on a device, one on both");
    for (role, number) in held.into_iter().zip(1..) {
        insert(harness, &new_invitation(fixture.anna.id, number, 90));
        insert(harness, &new_invitation(fixture.ben.id, 9, 90));
        revoke(fixture.foreign_role.id);
        assert!(find(harness, number).is_some(), "{role:?}");
        revoke(role);
        assert_eq!(find(harness, number), None, "{role:?}");
        assert!(find(harness, 9).is_some(), "another's stays");
    }
}

/// A sweep removes at most `limit` expired invitations.
pub fn expired_invitations_are_removed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    for (user, number, until) in [(fixture.anna.id, 1, 10), (fixture.ben.id, 2, 20), (fixture.namesake.id, 3, 30)] {
        insert(harness, &new_invitation(user, number, until));
    }
    let sweep = |before, limit| run_office_write(harness, |tx| tx.invitations().sweep(after_start(before), limit));
    assert_eq!((sweep(10, 9), sweep(30, 1), sweep(30, 9), sweep(30, 9)), (0, 1, 1, 0));
    assert!(find(harness, 3).is_some());
}

/// Accepting an invitation activates a pending user and leaves no password change to do. An expired
/// invitation, and one of a suspended user, is not accepted.
pub fn invitation_is_accepted_while_valid(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let id = fixture.anna.id;
    let user = || harness.office.read("test", |tx| tx.users().find(id)).unwrap().unwrap();
    let set_status = |status| {
        let changed = tillgate_domain::User { status, password_change_required: true, ..user() };
        assert!(run_office_write(harness, |tx| tx.users().update(&changed)));
    };
    insert(harness, &new_invitation(id, 1, 50));
    assert_eq!(accept(harness, 1, 1), None, "it has expired");
    insert(harness, &new_invitation(id, 2, 90));
    set_status(UserStatus::Suspended);
    assert_eq!(accept(harness, 2, 2), None);
    set_status(UserStatus::Pending);
    assert_eq!(accept(harness, 2, 3), Some(id));
    assert_eq!((user().status, user().password_change_required), (UserStatus::Active, false));
    assert_eq!(accept(harness, 2, 4), None, "it was used");
}

/// Of two concurrent uses of one invitation, exactly one sets a password.
pub fn concurrent_uses_of_one_invitation_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    insert(harness, &new_invitation(fixture.anna.id, 1, 90));
    let crossing = Rendezvous::default();
    let show = |event: u8| {
        crossing.wait();
        accept(harness, 1, event)
    };
    let (one, other) = run_both(|| show(1), || show(2));
    assert!(one.is_some() ^ other.is_some(), "{one:?} {other:?}");
    assert_eq!(one.or(other), Some(fixture.anna.id));
}
