//! The gate: while it is shut, whatever needs the engine is 503. A server listens before its data is complete and says so.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server serves yet. It is born open.
#[derive(Debug)]
pub struct ReadinessGate(AtomicBool);

impl Default for ReadinessGate {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl ReadinessGate {
    /// From now on what needs the engine is 503, and so is readiness.
    pub fn close(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Everything is served from now on.
    pub fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether everything is served.
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
