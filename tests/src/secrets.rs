//! The secrets that a test has used, and the search for them in a server's output.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The secrets of an installation, shared by everything that uses them.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<BTreeSet<String>>>);

/// Shorter texts are not treated as secrets: they would be found by chance.
const MIN_SECRET_BYTES: usize = 8;

impl Secrets {
    /// Adds a secret.
    pub fn add(&self, secret: &str) {
        if secret.len() >= MIN_SECRET_BYTES {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(secret.to_owned());
        }
    }

    /// Adds these secrets to those of another installation.
    pub fn copy_into(&self, other: &Self) {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        other.0.lock().unwrap_or_else(PoisonError::into_inner).extend(secrets);
    }

    /// Panics if one of the secrets is in the text. `place` says which text it is; the secret
    /// itself is not shown.
    pub fn assert_absent(&self, place: &str, text: &str) {
        for secret in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(at) = text.find(secret.as_str()) {
                let line = text[..at].lines().count();
                panic!("{place} contains a secret of {} characters in line {line}", secret.len());
            }
        }
    }

    /// The number of secrets.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_in_a_text_is_found() {
        let secrets = Secrets::default();
        secrets.add("hunter2-hunter2");
        secrets.assert_absent("a clean log", "nothing here");
        let leak = std::panic::catch_unwind(|| secrets.assert_absent("a log", "one\ntwo hunter2-hunter2\n"));
        assert!(leak.is_err());
    }
}
