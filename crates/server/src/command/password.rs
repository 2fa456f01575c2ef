//! Reads a password: without echo on a terminal, else one line of standard input. Never from the command line, where every user of
//! the machine could read it.

use std::io::{BufRead, IsTerminal};

use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::Secret;

use super::Stop;

/// More than the longest password can take, in bytes.
const MOST: u64 = 1024;

/// A password that is to be set, asked for twice on a terminal. `words` are the names that it may not be made of.
pub(super) fn read(whose: &str, policy: &PasswordPolicy, words: &[String]) -> Result<Secret<String>, Stop> {
    let stdin = std::io::stdin();
    let password = if stdin.is_terminal() {
        let ask = |prompt: &str| rpassword::prompt_password(prompt).map(Secret::new).map_err(Stop::failed);
        let password = ask(&format!("Password of {whose}: "))?;
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
    fn a_weak_password_is_refused_with_a_reason() {
        let said = |password: &str, words: &[String]| {
            check(&Secret::new(password.to_owned()), &PasswordPolicy::default(), words).unwrap_err().to_string()
        };
        assert!(said("short", &[]).starts_with("the password must have at least"));
        let made = said("Jana-1984", &["jana".to_owned()]);
        assert_eq!(made, "the password must not be made of the name \"jana\"; add other words");
    }
}
