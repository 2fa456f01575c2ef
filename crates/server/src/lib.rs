//! tillgate: the authentication server of a point of sale.
//!
//! This crate is composition: configuration, command line, and how the parts are put together and taken down. It knows no rule.
//! The program is [`run`] over the [`Line`] that it was started with; the library is there so that tests reach the command line and the
//! [`configuration`] as the program reads them.

mod audit_sealing;
mod command;
mod composition;
pub mod configuration;
mod disk;
mod exposure;
mod first_admin;
mod ids;
mod key_sweeping;
mod listener;
mod logging;
mod mail;
mod master_key;
mod open_files;
mod priority;
mod runtime;
mod shell;
mod startup;
mod suggestions;
mod tls;
mod unknown_tenants;
mod unserved_sessions;
mod version;

pub use command::{Cli, run_cli};
