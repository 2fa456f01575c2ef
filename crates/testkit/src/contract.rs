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

use crate::{Bench, failure};
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

macro_rules! sources {
    ($($module:ident),* $(,)?) => {
        &[$((stringify!($module), include_str!(concat!("contract/", stringify!($module), ".rs")))),*]
    };
}

/// The source of each module of cases: what documents a case is the promise that its failure quotes.
const SOURCES: &[(&str, &str)] = sources![
    api_keys,
    attempts,
    audit_lines,
    credentials,
    directory,
    endings,
    feed,
    idempotency_keys,
    instances,
    keys,
    meetings,
    office_devices,
    office_directory,
    office_passwords,
    office_roles,
    places,
    resets,
    row_meetings,
    seals,
    session_lists,
    sessions,
    signatures,
    ticket_lists,
    tickets,
    user_search,
    work,
];

/// Runs a case, whose failure says what was promised and what the store was asked and answered.
#[doc(hidden)]
pub fn prove<S: AsRef<Bench>>(module: &str, case: &str, subject: &S, run: fn(&S)) {
    let source = SOURCES.iter().find(|(name, _)| *name == module).map(|(_, source)| *source);
    let promise = source.and_then(|source| failure::promise(source, case)).unwrap_or_default();
    failure::prove(&format!("{module}::{case}"), &promise, subject, run);
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
                    let run = $crate::contract::$module::$case;
                    $crate::contract::prove(stringify!($module), stringify!($case), &subject, run);
                }
            )*
        }
    };
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_case_has_a_promise_that_its_failure_quotes() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                let Some((case, _)) = line.strip_prefix("pub fn ").and_then(|rest| rest.split_once('(')) else {
                    continue;
                };
                let source = SOURCES.iter().find(|(name, _)| *name == module);
                let promise = source.and_then(|(_, source)| failure::promise(source, case));
                assert!(promise.is_some_and(|promise| promise.ends_with('.')), "{module}::{case}");
            }
        }
    }
}
