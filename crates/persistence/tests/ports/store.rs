//! The store's identity and state, its keys, the processes over it, counted failures, places and the audit.

use std::time::Duration;

use tillgate_auth_core::ports::{
    Bucket, CountKey, Cursor, Instance, InstanceState, KeyKind, KeyState, Node, Settled, StoredKey,
};
use tillgate_domain::{Action, Actor, Event, EventId, KeyId, NodeId, Outcome, StoreError, Subject, UserId};

use crate::on_both;
use crate::stores::{Shop, at, uuid};

fn key(number: u64, state: KeyState) -> StoredKey {
    StoredKey {
        id: KeyId(uuid(number)),
        kind: KeyKind::Signing,
        algorithm: "EdDSA".into(),
        state,
        wrapped: vec![1, 0, 255],
        public: number.is_multiple_of(2).then(|| vec![2]),
        created_at: at(number),
        since: at(number),
    }
}

pub(crate) fn event(number: u64) -> Event {
    Event {
        id: EventId(uuid(number)),
        at: at(number),
        tenant: Some(Shop::default().tenant.id),
        actor: Actor { user: Some(UserId(uuid(40))), device: None, session: None, address: "::1".parse().ok() },
        action: Action::Login,
        subject: Subject::Server,
        outcome: Outcome::Done,
        details: [("why".to_owned(), serde_json::json!("it's \"so\""))].into_iter().collect(),
        approver: None,
    }
}

on_both! {
    fn the_identity_is_given_once(fresh) {
        let born = Instance { id: uuid(1), state: InstanceState::Open };
        assert_eq!(fresh.read(|tx| tx.instances().find()), born);
        fresh.database.establish(uuid(2)).unwrap();
        assert_eq!(fresh.read(|tx| tx.instances().find()), born);
    }

    fn a_store_that_is_moved_takes_no_writes_and_is_read(fresh) {
        for (word, state) in [("draining", InstanceState::Draining), ("moved", InstanceState::Moved)] {
            fresh.raw().sql(&format!("UPDATE meta SET state = '{word}'"));
            let refused = fresh.try_write(|tx| tx.keys().insert(&key(2, KeyState::Next)));
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
            assert_eq!(fresh.read(|tx| tx.instances().find()).state, state);
            assert_eq!(fresh.read(|tx| tx.keys().all()), []);
        }
        fresh.raw().sql("UPDATE meta SET state = 'open'");
        assert!(fresh.write(|tx| tx.keys().insert(&key(2, KeyState::Next))));
    }

    fn one_key_of_a_kind_is_current(fresh) {
        assert!(fresh.write(|tx| tx.keys().insert(&key(2, KeyState::Current))));
        assert!(!fresh.write(|tx| tx.keys().insert(&key(3, KeyState::Current))));
        assert!(fresh.write(|tx| tx.keys().insert(&key(3, KeyState::Next))));
        let turn = |number, from, to| fresh.write(|tx| tx.keys().turn(KeyId(uuid(number)), from, to, at(9)));
        assert!(!turn(3, KeyState::Next, KeyState::Current));
        assert!(turn(2, KeyState::Current, KeyState::Kept));
        assert!(!turn(2, KeyState::Current, KeyState::Kept));
        assert!(turn(3, KeyState::Next, KeyState::Current));
        let kept = StoredKey { state: KeyState::Kept, since: at(9), ..key(2, KeyState::Current) };
        let current = StoredKey { state: KeyState::Current, since: at(9), ..key(3, KeyState::Next) };
        assert_eq!(fresh.read(|tx| tx.keys().all()), [kept, current.clone()]);
        fresh.write(|tx| tx.keys().remove(KeyId(uuid(2))));
        assert_eq!(fresh.read(|tx| tx.keys().all()), [current]);
    }

    fn processes_come_and_go(fresh) {
        let node = |number, seconds| Node { id: NodeId(uuid(number)), applied: Cursor(7), seen_at: at(seconds), clock: None };
        fresh.write(|tx| {
            tx.nodes().note(&node(1, 5))?;
            tx.nodes().note(&node(2, 6))?;
            tx.nodes().note(&node(1, 7))
        });
        assert_eq!(fresh.read(|tx| tx.nodes().live(at(6))), [node(1, 7), node(2, 6)]);
        assert_eq!(fresh.read(|tx| tx.nodes().live(at(7))), [node(1, 7)]);
        fresh.write(|tx| tx.nodes().leave(NodeId(uuid(1)), at(400)));
        assert_eq!(fresh.read(|tx| tx.nodes().live(at(0))), [node(2, 6)]);
    }

    fn the_newest_instant_is_that_of_any_table(fresh) {
        let shop = Shop::default();
        let newest = || fresh.read(|tx| tx.instances().newest());
        assert_eq!(newest(), None);
        fresh.write(|tx| tx.sessions().insert(&shop.session(1)));
        assert_eq!(newest(), Some(at(0)), "an expiry lies ahead and says nothing");
        fresh.write(|tx| tx.endings().touch(tillgate_domain::Scope::Keys, at(10)));
        assert_eq!(newest(), Some(at(10)));
        fresh.write(|tx| tx.audit().tell(&event(20)));
        assert_eq!(newest(), Some(at(20)));
        fresh.write(|tx| tx.nodes().note(&Node { id: NodeId(uuid(1)), applied: Cursor(0), seen_at: at(30), clock: None }));
        assert_eq!(newest(), Some(at(30)));
    }

    fn failures_are_counted_charged_and_forgiven(fresh) {
        let (one, other) = (CountKey([1; 32]), CountKey([2; 32]));
        let buckets = || fresh.read(|tx| tx.attempts().buckets(&[other, one, other]));
        assert_eq!(buckets(), [Bucket::default(); 3]);
        let to = |full_at, open, opened_at| {
            Bucket { full_at: at(full_at), open, opened_at: Some(at(opened_at)), barred_until: None }
        };
        let charge = |from: Bucket, to: Bucket| {
            fresh.write(|tx| tx.attempts().charge(one, Some(uuid(40)), &from, &to, at(1)))
        };
        assert!(charge(Bucket::default(), to(60, 1, 1)));
        assert!(!charge(Bucket::default(), to(60, 1, 1)), "a token is out by now");
        assert!(charge(to(60, 1, 1), to(120, 2, 2)));
        fresh.write(|tx| tx.attempts().settle(one, Settled::Returned(Duration::from_mins(1)), at(3)));
        assert_eq!(buckets()[1], to(60, 1, 2));
        for _ in 0..2 {
            fresh.write(|tx| tx.attempts().settle(one, Settled::Spent, at(3)));
        }
        fresh.write(|tx| tx.attempts().bar(one, at(90)));
        assert_eq!(buckets()[1], Bucket { barred_until: Some(at(90)), ..to(60, 0, 2) });
        assert!(fresh.write(|tx| tx.attempts().remember(one, &other, at(0), at(4))));
        assert!(!fresh.write(|tx| tx.attempts().remember(one, &other, at(0), at(5))));
        assert_eq!(fresh.read(|tx| tx.attempts().remembered(one, at(0))), 1);
        assert_eq!(fresh.write(|tx| tx.attempts().forgive(uuid(40))), 1);
        assert_eq!(buckets()[1], Bucket::default());
        assert_eq!(fresh.read(|tx| tx.attempts().remembered(one, at(0))), 0);
        assert!(fresh.write(|tx| tx.attempts().charge(other, None, &Bucket::default(), &to(60, 1, 7), at(7))));
        assert!(fresh.write(|tx| tx.attempts().remember(other, &one, at(0), at(7))));
        assert_eq!(fresh.write(|tx| tx.attempts().sweep(at(7), 9)), 0);
        assert_eq!(fresh.write(|tx| tx.attempts().sweep(at(8), 9)), 1);
        assert_eq!(fresh.write(|tx| tx.attempts().sweep_remembered(at(7), 9)), 0);
        assert_eq!(fresh.write(|tx| tx.attempts().sweep_remembered(at(8), 9)), 1);
    }

    fn a_place_keeps_its_newest_success(fresh) {
        let place = CountKey([7; 32]);
        let found = || fresh.read(|tx| tx.places().find(uuid(40), &place));
        assert_eq!(found(), None);
        fresh.write(|tx| tx.places().note(uuid(40), &place, at(9)));
        fresh.write(|tx| tx.places().note(uuid(40), &place, at(8)));
        assert_eq!(found(), Some(at(9)));
        assert_eq!(fresh.write(|tx| tx.places().sweep(at(9), 9)), 0);
        assert_eq!(fresh.write(|tx| tx.places().sweep(at(10), 9)), 1);
        assert_eq!(found(), None);
    }

    fn a_line_of_the_audit_is_written_unsealed(fresh) {
        fresh.write(|tx| tx.audit().tell(&event(20)));
        let line = "SELECT action || ' ' || subject || ' ' || outcome || ' ' || address || ' ' || details AS text \
                    FROM audit WHERE sequence IS NULL AND hash IS NULL AND previous IS NULL";
        assert_eq!(fresh.raw().texts(line), [r#"login server done ::1 {"why":"it's \"so\""}"#]);
        assert!(fresh.try_write(|tx| tx.audit().tell(&event(20))).is_err());
    }
}
