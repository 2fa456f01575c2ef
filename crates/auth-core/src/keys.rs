//! The server's keys: those that sign access tokens and those that authenticate refresh tokens.
//!
//! They stand in the store, wrapped by one master key, so that every process over one store has the same. Each process holds them
//! open in a [`Keyring`] and follows them by the feed.

mod audit_seal_key;
mod keyring;
mod lifecycle;
mod master;

pub use audit_seal_key::AuditSealKey;
pub use keyring::{KeyError, SigningAlgorithm, check_master_key};
pub(crate) use keyring::{Keyring, OpenKeys, SigningKey, generate_key};
pub use lifecycle::KeyEvent;
pub(crate) use lifecycle::{add_next_keys, insert_first_keys, promote, retire};
pub use master::{InvalidMasterKey, MasterKey};
