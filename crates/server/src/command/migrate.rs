//! `migrate`: brings the database up to date, or says whether it is.

use clap::Args;
use serde_json::json;

use super::{CommandError, Context, print};
use crate::composition;

/// What is said to whoever migrates.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Change nothing: exit with 1 where the database is not up to date
    #[arg(long)]
    check: bool,
}

/// Says which migration runs, on standard error.
pub(super) fn print_progress(name: &str) {
    print::print_note(&format!("bringing the database up to date: {name}"));
}

impl MigrateArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let settings = context.settings(|_| ())?;
        if self.check {
            composition::open_existing_database(&settings)?;
            print::print_answer(context.json, "the database is up to date", &json!({ "up_to_date": true }));
            return Ok(());
        }
        let mut done = Vec::new();
        composition::prepare_database(&settings, &mut |name| {
            print_progress(name);
            done.push(name.to_owned());
        })?;
        let line = match done.len() {
            0 => "the database was up to date".to_owned(),
            number => format!("the database is up to date; migrations run: {number}"),
        };
        print::print_answer(context.json, &line, &json!({ "up_to_date": true, "ran": done }));
        Ok(())
    }
}
