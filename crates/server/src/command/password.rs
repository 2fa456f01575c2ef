//! Reads a password: without echo on a terminal, else one line of standard input; never from the command line, where every user of
//! the machine could read it. Or makes one up.

use std::fs::File;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::Secret;

use super::{Stop, print};
use crate::draw::Draw;
use crate::master;

/// More than the longest password can take, in bytes.
const MOST: u64 = 1024;

/// A password that is to be set, asked for twice on a terminal. `words` are the names that it may not be made of.
pub(super) fn read(whose: &str, policy: &PasswordPolicy, words: &[String]) -> Result<Secret<String>, Stop> {
    let stdin = std::io::stdin();
    let password = if stdin.is_terminal() {
        let ask = |prompt: &str| rpassword::prompt_password(prompt).map(Secret::new).map_err(Stop::failed);
        let password = ask(&format!("Password of {whose}: "))?;
        // before it is asked for again
        check(&password, policy, words)?;
        if ask("The same again: ")? != password {
            return Err(Stop::failed("the two are not the same"));
        }
        password
    } else {
        line(stdin.lock())?
    };
    check(&password, policy, words)?;
    Ok(password)
}

/// Letters and digits that nobody takes for one another; 32 of them, so that each is five bits.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A password of 80 random bits, in four groups of four: `k7wm-2hqe-xx4p-n9ta`.
pub(super) fn random(draw: &Draw) -> Result<Secret<String>, Stop> {
    let bytes: [u8; 16] = draw.bytes()?;
    let mut text = String::with_capacity(19);
    for (number, byte) in bytes.iter().enumerate() {
        if number > 0 && number % 4 == 0 {
            text.push('-');
        }
        text.extend(LETTERS.get(usize::from(byte % 32)).map(|letter| char::from(*letter)));
    }
    Ok(Secret::new(text))
}

/// Whether a password is made up, and where it goes.
#[derive(Debug, Default, Args)]
pub(crate) struct Generate {
    /// Make up a password: append it to FILE, which nobody else may read, or show it once on the terminal
    #[arg(long, value_name = "FILE")]
    #[expect(clippy::option_option, reason = "not said, said without a file, said with one")]
    generate: Option<Option<PathBuf>>,
}

/// Whether a user must change a password at the next login.
#[derive(Debug, Default, Args)]
pub(crate) struct MustChange {
    /// Require another password at the next login; --generate implies it
    #[arg(long)]
    must_change_password: bool,
    /// Require no other password at the next login
    #[arg(long, conflicts_with = "must_change_password")]
    no_must_change_password: bool,
}

impl MustChange {
    /// What was asked for; `None` if neither.
    pub(super) fn given(&self) -> Option<bool> {
        match (self.must_change_password, self.no_must_change_password) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// Whether a password that is set must be changed: one that is made up is read by somebody who is not its user.
    pub(super) fn required(&self, generate: &Generate) -> bool {
        self.given().unwrap_or(generate.generate.is_some())
    }
}

/// Where a password that was made up goes.
pub(super) enum Delivery {
    Terminal,
    File(File, PathBuf),
}

impl Generate {
    /// Where it goes, if one is to be made up. The file is opened first: nobody is given a password that is lost.
    pub(super) fn delivery(&self) -> Result<Option<Delivery>, Stop> {
        match &self.generate {
            None => Ok(None),
            Some(None) if std::io::stdout().is_terminal() => Ok(Some(Delivery::Terminal)),
            Some(None) => Err(Stop::usage("no terminal to show the password on: name a file, --generate FILE")),
            Some(Some(path)) => open(path).map(|file| Some(Delivery::File(file, path.clone()))),
        }
    }
}

fn open(path: &Path) -> Result<File, Stop> {
    let failed = |why: &dyn std::fmt::Display| Stop::failed(format!("{}: {why}", path.display()));
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| failed(&error))?;
    let found = file.metadata().map_err(|error| failed(&error))?;
    if master::others_may(&found) {
        return Err(failed(&"other users of this machine can read it: chmod 600, or name another file"));
    }
    Ok(file)
}

impl Delivery {
    /// Delivers the password that somebody has from now on.
    pub(super) fn deliver(self, whose: &str, password: &Secret<String>) -> Result<(), Stop> {
        match self {
            Self::Terminal => print::out(&format!("{whose}: the password is {}", password.expose())),
            Self::File(mut file, path) => {
                writeln!(file, "{whose}\t{}", password.expose()).and_then(|()| file.sync_all()).map_err(|error| {
                    Stop::failed(format!("{}: {error}: set another password, this one is lost", path.display()))
                })?;
            }
        }
        Ok(())
    }
}

/// A password that is to prove who somebody is, asked for once on a terminal. Whether it is right is not asked here.
pub(super) fn prove(whose: &str) -> Result<Secret<String>, Stop> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return rpassword::prompt_password(format!("Password of {whose}: ")).map(Secret::new).map_err(Stop::failed);
    }
    line(stdin.lock())
}

/// Refuses a password that nobody should have.
pub(super) fn check(password: &Secret<String>, policy: &PasswordPolicy, words: &[String]) -> Result<(), Stop> {
    policy.check(password.expose(), words).map_err(|why| Stop::failed(format!("the password {why}")))
}

/// The first line, without its end.
fn line(input: impl BufRead) -> Result<Secret<String>, Stop> {
    let mut buffer = Vec::new();
    input.take(MOST).read_until(b'\n', &mut buffer).map_err(Stop::failed)?;
    let read = Secret::new(buffer);
    let bytes = read.expose().as_slice();
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok("") => Err(Stop::usage("one line with the password is expected on standard input")),
        Ok(password) => Ok(Secret::new(password.to_owned())),
        Err(_) => Err(Stop::failed("the password must be text in UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_password_without_its_end() {
        for (input, password) in
            [("tajné heslo\n", "tajné heslo"), ("a b \r\nmore\n", "a b "), ("no end", "no end"), (" x\n", " x")]
        {
            assert_eq!(line(input.as_bytes()).unwrap().expose(), password);
        }
        for nothing in ["", "\n", "\r\n"] {
            assert!(matches!(line(nothing.as_bytes()), Err(Stop::Usage(_))));
        }
        assert!(line(&[0xff, 0xfe][..]).is_err());
    }

    #[test]
    fn random_passwords_differ_and_are_strong() {
        let draw = Draw::default();
        let [one, other] = [random(&draw).unwrap(), random(&draw).unwrap()];
        assert_ne!(one, other);
        assert_eq!(one.expose().split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4, 4]);
        check(&one, &PasswordPolicy::default(), &[]).unwrap();
        let letters: std::collections::BTreeSet<u8> = LETTERS.iter().copied().collect();
        assert_eq!(letters.len(), 32);
    }

    #[test]
    fn a_weak_password_is_refused_with_a_reason() {
        let said = |password: &str, words: &[String]| {
            check(&Secret::new(password.to_owned()), &PasswordPolicy::default(), words).unwrap_err().to_string()
        };
        assert!(said("short", &[]).starts_with("the password must have at least"));
        let made = said("Jana-1984", &["jana".to_owned()]);
        assert_eq!(made, "the password must not be made of the name \"jana\"; add other words");
    }
}
