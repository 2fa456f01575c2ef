//! The server's keys: at most one of each kind is current.

use tillgate_auth_core::ports::{KeyKind, KeyState, StoredKey};

use crate::AuthStoreHarness;
use crate::contract_fixture::{after_start, key_id, new_key, run_read, run_write};

fn all_keys(harness: &AuthStoreHarness) -> Vec<StoredKey> {
    run_read(harness, |tx| tx.keys().list())
}

fn insert_key(harness: &AuthStoreHarness, key: &StoredKey) -> bool {
    run_write(harness, |tx| tx.keys().insert(key))
}

fn change_state(harness: &AuthStoreHarness, number: u8, from: KeyState, to: KeyState) -> bool {
    run_write(harness, |tx| tx.keys().change_state(key_id(number), from, to, after_start(99)))
}

/// Keys are listed with all fields, of every kind and in every state, oldest first.
pub fn keys_are_returned_oldest_first(harness: &AuthStoreHarness) {
    let mut keys = Vec::new();
    for (kind, start) in KeyKind::ALL.into_iter().zip([10, 5, 20]) {
        for (state, number) in KeyState::ALL.into_iter().zip(start..) {
            keys.push(new_key(number, kind, state));
        }
    }
    for key in &keys {
        assert!(insert_key(harness, key));
    }
    keys.sort_by_key(|key| key.created_at);
    assert_eq!(all_keys(harness), keys);
}

/// Of two first current keys of a kind, only one is inserted. Another kind has its own.
pub fn kind_has_one_current_key(harness: &AuthStoreHarness) {
    assert!(insert_key(harness, &new_key(1, KeyKind::Signing, KeyState::Current)));
    assert!(!insert_key(harness, &new_key(2, KeyKind::Signing, KeyState::Current)));
    assert!(insert_key(harness, &new_key(3, KeyKind::Refresh, KeyState::Current)));
    assert!(
        insert_key(harness, &new_key(4, KeyKind::Signing, KeyState::Next)),
        "a key that is not current is inserted"
    );
    let expected = [
        new_key(1, KeyKind::Signing, KeyState::Current),
        new_key(3, KeyKind::Refresh, KeyState::Current),
        new_key(4, KeyKind::Signing, KeyState::Next),
    ];
    assert_eq!(all_keys(harness), expected);
}

/// A key changes its state and the instant of that change, and no other field.
pub fn key_changes_its_state(harness: &AuthStoreHarness) {
    insert_key(harness, &new_key(1, KeyKind::Signing, KeyState::Next));
    insert_key(harness, &new_key(2, KeyKind::Signing, KeyState::Next));
    assert!(change_state(harness, 1, KeyState::Next, KeyState::Current));
    let turned = StoredKey { state_since: after_start(99), ..new_key(1, KeyKind::Signing, KeyState::Current) };
    assert_eq!(all_keys(harness), [turned, new_key(2, KeyKind::Signing, KeyState::Next)]);
}

/// A change from another state than the current one fails, and so does that of an unknown key.
pub fn state_change_from_another_state_fails(harness: &AuthStoreHarness) {
    insert_key(harness, &new_key(1, KeyKind::Signing, KeyState::Kept));
    for from in [KeyState::Next, KeyState::Current, KeyState::Revoked] {
        assert!(!change_state(harness, 1, from, KeyState::Revoked), "{from:?}");
    }
    assert!(!change_state(harness, 2, KeyState::Next, KeyState::Kept));
    assert_eq!(all_keys(harness), [new_key(1, KeyKind::Signing, KeyState::Kept)]);
}

/// A key cannot become current while its kind has a current key, and can once that one has changed
/// its state.
pub fn key_becomes_current_only_without_a_current_key(harness: &AuthStoreHarness) {
    insert_key(harness, &new_key(1, KeyKind::Signing, KeyState::Current));
    insert_key(harness, &new_key(2, KeyKind::Signing, KeyState::Next));
    insert_key(harness, &new_key(3, KeyKind::Refresh, KeyState::Next));
    assert!(!change_state(harness, 2, KeyState::Next, KeyState::Current));
    assert!(change_state(harness, 3, KeyState::Next, KeyState::Current), "of another kind");
    let both = run_write(harness, |tx| {
        let kept = tx.keys().change_state(key_id(1), KeyState::Current, KeyState::Kept, after_start(99))?;
        Ok((kept, tx.keys().change_state(key_id(2), KeyState::Next, KeyState::Current, after_start(99))?))
    });
    assert_eq!(both, (true, true));
    let states: Vec<KeyState> = all_keys(harness).into_iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::Kept, KeyState::Current, KeyState::Current]);
}

/// After a failed insert or state change, the unit of work continues, and its other writes are
/// committed.
pub fn failed_key_write_leaves_the_unit_usable(harness: &AuthStoreHarness) {
    insert_key(harness, &new_key(1, KeyKind::Signing, KeyState::Current));
    insert_key(harness, &new_key(2, KeyKind::Signing, KeyState::Next));
    run_write(harness, |tx| {
        assert!(!tx.keys().insert(&new_key(3, KeyKind::Signing, KeyState::Current))?);
        assert!(!tx.keys().change_state(key_id(2), KeyState::Next, KeyState::Current, after_start(99))?);
        tx.keys().insert(&new_key(4, KeyKind::Refresh, KeyState::Current)).map(drop)
    });
    let ids: Vec<_> = all_keys(harness).into_iter().map(|key| key.id).collect();
    assert_eq!(ids, [key_id(1), key_id(2), key_id(4)]);
}

/// A key is removed and the others stay. Removing it again is not an error.
pub fn key_is_removed(harness: &AuthStoreHarness) {
    insert_key(harness, &new_key(1, KeyKind::Signing, KeyState::Current));
    insert_key(harness, &new_key(2, KeyKind::Signing, KeyState::Kept));
    for _ in 0..2 {
        run_write(harness, |tx| tx.keys().remove(key_id(1)));
        assert_eq!(all_keys(harness), [new_key(2, KeyKind::Signing, KeyState::Kept)]);
    }
    assert!(insert_key(harness, &new_key(3, KeyKind::Signing, KeyState::Current)), "its position is free");
}
