//! What tests of tillgate stand on, and what those need who bring a store of their own.
//!
//! [`contract!`] states every promise of a store as a named case and runs it on yours; `docs/own-store.md` shows how. [`world`]
//! fills a store with a shop to work in, [`ManualClock`] and [`SeededEntropy`] make time and chance repeatable, [`FailingStore`] is a
//! store that fails when it is told to. Nothing here knows a database library or a web framework.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "what is not as it should be fails the test that stands on it"
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
