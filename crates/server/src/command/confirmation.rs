//! Asks before a command ends more than one thing, or something for good.

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;

use super::CommandError;

/// The flag of a command that asks before it acts.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Confirmation {
    /// Do not ask before ending something for good
    #[arg(long)]
    yes: bool,
}

impl Confirmation {
    /// Asks on a terminal whether to go on. Elsewhere `--yes` has to say so: nobody is there to answer. `what` is what the command
    /// is about to do, as a sentence without its end.
    pub(super) fn ask(self, what: &str) -> Result<(), CommandError> {
        if self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(CommandError::usage(format!("{what}. Nothing was done: repeat the command with --yes")));
        }
        let mut err = std::io::stderr().lock();
        write!(err, "{what}. Go on? [y/N] ").and_then(|()| err.flush()).map_err(CommandError::failed)?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map_err(CommandError::failed)?;
        if is_yes(&answer) { Ok(()) } else { Err(CommandError::failed("nothing was done")) }
    }
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes))
}

/// A number of things, in words: `1 session`, `3 sessions`.
pub(super) fn count_text(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_confirms() {
        for (answer, goes_on) in
            [("y\n", true), (" YES\n", true), ("\n", false), ("n\n", false), ("yy", false), ("", false)]
        {
            assert_eq!(is_yes(answer), goes_on, "{answer:?}");
        }
    }

    #[test]
    fn counts_are_pluralized() {
        assert_eq!([0, 1, 2].map(|number| count_text(number, "session")), ["0 sessions", "1 session", "2 sessions"]);
    }
}
