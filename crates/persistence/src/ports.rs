//! The ports, each implemented once for both databases.
//!
//! Whatever can lose a race is one conditional UPDATE, and the number of updated rows is the
//! result. Where the databases differ (the positions in the feed, the order of row locks), the
//! port's module says why.
//!
//! A row with a unique key is read with `get_result`, not with `first`: `first` adds a `LIMIT` with
//! a bound value, and SQLite prepares a statement again each time such a value is bound.

mod api_keys;
mod attempts;
mod audit;
mod credentials;
mod device_keys;
mod devices;
mod email_verifications;
mod enrollments;
mod events;
mod feed;
mod idempotency_keys;
pub(crate) mod instances;
mod invitations;
mod keys;
mod known_networks;
mod live_events;
mod mail_queue;
mod nodes;
mod pending_keys;
mod pins;
mod resets;
mod revocations;
mod roles;
mod seals;
mod sessions;
mod setup_tokens;
mod tenants;
mod tickets;
mod users;

use diesel::result::{DatabaseErrorKind, Error};
use tillgate_domain::{FoldedText, StoreError};

use crate::error_class::classify;

/// Classifies the error of an update whose condition excludes names in use. If another unit of work
/// has taken the name in the meantime, this is a conflict, and the unit of work runs again and
/// finds it.
fn unique_violation_as_conflict(error: Error) -> StoreError {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
            StoreError::Conflict(info.message().to_owned())
        }
        other => classify(other),
    }
}

/// Classifies the error of a statement that assigns or removes a role or a store. If the role, the
/// store or its holder was added or removed in the meantime, this is a conflict, and the unit of
/// work runs again and finds it.
fn foreign_key_violation_as_conflict(error: Error) -> StoreError {
    match error {
        Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, info) => {
            StoreError::Conflict(info.message().to_owned())
        }
        other => classify(other),
    }
}

/// Classifies the error of a write that depends on names and on other rows, as the two functions
/// above do.
fn violation_as_conflict(error: Error) -> StoreError {
    match error {
        Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => foreign_key_violation_as_conflict(error),
        other => unique_violation_as_conflict(other),
    }
}

/// The keys by which a name is looked up, in order: the key of an earlier folding, which a row
/// keeps if the newer key belongs to another row, then the newer key.
fn lookup_keys(name: &FoldedText) -> impl Iterator<Item = &str> {
    name.legacy_key().into_iter().chain([name.as_str()])
}

/// The number of rows that a sweep has removed.
fn removed_rows(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}
