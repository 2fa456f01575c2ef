//! Reads a password: without echo on a terminal, else one line of standard input; never from the command line, where every user of
//! the machine could read it. Or makes one up.

use std::fs::File;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::Secret;

use super::{CommandError, print};
use crate::ids::IdSource;
use crate::master_key;

/// More than the longest password can take, in bytes.
const MAX_INPUT_BYTES: u64 = 1024;

/// A password that is to be set, asked for twice on a terminal. `words` are the names that it may not be made of.
pub(super) fn read_new_password(
    whose: &str,
    policy: &PasswordPolicy,
    words: &[String],
) -> Result<Secret<String>, CommandError> {
    let stdin = std::io::stdin();
    let password = if stdin.is_terminal() {
        let ask = |prompt: &str| rpassword::prompt_password(prompt).map(Secret::new).map_err(CommandError::failed);
        let password = ask(&format!("Password of {whose}: "))?;
        // before it is asked for again
        check_strength(&password, policy, words)?;
        if ask("The same again: ")? != password {
            return Err(CommandError::failed("the two are not the same"));
        }
        password
    } else {
        read_line(stdin.lock())?
    };
    check_strength(&password, policy, words)?;
    Ok(password)
}

/// Letters and digits that nobody takes for one another; 32 of them, so that each is five bits.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A password of 80 random bits, in four groups of four: `k7wm-2hqe-xx4p-n9ta`.
pub(super) fn generate_password(draw: &IdSource) -> Result<Secret<String>, CommandError> {
    let bytes: [u8; 16] = draw.random_bytes()?;
    let mut text = String::with_capacity(19);
    for (number, byte) in bytes.iter().enumerate() {
        if number > 0 && number % 4 == 0 {
            text.push('-');
        }
        text.extend(ALPHABET.get(usize::from(byte % 32)).map(|letter| char::from(*letter)));
    }
    Ok(Secret::new(text))
}

/// Whether a password is made up, and where it goes.
#[derive(Debug, Default, Args)]
pub(crate) struct GenerateArgs {
    /// Make up a password: append it to FILE, which nobody else may read, or show it once on the terminal
    #[arg(long, value_name = "FILE")]
    #[expect(clippy::option_option, reason = "not said, said without a file, said with one")]
    generate: Option<Option<PathBuf>>,
}

/// Whether a user must change a password at the next login.
#[derive(Debug, Default, Args)]
pub(crate) struct MustChangeArgs {
    /// Require another password at the next login; --generate implies it
    #[arg(long)]
    must_change_password: bool,
    /// Require no other password at the next login
    #[arg(long, conflicts_with = "must_change_password")]
    no_must_change_password: bool,
}

impl MustChangeArgs {
    /// What was asked for; `None` if neither.
    pub(super) fn requested(&self) -> Option<bool> {
        match (self.must_change_password, self.no_must_change_password) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// Whether a password that is set must be changed: one that is made up is read by somebody who is not its user.
    pub(super) fn is_required(&self, generate: &GenerateArgs) -> bool {
        self.requested().unwrap_or(generate.generate.is_some())
    }
}

/// Where a password that was made up goes.
pub(super) enum Delivery {
    Terminal,
    File(File, PathBuf),
}

impl GenerateArgs {
    /// Where it goes, if one is to be made up. The file is opened first: nobody is given a password that is lost.
    pub(super) fn open_delivery(&self) -> Result<Option<Delivery>, CommandError> {
        match &self.generate {
            None => Ok(None),
            Some(None) if std::io::stdout().is_terminal() => Ok(Some(Delivery::Terminal)),
            Some(None) => Err(CommandError::usage("no terminal to show the password on: name a file, --generate FILE")),
            Some(Some(path)) => open_file(path).map(|file| Some(Delivery::File(file, path.clone()))),
        }
    }
}

fn open_file(path: &Path) -> Result<File, CommandError> {
    let failed = |why: &dyn std::fmt::Display| CommandError::failed(format!("{}: {why}", path.display()));
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| failed(&error))?;
    let found = file.metadata().map_err(|error| failed(&error))?;
    if master_key::is_readable_by_others(&found) {
        return Err(failed(&"other users of this machine can read it: chmod 600, or name another file"));
    }
    Ok(file)
}

impl Delivery {
    /// Delivers the password that somebody has from now on.
    pub(super) fn deliver(self, whose: &str, password: &Secret<String>) -> Result<(), CommandError> {
        match self {
            Self::Terminal => print::print_line(&format!("{whose}: the password is {}", password.expose())),
            Self::File(mut file, path) => {
                writeln!(file, "{whose}\t{}", password.expose()).and_then(|()| file.sync_all()).map_err(|error| {
                    CommandError::failed(format!("{}: {error}: set another password, this one is lost", path.display()))
                })?;
            }
        }
        Ok(())
    }
}

/// A password that is to prove who somebody is, asked for once on a terminal. Whether it is right is not asked here.
pub(super) fn read_current_password(whose: &str) -> Result<Secret<String>, CommandError> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return rpassword::prompt_password(format!("Password of {whose}: "))
            .map(Secret::new)
            .map_err(CommandError::failed);
    }
    read_line(stdin.lock())
}

/// Refuses a password that nobody should have.
pub(super) fn check_strength(
    password: &Secret<String>,
    policy: &PasswordPolicy,
    words: &[String],
) -> Result<(), CommandError> {
    policy.check(password.expose(), words).map_err(|why| CommandError::failed(format!("the password {why}")))
}

/// The first line, without its end.
fn read_line(input: impl BufRead) -> Result<Secret<String>, CommandError> {
    let mut buffer = Vec::new();
    input.take(MAX_INPUT_BYTES).read_until(b'\n', &mut buffer).map_err(CommandError::failed)?;
    let read = Secret::new(buffer);
    let bytes = read.expose().as_slice();
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok("") => Err(CommandError::usage("one line with the password is expected on standard input")),
        Ok(password) => Ok(Secret::new(password.to_owned())),
        Err(_) => Err(CommandError::failed("the password must be text in UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_line_has_no_line_ending() {
        for (input, password) in
            [("tajné heslo\n", "tajné heslo"), ("a b \r\nmore\n", "a b "), ("no end", "no end"), (" x\n", " x")]
        {
            assert_eq!(read_line(input.as_bytes()).unwrap().expose(), password);
        }
        for nothing in ["", "\n", "\r\n"] {
            assert!(matches!(read_line(nothing.as_bytes()), Err(CommandError::Usage(_))));
        }
        assert!(read_line(&[0xff, 0xfe][..]).is_err());
    }

    #[test]
    fn random_passwords_differ_and_are_strong() {
        let draw = IdSource::default();
        let [one, other] = [generate_password(&draw).unwrap(), generate_password(&draw).unwrap()];
        assert_ne!(one, other);
        assert_eq!(one.expose().split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4, 4]);
        check_strength(&one, &PasswordPolicy::default(), &[]).unwrap();
        let letters: std::collections::BTreeSet<u8> = ALPHABET.iter().copied().collect();
        assert_eq!(letters.len(), 32);
    }

    #[test]
    fn weak_password_is_refused_with_a_reason() {
        let said = |password: &str, words: &[String]| {
            check_strength(&Secret::new(password.to_owned()), &PasswordPolicy::default(), words)
                .unwrap_err()
                .to_string()
        };
        assert!(said("short", &[]).starts_with("the password must have at least"));
        let made = said("Jana-1984", &["jana".to_owned()]);
        assert_eq!(made, "the password must not be made of the name \"jana\"; add other words");
    }
}
