//! The store's own identity, and the processes over it.

use tillgate_auth_core::Session;
use tillgate_auth_core::ports::{Cursor, InstanceState, MachineClock, Node};
use tillgate_domain::{EndReason, Instant, Scope};
use uuid::Uuid;

use crate::AuthStoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, insert_sessions, new_event, node_id, run_read, run_write, session_id,
};

/// A store has one identity, and is born open.
pub fn store_has_one_instance_id(bench: &AuthStoreHarness) {
    let first = run_read(bench, |tx| tx.instances().find());
    ContractFixture::insert_into(bench);
    assert_eq!(first.state, InstanceState::Open);
    assert!(!first.id.is_nil());
    assert_eq!(run_read(bench, |tx| tx.instances().find()), first);
}

fn newest_instant(bench: &AuthStoreHarness) -> Option<Instant> {
    run_read(bench, |tx| tx.instances().newest_instant())
}

/// The newest instant is that of the newest login, change, line of the audit or word of a process; each of them counts.
pub fn newest_instant_is_found(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let made = after_start(10_000);
    let first = Session { created_at: made, expires_at: None, ..shop.new_till_session(1) };
    insert_sessions(bench, &[first]);
    assert_eq!(newest_instant(bench), Some(made), "a session made");
    run_write(bench, |tx| tx.revocations().end_session(session_id(1), EndReason::Logout, after_start(10_003)));
    assert_eq!(newest_instant(bench), Some(after_start(10_003)), "ended");
    run_write(bench, |tx| tx.revocations().invalidate(Scope::Keys, after_start(10_004)));
    assert_eq!(newest_instant(bench), Some(after_start(10_004)), "a change");
    run_write(bench, |tx| tx.audit().record(&new_event(1, after_start(10_005))));
    assert_eq!(newest_instant(bench), Some(after_start(10_005)), "a line of the audit");
    run_write(bench, |tx| {
        tx.nodes().upsert(&Node { id: node_id(1), applied: Cursor(1), seen_at: after_start(10_006), clock: None })
    });
    assert_eq!(newest_instant(bench), Some(after_start(10_006)), "a process");
    run_write(bench, |tx| tx.revocations().invalidate(Scope::Keys, after_start(5)));
    assert_eq!(newest_instant(bench), Some(after_start(10_006)), "an older change is not newer");
}

/// When a session will expire is no instant that has been.
pub fn expiry_is_not_the_newest_instant(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[Session { expires_at: Some(after_start(1_000_000_000)), ..shop.new_session(1) }]);
    run_write(bench, |tx| tx.revocations().invalidate(Scope::Keys, after_start(10_000)));
    assert_eq!(newest_instant(bench), Some(after_start(10_000)));
}

fn new_node(number: u8, applied: i64, seconds: u64) -> Node {
    Node { id: node_id(number), applied: Cursor(applied), seen_at: after_start(seconds), clock: None }
}

fn live_nodes(bench: &AuthStoreHarness, seconds: u64) -> Vec<Node> {
    let mut live = run_read(bench, |tx| tx.nodes().list_live(after_start(seconds)));
    live.sort_by_key(|node| node.id);
    live
}

/// Processes that were seen since an instant are live; what a process says takes the place of what it said before.
pub fn process_is_live_while_seen(bench: &AuthStoreHarness) {
    run_write(bench, |tx| {
        tx.nodes().upsert(&new_node(1, 5, 100))?;
        tx.nodes().upsert(&new_node(2, i64::MAX, 200))
    });
    assert_eq!(live_nodes(bench, 50), [new_node(1, 5, 100), new_node(2, i64::MAX, 200)]);
    assert_eq!(live_nodes(bench, 100), [new_node(1, 5, 100), new_node(2, i64::MAX, 200)], "at that very instant");
    assert_eq!(live_nodes(bench, 150), [new_node(2, i64::MAX, 200)]);
    run_write(bench, |tx| tx.nodes().upsert(&new_node(1, 6, 300)));
    assert_eq!(live_nodes(bench, 250), [new_node(1, 6, 300)]);
    assert_eq!(live_nodes(bench, 0).len(), 2);
}

/// A process that leaves is gone; the others stay. Leaving twice is no failure.
pub fn process_leaves(bench: &AuthStoreHarness) {
    run_write(bench, |tx| {
        tx.nodes().upsert(&new_node(1, 5, 100))?;
        tx.nodes().upsert(&new_node(2, 6, 100))
    });
    for _ in 0..2 {
        run_write(bench, |tx| tx.nodes().mark_left(node_id(1), after_start(400)));
        assert_eq!(live_nodes(bench, 0), [new_node(2, 6, 100)]);
    }
}

/// What a process said that has left is no reason to doubt a clock: only those that still run, or died, count.
pub fn departed_process_does_not_set_the_newest_instant(bench: &AuthStoreHarness) {
    run_write(bench, |tx| tx.revocations().invalidate(Scope::Keys, after_start(10_000)));
    let clock = Some(MachineClock { boot_id: Uuid::from_u128(7), origin: after_start(5) });
    run_write(bench, |tx| tx.nodes().upsert(&Node { clock, ..new_node(1, 1, 90_000) }));
    assert_eq!(newest_instant(bench), Some(after_start(90_000)));
    run_write(bench, |tx| tx.nodes().mark_left(node_id(1), after_start(90_001)));
    assert_eq!(newest_instant(bench), Some(after_start(10_000)));
}

/// What a process says of its machine's clock is found by the start of that machine, also after it has left. Of several the one
/// counts that was said latest by the time since that start.
pub fn machine_clock_outlives_its_processes(bench: &AuthStoreHarness) {
    let said = |number, seconds, boot, origin| {
        let clock = Some(MachineClock { boot_id: Uuid::from_u128(boot), origin: after_start(origin) });
        Node { clock, ..new_node(number, 1, seconds) }
    };
    let note = |node: Node| run_write(bench, |tx| tx.nodes().upsert(&node));
    let origin = |boot| run_read(bench, |tx| tx.nodes().find_origin(Uuid::from_u128(boot)));
    note(new_node(9, 1, 1000));
    assert_eq!(origin(7), None);
    note(said(1, 1000, 7, 100));
    assert_eq!((origin(7), origin(8)), (Some(after_start(100)), None));
    note(new_node(1, 2, 1005));
    assert_eq!(origin(7), Some(after_start(100)), "it keeps what it said before");
    assert_eq!(live_nodes(bench, 1005), [Node { applied: Cursor(2), ..said(1, 1005, 7, 100) }]);
    for (number, seconds) in [(1, 1006), (9, 1006)] {
        run_write(bench, |tx| tx.nodes().mark_left(node_id(number), after_start(seconds)));
    }
    assert_eq!((live_nodes(bench, 0), origin(7)), (vec![], Some(after_start(100))));
    // its clock is behind that of the first, 30 seconds later
    note(said(2, 955, 7, 20));
    assert_eq!(origin(7), Some(after_start(20)));
    note(said(3, 5000, 8, 3000));
    for number in [2, 3] {
        run_write(bench, |tx| tx.nodes().mark_left(node_id(number), after_start(5001)));
    }
    assert_eq!((origin(7), origin(8)), (Some(after_start(20)), Some(after_start(3000))));
}

/// A sweep forgets processes that were last seen before the instant, whether they left or died.
pub fn unseen_processes_are_swept(bench: &AuthStoreHarness) {
    let clock = |boot| Some(MachineClock { boot_id: Uuid::from_u128(boot), origin: after_start(5) });
    run_write(bench, |tx| {
        tx.nodes().upsert(&new_node(1, 1, 100))?;
        tx.nodes().upsert(&Node { clock: clock(7), ..new_node(2, 1, 110) })?;
        tx.nodes().mark_left(node_id(2), after_start(111))?;
        tx.nodes().upsert(&Node { clock: clock(8), ..new_node(3, 1, 120) })
    });
    let sweep = |seconds| run_write(bench, |tx| tx.nodes().sweep(after_start(seconds)));
    let origin = |boot| run_read(bench, |tx| tx.nodes().find_origin(Uuid::from_u128(boot)));
    assert_eq!([sweep(100), sweep(120), sweep(120)], [0, 2, 0]);
    assert_eq!(live_nodes(bench, 0), [Node { clock: clock(8), ..new_node(3, 1, 120) }]);
    assert_eq!((origin(7), origin(8)), (None, Some(after_start(5))));
}
