//! A clock of PostgreSQL that a test moves.
//!
//! PostgreSQL dates rotations by its own clock, while the clock of a test moves only when the test
//! moves it. So the test's database has functions of the same names that read a table, in a schema
//! that is searched before PostgreSQL's own; the table is written before a unit of work if the
//! test's clock has moved.

use std::sync::{Arc, Mutex, PoisonError};

use tillgate_auth_core::clock::Clock;
use tillgate_domain::Instant;

/// Creates the functions, for the database of which the others are copies. Until a clock is set,
/// they return what PostgreSQL's own do.
pub(crate) const PREPARE_CLOCK: &str = "
    CREATE SCHEMA test_clock;
    CREATE TABLE test_clock.reading (millis BIGINT NOT NULL, server BIGINT NOT NULL);
    CREATE FUNCTION test_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
        SELECT coalesce((SELECT to_timestamp(millis / 1000.0) FROM test_clock.reading), pg_catalog.clock_timestamp())
    $$;
    CREATE FUNCTION test_clock.pg_postmaster_start_time() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
        SELECT pg_catalog.pg_postmaster_start_time()
            + coalesce((SELECT server FROM test_clock.reading), 0) * interval '1 second'
    $$";

/// Makes every later connection to the current database find these functions first. A copy of a
/// database does not have the settings of its original.
pub(crate) const USE_CLOCK: &str = "
    DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET search_path = test_clock, pg_catalog, public', current_database());
    END $$";

/// The clock that the database follows, if any.
#[derive(Default)]
pub(crate) struct PostgresClock(Mutex<Option<FollowedClock>>);

struct FollowedClock {
    clock: Arc<dyn Clock>,
    /// The number of the server: another one has another clock.
    server: u32,
    /// The reading that the database has.
    written: Option<Instant>,
}

impl PostgresClock {
    /// Follows this clock from now on, as the clock of another server than before.
    pub(crate) fn follow(&self, clock: Arc<dyn Clock>) {
        let mut followed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let server = followed.as_ref().map_or(0, |followed| followed.server + 1);
        *followed = Some(FollowedClock { clock, server, written: None });
    }

    /// Writes the reading into the database, with a statement that `execute` runs, if it has moved.
    pub(crate) fn synchronize(&self, execute: impl FnOnce(&str)) {
        let mut followed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(followed) = followed.as_mut() else { return };
        let now = followed.clock.now();
        if followed.written == Some(now) {
            return;
        }
        let (millis, server) = (now.millis(), followed.server);
        execute(&format!(
            "BEGIN; DELETE FROM test_clock.reading; INSERT INTO test_clock.reading VALUES ({millis}, {server}); COMMIT"
        ));
        followed.written = Some(now);
    }
}
