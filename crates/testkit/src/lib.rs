//! Test tools for tillgate, and for integrators who implement a store of their own.
//!
//! [`contract!`] makes a `#[test]` of every promise of a store and runs each one on a new store of
//! yours; [`auth_contract!`] leaves out the back office. `docs/own-store.md` shows how to use them.
//!
//! [`Fixture`] builds a tenant with its users and devices, and [`records`] single ones.
//! [`ManualClock`] and [`SeededEntropy`] make time and randomness repeatable; [`Random`] draws for
//! model and property tests, and [`histories`] is the number of their cases. [`PlainHasher`] hashes
//! passwords without cost, and [`ProofSigner`] signs proofs of a client's key. [`FailingStore`]
//! wraps a store and fails on demand, [`RecordingStore`] records the calls. [`postgres`] starts a
//! PostgreSQL server for a test process, and [`on_both_databases!`] makes a test for each database.
//! [`TestFolder`] is a temporary folder, [`FolderSnapshot`] copies the data folder of an
//! installation, and [`MailServer`] receives its mails.
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

pub mod chromium;
pub mod clock;
mod harness;
#[macro_use]
mod assertion;
pub mod contract;
mod contract_fixture;
mod database_engine;
pub mod entropy;
pub mod failing_store;
pub mod fixture;
mod folder_snapshot;
mod mail_server;
mod plain_hasher;
pub mod postgres;
mod proof_signer;
mod random;
mod recording_observer;
mod recording_store;
pub mod records;
mod rendezvous;
pub mod server_sent_events;
mod test_folder;
mod thoroughness;
mod ticket_samples;
mod unprivileged_user;

pub use clock::ManualClock;
pub use database_engine::DatabaseEngine;
pub use entropy::SeededEntropy;
pub use failing_store::FailingStore;
pub use fixture::{Fixture, FixtureBuilder};
pub use folder_snapshot::FolderSnapshot;
pub use harness::{AuthStoreHarness, Roster, StoreHarness, insert_roster};
pub use mail_server::{MailServer, ReceivedMail, SmtpCommand, SmtpStep};
pub use plain_hasher::PlainHasher;
pub use proof_signer::ProofSigner;
pub use random::Random;
pub use recording_store::{CallLog, RecordingStore};
pub use test_folder::TestFolder;
pub use thoroughness::{costly_histories, histories, is_thorough};
#[cfg(unix)]
pub use unprivileged_user::give_to_unprivileged_user;
pub use unprivileged_user::{is_root, unprivileged_command};
