//! Repeatable randomness for tests: a seed always produces the same bytes, and no two draws are
//! equal.

use std::sync::atomic::{AtomicU64, Ordering};

use tillgate_auth_core::entropy::{Entropy, EntropyError};

use crate::random::{INCREMENT, mix};

/// Generates bytes from a seed and the number of earlier draws. For tests only: the bytes are
/// predictable.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    draw_count: AtomicU64,
    /// Draws that succeed before every later one fails; `None` if none fails.
    remaining_draws: Option<u64>,
}

impl SeededEntropy {
    /// A generator with this seed.
    pub const fn from_seed(seed: u64) -> Self {
        Self { seed, draw_count: AtomicU64::new(0), remaining_draws: None }
    }

    /// The same generator, which fails after this many draws.
    pub const fn failing_after(self, draws: u64) -> Self {
        Self { remaining_draws: Some(draws), ..self }
    }

    /// The number of draws so far, including those that failed.
    pub fn draw_count(&self) -> u64 {
        self.draw_count.load(Ordering::Relaxed)
    }
}

impl Default for SeededEntropy {
    fn default() -> Self {
        Self::from_seed(1)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        let draw = self.draw_count.fetch_add(1, Ordering::Relaxed);
        if self.remaining_draws.is_some_and(|left| draw >= left) {
            return Err(EntropyError);
        }
        let mut state = mix(self.seed ^ mix(draw));
        for chunk in out.chunks_mut(8) {
            state = state.wrapping_add(INCREMENT);
            let bytes = mix(state).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn draw_four(entropy: &SeededEntropy) -> Vec<[u8; 10]> {
        let entropy: &dyn Entropy = entropy;
        (0..1000).map(|_| entropy.random_bytes().unwrap()).collect()
    }

    #[test]
    fn seed_repeats_its_draws_and_no_draw_repeats() {
        let first = draw_four(&SeededEntropy::from_seed(7));
        assert_eq!(draw_four(&SeededEntropy::from_seed(7)), first);
        let mut all: BTreeSet<_> = first.into_iter().collect();
        all.extend(draw_four(&SeededEntropy::from_seed(8)));
        assert_eq!(all.len(), 2000);
    }

    #[test]
    fn entropy_fails_after_the_configured_draws() {
        let entropy = SeededEntropy::from_seed(1).failing_after(2);
        let mut out = [0; 3];
        assert_eq!([(); 3].map(|()| entropy.fill(&mut out)), [Ok(()), Ok(()), Err(EntropyError)]);
        assert_eq!(entropy.draw_count(), 3);
    }
}
