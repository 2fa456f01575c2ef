//! Traversals of lists, page by page, that lose no item whose sort key changes meanwhile.
//!
//! A page continues after a sort key and an id. An item that was not read yet would be lost if its
//! sort key changed so that it moves before that position. After the last page of a list with such
//! a key, a traversal therefore continues with the items that have changed since it began, in the
//! order of their ids, which never change. Some of these were read before. If the store does not
//! know what has changed, or there is much, it continues with all items. A list whose sort key
//! never changes ends with its last page.

use crate::office::UnguardedOffice;
use crate::office::ports::{ChangeMark, OfficeTx};
use crate::{LiveEventKind, StoreExt, StoreResult, TenantId};

/// What the pages of a traversal contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraversalPhase {
    /// The list, by a key that never changes.
    Fixed,
    /// The list, by a key that can change.
    Listed {
        /// The mark at which the traversal began.
        since: ChangeMark,
    },
    /// Items that have changed, by id.
    Changed {
        /// The mark since which they have changed.
        since: ChangeMark,
    },
}

/// The position of a page: after this item, or at the start of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traversal<C> {
    /// What the page contains.
    pub phase: TraversalPhase,
    /// The position of the last item of the previous page.
    pub after: Option<C>,
}

/// What a page reads at once: items of the list or, with `changed_since`, items that have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPart<C> {
    /// The position of the last item before.
    pub after: Option<C>,
    /// The mark since which the items have changed.
    pub changed_since: Option<ChangeMark>,
    /// The greatest number of items.
    pub limit: u32,
}

/// The items of a page, and one more if another page follows.
#[derive(Clone, Debug)]
pub struct ListPage<T> {
    items: Vec<T>,
    /// The number of items that the page shows.
    shown: usize,
    /// The number of items that were read from the list itself; the others have changed.
    listed: usize,
    phase: TraversalPhase,
}

impl<C: Clone> Traversal<C> {
    /// Reads a page of at most `limit` items, but at least one if there is any. `count_fitting`
    /// returns how many of the items fit on one page, and `read` reads a part; it may end early
    /// once the items do not fit.
    ///
    /// # Errors
    ///
    /// The first error of `read`.
    pub fn read_page<T, E>(
        &self,
        limit: u32,
        count_fitting: impl Fn(&[T]) -> usize,
        mut read: impl FnMut(&ListPart<C>) -> Result<Vec<T>, E>,
    ) -> Result<ListPage<T>, E> {
        // one more item tells whether there is a next page
        let fetched = limit.saturating_add(1);
        let changed_since = match self.phase {
            TraversalPhase::Changed { since } => Some(since),
            TraversalPhase::Fixed | TraversalPhase::Listed { .. } => None,
        };
        let mut items = read(&ListPart { after: self.after.clone(), changed_since, limit: fetched })?;
        let listed = if changed_since.is_some() { 0 } else { items.len() };
        let count = |items: &[T]| u32::try_from(items.len()).unwrap_or(u32::MAX);
        // a list that fits on its first page was read at one moment
        if let (TraversalPhase::Listed { since }, Some(_)) = (self.phase, &self.after)
            && count(&items) < fetched
            && count_fitting(&items) == items.len()
        {
            let rest = fetched - count(&items);
            items.extend(read(&ListPart { after: None, changed_since: Some(since), limit: rest })?);
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let shown = count_fitting(&items).clamp(1, most.max(1)).min(items.len());
        Ok(ListPage { items, shown, listed, phase: self.phase })
    }
}

impl<T> ListPage<T> {
    /// The items that the page shows.
    pub fn items(&self) -> &[T] {
        self.items.get(..self.shown).unwrap_or(&self.items)
    }

    /// The items that the page shows.
    pub fn into_items(mut self) -> Vec<T> {
        self.items.truncate(self.shown);
        self.items
    }

    /// Where the next page begins, if there is one. `position` returns the position of an item in
    /// the list or, if the second argument is true, among the items that have changed.
    pub fn next<C>(&self, position: impl Fn(&T, bool) -> C) -> Option<Traversal<C>> {
        self.next_after(self.shown, position)
    }

    /// Where the next page begins if this one shows only its first `shown` items; see
    /// [`next`](Self::next).
    pub fn next_after<C>(&self, shown: usize, position: impl Fn(&T, bool) -> C) -> Option<Traversal<C>> {
        let shown = shown.min(self.shown);
        if self.items.len() <= shown {
            return None;
        }
        let phase = match self.phase {
            TraversalPhase::Listed { since } if shown > self.listed => TraversalPhase::Changed { since },
            phase => phase,
        };
        let is_changed = matches!(phase, TraversalPhase::Changed { .. });
        let last = shown.checked_sub(1).and_then(|last| self.items.get(last));
        last.map(|last| Traversal { phase, after: Some(position(last, is_changed)) })
    }
}

impl UnguardedOffice<'_> {
    /// The mark at which a traversal begins, before anything of the list is read.
    pub fn find_change_mark(&self) -> StoreResult<ChangeMark> {
        self.store.read("find_change_mark", |tx| tx.events().find_change_mark())
    }
}

impl ChangeMark {
    /// The mark for the filter of a list, if the store knows what has changed since; otherwise all
    /// items of the list may have changed.
    pub(super) fn for_filter(
        self,
        tx: &mut dyn OfficeTx,
        tenant: TenantId,
        kind: LiveEventKind,
    ) -> StoreResult<Option<Self>> {
        Ok(tx.events().knows_changes(tenant, kind, self)?.then_some(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: ChangeMark = ChangeMark(7);

    /// A list of numbers by key and id, of which those in `changed` have changed.
    fn read_rows(rows: &[(u8, u8)], changed: &[u8], part: &ListPart<(u8, u8)>) -> Vec<(u8, u8)> {
        let mut rows = rows.to_vec();
        if part.changed_since.is_some() {
            assert_eq!(part.changed_since, Some(SINCE));
            rows.retain(|(_, id)| changed.contains(id));
            rows.sort_by_key(|(_, id)| *id);
            rows.retain(|(_, id)| part.after.is_none_or(|(_, after)| *id > after));
        } else {
            rows.sort_unstable();
            rows.retain(|row| part.after.is_none_or(|after| *row > after));
        }
        rows.truncate(usize::try_from(part.limit).unwrap());
        rows
    }

    /// The pages of a traversal with the ids of their items. Before the second page, the keys of
    /// `changed` become 0.
    fn read_pages(phase: TraversalPhase, limit: u32, changed: &[u8]) -> Vec<Vec<u8>> {
        let mut rows: Vec<(u8, u8)> = (1..=6).map(|id| (id * 10, id)).collect();
        let (mut pages, mut traversal) = (Vec::new(), Traversal { phase, after: None });
        loop {
            let page =
                traversal.read_page(limit, <[_]>::len, |part| Ok::<_, ()>(read_rows(&rows, changed, part))).unwrap();
            pages.push(page.items().iter().map(|(_, id)| *id).collect());
            rows.iter_mut().filter(|(_, id)| changed.contains(id)).for_each(|(key, _)| *key = 0);
            match page.next(|row, _| *row) {
                Some(next) => traversal = next,
                None => return pages,
            }
        }
    }

    #[test]
    fn items_that_move_before_the_position_are_read_at_the_end() {
        let listed = TraversalPhase::Listed { since: SINCE };
        assert_eq!(read_pages(listed, 2, &[]), [[1, 2], [3, 4], [5, 6]]);
        assert_eq!(read_pages(listed, 2, &[4, 5]), [vec![1, 2], vec![3, 6], vec![4, 5]]);
        assert_eq!(read_pages(listed, 2, &[1, 5]), [vec![1, 2], vec![3, 4], vec![6, 1], vec![5]]);
        assert_eq!(read_pages(listed, 4, &[6]), [vec![1, 2, 3, 4], vec![5, 6]]);
        assert_eq!(read_pages(listed, 2, &[1, 2, 3, 4, 5, 6]), [[1, 2], [1, 2], [3, 4], [5, 6]]);
        assert_eq!(read_pages(listed, 9, &[1, 2]), [[1, 2, 3, 4, 5, 6]], "one page");
        let fixed = TraversalPhase::Fixed;
        assert_eq!(read_pages(fixed, 2, &[4, 5]), [vec![1, 2], vec![3, 6]], "nothing is read beyond the list");
    }

    #[test]
    fn page_ends_with_the_items_that_fit() {
        let rows: Vec<(u8, u8)> = (1..=6).map(|id| (id, id)).collect();
        let phase = TraversalPhase::Listed { since: SINCE };
        let start = Traversal { phase, after: Some((1, 1)) };
        let page =
            start.read_page(9, |items| items.len().min(3), |part| Ok::<_, ()>(read_rows(&rows, &[1], part))).unwrap();
        assert_eq!(page.items(), [(2, 2), (3, 3), (4, 4)]);
        assert_eq!(page.next(|row, _| *row), Some(Traversal { phase, after: Some((4, 4)) }));
        // an item that does not fit is shown nevertheless
        let page = start.read_page(9, |_| 0, |part| Ok::<_, ()>(read_rows(&rows, &[1], part))).unwrap();
        assert_eq!(page.items(), [(2, 2)]);
        // one that has changed does not fit
        let start = Traversal { phase, after: Some((3, 3)) };
        let page = start
            .read_page(9, |items| items.len().min(4), |part| Ok::<_, ()>(read_rows(&rows, &[1, 2], part)))
            .unwrap();
        assert_eq!(page.items(), [(4, 4), (5, 5), (6, 6), (1, 1)]);
        let phase = TraversalPhase::Changed { since: SINCE };
        assert_eq!(page.next(|row, _| *row), Some(Traversal { phase, after: Some((1, 1)) }));
    }
}
