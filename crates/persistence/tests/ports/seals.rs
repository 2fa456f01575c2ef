//! Tampering with the audit log, on both databases: every change to a sealed event behind the
//! server's back is found and identified.

mod growth;

use std::collections::BTreeSet;

use tillgate_domain::audit::chain::{ChainError, SealSource};
use tillgate_domain::audit::seal::{Seal, SealKey};
use tillgate_domain::office::{self, AuditVerification};
use tillgate_domain::{Actor, Event, EventId, SessionId, Subject};
use tillgate_testkit::DatabaseEngine;

use crate::test_database::{RawConnection, StoreFixture, TestDatabase, at, uuid};

/// A keyed digest, good enough to distinguish texts.
struct TestSealKey(u64);

impl SealKey for TestSealKey {
    fn compute_mac(&self, bytes: &[u8]) -> [u8; 32] {
        let mut digest = [0; 32];
        let mut state = self.0;
        for round in 0..4_u64 {
            for byte in bytes {
                state = (state ^ u64::from(*byte) ^ round).wrapping_mul(0x0100_0000_01b3).rotate_left(13);
            }
            let at = usize::try_from(round).unwrap() * 8;
            digest[at..at + 8].copy_from_slice(&state.to_be_bytes());
        }
        digest
    }
}

const SEAL_KEY: TestSealKey = TestSealKey(0xcbf2_9ce4_8422_2325);

/// The number of events in these tests.
const EVENT_COUNT: u64 = 5;

/// An event in which every column is set except the digest of an approved operation.
fn test_event(number: u64) -> Event {
    let fixture = StoreFixture::default();
    Event {
        id: EventId(uuid(9_000 + number)),
        actor: Actor {
            user: Some(fixture.anna.id),
            device: Some(fixture.till.id),
            session: Some(SessionId(uuid(700 + number))),
            address: "192.0.2.7".parse().ok(),
        },
        tenant: Some(fixture.tenant.id),
        at: at(number),
        approver: Some(fixture.anna.id),
        subject: Subject::Device(fixture.till.id),
        details: serde_json::Map::from_iter([("name".to_owned(), serde_json::json!(format!("Žofia {number}")))]),
        ..crate::store::test_event(1)
    }
}

/// Records and seals this many events, and returns the newest seal.
fn write_sealed_events(fresh: &TestDatabase, lines: u64) -> Seal {
    for number in 1..=lines {
        fresh.write(|tx| tx.audit().record(&test_event(number)));
    }
    let newest = office::unguarded::seal_audit(&*fresh.database, &SEAL_KEY).unwrap().newest;
    assert_eq!(newest.sequence, i64::try_from(lines).unwrap());
    newest
}

fn verify_chain(fresh: &TestDatabase, outside: Option<&Seal>) -> AuditVerification {
    office::unguarded::verify_audit(&*fresh.database, &SEAL_KEY, outside, &mut |_| ()).unwrap()
}

/// The first error, and the number of the event that it concerns.
fn find_fault(fresh: &TestDatabase, outside: Option<&Seal>) -> Option<(ChainError, Option<i64>)> {
    let fault = verify_chain(fresh, outside).fault?;
    Some((fault.error, fault.event.map(|line| line.sequence)))
}

/// Drops the triggers, as the owner of the database could.
fn drop_triggers(fresh: &TestDatabase) {
    match fresh.raw() {
        RawConnection::Sqlite(_) => fresh.raw().execute("DROP TRIGGER audit_unchanged; DROP TRIGGER audit_kept"),
        RawConnection::Postgres(_) => fresh.raw().execute("ALTER TABLE audit DISABLE TRIGGER ALL"),
    }
}

/// The columns of the table, from its own definition.
fn column_names(raw: &RawConnection) -> BTreeSet<String> {
    let query = match raw {
        RawConnection::Sqlite(_) => "SELECT name || ':' || type AS text FROM pragma_table_info('audit')",
        RawConnection::Postgres(_) => {
            "SELECT column_name || ':' || CASE data_type WHEN 'bytea' THEN 'BLOB' WHEN 'bigint' THEN 'INTEGER' ELSE 'TEXT' END \
             AS text FROM information_schema.columns WHERE table_name = 'audit'"
        }
    };
    raw.query_texts(query).into_iter().collect()
}

/// The bytes of a column in hexadecimal digits; empty if it is null.
fn read_digits(raw: &RawConnection, column: &str, kind: &str, sequence: u64) -> String {
    let value = match (raw, kind) {
        (RawConnection::Sqlite(_), _) => format!("hex({column})"),
        (RawConnection::Postgres(_), "BLOB") => format!("encode({column}, 'hex')"),
        (RawConnection::Postgres(_), _) => format!("encode(convert_to({column}, 'UTF8'), 'hex')"),
    };
    let found =
        raw.query_texts(&format!("SELECT COALESCE({value}, '') AS text FROM audit WHERE sequence = {sequence}"));
    found.into_iter().next().unwrap()
}

/// The statement that writes these bytes to the column.
fn write_digits(raw: &RawConnection, column: &str, kind: &str, sequence: u64, digits: &str) -> String {
    let value = match (raw, kind) {
        (RawConnection::Sqlite(_), "BLOB") => format!("X'{digits}'"),
        (RawConnection::Sqlite(_), _) => format!("CAST(X'{digits}' AS TEXT)"),
        (RawConnection::Postgres(_), "BLOB") => format!("'\\x{digits}'::bytea"),
        (RawConnection::Postgres(_), _) => format!("convert_from('\\x{digits}', 'UTF8')"),
    };
    format!("UPDATE audit SET {column} = {value} WHERE sequence = {sequence}")
}

/// The digits with one bit of a byte flipped.
fn flip_byte(digits: &str, byte: usize) -> String {
    let mut bytes: Vec<u8> = digits.as_bytes().to_vec();
    let low = char::from(bytes[byte * 2 + 1]).to_digit(16).unwrap() ^ 1;
    bytes[byte * 2 + 1] = u8::try_from(char::from_digit(low, 16).unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}

tillgate_testkit::on_both_databases!(
    changed_byte_in_any_column_is_found,
    deleted_swapped_or_renumbered_event_is_found,
    deleted_event_is_found,
    missing_first_event_is_found,
    truncated_tail_is_found_by_the_external_seal,
    chain_rewritten_without_the_key_is_found,
    duplicate_sequence_number_is_found,
    event_without_its_seal_is_found,
    database_triggers_protect_events
);

fn changed_byte_in_any_column_is_found(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let newest = write_sealed_events(fresh, EVENT_COUNT);
    drop_triggers(fresh);
    let raw = fresh.raw();
    let mut columns = column_names(raw);
    assert!(columns.remove("searched:TEXT"), "what a search reads is made of the details, and is not sealed");
    assert_eq!(columns.len(), 17, "{columns:?}");
    let mut tried = 0;
    for sequence in 1..=EVENT_COUNT {
        let number = i64::try_from(sequence).unwrap();
        let mut found = |statement: &str, back: &str| {
            // not every database accepts bytes that are not valid text
            if raw.try_execute(statement).is_ok() {
                let fault = find_fault(fresh, Some(&newest));
                assert_eq!(fault.and_then(|(_, line)| line), Some(number), "{statement}");
                raw.execute(back);
                tried += 1;
            }
        };
        for (name, kind) in columns.iter().map(|column| column.split_once(':').unwrap()) {
            if kind == "INTEGER" {
                if name != "sequence" {
                    let back = format!("UPDATE audit SET {name} = {name} - 1 WHERE sequence = {sequence}");
                    found(&format!("UPDATE audit SET {name} = {name} + 1 WHERE sequence = {sequence}"), &back);
                }
                continue;
            }
            let whole = read_digits(raw, name, kind, sequence);
            let absent = format!("UPDATE audit SET {name} = NULL WHERE sequence = {sequence}");
            if whole.is_empty() && name == "operation" {
                found(&write_digits(raw, name, kind, sequence, "00"), &absent);
                continue;
            }
            let back = write_digits(raw, name, kind, sequence, &whole);
            found(&absent, &back);
            let bytes = whole.len() / 2;
            // every byte of the first event (connecting to PostgreSQL is slow), and the first
            // and last bytes of the others
            let all = sequence == 1 && matches!(raw, RawConnection::Sqlite(_));
            for byte in (0..bytes).filter(|byte| all || *byte == 0 || byte + 1 == bytes) {
                found(&write_digits(raw, name, kind, sequence, &flip_byte(&whole, byte)), &back);
            }
            found(&write_digits(raw, name, kind, sequence, &format!("{whole}20")), &back);
        }
    }
    assert!(tried > 250, "{tried}");
    assert_eq!(find_fault(fresh, Some(&newest)), None, "all of it was put back");
}

fn deleted_swapped_or_renumbered_event_is_found(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let newest = write_sealed_events(fresh, 6);
    drop_triggers(fresh);
    let raw = fresh.raw();
    raw.execute("UPDATE audit SET sequence = 1003 WHERE sequence = 3");
    assert_eq!(find_fault(fresh, Some(&newest)), Some((ChainError::Missing { first: 3, last: 3 }, Some(4))));
    raw.execute("UPDATE audit SET sequence = 3 WHERE sequence = 1003");
    assert_eq!(find_fault(fresh, Some(&newest)), None);
    // two events are swapped, with and without their seals
    raw.execute(
        "UPDATE audit SET sequence = 1002 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 5; \
                 UPDATE audit SET sequence = 5 WHERE sequence = 1002",
    );
    assert_eq!(find_fault(fresh, Some(&newest)), Some((ChainError::Detached, Some(2))));
    raw.execute("UPDATE audit SET previous = (SELECT hash FROM audit WHERE sequence = 1) WHERE sequence = 2");
    assert_eq!(find_fault(fresh, Some(&newest)), Some((ChainError::Changed, Some(2))));
}

fn deleted_event_is_found(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let newest = write_sealed_events(fresh, 6);
    drop_triggers(fresh);
    fresh.raw().execute("DELETE FROM audit WHERE sequence IN (2, 3)");
    assert_eq!(find_fault(fresh, Some(&newest)), Some((ChainError::Missing { first: 2, last: 3 }, Some(4))));
    fresh.raw().execute("UPDATE audit SET sequence = sequence - 2 WHERE sequence = 4; \
                         UPDATE audit SET sequence = sequence - 2 WHERE sequence = 5; \
                         UPDATE audit SET sequence = sequence - 2 WHERE sequence = 6; UPDATE audit_seal SET sequence = 4");
    assert_eq!(find_fault(fresh, None), Some((ChainError::Detached, Some(2))));
}

fn missing_first_event_is_found(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let newest = write_sealed_events(fresh, 3);
    drop_triggers(fresh);
    fresh.raw().execute("DELETE FROM audit WHERE sequence = 1");
    assert_eq!(find_fault(fresh, Some(&newest)), Some((ChainError::Missing { first: 1, last: 1 }, Some(2))));
    fresh.raw().execute("DELETE FROM audit");
    assert_eq!(
        find_fault(fresh, Some(&newest)),
        Some((ChainError::Truncated { newest: 3, source: SealSource::Outside }, None))
    );
    assert_eq!(
        find_fault(fresh, None),
        Some((ChainError::Truncated { newest: 3, source: SealSource::Database }, None))
    );
}

fn truncated_tail_is_found_by_the_external_seal(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let newest = write_sealed_events(fresh, 6);
    drop_triggers(fresh);
    fresh.raw().execute("DELETE FROM audit WHERE sequence > 4");
    assert_eq!(
        find_fault(fresh, None),
        Some((ChainError::Truncated { newest: 6, source: SealSource::Database }, Some(4)))
    );
    // an attacker who truncates the log also sets the newest seal to an older one
    fresh.raw().execute("UPDATE audit_seal SET sequence = 4, hash = (SELECT hash FROM audit WHERE sequence = 4)");
    assert_eq!(find_fault(fresh, None), None, "nobody else knows");
    assert_eq!(
        find_fault(fresh, Some(&newest)),
        Some((ChainError::Truncated { newest: 6, source: SealSource::Outside }, Some(4)))
    );
    assert!(!office::unguarded::has_seal(&*fresh.database, &newest).unwrap());
    // and the log continues: other events get the numbers
    for number in 11..=13 {
        fresh.write(|tx| tx.audit().record(&test_event(number)));
    }
    office::unguarded::seal_audit(&*fresh.database, &SEAL_KEY).unwrap();
    assert_eq!(
        find_fault(fresh, Some(&newest)),
        Some((ChainError::SealMismatch { source: SealSource::Outside }, Some(6)))
    );
    assert!(!office::unguarded::has_seal(&*fresh.database, &newest).unwrap());
}

fn chain_rewritten_without_the_key_is_found(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    write_sealed_events(fresh, 4);
    drop_triggers(fresh);
    fresh.raw().execute(
        "UPDATE audit SET details = '{}' WHERE sequence = 3; \
                         UPDATE audit SET sequence = NULL, previous = NULL, hash = NULL; \
                         UPDATE audit_seal SET sequence = 0, hash = hash",
    );
    match fresh.raw() {
        RawConnection::Sqlite(_) => fresh.raw().execute("UPDATE audit_seal SET hash = x''"),
        RawConnection::Postgres(_) => fresh.raw().execute("UPDATE audit_seal SET hash = ''"),
    }
    assert_eq!(office::unguarded::seal_audit(&*fresh.database, &TestSealKey(1)).unwrap().events, 4);
    assert_eq!(find_fault(fresh, None), Some((ChainError::Changed, Some(1))));
}

fn duplicate_sequence_number_is_found(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    write_sealed_events(fresh, 4);
    drop_triggers(fresh);
    fresh.raw().execute("DROP INDEX audit_sequence; UPDATE audit SET sequence = 2 WHERE sequence = 3");
    let found = find_fault(fresh, None).unwrap();
    assert_eq!(found.1, Some(2), "{found:?}");
}

fn event_without_its_seal_is_found(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let newest = write_sealed_events(fresh, 4);
    drop_triggers(fresh);
    fresh.raw().execute("UPDATE audit SET sequence = NULL, previous = NULL, hash = NULL WHERE sequence = 2");
    office::unguarded::seal_audit(&*fresh.database, &SEAL_KEY).unwrap();
    assert_eq!(find_fault(fresh, Some(&newest)), Some((ChainError::Missing { first: 2, last: 2 }, Some(3))));
}

fn database_triggers_protect_events(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    write_sealed_events(fresh, 2);
    fresh.write(|tx| tx.audit().record(&test_event(3)));
    let raw = fresh.raw();
    for statement in [
        "DELETE FROM audit WHERE sequence = 1",
        "DELETE FROM audit WHERE sequence IS NULL",
        "UPDATE audit SET hash = NULL WHERE sequence = 1",
        "UPDATE audit SET sequence = 9 WHERE sequence = 1",
        "UPDATE audit SET sequence = NULL WHERE sequence = 1",
    ] {
        let refused = raw.try_execute(statement).unwrap_err().to_string();
        assert!(refused.contains("a line of the audit is never"), "{statement}: {refused}");
    }
    for (name, _) in column_names(raw).iter().map(|column| column.split_once(':').unwrap()) {
        let other = match name {
            "sequence" | "previous" | "hash" => continue,
            "at" => "at + 1",
            "action" | "subject" | "outcome" | "details" => "'x'",
            "operation" => "id",
            _ => "NULL",
        };
        for which in ["sequence = 2", "sequence IS NULL"] {
            let statement = format!("UPDATE audit SET {name} = {other} WHERE {which}");
            let refused = raw.try_execute(&statement).unwrap_err().to_string();
            let never = refused.contains("a line of the audit is never changed");
            assert!(never || name == "id" && refused.to_lowercase().contains("null"), "{statement}: {refused}");
        }
    }
    if matches!(raw, RawConnection::Sqlite(_)) {
        for which in ["sequence = 2", "sequence IS NULL"] {
            let replaced = raw.try_execute(&format!("REPLACE INTO audit SELECT * FROM audit WHERE {which}"));
            assert!(replaced.unwrap_err().to_string().contains("never changed"));
        }
        let number = "INSERT OR REPLACE INTO audit (id, at, action, subject, outcome, details, sequence) \
                          VALUES (x'00', 0, 'login', 'server', 'done', '{}', 2)";
        assert!(raw.try_execute(number).unwrap_err().to_string().contains("never changed"));
        // nor is a sealed event replaced by a waiting one, by its number or by its row
        for displaced in [
            "UPDATE OR REPLACE audit SET sequence = 2 WHERE sequence IS NULL",
            "UPDATE OR REPLACE audit SET rowid = (SELECT rowid FROM audit WHERE sequence = 2) WHERE sequence IS NULL",
            "REPLACE INTO audit (rowid, id, at, action, subject, outcome, details) \
                 SELECT rowid, x'00', 0, 'login', 'server', 'done', '{}' FROM audit WHERE sequence = 2",
        ] {
            let refused = raw.try_execute(displaced).unwrap_err().to_string();
            assert!(refused.contains("never changed"), "{displaced}: {refused}");
        }
    }
    if matches!(raw, RawConnection::Postgres(_)) {
        assert!(raw.try_execute("TRUNCATE audit").unwrap_err().to_string().contains("never removed"));
        assert!(raw.try_execute("UPDATE audit SET sequence = 2 WHERE sequence IS NULL").is_err());
        let other = "INSERT INTO audit SELECT * FROM audit WHERE sequence = 2 \
                         ON CONFLICT (id) DO UPDATE SET details = '{}'";
        assert!(raw.try_execute(other).unwrap_err().to_string().contains("never changed"));
    }
    assert_eq!(office::unguarded::seal_audit(&*fresh.database, &SEAL_KEY).unwrap().events, 1);
    assert_eq!(find_fault(fresh, None), None);
}
