//! The port for the live events, which a client follows as a stream.

use tillgate_domain::{Instant, LiveEvent, PrincipalId, StoreResult, TenantId};

use super::Bookmark;

/// A live event with what the store has of its resource at the moment of the poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveEventView {
    /// The event as it was written.
    pub event: LiveEvent,
    /// The current version of the resource; `None` if it has none or does not exist any more.
    pub version: Option<i64>,
    /// The principal of a session; `None` for every other resource, and if the session does not
    /// exist any more.
    pub principal: Option<PrincipalId>,
}

/// What a poll of the live events has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveEventBatch {
    /// The events, oldest first; empty if there is a gap.
    pub events: Vec<LiveEventView>,
    /// The bookmark of the next poll.
    pub next: Bookmark,
    /// Whether events are missing: there was no bookmark, it is too old or not from this store, or
    /// there are more events than the limit. The next poll continues after the gap.
    pub has_gap: bool,
}

impl LiveEventBatch {
    /// Whether there is anything to tell a client.
    pub fn has_updates(&self) -> bool {
        self.has_gap || !self.events.is_empty()
    }
}

/// The live events that [`Audit::record`](tillgate_domain::Audit::record) has written:
/// [`LiveEvent::list_for`] each audit event.
pub trait LiveEvents {
    /// Returns the events of this tenant, or of all, that the poll of the bookmark did not see, at
    /// most `limit`: the events of other tenants do not count. No event is missed without a gap:
    /// one that is committed later by a transaction that had already begun is found by the next
    /// poll, as in [`Feed::poll`](super::Feed::poll).
    fn poll(&mut self, from: Option<&Bookmark>, tenant: Option<TenantId>, limit: u32) -> StoreResult<LiveEventBatch>;

    /// Removes at most `limit` events that were written before this instant. Returns their number.
    /// A poll of an older bookmark has a gap afterwards.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
