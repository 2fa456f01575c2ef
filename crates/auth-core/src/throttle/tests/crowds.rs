//! Many at once: threads, processes and every order in which guesses can turn out wrong.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

#[test]
fn twelve_right_logins_at_once_all_succeed() {
    for failures in 0..5 {
        let server = server();
        for _ in 0..failures {
            server.try_at(&anna(), Outcome::Failed, NOON);
        }
        assert_eq!(server.crowd(&vec![anna(); 12], Outcome::Succeeded), 12, "after {failures} failures");
    }
    let known = server();
    known.try_at(&anna(), Outcome::Succeeded, NOON);
    assert_eq!(known.crowd(&vec![anna(); 12], Outcome::Succeeded), 12);
    let everybody: Vec<_> = (0..120).map(|byte| Attempt { who: Claimed::Principal(user(byte)), ..anna() }).collect();
    assert_eq!(server().crowd(&everybody, Outcome::Succeeded), 120, "a whole shop behind one address");
}

#[test]
fn a_burst_gets_no_more_guesses_than_a_queue() {
    assert_eq!(server().crowd(&vec![anna(); 100], Outcome::Failed), 5, "of one principal at one place");
    let spread: Vec<_> = (0..100).map(|byte| Attempt { who: Claimed::Principal(user(byte)), ..anna() }).collect();
    assert_eq!(server().crowd(&spread, Outcome::Failed), 50, "of one address");
    let places: Vec<_> = (0..150).map(anna_on).collect();
    assert_eq!(server().crowd(&places, Outcome::Failed), 100, "of one principal");
}

#[test]
fn two_processes_count_alike() {
    let store: Arc<dyn Store<AuthView>> = Arc::new(Memory::new());
    let (one, other) = (over(Arc::clone(&store)), over(store));
    let charges: Vec<Charge> = (0..5).map(|_| one.admitted(&anna(), NOON)).collect();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| other.login(&anna(), Outcome::Succeeded, NOON));
        while other.turns.waiting() == 0 {
            thread::yield_now();
        }
        for charge in &charges {
            one.settle(charge, Outcome::Withdrawn, NOON);
        }
        // Nobody tells the other process; it asks again by itself.
        assert!(waiting.join().unwrap().is_some());
    });
}

#[test]
fn the_lines_have_an_end() {
    let turns = Turns::new(2);
    let (one, other) = (CountKey([1; 32]), CountKey([2; 32]));
    let mut spots = [turns.spot(), turns.spot(), turns.spot()];
    let [first, second, third] = &mut spots;
    assert_eq!(first.wait(one, Duration::ZERO), Ok(()));
    assert_eq!(second.wait(other, Duration::ZERO), Ok(()));
    assert_eq!(second.wait(one, Duration::ZERO), Ok(()), "from one line into another");
    assert_eq!(third.wait(one, Duration::ZERO), Err(NoRoom));
    assert_eq!(turns.waiting(), 2);
    drop(spots);
    assert_eq!(turns.waiting(), 0);
}

#[test]
fn the_second_of_a_line_is_woken_when_the_first_leaves() {
    let turns = Turns::new(9);
    let key = CountKey([1; 32]);
    let mut first = turns.spot();
    first.wait(key, Duration::ZERO).unwrap();
    thread::scope(|scope| {
        let second = scope.spawn(|| {
            let mut spot = turns.spot();
            spot.wait(key, Duration::from_hours(1)).unwrap();
        });
        while turns.waiting() < 2 {
            thread::yield_now();
        }
        drop(first);
        second.join().unwrap();
    });
}

/// How many guesses somebody gets who guesses one at a time whenever they may, until so many milliseconds have passed.
fn in_a_queue(millis: u64) -> usize {
    let server = server();
    let (mut now, mut guesses) = (NOON, 0);
    loop {
        match server.ask(&anna(), now) {
            Admission::Admitted(charge) => {
                guesses += 1;
                server.settle(&charge, Outcome::Failed, now);
            }
            Admission::Held { retry_after } => now = now.after(retry_after),
            other => panic!("alone: {other:?}"),
        }
        if now.since(NOON) > Duration::from_millis(millis) {
            return guesses;
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask,
    /// The guess that was admitted so many before the newest turns out to be wrong.
    Fail(usize),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Ask),
        3 => (0..6_usize).prop_map(Step::Fail),
        1 => (0..5000_u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_interleaving_gets_more_guesses_than_a_queue(steps in steps()) {
        let server = server();
        let (mut passed, mut guesses, mut open) = (0, 0, VecDeque::new());
        for step in steps {
            let now = NOON.after(Duration::from_millis(passed));
            match step {
                Step::Ask => if let Admission::Admitted(charge) = server.ask(&anna(), now) {
                    guesses += 1;
                    open.push_front(charge);
                },
                Step::Fail(nth) => if let Some(charge) = open.remove(nth) {
                    server.settle(&charge, Outcome::Failed, now);
                },
                Step::Pass(millis) => passed += millis,
            }
            prop_assert!(guesses <= in_a_queue(passed), "{guesses} within {passed} ms");
        }
    }
}
