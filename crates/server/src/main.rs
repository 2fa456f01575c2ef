//! The program: what the system hands to a process, handed to the library.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // a variable that is no text is none of ours
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    tillgate_server::run_cli(tillgate_server::Cli::parse(), variables.collect())
}
