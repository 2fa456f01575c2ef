//! The first uses of exchanged tokens, in bounded memory.
//!
//! A first use ends other tokens an overlap later. Cached first uses therefore have no version:
//! they are complete enough until an overlap after their reading.

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::{Instant, SessionId};

use super::allocation_bytes;
use super::bounded_cache::BoundedCache;
use crate::ports::FirstUse;
use crate::session::FIRST_GENERATION;

/// The number of first uses without effect that are removed together, so that most writes remove
/// none.
const REMOVED_AT_ONCE: usize = 8;

/// The first uses of a session's generations, by generation, with the monotonic time at which their
/// reading began.
#[derive(Clone)]
pub(crate) struct FirstUses {
    uses: Arc<[FirstUse]>,
    read_at: Duration,
}

impl FirstUses {
    /// First uses by generation, whose reading began at this monotonic time.
    pub(crate) fn new(uses: impl Into<Arc<[FirstUse]>>, read_at: Duration) -> Self {
        Self { uses: uses.into(), read_at }
    }

    /// The time since their reading began.
    pub(crate) fn age(&self, monotonic: Duration) -> Duration {
        monotonic.saturating_sub(self.read_at)
    }

    /// Whether they include the first use of the generation before this one or of a later one.
    pub(crate) fn reach_before(&self, generation: i64) -> bool {
        generation <= self.newest_generation().saturating_add(1)
    }

    /// Whether a token of this generation or a later one was used.
    pub(crate) fn reach(&self, generation: i64) -> bool {
        generation <= self.newest_generation()
    }

    /// The newest generation with a recorded first use. Those of the first generation are not
    /// recorded, because they end no other tokens.
    fn newest_generation(&self) -> i64 {
        self.uses.last().map_or(FIRST_GENERATION, |newest| newest.generation)
    }

    /// Whether a token of this generation has a successor that was first used an overlap or more
    /// before `now`.
    pub(crate) fn supersede(&self, generation: i64, now: Instant, overlap: Duration) -> bool {
        let follows = |first: &&FirstUse| first.generation > generation;
        self.uses.iter().filter(follows).any(|first| now.duration_since(first.at) >= overlap)
    }

    /// How long until fewer than `limit` generations before this one have been used for the first
    /// time within the last overlap; `None` if that is so now.
    pub(crate) fn wait_for_fewer(
        &self,
        limit: usize,
        generation: i64,
        now: Instant,
        overlap: Duration,
    ) -> Option<Duration> {
        let earlier = self.uses.partition_point(|first| first.generation < generation);
        let oldest = self.uses.get(earlier.checked_sub(limit)?)?;
        overlap.checked_sub(now.duration_since(oldest.at)).filter(|wait| !wait.is_zero())
    }

    /// The generation before which first uses decide nothing, if there are several such: that one
    /// was first used at this instant or before.
    pub(crate) fn obsolete_before(&self, settled: Instant) -> Option<i64> {
        let (earlier, newest) = self.uses.iter().enumerate().rev().find(|(_, first)| first.at <= settled)?;
        (earlier >= REMOVED_AT_ONCE).then_some(newest.generation)
    }

    /// These and the first use of a later generation, without those before the generation `oldest`.
    pub(crate) fn with(&self, first: FirstUse, oldest: Option<i64>) -> Self {
        let is_needed = |each: &FirstUse| oldest.is_none_or(|oldest| each.generation >= oldest);
        let uses: Vec<FirstUse> = self.uses.iter().copied().filter(is_needed).chain([first]).collect();
        Self::new(uses, self.read_at)
    }

    /// The memory of the first uses.
    fn heap_bytes(&self) -> usize {
        allocation_bytes(size_of_val(&*self.uses) + 2 * size_of::<usize>())
    }
}

/// First uses by session.
pub(crate) struct FirstUseCache(BoundedCache<SessionId, FirstUses>);

impl FirstUseCache {
    /// An empty cache of at most `limit` bytes.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self(BoundedCache::new(limit, |_, read: &FirstUses| read.heap_bytes()))
    }

    /// The size in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.0.size_bytes()
    }

    /// The first uses, whatever their age.
    pub(crate) fn get(&self, session: SessionId) -> Option<FirstUses> {
        self.0.get(&session)
    }

    /// Stores first uses, unless those that are stored were read later or include as many
    /// generations.
    pub(crate) fn insert(&self, session: SessionId, uses: FirstUses) {
        let order = |uses: &FirstUses| (uses.read_at, uses.newest_generation());
        if self.0.get(&session).is_none_or(|stored| order(&stored) < order(&uses)) {
            self.0.insert(session, uses);
        }
    }
}
