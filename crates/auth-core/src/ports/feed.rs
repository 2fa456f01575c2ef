//! The ports for the change feed, its readers, and the identity of the store.

use tillgate_domain::{Change, Instant, NodeId, StoreResult};
use uuid::Uuid;

/// A position in the change feed. Only the store interprets the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedCursor(pub i64);

/// Where a reader of the feed continues: it has read everything before the cursor except what open
/// units of work write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookmark {
    /// Everything before this position was read, except what `open` lists.
    pub cursor: FeedCursor,
    /// Units of work that had begun and not ended, in ascending order; a later poll finds what they
    /// write. Empty for a store that commits in the order of its writes.
    pub open: Vec<FeedCursor>,
}

impl Bookmark {
    /// A bookmark after everything before the cursor.
    pub const fn from_cursor(cursor: FeedCursor) -> Self {
        Self { cursor, open: Vec::new() }
    }

    /// The position up to which a process has read.
    pub fn applied_cursor(&self) -> FeedCursor {
        self.open.first().map_or(self.cursor, |oldest| self.cursor.min(*oldest))
    }
}

/// A change that a poll has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// The number of the change, unique in the store.
    pub number: i64,
    /// The change itself.
    pub change: Change,
    /// The instant at which it was written.
    pub at: Instant,
}

/// A reading of the clock of a database server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerTime {
    /// The server, as in [`StoreClock::server`](super::StoreClock::server).
    pub server: i64,
    /// The current time of its clock.
    pub now: Instant,
}

/// What a poll of the feed has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedBatch {
    /// The changes, oldest first. Each is found once, unless the feed is read from the start again.
    pub entries: Vec<FeedEntry>,
    /// The bookmark of the next poll.
    pub next: Bookmark,
    /// Whether everything that is kept was read: there was no bookmark, or it is not from this
    /// store.
    pub restarted: bool,
    /// A reading of the store's own clock; `None` if it has none.
    pub clock: Option<ServerTime>,
}

/// The change feed: a list of the committed changes.
pub trait Feed {
    /// Returns all changes that the poll of the bookmark did not see; without a bookmark, all that
    /// are kept. No change is missed: one that is committed later by a transaction that had already
    /// begun is found by the next poll. No change is found twice, however long a transaction stays
    /// open. A bookmark beyond the end of the feed (the store was rolled back) counts as `None`.
    fn poll(&mut self, from: Option<&Bookmark>) -> StoreResult<FeedBatch>;

    /// The end of the feed. A process that has read up to there has read every change that was
    /// committed before this call.
    fn find_end(&mut self) -> StoreResult<FeedCursor>;

    /// Removes at most `limit` changes that were written before this instant. Returns their number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}

/// A process that uses the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its identifier, new at each start.
    pub id: NodeId,
    /// The position in the feed up to which it has read.
    pub applied: FeedCursor,
    /// The instant of its newest heartbeat.
    pub seen_at: Instant,
    /// The clock of its machine; `None` if it is unknown or in doubt.
    pub clock: Option<MachineClock>,
}

/// The trusted wall clock of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineClock {
    /// The start of the machine, as in [`Clock::boot_id`](crate::Clock::boot_id).
    pub boot_id: Uuid,
    /// The instant at which the machine started, by its wall clock. It changes when that clock is
    /// set.
    pub origin: Instant,
}

/// How far a process has applied the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAcknowledgment {
    /// The identifier of the process, as in [`Node`].
    pub id: NodeId,
    /// Its name for the operator, such as the machine and the number of the process; empty if it
    /// has not recorded one yet. Clients see [`NodeId::short_name`].
    pub name: String,
    /// The position in the feed up to which it has applied changes.
    pub applied: FeedCursor,
    /// The instant at which it applied the newest revocation before that position; `None` if it has
    /// not recorded one yet.
    pub applied_at: Option<Instant>,
}

/// The processes that use the store.
pub trait Nodes {
    /// Records the heartbeat of a process. Without a clock, the clock recorded before stays.
    fn upsert(&mut self, node: &Node) -> StoreResult<()>;
    /// The processes with a heartbeat since this instant that have not stopped.
    fn list_live(&mut self, since: Instant) -> StoreResult<Vec<Node>>;
    /// Records how far a process has applied the feed, if the process has recorded a heartbeat.
    fn record_acknowledgment(&mut self, acknowledgment: &NodeAcknowledgment) -> StoreResult<()>;
    /// The acknowledgments of the processes that [`list_live`](Self::list_live) returns.
    fn list_acknowledgments(&mut self, since: Instant) -> StoreResult<Vec<NodeAcknowledgment>>;
    /// The origin that a process on this start of a machine last recorded, whether or not it still
    /// runs. If several have recorded one, the last is the one with the longest time from its
    /// origin to its heartbeat: the origins differ if the wall clock was set.
    fn find_origin(&mut self, boot: Uuid) -> StoreResult<Option<Instant>>;
    /// Records that a process has stopped in good order. Its clock is kept; at least one process
    /// for each start of a machine.
    fn mark_left(&mut self, id: NodeId, at: Instant) -> StoreResult<()>;
    /// Removes processes with no heartbeat since this instant. Returns their number.
    fn sweep(&mut self, before: Instant) -> StoreResult<u32>;
}

/// Whether the store accepts writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// It accepts reads and writes.
    Open,
    /// It is being migrated: writes are [`Unavailable`](tillgate_domain::StoreError::Unavailable).
    Draining,
    /// It has been migrated to another store.
    Moved,
}

/// The identity of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The identifier, created with the store; the default issuer contains it.
    pub id: Uuid,
    /// Whether the store accepts writes.
    pub state: InstanceState,
}

/// Reads the identity of the store.
pub trait Instances {
    /// The identity and state of the store.
    fn find(&mut self) -> StoreResult<Instance>;
    /// The newest instant of a login, a change, an audit event or a heartbeat of a running process,
    /// or a later one that was recorded. No correct clock is behind it. It is read at each start,
    /// so its cost must not grow with the store.
    fn newest_instant(&mut self) -> StoreResult<Option<Instant>>;
}
