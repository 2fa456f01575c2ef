//! The ports, each once for both databases.
//!
//! What can lose a race is one conditional UPDATE, and its count is the answer. Where the two databases differ, which is in the
//! feed's positions and in the order of row locks, the port says why.
//!
//! What is looked up by a unique key is asked for by `get_result`, not by `first`: that adds a `MAX_START_MILLIS` with a bound value, and
//! SQLite prepares a statement anew each time such a value is bound.

mod api_keys;
mod attempts;
mod audit;
mod credentials;
mod devices;
mod events;
mod feed;
mod idempotency_keys;
pub(crate) mod instances;
mod keys;
mod known_networks;
mod nodes;
mod resets;
mod revocations;
mod roles;
mod seals;
mod sessions;
mod tenants;
mod tickets;
mod users;

use diesel::result::{DatabaseErrorKind, Error};
use tillgate_domain::{FoldedText, StoreError};

use crate::error_class::classify;

/// Reads the error of an update that was guarded against taken names: where one was taken in the meantime all the same, another
/// unit of work was in the way, and this one runs again and sees it.
fn unique_violation_as_conflict(error: Error) -> StoreError {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
            StoreError::Conflict(info.message().to_owned())
        }
        other => classify(other),
    }
}

/// Reads the error of a statement that gives or removes a role: where the role or its holder has come or gone in the meantime,
/// another unit of work was in the way, and this one runs again and sees it.
fn foreign_key_violation_as_conflict(error: Error) -> StoreError {
    match error {
        Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, info) => {
            StoreError::Conflict(info.message().to_owned())
        }
        other => classify(other),
    }
}

/// What a name is looked up by, one after the other: the key that it has kept where the newer one was another's, then the newer.
fn lookup_keys(name: &FoldedText) -> impl Iterator<Item = &str> {
    name.legacy_key().into_iter().chain([name.as_str()])
}

/// How many rows a sweep removed.
fn removed_rows(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}
