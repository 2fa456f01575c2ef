//! The text of a failed test case: the promise, what was found instead, and the last calls of the
//! store. A case that does not end reports the same while it runs.
//!
//! The cases use the `assert!`, `assert_eq!` and `assert_ne!` of this module, which also quote the
//! asserted expression: `0 != 1` alone would not help the author of a store.

use std::any::Any;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::AuthStoreHarness;
use crate::rendezvous::ThreadSignal;

/// The time after which a case that still runs reports its promise and the last calls.
const HANG_TIMEOUT: Duration = Duration::from_mins(1);

/// Like [`std::assert!`], but quotes the condition even if a message is given.
macro_rules! assert {
    ($condition:expr $(,)?) => {
        $crate::assertion::assert!($condition, "")
    };
    ($condition:expr, $($message:tt)+) => {
        match $condition {
            is_true => {
                if !is_true {
                    let at = concat!(file!(), ":", line!());
                    $crate::assertion::fail_assertion(stringify!($condition), &format!($($message)+), " is false", at);
                }
            }
        }
    };
}

/// Like [`std::assert_eq!`], but also quotes the first expression. The first value is the one
/// found, the second the one expected.
macro_rules! assert_eq {
    ($found:expr, $expected:expr $(,)?) => {
        $crate::assertion::assert_eq!($found, $expected, "")
    };
    ($found:expr, $expected:expr, $($message:tt)+) => {
        match (&$found, &$expected) {
            (found, expected) => {
                if !(*found == *expected) {
                    let values = format!("\n  expected: {expected:?}\n  found:    {found:?}");
                    let at = concat!(file!(), ":", line!());
                    $crate::assertion::fail_assertion(stringify!($found), &format!($($message)+), &values, at);
                }
            }
        }
    };
}

/// Like [`std::assert_ne!`], but also quotes the first expression.
macro_rules! assert_ne {
    ($found:expr, $other:expr $(,)?) => {
        $crate::assertion::assert_ne!($found, $other, "")
    };
    ($found:expr, $other:expr, $($message:tt)+) => {
        match (&$found, &$other) {
            (found, other) => {
                if *found == *other {
                    let values = format!("\n  expected: anything but {other:?}\n  found:    {found:?}");
                    let at = concat!(file!(), ":", line!());
                    $crate::assertion::fail_assertion(stringify!($found), &format!($($message)+), &values, at);
                }
            }
        }
    };
}
pub(crate) use {assert, assert_eq, assert_ne};

/// Panics with the quoted expression, the case's own message, and the values or `is false`.
pub(crate) fn fail_assertion(expression: &str, message: &str, values: &str, at: &str) -> ! {
    let message = if message.is_empty() { String::new() } else { format!(" ({message})") };
    let expression = expression.split_whitespace().collect::<Vec<_>>().join(" ");
    panic!("at {at}: `{expression}`{message}{values}")
}

/// Runs a case. If it panics, panics with its promise, what was found, and the last calls of the
/// store.
pub(crate) fn run_case<S: AsRef<AuthStoreHarness>>(case: &str, promise: &str, subject: &S, run: fn(&S)) {
    let harness = subject.as_ref();
    let report_hang = || {
        let (calls, seconds) = (harness.format_calls(), HANG_TIMEOUT.as_secs());
        // `eprintln!` would be captured until the case ends
        let _ = writeln!(
            std::io::stderr(),
            "{case} has not ended after {seconds} s: does the store wait without a deadline, perhaps for its own thread?\npromise: {promise}\nthe last calls of the store:\n{calls}"
        );
    };
    let outcome = run_watched(|| catch_unwind(AssertUnwindSafe(|| run(subject))), HANG_TIMEOUT, report_hang);
    let Err(panic) = outcome else { return };
    let calls = harness.format_calls();
    panic!(
        "the store does not keep the promise of {case}\npromise: {promise}\nfound: {}\nthe last calls of the store:\n{calls}",
        panic_text(panic.as_ref())
    );
}

/// Runs `work`, which does not panic, and calls `report` if it has not ended after `timeout`.
fn run_watched<T>(work: impl FnOnce() -> T, timeout: Duration, report: impl FnOnce() + Send) -> T {
    let ended = ThreadSignal::default();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            if !ended.wait_timeout(timeout) {
                report();
            }
        });
        let result = work();
        ended.set();
        result
    })
}

/// The message of a panic.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text")
}

/// The documentation of a case in the source of its module, joined to one line.
pub(crate) fn read_promise(source: &str, case: &str) -> Option<String> {
    let (before, _) = source.split_once(&format!("\npub fn {case}("))?;
    let lines = before.lines().rev().map_while(|line| line.strip_prefix("/// ")).collect::<Vec<_>>();
    (!lines.is_empty()).then(|| lines.into_iter().rev().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_that_does_not_end_is_reported() {
        let reported = ThreadSignal::default();
        run_watched(|| reported.wait(), Duration::ZERO, || reported.set());
    }

    #[test]
    fn case_that_ends_is_not_reported() {
        let result = run_watched(|| 7, Duration::MAX, || panic!("reported"));
        assert_eq!(result, 7);
    }
}
