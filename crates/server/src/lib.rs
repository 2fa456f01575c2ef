//! tillgate: an authentication server for points of sale.
//!
//! This crate is the composition root: it reads the configuration and the command line, builds the
//! parts of the server, runs them and shuts them down. It contains no business rules. The program
//! is [`run_cli`] applied to the parsed [`Cli`]. The crate is a library so that tests can use the
//! command line and the [`configuration`] exactly as the program does.

mod audit_sealing;
mod audit_verification;
mod command;
mod composition;
pub mod configuration;
mod disk;
mod exposure;
mod file_access;
mod first_admin;
mod ids;
mod listener;
mod logging;
mod mail;
mod main_thread;
mod master_key;
mod memory_arenas;
mod office_sweeping;
mod open_files;
mod priority;
mod runtime;
mod secret_files;
mod shell;
mod startup;
mod suggestions;
mod tls;
mod ungranted_rights;
mod unknown_tenants;
mod unserved_sessions;
mod version;

pub use command::{Cli, answer_completion, run_cli};
pub use memory_arenas::limit_memory_arenas;
