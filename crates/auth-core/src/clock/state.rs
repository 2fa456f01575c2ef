//! The rule by which the wall clock is trusted: a pure function over readings of the clocks.

use tillgate_domain::Instant;

use super::Time;

/// The greatest deviation of a clock that is right; more is a move.
const MAX_DRIFT_MILLIS: i64 = 60_000;

/// How long a wall clock must be steady before it is trusted again.
const TRIAL_PERIOD_MILLIS: i64 = 600_000;

/// Readings of both clocks at one moment, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClockReading {
    /// Milliseconds since the Unix epoch.
    pub(super) wall: i64,
    /// Milliseconds since the machine started.
    pub(super) boot: i64,
}

impl ClockReading {
    /// The instant at which the machine started, if the wall clock is right.
    pub(super) fn origin(self) -> i64 {
        self.wall.saturating_sub(self.boot)
    }
}

/// Why the wall clock is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DoubtReason {
    /// It moved against boot time, while the process ran or before it started.
    Moved,
    /// It was behind the store at the start.
    Behind,
}

/// A wall clock that is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClockDoubt {
    pub(super) reason: DoubtReason,
    /// The instant of the machine's start according to this wall clock.
    origin: i64,
    /// Since when, in boot time, it has said so.
    since: i64,
}

/// What is known of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClockState {
    /// The trusted instant of the machine's start.
    pub(super) agreed_origin: i64,
    /// Since when, in boot time, it has been trusted, apart from small moves.
    pub(super) agreed_since: i64,
    pub(super) doubt: Option<ClockDoubt>,
}

impl ClockState {
    /// The state at the start: the wall clock is trusted unless it is behind the newest instant of
    /// the store, or was set since another process on this machine trusted it.
    pub(super) fn start(first: ClockReading, newest: Option<Instant>, origin: Option<Instant>) -> Self {
        let newest = newest.map(|newest| newest.millis().saturating_sub(first.boot));
        let origin = origin.map(Instant::millis);
        let reason = if newest.is_some_and(|newest| newest.saturating_sub(first.origin()) > MAX_DRIFT_MILLIS) {
            DoubtReason::Behind
        } else if origin.is_some_and(|origin| differs_too_much(origin, first.origin())) {
            DoubtReason::Moved
        } else {
            return Self { agreed_origin: first.origin(), agreed_since: first.boot, doubt: None };
        };
        let moved = origin.filter(|_| reason == DoubtReason::Moved);
        Self {
            agreed_origin: newest.max(moved).unwrap_or_else(|| first.origin()),
            agreed_since: first.boot,
            doubt: Some(ClockDoubt { reason, origin: first.origin(), since: first.boot }),
        }
    }

    /// Processes a reading and returns the current time.
    pub(super) fn step(&mut self, reading: ClockReading) -> Time {
        let origin = reading.origin();
        match &mut self.doubt {
            None if !differs_too_much(origin, self.agreed_origin) => self.agreed_origin = origin,
            None => self.doubt = Some(ClockDoubt { reason: DoubtReason::Moved, origin, since: reading.boot }),
            Some(doubt) if doubt.is_resolved(origin, self.agreed_origin) => self.accept(reading),
            Some(doubt) => {
                if differs_too_much(origin, doubt.origin) {
                    doubt.since = reading.boot;
                }
                doubt.origin = origin;
                if reading.boot.saturating_sub(doubt.since) >= TRIAL_PERIOD_MILLIS {
                    self.accept(reading);
                }
            }
        }
        Time {
            at: Instant::from_millis(self.agreed_origin.saturating_add(reading.boot)),
            in_doubt: self.doubt.is_some(),
        }
    }

    /// Trusts the wall clock as it is.
    pub(super) fn accept(&mut self, reading: ClockReading) {
        *self = Self { agreed_origin: reading.origin(), agreed_since: reading.boot, doubt: None };
    }
}

impl ClockDoubt {
    fn is_resolved(&self, origin: i64, agreed: i64) -> bool {
        match self.reason {
            DoubtReason::Moved => !differs_too_much(origin, agreed),
            // A process that started now would trust this clock.
            DoubtReason::Behind => agreed.saturating_sub(origin) <= MAX_DRIFT_MILLIS,
        }
    }
}

fn differs_too_much(one: i64, other: i64) -> bool {
    one.saturating_sub(other).saturating_abs() > MAX_DRIFT_MILLIS
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    /// The wall clock at boot in every case.
    const BORN: i64 = 1_800_000_000_000;

    /// One reading, in minutes: the boot time, the offset of the wall clock, and the expected time
    /// (as a distance from boot time) and doubt.
    type Row = (i64, i64, i64, bool);

    fn run(name: &str, newest: Option<i64>, rows: &[Row]) {
        run_after(name, newest, None, rows);
    }

    /// A run after another process had trusted a clock with this offset in minutes.
    fn run_after(name: &str, newest: Option<i64>, before: Option<i64>, rows: &[Row]) {
        let reading = |boot, off| ClockReading { wall: BORN + (boot + off) * MINUTE, boot: boot * MINUTE };
        let Some(&(boot, off, ..)) = rows.first() else { panic!("{name}: no rows") };
        let newest = newest.map(|minutes| Instant::from_millis(BORN + minutes * MINUTE));
        let before = before.map(|off| Instant::from_millis(BORN + off * MINUTE));
        let mut keeping = ClockState::start(reading(boot, off), newest, before);
        for (index, &(boot, off, ahead, in_doubt)) in rows.iter().enumerate() {
            let time = keeping.step(reading(boot, off));
            let expected = Time { at: Instant::from_millis(BORN + (boot + ahead) * MINUTE), in_doubt };
            assert_eq!(time, expected, "{name}, row {index}");
        }
    }

    #[test]
    fn wall_clock_is_trusted_by_table_of_rules() {
        let cases: &[(&str, Option<i64>, &[Row])] = &[
            ("in step", None, &[(5, 0, 0, false), (6, 0, 0, false), (900, 0, 0, false)]),
            ("a minute is no move", None, &[(5, 0, 0, false), (6, 1, 1, false), (7, 2, 2, false), (8, 1, 1, false)]),
            ("forward", None, &[(5, 0, 0, false), (6, 90, 0, true), (15, 90, 0, true), (16, 90, 90, false)]),
            ("backward", None, &[(5, 0, 0, false), (6, -90, 0, true), (15, -90, 0, true), (16, -90, -90, false)]),
            (
                "and back again",
                None,
                &[(5, 0, 0, false), (6, 90, 0, true), (8, 0, 0, false), (9, 90, 0, true), (18, 90, 0, true)],
            ),
            (
                "a second move starts a new measurement",
                None,
                &[
                    (5, 0, 0, false),
                    (6, 90, 0, true),
                    (14, 9000, 0, true),
                    (23, 9000, 0, true),
                    (24, 9000, 9000, false),
                ],
            ),
            (
                "a small one does not",
                None,
                &[(5, 0, 0, false), (6, 90, 0, true), (14, 91, 0, true), (16, 91, 91, false)],
            ),
            (
                "unread for a day",
                None,
                &[(5, 0, 0, false), (2000, 0, 0, false), (4000, 90, 0, true), (4010, 90, 90, false)],
            ),
            ("start after the newest", Some(-500), &[(5, 0, 0, false)]),
            ("start a minute behind", Some(6), &[(5, 0, 0, false)]),
            (
                "start further behind",
                Some(25),
                &[(5, 0, 20, true), (14, 0, 20, true), (15, 0, 0, false), (16, 0, 0, false)],
            ),
            ("set right after start", Some(25), &[(5, 0, 20, true), (6, 300, 300, false), (7, 300, 300, false)]),
            (
                "set nearly right",
                Some(25),
                &[(5, 0, 20, true), (6, 18, 20, true), (15, 18, 20, true), (16, 18, 18, false)],
            ),
            ("set nearly right, to the minute", Some(25), &[(5, 0, 20, true), (6, 19, 19, false)]),
            (
                "set still worse",
                Some(25),
                &[(5, 0, 20, true), (6, -300, 20, true), (15, -300, 20, true), (16, -300, -300, false)],
            ),
            (
                "the newest is absurd",
                Some(60 * 24 * 36_500),
                &[(0, 0, 60 * 24 * 36_500, true), (9, 0, 60 * 24 * 36_500, true), (10, 0, 0, false)],
            ),
        ];
        for (name, newest, rows) in cases {
            run(name, *newest, rows);
        }
    }

    #[test]
    fn clock_set_while_no_process_ran_is_in_doubt() {
        const DAY: i64 = 24 * 60;
        let cases: &[(&str, Option<i64>, i64, &[Row])] = &[
            ("as it was", Some(4), 0, &[(5, 0, 0, false)]),
            ("a minute is no move", Some(4), 0, &[(5, 1, 1, false)]),
            ("days ahead", Some(4), 0, &[(5, 8 * DAY, 0, true), (14, 8 * DAY, 0, true), (15, 8 * DAY, 8 * DAY, false)]),
            ("and back again", Some(4), 0, &[(5, 8 * DAY, 0, true), (6, 0, 0, false)]),
            ("an hour ahead", None, 0, &[(5, 60, 0, true), (16, 60, 60, false)]),
            ("behind that process, not behind the store", Some(-500), 0, &[(5, -90, 0, true), (15, -90, -90, false)]),
            ("behind both", Some(4), 0, &[(5, -90, -1, true), (6, 0, 0, false)]),
            ("it was accepted days ahead, and still is", Some(4), 8 * DAY, &[(5, 8 * DAY, 8 * DAY, false)]),
            ("the store has seen later than that process", Some(30), 0, &[(5, 90, 25, true), (15, 90, 90, false)]),
        ];
        for (name, newest, before, rows) in cases {
            run_after(name, *newest, Some(*before), rows);
        }
    }

    #[test]
    fn drift_over_one_minute_is_a_move() {
        for (off, in_doubt) in [(MINUTE, false), (-MINUTE, false), (MINUTE + 1, true), (-MINUTE - 1, true)] {
            let start = Instant::from_millis(BORN + off);
            assert_eq!(
                ClockState::start(ClockReading { wall: BORN, boot: 0 }, None, Some(start)).doubt.is_some(),
                in_doubt
            );
            let mut keeping = ClockState::start(ClockReading { wall: BORN, boot: 0 }, None, None);
            assert_eq!(keeping.step(ClockReading { wall: BORN + HOUR + off, boot: HOUR }).in_doubt, in_doubt, "{off}");
        }
    }

    #[test]
    fn clock_readings_never_overflow() {
        let extremes = [i64::MIN, -1, 0, 1, i64::MAX];
        for wall in extremes {
            for boot in [0, i64::MAX] {
                for newest in extremes {
                    let reading = ClockReading { wall, boot };
                    for origin in [None, Some(Instant::from_millis(i64::MIN)), Some(Instant::from_millis(i64::MAX))] {
                        let mut keeping = ClockState::start(reading, Some(Instant::from_millis(newest)), origin);
                        keeping.step(reading);
                        keeping.step(ClockReading { wall: newest, boot });
                        keeping.accept(reading);
                        assert!(!keeping.step(reading).in_doubt, "{wall} {boot}");
                    }
                }
            }
        }
    }
}
