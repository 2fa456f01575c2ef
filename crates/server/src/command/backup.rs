//! `backup`: a copy of SQLite's database while it is in use.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Context, Stop, print};
use crate::{compose, master};

/// What is said to whoever backs up.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let settings = context.settings(|_| ())?;
        compose::open_existing(&settings)?.backup(&self.file).map_err(Stop::failed)?;
        let file = self.file.display().to_string();
        let beside = match master::place(&settings) {
            master::Place::File(key) => {
                format!(" Keep {} too, elsewhere: the keys in the copy open with it only.", key.display())
            }
            master::Place::Given => String::new(),
        };
        print::answer(
            context.json,
            &format!("{file}: copied and verified.{beside}"),
            &json!({ "file": file, "verified": true }),
        );
        Ok(())
    }
}
