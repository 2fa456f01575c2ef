//! The life cycle of keys in the engine: rotated, published, used, kept, removed, revoked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use tillgate_auth_core::keys::{MasterKey, SigningAlgorithm};
use tillgate_auth_core::ports::{FeedCursor, KeyKind, KeyState, Node};
use tillgate_auth_core::{Auth, AuthSettings, TokenDenied};
use tillgate_domain::{Action, KeyId, NodeId, StoreExt};
use tillgate_test_store::TestStore;
use tillgate_testkit::SeededEntropy;

use crate::fixture::{
    EngineFixture, HOUR, MINUTE, OVERLAP, authenticate, builder, next_entropy, refresh, settings, token_refused,
};

fn states(auth: &Auth) -> BTreeMap<(KeyKind, KeyState), usize> {
    let mut states = BTreeMap::new();
    for key in auth.list_keys().unwrap() {
        *states.entry((key.kind, key.state)).or_default() += 1;
    }
    states
}

fn key(auth: &Auth, kind: KeyKind, state: KeyState) -> KeyId {
    auth.list_keys().unwrap().into_iter().find(|key| (key.kind, key.state) == (kind, state)).unwrap().id
}

/// The ids of the published keys.
fn published(auth: &Auth) -> BTreeSet<KeyId> {
    let set: Value = serde_json::from_str(&auth.jwks()).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().parse().unwrap()).collect()
}

/// Runs maintenance at a later time, at most once per minute, as a running process does.
fn live(fixture: &EngineFixture, auth: &Auth, minutes: u32) {
    for _ in 0..minutes {
        fixture.clock.advance(MINUTE);
        auth.run_due_maintenance();
    }
}

#[test]
fn empty_store_gets_one_current_key_of_each_kind() {
    let fixture = EngineFixture::open();
    let current = |kind| ((kind, KeyState::Current), 1);
    assert_eq!(states(&fixture.auth), KeyKind::ALL.map(current).into());
    assert_eq!(fixture.audit_events(Action::KeyAdd).len(), 3);
    assert_eq!(published(&fixture.auth), BTreeSet::from([key(&fixture.auth, KeyKind::Signing, KeyState::Current)]));
    assert!(!fixture.auth.jwks().contains("\"d\""), "no private half");
}

#[test]
fn start_generates_keys_only_if_the_store_has_none() {
    let store = Arc::new(TestStore::new());
    let (clock, hasher) = (Arc::default(), Arc::default());
    let master = MasterKey::generate(&*next_entropy()).unwrap();
    let count_draws = || {
        let entropy = Arc::new(SeededEntropy::from_seed(77));
        let engine = builder(store.clone(), &clock, &hasher).master(master.clone()).entropy(entropy.clone());
        engine.build().unwrap();
        entropy.draw_count()
    };
    let (first, later) = (count_draws(), count_draws());
    assert!(later < first, "{first} random values at the first start, {later} at the second");
}

#[test]
fn immediate_rotation_promotes_keys_and_keeps_old_ones() {
    for algorithm in [SigningAlgorithm::EdDSA, SigningAlgorithm::ES256] {
        let fixture = EngineFixture::with(AuthSettings { algorithm, ..settings() });
        let other = fixture.process();
        let before = fixture.user("cashier", Some("P01"));
        let old = key(&fixture.auth, KeyKind::Signing, KeyState::Current);
        fixture.auth.rotate_keys(true).unwrap();
        for kind in KeyKind::ALL {
            assert_eq!(states(&fixture.auth)[&(kind, KeyState::Current)], 1);
            assert_eq!(states(&fixture.auth)[&(kind, KeyState::Kept)], 1);
        }
        let new = key(&fixture.auth, KeyKind::Signing, KeyState::Current);
        assert_eq!(published(&fixture.auth), BTreeSet::from([old, new]));
        let after = fixture.user("manager", Some("P02"));
        assert_eq!(after.session.key, key(&fixture.auth, KeyKind::Refresh, KeyState::Current));
        assert!(authenticate(&fixture.auth, &before).is_ok() && authenticate(&fixture.auth, &after).is_ok());
        // The other process has read none of it yet.
        assert!(authenticate(&other, &after).is_ok(), "an unknown key is looked up before it is a refusal");
        let moved = refresh(&fixture.auth, &before).unwrap();
        assert_eq!((moved.session.key, moved.session.previous_key), (after.session.key, before.session.key));
        assert!(refresh(&other, &before).is_ok() && refresh(&other, &moved).is_ok());
    }
}

#[test]
fn fresh_refresh_key_of_other_process_is_accepted() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let first = fixture.user("cashier", Some("P01"));
    let forged = first.access_token.expose().replacen(
        &first.access_token.expose()[..20],
        "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjAxOTNmMWI0LTVkZTktNzAwMC04MDAwLTAwMDAwMDAwMDAwMCJ9.x",
        1,
    );
    // Another call made the process look for keys just before.
    let _ = crate::fixture::call(&other, &forged);
    fixture.auth.rotate_keys(true).unwrap();
    let second = refresh(&fixture.auth, &first).unwrap();
    let _ = crate::fixture::call(&other, &forged);
    assert!(refresh(&other, &first).is_ok(), "a repeat under a key that is new to it");
    assert!(refresh(&other, &second).is_ok() && authenticate(&other, &second).is_ok());
}

#[test]
fn next_key_is_published_one_day_before_use() {
    let fixture = EngineFixture::open();
    let before = fixture.user("cashier", Some("P01"));
    let old = key(&fixture.auth, KeyKind::Signing, KeyState::Current);
    fixture.auth.rotate_keys(false).unwrap();
    let next = key(&fixture.auth, KeyKind::Signing, KeyState::Next);
    assert_eq!(published(&fixture.auth), BTreeSet::from([old, next]));
    live(&fixture, &fixture.auth, 24 * 60 - 1);
    assert_eq!(key(&fixture.auth, KeyKind::Signing, KeyState::Current), old, "not yet");
    live(&fixture, &fixture.auth, 1);
    assert_eq!(key(&fixture.auth, KeyKind::Signing, KeyState::Current), next);
    assert_eq!(states(&fixture.auth)[&(KeyKind::Refresh, KeyState::Current)], 1);
    let reported: Vec<_> = [Action::KeyAdd, Action::KeyPromote].map(|action| fixture.audit_events(action).len()).into();
    assert_eq!(reported, [6, 3]);
    assert_eq!(token_refused(refresh(&fixture.auth, &before)), TokenDenied::Expired);
    assert!(authenticate(&fixture.auth, &fixture.user("cashier", None)).is_ok());
}

#[test]
fn next_key_waits_for_live_process_to_read_it() {
    let fixture = EngineFixture::open();
    fixture.auth.rotate_keys(false).unwrap();
    let next = key(&fixture.auth, KeyKind::Signing, KeyState::Next);
    let behind = NodeId::new(tillgate_testkit::clock::CLOCK_START, [77; 10]);
    for _ in 0..24 * 60 + 5 {
        fixture.clock.advance(MINUTE);
        let node = Node { id: behind, applied: FeedCursor(0), seen_at: fixture.auth.time().at, clock: None };
        fixture.auth_store().write("test", |tx| tx.nodes().upsert(&node)).unwrap();
        fixture.auth.run_due_maintenance();
    }
    assert_ne!(key(&fixture.auth, KeyKind::Signing, KeyState::Current), next, "one that lives has not read it");
    live(&fixture, &fixture.auth, 3);
    assert_eq!(key(&fixture.auth, KeyKind::Signing, KeyState::Current), next, "it is gone");
}

#[test]
fn keys_are_retired_after_last_token_or_session() {
    let fixture = EngineFixture::open();
    let session = fixture.user("cashier", Some("P01"));
    let (signing_key, refresh_key) = (
        key(&fixture.auth, KeyKind::Signing, KeyState::Current),
        key(&fixture.auth, KeyKind::Refresh, KeyState::Current),
    );
    fixture.auth.rotate_keys(true).unwrap();
    let held = |id| fixture.auth.list_keys().unwrap().iter().any(|key| key.id == id);
    let mut granted = session;
    for hour in 1..=30 {
        fixture.clock.advance(HOUR);
        fixture.auth.run_due_maintenance();
        if hour == 11 || hour == 20 || hour == 28 {
            // The session references the old key as its current one, then once more as the previous
            // one.
            granted = refresh(&fixture.auth, &granted).unwrap();
        }
        assert_eq!(held(signing_key), hour < 25, "hour {hour}");
    }
    assert!(!held(refresh_key), "no session names it since the second refresh");
    assert!(refresh(&fixture.auth, &granted).is_ok());
    assert_eq!(published(&fixture.auth).len(), 1);
    assert_eq!(fixture.audit_events(Action::KeyRetire).len(), 3, "no PIN needs the key of PINs");
}

#[test]
fn refresh_key_stays_while_session_uses_it() {
    let fixture = EngineFixture::open();
    let mut granted = fixture.user("cashier", Some("P01"));
    let refresh_key = key(&fixture.auth, KeyKind::Refresh, KeyState::Current);
    fixture.clock.advance(HOUR);
    granted = refresh(&fixture.auth, &granted).unwrap();
    fixture.auth.rotate_keys(true).unwrap();
    // Rotated within the grace period: it repeats with the old key, and the first rotation makes
    // that the previous one.
    assert_eq!(refresh(&fixture.auth, &granted).unwrap().session.key, refresh_key);
    for _ in 0..3 {
        fixture.clock.advance(10 * HOUR);
        fixture.auth.run_due_maintenance();
        assert!(fixture.auth.list_keys().unwrap().iter().any(|key| key.id == refresh_key));
        if granted.session.key == refresh_key {
            granted = refresh(&fixture.auth, &granted).unwrap();
            assert_eq!(granted.session.previous_key, refresh_key);
        } else {
            // The previous response may have been lost: its token must be distinguishable from a
            // forgery to be repeated.
            assert!(refresh(&fixture.auth, &granted).is_ok());
            break;
        }
    }
}

#[test]
fn tokens_of_revoked_signing_key_are_denied_although_cached() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let granted = fixture.user("cashier", Some("P01"));
    assert!(
        authenticate(&fixture.auth, &granted).is_ok() && authenticate(&other, &granted).is_ok(),
        "both remember it"
    );
    let signing = key(&fixture.auth, KeyKind::Signing, KeyState::Current);
    assert_eq!(fixture.auth.revoke_key(signing).unwrap(), Some(0), "no session falls");
    assert_eq!(token_refused(authenticate(&fixture.auth, &granted)), TokenDenied::Invalid);
    other.poll_feed().unwrap();
    assert_eq!(token_refused(authenticate(&other, &granted)), TokenDenied::Invalid);
    assert!(!published(&fixture.auth).contains(&signing));
    let fresh = refresh(&fixture.auth, &granted).unwrap();
    assert!(
        authenticate(&fixture.auth, &fresh).is_ok() && authenticate(&other, &fresh).is_ok(),
        "a new key took its place"
    );
    assert_eq!(fixture.audit_events(Action::KeyRevoke).len(), 1);
}

#[test]
fn revoked_refresh_key_ends_its_sessions() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let (one, two) = (fixture.user("cashier", Some("P01")), fixture.user("manager", Some("P02")));
    let refresh_key = key(&fixture.auth, KeyKind::Refresh, KeyState::Current);
    fixture.auth.rotate_keys(true).unwrap();
    let moved = refresh(&fixture.auth, &one).unwrap();
    fixture.clock.advance(OVERLAP);
    let again = refresh(&fixture.auth, &moved).unwrap();
    assert_eq!(
        fixture.auth.revoke_key(refresh_key).unwrap(),
        Some(1),
        "the one that has moved on twice is not served by it"
    );
    assert!(authenticate(&fixture.auth, &again).is_ok() && refresh(&fixture.auth, &again).is_ok());
    assert_eq!(token_refused(authenticate(&fixture.auth, &two)), TokenDenied::SessionOver);
    other.poll_feed().unwrap();
    for auth in [&fixture.auth, &other] {
        assert_eq!(token_refused(refresh(auth, &two)), TokenDenied::Invalid, "the key is believed no more");
    }
    assert_eq!(fixture.auth.revoke_key(KeyId(uuid::Uuid::nil())).unwrap(), None);
}

#[test]
fn revoked_current_key_is_replaced() {
    let fixture = EngineFixture::open();
    for kind in KeyKind::ALL {
        fixture.auth.revoke_key(key(&fixture.auth, kind, KeyState::Current)).unwrap();
        assert_eq!(states(&fixture.auth)[&(kind, KeyState::Current)], 1);
    }
    let granted = fixture.user("cashier", None);
    assert!(authenticate(&fixture.auth, &granted).is_ok() && refresh(&fixture.auth, &granted).is_ok());
}
