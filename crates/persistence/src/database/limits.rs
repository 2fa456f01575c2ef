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
}

impl Default for Limits {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(2), waiting: 256, connections: 16 }
    }
}
