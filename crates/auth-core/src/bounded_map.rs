//! A hash table with a limit in bytes, for what a process keeps in memory. It drops nothing by
//! itself: its owner decides what to remove when it is full.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// The smallest number of buckets of a table.
const MIN_BUCKETS: usize = 4;

/// The number of rows from which a table returns memory after most rows were removed.
const MIN_SHRINK_ROWS: usize = 1_024;

/// The size of a table besides its buckets: the control bytes that repeat the first group.
const CONTROL_TAIL_BYTES: usize = 16;

/// A hash table with a limit in bytes.
#[derive(Debug)]
pub(crate) struct BoundedMap<K, V> {
    rows: HashMap<K, V>,
    /// The greatest number of rows.
    max_rows: usize,
    /// The number of rows removed since the table was last rebuilt; some of them still occupy a
    /// bucket.
    removed: usize,
}

impl<K: Eq + Hash, V> BoundedMap<K, V> {
    /// An empty table of at most `limit` bytes; it has space for at least three rows.
    pub(crate) fn new(limit: usize) -> Self {
        Self { rows: HashMap::new(), max_rows: usable_capacity(max_buckets(limit, Self::BUCKET_BYTES)), removed: 0 }
    }

    /// The size of a bucket: a row and its control byte.
    const BUCKET_BYTES: usize = size_of::<(K, V)>() + 1;

    /// The current size in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        table_bytes(bucket_count(self.capacity()), Self::BUCKET_BYTES)
    }

    /// The greatest number of rows for which its buckets have space. The table itself does not
    /// count a bucket that a removed row has left.
    fn capacity(&self) -> usize {
        let counted = self.rows.capacity();
        counted.saturating_add(self.removed).min(self.max_rows.max(counted))
    }

    /// Whether there is no space for another row.
    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= self.max_rows
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    /// Whether there is a row with this key.
    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.rows.contains_key(key)
    }

    /// All values, in any order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.values()
    }

    /// Inserts or replaces a row. Does nothing if the table is full and has no row with this key.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        if let Some(row) = self.entry(key) {
            row.insert_entry(value);
        }
    }

    /// The entry of a key; `None` if the table is full and has no row with it.
    pub(crate) fn entry(&mut self, key: K) -> Option<Entry<'_, K, V>> {
        // A table all of whose free buckets had a row before would grow instead of reusing them.
        if self.rows.len().saturating_add(self.removed) >= self.max_rows {
            if self.is_full() && !self.rows.contains_key(&key) {
                return None;
            }
            self.rebuild();
        }
        Some(self.rows.entry(key))
    }

    /// Removes the row of a key.
    pub(crate) fn remove(&mut self, key: &K) {
        if self.rows.remove(key).is_some() {
            self.removed = self.removed.saturating_add(1);
            self.shrink();
        }
    }

    /// Keeps only the rows for which the closure returns true.
    pub(crate) fn retain(&mut self, keeps: impl Fn(&K, &V) -> bool) {
        let before = self.rows.len();
        self.rows.retain(|key, value| keeps(key, value));
        self.removed = self.removed.saturating_add(before.saturating_sub(self.rows.len()));
        self.shrink();
    }

    /// Removes and returns all rows.
    pub(crate) fn take(&mut self) -> HashMap<K, V> {
        self.removed = 0;
        std::mem::take(&mut self.rows)
    }

    /// Returns memory to the allocator if few rows are left.
    fn shrink(&mut self) {
        if self.capacity() > MIN_SHRINK_ROWS && self.rows.len() < self.capacity() / 4 {
            self.rebuild();
        }
    }

    fn rebuild(&mut self) {
        if self.removed > 0 {
            self.removed = 0;
            self.rows = std::mem::take(&mut self.rows).into_iter().collect();
        }
    }
}

impl<K: Eq + Hash, V> BoundedMap<K, V> {
    /// If the table is full, removes the older half of its rows, by this measure of age. Returns
    /// the newest age that was removed.
    ///
    /// Removing half makes space for as many new rows, so each row is examined once or twice on
    /// average.
    pub(crate) fn forget_half<M: Copy + Ord>(&mut self, age: impl Fn(&V) -> M) -> Option<M> {
        if !self.is_full() {
            return None;
        }
        let mut ages: Vec<M> = self.rows.values().map(&age).collect();
        let middle = ages.len() / 2;
        let (_, middle, _) = ages.select_nth_unstable(middle);
        let middle = *middle;
        self.retain(|_, value| age(value) > middle);
        Some(middle)
    }
}

/// The number of buckets of a table with this capacity: a power of two, of which one eighth stays
/// free.
fn bucket_count(capacity: usize) -> usize {
    match capacity {
        0 => 0,
        1..MIN_BUCKETS => MIN_BUCKETS,
        4..=7 => 8,
        rows => (rows.saturating_mul(8) / 7).next_power_of_two(),
    }
}

/// The capacity in rows of a table with this number of buckets.
fn usable_capacity(buckets: usize) -> usize {
    if buckets < 8 { buckets.saturating_sub(1) } else { buckets / 8 * 7 }
}

/// The greatest number of buckets that fit into these bytes.
fn max_buckets(limit: usize, bucket: usize) -> usize {
    let fit = limit.saturating_sub(CONTROL_TAIL_BYTES) / bucket.max(1);
    let power = if fit.is_power_of_two() { fit } else { fit.checked_next_power_of_two().map_or(0, |next| next / 2) };
    power.max(MIN_BUCKETS)
}

fn table_bytes(buckets: usize, bucket: usize) -> usize {
    if buckets == 0 { 0 } else { buckets.saturating_mul(bucket).saturating_add(CONTROL_TAIL_BYTES) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn full_table_rejects_new_keys_and_updates_existing_ones() {
        let mut table = BoundedMap::<u64, u64>::new(1024);
        for number in 0..1_000 {
            table.insert(number, 0);
        }
        assert!(table.is_full() && table.size_bytes() <= 1024, "{} bytes", table.size_bytes());
        let rows = table.rows.len();
        table.insert(0, 7);
        assert_eq!((table.rows.len(), table.get(&0)), (rows, Some(&7)));
        table.retain(|key, _| key % 2 == 0);
        assert!(!table.is_full() && table.rows.len() == rows / 2);
    }

    #[test]
    fn forget_half_removes_older_half() {
        let mut table = BoundedMap::<u64, u64>::new(4096);
        assert_eq!(table.forget_half(|age| *age), None, "there is room");
        for number in 0.. {
            if table.is_full() {
                break;
            }
            table.insert(number, 1_000 - number);
        }
        let rows = table.rows.len();
        let gone = table.forget_half(|age| *age).unwrap();
        assert!(!table.is_full() && table.rows.len() >= rows / 2 - 1, "{} of {rows}", table.rows.len());
        assert!(table.values().all(|age| *age > gone));
    }

    #[test]
    fn emptied_table_releases_memory() {
        let mut table = BoundedMap::<u64, u64>::new(1 << 20);
        (0..20_000).for_each(|number| table.insert(number, 0));
        let full = table.size_bytes();
        (0..19_000).for_each(|number| table.remove(&number));
        assert!(table.size_bytes() * 4 < full, "{} of {full}", table.size_bytes());
    }

    proptest! {
        #[test]
        fn table_never_exceeds_its_limit(
            limit in 512usize..40_000,
            steps in proptest::collection::vec((any::<u16>(), 0u8..40), 0..2_000),
        ) {
            let mut table = BoundedMap::<u64, [u64; 3]>::new(limit);
            for (number, step) in steps {
                match step {
                    0 => table.retain(|key, _| key % 2 == u64::from(number % 2)),
                    1 => drop(table.forget_half(|value| value[0])),
                    2..=9 => table.remove(&u64::from(number % 64)),
                    _ => table.insert(u64::from(number % 4_096), [u64::from(number); 3]),
                }
                prop_assert!(table.size_bytes() <= limit, "{} of {limit}", table.size_bytes());
            }
        }
    }
}
