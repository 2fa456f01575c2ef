//! The error for an invalid stored value names its table and column and never contains the value.

use tillgate_auth_core::{AuthPorts, AuthTx};
use tillgate_domain::office::{self, EventFilter, OffsetPageRequest};
use tillgate_domain::{Event, EventId, Store, StoreError, StoreExt, StoreResult};
use tillgate_testkit::DatabaseEngine;

use crate::test_database::{RawConnection, StoreFixture, TestDatabase, uuid};

type ReadFn = fn(&mut (dyn AuthTx + '_), &StoreFixture) -> StoreResult<()>;

fn check_corrupt(fresh: &TestDatabase, table: &str, column: &str, value: &str, look: ReadFn) {
    let fixture = StoreFixture::default();
    let store: &dyn Store<AuthPorts> = &*fresh.database;
    assert_eq!(store.read("test", |tx| look(tx, &fixture)), Ok(()), "{table}.{column}");
    let old = fresh.raw().query_texts(&format!("SELECT {column} AS text FROM {table}")).pop().unwrap();
    fresh.raw().execute(&format!("UPDATE {table} SET {column} = '{value}'"));
    match store.read("test", |tx| look(tx, &fixture)) {
        Err(StoreError::Corrupt { table: told_table, column: told_column, detail }) => {
            assert_eq!((told_table, told_column), (table, column));
            assert!(!detail.contains("secret"), "{detail}");
        }
        other => panic!("{table}.{column} read as {other:?}"),
    }
    fresh.raw().execute(&format!("UPDATE {table} SET {column} = '{}'", old.replace('\'', "''")));
    assert_eq!(store.read("test", |tx| look(tx, &fixture)), Ok(()), "{table}.{column} again");
}

tillgate_testkit::on_both_databases!(
    corrupt_value_names_its_column,
    event_with_unreadable_details_is_shown,
    incomplete_ending_is_corrupt
);

fn corrupt_value_names_its_column(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    fresh.write(|tx| tx.sessions().insert(&StoreFixture::default().new_session(1)));
    let session: ReadFn = |tx, fixture| tx.sessions().find(fixture.new_session(1).id).map(drop);
    for (column, value) in [("kind", "secret"), ("terms", "\"secret\""), ("terms", "{"), ("address", "secret")] {
        check_corrupt(fresh, "sessions", column, value, session);
    }
    check_corrupt(fresh, "users", "status", "secret", session);
    check_corrupt(fresh, "devices", "status", "secret", session);
    check_corrupt(fresh, "tenants", "zone", "secret", session);
    let user: ReadFn = |tx, fixture| tx.users().find(fixture.anna.id).map(drop);
    // names and addresses were valid when they were stored, and are not validated again
    check_corrupt(fresh, "users", "status", "secret", user);
    let device: ReadFn = |tx, fixture| tx.devices().find(fixture.till.id).map(drop);
    for column in ["environment", "status", "preferences", "settings"] {
        check_corrupt(fresh, "devices", column, "secret", device);
    }
    let role: ReadFn = |tx, fixture| tx.roles().find_many(fixture.tenant.id, &[fixture.role.id]).map(drop);
    for (column, value) in [("rights", "[\"Secret secret\"]"), ("environments", "[\"secret\"]")] {
        check_corrupt(fresh, "roles", column, value, role);
    }
    let tenant: ReadFn = |tx, fixture| tx.tenants().find(fixture.tenant.id).map(drop);
    for column in ["slug", "zone", "locale", "accent_color"] {
        check_corrupt(fresh, "tenants", column, "SECRET secret", tenant);
    }
}

fn event_with_unreadable_details_is_shown(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    fresh.write(|tx| tx.audit().record(&crate::store::test_event(1)));
    // written by a version without a limit on the depth of JSON
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    fresh.write(|tx| {
        let details = serde_json::Map::from_iter([("a".to_owned(), serde_json::json!("PLACE"))]);
        tx.audit().record(&Event { id: EventId(uuid(9_999)), details, ..crate::store::test_event(2) })
    });
    match fresh.raw() {
        RawConnection::Sqlite(_) => fresh.raw().execute("DROP TRIGGER audit_unchanged"),
        RawConnection::Postgres(_) => fresh.raw().execute("ALTER TABLE audit DISABLE TRIGGER ALL"),
    }
    fresh.raw().execute(&format!("UPDATE audit SET details = '{{\"a\":{deep}}}' WHERE details LIKE '%PLACE%'"));
    let shown = office::unguarded::read_audit(&*fresh.database, &EventFilter::default(), &OffsetPageRequest::first(10))
        .unwrap();
    assert_eq!(shown.len(), 2, "the line beside it is shown too");
    let details = &shown.iter().find(|view| view.event.id == EventId(uuid(9_999))).unwrap().event.details;
    assert!(details["unreadable"].as_str().is_some_and(|text| text.contains(&deep)), "{details:?}");
}

fn incomplete_ending_is_corrupt(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    fresh.write(|tx| tx.sessions().insert(&fixture.new_session(1)));
    fresh.raw().execute("UPDATE sessions SET ended_at = 5");
    let store: &dyn Store<AuthPorts> = &*fresh.database;
    let read = store.read("test", |tx| tx.sessions().find(fixture.new_session(1).id).map(drop));
    assert!(matches!(read, Err(StoreError::Corrupt { table: "sessions", column: "ended_why", .. })), "{read:?}");
}
