//! `demo`: runs the server with a demo shop.
//!
//! The shop is created once per database, while the server already listens. A demo password never
//! protects a server that other machines can reach.

mod accounts;
mod assortment;
mod backdated_engine;
mod day;
mod passwords;
mod seeded_random;
mod shop;
mod simulation;
mod staff;
mod try_it;

use std::io::IsTerminal;

use clap::Args;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::Secret;
use tillgate_domain::office;
use tillgate_persistence::{Address, Database};

use super::listen_args::ListenArgs;
use super::{CommandError, Context, password};
use crate::audit_sealing::SealFile;
use crate::configuration::Settings;
use crate::ids::IdSource;
use crate::main_thread::MainThread;
use crate::runtime::{self, StartupOutcome, StartupTask};
use crate::{composition, exposure, logging, startup};
use accounts::ShopSize;
use passwords::PasswordDelivery;

/// The arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    listening: ListenArgs,
    /// Password for all accounts, instead of a random one for each
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// Create the accounts of the examples only: three users, four devices and no sales
    #[arg(long)]
    small: bool,
    /// Simulate activity: cashiers log in and out and sell on devices P03 to P12, at SPEED times
    /// the real pace
    #[arg(
        long,
        value_name = "SPEED",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = clap::value_parser!(u32).range(1..=100),
        conflicts_with = "small"
    )]
    alive: Option<u32>,
    /// Create the demo shop in PostgreSQL without asking again
    #[arg(long)]
    yes: bool,
}

impl DemoArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        self.run_demo(context).map_err(|error| logging::log_start_error(context.log_format(), error))
    }

    fn run_demo(&self, context: &Context) -> Result<(), CommandError> {
        if context.tenant.as_str() != shop::DEMO_TENANT {
            return Err(CommandError::usage("the demo always uses the tenant \"default\": omit --tenant"));
        }
        let chosen = self.password.clone().map(Secret::new);
        if let Some(chosen) = &chosen {
            password::check_strength(chosen, &PasswordPolicy::default(), &[]).map_err(CommandError::usage)?;
        }
        let settings = self.listening.settings(context, true)?;
        let size = if self.small { ShopSize::Small } else { ShopSize::Full };
        if matches!(composition::database_address(&settings)?, Address::Postgres(_)) && !self.yes {
            return Err(CommandError::usage(
                "the demo creates users, devices and passwords in this PostgreSQL database: repeat with --yes if it \
                 is a test database",
            ));
        }
        let mounts = composition::build_mounts(&settings)?;
        let _log = logging::init_logging(&settings)?;
        startup::check_addresses(&settings)?;
        let (database, is_new) = composition::create_database(&settings, &mut logging::log_migration)?;
        if is_new {
            tracing::info!(database = composition::database_location(&settings)?, "created the database");
            let seal_file = SealFile::from_settings(&settings);
            seal_file.create_if_missing(&database, IdSource::default().now()).map_err(CommandError::failed)?;
        }
        if office::unguarded::any_user_exists(&*database).map_err(CommandError::failed)?
            && !accounts::has_demo_accounts(&database)?
        {
            return Err(CommandError::failed(
                "this database has users that are not from a demo: use a separate folder (tillgate demo --data \
                 ./demo-data)",
            ));
        }
        if let Some(chosen) = &chosen
            && accounts::has_other_password(&database, chosen, composition::password_cost(&settings))?
        {
            let (data, file) = (settings.server.data.display(), passwords::password_file(&settings.server.data));
            let known = if file.exists() {
                format!("those in {}, or the one given at its first start", file.display())
            } else {
                "the one given at its first start".to_owned()
            };
            return Err(CommandError::usage(format!(
                "the demo in {data} has other passwords: {known}. Omit --password, or remove the folder to create a \
                 new demo"
            )));
        }
        check_not_exposed(&settings, &database)?;
        if !exposure::is_loopback(&settings.server.listen) && !accounts::missing_accounts(&database, size)?.is_empty() {
            return Err(CommandError::usage(exposed_address_text(&settings)));
        }
        let auth = composition::build_engine(&settings, &database)?;
        let delivery = if chosen.is_some() {
            PasswordDelivery::Chosen
        } else if std::io::stdout().is_terminal() && !context.json {
            PasswordDelivery::Terminal
        } else {
            PasswordDelivery::File
        };
        let new = shop::prepare_accounts(&settings, &database, size, chosen.as_ref(), delivery)?;
        let passwords = new.passwords(&settings, chosen.as_ref())?;
        let startup_task = {
            let password = try_it::admin_password(&settings, delivery, &passwords);
            let office = try_it::office_prefix(&settings).map(str::to_owned);
            let first_line = move |url: &str| {
                office.map(|prefix| format!("Open {url}{prefix} and sign in as admin with the password {password}"))
            };
            let (settings, alive) = (settings.clone(), self.alive);
            let work = move |url: &str| {
                shop::create_demo(&settings, size, &new)?;
                let text = try_it::instructions(&settings, url, (delivery, &passwords), size, &new);
                let Some(speed) = alive else { return Ok(StartupOutcome { text, background: None }) };
                let simulation = simulation::StaffSimulation::start(url, &settings.native.prefix, &passwords, speed)?;
                Ok(StartupOutcome { text, background: Some(Box::new(simulation)) })
            };
            StartupTask { first_line: Box::new(first_line), work: Box::new(work) }
        };
        let parts = runtime::ServerParts { database, auth, mounts, json: context.json };
        let server = runtime::prepare_server(&settings, parts)?;
        runtime::run_server(&settings, MainThread::new()?, server, Some(startup_task))
    }
}

fn exposed_address_text(settings: &Settings) -> String {
    format!("the demo is for this machine only: listen on 127.0.0.1 instead of {}", settings.server.listen)
}

/// Refuses to listen beyond loopback while an active account still has its demo password.
pub(super) fn check_not_exposed(settings: &Settings, database: &Database) -> Result<(), CommandError> {
    if exposure::is_loopback(&settings.server.listen) {
        return Ok(());
    }
    let open = accounts::accounts_with_demo_password(database)?;
    if open.is_empty() {
        return Ok(());
    }
    Err(CommandError::failed(format!(
        "these accounts still have their demo passwords: {}. Other machines must not be able to log in with them: \
         change the passwords (tillgate user password NAME, tillgate device password NAME), remove the accounts \
         (tillgate user status NAME deleted, tillgate device status NAME retired), or listen on 127.0.0.1",
        open.join(", ")
    )))
}
