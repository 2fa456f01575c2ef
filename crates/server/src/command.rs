//! The command line: the commands, their arguments and their exit codes.
//!
//! Each command has its own module below. It opens what it needs, calls one use case and prints the
//! result; the rules are in `domain` and `auth-core`.

mod access;
mod address;
mod api_key;
mod argument_errors;
mod audit;
mod backup;
mod completions;
mod confirmation;
mod csv_file;
mod demo;
mod device;
mod doctor;
mod init;
pub(crate) mod json;
mod keys;
mod limit_args;
mod listen_args;
mod login_throttle;
mod mail;
mod manual;
mod migrate;
mod office;
mod parse;
mod password;
pub(crate) mod print;
mod role;
mod serve;
mod session;
mod setup_token;
mod store;
mod sweep;
mod target_database;
mod tenant;
mod ticket;
mod token;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use tillgate_domain::Slug;

use crate::configuration::{self, ConfigError, Flags, LogFormat, Settings};
use crate::version::VERSION;

pub use completions::answer_completion;

/// An authentication server for points of sale
#[derive(Debug, Parser)]
#[command(name = "tillgate", version = VERSION.as_str(), about, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command accepts.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help = "Folder with the database and the keys [default: ./data] [env: TILLGATE_SERVER__DATA]"
    )]
    data: Option<PathBuf>,
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "Database: sqlite:FILE, relative to the data folder, or postgres://... [default: sqlite:tillgate.db] \
                [env: TILLGATE_DATABASE__URL]"
    )]
    database: Option<String>,
    /// Configuration file [default: tillgate.toml in the data folder, otherwise
    /// /etc/tillgate/tillgate.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Tenant that the command applies to
    #[arg(long, global = true, value_name = "SLUG", default_value = "default", value_parser = parse_slug)]
    tenant: Slug,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    #[command(after_help = "Example:\n  tillgate serve --data /var/lib/tillgate --behind-proxy 127.0.0.1/32")]
    Serve(serve::ServeArgs),
    /// Draw a new one-time token with which the first administrator is set up in the browser
    #[command(name = "setup-token")]
    #[command(after_help = "Example:\n  tillgate setup-token --data /var/lib/tillgate")]
    SetupToken,
    /// Run the server with a demo shop
    #[command(after_help = "Example:\n  tillgate demo --data ./demo-data --alive")]
    Demo(demo::DemoArgs),
    /// Create the database of a new installation, its master key and its first keys
    #[command(after_help = "Example:\n  tillgate init --data /var/lib/tillgate")]
    Init(init::InitArgs),
    /// Update the database schema
    #[command(after_help = "Example:\n  tillgate migrate --check")]
    Migrate(migrate::MigrateArgs),
    /// Manage users
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate user add anna --on P01=cashier --generate passwords.txt")]
    User(user::UserCommand),
    /// Manage devices: tills, handhelds, back-office programs and tools
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate device add P01 --env CashRegister")]
    Device(device::DeviceCommand),
    /// Manage roles
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate role add night --right ticketClose --env CashRegister")]
    Role(role::RoleCommand),
    /// Manage tenants: time zone, language and limits on session lifetimes
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate tenant set --zone Europe/Bratislava --tenant corner-shop")]
    Tenant(tenant::TenantCommand),
    /// Manage the stores of a tenant
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate store add \"Shop 3\"")]
    Store(store::StoreCommand),
    /// List and end sessions
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate session end --device P01")]
    Session(session::SessionCommand),
    /// Unlock networks that are locked out after too many failed logins
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate address unlock 203.0.113.7")]
    Address(address::AddressCommand),
    /// List and show tickets
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate ticket list")]
    Ticket(ticket::TicketCommand),
    /// Generate permanent tokens for devices
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate token generate --user anna --device P01")]
    Token(token::TokenCommand),
    /// Manage the API keys with which programs sign their requests
    #[command(subcommand, name = "api-key")]
    #[command(after_help = "Example:\n  tillgate api-key add till-sync --user anna --device P01")]
    ApiKeys(api_key::ApiKeyCommand),
    /// Check requests against the access table for gateways
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate access check GET /api/v1/products --mount kasir --role cashier")]
    Access(access::AccessCommand),
    /// List, export and verify the audit log
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate audit list --user anna --from 2026-11-21")]
    Audit(audit::AuditCommand),
    /// Manage the server's keys: for access tokens, refresh tokens and PINs
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate keys rotate")]
    Keys(keys::KeyCommand),
    /// Check that mail can be sent
    #[command(subcommand)]
    #[command(after_help = "Example:\n  tillgate mail test anna@example.com")]
    Mail(mail::MailCommand),
    /// Remove data that is no longer needed, as a server does every minute
    #[command(after_help = "Example:\n  tillgate sweep --data /var/lib/tillgate")]
    Sweep,
    /// Copy the database while it is in use, and verify the copy (SQLite only)
    #[command(after_help = "Example:\n  tillgate backup /backup/tillgate.db")]
    Backup(backup::BackupArgs),
    /// Check configuration, database, clock and keys; suggest fixes
    #[command(after_help = "Example:\n  tillgate doctor --config /etc/tillgate/tillgate.toml")]
    Doctor(doctor::DoctorArgs),
    /// Print shell completions
    #[command(after_help = "Example:\n  tillgate completions bash > /etc/bash_completion.d/tillgate")]
    Completions(completions::CompletionsArgs),
    /// Print the version, as --version does
    #[command(after_help = "Example:\n  tillgate version")]
    Version,
    /// Write manual pages (roff) to a folder
    #[command(after_help = "Example:\n  tillgate manual /usr/local/share/man/man1")]
    Manual(manual::ManualArgs),
}

impl Cli {
    /// Whether the command runs a server until it is stopped.
    #[must_use]
    pub fn runs_server(&self) -> bool {
        matches!(self.command, Command::Serve(_) | Command::Demo(_))
    }

    /// Parses the arguments of this process. Otherwise prints the help, the version or the error,
    /// with `--json` as JSON, and returns the exit code.
    ///
    /// # Errors
    ///
    /// The exit code if there is no command to run.
    pub fn parse_arguments() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            let json = std::env::args_os().any(|argument| argument == "--json");
            // without a command, clap prints the help as an error
            if json && error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
                print::print_error(true, &CommandError::usage(summarize_usage_error(&error)));
            } else {
                // a closed pipe is not an error
                let _ = error.print();
            }
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }
}

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The command line or the configuration is invalid: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The command failed or was refused: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// The error is already in the log; nothing more is printed.
    #[error("the server stopped; see the log for the reason")]
    AlreadyLogged {
        /// Whether the exit code is 2 (invalid usage) instead of 1.
        usage: bool,
    },
}

impl CommandError {
    /// A failure with this message.
    pub(crate) fn failed(why: impl std::fmt::Display) -> Self {
        Self::Failed(why.to_string())
    }

    /// A usage error with this message.
    pub(crate) fn usage(why: impl std::fmt::Display) -> Self {
        Self::Usage(why.to_string())
    }

    /// Whether the exit code is 2 (invalid usage) instead of 1.
    const fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::AlreadyLogged { usage: true })
    }

    /// The code of the error in JSON.
    pub(crate) const fn code(&self) -> &'static str {
        if self.is_usage() { "usage" } else { "failed" }
    }
}

/// The options and environment variables with which a command runs.
#[derive(Debug)]
pub(crate) struct Context {
    /// The settings given on the command line.
    flags: Flags,
    /// The environment variables.
    variables: Vec<(String, String)>,
    /// The tenant given by `--tenant`.
    pub(crate) tenant: Slug,
    /// Whether to print JSON.
    pub(crate) json: bool,
    /// Whether the command changes data of an existing database that its output does not name.
    changes_data: bool,
}

impl Context {
    /// Loads the settings after `add` has added the command's own flags.
    pub(crate) fn settings(&self, add: impl FnOnce(&mut Flags)) -> Result<Settings, CommandError> {
        let mut flags = self.flags.clone();
        add(&mut flags);
        configuration::load_settings(&flags, &self.variables).map_err(CommandError::usage)
    }

    /// The format of the log, also if the settings contain errors.
    pub(crate) fn log_format(&self) -> LogFormat {
        configuration::find_log_format(&self.flags, &self.variables)
    }

    /// Loads the settings; the error is that of the configuration.
    pub(crate) fn load_settings(&self) -> Result<Settings, ConfigError> {
        configuration::load_settings(&self.flags, &self.variables)
    }
}

/// Runs a command and returns its exit code: 0 success, 1 failed or refused, 2 invalid usage.
pub fn run_cli(line: Cli, variables: Vec<(String, String)>) -> ExitCode {
    let GlobalArgs { data, database, config, tenant, json } = line.global;
    let flags = Flags { config, data, database, ..Flags::default() };
    let context = Context { flags, variables, tenant, json, changes_data: line.command.changes_data() };
    let result = match line.command {
        Command::Serve(serve) => serve.run(&context),
        Command::Demo(demo) => demo.run(&context),
        Command::Init(init) => init.run(&context),
        Command::SetupToken => setup_token::run(&context),
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
        Command::Mail(mail) => mail.run(&context),
        Command::Sweep => sweep::run(&context),
        Command::Backup(backup) => backup.run(&context),
        Command::Doctor(doctor) => doctor.run(&context),
        Command::Completions(completions) => completions.run(),
        Command::Version => {
            let version = VERSION.as_str();
            print::print_result(
                context.json,
                &format!("tillgate {version}"),
                &serde_json::json!({ "version": version }),
            );
            Ok(())
        }
        Command::Manual(manual) => manual.run(&context),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, CommandError::AlreadyLogged { .. }) {
                print::print_error(context.json, &error);
            }
            ExitCode::from(if error.is_usage() { 2 } else { 1 })
        }
    }
}

/// The text of an error about the command line, without the usage and without line breaks.
fn summarize_usage_error(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = ["\n\nUsage:", "\n\nFor more information"]
        .iter()
        .fold(text.as_str(), |text, end| text.split_once(end).map_or(text, |(before, _)| before));
    text.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parse_slug(text: &str) -> Result<Slug, String> {
    Slug::parse(text).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests;
