//! `doctor`: checks everything that a server depends on and suggests a fix for each problem.

mod checks;
mod declarations;
mod finding;

use clap::Args;
use serde_json::json;

use super::{CommandError, Context, print};
use finding::Finding;

/// The arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Declare that the machine's clock is right: servers that doubt it trust it within a second
    #[arg(long)]
    accept_clock: bool,
    /// Declare that the database was restored from a backup: servers reload everything they cache
    #[arg(long)]
    restored: bool,
}

impl DoctorArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        if self.accept_clock || self.restored {
            return declarations::declare(context, self.accept_clock, self.restored);
        }
        let findings = checks::run_checks(context);
        let documents: Vec<_> = findings.iter().map(Finding::to_json).collect();
        if context.json {
            print::print_line(
                &json!({ "healthy": findings.iter().all(Finding::is_ok), "checks": documents }).to_string(),
            );
        } else {
            for finding in &findings {
                print::print_line(&finding.to_line());
            }
        }
        match findings.iter().filter(|finding| !finding.is_ok()).count() {
            0 => Ok(()),
            1 => Err(CommandError::failed("1 problem found")),
            number => Err(CommandError::failed(format!("{number} problems found"))),
        }
    }
}
