//! The server's keys: one current of each kind, whatever happens.

use tillgate_auth_core::ports::{KeyKind, KeyState, StoredKey};

use crate::Bench;
use crate::shop::{at, key, key_id, read, write};

fn all(bench: &Bench) -> Vec<StoredKey> {
    read(bench, |tx| tx.keys().all())
}

fn insert(bench: &Bench, key: &StoredKey) -> bool {
    write(bench, |tx| tx.keys().insert(key))
}

fn turn(bench: &Bench, number: u8, from: KeyState, to: KeyState) -> bool {
    write(bench, |tx| tx.keys().turn(key_id(number), from, to, at(99)))
}

/// Keys come back whole, of every kind and in every state, oldest first.
pub fn keys_come_back_oldest_first(bench: &Bench) {
    let mut keys = Vec::new();
    for (kind, start) in KeyKind::ALL.into_iter().zip([10, 5]) {
        for (state, number) in KeyState::ALL.into_iter().zip(start..) {
            keys.push(key(number, kind, state));
        }
    }
    for key in &keys {
        assert!(insert(bench, key));
    }
    keys.sort_by_key(|key| key.created_at);
    assert_eq!(all(bench), keys);
}

/// Of two first keys of a kind one is born; another kind has its own.
pub fn a_kind_has_one_current_key(bench: &Bench) {
    assert!(insert(bench, &key(1, KeyKind::Signing, KeyState::Current)));
    assert!(!insert(bench, &key(2, KeyKind::Signing, KeyState::Current)));
    assert!(insert(bench, &key(3, KeyKind::Refresh, KeyState::Current)));
    assert!(insert(bench, &key(4, KeyKind::Signing, KeyState::Next)), "one that is not to be current is added");
    let expected = [
        key(1, KeyKind::Signing, KeyState::Current),
        key(3, KeyKind::Refresh, KeyState::Current),
        key(4, KeyKind::Signing, KeyState::Next),
    ];
    assert_eq!(all(bench), expected);
}

/// A key moves from the state that it stands in, with the instant, and nothing else of it changes.
pub fn a_key_is_turned(bench: &Bench) {
    insert(bench, &key(1, KeyKind::Signing, KeyState::Next));
    insert(bench, &key(2, KeyKind::Signing, KeyState::Next));
    assert!(turn(bench, 1, KeyState::Next, KeyState::Current));
    let turned = StoredKey { since: at(99), ..key(1, KeyKind::Signing, KeyState::Current) };
    assert_eq!(all(bench), [turned, key(2, KeyKind::Signing, KeyState::Next)]);
}

/// A turn from a state that the key does not stand in is lost, and so is that of a key that is not there.
pub fn a_turn_from_another_state_is_lost(bench: &Bench) {
    insert(bench, &key(1, KeyKind::Signing, KeyState::Kept));
    for from in [KeyState::Next, KeyState::Current, KeyState::Revoked] {
        assert!(!turn(bench, 1, from, KeyState::Revoked), "{from:?}");
    }
    assert!(!turn(bench, 2, KeyState::Next, KeyState::Kept));
    assert_eq!(all(bench), [key(1, KeyKind::Signing, KeyState::Kept)]);
}

/// A turn to current is lost where the kind has a current key, and won once that has made room.
pub fn a_turn_to_current_waits_for_room(bench: &Bench) {
    insert(bench, &key(1, KeyKind::Signing, KeyState::Current));
    insert(bench, &key(2, KeyKind::Signing, KeyState::Next));
    insert(bench, &key(3, KeyKind::Refresh, KeyState::Next));
    assert!(!turn(bench, 2, KeyState::Next, KeyState::Current));
    assert!(turn(bench, 3, KeyState::Next, KeyState::Current), "of another kind");
    let both = write(bench, |tx| {
        let kept = tx.keys().turn(key_id(1), KeyState::Current, KeyState::Kept, at(99))?;
        Ok((kept, tx.keys().turn(key_id(2), KeyState::Next, KeyState::Current, at(99))?))
    });
    assert_eq!(both, (true, true));
    let states: Vec<KeyState> = all(bench).into_iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::Kept, KeyState::Current, KeyState::Current]);
}

/// A lost insert or turn leaves the unit of work whole: what else it writes is committed.
pub fn a_lost_key_spoils_nothing(bench: &Bench) {
    insert(bench, &key(1, KeyKind::Signing, KeyState::Current));
    insert(bench, &key(2, KeyKind::Signing, KeyState::Next));
    write(bench, |tx| {
        assert!(!tx.keys().insert(&key(3, KeyKind::Signing, KeyState::Current))?);
        assert!(!tx.keys().turn(key_id(2), KeyState::Next, KeyState::Current, at(99))?);
        tx.keys().insert(&key(4, KeyKind::Refresh, KeyState::Current)).map(drop)
    });
    let ids: Vec<_> = all(bench).into_iter().map(|key| key.id).collect();
    assert_eq!(ids, [key_id(1), key_id(2), key_id(4)]);
}

/// A key is removed, and the others stay. Removing it again is no failure.
pub fn a_key_is_removed(bench: &Bench) {
    insert(bench, &key(1, KeyKind::Signing, KeyState::Current));
    insert(bench, &key(2, KeyKind::Signing, KeyState::Kept));
    for _ in 0..2 {
        write(bench, |tx| tx.keys().remove(key_id(1)));
        assert_eq!(all(bench), [key(2, KeyKind::Signing, KeyState::Kept)]);
    }
    assert!(insert(bench, &key(3, KeyKind::Signing, KeyState::Current)), "its place is free");
}
