//! How far a call may go for what it needs to know.

/// Whether a call may use the store, or only what is cached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Only what this process has cached. What needs more returns `None`, without waiting.
    Memory,
    /// Also the store, on a thread that may wait.
    Store,
    /// Also the store, but the caller records the use of the token, and its first use in its own
    /// unit of work.
    Exchange,
}
