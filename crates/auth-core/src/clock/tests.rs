//! The timekeeper with a manual clock.

use std::sync::atomic::AtomicUsize;

use super::*;

const NOON: Instant = Instant::from_millis(1_800_014_400_000);
const MINUTE: Duration = Duration::from_mins(1);

/// Clocks that move only when the test moves them.
#[derive(Default)]
struct ManualClock {
    wall: AtomicI64,
    boot: AtomicI64,
    /// The number of readings of the wall clock that are interrupted by a pause of two minutes.
    pauses: AtomicUsize,
}

impl ManualClock {
    fn at_noon() -> Arc<Self> {
        Arc::new(Self { wall: AtomicI64::new(NOON.millis()), boot: AtomicI64::new(1), ..Self::default() })
    }

    fn pass(&self, span: Duration) {
        self.wall.fetch_add(millis(span), Ordering::SeqCst);
        self.boot.fetch_add(millis(span), Ordering::SeqCst);
    }

    fn set(&self, wall: Instant) {
        self.wall.store(wall.millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        let pause = self.pauses.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if pause {
            self.pass(2 * MINUTE);
        }
        Instant::from_millis(self.wall.load(Ordering::SeqCst))
    }

    fn since_boot(&self) -> Duration {
        Duration::from_millis(self.boot.load(Ordering::SeqCst).unsigned_abs())
    }

    fn monotonic(&self) -> Duration {
        self.since_boot()
    }
}

fn trusted(at: Instant) -> Time {
    Time { at, in_doubt: false }
}

fn doubtful(at: Instant) -> Time {
    Time { at, in_doubt: true }
}

#[test]
fn time_advances_while_clock_is_in_doubt() {
    let hands = ManualClock::at_noon();
    let keeper = Timekeeper::start(hands.clone(), None, None);
    assert_eq!(keeper.now(), trusted(NOON));
    hands.set(NOON.saturating_add(Duration::from_hours(1000)));
    assert_eq!(keeper.now(), doubtful(NOON));
    hands.pass(9 * MINUTE);
    assert_eq!(keeper.now(), doubtful(NOON.saturating_add(9 * MINUTE)));
    hands.pass(MINUTE);
    assert_eq!(keeper.now(), trusted(NOON.saturating_add(Duration::from_hours(1000) + 10 * MINUTE)));
    assert_eq!(
        keeper.now(),
        trusted(NOON.saturating_add(Duration::from_hours(1000) + 10 * MINUTE)),
        "and from then on"
    );
}

#[test]
fn accepted_clock_is_trusted() {
    let hands = ManualClock::at_noon();
    let keeper = Timekeeper::start(hands.clone(), Some(NOON.saturating_add(5 * MINUTE)), None);
    assert_eq!(keeper.now(), doubtful(NOON.saturating_add(5 * MINUTE)));
    keeper.accept();
    assert_eq!(keeper.now(), trusted(NOON));
    hands.set(NOON.saturating_sub(5 * MINUTE));
    assert_eq!(keeper.now(), doubtful(NOON), "a later move is another matter");
}

#[test]
fn steady_time_counts_from_last_trusted_clock() {
    let hands = ManualClock::at_noon();
    let keeper = Timekeeper::start(hands.clone(), None, None);
    hands.pass(5 * MINUTE);
    hands.set(NOON.saturating_add(5 * MINUTE + Duration::from_secs(59)));
    assert_eq!((keeper.now().in_doubt, keeper.confidence().steady_for), (false, 5 * MINUTE), "a small move");
    hands.set(NOON.saturating_add(Duration::from_hours(9)));
    assert!(keeper.now().in_doubt && keeper.origin().is_none());
    hands.pass(10 * MINUTE);
    assert_eq!((keeper.now().in_doubt, keeper.confidence().steady_for), (false, Duration::ZERO));
    assert_eq!(
        keeper.origin(),
        Some(NOON.saturating_add(Duration::from_hours(9)).saturating_sub(Duration::from_millis(1) + 5 * MINUTE))
    );
    hands.pass(MINUTE);
    assert_eq!(keeper.confidence().steady_for, MINUTE);
}

#[test]
fn small_clock_moves_are_followed() {
    let hands = ManualClock::at_noon();
    let keeper = Timekeeper::start(hands.clone(), None, None);
    for step in 1..=100 {
        let at = NOON.saturating_add(step * Duration::from_secs(50));
        hands.set(at);
        assert_eq!(keeper.now(), trusted(at), "step {step}, in all far over a minute");
    }
}

#[test]
fn pause_between_readings_is_no_move() {
    let hands = ManualClock::at_noon();
    let keeper = Timekeeper::start(hands.clone(), None, None);
    hands.pauses.store(2, Ordering::SeqCst);
    assert_eq!(keeper.now(), trusted(NOON.saturating_add(4 * MINUTE)));
    assert_eq!(hands.pauses.load(Ordering::SeqCst), 0, "both pauses happened");
    hands.pauses.store(1, Ordering::SeqCst);
    let other = Timekeeper::start(hands.clone(), None, None);
    assert_eq!(other.now(), keeper.now(), "nor at start");
}

#[test]
fn threads_see_the_same_time() {
    let hands = ManualClock::at_noon();
    let keeper = Arc::new(Timekeeper::start(hands.clone(), None, None));
    hands.set(NOON.saturating_sub(Duration::from_hours(1)));
    let all: Vec<_> = (0..8)
        .map(|_| {
            let keeper = keeper.clone();
            std::thread::spawn(move || (0..200).map(|_| keeper.now()).collect::<Vec<_>>())
        })
        .collect();
    for thread in all {
        for time in thread.join().unwrap() {
            assert_eq!(time, doubtful(NOON));
        }
    }
}
