//! `completions`: prints a completion script for a shell.

use clap::{Arg, Args, Command, CommandFactory, ValueHint};
use clap_complete::{Shell, generate};

use super::{Cli, CommandError, print};

/// The arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Shell to print completions for
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let mut script = Vec::new();
        generate(self.shell, &mut offer_no_files(Cli::command()), "tillgate", &mut script);
        print::print_line(String::from_utf8(script).map_err(CommandError::failed)?.trim_end());
        Ok(())
    }
}

/// Says of values that are not paths that they are no files; otherwise most shells offer files for
/// them.
fn offer_no_files(command: Command) -> Command {
    let with_hint = |arg: Arg| {
        let is_unknown = arg.get_action().takes_values() && arg.get_value_hint() == ValueHint::Unknown;
        if is_unknown { arg.value_hint(ValueHint::Other) } else { arg }
    };
    command.mut_args(with_hint).mut_subcommands(offer_no_files)
}
