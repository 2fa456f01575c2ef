//! PINs of users, and how a login claims one.

use std::collections::BTreeSet;

use tillgate_auth_core::ports::{CredentialKind, KeyKind, KeyState, StoredKey, TillOperator};
use tillgate_domain::{KeyId, PrincipalId, StoredPin, User, UserId, UserStatus};

use crate::contract_fixture::{
    self, ContractFixture, after_start, hash_requested_password, key_id, new_key, run_office_write, run_read, run_write,
};
use crate::rendezvous::{ThreadSignal, run_both};
use crate::{Roster, StoreHarness};

/// A PIN with this text as its verifier and this number as its key.
fn new_pin(text: &str, key: u8, due: bool) -> StoredPin {
    StoredPin { verifier: hash_requested_password(text), key: key_id(key), due }
}

fn find(harness: &StoreHarness, user: UserId) -> Option<StoredPin> {
    run_read(&harness.auth, |tx| tx.pins().find(user))
}

fn set(harness: &StoreHarness, user: UserId, pin: &StoredPin) {
    run_write(&harness.auth, |tx| tx.pins().set(user, pin, after_start(5)));
}

fn claim(harness: &StoreHarness, user: UserId, pin: &StoredPin, rehashed: Option<&StoredPin>) -> bool {
    run_write(&harness.auth, |tx| tx.pins().claim(user, &pin.verifier, rehashed, after_start(9)))
}

/// A PIN is found as it was set, by the engine or the back office, until another one replaces it or
/// it is removed. The user's password and the PINs of others stay.
pub fn pin_is_set_replaced_and_removed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (anna, ben) = (fixture.anna.id, fixture.ben.id);
    let password = |user| {
        let principal = PrincipalId::User(user);
        run_read(&harness.auth, |tx| tx.credentials().find(principal, CredentialKind::Password))
    };
    let before = password(anna);
    assert_eq!(find(harness, anna), None, "a password is no PIN");
    let (first, second, bens) = (new_pin("first", 1, true), new_pin("second", 2, false), new_pin("Ben's", 1, false));
    run_office_write(harness, |tx| tx.pins().set(anna, &first, after_start(4)));
    set(harness, ben, &bens);
    assert_eq!((find(harness, anna), find(harness, ben)), (Some(first), Some(bens.clone())));
    set(harness, anna, &second);
    assert_eq!(find(harness, anna), Some(second));
    let third = new_pin("third", 3, true);
    run_office_write(harness, |tx| tx.pins().set(anna, &third, after_start(6)));
    assert_eq!(find(harness, anna), Some(third.clone()));
    assert!(run_office_write(harness, |tx| tx.pins().remove(anna)));
    assert!(!run_office_write(harness, |tx| tx.pins().remove(anna)), "there is none any more");
    set(harness, anna, &third);
    assert!(run_write(&harness.auth, |tx| tx.pins().remove(anna)), "the engine removes it, too");
    assert!(!run_write(&harness.auth, |tx| tx.pins().remove(anna)));
    assert_eq!((find(harness, anna), find(harness, ben)), (None, Some(bens)));
    assert_eq!(password(anna), before);
    assert!(before.is_some());
}

/// A claim succeeds with the current verifier only. It stores a new verifier of the same PIN with
/// its key, and whether the PIN must be changed stays. A failed claim stores nothing.
pub fn pin_claim_requires_its_verifier(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (anna, ben) = (fixture.anna.id, fixture.ben.id);
    let (first, rehashed) = (new_pin("first", 1, true), new_pin("rehashed", 2, false));
    assert!(!claim(harness, anna, &first, None), "there is no PIN");
    set(harness, anna, &first);
    set(harness, ben, &first);
    assert!(claim(harness, anna, &first, None));
    assert_eq!(find(harness, anna), Some(first.clone()), "a claim alone changes nothing");
    assert!(!claim(harness, anna, &new_pin("another", 1, true), Some(&rehashed)));
    assert_eq!(find(harness, anna), Some(first.clone()));
    assert!(claim(harness, anna, &first, Some(&rehashed)));
    assert_eq!(find(harness, anna), Some(StoredPin { due: true, ..rehashed.clone() }));
    assert!(!claim(harness, anna, &first, None));
    assert!(claim(harness, anna, &rehashed, None));
    assert_eq!(find(harness, ben), Some(first));
}

/// A key is used as long as the PIN of any user is digested with it.
pub fn key_of_a_pin_is_in_use(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let uses = |key: KeyId| run_read(&harness.auth, |tx| tx.pins().uses_key(key));
    assert!(!uses(key_id(1)));
    set(harness, fixture.anna.id, &new_pin("Anna's", 1, false));
    set(harness, fixture.ben.id, &new_pin("Ben's", 1, false));
    set(harness, fixture.anna.id, &new_pin("Anna's", 2, false));
    assert!(uses(key_id(1)) && uses(key_id(2)) && !uses(key_id(3)));
    run_office_write(harness, |tx| tx.pins().remove(fixture.ben.id));
    assert!(!uses(key_id(1)) && uses(key_id(2)));
}

/// A new PIN is not set before the unit of work that has claimed the previous one has ended.
pub fn new_pin_waits_for_a_claimed_login(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let anna = fixture.anna.id;
    let (first, second) = (new_pin("first", 1, false), new_pin("second", 1, true));
    set(harness, anna, &first);
    let (claimed, replaced) = (ThreadSignal::default(), ThreadSignal::default());
    let (early, ()) = run_both(
        || {
            run_write(&harness.auth, |tx| {
                assert!(tx.pins().claim(anna, &first.verifier, None, after_start(9))?);
                claimed.set();
                Ok(replaced.wait_briefly())
            })
        },
        || {
            claimed.wait();
            run_office_write(harness, |tx| tx.pins().set(anna, &second, after_start(9)));
            replaced.set();
        },
    );
    assert!(!early, "it was set before the end");
    assert_eq!(find(harness, anna), Some(second));
}

/// Only the current key of PINs is claimed, by the engine or the back office.
pub fn only_the_current_key_of_pins_is_claimed(harness: &StoreHarness) {
    let claims = |number: u8| {
        let key = key_id(number);
        let by_engine = run_write(&harness.auth, |tx| tx.pins().claim_key(key));
        assert_eq!(run_office_write(harness, |tx| tx.pins().claim_key(key)), by_engine, "{number}");
        by_engine
    };
    let (next, current) = (KeyState::Next, KeyState::Current);
    for (number, kind, state) in
        [(1, KeyKind::Pin, next), (2, KeyKind::Refresh, current), (3, KeyKind::Signing, current)]
    {
        assert!(run_write(&harness.auth, |tx| tx.keys().insert(&new_key(number, kind, state))));
    }
    assert_eq!([1, 2, 3, 4].map(claims), [false; 4], "a next key, keys of other kinds, no key");
    let before = run_read(&harness.auth, |tx| tx.keys().list());
    for (from, to, expected) in
        [(next, current, true), (current, KeyState::Kept, false), (KeyState::Kept, KeyState::Revoked, false)]
    {
        assert!(run_write(&harness.auth, |tx| tx.keys().change_state(key_id(1), from, to, after_start(1))));
        assert_eq!(claims(1), expected, "{to:?}");
    }
    let after = run_read(&harness.auth, |tx| tx.keys().list());
    let revoked = StoredKey { state: KeyState::Revoked, state_since: after_start(1), ..before[0].clone() };
    assert_eq!(after, [&[revoked], &before[1..]].concat(), "a claim changes nothing");
}

/// A key is not revoked before the unit of work that has claimed it for a PIN has ended.
pub fn revocation_of_a_key_waits_for_a_claimed_pin(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (anna, key) = (fixture.anna.id, new_key(1, KeyKind::Pin, KeyState::Current));
    assert!(run_write(&harness.auth, |tx| tx.keys().insert(&key)));
    let (claimed, revoked) = (ThreadSignal::default(), ThreadSignal::default());
    let (early, ()) = run_both(
        || {
            run_write(&harness.auth, |tx| {
                assert!(tx.pins().claim_key(key.id)?);
                claimed.set();
                let early = revoked.wait_briefly();
                tx.pins().set(anna, &new_pin("Anna's", 1, false), after_start(9))?;
                Ok(early)
            })
        },
        || {
            claimed.wait();
            run_write(&harness.auth, |tx| {
                tx.keys().change_state(key.id, KeyState::Current, KeyState::Revoked, after_start(9))
            });
            revoked.set();
        },
    );
    assert!(!early, "it was revoked before the end");
    assert!(!run_office_write(harness, |tx| tx.pins().claim_key(key.id)));
}

/// The users who may work on a device are active, assigned to it and not virtual. They are listed
/// by their ids, with whether they have a PIN, at most `limit` of them.
pub fn operators_of_a_device_are_listed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let device = fixture.handheld.id;
    let (mut users, mut numbers) = (Vec::new(), 20..);
    let mut add = |name: &str, change: fn(&mut User)| {
        let mut user = contract_fixture::new_user(numbers.next().unwrap(), fixture.tenant.id, name, None);
        user.assignment.devices = [(device, BTreeSet::new())].into();
        change(&mut user);
        users.push(user.clone());
        user
    };
    let first = add("First", |_| ());
    add("Suspended", |user| user.status = UserStatus::Suspended);
    add("Pending", |user| user.status = UserStatus::Pending);
    add("Kiosk", |user| user.feature = Some("kiosk".to_owned()));
    add("Elsewhere", |user| user.assignment.devices.clear());
    let second = add("Second", |user| "Mr. Second".clone_into(&mut user.display_name));
    harness.auth.insert_roster(&Roster { users, ..Roster::default() });
    let own = run_read(&harness.auth, |tx| tx.users().list_operators(device, 100));
    let list = |limit| {
        let mut found = run_read(&harness.auth, |tx| tx.users().list_operators(device, limit));
        found.retain(|each| [first.id, second.id].contains(&each.id));
        found
    };
    assert!(own.is_sorted_by_key(|each| each.id));
    let operator = |user: &User, has_pin| TillOperator {
        id: user.id,
        name: user.name.clone(),
        display_name: user.display_name.clone(),
        has_pin,
    };
    assert_eq!(list(100), [operator(&first, false), operator(&second, false)]);
    set(harness, second.id, &new_pin("second", 1, true));
    assert_eq!(list(100), [operator(&first, false), operator(&second, true)]);
    let limited = run_read(&harness.auth, |tx| tx.users().list_operators(device, 1));
    assert_eq!(limited[..], own[..1]);
    let unknown = contract_fixture::device_id(99);
    assert_eq!(run_read(&harness.auth, |tx| tx.users().list_operators(unknown, 100)), []);
}
