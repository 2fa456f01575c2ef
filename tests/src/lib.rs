//! Black-box tests: the real executable on a free port, on SQLite and on PostgreSQL, called over
//! real sockets.
//!
//! A test creates an [`Installation`], starts [`RunningServer`]s on it, and calls them through
//! [`TillClient`]s. When a server stops, its log, its metrics and its error bodies are searched for
//! every secret that the test used. A failure of these helpers is a failure of the test, so they
//! panic.
//!
//! The tests are five programs: `api`, `browser`, `operation`, `repository` and `endurance`. Cargo
//! runs test programs one after another, and a program ends with its slowest test. The tests of one
//! program fill all its threads, share a PostgreSQL server and a few browsers, and are linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::missing_panics_doc)]

mod accessibility;
pub mod browser;
mod caddy;
mod chromium;
pub mod clients;
mod demo_shop;
mod dpop_client;
mod echo_server;
mod event_stream;
pub mod gateway;
mod installation;
pub mod markdown_pages;
mod metadata;
mod nginx;
mod office_cases;
mod office_page;
mod office_views;
mod openapi_document;
mod portos_client;
mod posstar_client;
mod raw_http;
mod response;
mod retry;
mod running_server;
mod secrets;
mod server_log;
mod till_client;

pub use accessibility::{AxeRules, assert_accessible, find_axe_faults, find_unnamed_controls};
pub use browser::Browser;
pub use caddy::Caddy;
pub use demo_shop::InstallationSnapshot;
pub use dpop_client::{enroll_device, post_with_proof};
pub use echo_server::EchoServer;
pub use event_stream::EventStream;
pub use installation::{Installation, PASSWORD};
pub use metadata::cargo_metadata;
pub use nginx::Nginx;
pub use office_cases::run_on_engines;
pub use office_page::OfficePage;
pub use office_views::fill_shop;
pub use openapi_document::is_documented;
pub use portos_client::{PortosKey, UnsignedRequest};
pub use posstar_client::PosStarClient;
pub use response::TestResponse;
pub use retry::{assert_counts_once, retry_while_overloaded};
pub use running_server::RunningServer;
pub use secrets::Secrets;
pub use till_client::TillClient;
pub use tillgate_testkit::DatabaseEngine;

use std::time::{Duration, Instant};

/// Repeats a check until it succeeds. Panics with `what` after `within`.
pub fn wait_until(within: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = now() + within;
    while !holds() {
        assert!(now() < deadline, "{what} did not come true within {within:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The current time, for deadlines of tests.
#[expect(clippy::disallowed_methods, reason = "black-box tests watch real servers by the real clock")]
pub fn now() -> Instant {
    Instant::now()
}
