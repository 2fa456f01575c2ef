//! `completions`: what a shell needs to complete the commands of this program.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Line, Stop, print};

/// Print the completions for a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<(), Stop> {
        let mut script = Vec::new();
        generate(self.shell, &mut Line::command(), "tillgate", &mut script);
        print::out(String::from_utf8(script).map_err(Stop::failed)?.trim_end());
        Ok(())
    }
}
