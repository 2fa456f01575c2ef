//! Port: chance. Salts, keys and ids come from here and from nowhere else, so that a test can say what is drawn.

/// The source of chance did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source of random bytes did not answer")]
pub struct EntropyError;

/// A source of bytes that nobody can foretell.
pub trait Entropy: Send + Sync {
    /// Fills `out` with fresh random bytes. Where it fails, what stands in `out` is not to be used.
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError>;
}

impl dyn Entropy + '_ {
    /// Fresh random bytes.
    pub fn random_bytes<const N: usize>(&self) -> Result<[u8; N], EntropyError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}
