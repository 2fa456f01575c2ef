//! The flags of the commands that listen: `serve` and `demo`.

use clap::Args;

use super::{CommandError, Context};
use crate::configuration::{Flags, Settings};
use crate::exposure;

/// The addresses and proxies of a server.
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    #[arg(
        long,
        value_name = "ADDR",
        help = "Address to listen on [default: 127.0.0.1:8080] [env: TILLGATE_SERVER__LISTEN]"
    )]
    listen: Option<String>,
    #[arg(
        long,
        value_name = "CIDR",
        help = "Network of a proxy that terminates TLS for this server; its forwarding headers are trusted; can be \
                repeated [env: TILLGATE_SERVER__PROXIES, separated by commas]"
    )]
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
