//! The contract of a store: every promise of every port and of the unit of work, each a case with a name of its own.
//!
//! [`contract!`](crate::contract!) makes a `#[test]` of each case, on a fresh store each time; [`auth_contract!`](crate::auth_contract!)
//! leaves out the back office. The cases know nothing of how a store is made: they speak to its ports, and to what a
//! [`Bench`](crate::Bench) hands them.

pub mod api_keys;
pub mod attempts;
pub mod audit_lines;
mod authentication;
pub mod credentials;
pub mod directory;
pub mod endings;
pub mod feed;
pub mod idempotency_keys;
pub mod instances;
pub mod keys;
pub mod meetings;
mod office;
pub mod office_devices;
pub mod office_directory;
pub mod office_passwords;
pub mod office_roles;
pub mod places;
pub mod resets;
pub mod row_meetings;
pub mod seals;
pub mod session_lists;
pub mod sessions;
pub mod signatures;
pub mod ticket_lists;
pub mod tickets;
pub mod user_search;
pub mod work;

use std::time::Duration;

use tillgate_auth_core::ports::{Bucket, CountKey};

use crate::shop::at;

/// What buckets, guesses and places are kept under, by number.
fn digest(number: u8) -> CountKey {
    CountKey([number; 32])
}

/// The bucket that nothing was ever taken from.
fn full() -> Bucket {
    Bucket::default()
}

/// The bucket after a token was taken so many seconds after the start: it is full ten seconds later.
fn taken(from: &Bucket, seconds: u64) -> Bucket {
    let full_at = from.full_at.max(at(seconds)).after(Duration::from_secs(10));
    Bucket { full_at, open: from.open + 1, opened_at: Some(at(seconds)), barred_until: from.barred_until }
}

/// Cases of one module, each a test.
#[doc(hidden)]
#[macro_export]
macro_rules! cases {
    ($open:expr, $subject:ident, $module:ident, [$($case:ident),* $(,)?]) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;

            $(
                #[test]
                fn $case() {
                    let subject: $crate::$subject = ($open)().into();
                    $crate::contract::$module::$case(&subject);
                }
            )*
        }
    };
}
