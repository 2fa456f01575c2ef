//! `init`: creates the database of a new installation, its master key and its first keys.

use clap::Args;
use serde_json::json;

use super::{CommandError, Context, print};
use crate::audit_sealing::SealFile;
use crate::configuration::Settings;
use crate::ids::IdSource;
use crate::{composition, first_admin, logging, master_key};

/// The arguments of `init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {}

impl InitArgs {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let settings = context.settings(|_| ())?;
        let _log = logging::init_logging(&settings)?;
        let location = composition::database_location(&settings)?;
        if composition::has_database(&settings)? {
            return Err(CommandError::failed(format!(
                "a database already exists at {location}: start the server with {}",
                settings.command("serve")
            )));
        }
        check_no_leftovers(&settings, &location)?;
        let (database, _) = composition::create_database(&settings, &mut |_| ())?;
        let auth = composition::build_engine(&settings, &database)?;
        let outside = SealFile::from_settings(&settings);
        outside.create_if_missing(&database, IdSource::default().now()).map_err(CommandError::failed)?;
        auth.leave().map_err(CommandError::failed)?;
        database.close().map_err(CommandError::failed)?;
        let key = match master_key::master_key_source(&settings) {
            master_key::MasterKeySource::File(path) => Some(path.display().to_string()),
            master_key::MasterKeySource::Setting => None,
        };
        let mut text = format!("created the database {location}");
        if let Some(key) = &key {
            text += "\ncreated the master key ";
            text += key;
            text += ": keep a copy, but not with the backups of the database; nothing can be decrypted without it";
        }
        text += "\n";
        text += &first_admin::first_admin_hint(&settings);
        print::print_result(context.json, &text, &json!({ "database": location, "master_key": key }));
        Ok(())
    }
}

/// Refuses to create a database if files of another one are left. Its volume may not be mounted,
/// and the server would answer every till with a 401 from a new, empty database.
fn check_no_leftovers(settings: &Settings, location: &str) -> Result<(), CommandError> {
    let key = match master_key::master_key_source(settings) {
        master_key::MasterKeySource::File(path) => Some(path),
        master_key::MasterKeySource::Setting => None,
    };
    let seal = SealFile::from_settings(settings).path().to_owned();
    let Some(existing) = key.into_iter().chain([seal]).find(|path| path.exists()) else { return Ok(()) };
    Err(CommandError::failed(format!(
        "{} belongs to a database, but there is none at {location}: mount its volume or restore its backup. For a new \
         installation, move the file away first",
        existing.display()
    )))
}
