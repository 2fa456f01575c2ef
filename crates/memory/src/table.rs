//! A table with rollback: sorted rows, and the previous values of the rows that the open unit of
//! work has written. The cost of a unit of work depends on what it writes, not on the number of
//! rows.

use std::collections::BTreeMap;

/// Something whose changes since the last commit or rollback can be committed or rolled back.
pub(super) trait Undo {
    /// Commits the changes.
    fn keep(&mut self);
    /// Rolls back the changes.
    fn undo(&mut self);
}

/// Rows by key.
pub(super) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    undo_log: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), undo_log: Vec::new() }
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    /// All rows, to read.
    pub(super) fn rows(&self) -> &BTreeMap<K, V> {
        &self.rows
    }

    /// The row with this key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    /// Whether there is a row with this key.
    pub(super) fn has(&self, key: &K) -> bool {
        self.rows.contains_key(key)
    }

    /// Inserts or replaces a row.
    pub(super) fn put(&mut self, key: K, value: V) {
        let before = self.rows.insert(key.clone(), value);
        self.undo_log.push((key, before));
    }

    /// Changes a row in place; `None` if it does not exist.
    pub(super) fn change<T>(&mut self, key: &K, change: impl FnOnce(&mut V) -> T) -> Option<T> {
        let row = self.rows.get_mut(key)?;
        self.undo_log.push((key.clone(), Some(row.clone())));
        Some(change(row))
    }

    /// Removes a row; returns whether it existed.
    pub(super) fn remove(&mut self, key: &K) -> bool {
        let before = self.rows.remove(key);
        let existed = before.is_some();
        if existed {
            self.undo_log.push((key.clone(), before));
        }
        existed
    }
}

impl<K: Ord, V> Undo for Table<K, V> {
    fn keep(&mut self) {
        self.undo_log.clear();
        self.undo_log.shrink_to(64);
    }

    fn undo(&mut self) {
        while let Some((key, before)) = self.undo_log.pop() {
            match before {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
        self.undo_log.shrink_to(64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollback_restores_rows_before_first_write() {
        let mut table = Table::default();
        table.put(1, "one");
        table.put(2, "two");
        table.keep();
        table.put(1, "changed");
        table.change(&1, |row| *row = "changed again");
        table.remove(&2);
        table.put(2, "back");
        table.put(3, "new");
        table.undo();
        assert_eq!(table.rows().clone().into_iter().collect::<Vec<_>>(), [(1, "one"), (2, "two")]);
    }

    #[test]
    fn committed_rows_are_not_rolled_back() {
        let mut table = Table::default();
        table.put(1, "one");
        table.keep();
        table.undo();
        assert!(table.has(&1));
    }
}
