//! Concurrent units of work on PostgreSQL, where both run at the same time; SQLite runs one at a
//! time.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tillgate_domain::{EndReason, Epoch, Scope, Secret, User, UserId, UserName};

use crate::test_database::{StoreFixture, TestDatabase, at, uuid};

/// Runs `second` while a unit of work that has done `first` is still open.
fn meet<A: Send, B: Send>(
    fresh: &TestDatabase,
    first: impl Fn(&TestDatabase, &dyn Fn()) -> A + Send,
    second: impl Fn(&TestDatabase) -> B + Send + Sync,
) -> (A, B) {
    let (begun, beginning) = mpsc::channel();
    thread::scope(|scope| {
        let one = scope.spawn(move || {
            first(fresh, &|| {
                let _ = begun.send(());
                // long enough for the other unit of work to reach the point where it waits
                thread::sleep(Duration::from_millis(200));
            })
        });
        beginning.recv().unwrap();
        let other = scope.spawn(|| second(fresh));
        (one.join().unwrap(), other.join().unwrap())
    })
}

#[test]
fn login_with_claimed_user_is_ended_by_a_waiting_epoch_bump() {
    let fresh = TestDatabase::postgres().with_fixture();
    let shop = StoreFixture::default();
    let session = shop.new_session(1);
    let (claimed, epoch) = meet(
        &fresh,
        |fresh, meeting| {
            fresh.write(|tx| {
                let claimed = tx.users().claim(shop.anna.id, Epoch(0), at(1))?;
                meeting();
                tx.sessions().insert(&session)?;
                Ok(claimed)
            })
        },
        |fresh| fresh.write(|tx| tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Suspended, at(2))),
    );
    assert!(claimed);
    assert_eq!(epoch, Some(Epoch(1)));
    let stored = fresh.read(|tx| tx.sessions().find(session.id)).unwrap();
    assert_eq!(stored.session.ended, Some((at(2), EndReason::Suspended)));
}

#[test]
fn claim_after_an_epoch_bump_fails() {
    let fresh = TestDatabase::postgres().with_fixture();
    let shop = StoreFixture::default();
    let (_, claimed) = meet(
        &fresh,
        |fresh, meeting| {
            fresh.write(|tx| {
                let epoch = tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Suspended, at(2))?;
                meeting();
                Ok(epoch)
            })
        },
        |fresh| fresh.write(|tx| tx.users().claim(shop.anna.id, Epoch(0), at(1))),
    );
    assert!(!claimed);
}

#[test]
fn concurrent_use_of_one_name_reports_it_taken() {
    let fresh = TestDatabase::postgres().with_fixture();
    let shop = StoreFixture::default();
    let named = |number: u64, name: &str| User {
        id: UserId(uuid(number)),
        name: UserName::parse(name).unwrap(),
        email: None,
        ..shop.anna.clone()
    };
    // by two inserts
    let (one, other) = meet(
        &fresh,
        |fresh, meeting| {
            fresh.write_office(|tx| {
                let added = tx.users().insert(&named(41, "Ben"))?;
                meeting();
                Ok(added)
            })
        },
        |fresh| fresh.write_office(|tx| tx.users().insert(&named(42, "ben"))),
    );
    assert_eq!((one, other), (true, false));
    // by an update during an insert: its condition does not see the new row, but the unique index
    // does, and the unit of work runs again
    let (one, other) = meet(
        &fresh,
        |fresh, meeting| {
            fresh.write_office(|tx| {
                let added = tx.users().insert(&named(43, "Cyril"))?;
                meeting();
                Ok(added)
            })
        },
        |fresh| fresh.write_office(|tx| tx.users().update(&named(41, "CYRIL"))),
    );
    assert_eq!((one, other), (true, false));
}

#[test]
fn seat_is_granted_once() {
    let fresh = TestDatabase::postgres().with_fixture();
    let shop = StoreFixture::default();
    let (one, other) = meet(
        &fresh,
        |fresh, meeting| {
            fresh.write(|tx| {
                let seated = tx.devices().seat(shop.till.id, None, Some(shop.new_session(1).id))?;
                meeting();
                Ok(seated)
            })
        },
        |fresh| fresh.write(|tx| tx.devices().seat(shop.till.id, None, Some(shop.new_session(2).id))),
    );
    assert_eq!((one, other), (true, false));
}

#[test]
fn credential_claim_after_a_password_change_fails() {
    let fresh = TestDatabase::postgres().with_fixture();
    let principal = tillgate_domain::PrincipalId::User(StoreFixture::default().anna.id);
    let kind = tillgate_auth_core::ports::CredentialKind::Password;
    fresh.write_office(|tx| tx.passwords().set(principal, &Secret::new("old".into()), at(1)));
    let ((), claimed) = meet(
        &fresh,
        |fresh, meeting| {
            fresh.write_office(|tx| {
                tx.passwords().set(principal, &Secret::new("new".into()), at(2))?;
                meeting();
                Ok(())
            });
        },
        |fresh| fresh.write(|tx| tx.credentials().claim(principal, kind, 1, None, at(3))),
    );
    assert!(!claimed);
}
