//! The back office on the store in memory: its rules, what it reads, and what it refuses.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_imports,
    reason = "a test that cannot go on has failed"
)]

mod api_keys;
mod asked;
mod changes;
mod people;
mod places;
mod reading;
mod shop;
