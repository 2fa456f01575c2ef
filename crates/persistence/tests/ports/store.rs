//! The identity and state of a store, its keys, processes, failed logins, known networks and audit
//! events.

use std::time::Duration;

use tillgate_auth_core::ports::{
    Bucket, CountKey, FeedCursor, Instance, InstanceState, KeyKind, KeyState, Node, StoredKey, TokenDisposition,
};
use tillgate_domain::{Action, Actor, Event, EventId, EventOutcome, KeyId, NodeId, StoreError, Subject, UserId};
use tillgate_testkit::DatabaseEngine;

use crate::test_database::{StoreFixture, TestDatabase, at, uuid};

fn test_key(number: u64, state: KeyState) -> StoredKey {
    StoredKey {
        id: KeyId(uuid(number)),
        kind: KeyKind::Signing,
        algorithm: "EdDSA".into(),
        state,
        wrapped_secret: vec![1, 0, 255],
        public: number.is_multiple_of(2).then(|| vec![2]),
        created_at: at(number),
        state_since: at(number),
    }
}

pub(crate) fn test_event(number: u64) -> Event {
    Event {
        id: EventId(uuid(number)),
        at: at(number),
        tenant: Some(StoreFixture::default().tenant.id),
        actor: Actor { user: Some(UserId(uuid(40))), device: None, session: None, address: "::1".parse().ok() },
        action: Action::Login,
        subject: Subject::Server,
        outcome: EventOutcome::Done,
        details: [("why".to_owned(), serde_json::json!("it's \"so\""))].into_iter().collect(),
        approver: None,
    }
}

tillgate_testkit::on_both_databases!(
    instance_id_is_set_once,
    moved_store_refuses_writes_and_allows_reads,
    one_key_of_a_kind_is_current,
    processes_join_and_leave,
    newest_instant_is_the_newest_of_any_table,
    failures_are_counted_charged_and_forgiven,
    known_network_keeps_its_newest_success,
    audit_event_is_written_unsealed
);

fn instance_id_is_set_once(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let born = Instance { id: uuid(1), state: InstanceState::Open };
    assert_eq!(fresh.read(|tx| tx.instances().find()), born);
    fresh.database.set_instance_id(uuid(2)).unwrap();
    assert_eq!(fresh.read(|tx| tx.instances().find()), born);
}

fn moved_store_refuses_writes_and_allows_reads(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    for (word, state) in [("draining", InstanceState::Draining), ("moved", InstanceState::Moved)] {
        fresh.raw().execute(&format!("UPDATE meta SET state = '{word}'"));
        let refused = fresh.try_write(|tx| tx.keys().insert(&test_key(2, KeyState::Next)));
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        assert_eq!(fresh.read(|tx| tx.instances().find()).state, state);
        assert_eq!(fresh.read(|tx| tx.keys().list()), []);
    }
    fresh.raw().execute("UPDATE meta SET state = 'open'");
    assert!(fresh.write(|tx| tx.keys().insert(&test_key(2, KeyState::Next))));
}

fn one_key_of_a_kind_is_current(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    assert!(fresh.write(|tx| tx.keys().insert(&test_key(2, KeyState::Current))));
    assert!(!fresh.write(|tx| tx.keys().insert(&test_key(3, KeyState::Current))));
    assert!(fresh.write(|tx| tx.keys().insert(&test_key(3, KeyState::Next))));
    let turn = |number, from, to| fresh.write(|tx| tx.keys().change_state(KeyId(uuid(number)), from, to, at(9)));
    assert!(!turn(3, KeyState::Next, KeyState::Current));
    assert!(turn(2, KeyState::Current, KeyState::Kept));
    assert!(!turn(2, KeyState::Current, KeyState::Kept));
    assert!(turn(3, KeyState::Next, KeyState::Current));
    let kept = StoredKey { state: KeyState::Kept, state_since: at(9), ..test_key(2, KeyState::Current) };
    let current = StoredKey { state: KeyState::Current, state_since: at(9), ..test_key(3, KeyState::Next) };
    assert_eq!(fresh.read(|tx| tx.keys().list()), [kept, current.clone()]);
    fresh.write(|tx| tx.keys().remove(KeyId(uuid(2))));
    assert_eq!(fresh.read(|tx| tx.keys().list()), [current]);
}

fn processes_join_and_leave(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let node =
        |number, seconds| Node { id: NodeId(uuid(number)), applied: FeedCursor(7), seen_at: at(seconds), clock: None };
    fresh.write(|tx| {
        tx.nodes().upsert(&node(1, 5))?;
        tx.nodes().upsert(&node(2, 6))?;
        tx.nodes().upsert(&node(1, 7))
    });
    assert_eq!(fresh.read(|tx| tx.nodes().list_live(at(6))), [node(1, 7), node(2, 6)]);
    assert_eq!(fresh.read(|tx| tx.nodes().list_live(at(7))), [node(1, 7)]);
    fresh.write(|tx| tx.nodes().mark_left(NodeId(uuid(1)), at(400)));
    assert_eq!(fresh.read(|tx| tx.nodes().list_live(at(0))), [node(2, 6)]);
}

fn newest_instant_is_the_newest_of_any_table(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let newest = || fresh.read(|tx| tx.instances().newest_instant());
    assert_eq!(newest(), None);
    fresh.write(|tx| tx.sessions().insert(&fixture.new_session(1)));
    assert_eq!(newest(), Some(at(0)), "an expiry lies ahead and says nothing");
    fresh.write(|tx| tx.revocations().invalidate(tillgate_domain::Scope::Keys, at(10)));
    assert_eq!(newest(), Some(at(10)));
    fresh.write(|tx| tx.audit().record(&test_event(20)));
    assert_eq!(newest(), Some(at(20)));
    fresh.write(|tx| {
        tx.nodes().upsert(&Node { id: NodeId(uuid(1)), applied: FeedCursor(0), seen_at: at(30), clock: None })
    });
    assert_eq!(newest(), Some(at(30)));
}

fn failures_are_counted_charged_and_forgiven(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let (one, other) = (CountKey([1; 32]), CountKey([2; 32]));
    let buckets = || fresh.read(|tx| tx.attempts().find_buckets(&[other, one, other]));
    assert_eq!(buckets(), [Bucket::default(); 3]);
    let to = |full_at, open_attempts, opened_at| Bucket {
        full_at: at(full_at),
        open_attempts,
        opened_at: Some(at(opened_at)),
        blocked_until: None,
    };
    let charge =
        |from: Bucket, to: Bucket| fresh.write(|tx| tx.attempts().take_token(one, Some(uuid(40)), &from, &to, at(1)));
    assert!(charge(Bucket::default(), to(60, 1, 1)));
    assert!(!charge(Bucket::default(), to(60, 1, 1)), "a token is out by now");
    assert!(charge(to(60, 1, 1), to(120, 2, 2)));
    fresh.write(|tx| tx.attempts().settle(one, TokenDisposition::Returned(Duration::from_mins(1)), at(3)));
    assert_eq!(buckets()[1], to(60, 1, 2));
    for _ in 0..2 {
        fresh.write(|tx| tx.attempts().settle(one, TokenDisposition::Spent, at(3)));
    }
    fresh.write(|tx| tx.attempts().block(one, at(90)));
    assert_eq!(buckets()[1], Bucket { blocked_until: Some(at(90)), ..to(60, 0, 2) });
    assert!(fresh.write(|tx| tx.attempts().record_guess(one, &other, at(0), at(4))));
    assert!(!fresh.write(|tx| tx.attempts().record_guess(one, &other, at(0), at(5))));
    assert_eq!(fresh.read(|tx| tx.attempts().count_guesses(one, at(0))), 1);
    assert_eq!(fresh.write(|tx| tx.attempts().clear_failed_logins(uuid(40))), 1);
    assert_eq!(buckets()[1], Bucket::default());
    assert_eq!(fresh.read(|tx| tx.attempts().count_guesses(one, at(0))), 0);
    assert!(fresh.write(|tx| tx.attempts().take_token(other, None, &Bucket::default(), &to(60, 1, 7), at(7))));
    assert!(fresh.write(|tx| tx.attempts().record_guess(other, &one, at(0), at(7))));
    assert_eq!(fresh.write(|tx| tx.attempts().sweep(at(7), 9)), 0);
    assert_eq!(fresh.write(|tx| tx.attempts().sweep(at(59), 9)), 0, "it is full at 60");
    assert_eq!(fresh.write(|tx| tx.attempts().sweep(at(60), 9)), 1);
    assert_eq!(fresh.write(|tx| tx.attempts().sweep_guesses(at(7), 9)), 0);
    assert_eq!(fresh.write(|tx| tx.attempts().sweep_guesses(at(8), 9)), 1);
}

fn known_network_keeps_its_newest_success(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let place = CountKey([7; 32]);
    let found = || fresh.read(|tx| tx.known_networks().find(uuid(40), &place));
    assert_eq!(found(), None);
    fresh.write(|tx| tx.known_networks().record_success(uuid(40), &place, at(9)));
    fresh.write(|tx| tx.known_networks().record_success(uuid(40), &place, at(8)));
    assert_eq!(found(), Some(at(9)));
    assert_eq!(fresh.write(|tx| tx.known_networks().sweep(at(9), 9)), 0);
    assert_eq!(fresh.write(|tx| tx.known_networks().sweep(at(10), 9)), 1);
    assert_eq!(found(), None);
}

fn audit_event_is_written_unsealed(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    fresh.write(|tx| tx.audit().record(&test_event(20)));
    let line = "SELECT action || ' ' || subject || ' ' || outcome || ' ' || address || ' ' || details AS text \
                    FROM audit WHERE sequence IS NULL AND hash IS NULL AND previous IS NULL";
    assert_eq!(fresh.raw().query_texts(line), [r#"login server done ::1 {"why":"it's \"so\""}"#]);
    assert!(fresh.try_write(|tx| tx.audit().record(&test_event(20))).is_err());
}
