//! The ports on both databases: the contract, and what only a database can get wrong, such as an
//! unused index, an unreadable row, or a migration that cannot be reverted.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic here fails the test")]

mod clocks;
mod contract;
mod corrupt_values;
mod directory;
mod enrollments;
mod feed;
mod histories;
mod idempotency;
mod migrations;
mod plans;
mod proofs;
mod seals;
mod sessions;
mod store;
mod test_database;
mod ticket_documents;
mod tickets;
