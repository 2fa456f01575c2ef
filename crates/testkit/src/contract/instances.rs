//! The identity of the store, and the processes that use it.

use tillgate_auth_core::Session;
use tillgate_auth_core::ports::{FeedCursor, InstanceState, MachineClock, Node, NodeAcknowledgment};
use tillgate_domain::{EndReason, Instant, Scope};
use uuid::Uuid;

use crate::AuthStoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, insert_sessions, new_event, node_id, run_read, run_write, session_id,
};

/// A store has one instance id and is open when it is created.
pub fn store_has_one_instance_id(harness: &AuthStoreHarness) {
    let first = run_read(harness, |tx| tx.instances().find());
    ContractFixture::insert_into(harness);
    assert_eq!(first.state, InstanceState::Open);
    assert!(!first.id.is_nil());
    assert_eq!(run_read(harness, |tx| tx.instances().find()), first);
}

fn newest_instant(harness: &AuthStoreHarness) -> Option<Instant> {
    run_read(harness, |tx| tx.instances().newest_instant())
}

/// The newest instant is that of the latest login, change, audit event or process record; each of
/// these counts.
pub fn newest_instant_is_found(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let made = after_start(10_000);
    let first = Session { created_at: made, expires_at: None, ..fixture.new_till_session(1) };
    insert_sessions(harness, &[first]);
    assert_eq!(newest_instant(harness), Some(made), "a session made");
    run_write(harness, |tx| tx.revocations().end_session(session_id(1), EndReason::Logout, after_start(10_003)));
    assert_eq!(newest_instant(harness), Some(after_start(10_003)), "ended");
    run_write(harness, |tx| tx.revocations().invalidate(Scope::Keys, after_start(10_004)));
    assert_eq!(newest_instant(harness), Some(after_start(10_004)), "a change");
    run_write(harness, |tx| tx.audit().record(&new_event(1, after_start(10_005))));
    assert_eq!(newest_instant(harness), Some(after_start(10_005)), "an audit event");
    run_write(harness, |tx| {
        tx.nodes().upsert(&Node { id: node_id(1), applied: FeedCursor(1), seen_at: after_start(10_006), clock: None })
    });
    assert_eq!(newest_instant(harness), Some(after_start(10_006)), "a process");
    run_write(harness, |tx| tx.revocations().invalidate(Scope::Keys, after_start(5)));
    assert_eq!(newest_instant(harness), Some(after_start(10_006)), "an older change is not newer");
}

/// The time at which a session will expire does not count as the newest instant.
pub fn expiry_is_not_the_newest_instant(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[Session { expires_at: Some(after_start(1_000_000_000)), ..fixture.new_session(1) }]);
    run_write(harness, |tx| tx.revocations().invalidate(Scope::Keys, after_start(10_000)));
    assert_eq!(newest_instant(harness), Some(after_start(10_000)));
}

fn new_node(number: u8, applied: i64, seconds: u64) -> Node {
    Node { id: node_id(number), applied: FeedCursor(applied), seen_at: after_start(seconds), clock: None }
}

fn live_nodes(harness: &AuthStoreHarness, seconds: u64) -> Vec<Node> {
    let mut live = run_read(harness, |tx| tx.nodes().list_live(after_start(seconds)));
    live.sort_by_key(|node| node.id);
    live
}

/// Processes seen since an instant are live. A later record of a process replaces the earlier one.
pub fn process_is_live_while_seen(harness: &AuthStoreHarness) {
    run_write(harness, |tx| {
        tx.nodes().upsert(&new_node(1, 5, 100))?;
        tx.nodes().upsert(&new_node(2, i64::MAX, 200))
    });
    assert_eq!(live_nodes(harness, 50), [new_node(1, 5, 100), new_node(2, i64::MAX, 200)]);
    assert_eq!(live_nodes(harness, 100), [new_node(1, 5, 100), new_node(2, i64::MAX, 200)], "at that very instant");
    assert_eq!(live_nodes(harness, 150), [new_node(2, i64::MAX, 200)]);
    run_write(harness, |tx| tx.nodes().upsert(&new_node(1, 6, 300)));
    assert_eq!(live_nodes(harness, 250), [new_node(1, 6, 300)]);
    assert_eq!(live_nodes(harness, 0).len(), 2);
}

/// A process that leaves is no longer live; the others stay. Leaving twice is not an error.
pub fn process_leaves(harness: &AuthStoreHarness) {
    run_write(harness, |tx| {
        tx.nodes().upsert(&new_node(1, 5, 100))?;
        tx.nodes().upsert(&new_node(2, 6, 100))
    });
    for _ in 0..2 {
        run_write(harness, |tx| tx.nodes().mark_left(node_id(1), after_start(400)));
        assert_eq!(live_nodes(harness, 0), [new_node(2, 6, 100)]);
    }
}

/// The record of a process that has left does not set the newest instant: only processes that still
/// run, or died, count.
pub fn departed_process_does_not_set_the_newest_instant(harness: &AuthStoreHarness) {
    run_write(harness, |tx| tx.revocations().invalidate(Scope::Keys, after_start(10_000)));
    let clock = Some(MachineClock { boot_id: Uuid::from_u128(7), origin: after_start(5) });
    run_write(harness, |tx| tx.nodes().upsert(&Node { clock, ..new_node(1, 1, 90_000) }));
    assert_eq!(newest_instant(harness), Some(after_start(90_000)));
    run_write(harness, |tx| tx.nodes().mark_left(node_id(1), after_start(90_001)));
    assert_eq!(newest_instant(harness), Some(after_start(10_000)));
}

/// The origin of a machine's clock is found by the boot id, also after the process has left. If
/// there are several records, the latest by the time since that boot counts.
pub fn machine_clock_outlives_its_processes(harness: &AuthStoreHarness) {
    let node_with_clock = |number, seconds, boot, origin| {
        let clock = Some(MachineClock { boot_id: Uuid::from_u128(boot), origin: after_start(origin) });
        Node { clock, ..new_node(number, 1, seconds) }
    };
    let note = |node: Node| run_write(harness, |tx| tx.nodes().upsert(&node));
    let origin = |boot| run_read(harness, |tx| tx.nodes().find_origin(Uuid::from_u128(boot)));
    note(new_node(9, 1, 1000));
    assert_eq!(origin(7), None);
    note(node_with_clock(1, 1000, 7, 100));
    assert_eq!((origin(7), origin(8)), (Some(after_start(100)), None));
    note(new_node(1, 2, 1005));
    assert_eq!(origin(7), Some(after_start(100)), "the earlier clock record is kept");
    assert_eq!(live_nodes(harness, 1005), [Node { applied: FeedCursor(2), ..node_with_clock(1, 1005, 7, 100) }]);
    for (number, seconds) in [(1, 1006), (9, 1006)] {
        run_write(harness, |tx| tx.nodes().mark_left(node_id(number), after_start(seconds)));
    }
    assert_eq!((live_nodes(harness, 0), origin(7)), (vec![], Some(after_start(100))));
    // its clock is behind that of the first process, but it reported 30 seconds later
    note(node_with_clock(2, 955, 7, 20));
    assert_eq!(origin(7), Some(after_start(20)));
    note(node_with_clock(3, 5000, 8, 3000));
    for number in [2, 3] {
        run_write(harness, |tx| tx.nodes().mark_left(node_id(number), after_start(5001)));
    }
    assert_eq!((origin(7), origin(8)), (Some(after_start(20)), Some(after_start(3000))));
}

/// A sweep removes processes last seen before the instant, whether they left or died.
pub fn unseen_processes_are_swept(harness: &AuthStoreHarness) {
    let clock = |boot| Some(MachineClock { boot_id: Uuid::from_u128(boot), origin: after_start(5) });
    run_write(harness, |tx| {
        tx.nodes().upsert(&new_node(1, 1, 100))?;
        tx.nodes().upsert(&Node { clock: clock(7), ..new_node(2, 1, 110) })?;
        tx.nodes().mark_left(node_id(2), after_start(111))?;
        tx.nodes().upsert(&Node { clock: clock(8), ..new_node(3, 1, 120) })
    });
    let sweep = |seconds| run_write(harness, |tx| tx.nodes().sweep(after_start(seconds)));
    let origin = |boot| run_read(harness, |tx| tx.nodes().find_origin(Uuid::from_u128(boot)));
    assert_eq!([sweep(100), sweep(120), sweep(120)], [0, 2, 0]);
    assert_eq!(live_nodes(harness, 0), [Node { clock: clock(8), ..new_node(3, 1, 120) }]);
    assert_eq!((origin(7), origin(8)), (None, Some(after_start(5))));
}

/// A process that has recorded a heartbeat records its acknowledgment; a later heartbeat moves
/// only the position. A process without one has no acknowledgment.
pub fn acknowledgment_of_a_live_process_is_listed(harness: &AuthStoreHarness) {
    let list = |seconds| {
        let mut listed = run_read(harness, |tx| tx.nodes().list_acknowledgments(after_start(seconds)));
        listed.sort_by_key(|acknowledgment| acknowledgment.id);
        listed
    };
    let acknowledgment = |number: u8, applied, applied_at: Option<u64>| NodeAcknowledgment {
        id: node_id(number),
        name: if applied_at.is_some() { format!("pos-1:{number}") } else { String::new() },
        applied: FeedCursor(applied),
        applied_at: applied_at.map(after_start),
    };
    run_write(harness, |tx| tx.nodes().record_acknowledgment(&acknowledgment(1, 4, Some(3))));
    assert_eq!(list(0), []);
    run_write(harness, |tx| {
        tx.nodes().upsert(&new_node(1, 4, 100))?;
        tx.nodes().upsert(&new_node(2, 5, 200))?;
        tx.nodes().record_acknowledgment(&acknowledgment(1, 7, Some(101)))
    });
    assert_eq!(list(0), [acknowledgment(1, 7, Some(101)), acknowledgment(2, 5, None)]);
    run_write(harness, |tx| tx.nodes().upsert(&new_node(1, 9, 110)));
    assert_eq!(list(105), [acknowledgment(1, 9, Some(101)), acknowledgment(2, 5, None)]);
    assert_eq!(list(150), [acknowledgment(2, 5, None)]);
    run_write(harness, |tx| tx.nodes().mark_left(node_id(2), after_start(210)));
    assert_eq!(list(150), []);
}
