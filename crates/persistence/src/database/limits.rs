//! How much a database may be asked at once and how long anybody waits for it.

use std::time::Duration;

/// The limits of one [`Database`](crate::Database).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The one deadline of a unit of work: all its waiting and all its runs.
    pub deadline: Duration,
    /// How many units of work wait at most; the next is unavailable at once.
    pub waiting: usize,
    /// How many connections: to PostgreSQL, or readers of SQLite (which has one writer besides).
    pub connections: u32,
    /// How long a connection that nobody needs is kept. One is kept in any case.
    pub idle: Duration,
    /// How many bytes the pages of SQLite take that are kept in memory, in all connections together.
    pub pages: u64,
}

impl Limits {
    /// How many bytes of pages the connection keeps that writes to SQLite: half, as all writers use the one.
    pub(crate) fn writer_page_bytes(&self) -> u64 {
        self.pages / 2
    }

    /// How many bytes of pages each of those keeps that read.
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
