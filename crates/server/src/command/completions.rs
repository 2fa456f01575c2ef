//! Shell completions: `completions` prints a script for a shell, which starts the program again to
//! complete words.
//!
//! The script of `PowerShell` has the words of the command line only: that shell inserts a name as
//! it is, so a name could contain a command. The others quote what they insert.

mod names;
mod values;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, Args, Command, CommandFactory, ValueHint};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Shells, Zsh};
use clap_complete::{CompleteEnv, Shell, generate};

use super::{Cli, CommandError, print};

/// The variable by which a script requests candidates; its value is the name of the shell.
const SHELL_VARIABLE: &str = "_TILLGATE_COMPLETE";

/// The name under which the shells know the program.
const PROGRAM: &str = "tillgate";

/// Completes an autoloaded script's first word, too: zsh runs such a script as the function
/// `_tillgate`.
const ZSH_FIRST_CALL: &str = "if [[ ${funcstack[1]} == _tillgate ]]; then _clap_dynamic_completer_tillgate \"$@\"; fi";

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
        match find_completer(self.shell) {
            Some(completer) => completer
                .write_registration(SHELL_VARIABLE, PROGRAM, PROGRAM, &program_path(), &mut script)
                .map_err(CommandError::failed)?,
            None => generate(self.shell, &mut offer_no_files(Cli::command()), PROGRAM, &mut script),
        }
        let script = String::from_utf8(script).map_err(CommandError::failed)?;
        let script = script.trim();
        match self.shell {
            Shell::Bash => print::print_line(&adapt_to_bash(script)),
            Shell::Zsh => print::print_line(&format!("{script}\n{ZSH_FIRST_CALL}")),
            _ => print::print_line(script),
        }
        Ok(())
    }
}

/// Prints the candidates for a word if a completion script started this process, and returns the
/// exit code. Never prints an error: the shell would show it within the line that is typed.
#[must_use]
pub fn answer_completion(variables: &[(String, String)]) -> Option<ExitCode> {
    let words = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let command = || values::add_completers(Cli::command(), variables, &words);
    let completed = CompleteEnv::with_factory(command)
        .var(SHELL_VARIABLE)
        .shells(Shells(&[&Bash, &Elvish, &Fish, &Zsh]))
        .bin(PROGRAM)
        .try_complete(std::env::args_os(), std::env::current_dir().ok().as_deref());
    match completed {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        Err(_) => Some(ExitCode::FAILURE),
    }
}

/// Makes bash quote what it inserts, which it does only for file names, and offer nothing after
/// `DEVICE=`: bash makes words of the parts and the `=`, so the flags would be offered there.
fn adapt_to_bash(script: &str) -> String {
    let current = "words[COMP_CWORD]=\"$2\"";
    script
        .replace("-o bashdefault", "-o bashdefault -o filenames")
        .replace(current, &format!("[[ ${{words[COMP_CWORD]}} == \"=\" ]] || {current}"))
}

/// The completer of a shell that quotes what it inserts.
fn find_completer(shell: Shell) -> Option<&'static dyn EnvCompleter> {
    match shell {
        Shell::Bash => Some(&Bash),
        Shell::Elvish => Some(&Elvish),
        Shell::Fish => Some(&Fish),
        Shell::Zsh => Some(&Zsh),
        _ => None,
    }
}

/// The program as the script starts it: as this process was started, if by a path, by the absolute
/// path.
fn program_path() -> String {
    let program = PathBuf::from(std::env::args_os().next().unwrap_or_else(|| PROGRAM.into()));
    let has_folder = program.components().nth(1).is_some();
    let folder = std::env::current_dir().ok().filter(|_| has_folder).unwrap_or_default();
    folder.join(program).to_string_lossy().into_owned()
}

/// Says of values that are not paths that they are no files; otherwise `PowerShell` offers files
/// for them.
fn offer_no_files(command: Command) -> Command {
    let with_hint = |arg: Arg| {
        let is_unknown = arg.get_action().takes_values() && arg.get_value_hint() == ValueHint::Unknown;
        if is_unknown { arg.value_hint(ValueHint::Other) } else { arg }
    };
    command.mut_args(with_hint).mut_subcommands(offer_no_files)
}
