//! The store's own identity, and the processes over it.

use tillgate_auth_core::Session;
use tillgate_auth_core::ports::{Cursor, InstanceState, Node};
use tillgate_domain::{EndedWhy, Instant, Scope};

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
    write(bench, |tx| tx.nodes().note(&Node { id: node_id(1), applied: Cursor(1), seen_at: at(10_006) }));
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
    Node { id: node_id(number), applied: Cursor(applied), seen_at: at(seconds) }
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
        write(bench, |tx| tx.nodes().leave(node_id(1)));
        assert_eq!(live(bench, 0), [node(2, 6, 100)]);
    }
}
