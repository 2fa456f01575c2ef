//! Passwords that cost nothing, and something that happens while one is being verified: between the two units of work of a login.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tillgate_auth_core::PasswordHasher;
use tillgate_auth_core::passwords::{HashError, SALT_BYTES};
use tillgate_auth_core::ports::Verifier;
use tillgate_domain::Secret;

type Hook = Box<dyn FnOnce() + Send>;

/// Compares passwords as they are.
#[derive(Default)]
pub(crate) struct PlainHasher {
    meanwhile: Mutex<VecDeque<Hook>>,
    verified: AtomicUsize,
}

impl PlainHasher {
    /// What is stored of a password.
    pub(crate) fn verifier(password: &str) -> Verifier {
        Secret::new(format!("plain {password}"))
    }

    /// This happens while the next password is verified that nothing happens to yet.
    pub(crate) fn before_next_verification(&self, happening: impl FnOnce() + Send + 'static) {
        self.meanwhile.lock().unwrap().push_back(Box::new(happening));
    }

    /// How many passwords were verified.
    pub(crate) fn verification_count(&self) -> usize {
        self.verified.load(Ordering::Relaxed)
    }
}

impl PasswordHasher for PlainHasher {
    fn hash(&self, password: &str, _salt: &[u8; SALT_BYTES]) -> Result<Verifier, HashError> {
        Ok(Self::verifier(password))
    }

    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError> {
        self.verified.fetch_add(1, Ordering::Relaxed);
        let happening = self.meanwhile.lock().unwrap().pop_front();
        if let Some(happening) = happening {
            happening();
        }
        Ok(*verifier == Self::verifier(password))
    }

    fn needs_rehash(&self, _verifier: &Verifier) -> bool {
        false
    }
}
