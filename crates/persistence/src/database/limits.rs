//! Limits on the concurrency and the waiting time of a database.

use std::time::Duration;

/// The limits of one [`Database`](crate::Database).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The deadline of a unit of work, for all of its waiting and all of its runs.
    pub deadline: Duration,
    /// How many units of work may wait; the next one fails as unavailable at once.
    pub waiting: usize,
    /// The number of connections to PostgreSQL, or of readers of SQLite (which also has one
    /// writer).
    pub connections: u32,
    /// How long an unused connection is kept. At least one is always kept.
    pub idle: Duration,
    /// The memory for SQLite's page caches in bytes, for all connections together.
    pub pages: u64,
}

impl Limits {
    /// The page cache of the connection that writes, in bytes: half of the total, since all writers
    /// share it.
    pub(crate) fn writer_page_bytes(&self) -> u64 {
        self.pages / 2
    }

    /// The page cache of each connection that reads, in bytes.
    pub(crate) fn reader_page_bytes(&self) -> u64 {
        (self.pages - self.writer_page_bytes()) / u64::from(self.connections.max(1))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            waiting: 256,
            connections: 16,
            idle: Duration::from_secs(30),
            pages: 4 << 20,
        }
    }
}
