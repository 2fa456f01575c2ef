//! Pages of lists in POS Kasir: numbered from 1, with 10 items by default and 100 at most.

use crate::error::FieldErrorCode;
use crate::request::query::QueryParameters;

const DEFAULT_PAGE_SIZE: u32 = 10;
const MAX_PAGE_SIZE: u32 = 100;

/// The requested page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageParams {
    pub(super) number: u32,
    pub(super) size: u32,
}

impl PageParams {
    /// Reads the page from the query, and adds violations.
    pub(super) fn read(sent: &mut QueryParameters) -> Self {
        const NUMBER_MESSAGE: &str = "must be a number from 1";
        const SIZE_MESSAGE: &str = "must be a number from 1 to 100";
        let number = sent.parse("page", NUMBER_MESSAGE).unwrap_or(1);
        if number == 0 {
            sent.add_violation("page", FieldErrorCode::Range, NUMBER_MESSAGE);
        }
        let size = sent.parse("limit", SIZE_MESSAGE).unwrap_or(DEFAULT_PAGE_SIZE);
        if !(1..=MAX_PAGE_SIZE).contains(&size) {
            sent.add_violation("limit", FieldErrorCode::Range, SIZE_MESSAGE);
        }
        Self { number, size }
    }

    /// Returns the number of items on the previous pages.
    pub(super) fn offset(self) -> u64 {
        u64::from(self.number.saturating_sub(1)) * u64::from(self.size)
    }

    /// Returns the number of pages for `total` items.
    pub(super) fn page_count(self, total: u64) -> u64 {
        total.div_ceil(u64::from(self.size.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_start_at_one_and_last_may_be_short() {
        let page = |number, size| PageParams { number, size };
        assert_eq!(
            (page(1, 10).offset(), page(3, 10).offset(), page(u32::MAX, 100).offset()),
            (0, 20, 429_496_729_400)
        );
        assert_eq!([0, 1, 10, 11, 20].map(|total| page(1, 10).page_count(total)), [0, 1, 1, 2, 2]);
    }
}
