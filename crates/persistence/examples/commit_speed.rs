//! Measures how fast SQLite commits rotations: 64 threads that rotate sessions through the store,
//! compared with a loop that writes the same columns in groups of 32, without threads, ports or
//! waiting callers. Both count a rotation once it is on disk.
//!
//! `cargo run --release -p tillgate-persistence --example commit_speed [SECONDS]`

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::format_push_string,
    missing_docs
)]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant as Watch};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::ports::Rotation;
use tillgate_domain::{Instant, KeyId, SessionId, StoreExt};
use tillgate_persistence::{Address, Database, Limits};
use uuid::Uuid;

const SESSION_COUNT: u64 = 4096;
const THREAD_COUNT: u64 = 64;
const GROUP_SIZE: u64 = 32;

diesel::table! {
    sessions (id) {
        id -> Binary,
        generation -> BigInt,
        key_id -> Binary,
        previous_key_id -> Binary,
        rotated_at -> Nullable<BigInt>,
        expires_at -> Nullable<BigInt>,
        expires_day -> Nullable<BigInt>,
        rotated_from -> Nullable<Text>,
        ended_at -> Nullable<BigInt>,
    }
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5);
    let span = Duration::from_secs(seconds);
    let folder = std::env::temp_dir().join(format!("tillgate-commit-speed-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let database = Database::create(&Address::parse("sqlite:till.db", &folder).unwrap(), &Limits::default()).unwrap();
    database.migrate(&mut |_| ()).unwrap();
    create_sessions(&folder);
    // Twice in turn, so that a disk that slows down meanwhile is noticed.
    for _ in 0..2 {
        let bare = measure_bare_sqlite(&folder, span);
        let before = database.load();
        let run = measure_database(&database, &folder, span);
        let after = database.load();
        let crowd = (after.grouped_units - before.grouped_units) as f64 / (after.groups - before.groups) as f64;
        println!(
            "bare loop, groups of {GROUP_SIZE}: {bare:.0}/s; {THREAD_COUNT} threads through run, groups of {crowd:.1}: {run:.0}/s; ratio {:.2}",
            run / bare
        );
    }
    drop(database);
    std::fs::remove_dir_all(&folder).unwrap();
}

fn session_id(number: u64) -> Uuid {
    // Ids of one millisecond: neighbors in the index, like the sessions of one morning.
    uuid::Builder::from_unix_timestamp_millis(1_790_000_000_000 + number, &[0; 10]).into_uuid()
}

fn key_id() -> Uuid {
    session_id(0)
}

fn connect(folder: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(folder.join("till.db").to_str().unwrap()).unwrap();
    connection
        .batch_execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 2000")
        .unwrap();
    connection
}

fn uuid_literal(id: Uuid) -> String {
    format!("x'{}'", id.simple())
}

fn create_sessions(folder: &Path) {
    let key = uuid_literal(key_id());
    let mut statements = format!("BEGIN; INSERT INTO tenants VALUES ({key}, 'default', 'Shop', 'UTC', 'en', 0, 0, 1);");
    for number in 0..SESSION_COUNT {
        let id = uuid_literal(session_id(number));
        statements.push_str(&format!(
            "INSERT INTO sessions (id, tenant_id, kind, dialect, terms, generation, key_id, previous_key_id, used, user_epoch, \
             device_epoch, tenant_epoch, methods, proved_at, created_at) VALUES ({id}, {key}, 'person', 'native', '{{}}', 0, {key}, \
             {key}, 0, 0, 0, 0, '[]', 0, 0);"
        ));
    }
    statements.push_str("COMMIT");
    connect(folder).batch_execute(&statements).unwrap();
}

/// Resets every session to its first generation.
fn reset_sessions(connection: &mut SqliteConnection) {
    connection.batch_execute("UPDATE sessions SET generation = 0").unwrap();
}

fn measure_bare_sqlite(folder: &Path, span: Duration) -> f64 {
    let connection = &mut connect(folder);
    reset_sessions(connection);
    let key = *key_id().as_bytes();
    let start = Watch::now();
    let mut count = 0_u64;
    while start.elapsed() < span {
        connection
            .immediate_transaction(|connection| {
                for _ in 0..GROUP_SIZE {
                    // The same rows in the order in which the threads reach them.
                    let number = count % THREAD_COUNT * (SESSION_COUNT / THREAD_COUNT)
                        + count / THREAD_COUNT % (SESSION_COUNT / THREAD_COUNT);
                    let id = *session_id(number).as_bytes();
                    let at = i64::try_from(count).unwrap();
                    let from = at / i64::try_from(SESSION_COUNT).unwrap();
                    let one = sessions::table
                        .filter(sessions::id.eq(id.as_slice()))
                        .filter(sessions::generation.eq(from))
                        .filter(sessions::ended_at.is_null());
                    let rows = diesel::update(one)
                        .set((
                            sessions::generation.eq(from + 1),
                            sessions::key_id.eq(key.as_slice()),
                            sessions::previous_key_id.eq(key.as_slice()),
                            sessions::rotated_at.eq(at),
                            sessions::expires_at.eq(at),
                            sessions::expires_day.eq(0),
                            sessions::rotated_from.eq("127.0.0.1"),
                        ))
                        .execute(connection)?;
                    assert_eq!(rows, 1);
                    count += 1;
                }
                diesel::QueryResult::Ok(())
            })
            .unwrap();
    }
    count as f64 / start.elapsed().as_secs_f64()
}

fn measure_database(database: &Database, folder: &Path, span: Duration) -> f64 {
    reset_sessions(&mut connect(folder));
    let total = AtomicU64::new(0);
    let start = Watch::now();
    thread::scope(|scope| {
        for thread in 0..THREAD_COUNT {
            let total = &total;
            scope.spawn(move || {
                let own = SESSION_COUNT / THREAD_COUNT;
                let mut count = 0_u64;
                while start.elapsed() < span {
                    let session = SessionId(session_id(thread * own + count % own));
                    let from = i64::try_from(count / own).unwrap();
                    let at = Instant::from_millis(i64::try_from(count).unwrap());
                    let rotation = Rotation {
                        generation: from + 1,
                        key: KeyId(key_id()),
                        previous_key: KeyId(key_id()),
                        at,
                        expires_at: Some(at),
                        from: Some([127, 0, 0, 1].into()),
                        proved_at: None,
                    };
                    let won = StoreExt::<AuthPorts>::write(database, "test", |tx| {
                        tx.sessions().rotate(session, from, &rotation)
                    })
                    .unwrap();
                    assert!(won);
                    count += 1;
                }
                total.fetch_add(count, Ordering::Relaxed);
            });
        }
    });
    total.into_inner() as f64 / start.elapsed().as_secs_f64()
}
