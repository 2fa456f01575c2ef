//! Two units of work that meet, on PostgreSQL, where both run at once. SQLite lets one in at a time.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tillgate_domain::{EndedWhy, Epoch, Scope, Secret, User, UserId, UserName};

use crate::stores::{Fresh, Shop, at, uuid};

/// Runs `second` while a unit of work that has done `first` is still open.
fn meet<A: Send, B: Send>(
    fresh: &Fresh,
    first: impl Fn(&Fresh, &dyn Fn()) -> A + Send,
    second: impl Fn(&Fresh) -> B + Send + Sync,
) -> (A, B) {
    let (begun, beginning) = mpsc::channel();
    thread::scope(|scope| {
        let one = scope.spawn(move || {
            first(fresh, &|| {
                let _ = begun.send(());
                // long enough for the other to come to where it waits
                thread::sleep(Duration::from_millis(200));
            })
        });
        beginning.recv().unwrap();
        let other = scope.spawn(|| second(fresh));
        (one.join().unwrap(), other.join().unwrap())
    })
}

#[test]
fn a_login_that_has_claimed_its_user_is_ended_by_the_raise_that_waited() {
    let fresh = Fresh::postgres().with_shop();
    let shop = Shop::default();
    let session = shop.session(1);
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
        |fresh| fresh.write(|tx| tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Suspended, at(2))),
    );
    assert!(claimed);
    assert_eq!(epoch, Some(Epoch(1)));
    let stored = fresh.read(|tx| tx.sessions().find(session.id)).unwrap();
    assert_eq!(stored.session.ended, Some((at(2), EndedWhy::Suspended)));
}

#[test]
fn a_claim_that_waited_for_a_raise_is_lost() {
    let fresh = Fresh::postgres().with_shop();
    let shop = Shop::default();
    let (_, claimed) = meet(
        &fresh,
        |fresh, meeting| {
            fresh.write(|tx| {
                let epoch = tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Suspended, at(2))?;
                meeting();
                Ok(epoch)
            })
        },
        |fresh| fresh.write(|tx| tx.users().claim(shop.anna.id, Epoch(0), at(1))),
    );
    assert!(!claimed);
}

#[test]
fn of_two_that_take_one_name_one_is_told_that_it_is_taken() {
    let fresh = Fresh::postgres().with_shop();
    let shop = Shop::default();
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
            fresh.office(|tx| {
                let added = tx.users().insert(&named(41, "Ben"))?;
                meeting();
                Ok(added)
            })
        },
        |fresh| fresh.office(|tx| tx.users().insert(&named(42, "ben"))),
    );
    assert_eq!((one, other), (true, false));
    // by an update that meets an insert: the guard sees nothing, the unique index does, and the unit runs again
    let (one, other) = meet(
        &fresh,
        |fresh, meeting| {
            fresh.office(|tx| {
                let added = tx.users().insert(&named(43, "Cyril"))?;
                meeting();
                Ok(added)
            })
        },
        |fresh| fresh.office(|tx| tx.users().update(&named(41, "CYRIL"))),
    );
    assert_eq!((one, other), (true, false));
}

#[test]
fn a_seat_is_given_once() {
    let fresh = Fresh::postgres().with_shop();
    let shop = Shop::default();
    let (one, other) = meet(
        &fresh,
        |fresh, meeting| {
            fresh.write(|tx| {
                let seated = tx.devices().seat(shop.till.id, None, Some(shop.session(1).id))?;
                meeting();
                Ok(seated)
            })
        },
        |fresh| fresh.write(|tx| tx.devices().seat(shop.till.id, None, Some(shop.session(2).id))),
    );
    assert_eq!((one, other), (true, false));
}

#[test]
fn a_claim_of_a_credential_that_waited_for_a_new_password_is_lost() {
    let fresh = Fresh::postgres().with_shop();
    let principal = tillgate_domain::PrincipalId::User(Shop::default().anna.id);
    let kind = tillgate_auth_core::ports::CredentialKind::Password;
    fresh.office(|tx| tx.passwords().set(principal, &Secret::new("old".into()), at(1)));
    let ((), claimed) = meet(
        &fresh,
        |fresh, meeting| {
            fresh.office(|tx| {
                tx.passwords().set(principal, &Secret::new("new".into()), at(2))?;
                meeting();
                Ok(())
            });
        },
        |fresh| fresh.write(|tx| tx.credentials().claim(principal, kind, 1, None, at(3))),
    );
    assert!(!claimed);
}
