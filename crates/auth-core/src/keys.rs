//! The server's keys: those that sign access tokens and those that authenticate refresh tokens.
//!
//! They stand in the store, wrapped by one master key, so that every process over one store has the same. Each process holds them
//! open in a [`Keyring`] and follows them by the feed.

mod audit;
mod keyring;
mod lifecycle;
mod master;

pub use audit::AuditSignet;
pub use keyring::{KeyError, SigningAlgorithm, check_master};
pub(crate) use keyring::{Keyring, Opened, SigningKey, draw};
pub use lifecycle::Lifecycle;
pub(crate) use lifecycle::{first, promote, retire, rotate};
pub use master::{MasterKey, MasterKeyError};
