//! Repeatable random numbers for model and property tests.

use std::time::Duration;

/// A pseudorandom generator: a seed always produces the same numbers. For tests only.
///
/// It is `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator with this seed. Different seeds produce independent sequences.
    pub const fn from_seed(seed: u64) -> Self {
        // mixed, because otherwise each seed would continue the sequence of the seed before
        Self(mix(seed.wrapping_add(INCREMENT)))
    }

    /// Another generator, seeded by this one.
    pub const fn fork(&mut self) -> Self {
        Self::from_seed(self.next_u64())
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(INCREMENT);
        mix(self.0)
    }

    /// A number below `bound`, or 0 if `bound` is 0.
    pub fn number_below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound.max(1)
    }

    /// An index below `bound`, or 0 if `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number_below(u64::try_from(bound).unwrap())).unwrap()
    }

    /// True once in `times` calls on average.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// True with a probability of `times` in a thousand.
    pub fn in_thousand(&mut self, times: usize) -> bool {
        self.below(1000) < times
    }

    /// One of these values, of which there must be one at least.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// A third of these values on average, in their order.
    pub fn pick_subset<T: Copy>(&mut self, values: &[T]) -> Vec<T> {
        values.iter().copied().filter(|_| self.once_in(3)).collect()
    }

    /// A duration between these two in milliseconds, both included.
    pub fn millis_between(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.number_below(most - least + 1))
    }

    /// A duration of at most this one, in whole milliseconds.
    pub fn duration_up_to(&mut self, longest: Duration) -> Duration {
        self.millis_between(0, u64::try_from(longest.as_millis()).unwrap())
    }
}

/// The distance between the states of the generator.
pub(crate) const INCREMENT: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finalizer of `SplitMix64`.
pub(crate) const fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_repeats_its_numbers_and_another_one_does_not_continue_them() {
        let draw = |seed: u64| {
            let mut random = Random::from_seed(seed);
            (0..8).map(|_| random.next_u64()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert!(draw(8).iter().all(|number| !draw(7).contains(number)));
    }

    #[test]
    fn numbers_stay_within_their_bounds_and_reach_them() {
        let mut random = Random::from_seed(1);
        let drawn: std::collections::BTreeSet<_> = (0..200).map(|_| random.below(5)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        let spans: std::collections::BTreeSet<_> = (0..200).map(|_| random.millis_between(3, 5).as_millis()).collect();
        assert_eq!(spans.into_iter().collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(random.below(0), 0);
    }
}
