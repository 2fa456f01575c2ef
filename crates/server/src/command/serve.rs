//! `serve`: runs the server.

use clap::Args;
use tillgate_http::Mounts;

use super::listen_args::ListenArgs;
use super::{CommandError, Context};
use crate::configuration::Settings;
use crate::main_thread::{MainThread, StartOutcome};
use crate::{composition, logging, runtime, startup};

/// The arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(super) listening: ListenArgs,
}

impl ServeArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let start = || {
            let settings = self.listening.settings(context, false)?;
            let mounts = composition::build_mounts(&settings)?;
            let log = logging::init_logging(&settings)?;
            Ok((settings, mounts, log))
        };
        let (settings, mounts, _log) =
            start().map_err(|error| logging::log_start_error(context.log_format(), error))?;
        logging::log_outcome(&settings, Self::serve(context, &settings, mounts))
    }

    fn serve(context: &Context, settings: &Settings, mounts: Mounts) -> Result<(), CommandError> {
        startup::check_addresses(settings)?;
        let mut main_thread = MainThread::new()?;
        let (own_settings, json) = (settings.clone(), context.json);
        let started = main_thread.run_start(move |step| {
            let settings = &own_settings;
            step.begin("waiting for the database");
            startup::wait_for_database(settings)?;
            step.begin("updating the database");
            let database = composition::prepare_database(settings, &mut logging::log_migration)?;
            step.begin("preparing the server");
            super::demo::check_not_exposed(settings, &database)?;
            let auth = composition::build_engine(settings, &database)?;
            runtime::prepare_server(settings, runtime::ServerParts { database, auth, mounts, json })
        })?;
        match started {
            StartOutcome::Complete(server) => runtime::run_server(settings, main_thread, server, None),
            StartOutcome::Stopped => Ok(()),
        }
    }
}
