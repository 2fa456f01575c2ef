//! The readiness gate: while it is closed, requests that need the engine are answered with 503. A
//! server listens before its data is complete, and reports that it is not ready.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server is ready; initially open.
#[derive(Debug)]
pub struct ReadinessGate(AtomicBool);

impl Default for ReadinessGate {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl ReadinessGate {
    /// Closes the gate: requests that need the engine and the readiness probe are answered with
    /// 503.
    pub fn close(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Opens the gate: all requests are served.
    pub fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the gate is open.
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
