//! What a database holds of an enrollment: never its code.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::{Auth, EnrollmentCode, MasterKey};
use tillgate_domain::office::{AuditContext, NewEnrollment, Office};
use tillgate_domain::{Actor, Authority, EventId};
use tillgate_testkit::clock::CLOCK_START;
use tillgate_testkit::{Fixture, ManualClock, PlainHasher, SeededEntropy};

use crate::test_database::{RawConnection, TestDatabase, uuid};

const LIFETIME: Duration = Duration::from_mins(10);

/// Whether the database file or its write-ahead log contains these bytes.
fn contains(database: &Path, bytes: &[u8]) -> bool {
    let folder = std::fs::read_dir(database.parent().unwrap()).unwrap();
    folder
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .any(|content| content.windows(bytes.len()).any(|window| window.eq_ignore_ascii_case(bytes)))
}

#[test]
fn code_is_stored_as_a_digest_only() {
    let fresh = TestDatabase::sqlite();
    let records = Fixture::demo(CLOCK_START).build();
    records.insert_into(&*fresh.database).unwrap();
    let auth = Auth::builder(fresh.database.clone())
        .master(MasterKey::generate(&SeededEntropy::from_seed(1)).unwrap())
        .clock(Arc::new(ManualClock::default()))
        .entropy(Arc::new(SeededEntropy::from_seed(2)))
        .hasher(Arc::new(PlainHasher::default()))
        .without_maintenance()
        .build()
        .unwrap();
    let drawn = auth.generate_enrollment_code(LIFETIME).unwrap();
    let EnrollmentCode { code, digest } = &drawn;
    let context = AuditContext {
        at: CLOCK_START,
        event_id: EventId(uuid(9)),
        actor: Actor::default(),
        authority: Authority::Host,
        os_user: None,
    };
    let office = Office::new(&*fresh.database, records.tenant.id, context);
    let new = NewEnrollment { digest: *digest, lifetime: LIFETIME, replaces_key: false, confirms: false };
    office.start_enrollment(records.device("P01").id, &new).unwrap().unwrap();
    let RawConnection::Sqlite(file) = fresh.raw() else { panic!("not SQLite") };
    assert!(contains(file, digest), "this finds what is stored");
    for text in [code.expose(), drawn.letters().expose()] {
        assert!(!contains(file, text.as_bytes()), "{text}");
    }
}
