//! The audit log: searching it, sealing its chain of events, and verifying the chain.

pub(super) mod queries;
pub(super) mod sealing;
pub(super) mod verification;
