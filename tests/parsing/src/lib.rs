//! What everything promises that parses outside input, whatever comes in: one function for each, which fails where the promise does
//! not hold. The fuzzer calls them with what it makes up (`fuzz/`), a test with what is kept of that (`tests/corpus.rs`).
//!
//! The parsers are the server's own; nothing here parses for it. A kept input holds no token: it names the parts of one that is
//! minted when it is tried.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::missing_panics_doc)]

mod accept_language;
mod access_token;
mod configuration;
mod cursor;
mod database_address;
mod headers;
mod login;
mod minted_tokens;
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
pub use refresh_token::refresh_token;
pub use signature::signature;
pub use ticket_query::ticket_query;

/// A promise, by the name of its target and of the folder of its corpus.
pub type FuzzTarget = (&'static str, fn(&[u8]));

/// Every one.
pub const FUZZ_TARGETS: [FuzzTarget; 10] = [
    ("headers", headers),
    ("access_token", access_token),
    ("refresh_token", refresh_token),
    ("login", login),
    ("cursor", cursor),
    ("signature", signature),
    ("configuration", configuration),
    ("database_address", database_address),
    ("accept_language", accept_language),
    ("ticket_query", ticket_query),
];
