//! The store's own identity, and the processes over it.

use tillgate_auth_core::Session;
use tillgate_auth_core::ports::{Cursor, InstanceState, MachineClock, Node};
use tillgate_domain::{EndedWhy, Instant, Scope};
use uuid::Uuid;

use crate::Bench;
use crate::shop::{Shop, add, at, line, node_id, read, session_id, write};

/// A store has one identity, and is born open.
pub fn a_store_has_one_identity(bench: &Bench) {
    let first = read(bench, |tx| tx.instances().find());
    Shop::open(bench);
    assert_eq!(first.state, InstanceState::Open);
    assert!(!first.id.is_nil());
    assert_eq!(read(bench, |tx| tx.instances().find()), first);
}

fn newest(bench: &Bench) -> Option<Instant> {
    read(bench, |tx| tx.instances().newest())
}

/// The newest instant is that of the newest login, change, line of the audit or word of a process; each of them counts.
pub fn the_newest_instant_is_told(bench: &Bench) {
    let shop = Shop::open(bench);
    let made = at(10_000);
    let first = Session { created_at: made, expires_at: None, ..shop.session_on_till(1) };
    add(bench, &[first]);
    assert_eq!(newest(bench), Some(made), "a session made");
    write(bench, |tx| tx.endings().end(session_id(1), EndedWhy::Logout, at(10_003)));
    assert_eq!(newest(bench), Some(at(10_003)), "ended");
    write(bench, |tx| tx.endings().touch(Scope::Keys, at(10_004)));
    assert_eq!(newest(bench), Some(at(10_004)), "a change");
    write(bench, |tx| tx.audit().tell(&line(1, at(10_005))));
    assert_eq!(newest(bench), Some(at(10_005)), "a line of the audit");
    write(bench, |tx| tx.nodes().note(&Node { id: node_id(1), applied: Cursor(1), seen_at: at(10_006), clock: None }));
    assert_eq!(newest(bench), Some(at(10_006)), "a process");
    write(bench, |tx| tx.endings().touch(Scope::Keys, at(5)));
    assert_eq!(newest(bench), Some(at(10_006)), "an older change is not newer");
}

/// When a session will expire is no instant that has been.
pub fn an_instant_to_come_is_not_the_newest(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[Session { expires_at: Some(at(1_000_000_000)), ..shop.session(1) }]);
    write(bench, |tx| tx.endings().touch(Scope::Keys, at(10_000)));
    assert_eq!(newest(bench), Some(at(10_000)));
}

fn node(number: u8, applied: i64, seconds: u64) -> Node {
    Node { id: node_id(number), applied: Cursor(applied), seen_at: at(seconds), clock: None }
}

fn live(bench: &Bench, seconds: u64) -> Vec<Node> {
    let mut live = read(bench, |tx| tx.nodes().live(at(seconds)));
    live.sort_by_key(|node| node.id);
    live
}

/// Processes that were seen since an instant are live; what a process says takes the place of what it said before.
pub fn a_process_is_live_while_it_is_seen(bench: &Bench) {
    write(bench, |tx| {
        tx.nodes().note(&node(1, 5, 100))?;
        tx.nodes().note(&node(2, i64::MAX, 200))
    });
    assert_eq!(live(bench, 50), [node(1, 5, 100), node(2, i64::MAX, 200)]);
    assert_eq!(live(bench, 100), [node(1, 5, 100), node(2, i64::MAX, 200)], "at that very instant");
    assert_eq!(live(bench, 150), [node(2, i64::MAX, 200)]);
    write(bench, |tx| tx.nodes().note(&node(1, 6, 300)));
    assert_eq!(live(bench, 250), [node(1, 6, 300)]);
    assert_eq!(live(bench, 0).len(), 2);
}

/// A process that leaves is gone; the others stay. Leaving twice is no failure.
pub fn a_process_leaves(bench: &Bench) {
    write(bench, |tx| {
        tx.nodes().note(&node(1, 5, 100))?;
        tx.nodes().note(&node(2, 6, 100))
    });
    for _ in 0..2 {
        write(bench, |tx| tx.nodes().leave(node_id(1), at(400)));
        assert_eq!(live(bench, 0), [node(2, 6, 100)]);
    }
}

/// What a process said that has left is no reason to doubt a clock: only those that still run, or died, count.
pub fn what_a_process_has_said_that_left_is_not_the_newest(bench: &Bench) {
    write(bench, |tx| tx.endings().touch(Scope::Keys, at(10_000)));
    let clock = Some(MachineClock { boot: Uuid::from_u128(7), origin: at(5) });
    write(bench, |tx| tx.nodes().note(&Node { clock, ..node(1, 1, 90_000) }));
    assert_eq!(newest(bench), Some(at(90_000)));
    write(bench, |tx| tx.nodes().leave(node_id(1), at(90_001)));
    assert_eq!(newest(bench), Some(at(10_000)));
}

/// What a process says of its machine's clock is found by the start of that machine, also after it has left. Of several the one
/// counts that was said latest by the time since that start.
pub fn the_clock_of_a_machine_outlives_its_processes(bench: &Bench) {
    let said = |number, seconds, boot, origin| {
        let clock = Some(MachineClock { boot: Uuid::from_u128(boot), origin: at(origin) });
        Node { clock, ..node(number, 1, seconds) }
    };
    let note = |node: Node| write(bench, |tx| tx.nodes().note(&node));
    let origin = |boot| read(bench, |tx| tx.nodes().origin(Uuid::from_u128(boot)));
    note(node(9, 1, 1000));
    assert_eq!(origin(7), None);
    note(said(1, 1000, 7, 100));
    assert_eq!((origin(7), origin(8)), (Some(at(100)), None));
    note(node(1, 2, 1005));
    assert_eq!(origin(7), Some(at(100)), "it keeps what it said before");
    assert_eq!(live(bench, 1005), [Node { applied: Cursor(2), ..said(1, 1005, 7, 100) }]);
    for (number, seconds) in [(1, 1006), (9, 1006)] {
        write(bench, |tx| tx.nodes().leave(node_id(number), at(seconds)));
    }
    assert_eq!((live(bench, 0), origin(7)), (vec![], Some(at(100))));
    // its clock is behind that of the first, 30 seconds later
    note(said(2, 955, 7, 20));
    assert_eq!(origin(7), Some(at(20)));
    note(said(3, 5000, 8, 3000));
    for number in [2, 3] {
        write(bench, |tx| tx.nodes().leave(node_id(number), at(5001)));
    }
    assert_eq!((origin(7), origin(8)), (Some(at(20)), Some(at(3000))));
}

/// A sweep forgets processes that were last seen before the instant, whether they left or died.
pub fn processes_that_were_not_seen_for_long_are_swept(bench: &Bench) {
    let clock = |boot| Some(MachineClock { boot: Uuid::from_u128(boot), origin: at(5) });
    write(bench, |tx| {
        tx.nodes().note(&node(1, 1, 100))?;
        tx.nodes().note(&Node { clock: clock(7), ..node(2, 1, 110) })?;
        tx.nodes().leave(node_id(2), at(111))?;
        tx.nodes().note(&Node { clock: clock(8), ..node(3, 1, 120) })
    });
    let sweep = |seconds| write(bench, |tx| tx.nodes().sweep(at(seconds)));
    let origin = |boot| read(bench, |tx| tx.nodes().origin(Uuid::from_u128(boot)));
    assert_eq!([sweep(100), sweep(120), sweep(120)], [0, 2, 0]);
    assert_eq!(live(bench, 0), [Node { clock: clock(8), ..node(3, 1, 120) }]);
    assert_eq!((origin(7), origin(8)), (None, Some(at(5))));
}
