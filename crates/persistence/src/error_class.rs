//! What a database error means: come again, run again, or a fault of ours.
//!
//! diesel hands on neither SQLite's extended code nor PostgreSQL's SQLSTATE, only a kind for a few of them and the message. What
//! the kind does not say is read from the message: SQLite's are fixed English texts (`sqlite3ErrStr`, and the one that its code
//! for a missing savepoint uses), PostgreSQL's are English as long as `lc_messages` is, which `postgres.rs` sees to where it may.
//! What is not recognised is a fault, never an absence and never the caller's mistake.
//!
//! `SQLITE_BUSY_SNAPSHOT` has the text of `SQLITE_BUSY`. It cannot arise here: only a transaction that has read before it asks
//! for the write lock meets it, and every writing one here asks at its `BEGIN IMMEDIATE`.

use diesel::result::{DatabaseErrorKind, Error};
use tillgate_domain::StoreError;

/// The connection is gone; nothing of an open transaction on it remains.
pub(crate) const CONNECTION_LOST: &str = "the connection was lost";
/// The database takes no writes: a standby, a read-only file.
pub(crate) const DATABASE_READ_ONLY: &str = "the database is read-only";
/// The disk of the database is full.
pub(crate) const DISK_FULL: &str = "the disk is full";
/// The disk of the database fails.
pub(crate) const DISK_FAILURE: &str = "the disk fails";
/// The file of the database cannot be opened.
pub(crate) const FILE_NOT_OPENABLE: &str = "the database file cannot be opened";
/// A newer program has migrated the database while this one ran.
pub(crate) const MIGRATED: &str = "a newer program has changed the database, and this one would damage it; restart this server with the newer program";
/// The tables were changed under a prepared statement.
pub(crate) const STATEMENT_STALE: &str = "the tables have changed since the statement was prepared";
/// SQLite has undone the whole transaction on its own.
pub(crate) const TRANSACTION_UNDONE: &str = "the transaction was undone by the database";

/// Parts of messages (in small letters) after which the store may be there again in a moment.
const UNAVAILABLE_MESSAGES: &[(&str, &str)] = &[
    // SQLite: BUSY, LOCKED, PROTOCOL, FULL, IOERR, CANTOPEN, NOMEM, INTERRUPT.
    ("database is locked", "the database is locked"),
    ("database table is locked", "the database is locked"),
    ("database schema is locked", "the database is locked"),
    ("locking protocol", "the database is locked"),
    ("database or disk is full", DISK_FULL),
    ("disk i/o error", DISK_FAILURE),
    ("unable to open database", FILE_NOT_OPENABLE),
    ("interrupted", "the statement was interrupted"),
    // PostgreSQL: 57014, 55P03, 53100, 53200, 53300, 57P03, 58030, and a standby that is told to write.
    ("due to statement timeout", "a statement took too long"),
    ("due to lock timeout", "a lock was held too long"),
    ("due to user request", "the statement was cancelled"),
    ("due to conflict with recovery", "the statement was cancelled by the standby"),
    ("could not obtain lock", "a lock was held by another"),
    ("no space left on device", DISK_FULL),
    ("could not extend file", DISK_FAILURE),
    ("could not write to file", DISK_FAILURE),
    ("could not write block", DISK_FAILURE),
    ("could not read block", DISK_FAILURE),
    ("could not fsync file", DISK_FAILURE),
    ("out of memory", "the database is out of memory"),
    ("out of shared memory", "the database is out of memory"),
    ("too many clients", "the database has too many connections"),
    ("too many connections", "the database has too many connections"),
    ("remaining connection slots", "the database has too many connections"),
    ("the database system is", "the database is starting or stopping"),
    ("during recovery", DATABASE_READ_ONLY),
    ("readonly database", DATABASE_READ_ONLY),
    ("in a read-only transaction", DATABASE_READ_ONLY),
];

/// Parts of messages after which another run may succeed.
const CONFLICT_MESSAGES: &[(&str, &str)] = &[
    ("terminating connection", CONNECTION_LOST),
    ("server closed the connection", CONNECTION_LOST),
    ("connection to server", CONNECTION_LOST),
    ("no connection to the server", CONNECTION_LOST),
    ("could not receive data from server", CONNECTION_LOST),
    ("could not send data to server", CONNECTION_LOST),
    ("deadlock detected", "deadlock"),
    ("could not serialize access", "serialization"),
    ("cached plan must not change result type", STATEMENT_STALE),
    ("database schema has changed", STATEMENT_STALE),
    ("no such savepoint", TRANSACTION_UNDONE),
    ("no transaction is active", TRANSACTION_UNDONE),
    ("abort due to rollback", TRANSACTION_UNDONE),
];

/// Reads diesel's error. Never an absence, never the caller's mistake, and no value of a row is in what it says.
pub(crate) fn classify(error: Error) -> StoreError {
    match error {
        Error::DatabaseError(kind, information) => classify_database_error(kind, information.message()),
        Error::BrokenTransactionManager => StoreError::Conflict(CONNECTION_LOST.to_owned()),
        Error::RollbackErrorOnCommit { commit_error, .. } => classify(*commit_error),
        Error::NotInTransaction => StoreError::Conflict(TRANSACTION_UNDONE.to_owned()),
        Error::DeserializationError(_) => StoreError::Fault("a stored value cannot be read back".to_owned()),
        Error::SerializationError(_) => StoreError::Fault("a value cannot be stored".to_owned()),
        Error::NotFound => StoreError::Fault("a row was expected and not found".to_owned()),
        other => StoreError::Fault(other.to_string()),
    }
}

fn classify_database_error(kind: DatabaseErrorKind, message: &str) -> StoreError {
    match kind {
        DatabaseErrorKind::ClosedConnection => return StoreError::Conflict(CONNECTION_LOST.to_owned()),
        DatabaseErrorKind::SerializationFailure => return StoreError::Conflict("serialization".to_owned()),
        DatabaseErrorKind::ReadOnlyTransaction => return StoreError::Unavailable(DATABASE_READ_ONLY.to_owned()),
        DatabaseErrorKind::UniqueViolation
        | DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation
        | DatabaseErrorKind::RestrictViolation
        | DatabaseErrorKind::ExclusionViolation => return StoreError::Fault(redact_values(message)),
        _ => {}
    }
    let small = message.to_ascii_lowercase();
    let said =
        |table: &[(&str, &'static str)]| table.iter().find(|(part, _)| small.contains(part)).map(|(_, say)| *say);
    if let Some(say) = said(CONFLICT_MESSAGES) {
        StoreError::Conflict(say.to_owned())
    } else if let Some(say) = said(UNAVAILABLE_MESSAGES) {
        StoreError::Unavailable(say.to_owned())
    } else if kind == DatabaseErrorKind::UnableToSendCommand {
        // libpq could not even send: mostly a connection that broke while it lay in the pool.
        StoreError::Conflict(CONNECTION_LOST.to_owned())
    } else {
        StoreError::Fault(redact_values(message))
    }
}

/// Whether the connection that said so is of no more use.
pub(crate) fn spoils_connection(error: &StoreError) -> bool {
    match error {
        StoreError::Conflict(say) | StoreError::Unavailable(say) => {
            [CONNECTION_LOST, DATABASE_READ_ONLY, STATEMENT_STALE, TRANSACTION_UNDONE].contains(&say.as_str())
        }
        _ => false,
    }
}

/// Whether it means that the database takes no writes, not just not this one.
pub(crate) fn refuses_writes(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(say) if [DISK_FULL, DISK_FAILURE, DATABASE_READ_ONLY, FILE_NOT_OPENABLE, MIGRATED].contains(&say.as_str()))
}

/// What stands before a quoted word that is a name and not a value.
const NAME_KEYWORDS: &[&str] = &[
    "table",
    "relation",
    "column",
    "constraint",
    "index",
    "sequence",
    "view",
    "schema",
    "function",
    "type",
    "role",
    "database",
    "near",
    "statement",
];

/// The message with quoted words left out that may be values of a row.
fn redact_values(message: &str) -> String {
    let mut said = String::new();
    let mut before = "";
    for (number, part) in message.split('"').enumerate() {
        if number % 2 == 0 {
            said.push_str(part);
            before = part.trim_end().rsplit(' ').next().unwrap_or_default();
        } else {
            said.push('"');
            said.push_str(if NAME_KEYWORDS.contains(&before) { part } else { ".." });
            said.push('"');
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify_message(kind: DatabaseErrorKind, message: &str) -> StoreError {
        classify(Error::DatabaseError(kind, Box::new(message.to_owned())))
    }

    #[test]
    fn locked_full_or_slow_database_is_unavailable() {
        for message in [
            "database is locked",
            "database or disk is full",
            "disk I/O error",
            "attempt to write a readonly database",
            "unable to open database file",
            "out of memory",
            "canceling statement due to statement timeout",
            "canceling statement due to lock timeout",
            "sorry, too many clients already",
            "could not extend file \"base/1/2\": No space left on device",
            "the database system is shutting down",
            "cannot set transaction read-write mode during recovery",
        ] {
            assert!(
                matches!(classify_message(DatabaseErrorKind::Unknown, message), StoreError::Unavailable(_)),
                "{message}"
            );
        }
    }

    #[test]
    fn retryable_errors_are_conflicts() {
        for message in [
            "deadlock detected",
            "terminating connection due to administrator command",
            "no such savepoint: member",
            "cached plan must not change result type",
        ] {
            assert!(
                matches!(classify_message(DatabaseErrorKind::Unknown, message), StoreError::Conflict(_)),
                "{message}"
            );
        }
        assert!(matches!(
            classify_message(DatabaseErrorKind::ClosedConnection, "Verbindung beendet"),
            StoreError::Conflict(_)
        ));
        assert!(matches!(classify_message(DatabaseErrorKind::UnableToSendCommand, ""), StoreError::Conflict(_)));
    }

    #[test]
    fn unknown_errors_are_faults() {
        for message in ["permission denied for table users", "no such table: users", "datatype mismatch"] {
            assert_eq!(classify_message(DatabaseErrorKind::Unknown, message), StoreError::Fault(message.to_owned()));
        }
        assert!(matches!(
            classify_message(DatabaseErrorKind::UniqueViolation, "database is locked"),
            StoreError::Fault(_)
        ));
        assert!(matches!(classify(Error::NotFound), StoreError::Fault(_)));
    }

    #[test]
    fn values_are_redacted_and_names_kept() {
        assert_eq!(
            redact_values("invalid input syntax for type bigint: \"4711\""),
            "invalid input syntax for type bigint: \"..\""
        );
        assert_eq!(redact_values("relation \"users\" does not exist"), "relation \"users\" does not exist");
        assert_eq!(redact_values("value \"x"), "value \"..\"");
    }
}
