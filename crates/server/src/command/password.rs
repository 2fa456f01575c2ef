//! Reads passwords without echo from a terminal, or else one line of standard input, and generates
//! passwords.
//!
//! A password is never a command-line argument: every user of the machine could read it there.

use std::fs::File;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::Secret;

use super::{CommandError, print};
use crate::file_access::describe_open_error;
use crate::ids::IdSource;
use crate::master_key;

/// The maximum number of bytes read for a password; more than the longest allowed password.
const MAX_INPUT_BYTES: u64 = 1024;

/// Reads a new password, on a terminal twice, and checks it against the policy. `words` are names
/// of which it must not be made.
pub(super) fn read_new_password(
    name: &str,
    policy: &PasswordPolicy,
    words: &[String],
) -> Result<Secret<String>, CommandError> {
    let stdin = std::io::stdin();
    let password = if stdin.is_terminal() {
        let ask = |prompt: &str| rpassword::prompt_password(prompt).map(Secret::new).map_err(CommandError::failed);
        let password = ask(&format!("Password of {name}: "))?;
        // check before asking again
        check_strength(&password, policy, words)?;
        if ask("Repeat the password: ")? != password {
            return Err(CommandError::failed("the passwords do not match"));
        }
        password
    } else {
        read_line(stdin.lock())?
    };
    check_strength(&password, policy, words)?;
    Ok(password)
}

/// Letters and digits that are not easily confused; 32 of them, so that each stands for five bits.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Generates a password of 80 random bits in four groups of four: `k7wm-2hqe-xx4p-n9ta`.
pub(super) fn generate_password(ids: &IdSource) -> Result<Secret<String>, CommandError> {
    let bytes: [u8; 16] = ids.random_bytes()?;
    let mut text = String::with_capacity(19);
    for (number, byte) in bytes.iter().enumerate() {
        if number > 0 && number % 4 == 0 {
            text.push('-');
        }
        text.extend(ALPHABET.get(usize::from(byte % 32)).map(|letter| char::from(*letter)));
    }
    Ok(Secret::new(text))
}

/// The `--generate` option.
#[derive(Debug, Default, Args)]
pub(crate) struct GenerateArgs {
    /// Generate a password: append it to FILE, which must be readable by you alone, or show it once
    /// on the terminal
    #[arg(long, value_name = "FILE")]
    #[expect(clippy::option_option, reason = "absent, present without a file, present with a file")]
    generate: Option<Option<PathBuf>>,
}

/// Options that decide whether a user must change the password at the next login.
#[derive(Debug, Default, Args)]
pub(crate) struct MustChangeArgs {
    /// Require a password change at the next login; implied by --generate
    #[arg(long)]
    must_change_password: bool,
    /// Do not require a password change at the next login
    #[arg(long, conflicts_with = "must_change_password")]
    no_must_change_password: bool,
}

impl MustChangeArgs {
    /// The requested value; `None` if neither flag is given.
    pub(super) fn requested(&self) -> Option<bool> {
        match (self.must_change_password, self.no_must_change_password) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// Whether the password that is being set must be changed. The default is `true` for a
    /// generated password, because somebody other than its user sees it.
    pub(super) fn is_required(&self, generate: &GenerateArgs) -> bool {
        self.requested().unwrap_or(generate.generate.is_some())
    }
}

/// Where a generated password is delivered.
pub(super) enum SecretDelivery {
    Terminal,
    File(File, PathBuf),
}

impl GenerateArgs {
    /// Opens the delivery of a generated password, if one is requested. The file is opened before
    /// the password is set, so that no password is set and then lost.
    pub(super) fn open_delivery(&self) -> Result<Option<SecretDelivery>, CommandError> {
        match &self.generate {
            None => Ok(None),
            Some(None) if std::io::stdout().is_terminal() => Ok(Some(SecretDelivery::Terminal)),
            Some(None) => Err(CommandError::usage("there is no terminal to show the password on: use --generate FILE")),
            Some(Some(path)) => open_secret_file(path).map(|file| Some(SecretDelivery::File(file, path.clone()))),
        }
    }
}

/// Opens the delivery of a drawn PIN: a file, or otherwise the terminal.
pub(super) fn open_pin_delivery(output: Option<&Path>) -> Result<SecretDelivery, CommandError> {
    match output {
        Some(path) => open_secret_file(path).map(|file| SecretDelivery::File(file, path.to_owned())),
        None if std::io::stdout().is_terminal() => Ok(SecretDelivery::Terminal),
        None => Err(CommandError::usage("there is no terminal to show the PIN on: use --output FILE")),
    }
}

/// Opens a file to which secrets are appended; it must be readable by its owner alone.
pub(super) fn open_secret_file(path: &Path) -> Result<File, CommandError> {
    let failed = |why: &dyn std::fmt::Display| CommandError::failed(format!("{}: {why}", path.display()));
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| failed(&describe_open_error(path, &error)))?;
    let found = file.metadata().map_err(|error| failed(&error))?;
    if master_key::is_readable_by_others(&found) {
        return Err(failed(&"other users of this machine can read the file: chmod 600 it or use another file"));
    }
    Ok(file)
}

impl SecretDelivery {
    /// Shows the password, or appends it to the file. Call it after the password was set.
    pub(super) fn deliver(self, name: &str, password: &Secret<String>) -> Result<(), CommandError> {
        self.deliver_secret(name, "password", password)
    }

    /// Shows the PIN, or appends it to the file. Call it after the PIN was set.
    pub(super) fn deliver_pin(self, name: &str, pin: &Secret<String>) -> Result<(), CommandError> {
        self.deliver_secret(name, "PIN", pin)
    }

    fn deliver_secret(self, name: &str, what: &str, secret: &Secret<String>) -> Result<(), CommandError> {
        match self {
            Self::Terminal => print::print_line(&format!("{name}: the {what} is {}", secret.expose())),
            Self::File(mut file, path) => {
                writeln!(file, "{name}\t{}", secret.expose()).and_then(|()| file.sync_all()).map_err(|error| {
                    CommandError::failed(format!(
                        "{}: {error}: the generated {what} is lost; set another one",
                        path.display()
                    ))
                })?;
            }
        }
        Ok(())
    }
}

/// Reads a password that proves an identity, on a terminal once. It is not checked here.
pub(super) fn read_current_password(name: &str) -> Result<Secret<String>, CommandError> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return rpassword::prompt_password(format!("Password of {name}: "))
            .map(Secret::new)
            .map_err(CommandError::failed);
    }
    read_line(stdin.lock())
}

/// Checks a new password against the policy.
pub(super) fn check_strength(
    password: &Secret<String>,
    policy: &PasswordPolicy,
    words: &[String],
) -> Result<(), CommandError> {
    policy.check(password.expose(), words).map_err(|why| CommandError::failed(format!("the password {why}")))
}

/// The first line without its line ending.
fn read_line(input: impl BufRead) -> Result<Secret<String>, CommandError> {
    let mut buffer = Vec::new();
    input.take(MAX_INPUT_BYTES).read_until(b'\n', &mut buffer).map_err(CommandError::failed)?;
    let read = Secret::new(buffer);
    let bytes = read.expose().as_slice();
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok("") => Err(CommandError::usage("standard input must contain one line with the password")),
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
        let ids = IdSource::default();
        let [one, other] = [generate_password(&ids).unwrap(), generate_password(&ids).unwrap()];
        assert_ne!(one, other);
        assert_eq!(one.expose().split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4, 4]);
        check_strength(&one, &PasswordPolicy::default(), &[]).unwrap();
        let letters: std::collections::BTreeSet<u8> = ALPHABET.iter().copied().collect();
        assert_eq!(letters.len(), 32);
    }

    #[test]
    fn weak_password_is_refused_with_a_reason() {
        let error_text = |password: &str, words: &[String]| {
            check_strength(&Secret::new(password.to_owned()), &PasswordPolicy::default(), words)
                .unwrap_err()
                .to_string()
        };
        assert!(error_text("short", &[]).starts_with("the password must have at least"));
        let from_name = error_text("Jana-1984", &["jana".to_owned()]);
        assert_eq!(from_name, "the password must not be made of the name \"jana\"; add other words");
    }
}
