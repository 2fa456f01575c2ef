//! What tests of tillgate stand on, and what those need who bring a store of their own.
//!
//! [`contract!`] states every promise of a store as a named case and runs it on yours; `docs/own-store.md` shows how. [`world`]
//! fills a store with a shop to work in, [`ManualClock`] and [`CountedEntropy`] make time and chance repeatable, [`Failing`] is a
//! store that fails when it is told to. Nothing here knows a database library or a web framework.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "what is not as it should be fails the test that stands on it"
)]

mod bench;
pub mod clock;
#[macro_use]
mod failure;
pub mod contract;
mod effort;
pub mod entropy;
pub mod failing;
mod meeting;
pub mod postgres;
mod recording;
mod sale;
mod shop;
mod watcher;
pub mod world;

pub use bench::{Bench, Roster, Whole, enroll};
pub use clock::ManualClock;
pub use effort::{cases, thorough};
pub use entropy::CountedEntropy;
pub use failing::Failing;
pub use world::World;
