//! The engine's use cases on the store in memory: a clock that is moved by hand, chance that is counted, passwords that cost
//! nothing, and no sleeps. Each file tries one of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unchecked_time_subtraction,
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    clippy::cast_possible_truncation,
    reason = "what is not as it should be fails the test that stands on it"
)]

mod caches;
mod clocks;
mod ending;
mod exchanging;
mod failing;
mod hasher;
mod holding;
mod introspecting;
mod keys;
mod lasting;
mod login;
mod meeting;
mod own_password;
mod pairing;
mod password_changes;
mod processes;
mod refresh;
mod refusals;
mod refusing;
mod repeating;
mod reusing;
mod shop;
mod signing;
mod store_clock;
mod sweeping;
mod tokens;
