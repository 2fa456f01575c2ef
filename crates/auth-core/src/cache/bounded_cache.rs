//! A concurrent cache with a limit in bytes that drops what was not used recently.
//!
//! It uses the CLOCK algorithm. Entries form a ring, and a lookup marks its entry as used. When
//! space is needed, a hand goes round the ring: it removes the marks of used entries and drops
//! entries without a mark. A lookup therefore changes no order and locks for reading only, and an
//! entry has no allocation besides those that its key and value own.
//!
//! Entries are found by the hashes of their keys, so that each key is stored once. A hash has a
//! secret key and 64 bits; two keys with the same hash displace each other.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// The number of parts of a cache. Each has its own lock and an equal share of the limit.
const SHARD_COUNT: usize = 8;

/// The smallest limit of a part, in bytes. A smaller cache has a single part.
const MIN_SHARD_BYTES: usize = 64 << 10;

/// The free space of a ring or a table that is enlarged, in entries, besides an eighth of it.
const MIN_SPARE_ENTRIES: usize = 8;

/// A cache with a limit in bytes.
pub(super) struct BoundedCache<K, V> {
    shards: Vec<RwLock<Shard<K, V>>>,
    hasher: RandomState,
    /// The memory that key and value own besides themselves, in bytes.
    heap_bytes: fn(&K, &V) -> usize,
}

struct Shard<K, V> {
    /// The position in the ring by the hash of the key.
    positions: HashMap<u64, usize>,
    ring: Vec<Entry<K, V>>,
    /// The position in the ring of the entry that is examined next.
    hand: usize,
    size_bytes: usize,
    limit_bytes: usize,
}

struct Entry<K, V> {
    key: K,
    value: V,
    hash: u64,
    size_bytes: u32,
    /// Whether it was used since the hand last passed it.
    is_used: AtomicBool,
}

impl<K: Eq + Hash, V: Clone> BoundedCache<K, V> {
    /// An empty cache of at most `limit` bytes. `heap_bytes` estimates from above what a key and a
    /// value own besides themselves.
    pub(super) fn new(limit: u64, heap_bytes: fn(&K, &V) -> usize) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let count = if limit / SHARD_COUNT >= MIN_SHARD_BYTES { SHARD_COUNT } else { 1 };
        let shards = (0..count).map(|_| RwLock::new(Shard::with_limit(limit / count))).collect();
        Self { shards, hasher: RandomState::new(), heap_bytes }
    }

    /// The size in bytes, estimated from above.
    pub(super) fn size_bytes(&self) -> u64 {
        let size = |shard: &RwLock<Shard<K, V>>| shard.read().unwrap_or_else(PoisonError::into_inner).size_bytes;
        u64::try_from(self.shards.iter().map(size).sum::<usize>()).unwrap_or(u64::MAX)
    }

    /// The value of a key. This is a use of its entry.
    pub(super) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        let shard = self.shard(hash)?.read().unwrap_or_else(PoisonError::into_inner);
        let entry = shard.ring.get(*shard.positions.get(&hash)?)?;
        let found: &Q = entry.key.borrow();
        if found != key {
            return None;
        }
        // A mark that is set is not written again, so that threads can share its cache line.
        if !entry.is_used.load(Ordering::Relaxed) {
            entry.is_used.store(true, Ordering::Relaxed);
        }
        Some(entry.value.clone())
    }

    /// Inserts or replaces the value of a key. Drops other entries if there is no space, or the
    /// value itself if it does not fit at all.
    pub(super) fn insert(&self, key: K, value: V) {
        let size_bytes = (self.heap_bytes)(&key, &value).saturating_add(Shard::<K, V>::ENTRY_BYTES);
        let (hash, size_bytes) = (self.hasher.hash_one(&key), u32::try_from(size_bytes).unwrap_or(u32::MAX));
        let entry = Entry { key, value, hash, size_bytes, is_used: AtomicBool::new(false) };
        if let Some(shard) = self.shard(hash) {
            shard.write().unwrap_or_else(PoisonError::into_inner).insert(entry);
        }
    }

    /// Removes the entry of a key.
    pub(super) fn remove(&self, key: &K) {
        let hash = self.hasher.hash_one(key);
        if let Some(shard) = self.shard(hash) {
            shard.write().unwrap_or_else(PoisonError::into_inner).remove(hash);
        }
    }

    /// The part with the key of this hash.
    fn shard(&self, hash: u64) -> Option<&RwLock<Shard<K, V>>> {
        let number = hash.checked_rem(u64::try_from(self.shards.len()).ok()?)?;
        self.shards.get(usize::try_from(number).ok()?)
    }
}

impl<K, V> Shard<K, V> {
    /// The memory of an entry besides what key and value own, from above: its place in the ring, an
    /// eighth of which may be free, and its bucket in the table, of which at least 7/18 are in use.
    const ENTRY_BYTES: usize =
        (size_of::<Entry<K, V>>() * 9).div_ceil(8) + ((size_of::<(u64, usize)>() + 1) * 18).div_ceil(7);

    fn with_limit(limit_bytes: usize) -> Self {
        Self { positions: HashMap::new(), ring: Vec::new(), hand: 0, size_bytes: 0, limit_bytes }
    }

    fn insert(&mut self, entry: Entry<K, V>) {
        self.remove(entry.hash);
        let size_bytes = to_usize(entry.size_bytes);
        if size_bytes > self.limit_bytes {
            return;
        }
        self.make_space(size_bytes);
        self.reserve();
        self.size_bytes = self.size_bytes.saturating_add(size_bytes);
        self.positions.insert(entry.hash, self.ring.len());
        self.ring.push(entry);
    }

    fn remove(&mut self, hash: u64) {
        if let Some(position) = self.positions.get(&hash).copied() {
            self.remove_at(position);
            self.shrink();
        }
    }

    /// Removes the entry at this position, and moves the last one there.
    fn remove_at(&mut self, position: usize) {
        let removed = self.ring.swap_remove(position);
        self.positions.remove(&removed.hash);
        self.size_bytes = self.size_bytes.saturating_sub(to_usize(removed.size_bytes));
        // Not `insert`, which would make space for another key.
        if let Some(moved) = self.ring.get(position)
            && let Some(known) = self.positions.get_mut(&moved.hash)
        {
            *known = position;
        }
    }

    /// Drops entries until there is space for one of this size. The last entry, which is moved to
    /// the position of a dropped one, is behind the hand there.
    fn make_space(&mut self, size_bytes: usize) {
        while self.size_bytes.saturating_add(size_bytes) > self.limit_bytes {
            if self.hand >= self.ring.len() {
                self.hand = 0;
            }
            let Some(entry) = self.ring.get_mut(self.hand) else { return };
            if !std::mem::take(entry.is_used.get_mut()) {
                self.remove_at(self.hand);
            }
            self.hand = self.hand.saturating_add(1);
        }
        self.shrink();
    }

    /// Returns memory if most of the ring is empty, as after a large entry has replaced many small
    /// ones.
    fn shrink(&mut self) {
        let spacious = self.ring.len().saturating_add(MIN_SPARE_ENTRIES).saturating_mul(2);
        if self.ring.capacity() > spacious.saturating_mul(2) {
            self.ring.shrink_to(spacious);
            self.positions.shrink_to(spacious);
        }
    }

    /// Enlarges ring and table if they have no space for another entry.
    fn reserve(&mut self) {
        let spare = self.ring.len() / 8 + MIN_SPARE_ENTRIES;
        if self.ring.len() == self.ring.capacity() {
            self.ring.reserve_exact(spare);
        }
        // A table all of whose free buckets had an entry before would double in size, so the
        // entries are moved to a new one.
        if self.positions.len() == self.positions.capacity() {
            let mut positions = HashMap::with_capacity(self.positions.len().saturating_add(spare));
            positions.extend(self.positions.drain());
            self.positions = positions;
        }
    }
}

fn to_usize(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn cache_of(limit: u64) -> BoundedCache<u32, Vec<u8>> {
        BoundedCache::new(limit, |_, value| value.capacity())
    }

    #[test]
    fn used_entries_outlive_unused_ones() {
        let cache = cache_of(100_000);
        (0..20).for_each(|number| cache.insert(number, vec![0; 100]));
        for number in 100..10_000 {
            cache.insert(number, vec![0; 100]);
            (0..10).for_each(|number| assert!(cache.get(&number).is_some(), "{number} is in use"));
        }
        (10..20).for_each(|number| assert_eq!(cache.get(&number), None));
        assert!(cache.size_bytes() > 90_000, "{} bytes", cache.size_bytes());
    }

    #[test]
    fn large_values_in_place_of_many_small_ones_leave_little_empty_memory() {
        let cache = cache_of(100_000);
        (0..1_000).for_each(|number| cache.insert(number, Vec::new()));
        let capacity = |cache: &BoundedCache<u32, Vec<u8>>| {
            let shard = cache.shards[0].read().unwrap();
            (shard.ring.capacity(), shard.positions.capacity())
        };
        let (ring, table) = capacity(&cache);
        assert!(ring >= 1_000 && table >= 1_000);
        (2_000..2_010).for_each(|number| cache.insert(number, vec![0; 40_000]));
        let (ring, table) = capacity(&cache);
        assert!(ring < 100 && table < 100, "{ring} and {table}");
    }

    #[test]
    fn value_beyond_limit_replaces_its_key_and_no_other_entry() {
        let cache = cache_of(10_000);
        cache.insert(1, vec![1]);
        cache.insert(2, vec![2]);
        cache.insert(1, vec![0; 20_000]);
        assert_eq!([cache.get(&1), cache.get(&2)], [None, Some(vec![2])]);
        cache.remove(&2);
        assert_eq!((cache.get(&2), cache.size_bytes()), (None, 0));
    }

    #[test]
    fn large_cache_uses_its_whole_limit() {
        let limit = (8 * 64) << 10;
        let cache = cache_of(limit);
        assert_eq!(cache.shards.len(), SHARD_COUNT);
        (0..100_000).for_each(|number| cache.insert(number, Vec::new()));
        assert!(cache.size_bytes() <= limit && cache.size_bytes() > limit / 10 * 9, "{} bytes", cache.size_bytes());
    }

    /// The memory of a shard with as many buckets as a table of this capacity has.
    fn occupied_bytes(shard: &Shard<u32, Vec<u8>>) -> usize {
        let heap: usize = shard.ring.iter().map(|entry| entry.value.capacity()).sum();
        let buckets = (shard.positions.capacity() * 8 / 7).next_power_of_two();
        heap + shard.ring.capacity() * size_of::<Entry<u32, Vec<u8>>>() + buckets * (size_of::<(u64, usize)>() + 1)
    }

    proptest! {
        #[test]
        fn cache_returns_newest_value_or_none_within_its_limit(
            limit in 200u64..40_000,
            steps in proptest::collection::vec((0u32..300, 0u8..12), 1..1_500),
        ) {
            let cache = cache_of(limit);
            let mut newest = HashMap::new();
            for (number, (key, step)) in steps.into_iter().enumerate() {
                match step {
                    0 => {
                        cache.remove(&key);
                        newest.remove(&key);
                    }
                    1..=5 => {
                        let value = vec![u8::try_from(number % 256).unwrap(); usize::from(step) * 20];
                        cache.insert(key, value.clone());
                        newest.insert(key, value);
                    }
                    _ => {
                        let found = cache.get(&key);
                        prop_assert!(found.is_none() || found.as_ref() == newest.get(&key));
                    }
                }
                prop_assert!(cache.size_bytes() <= limit);
            }
            let shard = cache.shards[0].read().unwrap();
            let in_ring: HashSet<u32> = shard.ring.iter().map(|entry| entry.key).collect();
            prop_assert_eq!(in_ring.len(), shard.ring.len());
            prop_assert_eq!(shard.positions.len(), shard.ring.len());
            for (hash, position) in &shard.positions {
                prop_assert_eq!(shard.ring[*position].hash, *hash);
            }
            let sum: usize = shard.ring.iter().map(|entry| to_usize(entry.size_bytes)).sum();
            prop_assert_eq!(sum, shard.size_bytes);
        }
    }

    #[test]
    fn estimate_covers_memory_of_ring_and_table_after_many_replacements() {
        for entries in [100, 223, 224, 225, 440, 448, 900] {
            let limit = Shard::<u32, Vec<u8>>::ENTRY_BYTES * entries;
            let cache = cache_of(u64::try_from(limit).unwrap());
            (0..20_000).for_each(|number| cache.insert(number, Vec::new()));
            let shard = cache.shards[0].read().unwrap();
            assert_eq!(shard.ring.len(), entries);
            let (occupied, spare) = (occupied_bytes(&shard), MIN_SPARE_ENTRIES * 100);
            assert!(occupied <= shard.size_bytes + spare, "{entries} entries: {occupied} of {}", shard.size_bytes);
        }
    }
}
