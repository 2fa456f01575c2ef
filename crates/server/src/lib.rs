//! tillgate: the authentication server of a point of sale.
//!
//! This crate is composition: configuration, command line, and how the parts are put together and taken down. It knows no rule.
//! The program is [`run`] over the [`Line`] that it was started with; the library is there so that tests reach the command line and the
//! [`configuration`] as the program reads them.

mod command;
mod compose;
pub mod configuration;
mod descriptors;
mod disk;
mod draw;
mod exposure;
mod first_admin;
mod listener;
mod logging;
mod mail;
mod master;
mod near;
mod priority;
mod running;
mod sealing;
mod shell;
mod startup;
mod sweeping;
mod tls;
mod unknown_tenants;
mod unserved;
mod version;

pub use command::{Line, run};
