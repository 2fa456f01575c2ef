//! The port for random bytes. All salts, keys and ids use it, so that tests can choose the bytes.

/// The source returned no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source of random bytes failed")]
pub struct EntropyError;

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out` with new random bytes. After an error, do not use the content of `out`.
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError>;
}

impl dyn Entropy + '_ {
    /// Returns `N` new random bytes.
    pub fn random_bytes<const N: usize>(&self) -> Result<[u8; N], EntropyError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}
