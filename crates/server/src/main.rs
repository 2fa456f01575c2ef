//! tillgate: the authentication server of a point of sale.
//!
//! This crate is composition: configuration, command line, and how the parts are put together and taken down. It knows no rule.

mod command;
mod compose;
mod configuration;
mod draw;
mod exposure;
mod first_admin;
mod logging;
mod master;
mod running;
mod tls;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // a variable that is no text is none of ours
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    command::run(command::Line::parse(), variables.collect())
}
