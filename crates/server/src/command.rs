//! The command line: what can be asked of the program, and what each command answers with.
//!
//! A command stands in a file of its own below; it opens what it needs, calls one use case and prints. The rules stand elsewhere.

mod access;
mod address;
mod api_key;
mod audit;
mod backup;
mod completions;
mod confirmation;
mod demo;
mod device;
mod doctor;
mod init;
pub(crate) mod json;
mod keys;
mod manual;
mod migrate;
mod office;
mod parse;
mod password;
pub(crate) mod print;
mod role;
mod serve;
mod session;
mod store;
mod sweep;
mod tenant;
mod ticket;
mod token;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tillgate_domain::Slug;

use crate::configuration::{self, Flags, Settings};
use crate::version::VERSION;

/// The authentication server of a point of sale.
#[derive(Debug, Parser)]
#[command(name = "tillgate", version = VERSION.as_str(), about, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// What may be said with every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help = "The folder of the database and the keys [default: ./data] [env: TILLGATE_SERVER__DATA]"
    )]
    data: Option<PathBuf>,
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "The database: sqlite:FILE, relative to the data folder, or postgres://... [default: sqlite:tillgate.db] [env: \
                TILLGATE_DATABASE__URL]"
    )]
    database: Option<String>,
    /// The configuration file [default: tillgate.toml in the data folder, else /etc/tillgate/tillgate.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The tenant that the command is about
    #[arg(long, global = true, value_name = "SLUG", default_value = "default", value_parser = parse_slug)]
    tenant: Slug,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    #[command(after_help = "Example:\n  tillgate serve --data /var/lib/tillgate --behind-proxy 127.0.0.1/32")]
    Serve(serve::ServeArgs),
    /// Run the server with a shop to try
    #[command(after_help = "Example:\n  tillgate demo --data ./demo-data")]
    Demo(demo::DemoArgs),
    /// Make the database of a new installation, its master key and its first keys
    #[command(after_help = "Example:\n  tillgate init --data /var/lib/tillgate")]
    Init(init::InitArgs),
    /// Bring the database up to date
    #[command(after_help = "Example:\n  tillgate migrate --check")]
    Migrate(migrate::MigrateArgs),
    /// People
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate user add anna --on P01=cashier --generate passwords.txt")]
    User(user::UserCommand),
    /// Tills, handhelds, office programs and tools
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate device add P01 --env CashRegister")]
    Device(device::DeviceCommand),
    /// Named sets of rights
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate role add night --right ticketClose --env CashRegister")]
    Role(role::RoleCommand),
    /// Vendors: their time zone, their language, how long their sessions live
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate tenant set --zone Europe/Bratislava --tenant corner-shop")]
    Tenant(tenant::TenantCommand),
    /// The stores of a vendor
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate store add \"Shop 3\"")]
    Store(store::StoreCommand),
    /// Sessions
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate session end --device P01")]
    Session(session::SessionCommand),
    /// Networks from which too many wrong passwords came
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate address unlock 203.0.113.7")]
    Address(address::Address),
    /// What was sold
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate ticket list")]
    Ticket(ticket::TicketCommand),
    /// Permanent tokens of devices
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate token generate --user anna --device P01")]
    Token(token::TokenCommand),
    /// Keys that programs sign their requests with
    #[command(subcommand, name = "api-key")]
    #[command(after_help = "Example:\n  tillgate api-key add till-sync --user anna --device P01")]
    ApiKeys(api_key::ApiKeyCommand),
    /// What gateways are answered by the access table of the configuration
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate access check GET /api/v1/products --mount kasir --role cashier")]
    Access(access::AccessCommand),
    /// What was done, by whom, and whether the record of it is whole
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate audit list --user anna --from 2026-11-21")]
    Audit(audit::AuditCommand),
    /// The server's keys
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate keys rotate")]
    Keys(keys::KeyCommand),
    /// Remove what nobody needs any more, as a server does once a minute
    #[command(after_help = "Example:\n  tillgate sweep --data /var/lib/tillgate")]
    Sweep,
    /// Copy the database while it is in use, and verify the copy (SQLite)
    #[command(after_help = "Example:\n  tillgate backup /backup/tillgate.db")]
    Backup(backup::BackupArgs),
    /// Check configuration, database, clock and keys, and say how to mend each
    #[command(after_help = "Example:\n  tillgate doctor --config /etc/tillgate/tillgate.toml")]
    Doctor(doctor::DoctorArgs),
    /// Print the completions for a shell
    #[command(after_help = "Example:\n  tillgate completions bash > /etc/bash_completion.d/tillgate")]
    Completions(completions::CompletionsArgs),
    /// Write the manual pages (roff) into a folder
    #[command(after_help = "Example:\n  tillgate manual /usr/local/share/man/man1")]
    Manual(manual::ManualArgs),
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// It was asked wrongly: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// It failed, or was refused: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// One of the two, and the log says why.
    #[error("the log says why")]
    AlreadyLogged {
        /// Whether it was asked wrongly.
        usage: bool,
    },
}

impl CommandError {
    /// A failure, in a sentence.
    pub(crate) fn failed(why: impl std::fmt::Display) -> Self {
        Self::Failed(why.to_string())
    }

    /// A wrong request, in a sentence.
    pub(crate) fn usage(why: impl std::fmt::Display) -> Self {
        Self::Usage(why.to_string())
    }
}

/// What commands are run with.
#[derive(Debug)]
pub(crate) struct Context {
    /// What the command line says about settings.
    flags: Flags,
    /// The variables of the environment.
    variables: Vec<(String, String)>,
    /// The tenant.
    pub(crate) tenant: Slug,
    /// Whether to answer in JSON.
    pub(crate) json: bool,
}

impl Context {
    /// The settings, with what this command adds to them.
    pub(crate) fn settings(&self, add: impl FnOnce(&mut Flags)) -> Result<Settings, CommandError> {
        let mut flags = self.flags.clone();
        add(&mut flags);
        configuration::load_settings(&flags, &self.variables).map_err(CommandError::usage)
    }
}

/// Runs what the command line says and returns the exit code: 0 done, 1 failed or refused, 2 asked wrongly.
pub fn run_cli(line: Cli, variables: Vec<(String, String)>) -> ExitCode {
    let GlobalArgs { data, database, config, tenant, json } = line.global;
    let flags = Flags { config, data, database, ..Flags::default() };
    let context = Context { flags, variables, tenant, json };
    let done = match line.command {
        Command::Serve(serve) => serve.run(&context),
        Command::Demo(demo) => demo.run(&context),
        Command::Init(init) => init.run(&context),
        Command::Migrate(migrate) => migrate.run(&context),
        Command::User(user) => user.run(&context),
        Command::Device(device) => device.run(&context),
        Command::Role(role) => role.run(&context),
        Command::Tenant(tenant) => tenant.run(&context),
        Command::Store(store) => store.run(&context),
        Command::Session(session) => session.run(&context),
        Command::Address(address) => address.run(&context),
        Command::Ticket(ticket) => ticket.run(&context),
        Command::Token(token) => token.run(&context),
        Command::ApiKeys(keys) => keys.run(&context),
        Command::Access(access) => access.run(&context),
        Command::Audit(audit) => audit.run(&context),
        Command::Keys(keys) => keys.run(&context),
        Command::Sweep => sweep::run(&context),
        Command::Backup(backup) => backup.run(&context),
        Command::Doctor(doctor) => doctor.run(&context),
        Command::Completions(completions) => completions.run(),
        Command::Manual(manual) => manual.run(&context),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            if !matches!(stop, CommandError::AlreadyLogged { .. }) {
                print::print_error(context.json, &stop);
            }
            ExitCode::from(match stop {
                CommandError::Failed(_) | CommandError::AlreadyLogged { usage: false } => 1,
                CommandError::Usage(_) | CommandError::AlreadyLogged { usage: true } => 2,
            })
        }
    }
}

fn parse_slug(text: &str) -> Result<Slug, String> {
    Slug::parse(text).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests;
