//! What a database error means: come again, run again, or a fault of ours.

use tillgate_domain::StoreError;

/// Reads diesel's error. Never an absence, never the caller's mistake.
pub(crate) fn classify(error: diesel::result::Error) -> StoreError {
    StoreError::Fault(error.to_string())
}
