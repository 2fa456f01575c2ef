//! Test tools for tillgate, and for integrators who implement a store of their own.
//!
//! [`contract!`] makes a `#[test]` of every promise of a store and runs each one on a new store of
//! yours; [`auth_contract!`] leaves out the back office. `docs/own-store.md` shows how to use them.
//!
//! [`Fixture`] fills a store with one tenant, its users and devices. [`ManualClock`] and
//! [`SeededEntropy`] make time and randomness repeatable. [`FailingStore`] wraps a store and fails
//! on demand. [`postgres`] starts a PostgreSQL server for a test process.
//!
//! This crate depends on no database library and no web framework.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic here fails the test"
)]

pub mod clock;
mod harness;
#[macro_use]
mod assertion;
pub mod contract;
mod contract_fixture;
pub mod entropy;
pub mod failing_store;
pub mod fixture;
pub mod postgres;
mod recording_observer;
mod recording_store;
mod rendezvous;
mod thoroughness;
mod ticket_samples;

pub use clock::ManualClock;
pub use entropy::SeededEntropy;
pub use failing_store::FailingStore;
pub use fixture::Fixture;
pub use harness::{AuthStoreHarness, Roster, StoreHarness, enroll};
pub use thoroughness::{case_count, is_thorough};
