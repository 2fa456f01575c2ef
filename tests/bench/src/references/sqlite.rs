//! The statements of a refresh in a loop on SQLite: prepared once, with a group of them in each
//! commit, and without responses. Rows are read completely, and what is written is on disk when it
//! counts.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::statements::{
    FIND_COLUMN_COUNT, OPEN_SAVEPOINT, RELEASE_SAVEPOINT, ROTATE_SESSION, SELECT_SESSION, SELECT_STATE,
};

/// The number of rotations in a commit: the most that the server puts into one.
pub(crate) const GROUP_SIZE: usize = 64;

/// Rotations per second, over all sessions in turn.
pub(crate) fn rate(file: &Path, span: Duration) -> f64 {
    let connection = Connection::open(file).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA journal_size_limit = 67108864; PRAGMA busy_timeout = 2000;",
        )
        .unwrap();
    let ids: Vec<Vec<u8>> = connection
        .prepare("SELECT id FROM sessions ORDER BY id")
        .unwrap()
        .query_map((), |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    // in the order in which as many connections, each with its own sessions, would reach them
    let order = |count: usize| &ids[(count % GROUP_SIZE * (ids.len() / GROUP_SIZE) + count / GROUP_SIZE) % ids.len()];
    // SQLite numbers `$n` by occurrence and `?n` by its number
    let prepare = |statement: &str| connection.prepare(&statement.replace('$', "?")).unwrap();
    let (mut writable, mut find, mut rotate) =
        (prepare(SELECT_STATE), prepare(SELECT_SESSION), prepare(ROTATE_SESSION));
    let (mut open, mut close) = (prepare(OPEN_SAVEPOINT), prepare(RELEASE_SAVEPOINT));
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < span {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..GROUP_SIZE {
            open.execute(()).unwrap();
            let id = order(count);
            let (generation, key, expires_at, expires_day) = find
                .query_row([id], |row| {
                    for column in 0..FIND_COLUMN_COUNT {
                        std::hint::black_box(row.get_ref(column)?);
                    }
                    Ok((
                        row.get::<_, i64>(8)?,
                        row.get::<_, Vec<u8>>(9)?,
                        row.get::<_, i64>(23)?,
                        row.get::<_, i64>(24)?,
                    ))
                })
                .unwrap();
            let state: String = writable.query_row((), |row| row.get(0)).unwrap();
            assert_eq!(state, "open");
            let now = expires_at - 1;
            let rotated = rotate
                .execute(params![id, generation, generation + 1, key, key, now, expires_at, expires_day, "127.0.0.1"])
                .unwrap();
            assert_eq!(rotated, 1);
            close.execute(()).unwrap();
            count += 1;
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    count as f64 / begun.elapsed().as_secs_f64()
}
