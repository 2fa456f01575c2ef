//! Black-box tests: the real binary on a free port, on SQLite and on PostgreSQL, spoken to over real sockets.
//!
//! A test makes an [`Installation`], starts [`RunningServer`] servers over it and calls them through [`Till`]s. Everything that a server
//! writes to its log, its metrics and its error bodies is searched for every secret that the test used when the server stops.
//! A failure of the harness is a failure of the test, so it panics.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::missing_panics_doc)]

pub mod browser;
mod caddy;
pub mod clients;
mod echo_server;
pub mod gateway;
mod installation;
pub mod markdown_pages;
mod metadata;
mod nginx;
mod portos_client;
mod raw_http;
mod response;
mod running_server;
mod secrets;
mod till_client;

pub use browser::Browser;
pub use caddy::Caddy;
pub use echo_server::EchoServer;
pub use installation::{Engine, Installation, PASSWORD};
pub use metadata::cargo_metadata;
pub use nginx::Nginx;
pub use portos_client::{PortosKey, UnsignedRequest};
pub use response::TestResponse;
pub use running_server::RunningServer;
pub use secrets::Secrets;
pub use till_client::TillClient;

use std::time::{Duration, Instant};

/// Runs a test on both databases, each in an installation of its own with a shop to try.
pub fn run_on_both_engines(test: impl Fn(&Installation)) {
    for engine in Engine::ALL {
        println!("on {engine:?}");
        test(&Installation::with_fixture(engine));
    }
}

/// Asks again until it holds; fails with what it says after `within`.
pub fn wait_until(within: Duration, what: &str, mut holds: impl FnMut() -> bool) {
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
