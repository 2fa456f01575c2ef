//! The keys' life through the engine: rotated, published, used, kept, gone, revoked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tillgate_auth_core::keys::SigningAlgorithm;
use tillgate_auth_core::ports::{Cursor, KeyKind, KeyState, Node};
use tillgate_auth_core::{Auth, Settings, TokenRefusal};
use tillgate_domain::{Action, KeyId, NodeId, StoreExt};

use crate::shop::{HOUR, MINUTE, OVERLAP, Shop, refreshed, settings, token_refused, used};

fn states(auth: &Auth) -> BTreeMap<(KeyKind, KeyState), usize> {
    let mut states = BTreeMap::new();
    for key in auth.keys().unwrap() {
        *states.entry((key.kind, key.state)).or_default() += 1;
    }
    states
}

fn key(auth: &Auth, kind: KeyKind, state: KeyState) -> KeyId {
    auth.keys().unwrap().into_iter().find(|key| (key.kind, key.state) == (kind, state)).unwrap().id
}

/// The ids of the published keys.
fn published(auth: &Auth) -> BTreeSet<KeyId> {
    let set: Value = serde_json::from_str(&auth.jwks()).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().parse().unwrap()).collect()
}

/// Chores at a later time. Each minute has its own, as a process that lives has.
fn live(shop: &Shop, auth: &Auth, minutes: u32) {
    for _ in 0..minutes {
        shop.clock.advance(MINUTE);
        auth.chore();
    }
}

#[test]
fn a_store_without_keys_gets_one_of_each_kind_in_use() {
    let shop = Shop::open();
    let current = |kind| ((kind, KeyState::Current), 1);
    assert_eq!(states(&shop.auth), [current(KeyKind::Signing), current(KeyKind::Refresh)].into());
    assert_eq!(shop.told(Action::KeyAdd).len(), 2);
    assert_eq!(published(&shop.auth), BTreeSet::from([key(&shop.auth, KeyKind::Signing, KeyState::Current)]));
    assert!(!shop.auth.jwks().contains("\"d\""), "no private half");
}

#[test]
fn keys_that_are_rotated_at_once_serve_at_once_and_the_old_ones_stay_good() {
    for algorithm in [SigningAlgorithm::EdDSA, SigningAlgorithm::ES256] {
        let shop = Shop::with(Settings { algorithm, ..settings() });
        let other = shop.process();
        let before = shop.user("cashier", Some("P01"));
        let old = key(&shop.auth, KeyKind::Signing, KeyState::Current);
        shop.auth.rotate_keys(true).unwrap();
        for kind in KeyKind::ALL {
            assert_eq!(states(&shop.auth)[&(kind, KeyState::Current)], 1);
            assert_eq!(states(&shop.auth)[&(kind, KeyState::Kept)], 1);
        }
        let new = key(&shop.auth, KeyKind::Signing, KeyState::Current);
        assert_eq!(published(&shop.auth), BTreeSet::from([old, new]));
        let after = shop.user("manager", Some("P02"));
        assert_eq!(after.session.key, key(&shop.auth, KeyKind::Refresh, KeyState::Current));
        assert!(used(&shop.auth, &before).is_ok() && used(&shop.auth, &after).is_ok());
        // The other process has read none of it yet.
        assert!(used(&other, &after).is_ok(), "an unknown key is looked up before it is a refusal");
        let moved = refreshed(&shop.auth, &before).unwrap();
        assert_eq!((moved.session.key, moved.session.previous_key), (after.session.key, before.session.key));
        assert!(refreshed(&other, &before).is_ok() && refreshed(&other, &moved).is_ok());
    }
}

#[test]
fn a_refresh_key_of_a_moment_ago_is_no_reason_to_refuse() {
    let shop = Shop::open();
    let other = shop.process();
    let first = shop.user("cashier", Some("P01"));
    let forged = first.access_token.expose().replacen(
        &first.access_token.expose()[..20],
        "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjAxOTNmMWI0LTVkZTktNzAwMC04MDAwLTAwMDAwMDAwMDAwMCJ9.x",
        1,
    );
    // Somebody made the other process look for keys just before.
    let _ = crate::shop::call(&other, &forged);
    shop.auth.rotate_keys(true).unwrap();
    let second = refreshed(&shop.auth, &first).unwrap();
    let _ = crate::shop::call(&other, &forged);
    assert!(refreshed(&other, &first).is_ok(), "a repeat under a key that is new to it");
    assert!(refreshed(&other, &second).is_ok() && used(&other, &second).is_ok());
}

#[test]
fn a_next_key_is_published_a_day_before_it_is_used() {
    let shop = Shop::open();
    let before = shop.user("cashier", Some("P01"));
    let old = key(&shop.auth, KeyKind::Signing, KeyState::Current);
    shop.auth.rotate_keys(false).unwrap();
    let next = key(&shop.auth, KeyKind::Signing, KeyState::Next);
    assert_eq!(published(&shop.auth), BTreeSet::from([old, next]));
    live(&shop, &shop.auth, 24 * 60 - 1);
    assert_eq!(key(&shop.auth, KeyKind::Signing, KeyState::Current), old, "not yet");
    live(&shop, &shop.auth, 1);
    assert_eq!(key(&shop.auth, KeyKind::Signing, KeyState::Current), next);
    assert_eq!(states(&shop.auth)[&(KeyKind::Refresh, KeyState::Current)], 1);
    let told: Vec<_> = [Action::KeyAdd, Action::KeyCurrent].map(|action| shop.told(action).len()).into();
    assert_eq!(told, [4, 2]);
    assert_eq!(token_refused(refreshed(&shop.auth, &before)), TokenRefusal::Expired);
    assert!(used(&shop.auth, &shop.user("cashier", None)).is_ok());
}

#[test]
fn a_next_key_waits_for_a_live_process_that_has_not_read_it() {
    let shop = Shop::open();
    shop.auth.rotate_keys(false).unwrap();
    let next = key(&shop.auth, KeyKind::Signing, KeyState::Next);
    let behind = NodeId::new(tillgate_testkit::clock::MORNING, [77; 10]);
    for _ in 0..24 * 60 + 5 {
        shop.clock.advance(MINUTE);
        let node = Node { id: behind, applied: Cursor(0), seen_at: shop.auth.time().at, clock: None };
        shop.auth_store().write(|tx| tx.nodes().note(&node)).unwrap();
        shop.auth.chore();
    }
    assert_ne!(key(&shop.auth, KeyKind::Signing, KeyState::Current), next, "one that lives has not read it");
    live(&shop, &shop.auth, 3);
    assert_eq!(key(&shop.auth, KeyKind::Signing, KeyState::Current), next, "it is gone");
}

#[test]
fn a_signing_key_goes_after_its_last_token_and_a_refresh_key_after_its_last_session() {
    let shop = Shop::open();
    let session = shop.user("cashier", Some("P01"));
    let (signing, refresh) =
        (key(&shop.auth, KeyKind::Signing, KeyState::Current), key(&shop.auth, KeyKind::Refresh, KeyState::Current));
    shop.auth.rotate_keys(true).unwrap();
    let held = |id| shop.auth.keys().unwrap().iter().any(|key| key.id == id);
    let mut granted = session;
    for hour in 1..=30 {
        shop.clock.advance(HOUR);
        shop.auth.chore();
        if hour == 11 || hour == 20 || hour == 28 {
            // It names the old key at first, then once more as the one before.
            granted = refreshed(&shop.auth, &granted).unwrap();
        }
        assert_eq!(held(signing), hour < 25, "hour {hour}");
    }
    assert!(!held(refresh), "no session names it since the second refresh");
    assert!(refreshed(&shop.auth, &granted).is_ok());
    assert_eq!(published(&shop.auth).len(), 1);
    assert_eq!(shop.told(Action::KeyGone).len(), 2);
}

#[test]
fn a_refresh_key_stays_while_a_session_names_it() {
    let shop = Shop::open();
    let mut granted = shop.user("cashier", Some("P01"));
    let refresh = key(&shop.auth, KeyKind::Refresh, KeyState::Current);
    shop.clock.advance(HOUR);
    granted = refreshed(&shop.auth, &granted).unwrap();
    shop.auth.rotate_keys(true).unwrap();
    // Rotated within the overlap, it repeats under the old key; then the first rotation names it as the one before.
    assert_eq!(refreshed(&shop.auth, &granted).unwrap().session.key, refresh);
    for _ in 0..3 {
        shop.clock.advance(10 * HOUR);
        shop.auth.chore();
        assert!(shop.auth.keys().unwrap().iter().any(|key| key.id == refresh));
        if granted.session.key == refresh {
            granted = refreshed(&shop.auth, &granted).unwrap();
            assert_eq!(granted.session.previous_key, refresh);
        } else {
            // The answer of the one before may have been lost: it must be told apart from a forgery to be repeated.
            assert!(refreshed(&shop.auth, &granted).is_ok());
            break;
        }
    }
}

#[test]
fn tokens_of_a_revoked_signing_key_die_although_they_are_remembered() {
    let shop = Shop::open();
    let other = shop.process();
    let granted = shop.user("cashier", Some("P01"));
    assert!(used(&shop.auth, &granted).is_ok() && used(&other, &granted).is_ok(), "both remember it");
    let signing = key(&shop.auth, KeyKind::Signing, KeyState::Current);
    assert_eq!(shop.auth.revoke_key(signing).unwrap(), Some(0), "no session falls");
    assert_eq!(token_refused(used(&shop.auth, &granted)), TokenRefusal::Invalid);
    other.follow().unwrap();
    assert_eq!(token_refused(used(&other, &granted)), TokenRefusal::Invalid);
    assert!(!published(&shop.auth).contains(&signing));
    let fresh = refreshed(&shop.auth, &granted).unwrap();
    assert!(used(&shop.auth, &fresh).is_ok() && used(&other, &fresh).is_ok(), "a new key took its place");
    assert_eq!(shop.told(Action::KeyRevoke).len(), 1);
}

#[test]
fn a_revoked_refresh_key_ends_the_sessions_that_it_serves() {
    let shop = Shop::open();
    let other = shop.process();
    let (one, two) = (shop.user("cashier", Some("P01")), shop.user("manager", Some("P02")));
    let refresh = key(&shop.auth, KeyKind::Refresh, KeyState::Current);
    shop.auth.rotate_keys(true).unwrap();
    let moved = refreshed(&shop.auth, &one).unwrap();
    shop.clock.advance(OVERLAP);
    let again = refreshed(&shop.auth, &moved).unwrap();
    assert_eq!(shop.auth.revoke_key(refresh).unwrap(), Some(1), "the one that has moved on twice is not served by it");
    assert!(used(&shop.auth, &again).is_ok() && refreshed(&shop.auth, &again).is_ok());
    assert_eq!(token_refused(used(&shop.auth, &two)), TokenRefusal::Over);
    other.follow().unwrap();
    for auth in [&shop.auth, &other] {
        assert_eq!(token_refused(refreshed(auth, &two)), TokenRefusal::Invalid, "the key is believed no more");
    }
    assert_eq!(shop.auth.revoke_key(KeyId(uuid::Uuid::nil())).unwrap(), None);
}

#[test]
fn a_current_key_that_is_revoked_is_replaced_in_every_kind() {
    let shop = Shop::open();
    for kind in KeyKind::ALL {
        shop.auth.revoke_key(key(&shop.auth, kind, KeyState::Current)).unwrap();
        assert_eq!(states(&shop.auth)[&(kind, KeyState::Current)], 1);
    }
    let granted = shop.user("cashier", None);
    assert!(used(&shop.auth, &granted).is_ok() && refreshed(&shop.auth, &granted).is_ok());
}
