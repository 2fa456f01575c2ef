//! The formats of access tokens, ID tokens and refresh tokens, and their cryptography. This module
//! knows neither the rules of sessions nor the store.

pub mod access_token;
pub(crate) mod crypto;
pub(crate) mod identity;
pub mod refresh_token;
