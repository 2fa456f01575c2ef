//! The schema can be migrated up, down and up again, and is the same in both databases.

use std::sync::Barrier;

use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::ports::{FeedCursor, Node};
use tillgate_domain::office::ports::PageRequest;
use tillgate_domain::{
    Change, Email, Instant, KnownRight, NodeId, PendingKey, PendingKeyState, Rank, Rights, Role, RoleId, RoleName,
    Scope, SessionId, Store, StoreError, StoreExt, Tenant, User, UserId,
};
use tillgate_persistence::{Address, Database, Limits, MigrateError, OpenError};
use tillgate_testkit::records::{new_pending_key, new_user};
use tillgate_testkit::{DatabaseEngine, TestFolder};
use uuid::Uuid;

use crate::test_database::{RawConnection, StoreFixture, TestDatabase, at};

fn column_names(raw: &RawConnection) -> Vec<String> {
    let query = match raw {
        RawConnection::Sqlite(_) => {
            "SELECT m.name || '.' || c.name || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN '' ELSE '?' END AS text \
             FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'"
        }
        RawConnection::Postgres(_) => {
            "SELECT table_name || '.' || column_name || CASE WHEN is_nullable = 'NO' THEN '' ELSE '?' END AS text \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'"
        }
    };
    let mut columns = raw.query_texts(query);
    columns.sort();
    columns
}

tillgate_testkit::on_both_databases!(
    migrations_run_up_down_and_up,
    built_in_manager_gets_the_right_to_see_sessions,
    built_in_manager_gets_the_right_to_enroll_devices,
    search_texts_of_users_are_composed_again_in_both_directions,
    existing_managers_get_the_right_to_unlock_pins,
    existing_tenants_accept_no_machines_that_show_a_code,
    keys_of_machines_outlive_the_migration_to_tenants,
    changes_of_first_uses_are_removed_from_the_feed,
    running_process_stops_writing_once_a_newer_one_has_migrated
);

fn migrations_run_up_down_and_up(engine: DatabaseEngine) {
    let fresh = TestDatabase::on(engine).with_fixture();
    let before = column_names(fresh.raw());
    assert!(before.len() > 100, "{before:?}");
    fresh.database.revert_all().unwrap();
    assert_eq!(column_names(fresh.raw()), [""; 0]);
    fresh.database.migrate(&mut |_| ()).unwrap();
    assert_eq!(column_names(fresh.raw()), before);
    assert_eq!(fresh.database.pending_migrations().unwrap(), [""; 0]);
}

/// The built-in role of a tenant from before the right existed has the same rights as a new one.
fn built_in_manager_gets_the_right_to_see_sessions(engine: DatabaseEngine) {
    let fresh = TestDatabase::on(engine).with_fixture();
    let role = Rank::Manager.to_role(RoleId(Uuid::from_u128(77)), StoreFixture::default().tenant.id).unwrap();
    let custom = Role {
        id: RoleId(Uuid::from_u128(78)),
        name: RoleName::parse("watch").unwrap(),
        built_in: false,
        ..role.clone()
    };
    let custom = Role { rights: Rights::of(&[KnownRight::SessionDelete]), ..custom };
    let (up, down) = match engine {
        DatabaseEngine::Sqlite => (
            include_str!("../../../../migrations/sqlite/2026-11-29-000020_session_read/up.sql"),
            include_str!("../../../../migrations/sqlite/2026-11-29-000020_session_read/down.sql"),
        ),
        DatabaseEngine::Postgres => (
            include_str!("../../../../migrations/postgres/2026-11-29-000020_session_read/up.sql"),
            include_str!("../../../../migrations/postgres/2026-11-29-000020_session_read/down.sql"),
        ),
    };
    fresh.write_office(|tx| tx.roles().insert(&role));
    fresh.write_office(|tx| tx.roles().insert(&custom));
    let read = |id| fresh.write_office(|tx| tx.roles().find(id)).unwrap();
    fresh.raw().execute(down);
    let before = read(role.id);
    assert!(!before.rights.allows(KnownRight::SessionRead) && before.rights.allows(KnownRight::SessionDelete));
    fresh.raw().execute(up);
    fresh.raw().execute(up);
    assert_eq!(read(role.id), Role { version: 3, ..role }, "once");
    assert_eq!(read(custom.id), custom, "other roles stay");
}

/// The built-in role of a tenant from before the right existed has the same rights as a new one.
fn built_in_manager_gets_the_right_to_enroll_devices(engine: DatabaseEngine) {
    let fresh = TestDatabase::on(engine).with_fixture();
    let role = Rank::Manager.to_role(RoleId(Uuid::from_u128(77)), StoreFixture::default().tenant.id).unwrap();
    let custom = Role {
        id: RoleId(Uuid::from_u128(78)),
        name: RoleName::parse("watch").unwrap(),
        built_in: false,
        rights: Rights::of(&[KnownRight::AuditRead, KnownRight::UserRead]),
        ..role.clone()
    };
    let (up, down) = match engine {
        DatabaseEngine::Sqlite => (
            include_str!("../../../../migrations/sqlite/2026-11-30-000033_enrollments/up.sql"),
            include_str!("../../../../migrations/sqlite/2026-11-30-000033_enrollments/down.sql"),
        ),
        DatabaseEngine::Postgres => (
            include_str!("../../../../migrations/postgres/2026-11-30-000033_enrollments/up.sql"),
            include_str!("../../../../migrations/postgres/2026-11-30-000033_enrollments/down.sql"),
        ),
    };
    fresh.write_office(|tx| tx.roles().insert(&role));
    fresh.write_office(|tx| tx.roles().insert(&custom));
    let read = |id| fresh.write_office(|tx| tx.roles().find(id)).unwrap();
    fresh.raw().execute(down);
    let before = read(role.id);
    assert!(!before.rights.allows(KnownRight::DeviceEnroll) && before.rights.allows(KnownRight::AuditRead));
    fresh.raw().execute(up);
    assert_eq!(read(role.id), Role { version: 3, ..role });
    assert_eq!(read(custom.id), custom, "other roles stay");
}

/// Existing managers may unlock PINs, devices keep working as before, and a role of a tenant's own
/// gets no right.
fn existing_managers_get_the_right_to_unlock_pins(engine: DatabaseEngine) {
    let fresh = TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let role = Rank::Manager.to_role(RoleId(Uuid::from_u128(77)), fixture.tenant.id).unwrap();
    let custom = Role {
        id: RoleId(Uuid::from_u128(78)),
        name: RoleName::parse("watch").unwrap(),
        built_in: false,
        rights: Rights::of(&[KnownRight::SessionDelete, KnownRight::UserRead]),
        ..role.clone()
    };
    let (up, down) = match engine {
        DatabaseEngine::Sqlite => (
            include_str!("../../../../migrations/sqlite/2026-11-30-000044_till_mode/up.sql"),
            include_str!("../../../../migrations/sqlite/2026-11-30-000044_till_mode/down.sql"),
        ),
        DatabaseEngine::Postgres => (
            include_str!("../../../../migrations/postgres/2026-11-30-000044_till_mode/up.sql"),
            include_str!("../../../../migrations/postgres/2026-11-30-000044_till_mode/down.sql"),
        ),
    };
    fresh.write_office(|tx| tx.roles().insert(&role));
    fresh.write_office(|tx| tx.roles().insert(&custom));
    let read = |id| fresh.write_office(|tx| tx.roles().find(id)).unwrap();
    fresh.raw().execute(down);
    let before = read(role.id);
    assert!(!before.rights.allows(KnownRight::PinReset) && before.rights.allows(KnownRight::SessionDelete));
    fresh.raw().execute(up);
    assert_eq!(read(role.id), Role { version: 3, ..role });
    assert_eq!(read(custom.id), custom, "other roles stay");
    assert!(!fresh.write_office(|tx| tx.devices().find(fixture.till.id)).unwrap().till_mode);
    assert_eq!(column_names(fresh.raw()), column_names(TestDatabase::on(engine).raw()));
}

/// A tenant from before accepts machines that show a code only once it chooses to.
fn existing_tenants_accept_no_machines_that_show_a_code(engine: DatabaseEngine) {
    let fresh = TestDatabase::on(engine).with_fixture();
    let (up, down) = pending_key_limits(engine);
    let read = || fresh.write_office(|tx| tx.tenants().find(StoreFixture::default().tenant.id)).unwrap();
    let before = read();
    assert!(before.machine_codes);
    fresh.raw().execute(down);
    fresh.raw().execute(up);
    assert_eq!(read(), Tenant { machine_codes: false, ..before });
    fresh.raw().execute(down);
    assert!(!read().machine_codes, "an earlier version finds what the tenant has chosen");
    fresh.raw().execute(up);
    assert_eq!(column_names(fresh.raw()), column_names(TestDatabase::on(engine).raw()));
}

/// Machines that have presented the code of a device, or were accepted, go on waiting or polling.
fn keys_of_machines_outlive_the_migration_to_tenants(engine: DatabaseEngine) {
    let fresh = TestDatabase::on(engine).with_fixture();
    let (up, down) = pending_key_limits(engine);
    let fixture = StoreFixture::default();
    let (tenant, till) = (fixture.tenant.id, fixture.till.id);
    let shown = new_pending_key(tenant, 1, at(1), at(9));
    let presented = PendingKey { device: Some(till), ..new_pending_key(tenant, 3, at(1), at(9)) };
    let state = PendingKeyState::Accepted;
    let accepted = PendingKey { device: Some(till), state, ..new_pending_key(tenant, 5, at(1), at(9)) };
    for key in [&shown, &presented, &accepted] {
        assert!(fresh.write(|tx| tx.pending_keys().insert(key)));
    }
    let find = |key: &PendingKey| fresh.write_office(|tx| tx.pending_keys().find_by_code(&key.code_digest));
    fresh.raw().execute(down);
    // earlier versions knew no tenant before the acceptance
    fresh.raw().execute("UPDATE pending_keys SET tenant_id = NULL WHERE state = 'waiting'");
    fresh.raw().execute(up);
    assert_eq!([&shown, &presented, &accepted].map(find), [None, Some(presented.clone()), Some(accepted.clone())]);
    fresh.raw().execute(down);
    fresh.raw().execute(up);
    assert_eq!([&presented, &accepted].map(find), [Some(presented.clone()), Some(accepted.clone())]);
}

/// An earlier version has the address between the names, in the form in which it was entered.
fn search_texts_of_users_are_composed_again_in_both_directions(engine: DatabaseEngine) {
    let fresh = TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let new = |number, name, email: Option<&str>| User {
        email: email.map(|email| Email::parse(email).unwrap()),
        ..new_user(UserId(Uuid::from_u128(number)), fixture.tenant.id, name, at(0))
    };
    for user in [new(77, "Eva", Some("Eva@xn--mnchen-3ya.example")), new(78, "Ján", None)] {
        assert!(fresh.write_office(|tx| tx.users().insert(&user)));
    }
    let down = match engine {
        DatabaseEngine::Sqlite => include_str!("../../../../migrations/sqlite/2026-11-30-000043_email_search/down.sql"),
        DatabaseEngine::Postgres => {
            include_str!("../../../../migrations/postgres/2026-11-30-000043_email_search/down.sql")
        }
    };
    let texts = || fresh.raw().query_texts("SELECT searched AS text FROM users ORDER BY name");
    let current = texts();
    assert!(
        current.iter().any(|text| text.ends_with("\u{1f}\u{1e}eva@xn--mnchen-3ya.example\u{1f}eva@münchen.example"))
    );
    fresh.raw().execute(down);
    assert_eq!(
        texts(),
        ["anna\u{1f}anna@example.com\u{1f}anna malá", "eva\u{1f}eva@xn--mnchen-3ya.example\u{1f}eva", "ján\u{1f}ján"]
    );
    fresh.raw().execute("DELETE FROM __diesel_schema_migrations WHERE version = '20261130000043'");
    fresh.database.migrate(&mut |_| ()).unwrap();
    assert_eq!(texts(), current);
}

fn pending_key_limits(engine: DatabaseEngine) -> (&'static str, &'static str) {
    match engine {
        DatabaseEngine::Sqlite => (
            include_str!("../../../../migrations/sqlite/2026-11-30-000042_pending_key_limits/up.sql"),
            include_str!("../../../../migrations/sqlite/2026-11-30-000042_pending_key_limits/down.sql"),
        ),
        DatabaseEngine::Postgres => (
            include_str!("../../../../migrations/postgres/2026-11-30-000042_pending_key_limits/up.sql"),
            include_str!("../../../../migrations/postgres/2026-11-30-000042_pending_key_limits/down.sql"),
        ),
    }
}

/// A feed that a process stops reading at a change of the first uses of a session.
fn changes_of_first_uses_are_removed_from_the_feed(engine: DatabaseEngine) {
    let fresh = TestDatabase::on(engine);
    let (user, session) = (Scope::User(UserId(Uuid::from_u128(1))), SessionId(Uuid::from_u128(2)));
    fresh.write(|tx| tx.revocations().invalidate(user, Instant::from_millis(1)));
    let id = session.0.simple();
    let id = match engine {
        DatabaseEngine::Sqlite => format!("x'{id}'"),
        DatabaseEngine::Postgres => format!("'\\x{id}'"),
    };
    for kind in ["touched", "ended"] {
        fresh.raw().execute(&format!(
            "INSERT INTO changes (kind, scope, subject_id, written_at) VALUES ('{kind}', 'session', {id}, 2)"
        ));
    }
    let store: &dyn Store<AuthPorts> = &*fresh.database;
    let poll = || store.read("test", |tx| tx.feed().poll(None));
    assert!(matches!(poll(), Err(StoreError::Corrupt { table: "changes", column: "scope", .. })), "{:?}", poll());
    fresh.raw().execute("DELETE FROM __diesel_schema_migrations WHERE version = '20261130000030'");
    fresh.database.migrate(&mut |_| ()).unwrap();
    let changes: Vec<Change> = poll().unwrap().entries.into_iter().map(|found| found.change).collect();
    assert_eq!(changes, [Change::Invalidated(user), Change::SessionEnded(session)]);
}

/// If a newer process migrates the database, a running one notices it when it next reports its
/// position. From then on it neither reads nor writes, and reports why.
fn running_process_stops_writing_once_a_newer_one_has_migrated(engine: DatabaseEngine) {
    let fresh = TestDatabase::on(engine);
    let store: &dyn Store<AuthPorts> = &*fresh.database;
    let node =
        Node { id: NodeId(Uuid::from_u128(7)), applied: FeedCursor(0), seen_at: Instant::from_millis(1), clock: None };
    let say = || store.write("test", |tx| tx.nodes().upsert(&node));
    let write = || store.write("test", |tx| tx.nodes().sweep(Instant::from_millis(0)));
    assert_eq!((say(), write(), store.write_failure()), (Ok(()), Ok(0), None));
    fresh.raw().execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')");
    assert_eq!(write(), Ok(0), "it does not know yet");
    for _ in 0..2 {
        assert!(matches!(say(), Err(StoreError::Unavailable(why)) if why.contains("restart this server")));
        assert!(matches!(write(), Err(StoreError::Unavailable(_))));
        assert!(store.write_failure().is_some_and(|why| why.contains("newer program")));
    }
    assert_eq!(store.read("test", |tx| tx.nodes().list_live(Instant::from_millis(0))).unwrap().len(), 1, "it reads");
    assert!(matches!(fresh.database.migrate(&mut |_| ()), Err(MigrateError::Newer(_))));
    fresh.raw().execute("DELETE FROM __diesel_schema_migrations WHERE version = '29991231000001'");
    assert!(write().is_err(), "until it is restarted");
}

#[test]
#[ignore = "requires PostgreSQL"]
fn databases_have_the_same_columns() {
    let mut postgres = column_names(TestDatabase::postgres().raw());
    // the order within a transaction, which SQLite's position already contains
    postgres.retain(|column| !["changes.number", "live_events.number"].contains(&column.as_str()));
    // a clock that SQLite does not have
    postgres.retain(|column| !["sessions.rotated_clock?", "sessions.rotated_server?"].contains(&column.as_str()));
    assert_eq!(column_names(TestDatabase::sqlite().raw()), postgres);
}

/// Failed logins recorded before there were token buckets: they reduce the tokens of the bucket for
/// unknown networks, so that an attack in progress gets no fresh start, and they expire.
fn check_failure_tokens(fresh: &TestDatabase, up: &str, down: &str) {
    let raw = fresh.raw();
    // a later migration has an index of a column that this one adds
    raw.execute("DROP INDEX attempts_full");
    raw.execute(down);
    let key = |number: u8| {
        let hex = format!("{number:02x}").repeat(32);
        match raw {
            RawConnection::Sqlite(_) => format!("X'{hex}'"),
            RawConnection::Postgres(_) => format!("decode('{hex}', 'hex')"),
        }
    };
    for (number, failures, failed_at) in [(1, 3, "1000"), (2, 100, "1000"), (3, 0, "NULL")] {
        raw.execute(&format!(
            "INSERT INTO attempts (key, failures, failed_at, open, touched_at) VALUES ({}, {failures}, {failed_at}, 0, 1)",
            key(number)
        ));
    }
    raw.execute(up);
    let mut full_at = raw.query_texts("SELECT CAST(full_at AS TEXT) AS text FROM attempts ORDER BY key");
    full_at.truncate(3);
    assert_eq!(full_at, ["2881000", "9601000", "0"]);
}

#[test]
fn failure_counts_become_tokens_on_sqlite() {
    check_failure_tokens(
        &TestDatabase::sqlite(),
        include_str!("../../../../migrations/sqlite/2026-11-28-000015_buckets/up.sql"),
        include_str!("../../../../migrations/sqlite/2026-11-28-000015_buckets/down.sql"),
    );
}

#[test]
#[ignore = "requires PostgreSQL"]
fn failure_counts_become_tokens_on_postgres() {
    check_failure_tokens(
        &TestDatabase::postgres(),
        include_str!("../../../../migrations/postgres/2026-11-28-000015_buckets/up.sql"),
        include_str!("../../../../migrations/postgres/2026-11-28-000015_buckets/down.sql"),
    );
}

/// Existing users need not change their password.
fn check_password_changes(fresh: &TestDatabase, up: &str, down: &str) {
    let raw = fresh.raw();
    raw.execute(down);
    raw.execute(up);
    let users = fresh
        .write_office(|tx| tx.users().list(StoreFixture::default().tenant.id, &PageRequest { after: None, limit: 9 }));
    assert!(!users.is_empty() && users.iter().all(|user| !user.password_change_required), "{users:?}");
}

#[test]
fn existing_users_need_no_password_change_on_sqlite() {
    check_password_changes(
        &TestDatabase::sqlite().with_fixture(),
        include_str!("../../../../migrations/sqlite/2026-11-28-000017_password_changes/up.sql"),
        include_str!("../../../../migrations/sqlite/2026-11-28-000017_password_changes/down.sql"),
    );
}

#[test]
#[ignore = "requires PostgreSQL"]
fn existing_users_need_no_password_change_on_postgres() {
    check_password_changes(
        &TestDatabase::postgres().with_fixture(),
        include_str!("../../../../migrations/postgres/2026-11-28-000017_password_changes/up.sql"),
        include_str!("../../../../migrations/postgres/2026-11-28-000017_password_changes/down.sql"),
    );
}

/// SQLite reports "locked" at once if two processes change a new file's journal mode concurrently.
#[test]
fn concurrent_processes_create_one_sqlite_file() {
    const ROUND_COUNT: usize = 20;
    for round in 0..ROUND_COUNT {
        let folder = TestFolder::new();
        let address = Address::parse("sqlite:tillgate.db", &folder).unwrap();
        let together = Barrier::new(4);
        let makes = || {
            together.wait();
            let database = Database::create(&address, &Limits::default())?;
            database.migrate(&mut |_| ()).unwrap();
            Ok::<_, OpenError>(())
        };
        std::thread::scope(|scope| {
            let made: Vec<_> = (0..4).map(|_| scope.spawn(makes)).collect();
            for one in made {
                one.join().unwrap().unwrap_or_else(|error| panic!("round {round}: {error}"));
            }
        });
    }
}
