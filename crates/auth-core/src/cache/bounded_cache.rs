//! A concurrent cache with a limit in bytes that drops what was not used recently.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::hash::{Hash, RandomState};
use std::marker::PhantomData;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

/// The number of parts of a cache. Each has its own lock and an equal share of the limit.
const SHARD_COUNT: u64 = 8;

/// The smallest limit of a part, in bytes. A smaller cache has a single part.
const MIN_SHARD_BYTES: u64 = 64 << 10;

/// A cache with a limit in bytes.
pub(super) struct BoundedCache<K, V>(Cache<K, V, EntryWeight<K, V>, RandomState>);

/// The memory of an entry, in bytes, estimated from above.
struct EntryWeight<K, V> {
    /// The memory that key and value own besides themselves, in bytes.
    heap_bytes: fn(&K, &V) -> usize,
    entry: PhantomData<fn(K, V)>,
}

impl<K: Eq + Hash + Clone, V: Clone> BoundedCache<K, V> {
    /// An empty cache of at most `limit` bytes. `heap_bytes` estimates from above what a key and a
    /// value own besides themselves; it returns the same for an entry each time.
    pub(super) fn new(limit: u64, heap_bytes: fn(&K, &V) -> usize) -> Self {
        let weight = EntryWeight { heap_bytes, entry: PhantomData };
        let shards = if limit / SHARD_COUNT >= MIN_SHARD_BYTES { SHARD_COUNT } else { 1 };
        let entries = limit / EntryWeight::<K, V>::ENTRY_BYTES;
        let options = OptionsBuilder::new()
            .shards(to_usize(shards))
            .estimated_items_capacity(to_usize(entries))
            // a multiple, because a share is rounded up
            .weight_capacity(limit / shards * shards)
            // the use of an entry soon ends: tokens and sessions are replaced
            .hot_allocation(0.5)
            // no memory for keys without values
            .ghost_allocation(0.0)
            .build()
            .unwrap_or_else(|_| unreachable!("every option is set"));
        Self(Cache::with_options(options, weight, RandomState::new(), DefaultLifecycle::default()))
    }

    /// The size in bytes, estimated from above.
    pub(super) fn size_bytes(&self) -> u64 {
        self.0.weight()
    }

    /// The value of a key. This is a use of its entry.
    pub(super) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.0.get(key)
    }

    /// Inserts or replaces the value of a key. Drops other entries if there is no space, or the
    /// value itself if it does not fit at all.
    pub(super) fn insert(&self, key: K, value: V) {
        self.0.insert(key, value);
    }

    /// Inserts the value of a key that has none. Returns whether it had none; of two concurrent
    /// calls, one returns true.
    pub(super) fn insert_if_absent(&self, key: &K, value: V) -> bool {
        let mut is_absent = false;
        let inserted = self.0.get_or_insert_with(key, || {
            is_absent = true;
            Ok::<V, Infallible>(value)
        });
        drop(inserted);
        is_absent
    }

    /// Removes the entry of a key.
    pub(super) fn remove(&self, key: &K) {
        self.0.remove(key);
    }
}

impl<K, V> EntryWeight<K, V> {
    /// The memory of an entry besides what key and value own: its place in a list that doubles when
    /// it is full, with its neighbors and its state, and a place in a table of which at least 7/18
    /// are in use.
    const ENTRY_BYTES: u64 = (size_of::<(K, V)>() as u64 + 24) * 2 + 13;
}

impl<K, V> Weighter<K, V> for EntryWeight<K, V> {
    fn weight(&self, key: &K, value: &V) -> u64 {
        u64::try_from((self.heap_bytes)(key, value)).unwrap_or(u64::MAX).saturating_add(Self::ENTRY_BYTES)
    }
}

impl<K, V> Clone for EntryWeight<K, V> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

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
            assert!(cache.get(&number).is_some(), "{number} is new");
            (0..10).for_each(|number| assert!(cache.get(&number).is_some(), "{number} is in use"));
        }
        (10..20).for_each(|number| assert_eq!(cache.get(&number), None));
        assert!(cache.size_bytes() > 90_000, "{} bytes", cache.size_bytes());
    }

    #[test]
    fn value_beyond_limit_replaces_its_key() {
        let cache = cache_of(10_000);
        cache.insert(1, vec![1]);
        cache.insert(1, vec![0; 20_000]);
        assert_eq!((cache.get(&1), cache.size_bytes()), (None, 0));
    }

    #[test]
    fn large_cache_uses_its_whole_limit() {
        let limit = (8 * 64) << 10;
        let cache = cache_of(limit);
        assert_eq!(cache.0.num_shards(), to_usize(SHARD_COUNT));
        (0..100_000).for_each(|number| cache.insert(number, Vec::new()));
        assert!(cache.size_bytes() <= limit && cache.size_bytes() > limit / 10 * 9, "{} bytes", cache.size_bytes());
    }

    #[test]
    fn absent_key_is_inserted_once() {
        let cache = cache_of(10_000);
        assert!(cache.insert_if_absent(&1, vec![1]));
        assert!(!cache.insert_if_absent(&1, vec![2]));
        assert_eq!(cache.get(&1), Some(vec![1]));
    }

    #[test]
    fn cache_without_space_holds_nothing() {
        let cache = cache_of(0);
        cache.insert(1, vec![1]);
        assert_eq!((cache.get(&1), cache.size_bytes()), (None, 0));
    }

    #[test]
    fn estimate_covers_list_and_table() {
        for entries in [1, 100, 223, 224, 225, 440, 448, 900, 5_000] {
            let cache = cache_of(1 << 30);
            (0..entries).for_each(|number| cache.insert(number, Vec::new()));
            let (used, estimate) = (cache.0.memory_used().total() as u64, cache.size_bytes());
            // the list and the table of a nearly empty part have a few places
            assert!(used <= estimate + SHARD_COUNT * 1_000, "{entries}: {used} of {estimate}");
        }
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
        }
    }
}
