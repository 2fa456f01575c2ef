//! The log of all tests, for tests that check what it contains and what it must not contain.

use std::sync::{Mutex, Once};

use tracing_subscriber::EnvFilter;

/// The log of all tests so far, on all threads.
static CAPTURED_LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct LogWriter;

impl std::io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        CAPTURED_LOG.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Starts to capture the log.
pub fn capture_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let filter = EnvFilter::new("info,tillgate=trace,tillgate_http=trace,tillgate_auth_core=trace");
        tracing_subscriber::fmt().with_ansi(false).with_env_filter(filter).with_writer(|| LogWriter).init();
    });
}

/// Returns the log captured so far.
pub fn captured_log() -> String {
    String::from_utf8(CAPTURED_LOG.lock().unwrap().clone()).unwrap()
}
