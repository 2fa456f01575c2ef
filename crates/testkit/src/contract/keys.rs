//! The server's keys: one current of each kind, whatever happens.

use tillgate_auth_core::ports::{KeyKind, KeyState, StoredKey};

use crate::AuthStoreHarness;
use crate::contract_fixture::{after_start, key_id, new_key, run_read, run_write};

fn all_keys(bench: &AuthStoreHarness) -> Vec<StoredKey> {
    run_read(bench, |tx| tx.keys().list())
}

fn insert_key(bench: &AuthStoreHarness, key: &StoredKey) -> bool {
    run_write(bench, |tx| tx.keys().insert(key))
}

fn change_state(bench: &AuthStoreHarness, number: u8, from: KeyState, to: KeyState) -> bool {
    run_write(bench, |tx| tx.keys().change_state(key_id(number), from, to, after_start(99)))
}

/// Keys come back whole, of every kind and in every state, oldest first.
pub fn keys_are_returned_oldest_first(bench: &AuthStoreHarness) {
    let mut keys = Vec::new();
    for (kind, start) in KeyKind::ALL.into_iter().zip([10, 5]) {
        for (state, number) in KeyState::ALL.into_iter().zip(start..) {
            keys.push(new_key(number, kind, state));
        }
    }
    for key in &keys {
        assert!(insert_key(bench, key));
    }
    keys.sort_by_key(|key| key.created_at);
    assert_eq!(all_keys(bench), keys);
}

/// Of two first keys of a kind one is born; another kind has its own.
pub fn kind_has_one_current_key(bench: &AuthStoreHarness) {
    assert!(insert_key(bench, &new_key(1, KeyKind::Signing, KeyState::Current)));
    assert!(!insert_key(bench, &new_key(2, KeyKind::Signing, KeyState::Current)));
    assert!(insert_key(bench, &new_key(3, KeyKind::Refresh, KeyState::Current)));
    assert!(insert_key(bench, &new_key(4, KeyKind::Signing, KeyState::Next)), "one that is not to be current is added");
    let expected = [
        new_key(1, KeyKind::Signing, KeyState::Current),
        new_key(3, KeyKind::Refresh, KeyState::Current),
        new_key(4, KeyKind::Signing, KeyState::Next),
    ];
    assert_eq!(all_keys(bench), expected);
}

/// A key moves from the state that it stands in, with the instant, and nothing else of it changes.
pub fn key_changes_its_state(bench: &AuthStoreHarness) {
    insert_key(bench, &new_key(1, KeyKind::Signing, KeyState::Next));
    insert_key(bench, &new_key(2, KeyKind::Signing, KeyState::Next));
    assert!(change_state(bench, 1, KeyState::Next, KeyState::Current));
    let turned = StoredKey { state_since: after_start(99), ..new_key(1, KeyKind::Signing, KeyState::Current) };
    assert_eq!(all_keys(bench), [turned, new_key(2, KeyKind::Signing, KeyState::Next)]);
}

/// A turn from a state that the key does not stand in is lost, and so is that of a key that is not there.
pub fn state_change_from_another_state_fails(bench: &AuthStoreHarness) {
    insert_key(bench, &new_key(1, KeyKind::Signing, KeyState::Kept));
    for from in [KeyState::Next, KeyState::Current, KeyState::Revoked] {
        assert!(!change_state(bench, 1, from, KeyState::Revoked), "{from:?}");
    }
    assert!(!change_state(bench, 2, KeyState::Next, KeyState::Kept));
    assert_eq!(all_keys(bench), [new_key(1, KeyKind::Signing, KeyState::Kept)]);
}

/// A turn to current is lost where the kind has a current key, and won once that has made room.
pub fn key_becomes_current_only_without_a_current_key(bench: &AuthStoreHarness) {
    insert_key(bench, &new_key(1, KeyKind::Signing, KeyState::Current));
    insert_key(bench, &new_key(2, KeyKind::Signing, KeyState::Next));
    insert_key(bench, &new_key(3, KeyKind::Refresh, KeyState::Next));
    assert!(!change_state(bench, 2, KeyState::Next, KeyState::Current));
    assert!(change_state(bench, 3, KeyState::Next, KeyState::Current), "of another kind");
    let both = run_write(bench, |tx| {
        let kept = tx.keys().change_state(key_id(1), KeyState::Current, KeyState::Kept, after_start(99))?;
        Ok((kept, tx.keys().change_state(key_id(2), KeyState::Next, KeyState::Current, after_start(99))?))
    });
    assert_eq!(both, (true, true));
    let states: Vec<KeyState> = all_keys(bench).into_iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::Kept, KeyState::Current, KeyState::Current]);
}

/// A lost insert or turn leaves the unit of work whole: what else it writes is committed.
pub fn failed_key_write_leaves_the_unit_usable(bench: &AuthStoreHarness) {
    insert_key(bench, &new_key(1, KeyKind::Signing, KeyState::Current));
    insert_key(bench, &new_key(2, KeyKind::Signing, KeyState::Next));
    run_write(bench, |tx| {
        assert!(!tx.keys().insert(&new_key(3, KeyKind::Signing, KeyState::Current))?);
        assert!(!tx.keys().change_state(key_id(2), KeyState::Next, KeyState::Current, after_start(99))?);
        tx.keys().insert(&new_key(4, KeyKind::Refresh, KeyState::Current)).map(drop)
    });
    let ids: Vec<_> = all_keys(bench).into_iter().map(|key| key.id).collect();
    assert_eq!(ids, [key_id(1), key_id(2), key_id(4)]);
}

/// A key is removed, and the others stay. Removing it again is no failure.
pub fn key_is_removed(bench: &AuthStoreHarness) {
    insert_key(bench, &new_key(1, KeyKind::Signing, KeyState::Current));
    insert_key(bench, &new_key(2, KeyKind::Signing, KeyState::Kept));
    for _ in 0..2 {
        run_write(bench, |tx| tx.keys().remove(key_id(1)));
        assert_eq!(all_keys(bench), [new_key(2, KeyKind::Signing, KeyState::Kept)]);
    }
    assert!(insert_key(bench, &new_key(3, KeyKind::Signing, KeyState::Current)), "its place is free");
}
