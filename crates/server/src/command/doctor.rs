//! `doctor`: looks at everything that a server stands on, and says how to mend what is wrong.

mod checks;
mod declare;
mod finding;

use clap::Args;
use serde_json::json;

use super::{Context, Stop, print};
use finding::Finding;

/// What is said to the doctor.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Declare that the machine's clock is right: servers that doubt it believe it at once
    #[arg(long)]
    accept_clock: bool,
    /// Declare that the database was restored from a backup: servers look at everything anew
    #[arg(long)]
    restored: bool,
}

impl Doctor {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        if self.accept_clock || self.restored {
            return declare::declare(context, self.accept_clock, self.restored);
        }
        let findings = checks::all(context);
        let documents: Vec<_> = findings.iter().map(Finding::document).collect();
        if context.json {
            print::out(&json!({ "healthy": findings.iter().all(Finding::well), "checks": documents }).to_string());
        } else {
            for finding in &findings {
                print::out(&finding.line());
            }
        }
        match findings.iter().filter(|finding| !finding.well()).count() {
            0 => Ok(()),
            1 => Err(Stop::failed("1 thing to mend")),
            number => Err(Stop::failed(format!("{number} things to mend"))),
        }
    }
}
