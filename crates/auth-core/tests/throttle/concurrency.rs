//! Concurrency: threads, processes, and every order in which guesses can turn out to be wrong.

use std::collections::VecDeque;

use proptest::prelude::*;

use tillgate_auth_core::Cancellation;
use tillgate_auth_core::passwords::Lane;
use tillgate_auth_core::throttle::{QueueFull, QueueSlot, Turn};

use super::*;

#[test]
fn twelve_concurrent_correct_logins_succeed() {
    for failures in [0, 4, 9] {
        let server = server();
        server.fail(&anna(), 0..failures, NOON);
        assert_eq!(
            server.count_concurrent_logins(&vec![anna(); 12], AttemptOutcome::Succeeded),
            12,
            "after {failures} failures"
        );
    }
    let known = server();
    known.try_at(&anna(), AttemptOutcome::Succeeded, NOON);
    assert_eq!(known.count_concurrent_logins(&vec![anna(); 60], AttemptOutcome::Succeeded), 60);
    assert_eq!(known.count_concurrent_logins(&vec![anna_by_proof(1, 2); 12], AttemptOutcome::Succeeded), 12);
    let everybody: Vec<_> = (0..120).map(neighbor).collect();
    assert_eq!(
        server().count_concurrent_logins(&everybody, AttemptOutcome::Succeeded),
        120,
        "a whole shop behind one address"
    );
}

#[test]
fn burst_gets_no_more_guesses_than_sequence() {
    let guesses =
        |of: &dyn Fn(u16) -> LoginAttempt| (0..100).map(|number| guessing(&of(number), &number)).collect::<Vec<_>>();
    assert_eq!(
        server().count_concurrent_logins(&guesses(&|_| anna()), AttemptOutcome::Failed),
        10,
        "of one account in one network"
    );
    assert_eq!(server().count_concurrent_logins(&guesses(&anna_from), AttemptOutcome::Failed), 10, "and in many");
    assert_eq!(
        server().count_concurrent_logins(&guesses(&|_| anna_by_proof(1, 1)), AttemptOutcome::Failed),
        5,
        "by one proof"
    );
    let spread = guesses(&|number| neighbor(u8::try_from(number).unwrap()));
    assert_eq!(server().count_concurrent_logins(&spread, AttemptOutcome::Failed), 50, "of one network");
    let known = server();
    known.try_at(&anna(), AttemptOutcome::Succeeded, NOON);
    assert_eq!(known.count_concurrent_logins(&guesses(&|_| anna()), AttemptOutcome::Failed), 50, "where it is known");
}

/// Of one wrong password that many try at once, one counts.
#[test]
fn concurrent_identical_wrong_passwords_take_one_token() {
    let server = server();
    assert_eq!(server.count_concurrent_logins(&vec![guessing(&anna(), "old"); 50], AttemptOutcome::Failed), 50);
    server.fail(&anna(), 0..9, NOON);
    assert_eq!(server.retry_after(&anna(), NOON), 16 * MINUTE);
}

#[test]
fn processes_share_counts() {
    let store: Arc<dyn Store<AuthPorts>> = Arc::new(TestStore::new());
    let (one, other) = (over(Arc::clone(&store)), over(store));
    let charges: Vec<Charge> = (0..10).map(|_| one.admit(&anna(), NOON)).collect();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| other.login(&anna(), AttemptOutcome::Succeeded, NOON));
        while other.turns.waiting_count() == 0 {
            thread::yield_now();
        }
        for charge in &charges {
            one.settle(charge, AttemptOutcome::Withdrawn, NOON);
        }
        // The other process is not notified; it retries by itself.
        assert!(waiting.join().unwrap().is_some());
    });
}

/// A turn in the line with this number, for a known or unknown client, from the network with this
/// number.
fn turn(line: u8, lane: Lane, network: u8) -> Turn {
    Turn { key: CountKey([line; 32]), lane, address: Some([192, 0, network, 1].into()) }
}

#[test]
fn login_queue_is_bounded() {
    let turns = LoginQueue::new(2);
    let (one, other) = (turn(1, Lane::Known, 1), turn(2, Lane::Known, 1));
    let mut spots = [turns.new_slot(), turns.new_slot(), turns.new_slot()];
    let [first, second, third] = &mut spots;
    assert_eq!(first.wait(&one, Duration::ZERO), Ok(()));
    assert_eq!(second.wait(&other, Duration::ZERO), Ok(()));
    assert_eq!(second.wait(&one, Duration::ZERO), Ok(()), "from one line into another");
    assert_eq!(third.wait(&one, Duration::ZERO), Err(QueueFull));
    assert_eq!(turns.waiting_count(), 2);
    drop(spots);
    assert_eq!(turns.waiting_count(), 0);
}

#[test]
fn strangers_leave_half_of_the_lines_and_make_room_for_each_other_and_for_known_ones() {
    let turns = LoginQueue::new(4);
    let wait = |spot: &mut QueueSlot<'_>, turn| spot.wait(&turn, Duration::ZERO);
    let mut spots: [_; 7] = std::array::from_fn(|_| turns.new_slot());
    let [first, second, third, other, known, also, last] = &mut spots;
    assert_eq!(wait(first, turn(1, Lane::Stranger, 1)), Ok(()));
    assert_eq!(wait(second, turn(2, Lane::Stranger, 1)), Ok(()));
    assert_eq!(wait(third, turn(3, Lane::Stranger, 1)), Err(QueueFull), "half is theirs");
    assert_eq!(wait(other, turn(2, Lane::Stranger, 2)), Ok(()), "another network has none");
    assert_eq!(
        wait(second, turn(2, Lane::Stranger, 1)),
        Err(QueueFull),
        "the newest of the network that had two made room"
    );
    assert_eq!(wait(known, turn(4, Lane::Known, 3)), Ok(()));
    assert_eq!(wait(also, turn(5, Lane::Known, 3)), Ok(()));
    assert_eq!(wait(last, turn(6, Lane::Known, 3)), Ok(()), "a stranger made room");
    assert_eq!((wait(first, turn(1, Lane::Stranger, 1)), turns.waiting_count()), (Ok(()), 4));
    assert_eq!(wait(other, turn(2, Lane::Stranger, 2)), Err(QueueFull));
    drop(spots);
    assert_eq!(turns.waiting_count(), 0);
}

#[test]
fn canceled_caller_stops_waiting_for_turn() {
    let (turns, cancellation) = (LoginQueue::new(2), Cancellation::default());
    let mut before = turns.new_slot();
    before.wait(&turn(1, Lane::Known, 1), Duration::ZERO).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let _entered = cancellation.enter();
            turns.new_slot().wait(&turn(1, Lane::Known, 1), Duration::from_hours(1)).unwrap();
        });
        while turns.waiting_count() < 2 {
            thread::yield_now();
        }
        cancellation.cancel();
        waiting.join().unwrap();
    });
}

#[test]
fn second_waiter_wakes_when_first_leaves() {
    let turns = LoginQueue::new(9);
    let key = turn(1, Lane::Known, 1);
    let mut first = turns.new_slot();
    first.wait(&key, Duration::ZERO).unwrap();
    thread::scope(|scope| {
        let second = scope.spawn(|| {
            let mut spot = turns.new_slot();
            spot.wait(&key, Duration::from_hours(1)).unwrap();
        });
        while turns.waiting_count() < 2 {
            thread::yield_now();
        }
        drop(first);
        second.join().unwrap();
    });
}

#[derive(Clone, Copy, Debug)]
enum ThrottleStep {
    Ask,
    /// The admitted guess that is this many before the newest turns out to be wrong.
    Fail(usize),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<ThrottleStep>> {
    let step = prop_oneof![
        4 => Just(ThrottleStep::Ask),
        3 => (0..6_usize).prop_map(ThrottleStep::Fail),
        1 => (0..5000_u64).prop_map(ThrottleStep::Pass),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn interleavings_get_no_more_guesses_than_sequence(steps in steps()) {
        let server = server();
        let (mut passed, mut guesses, mut open) = (0, 0_u64, VecDeque::new());
        for step in steps {
            let now = NOON.saturating_add(Duration::from_millis(passed));
            match step {
                ThrottleStep::Ask => if let Admission::Admitted(charge) = server.open_charge(&guessing(&anna_by_proof(1, 1), &guesses), now) {
                    guesses += 1;
                    open.push_front(charge);
                },
                ThrottleStep::Fail(nth) => if let Some(charge) = open.remove(nth) {
                    server.settle(&charge, AttemptOutcome::Failed, now);
                },
                ThrottleStep::Pass(millis) => passed += millis,
            }
            // Sequential guesses get five at once, and one every five seconds.
            prop_assert!(guesses <= 5 + passed / 5000, "{guesses} within {passed} ms");
        }
    }
}
