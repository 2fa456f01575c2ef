//! Tokens: what an access token says, how a refresh token is made, and the cryptography under both. Nothing here knows a session's
//! rules or a store.

pub mod access;
pub(crate) mod crypto;
pub(crate) mod identity;
pub mod refresh;
