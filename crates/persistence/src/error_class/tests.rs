use super::*;

fn error(kind: DatabaseErrorKind, message: &str) -> Error {
    Error::DatabaseError(kind, Box::new(message.to_owned()))
}

#[test]
fn messages_have_their_causes() {
    for (message, expected) in [
        ("database is locked", Cause::Locked),
        ("database or disk is full", Cause::DiskFull),
        ("disk I/O error", Cause::DiskFailure),
        ("attempt to write a readonly database", Cause::ReadOnly),
        ("unable to open database file", Cause::FileNotOpenable),
        ("out of memory", Cause::OutOfMemory),
        ("canceling statement due to statement timeout", Cause::StatementTimeout),
        ("canceling statement due to lock timeout", Cause::LockTimeout),
        ("sorry, too many clients already", Cause::TooManyConnections),
        ("could not extend file \"base/1/2\": No space left on device", Cause::DiskFull),
        ("the database system is shutting down", Cause::StartingOrStopping),
        ("cannot set transaction read-write mode during recovery", Cause::ReadOnly),
        ("deadlock detected", Cause::Deadlock),
        ("terminating connection due to administrator command", Cause::ConnectionLost),
        ("no such savepoint: member", Cause::TransactionUndone),
        ("cached plan must not change result type", Cause::StatementStale),
        ("permission denied for table users", Cause::Unforeseen),
        ("no such table: users", Cause::Unforeseen),
        ("datatype mismatch", Cause::Unforeseen),
    ] {
        assert_eq!(cause(&error(DatabaseErrorKind::Unknown, message)), expected, "{message}");
    }
}

#[test]
fn kind_precedes_message() {
    let closed = error(DatabaseErrorKind::ClosedConnection, "Verbindung beendet");
    assert_eq!(cause(&closed), Cause::ConnectionLost);
    assert_eq!(cause(&error(DatabaseErrorKind::UnableToSendCommand, "")), Cause::ConnectionLost);
    assert_eq!(cause(&error(DatabaseErrorKind::UniqueViolation, "database is locked")), Cause::Unforeseen);
    assert_eq!(cause(&Error::NotFound), Cause::Unforeseen);
}

#[test]
fn no_part_of_a_message_hides_a_later_one() {
    for (number, (earlier, cause)) in MESSAGES.iter().enumerate() {
        assert_eq!(*earlier, earlier.to_ascii_lowercase());
        for (later, _) in &MESSAGES[number + 1..] {
            assert!(!later.contains(earlier), "{later:?} is read as {cause:?}");
        }
    }
}

#[test]
fn errors_follow_the_severity_of_their_cause() {
    let unknown = |message| classify(error(DatabaseErrorKind::Unknown, message));
    assert_eq!(unknown("database is locked"), StoreError::Unavailable("the database is locked".to_owned()));
    assert_eq!(unknown("deadlock detected"), StoreError::Conflict("deadlock".to_owned()));
    assert_eq!(unknown("no such table: users"), StoreError::Fault("no such table: users".to_owned()));
}

#[test]
fn cause_belongs_to_the_error_that_the_closure_returned() {
    let full = Cause::DiskFull.into_error();
    assert_eq!(UnitError::of_closure(full.clone()).cause, Some(Cause::DiskFull));
    assert_eq!(UnitError::of_closure(full).cause, None, "it is taken once");
    drop(Cause::DiskFull.into_error());
    assert_eq!(UnitError::of_closure(StoreError::Fault("another".to_owned())).cause, None);
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
