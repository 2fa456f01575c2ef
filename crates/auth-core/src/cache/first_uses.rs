//! The first uses of exchanged tokens, in bounded memory.

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::{Instant, SessionId};

use super::allocation_bytes;
use super::bounded_cache::BoundedCache;
use crate::ports::FirstUse;
use crate::revocations::Version;

/// The first uses of a session's generations, with the version at which their reading began.
#[derive(Clone)]
pub(crate) struct FirstUses {
    uses: Arc<[FirstUse]>,
    read_version: Version,
}

impl FirstUses {
    /// First uses whose reading began at this version.
    pub(crate) fn new(uses: impl Into<Arc<[FirstUse]>>, read_version: Version) -> Self {
        Self { uses: uses.into(), read_version }
    }

    /// The version at which their reading began.
    pub(crate) fn read_version(&self) -> Version {
        self.read_version
    }

    /// Whether a token of this generation has a successor that was first used an overlap or more
    /// before `now`.
    pub(crate) fn supersede(&self, generation: i64, now: Instant, overlap: Duration) -> bool {
        let follows = |first: &&FirstUse| first.generation > generation;
        self.uses.iter().filter(follows).any(|first| now.duration_since(first.at) >= overlap)
    }

    /// Whether a token of this generation or a later one was used.
    pub(crate) fn reach(&self, generation: i64) -> bool {
        self.uses.iter().any(|first| first.generation >= generation)
    }

    /// The generation before which first uses decide nothing, if there are such: a later one was
    /// first used at this instant or before.
    pub(crate) fn obsolete_before(&self, settled: Instant) -> Option<i64> {
        let newest = self.uses.iter().filter(|first| first.at <= settled).map(|first| first.generation).max()?;
        self.uses.iter().any(|first| first.generation < newest).then_some(newest)
    }

    /// These and another first use, without those before the generation `oldest`, as of this
    /// version.
    pub(crate) fn with(&self, first: FirstUse, oldest: Option<i64>, version: Version) -> Self {
        let is_needed = |each: &FirstUse| oldest.is_none_or(|oldest| each.generation >= oldest);
        let uses: Vec<FirstUse> = self.uses.iter().copied().chain([first]).filter(is_needed).collect();
        Self::new(uses, version)
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

    /// The first uses, if their reading began at or after the version of the newest change of the
    /// session.
    pub(crate) fn get(&self, session: SessionId, invalidated_at: Version) -> Option<FirstUses> {
        self.0.get(&session).filter(|read| read.read_version >= invalidated_at)
    }

    /// Stores first uses. Keeps those that were read later.
    pub(crate) fn insert(&self, session: SessionId, uses: FirstUses) {
        if self.0.get(&session).is_none_or(|read| read.read_version <= uses.read_version) {
            self.0.insert(session, uses);
        }
    }
}
