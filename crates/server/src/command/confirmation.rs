//! Confirmation before a command ends several sessions or does something that cannot be undone.

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;

use super::CommandError;

/// The `--yes` flag of commands that ask for confirmation.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ConfirmationArgs {
    /// Skip the confirmation
    #[arg(long)]
    yes: bool,
}

impl ConfirmationArgs {
    /// Asks for confirmation on a terminal. Without a terminal, `--yes` is required. `what` says
    /// what the command is about to do, as a sentence without a period.
    pub(super) fn ask(self, what: &str) -> Result<(), CommandError> {
        if self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(CommandError::usage(format!("{what}. Nothing was done: repeat the command with --yes")));
        }
        let mut err = std::io::stderr().lock();
        write!(err, "{what}. Continue? [y/N] ").and_then(|()| err.flush()).map_err(CommandError::failed)?;
        let mut response = String::new();
        std::io::stdin().lock().read_line(&mut response).map_err(CommandError::failed)?;
        if is_yes(&response) { Ok(()) } else { Err(CommandError::failed("canceled; nothing was done")) }
    }
}

fn is_yes(response: &str) -> bool {
    ["y", "yes"].iter().any(|yes| response.trim().eq_ignore_ascii_case(yes))
}

/// A number with its noun: `1 session`, `3 sessions`.
pub(super) fn count_text(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_confirms() {
        for (response, confirmed) in
            [("y\n", true), (" YES\n", true), ("\n", false), ("n\n", false), ("yy", false), ("", false)]
        {
            assert_eq!(is_yes(response), confirmed, "{response:?}");
        }
    }

    #[test]
    fn counts_are_pluralized() {
        assert_eq!([0, 1, 2].map(|number| count_text(number, "session")), ["0 sessions", "1 session", "2 sessions"]);
    }
}
