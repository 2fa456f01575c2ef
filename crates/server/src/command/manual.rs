//! `manual`: writes the manual pages, one for each command.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use serde_json::json;

use super::{Cli, CommandError, Context, print};

/// The arguments of `manual`.
#[derive(Debug, Args)]
pub(crate) struct ManualArgs {
    /// Folder to write to; created if it does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl ManualArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let failed = |error: std::io::Error| CommandError::failed(format!("{}: {error}", self.folder.display()));
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), &self.folder).map_err(failed)?;
        let line = format!(
            "manual pages written to {}; read them with man -l {}",
            self.folder.display(),
            self.folder.join("tillgate.1").display()
        );
        print::print_result(context.json, &line, &json!({ "folder": self.folder }));
        Ok(())
    }
}
