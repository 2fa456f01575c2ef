//! `serve`: runs the server.

use clap::Args;
use tillgate_http::Mounts;

use super::{CommandError, Context};
use crate::configuration::{Flags, Settings};
use crate::startup::{self, WaitOutcome};
use crate::{composition, exposure, logging, runtime};

/// The arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(super) listening: ListenArgs,
}

/// The addresses and proxies of a server.
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Address to listen on
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Network of a proxy that terminates TLS for this server; its forwarding headers are trusted
    #[arg(long, value_name = "CIDR")]
    behind_proxy: Vec<String>,
}

impl ListenArgs {
    /// Loads the settings with these flags. `every_dialect` mounts every dialect by default.
    /// Refuses to listen where passwords would be sent unencrypted.
    pub(super) fn settings(&self, context: &Context, every_dialect: bool) -> Result<Settings, CommandError> {
        let settings = context.settings(|flags: &mut Flags| {
            flags.listen.clone_from(&self.listen);
            flags.proxies.clone_from(&self.behind_proxy);
            flags.every_dialect = every_dialect;
        })?;
        exposure::check_exposure(&settings).map_err(CommandError::usage)?;
        Ok(settings)
    }
}

impl ServeArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let settings = self.listening.settings(context, false)?;
        let mounts = composition::build_mounts(&settings)?;
        let _log = logging::init_logging(&settings)?;
        logging::log_outcome(&settings, Self::serve(context, &settings, mounts))
    }

    fn serve(context: &Context, settings: &Settings, mounts: Mounts) -> Result<(), CommandError> {
        startup::check_addresses(settings)?;
        if startup::wait_for_database(settings)? == WaitOutcome::Stopped {
            return Ok(());
        }
        let database = composition::prepare_database(settings, &mut logging::log_migration)?;
        super::demo::check_not_exposed(settings, &database)?;
        let auth = composition::build_engine(settings, &database)?;
        runtime::run_server(settings, runtime::ServerParts { database, auth, mounts, json: context.json }, None)
    }
}
