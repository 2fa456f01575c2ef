//! The schema goes up, down and up again, and is the same in both databases.

use std::sync::Barrier;

use tillgate_auth_core::AuthView;
use tillgate_auth_core::ports::{Cursor, Node};
use tillgate_domain::office::ports::Page;
use tillgate_domain::{Instant, NodeId, Store, StoreError, StoreExt};
use tillgate_persistence::{Address, Database, Limits, MigrateError, OpenError};
use uuid::Uuid;

use crate::stores::{Fresh, Raw, Shop};

fn columns(raw: &Raw) -> Vec<String> {
    let query = match raw {
        Raw::Sqlite(_) => {
            "SELECT m.name || '.' || c.name || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN '' ELSE '?' END AS text \
             FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'"
        }
        Raw::Postgres(_) => {
            "SELECT table_name || '.' || column_name || CASE WHEN is_nullable = 'NO' THEN '' ELSE '?' END AS text \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'"
        }
    };
    let mut columns = raw.texts(query);
    columns.sort();
    columns
}

fn goes_up_down_and_up(fresh: &Fresh) {
    let before = columns(fresh.raw());
    assert!(before.len() > 100, "{before:?}");
    fresh.database.unmigrate().unwrap();
    assert_eq!(columns(fresh.raw()), [""; 0]);
    fresh.database.migrate(&mut |_| ()).unwrap();
    assert_eq!(columns(fresh.raw()), before);
    assert_eq!(fresh.database.pending().unwrap(), [""; 0]);
}

#[test]
fn sqlite_goes_up_down_and_up() {
    goes_up_down_and_up(&Fresh::sqlite().with_shop());
}

#[test]
fn postgres_goes_up_down_and_up() {
    goes_up_down_and_up(&Fresh::postgres().with_shop());
}

/// A process that runs while a newer one migrates the database finds it out when it next says how far it follows; from then on it
/// reads and writes nothing, and says why.
fn running_process_stops_writing_once_a_newer_one_has_migrated(fresh: &Fresh) {
    let store: &dyn Store<AuthView> = &*fresh.database;
    let node =
        Node { id: NodeId(Uuid::from_u128(7)), applied: Cursor(0), seen_at: Instant::from_millis(1), clock: None };
    let say = || store.write(|tx| tx.nodes().note(&node));
    let write = || store.write(|tx| tx.nodes().sweep(Instant::from_millis(0)));
    assert_eq!((say(), write(), store.write_failure()), (Ok(()), Ok(0), None));
    fresh.raw().sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')");
    assert_eq!(write(), Ok(0), "it does not know yet");
    for _ in 0..2 {
        assert!(matches!(say(), Err(StoreError::Unavailable(why)) if why.contains("restart this server")));
        assert!(matches!(write(), Err(StoreError::Unavailable(_))));
        assert!(store.write_failure().is_some_and(|why| why.contains("newer program")));
    }
    assert_eq!(store.read(|tx| tx.nodes().live(Instant::from_millis(0))).unwrap().len(), 1, "it reads");
    assert!(matches!(fresh.database.migrate(&mut |_| ()), Err(MigrateError::Newer(_))));
    fresh.raw().sql("DELETE FROM __diesel_schema_migrations WHERE version = '29991231000001'");
    assert!(write().is_err(), "until it is started anew");
}

#[test]
fn sqlite_running_process_stops_writing_once_a_newer_one_has_migrated() {
    running_process_stops_writing_once_a_newer_one_has_migrated(&Fresh::sqlite());
}

#[test]
fn postgres_running_process_stops_writing_once_a_newer_one_has_migrated() {
    running_process_stops_writing_once_a_newer_one_has_migrated(&Fresh::postgres());
}

#[test]
fn both_databases_have_the_same_columns() {
    let mut postgres = columns(Fresh::postgres().raw());
    // the order within a transaction, which SQLite's position says already
    postgres.retain(|column| column != "changes.number");
    // a clock that SQLite has not
    postgres.retain(|column| !["sessions.rotated_clock?", "sessions.rotated_server?"].contains(&column.as_str()));
    assert_eq!(columns(Fresh::sqlite().raw()), postgres);
}

/// What stood against somebody before wrong passwords took tokens: it makes the bucket for unknown networks emptier, so that an
/// attack that was going on gets no fresh start, and it ages.
fn failures_in_a_row_become_tokens(fresh: &Fresh, up: &str, down: &str) {
    let raw = fresh.raw();
    raw.sql(down);
    let key = |number: u8| {
        let hex = format!("{number:02x}").repeat(32);
        match raw {
            Raw::Sqlite(_) => format!("X'{hex}'"),
            Raw::Postgres(_) => format!("decode('{hex}', 'hex')"),
        }
    };
    for (number, failures, failed_at) in [(1, 3, "1000"), (2, 100, "1000"), (3, 0, "NULL")] {
        raw.sql(&format!(
            "INSERT INTO attempts (key, failures, failed_at, open, touched_at) VALUES ({}, {failures}, {failed_at}, 0, 1)",
            key(number)
        ));
    }
    raw.sql(up);
    let mut full_at = raw.texts("SELECT CAST(full_at AS TEXT) AS text FROM attempts ORDER BY key");
    full_at.truncate(3);
    assert_eq!(full_at, ["2881000", "9601000", "0"]);
}

#[test]
fn sqlite_s_failures_in_a_row_become_tokens() {
    failures_in_a_row_become_tokens(
        &Fresh::sqlite(),
        include_str!("../../../../migrations/sqlite/2026-11-28-000015_buckets/up.sql"),
        include_str!("../../../../migrations/sqlite/2026-11-28-000015_buckets/down.sql"),
    );
}

#[test]
fn postgres_failures_in_a_row_become_tokens() {
    failures_in_a_row_become_tokens(
        &Fresh::postgres(),
        include_str!("../../../../migrations/postgres/2026-11-28-000015_buckets/up.sql"),
        include_str!("../../../../migrations/postgres/2026-11-28-000015_buckets/down.sql"),
    );
}

/// Whoever is there need not change their password.
fn users_of_before_need_not_change_their_password(fresh: &Fresh, up: &str, down: &str) {
    let raw = fresh.raw();
    raw.sql(down);
    raw.sql(up);
    let users = fresh.office(|tx| tx.users().list(Shop::default().tenant.id, &Page { after: None, limit: 9 }));
    assert!(!users.is_empty() && users.iter().all(|user| !user.password_change_required), "{users:?}");
}

#[test]
fn sqlite_s_users_of_before_need_not_change_their_password() {
    users_of_before_need_not_change_their_password(
        &Fresh::sqlite().with_shop(),
        include_str!("../../../../migrations/sqlite/2026-11-28-000017_password_changes/up.sql"),
        include_str!("../../../../migrations/sqlite/2026-11-28-000017_password_changes/down.sql"),
    );
}

#[test]
fn postgres_users_of_before_need_not_change_their_password() {
    users_of_before_need_not_change_their_password(
        &Fresh::postgres().with_shop(),
        include_str!("../../../../migrations/postgres/2026-11-28-000017_password_changes/up.sql"),
        include_str!("../../../../migrations/postgres/2026-11-28-000017_password_changes/down.sql"),
    );
}

/// SQLite answers "locked" at once to whoever changes a new file's mode while another does.
#[test]
fn several_make_one_file_of_sqlite_at_the_same_time() {
    const ROUNDS: usize = 20;
    let folder = std::env::temp_dir().join(format!("tillgate-made-at-once-{}", std::process::id()));
    for round in 0..ROUNDS {
        std::fs::create_dir_all(&folder).unwrap();
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
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
