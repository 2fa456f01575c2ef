//! The back office on the store in memory: its rules, what it reads, and what it refuses.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_imports,
    reason = "a test that cannot go on has failed"
)]

mod api_keys;
mod asked;
mod devices;
mod last_admin;
mod leaving;
mod password_changes;
mod people;
mod places;
mod reading;
mod roles;
mod shop;
mod staffed;
mod tenants;
mod tickets;
