//! Pages as POS Kasir counts them: from 1, ten items each where nobody says, a hundred at most.

use crate::query::Parameters;

const USUAL: u32 = 10;
const MOST: u32 = 100;

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) number: u32,
    pub(super) size: u32,
}

impl Page {
    /// The page that the query asks for; notes what is wrong with it.
    pub(super) fn take(sent: &mut Parameters) -> Self {
        const NUMBER: &str = "must be a number from 1";
        const SIZE: &str = "must be a number from 1 to 100";
        let number = sent.take("page", NUMBER).unwrap_or(1);
        if number == 0 {
            sent.fault("page", "range", NUMBER);
        }
        let size = sent.take("limit", SIZE).unwrap_or(USUAL);
        if !(1..=MOST).contains(&size) {
            sent.fault("limit", "range", SIZE);
        }
        Self { number, size }
    }

    /// How many items the pages before it hold.
    pub(super) fn skip(self) -> u64 {
        u64::from(self.number.saturating_sub(1)) * u64::from(self.size)
    }

    /// How many pages there are of so many items.
    pub(super) fn of(self, total: u64) -> u64 {
        total.div_ceil(u64::from(self.size.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_begin_at_one_and_the_last_may_be_short() {
        let page = |number, size| Page { number, size };
        assert_eq!((page(1, 10).skip(), page(3, 10).skip(), page(u32::MAX, 100).skip()), (0, 20, 429_496_729_400));
        assert_eq!([0, 1, 10, 11, 20].map(|total| page(1, 10).of(total)), [0, 1, 1, 2, 2]);
    }
}
