//! What a failure of the contract says: the promise, what was found instead, and what the store was asked and answered.
//!
//! The cases use `assert!`, `assert_eq!` and `assert_ne!` of this file, which quote what they asked: a case that ends with `0 1`
//! tells an author of a store nothing.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::AuthStoreHarness;

/// [`std::assert!`], which also quotes its condition where a message is given.
macro_rules! assert {
    ($condition:expr $(,)?) => {
        $crate::assertion::assert!($condition, "")
    };
    ($condition:expr, $($message:tt)+) => {
        match $condition {
            holds => {
                if !holds {
                    let at = concat!(file!(), ":", line!());
                    $crate::assertion::fail_assertion(stringify!($condition), &format!($($message)+), " is false", at);
                }
            }
        }
    };
}

/// [`std::assert_eq!`], which also quotes what was asked. What was found comes first, what is expected second.
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

/// [`std::assert_ne!`], which also quotes what was asked.
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

/// Fails with what was asked, the case's own words on it, and the values, or that it is false.
pub(crate) fn fail_assertion(asked: &str, message: &str, values: &str, at: &str) -> ! {
    let message = if message.is_empty() { String::new() } else { format!(" ({message})") };
    let asked = asked.split_whitespace().collect::<Vec<_>>().join(" ");
    panic!("at {at}: `{asked}`{message}{values}")
}

/// Runs a case. If it fails, fails with its promise, what was found, and the last calls of the store.
pub(crate) fn run_case<S: AsRef<AuthStoreHarness>>(case: &str, promise: &str, subject: &S, run: fn(&S)) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(subject))) else { return };
    let calls = subject.as_ref().format_calls();
    panic!(
        "the store does not keep the promise of {case}\npromise: {promise}\nfound: {}\nthe last calls of the store:\n{calls}",
        panic_text(panic.as_ref())
    );
}

/// What a panic says.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text")
}

/// The documentation of a case in the source of its module: the promise, in one line.
pub(crate) fn read_promise(source: &str, case: &str) -> Option<String> {
    let (before, _) = source.split_once(&format!("\npub fn {case}("))?;
    let lines = before.lines().rev().map_while(|line| line.strip_prefix("/// ")).collect::<Vec<_>>();
    (!lines.is_empty()).then(|| lines.into_iter().rev().collect::<Vec<_>>().join(" "))
}
