//! The promises of every parser of external input: one function each, which panics if the promise
//! does not hold. The fuzzer calls them with generated inputs (`fuzz/`), and a test with the stored
//! ones (`tests/corpus.rs`).
//!
//! The parsers are the server's own. A stored input contains no token: it describes the parts of
//! one that is issued when the input runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::missing_panics_doc)]

mod accept_language;
mod access_token;
mod configuration;
mod cursor;
mod database_address;
mod headers;
mod login;
mod minted_tokens;
mod proof;
mod refresh_token;
mod signature;
mod ticket_query;

pub use accept_language::accept_language;
pub use access_token::access_token;
pub use configuration::configuration;
pub use cursor::cursor;
pub use database_address::database_address;
pub use headers::headers;
pub use login::login;
pub use proof::proof;
pub use refresh_token::refresh_token;
pub use signature::signature;
pub use ticket_query::ticket_query;

/// A function that checks a promise, with the name of its fuzz target and corpus folder.
pub type FuzzTarget = (&'static str, fn(&[u8]));

/// All fuzz targets.
pub const FUZZ_TARGETS: [FuzzTarget; 11] = [
    ("headers", headers),
    ("access_token", access_token),
    ("refresh_token", refresh_token),
    ("login", login),
    ("proof", proof),
    ("cursor", cursor),
    ("signature", signature),
    ("configuration", configuration),
    ("database_address", database_address),
    ("accept_language", accept_language),
    ("ticket_query", ticket_query),
];
