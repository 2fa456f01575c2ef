//! The text of a failed test case: the promise, what was found instead, and the last calls of the
//! store.
//!
//! The cases use the `assert!`, `assert_eq!` and `assert_ne!` of this module, which also quote the
//! asserted expression: `0 != 1` alone would not help the author of a store.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::AuthStoreHarness;

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
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(subject))) else { return };
    let calls = subject.as_ref().format_calls();
    panic!(
        "the store does not keep the promise of {case}\npromise: {promise}\nfound: {}\nthe last calls of the store:\n{calls}",
        panic_text(panic.as_ref())
    );
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
