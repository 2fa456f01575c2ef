//! Uses of sessions: the newest use, the generation that was used, and the first uses of exchanged
//! tokens.

use tillgate_auth_core::Session;
use tillgate_auth_core::ports::{FirstUse, SessionUse};
use tillgate_domain::Instant;

use crate::AuthStoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, device_id, find_session, insert_sessions, load_session, run_read, run_write,
    session_id,
};

fn new_use(number: u8, generation: i64, when: Instant) -> SessionUse {
    SessionUse { session: session_id(number), generation, at: when }
}

fn device_last_seen(harness: &AuthStoreHarness, number: u8) -> Option<Instant> {
    run_read(harness, |tx| tx.devices().find(device_id(number))).and_then(|device| device.last_seen_at)
}

/// A use raises `used_generation` and `last_used_at` of its session and `last_seen_at` of its
/// device, and changes no other session or device.
pub fn use_is_recorded(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_till_session(1), fixture.new_session(2), fixture.new_session(3)]);
    run_write(harness, |tx| {
        tx.sessions().record_uses(&[new_use(1, 4, after_start(60)), new_use(2, 2, after_start(61))])
    });
    let expected = Session { used_generation: 4, last_used_at: Some(after_start(60)), ..fixture.new_till_session(1) };
    assert_eq!(load_session(harness, session_id(1)), expected);
    let second = load_session(harness, session_id(2));
    assert_eq!((second.used_generation, second.last_used_at), (2, Some(after_start(61))));
    assert_eq!(load_session(harness, session_id(3)), fixture.new_session(3));
    assert_eq!((device_last_seen(harness, 1), device_last_seen(harness, 2)), (Some(after_start(60)), None));
}

/// Recorded uses never decrease: each of the three fields keeps its highest value.
pub fn recorded_use_never_decreases(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_till_session(1), fixture.new_till_session(2)]);
    run_write(harness, |tx| tx.sessions().record_uses(&[new_use(1, 4, after_start(60))]));
    run_write(harness, |tx| tx.sessions().record_uses(&[new_use(1, 3, after_start(70))]));
    let now = load_session(harness, session_id(1));
    assert_eq!(
        (now.used_generation, now.last_used_at, device_last_seen(harness, 1)),
        (4, Some(after_start(70)), Some(after_start(70)))
    );
    run_write(harness, |tx| {
        tx.sessions().record_uses(&[new_use(1, 5, after_start(65)), new_use(2, 1, after_start(50))])
    });
    let now = load_session(harness, session_id(1));
    assert_eq!(
        (now.used_generation, now.last_used_at, device_last_seen(harness, 1)),
        (5, Some(after_start(70)), Some(after_start(70)))
    );
    assert_eq!(load_session(harness, session_id(2)).last_used_at, Some(after_start(50)));
}

/// Two uses of one session in a batch have the same effect as two batches.
pub fn session_used_twice_in_a_batch_is_recorded(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_till_session(1)]);
    run_write(harness, |tx| {
        tx.sessions().record_uses(&[new_use(1, 2, after_start(80)), new_use(1, 3, after_start(70))])
    });
    let now = load_session(harness, session_id(1));
    assert_eq!(
        (now.used_generation, now.last_used_at, device_last_seen(harness, 1)),
        (3, Some(after_start(80)), Some(after_start(80)))
    );
}

/// A use of an unknown session is ignored; the other uses of its batch are recorded. An empty batch
/// is accepted.
pub fn use_of_an_unknown_session_is_ignored(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(2)]);
    run_write(harness, |tx| {
        tx.sessions().record_uses(&[
            new_use(1, 1, after_start(60)),
            new_use(2, 1, after_start(60)),
            new_use(3, 1, after_start(60)),
        ])
    });
    assert_eq!(load_session(harness, session_id(2)).used_generation, 1);
    assert_eq!(find_session(harness, session_id(1)), None);
    run_write(harness, |tx| tx.sessions().record_uses(&[]));
}

fn list_first_uses(harness: &AuthStoreHarness, number: u8) -> Vec<(i64, Instant)> {
    let uses = run_read(harness, |tx| tx.sessions().list_first_uses(session_id(number)));
    uses.iter().map(|first| (first.generation, first.at)).collect()
}

/// The first use of a generation is recorded once: a later one changes nothing, and neither does
/// one of an unknown session. Each generation has its own.
pub fn first_use_is_recorded_once(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1), fixture.new_session(2)]);
    let note = |number: u8, generation, when| {
        let first = FirstUse { generation, at: after_start(when) };
        run_write(harness, |tx| tx.sessions().record_first_use(session_id(number), first));
    };
    for (number, generation, when) in [(1, 3, 70), (1, 2, 60), (2, 2, 65), (1, 3, 50), (1, 3, 90), (3, 2, 60)] {
        note(number, generation, when);
    }
    assert_eq!(list_first_uses(harness, 1), [(2, after_start(60)), (3, after_start(70))]);
    assert_eq!(list_first_uses(harness, 2), [(2, after_start(65))], "another session's");
    assert_eq!(list_first_uses(harness, 3), [], "no such session");
}

/// Removes the first uses of a session before a generation, and no others.
pub fn first_uses_before_a_generation_are_removed(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1), fixture.new_session(2)]);
    let note = |number: u8, generation, when| {
        let first = FirstUse { generation, at: after_start(when) };
        run_write(harness, |tx| tx.sessions().record_first_use(session_id(number), first));
    };
    let remove = |before| run_write(harness, |tx| tx.sessions().remove_first_uses(session_id(1), before));
    for (number, generation, when) in [(2, 2, 60), (1, 2, 60), (1, 3, 70), (1, 5, 80)] {
        note(number, generation, when);
    }
    remove(2);
    assert_eq!(list_first_uses(harness, 1), [(2, after_start(60)), (3, after_start(70)), (5, after_start(80))]);
    remove(3);
    assert_eq!(list_first_uses(harness, 1), [(3, after_start(70)), (5, after_start(80))]);
    remove(9);
    assert_eq!(list_first_uses(harness, 1), []);
    assert_eq!(list_first_uses(harness, 2), [(2, after_start(60))], "another session's");
    run_write(harness, |tx| tx.sessions().remove_first_uses(session_id(3), 9));
}

/// First uses are removed together with their session.
pub fn first_uses_are_swept_with_their_session(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[Session { expires_at: Some(after_start(100)), ..fixture.new_session(1) }]);
    let first = FirstUse { generation: 2, at: after_start(60) };
    run_write(harness, |tx| tx.sessions().record_first_use(session_id(1), first));
    assert_eq!(list_first_uses(harness, 1), [(2, after_start(60))]);
    assert_eq!(run_write(harness, |tx| tx.sessions().sweep(after_start(200), 10)), 1);
    assert_eq!(list_first_uses(harness, 1), []);
}
