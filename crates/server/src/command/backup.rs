//! `backup`: copies an SQLite database while it is in use.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{CommandError, Context, print};
use crate::{composition, master_key};

/// The arguments of `backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// File to write; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl BackupArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let settings = context.settings(|_| ())?;
        // a backup precedes the migration, also if the new program is installed already
        composition::open_database_before_upgrade(&settings)?.backup(&self.file).map_err(CommandError::failed)?;
        let file = self.file.display().to_string();
        let beside = match master_key::master_key_source(&settings) {
            master_key::MasterKeySource::File(key) => {
                format!(
                    " Back up {} too, in another place: without it the keys in the copy cannot be decrypted.",
                    key.display()
                )
            }
            master_key::MasterKeySource::Setting => String::new(),
        };
        print::print_result(
            context.json,
            &format!("{file}: copied and verified.{beside}"),
            &json!({ "file": file, "verified": true }),
        );
        Ok(())
    }
}
