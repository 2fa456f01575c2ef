//! The queue of mails with a link: at most one of each kind per user, each claimed by one process.

use std::time::Duration;

use tillgate_domain::office::ports::{MailKind, QueuedMail};
use tillgate_domain::office::{self, MailDispatch, MailToken};
use tillgate_domain::{StoreExt, UserId};

use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, after_start, run_office_write};
use crate::rendezvous::{Rendezvous, run_both};

const KIND: MailKind = MailKind::EmailVerification;

fn new_mail(user: UserId, due: u64) -> QueuedMail {
    QueuedMail {
        kind: KIND,
        user,
        email: tillgate_domain::Email::parse("anna@example.com").unwrap(),
        requested_at: after_start(1),
        expires_at: after_start(90),
        due_at: after_start(due),
        tries: 0,
    }
}

fn insert(harness: &StoreHarness, mail: &QueuedMail) {
    run_office_write(harness, |tx| tx.mail_queue().insert_or_replace(mail));
}

fn list(harness: &StoreHarness, now: u64, limit: u32) -> Vec<QueuedMail> {
    harness.office.read("test", |tx| tx.mail_queue().list_due(after_start(now), limit)).unwrap()
}

/// Mails are listed when they are due, the longest due first, at most `limit`. A new one of the
/// same kind for the user replaces the previous one.
pub fn queued_mails_are_listed_when_due(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (annas, bens) = (new_mail(fixture.anna.id, 20), new_mail(fixture.ben.id, 10));
    let invitation = QueuedMail { kind: MailKind::Invitation, ..new_mail(fixture.anna.id, 30) };
    for mail in [&annas, &bens, &invitation] {
        insert(harness, mail);
    }
    assert_eq!(list(harness, 9, 9), []);
    assert_eq!(list(harness, 20, 9), [bens.clone(), annas]);
    assert_eq!(list(harness, 30, 1), std::slice::from_ref(&bens));
    let newer = QueuedMail { requested_at: after_start(5), tries: 3, ..new_mail(fixture.anna.id, 40) };
    insert(harness, &newer);
    assert_eq!(list(harness, 40, 9), [bens, invitation, newer]);
}

/// A tenant with many mails that are due does not delay the mails of other tenants: each tenant has
/// one mail in the list before another has its second one.
pub fn tenants_take_turns_in_the_mail_queue(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let invitation = |user: UserId, due: u64| QueuedMail { kind: MailKind::Invitation, ..new_mail(user, due) };
    let [anna, ben, namesake] = [fixture.anna.id, fixture.ben.id, fixture.namesake.id];
    let corner = [new_mail(anna, 10), invitation(anna, 11), new_mail(ben, 12), invitation(ben, 13)];
    let market = [new_mail(namesake, 20), invitation(namesake, 21)];
    for mail in corner.iter().chain(&market) {
        insert(harness, mail);
    }
    let [first, second, third, fourth] = &corner;
    let in_turns = [first, &market[0], second, &market[1], third, fourth].map(Clone::clone);
    assert_eq!(list(harness, 30, 9), in_turns);
    assert_eq!(list(harness, 30, 2), in_turns[..2]);
    assert_eq!(list(harness, 20, 2), in_turns[..2], "the second mail of the market is not due");
    assert_eq!(list(harness, 19, 9), corner, "no mail of the market is due");
}

/// A mail is claimed, postponed and removed only by who knows when it is due. A failed attempt is
/// counted once, when the mail is postponed, and not when it is claimed.
pub fn queued_mail_is_postponed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let id = fixture.anna.id;
    let mail = new_mail(id, 10);
    insert(harness, &mail);
    let postpone = |from, to| {
        run_office_write(harness, |tx| tx.mail_queue().postpone(KIND, id, after_start(from), after_start(to)))
    };
    let claim =
        |from, to| run_office_write(harness, |tx| tx.mail_queue().claim(KIND, id, after_start(from), after_start(to)));
    let remove = |due| run_office_write(harness, |tx| tx.mail_queue().remove(KIND, id, after_start(due)));
    assert_eq!((claim(10, 20), claim(10, 30), postpone(10, 30)), (true, false, false));
    assert_eq!(list(harness, 30, 9), [QueuedMail { due_at: after_start(20), ..mail.clone() }]);
    assert_eq!((postpone(20, 25), postpone(20, 30), claim(20, 30)), (true, false, false));
    assert_eq!(list(harness, 30, 9), [QueuedMail { due_at: after_start(25), tries: 1, ..mail }]);
    assert_eq!((remove(20), remove(25), remove(25)), (false, true, false));
    assert_eq!(list(harness, 90, 9), []);
}

/// A sweep removes at most `limit` mails whose token has expired, but none that a process has
/// claimed.
pub fn expired_mails_are_removed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (anna, ben) = (fixture.anna.id, fixture.ben.id);
    let mails = [
        QueuedMail { expires_at: after_start(20), ..new_mail(anna, 10) },
        QueuedMail { expires_at: after_start(20), kind: MailKind::Invitation, ..new_mail(anna, 11) },
        QueuedMail { expires_at: after_start(20), ..new_mail(ben, 40) },
        QueuedMail { expires_at: after_start(60), kind: MailKind::Invitation, ..new_mail(ben, 12) },
    ];
    for mail in &mails {
        insert(harness, mail);
    }
    let sweep = |before, limit| run_office_write(harness, |tx| tx.mail_queue().sweep(after_start(before), limit));
    assert_eq!((sweep(20, 9), sweep(30, 1), sweep(30, 9), sweep(30, 9)), (0, 1, 1, 0));
    assert_eq!(list(harness, 90, 9), [mails[3].clone(), mails[2].clone()]);
    assert_eq!((sweep(41, 9), sweep(61, 9)), (1, 1));
    assert_eq!(list(harness, 90, 9), []);
}

/// Inserts the verification whose link the mail has.
fn insert_verification(harness: &StoreHarness, mail: &QueuedMail) {
    let verification = office::ports::EmailVerification {
        digest: [9; 32],
        user: mail.user,
        email: mail.email.clone(),
        created_at: mail.requested_at,
        expires_at: mail.expires_at,
    };
    run_office_write(harness, |tx| tx.email_verifications().insert_or_replace(&verification));
}

/// Of two processes that send one mail, one claims it, and the token of the mail is then that
/// process's. A mail whose token was removed is discarded.
pub fn concurrent_claims_of_one_mail_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (anna, email) = (fixture.anna.id, fixture.anna.email.clone().expect("the fixture has an address"));
    let mail = QueuedMail { email: email.clone(), ..new_mail(anna, 10) };
    insert_verification(harness, &mail);
    insert(harness, &mail);
    let crossing = Rendezvous::default();
    let claim = |number: u8| {
        let token = MailToken { digest: [number; 32], retry_at: after_start(20) };
        crossing.wait();
        office::unguarded::claim_mail(&*harness.office, after_start(10), &mail, &token).unwrap()
    };
    let (one, other) = run_both(|| claim(1), || claim(2));
    let sends = |dispatch: &MailDispatch| matches!(dispatch, MailDispatch::Send(mail) if mail.to == email);
    assert!(sends(&one) ^ sends(&other), "{one:?} {other:?}");
    assert!([&one, &other].contains(&&MailDispatch::AlreadyClaimed), "{one:?} {other:?}");
    let digest = if sends(&one) { [1; 32] } else { [2; 32] };
    let of = |user| harness.office.read("test", |tx| tx.email_verifications().find_by_user(user)).unwrap();
    assert_eq!(of(anna).map(|verification| verification.digest), Some(digest));
    let token = MailToken { digest: [3; 32], retry_at: after_start(30) };
    run_office_write(harness, |tx| tx.email_verifications().consume(&digest));
    let again = QueuedMail { due_at: after_start(20), ..mail.clone() };
    let dispatch = office::unguarded::claim_mail(&*harness.office, after_start(20), &again, &token).unwrap();
    assert_eq!((dispatch, list(harness, 90, 9)), (MailDispatch::Discarded, Vec::new()));
}

/// The use cases count an attempt once: a claim and a release count nothing, a failure counts one.
pub fn attempts_to_send_a_mail_are_counted_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (anna, email) = (fixture.anna.id, fixture.anna.email.clone().expect("the fixture has an address"));
    let mail = QueuedMail { email, ..new_mail(anna, 10) };
    insert_verification(harness, &mail);
    insert(harness, &mail);
    let store = &*harness.office;
    let claim = |mail: &QueuedMail, number: u8| {
        let token = MailToken { digest: [number; 32], retry_at: mail.due_at.saturating_add(Duration::from_secs(5)) };
        let claimed = office::unguarded::claim_mail(store, mail.due_at, mail, &token).unwrap();
        assert!(matches!(claimed, MailDispatch::Send(_)), "{claimed:?}");
        token
    };
    let mut due = mail;
    for attempt in 0..3_u8 {
        let token = claim(&due, 2 * attempt);
        office::unguarded::release_mail(store, &due, &token, token.retry_at).unwrap();
        let released = QueuedMail { due_at: token.retry_at, ..due };
        assert_eq!(list(harness, 90, 9), std::slice::from_ref(&released));
        let token = claim(&released, 2 * attempt + 1);
        office::unguarded::retry_mail(store, &released, &token, token.retry_at).unwrap();
        due = QueuedMail { due_at: token.retry_at, tries: i64::from(attempt) + 1, ..released };
        assert_eq!(list(harness, 90, 9), std::slice::from_ref(&due));
    }
}
