//! A password hasher without cost.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tillgate_auth_core::PasswordHasher;
use tillgate_auth_core::passwords::{HashError, SALT_BYTES};
use tillgate_auth_core::ports::Verifier;
use tillgate_domain::Secret;

type Hook = Box<dyn FnOnce() + Send>;

/// A hasher without cost for tests: the verifier contains the password as it is. A hook can run
/// during a verification, between the two units of work of a login.
#[derive(Default)]
pub struct PlainHasher {
    meanwhile: Mutex<VecDeque<Hook>>,
    verified: AtomicUsize,
}

impl PlainHasher {
    /// The verifier of a password.
    pub fn verifier(password: &str) -> Verifier {
        Secret::new(format!("$plain${password}"))
    }

    /// Runs a hook during the next verification that has none.
    pub fn before_next_verification(&self, hook: impl FnOnce() + Send + 'static) {
        self.meanwhile.lock().unwrap().push_back(Box::new(hook));
    }

    /// The number of verified passwords.
    pub fn verification_count(&self) -> usize {
        self.verified.load(Ordering::Relaxed)
    }
}

impl PasswordHasher for PlainHasher {
    fn hash(&self, password: &str, _salt: &[u8; SALT_BYTES]) -> Result<Verifier, HashError> {
        Ok(Self::verifier(password))
    }

    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError> {
        self.verified.fetch_add(1, Ordering::Relaxed);
        let hook = self.meanwhile.lock().unwrap().pop_front();
        if let Some(hook) = hook {
            hook();
        }
        Ok(*verifier == Self::verifier(password))
    }

    fn needs_rehash(&self, _verifier: &Verifier) -> bool {
        false
    }
}
