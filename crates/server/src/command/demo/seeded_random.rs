//! Pseudorandom choices, which are the same for the same seed.

/// A pseudorandom generator (xorshift64*).
pub(super) struct SeededRandom(u64);

impl SeededRandom {
    /// A generator with this seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// A number from `least` to `most`.
    pub(super) fn number_between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most.saturating_sub(least) + 1)
    }

    /// True in `percent` of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// One of the choices; `None` if there are none.
    pub(super) fn choose<'c, T>(&mut self, choices: &'c [T]) -> Option<&'c T> {
        let most = u64::try_from(choices.len()).unwrap_or(u64::MAX).checked_sub(1)?;
        choices.get(usize::try_from(self.number_between(0, most)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_of_a_seed_repeat_and_stay_in_range() {
        let numbers = |seed| {
            let mut random = SeededRandom::new(seed);
            (0..100).map(|_| random.number_between(3, 6)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        for seed in 0..20 {
            assert!((3..=6).all(|number| numbers(seed).contains(&number)), "every number comes up");
            assert!(numbers(seed).iter().all(|number| (3..=6).contains(number)));
        }
        assert_eq!(SeededRandom::new(1).choose::<u8>(&[]), None);
        assert_eq!(SeededRandom::new(1).choose(&[5]), Some(&5));
    }
}
