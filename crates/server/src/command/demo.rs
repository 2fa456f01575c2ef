//! `demo`: the server with a shop to try.

mod accounts;
mod passwords;
mod shop;
mod try_it;

use std::io::IsTerminal;

use clap::Args;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::Secret;
use tillgate_domain::office;
use tillgate_persistence::{Address, Database};

use super::serve::Listening;
use super::{Context, Stop, password};
use crate::configuration::Settings;
use crate::running::{self, Behind};
use crate::{compose, exposure, logging, startup};
use passwords::Telling;

/// What is said to whoever tries.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    listening: Listening,
    /// One password for every account, instead of a random one for each
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// Make the shop in PostgreSQL too
    #[arg(long)]
    yes: bool,
}

impl Demo {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        if context.tenant.as_str() != shop::TENANT {
            return Err(Stop::usage("the demo makes its shop in the tenant \"default\": leave --tenant out"));
        }
        let given = self.password.clone().map(Secret::new);
        if let Some(given) = &given {
            password::check(given, &PasswordPolicy::default(), &[]).map_err(Stop::usage)?;
        }
        let settings = self.listening.settings(context, true)?;
        if matches!(compose::address(&settings)?, Address::Postgres(_)) && !self.yes {
            return Err(Stop::usage(
                "the demo would make users, devices and passwords in this PostgreSQL database: say --yes if it is one to try things in",
            ));
        }
        let mounts = compose::mounts(&settings)?;
        let _log = logging::begin(&settings)?;
        startup::check_addresses(&settings)?;
        let database = compose::create(&settings, &mut logging::migration)?;
        if office::any_user(&*database).map_err(Stop::failed)? && !accounts::marked(&database)? {
            return Err(Stop::failed(
                "this database has users and no demo was made in it: use a folder of its own (tillgate demo --data ./demo-data)",
            ));
        }
        if let Some(given) = &given
            && accounts::has_other_password(&database, given, compose::cost(&settings))?
        {
            let (data, file) = (settings.server.data.display(), passwords::file(&settings.server.data));
            return Err(Stop::usage(format!(
                "the demo in {data} has other passwords: those in {}, or the one that was given first. Leave --password out, or \
                 remove the folder for a new demo",
                file.display()
            )));
        }
        refuse_exposed(&settings, &database)?;
        if !exposure::is_loopback(&settings.server.listen) && !accounts::missing(&database)?.is_empty() {
            return Err(Stop::usage(beyond(&settings)));
        }
        let auth = compose::engine(&settings, &database)?;
        let telling = if given.is_some() {
            Telling::Given
        } else if std::io::stdout().is_terminal() && !context.json {
            Telling::Shown
        } else {
            Telling::Written
        };
        let behind: Behind = {
            let (settings, database) = (settings.clone(), std::sync::Arc::clone(&database));
            Box::new(move |url| {
                let made = shop::make(&settings, &database, given.as_ref(), telling)?;
                Ok(try_it::text(&settings, url, telling, &made))
            })
        };
        running::run(&settings, running::Parts { database, auth, mounts, json: context.json }, Some(behind))
    }
}

fn beyond(settings: &Settings) -> String {
    format!("the demo serves this machine only: listen on 127.0.0.1 instead of {}", settings.server.listen)
}

/// Refuses to serve beyond loopback while an account of a demo has the password that the demo gave it.
pub(super) fn refuse_exposed(settings: &Settings, database: &Database) -> Result<(), Stop> {
    if exposure::is_loopback(&settings.server.listen) {
        return Ok(());
    }
    let open = accounts::with_demo_password(database)?;
    if open.is_empty() {
        return Ok(());
    }
    Err(Stop::failed(format!(
        "these accounts of the demo still have the passwords that the demo gave them: {}. Beyond this machine they would be an open \
         door: set others (tillgate user password NAME, tillgate device password NAME) or put the accounts out of use (tillgate user \
         status NAME deleted, tillgate device status NAME retired), or listen on 127.0.0.1",
        open.join(", ")
    )))
}
