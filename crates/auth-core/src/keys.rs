//! The keys of the server: signing keys for access tokens and HMAC keys for refresh tokens.
//!
//! They are in the store, encrypted by one master key, so that all processes over a store use the
//! same. Each process keeps them decrypted in a keyring and reloads them when the change feed
//! reports a change.

mod audit_seal_key;
mod keyring;
mod lifecycle;
mod master;
mod nonce_key;

pub use audit_seal_key::AuditSealKey;
pub use keyring::{KeyError, SigningAlgorithm, check_master_key, opens_any_key};
pub(crate) use keyring::{Keyring, OpenKeys, SigningKey, generate_key};
pub use lifecycle::KeyEvent;
pub(crate) use lifecycle::{add_next_keys, insert_first_keys, promote, retire};
pub use master::{InvalidMasterKey, MasterKey};
pub(crate) use nonce_key::NonceKey;
