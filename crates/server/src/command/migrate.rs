//! `migrate`: updates the database schema, or checks whether it is up to date.

use clap::Args;
use serde_json::json;

use super::{CommandError, Context, print};
use crate::composition;

/// The arguments of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Only check: exit code 1 if the database is not up to date
    #[arg(long)]
    check: bool,
}

/// Prints the name of the migration that is about to run to standard error.
pub(super) fn print_progress(name: &str) {
    print::print_note(&format!("updating the database: {name}"));
}

impl MigrateArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let settings = context.settings(|_| ())?;
        if self.check {
            composition::open_existing_database(&settings)?;
            print::print_result(context.json, "the database is up to date", &json!({ "up_to_date": true }));
            return Ok(());
        }
        context.name_database(&settings)?;
        let mut done = Vec::new();
        composition::prepare_database(&settings, &mut |name| {
            print_progress(name);
            done.push(name.to_owned());
        })?;
        let line = match done.len() {
            0 => "the database was up to date".to_owned(),
            number => format!("the database is up to date; migrations run: {number}"),
        };
        print::print_result(context.json, &line, &json!({ "up_to_date": true, "ran": done }));
        Ok(())
    }
}
