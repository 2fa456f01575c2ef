//! Chance that can be foretold: the same seed draws the same bytes, and no two draws are alike.

use std::sync::atomic::{AtomicU64, Ordering};

use tillgate_auth_core::entropy::{Entropy, NoEntropy};

/// Bytes that follow from a seed and from how many were drawn before. For tests only: anybody can foretell them.
#[derive(Debug)]
pub struct CountedEntropy {
    seed: u64,
    drawn: AtomicU64,
    /// Draws that are left before it fails; none where it never does.
    left: Option<u64>,
}

impl CountedEntropy {
    /// Chance of this seed.
    pub const fn of(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0), left: None }
    }

    /// The same, which fails after this many draws.
    pub const fn failing_after(self, draws: u64) -> Self {
        Self { left: Some(draws), ..self }
    }

    /// How often something was drawn.
    pub fn drawn(&self) -> u64 {
        self.drawn.load(Ordering::Relaxed)
    }
}

impl Default for CountedEntropy {
    fn default() -> Self {
        Self::of(1)
    }
}

impl Entropy for CountedEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy> {
        let draw = self.drawn.fetch_add(1, Ordering::Relaxed);
        if self.left.is_some_and(|left| draw >= left) {
            return Err(NoEntropy);
        }
        let mut state = mixed(self.seed ^ mixed(draw));
        for chunk in out.chunks_mut(8) {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let bytes = mixed(state).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
const fn mixed(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn draws(entropy: &CountedEntropy) -> Vec<[u8; 10]> {
        let entropy: &dyn Entropy = entropy;
        (0..1000).map(|_| entropy.draw().unwrap()).collect()
    }

    #[test]
    fn a_seed_draws_the_same_again_and_no_draw_twice() {
        let first = draws(&CountedEntropy::of(7));
        assert_eq!(draws(&CountedEntropy::of(7)), first);
        let mut all: BTreeSet<_> = first.into_iter().collect();
        all.extend(draws(&CountedEntropy::of(8)));
        assert_eq!(all.len(), 2000);
    }

    #[test]
    fn it_fails_when_it_was_told_to() {
        let entropy = CountedEntropy::of(1).failing_after(2);
        let mut out = [0; 3];
        assert_eq!([(); 3].map(|()| entropy.fill(&mut out)), [Ok(()), Ok(()), Err(NoEntropy)]);
        assert_eq!(entropy.drawn(), 3);
    }
}
