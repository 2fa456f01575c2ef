//! Finds the cause of a database error, and what follows from it: unavailable, another run, or a
//! fault.
//!
//! diesel passes on neither SQLite's extended result code nor PostgreSQL's SQLSTATE, only a kind
//! for a few of them and the message. What the kind does not say is read from the message: SQLite's
//! messages are fixed English texts (`sqlite3ErrStr`, and the one for a missing savepoint),
//! PostgreSQL's are English as long as `lc_messages` is, which `postgres.rs` sets if it may. An
//! unrecognized error is a fault, never an absence and never the caller's mistake. The crate
//! decides by [`Cause`]; the texts of [`StoreError`] are for people.
//!
//! `SQLITE_BUSY_SNAPSHOT` has the text of `SQLITE_BUSY`. It cannot occur here: it requires a
//! transaction that has read before it takes the write lock, and every transaction that writes
//! takes the lock at its `BEGIN IMMEDIATE`.

use std::cell::Cell;

use diesel::result::{DatabaseErrorKind, Error};
use tillgate_domain::StoreError;

/// Why a statement or a transaction failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The connection is gone, and nothing of an open transaction on it remains.
    ConnectionLost,
    /// The database takes no writes: a standby or a read-only file.
    ReadOnly,
    /// The disk of the database is full.
    DiskFull,
    /// The disk of the database reports errors.
    DiskFailure,
    /// SQLite cannot open the database file.
    FileNotOpenable,
    /// A newer version has migrated the database while this one ran.
    NewerSchema,
    /// The tables have changed since the statement was prepared.
    StatementStale,
    /// SQLite has rolled back the whole transaction by itself.
    TransactionUndone,
    /// Another connection holds a lock of SQLite.
    Locked,
    /// A statement exceeded PostgreSQL's `statement_timeout`.
    StatementTimeout,
    /// A statement exceeded PostgreSQL's `lock_timeout`.
    LockTimeout,
    /// A lock was requested without waiting, and another transaction holds it.
    LockNotAvailable,
    /// An administrator canceled the statement.
    Canceled,
    /// A standby canceled the statement because it conflicts with replication.
    CanceledByStandby,
    /// SQLite interrupted the statement.
    Interrupted,
    /// The database has no memory left.
    OutOfMemory,
    /// The database accepts no further connection.
    TooManyConnections,
    /// The server is starting up or shutting down.
    StartingOrStopping,
    /// PostgreSQL chose this transaction to end a deadlock.
    Deadlock,
    /// A concurrent transaction changed what this one depends on.
    Serialization,
    /// None of the above, for example a missing table or a violated constraint.
    Unforeseen,
}

/// Which variant of [`StoreError`] a cause becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The store may work again in a moment.
    Unavailable,
    /// Another run of the unit of work may succeed.
    Conflict,
    /// A fault of the program, of its configuration or of the data.
    Fault,
}

impl Cause {
    /// What callers of the store get.
    pub(crate) const fn severity(self) -> Severity {
        match self {
            Self::ConnectionLost
            | Self::StatementStale
            | Self::TransactionUndone
            | Self::Deadlock
            | Self::Serialization => Severity::Conflict,
            Self::Unforeseen => Severity::Fault,
            Self::ReadOnly
            | Self::DiskFull
            | Self::DiskFailure
            | Self::FileNotOpenable
            | Self::NewerSchema
            | Self::Locked
            | Self::StatementTimeout
            | Self::LockTimeout
            | Self::LockNotAvailable
            | Self::Canceled
            | Self::CanceledByStandby
            | Self::Interrupted
            | Self::OutOfMemory
            | Self::TooManyConnections
            | Self::StartingOrStopping => Severity::Unavailable,
        }
    }

    /// The text of the error.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::ConnectionLost => "the connection was lost",
            Self::ReadOnly => "the database is read-only",
            Self::DiskFull => "the disk is full",
            Self::DiskFailure => "the disk fails",
            Self::FileNotOpenable => "the database file cannot be opened",
            Self::NewerSchema => {
                "a newer program has changed the database, and this one would damage it; restart this server with the newer program"
            }
            Self::StatementStale => "the tables have changed since the statement was prepared",
            Self::TransactionUndone => "the transaction was undone by the database",
            Self::Locked => "the database is locked",
            Self::StatementTimeout => "a statement took too long",
            Self::LockTimeout => "a lock was held too long",
            Self::LockNotAvailable => "another transaction holds a lock",
            Self::Canceled => "the statement was canceled",
            Self::CanceledByStandby => "the statement was canceled by the standby",
            Self::Interrupted => "the statement was interrupted",
            Self::OutOfMemory => "the database is out of memory",
            Self::TooManyConnections => "the database has too many connections",
            Self::StartingOrStopping => "the database is starting or stopping",
            Self::Deadlock => "deadlock",
            Self::Serialization => "serialization",
            Self::Unforeseen => "an unforeseen error",
        }
    }

    /// Whether the connection cannot be used again.
    pub(crate) const fn spoils_connection(self) -> bool {
        matches!(self, Self::ConnectionLost | Self::ReadOnly | Self::StatementStale | Self::TransactionUndone)
    }

    /// Whether the database takes no writes at all, rather than not this one.
    pub(crate) const fn refuses_writes(self) -> bool {
        matches!(self, Self::DiskFull | Self::DiskFailure | Self::ReadOnly | Self::FileNotOpenable | Self::NewerSchema)
    }

    /// The error of this cause, which a unit of work may return from its closure.
    pub(crate) fn into_error(self) -> StoreError {
        self.into_error_with(self.text().to_owned())
    }

    fn into_error_with(self, text: String) -> StoreError {
        LAST_CAUSE.set(Some(self));
        match self.severity() {
            Severity::Unavailable => StoreError::Unavailable(text),
            Severity::Conflict => StoreError::Conflict(text),
            Severity::Fault => StoreError::Fault(text),
        }
    }
}

thread_local! {
    /// The cause of the newest error that this thread has made. The closure of a unit of work
    /// returns only [`StoreError`], a type of the domain that names no database. diesel's
    /// instrumentation would not do: on SQLite it does not report the errors of statements that
    /// return rows.
    static LAST_CAUSE: Cell<Option<Cause>> = const { Cell::new(None) };
}

/// Why a unit of work has failed: the error for its caller, and the cause if a statement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnitError {
    /// What the caller gets.
    pub(crate) error: StoreError,
    /// What made it fail; `None` if that was no statement.
    pub(crate) cause: Option<Cause>,
}

impl UnitError {
    /// The failure of a statement that this crate runs around the closure, such as `COMMIT`.
    pub(crate) fn of_statement(error: Error) -> Self {
        let cause = cause(&error);
        Self { error: classify(error), cause: Some(cause) }
    }

    /// What the closure of a unit of work returned. Call it on the closure's thread, before another
    /// statement runs. A cause of another severity belongs to an error that the closure handled.
    pub(crate) fn of_closure(error: StoreError) -> Self {
        let severity = match error {
            StoreError::Unavailable(_) => Severity::Unavailable,
            StoreError::Conflict(_) => Severity::Conflict,
            StoreError::Fault(_) | StoreError::Corrupt { .. } | StoreError::Nested => Severity::Fault,
        };
        let cause = LAST_CAUSE.take().filter(|cause| cause.severity() == severity);
        Self { error, cause }
    }
}

impl From<StoreError> for UnitError {
    fn from(error: StoreError) -> Self {
        Self { error, cause: None }
    }
}

/// Forgets the cause of earlier errors of this thread: a unit of work calls it before it runs its
/// closure.
pub(crate) fn clear_last_cause() {
    LAST_CAUSE.set(None);
}

/// Parts of messages in lower case, and the cause of each. The first part that a message contains
/// decides.
const MESSAGES: &[(&str, Cause)] = &[
    // Another run may succeed.
    ("terminating connection", Cause::ConnectionLost),
    ("server closed the connection", Cause::ConnectionLost),
    ("connection to server", Cause::ConnectionLost),
    ("no connection to the server", Cause::ConnectionLost),
    ("could not receive data from server", Cause::ConnectionLost),
    ("could not send data to server", Cause::ConnectionLost),
    ("deadlock detected", Cause::Deadlock),
    ("could not serialize access", Cause::Serialization),
    ("cached plan must not change result type", Cause::StatementStale),
    ("database schema has changed", Cause::StatementStale),
    ("no such savepoint", Cause::TransactionUndone),
    ("no transaction is active", Cause::TransactionUndone),
    ("abort due to rollback", Cause::TransactionUndone),
    // SQLite: BUSY, LOCKED, PROTOCOL, FULL, IOERR, CANTOPEN, INTERRUPT.
    ("database is locked", Cause::Locked),
    ("database table is locked", Cause::Locked),
    ("database schema is locked", Cause::Locked),
    ("locking protocol", Cause::Locked),
    ("database or disk is full", Cause::DiskFull),
    ("disk i/o error", Cause::DiskFailure),
    ("unable to open database", Cause::FileNotOpenable),
    ("interrupted", Cause::Interrupted),
    // PostgreSQL: 57014, 55P03, 53100, 58030, 53200 (and SQLite's NOMEM), 53300, 57P03, and a
    // standby that receives a write.
    ("due to statement timeout", Cause::StatementTimeout),
    ("due to lock timeout", Cause::LockTimeout),
    ("due to user request", Cause::Canceled),
    ("due to conflict with recovery", Cause::CanceledByStandby),
    ("could not obtain lock", Cause::LockNotAvailable),
    ("no space left on device", Cause::DiskFull),
    ("could not extend file", Cause::DiskFailure),
    ("could not write to file", Cause::DiskFailure),
    ("could not write block", Cause::DiskFailure),
    ("could not read block", Cause::DiskFailure),
    ("could not fsync file", Cause::DiskFailure),
    ("out of memory", Cause::OutOfMemory),
    ("out of shared memory", Cause::OutOfMemory),
    ("too many clients", Cause::TooManyConnections),
    ("too many connections", Cause::TooManyConnections),
    ("remaining connection slots", Cause::TooManyConnections),
    ("the database system is", Cause::StartingOrStopping),
    ("during recovery", Cause::ReadOnly),
    ("readonly database", Cause::ReadOnly),
    ("in a read-only transaction", Cause::ReadOnly),
];

/// The cause of diesel's error.
pub(crate) fn cause(error: &Error) -> Cause {
    match error {
        Error::DatabaseError(kind, information) => database_cause(*kind, information.message()),
        Error::BrokenTransactionManager => Cause::ConnectionLost,
        Error::RollbackErrorOnCommit { commit_error, .. } => cause(commit_error),
        Error::NotInTransaction => Cause::TransactionUndone,
        _ => Cause::Unforeseen,
    }
}

fn database_cause(kind: DatabaseErrorKind, message: &str) -> Cause {
    match kind {
        DatabaseErrorKind::ClosedConnection => return Cause::ConnectionLost,
        DatabaseErrorKind::SerializationFailure => return Cause::Serialization,
        DatabaseErrorKind::ReadOnlyTransaction => return Cause::ReadOnly,
        DatabaseErrorKind::UniqueViolation
        | DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation
        | DatabaseErrorKind::RestrictViolation
        | DatabaseErrorKind::ExclusionViolation => return Cause::Unforeseen,
        _ => {}
    }
    let lower = message.to_ascii_lowercase();
    match MESSAGES.iter().find(|(part, _)| lower.contains(part)) {
        Some((_, cause)) => *cause,
        // libpq could not even send: usually a connection that broke while it was idle in the pool.
        None if kind == DatabaseErrorKind::UnableToSendCommand => Cause::ConnectionLost,
        None => Cause::Unforeseen,
    }
}

/// The error that callers of the store get for diesel's error. Its text contains no value of a row.
pub(crate) fn classify(error: Error) -> StoreError {
    match cause(&error) {
        Cause::Unforeseen => Cause::Unforeseen.into_error_with(unforeseen_text(error)),
        cause => cause.into_error(),
    }
}

fn unforeseen_text(error: Error) -> String {
    match error {
        Error::DatabaseError(_, information) => redact_values(information.message()),
        Error::RollbackErrorOnCommit { commit_error, .. } => unforeseen_text(*commit_error),
        Error::DeserializationError(_) => "a stored value cannot be read back".to_owned(),
        Error::SerializationError(_) => "a value cannot be stored".to_owned(),
        Error::NotFound => "a row was expected and not found".to_owned(),
        other => other.to_string(),
    }
}

/// Words before a quoted word that is a name and not a value.
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

/// The message without the quoted words that may be values of a row.
fn redact_values(message: &str) -> String {
    let mut redacted = String::new();
    let mut before = "";
    for (number, part) in message.split('"').enumerate() {
        if number % 2 == 0 {
            redacted.push_str(part);
            before = part.trim_end().rsplit(' ').next().unwrap_or_default();
        } else {
            redacted.push('"');
            redacted.push_str(if NAME_KEYWORDS.contains(&before) { part } else { ".." });
            redacted.push('"');
        }
    }
    redacted
}

#[cfg(test)]
mod tests;
