//! `serve`: the server.

use clap::Args;
use tillgate_http::Mounts;

use super::{Context, Stop};
use crate::configuration::{Flags, Settings};
use crate::startup::{self, Start};
use crate::{compose, exposure, logging, running};

/// What is said to whoever serves.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(super) listening: Listening,
}

/// Where to serve.
#[derive(Debug, Args)]
pub(crate) struct Listening {
    /// The address to listen on
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The network of a proxy that speaks TLS for this server; its X-Forwarded-* headers are believed
    #[arg(long, value_name = "CIDR")]
    behind_proxy: Vec<String>,
}

impl Listening {
    /// Lays the flags over the settings, with every contract among the default mounts where that is wanted, and refuses to listen where nothing covers the passwords on their way.
    pub(super) fn settings(&self, context: &Context, every_contract: bool) -> Result<Settings, Stop> {
        let settings = context.settings(|flags: &mut Flags| {
            flags.listen.clone_from(&self.listen);
            flags.proxies.clone_from(&self.behind_proxy);
            flags.every_contract = every_contract;
        })?;
        exposure::check(&settings).map_err(Stop::usage)?;
        Ok(settings)
    }
}

impl Serve {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let settings = self.listening.settings(context, false)?;
        let mounts = compose::mounts(&settings)?;
        let _log = logging::begin(&settings)?;
        logging::ended(&settings, Self::serve(context, &settings, mounts))
    }

    fn serve(context: &Context, settings: &Settings, mounts: Mounts) -> Result<(), Stop> {
        startup::check_addresses(settings)?;
        if startup::wait_for_database(settings)? == Start::Stopped {
            return Ok(());
        }
        let database = compose::prepare(settings, &mut logging::migration)?;
        super::demo::refuse_exposed(settings, &database)?;
        let auth = compose::engine(settings, &database)?;
        running::run(settings, running::Parts { database, auth, mounts, json: context.json }, None)
    }
}
