//! `migrate`: brings the database up to date, or says whether it is.

use clap::Args;
use serde_json::json;

use super::{Context, Stop, print};
use crate::compose;

/// What is said to whoever migrates.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Change nothing: exit with 1 where the database is not up to date
    #[arg(long)]
    check: bool,
}

/// Says which migration runs, on standard error.
pub(super) fn progress(name: &str) {
    print::note(&format!("bringing the database up to date: {name}"));
}

impl Migrate {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let settings = context.settings(|_| ())?;
        if self.check {
            compose::open_existing(&settings)?;
            print::answer(context.json, "the database is up to date", &json!({ "up_to_date": true }));
            return Ok(());
        }
        let mut done = Vec::new();
        compose::prepare(&settings, &mut |name| {
            progress(name);
            done.push(name.to_owned());
        })?;
        let line = match done.len() {
            0 => "the database was up to date".to_owned(),
            number => format!("the database is up to date; migrations run: {number}"),
        };
        print::answer(context.json, &line, &json!({ "up_to_date": true, "ran": done }));
        Ok(())
    }
}
