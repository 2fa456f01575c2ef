//! `serve`: runs the server.

use clap::Args;
use tillgate_http::Mounts;

use super::listen_args::ListenArgs;
use super::{CommandError, Context};
use crate::configuration::Settings;
use crate::startup::{self, WaitOutcome};
use crate::{composition, logging, runtime};

/// The arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(super) listening: ListenArgs,
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
