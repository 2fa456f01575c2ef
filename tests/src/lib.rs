//! Black-box tests: the real binary on a free port, on SQLite and on PostgreSQL, spoken to over real sockets.
//!
//! A test makes an [`Installation`], starts [`Running`] servers over it and calls them through [`Till`]s. Everything that a server
//! writes to its log, its metrics and its error bodies is searched for every secret that the test used when the server stops.
//! A failure of the harness is a failure of the test, so it panics.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::missing_panics_doc)]

mod answer;
pub mod browser;
mod caddy;
pub mod clients;
mod echo;
pub mod gateway;
mod installation;
mod metadata;
mod nginx;
pub mod pages;
mod portos_client;
mod raw;
mod running;
mod secrets;
mod till;

pub use answer::Answer;
pub use browser::Browser;
pub use caddy::Caddy;
pub use echo::Echo;
pub use installation::{Engine, Installation, PASSWORD};
pub use metadata::cargo_metadata;
pub use nginx::Nginx;
pub use portos_client::{PortosKey, Unsigned};
pub use running::Running;
pub use secrets::Secrets;
pub use till::Till;

use std::time::{Duration, Instant};

/// Runs a test on both databases, each in an installation of its own with a shop to try.
pub fn on_both(test: impl Fn(&Installation)) {
    for engine in Engine::ALL {
        println!("on {engine:?}");
        test(&Installation::with_shop(engine));
    }
}

/// Asks again until it holds; fails with what it says after `within`.
pub fn eventually(within: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = now() + within;
    while !holds() {
        assert!(now() < deadline, "{what} did not come true within {within:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The time, for deadlines of tests.
#[expect(clippy::disallowed_methods, reason = "black-box tests watch real servers by the real clock")]
pub fn now() -> Instant {
    Instant::now()
}
