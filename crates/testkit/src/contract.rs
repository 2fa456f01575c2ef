//! The contract of a store: one test case for every promise of every port and of the unit of work.
//!
//! [`contract!`](crate::contract!) makes a `#[test]` of each case and opens a new store for each;
//! [`auth_contract!`](crate::auth_contract!) leaves out the back office. The cases use only the
//! ports and what an [`AuthStoreHarness`] or a [`StoreHarness`](crate::StoreHarness) provides, so
//! they run on any store. The documentation of a case is the promise that its failure prints.
//!
//! Cases about concurrency interleave two threads between a read and a write, because a store that
//! serializes units of work would hide a missing lock.

pub mod api_keys;
pub mod attempts;
pub mod audit_events;
mod authentication;
pub mod credentials;
pub mod device_keys;
pub mod directory;
pub mod email_verifications;
pub mod enrollments;
pub mod feed;
pub mod idempotency_keys;
pub mod instances;
pub mod invitations;
pub mod keys;
pub mod known_networks;
pub mod live_events;
pub mod mail_queue;
pub mod observers;
mod office;
pub mod office_device_keys;
pub mod office_devices;
pub mod office_directory;
pub mod office_passwords;
pub mod office_roles;
pub mod pending_keys;
pub mod pins;
pub mod races;
pub mod receipt_numbers;
pub mod resets;
pub mod revocations;
pub mod row_races;
pub mod seals;
pub mod session_lists;
pub mod session_uses;
pub mod sessions;
pub mod setup_tokens;
pub mod signatures;
pub mod ticket_lists;
pub mod tickets;
pub mod traversals;
pub mod user_search;
pub mod work;

use std::time::Duration;

use crate::{AuthStoreHarness, assertion};
use tillgate_auth_core::ports::{Bucket, CountKey};

use crate::contract_fixture::after_start;

/// A key for buckets, guesses and networks.
fn count_key(number: u8) -> CountKey {
    CountKey([number; 32])
}

/// A bucket from which no token was ever taken.
fn full_bucket() -> Bucket {
    Bucket::default()
}

/// The bucket after a token was taken `seconds` after the start: it is full 10 seconds later.
fn bucket_after_charge(from: &Bucket, seconds: u64) -> Bucket {
    let full_at = from.full_at.max(after_start(seconds)).saturating_add(Duration::from_secs(10));
    Bucket {
        full_at,
        open_attempts: from.open_attempts + 1,
        opened_at: Some(after_start(seconds)),
        blocked_until: from.blocked_until,
    }
}

macro_rules! sources {
    ($($module:ident),* $(,)?) => {
        &[$((stringify!($module), include_str!(concat!("contract/", stringify!($module), ".rs")))),*]
    };
}

/// The source text of each module of cases, from which a failure reads the promise.
const CASE_SOURCES: &[(&str, &str)] = sources![
    api_keys,
    attempts,
    audit_events,
    credentials,
    device_keys,
    directory,
    email_verifications,
    enrollments,
    revocations,
    feed,
    idempotency_keys,
    instances,
    invitations,
    keys,
    live_events,
    mail_queue,
    pending_keys,
    pins,
    races,
    office_device_keys,
    office_devices,
    office_directory,
    office_passwords,
    office_roles,
    known_networks,
    observers,
    receipt_numbers,
    resets,
    row_races,
    seals,
    session_lists,
    session_uses,
    sessions,
    setup_tokens,
    signatures,
    ticket_lists,
    tickets,
    traversals,
    user_search,
    work,
];

/// Runs a case. A failure prints the promise, what was found, and the last calls of the store.
#[doc(hidden)]
pub fn run_case<S: AsRef<AuthStoreHarness>>(module: &str, case: &str, subject: &S, run: fn(&S)) {
    let source = CASE_SOURCES.iter().find(|(name, _)| *name == module).map(|(_, source)| *source);
    let promise = source.and_then(|source| assertion::read_promise(source, case)).unwrap_or_default();
    assertion::run_case(&format!("{module}::{case}"), &promise, subject, run);
}

/// Makes a `#[test]` of each of these cases of one module.
#[doc(hidden)]
#[macro_export]
macro_rules! cases {
    ($open:expr, $attributes:tt, $subject:ident, $module:ident, [$($case:ident),* $(,)?]) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;

            $($crate::case!($open, $attributes, $subject, $module, $case);)*
        }
    };
}

/// Makes a `#[test]` of a case, with the attribute in the brackets.
#[doc(hidden)]
#[macro_export]
macro_rules! case {
    ($open:expr, [$($attribute:meta)?], $subject:ident, $module:ident, $case:ident) => {
        #[test]
        $(#[$attribute])?
        fn $case() {
            let subject: $crate::$subject = ($open)().into();
            let run = $crate::contract::$module::$case;
            $crate::contract::run_case(stringify!($module), stringify!($case), &subject, run);
        }
    };
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_case_has_a_documented_promise() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                let Some((case, _)) = line.strip_prefix("pub fn ").and_then(|rest| rest.split_once('(')) else {
                    continue;
                };
                let source = CASE_SOURCES.iter().find(|(name, _)| *name == module);
                let promise = source.and_then(|(_, source)| assertion::read_promise(source, case));
                assert!(promise.is_some_and(|promise| promise.ends_with('.')), "{module}::{case}");
            }
        }
    }
}
