//! The audit log: searching and exporting it, sealing its chain of events, and verifying the chain.

pub(super) mod export;
pub(super) mod queries;
pub(super) mod sealing;
pub(super) mod verification;
pub(super) mod verifications;
