//! Ports: what has changed, who follows it, and the store's own identity.

use tillgate_domain::{Change, Instant, NodeId, StoreResult};
use uuid::Uuid;

/// How far a reader of the feed has come. Its number means something to the store alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(pub i64);

/// Where a reader of the feed goes on: everything before the cursor was read, but for what was open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookmark {
    /// Everything before it was read, but for what `open` names.
    pub cursor: Cursor,
    /// Units of work that had begun and not ended, in their order: what they write is found at a later look. Empty where a store
    /// commits in the order in which it writes.
    pub open: Vec<Cursor>,
}

impl Bookmark {
    /// Everything before the cursor was read.
    pub const fn from_cursor(cursor: Cursor) -> Self {
        Self { cursor, open: Vec::new() }
    }

    /// Everything before it was read: how far a process follows.
    pub fn applied_cursor(&self) -> Cursor {
        self.open.first().map_or(self.cursor, |oldest| self.cursor.min(*oldest))
    }
}

/// A change that a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its number in the feed: no two changes of a store have the same.
    pub number: i64,
    /// What has changed.
    pub change: Change,
    /// When it was written.
    pub at: Instant,
}

/// A reading of the clock of the server that a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerTime {
    /// Which server: see [`StoreClock::server`](super::StoreClock::server).
    pub server: i64,
    /// What its clock said.
    pub now: Instant,
}

/// What a look at the feed found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedBatch {
    /// Changes, oldest first. Each is found once, unless a look begins anew.
    pub entries: Vec<FeedEntry>,
    /// Where the next look begins.
    pub next: Bookmark,
    /// Everything that is kept was read: there was no bookmark, or the store is not the one that gave it.
    pub restarted: bool,
    /// What the clock of the store says; `None` if it has none of its own.
    pub clock: Option<ServerTime>,
}

/// What has changed.
pub trait Feed {
    /// Every change that the look which gave the bookmark did not see, `None` for all that is kept. Nothing is passed over: a
    /// change that is committed after this look by a transaction that began before it is found by the next one; and nothing comes
    /// again, however long a transaction stays open. A bookmark from beyond the feed's end (the store went back) reads as `None`.
    fn poll(&mut self, from: Option<&Bookmark>) -> StoreResult<FeedBatch>;

    /// Removes changes that were written before this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}

/// A process over the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id, new at each start.
    pub id: NodeId,
    /// How far it follows the feed.
    pub applied: Cursor,
    /// When it last said so.
    pub seen_at: Instant,
    /// The clock of its machine; `None` if the process does not know, or does not believe it.
    pub clock: Option<MachineClock>,
}

/// The wall clock of a machine, as it was believed at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineClock {
    /// Which start of the machine it is: no two starts of any machine have the same.
    pub boot_id: Uuid,
    /// The instant at which the machine started, by its wall clock. It is another one after that clock was set.
    pub origin: Instant,
}

/// The processes over the store.
pub trait Nodes {
    /// Notes how far a process follows. One that says nothing of its clock keeps what it said of it before.
    fn upsert(&mut self, node: &Node) -> StoreResult<()>;
    /// The processes that were seen since this instant and have not left.
    fn list_live(&mut self, since: Instant) -> StoreResult<Vec<Node>>;
    /// The origin of the clock that a process on this start of a machine said last, whether it still runs or not.
    fn find_origin(&mut self, boot: Uuid) -> StoreResult<Option<Instant>>;
    /// A process has stopped in good order, at this instant: nobody waits for it. What it said of its clock is kept, that of one
    /// process for each start of a machine at least.
    fn mark_left(&mut self, id: NodeId, at: Instant) -> StoreResult<()>;
    /// Forgets processes that were last seen before this instant, and says how many.
    fn sweep(&mut self, before: Instant) -> StoreResult<u32>;
}

/// Whether the store takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// It does.
    Open,
    /// It is being moved: writes are [`Unavailable`](tillgate_domain::StoreError::Unavailable).
    Draining,
    /// It has been moved elsewhere.
    Moved,
}

/// The store's own identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its id, made with the store; the default issuer of tokens names it.
    pub id: Uuid,
    /// Whether it takes writes.
    pub state: InstanceState,
}

/// The store's own identity.
pub trait Instances {
    /// The instance.
    fn find(&mut self) -> StoreResult<Instance>;
    /// The instant of the newest login, change, audit line or word of a process that has not left, or a later one that has been:
    /// no right clock is behind it. It is asked at each start: it costs no more where there is more in the store.
    fn newest_instant(&mut self) -> StoreResult<Option<Instant>>;
}
