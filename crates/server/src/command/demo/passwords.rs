//! The passwords of the demo: random, and told once to whoever started it.

use std::io::Write;
use std::path::{Path, PathBuf};

use tillgate_domain::Secret;

use super::accounts::Account;
use crate::command::Stop;
use crate::draw::Draw;

/// How whoever started the demo learns the passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// They gave the one password.
    Given,
    /// On their terminal, once.
    Shown,
    /// In a file, where what is printed goes to a log.
    Written,
}

/// An account and its password.
pub(super) type Known = (Account, Secret<String>);

/// Letters and digits that nobody takes for another; 32 of them, 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A random password of 80 bits, such as `k3xp-9avt-...`.
pub(super) fn random(draw: &Draw) -> Result<Secret<String>, Stop> {
    let bytes = draw.bytes::<16>()?;
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('a', char::from);
    let groups: Vec<String> = bytes.chunks(4).map(|group| group.iter().map(letter).collect()).collect();
    Ok(Secret::new(groups.join("-")))
}

/// The file of the passwords in the data folder.
pub(super) fn file(data: &Path) -> PathBuf {
    data.join("demo-passwords.txt")
}

/// Writes `name: password` lines that only the owner reads: beside those of an unfinished demo, else in place of what was there.
pub(super) fn write(data: &Path, passwords: &[Known], go_on: bool) -> Result<(), Stop> {
    let path = file(data);
    let failed = |error: std::io::Error| Stop::failed(format!("{}: {error}", path.display()));
    let mut text = Secret::new(String::new());
    match std::fs::read_to_string(&path).map(Secret::new) {
        Ok(before) if go_on => {
            let ours =
                |line: &&str| passwords.iter().any(|(account, _)| line.starts_with(&format!("{}: ", account.name)));
            let kept = before.expose().lines().filter(|line| !ours(line)).map(|line| format!("{line}\n"));
            text = Secret::new(kept.collect());
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let lines = passwords.iter().map(|(account, password)| format!("{}: {}\n", account.name, password.expose()));
    let text = Secret::new(text.expose().clone() + &lines.collect::<String>());
    let draft = path.with_extension("draft");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft).map_err(failed)?;
    file.write_all(text.expose().as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&draft, &path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::demo::accounts;

    #[test]
    fn random_passwords_are_taken_and_differ() {
        let draw = Draw::default();
        let (one, other) = (random(&draw).unwrap(), random(&draw).unwrap());
        assert_eq!(one.expose().len(), 19);
        assert!(tillgate_auth_core::passwords::acceptable(one.expose()).is_ok());
        assert_ne!(one, other);
    }

    #[test]
    fn the_file_is_the_owners_alone_and_goes_on_where_a_demo_was_unfinished() {
        let folder = std::env::temp_dir().join(format!("tillgate-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(file(&folder), "left over from another database\n").unwrap();
        let known = |index: usize| (accounts::all()[index], Secret::new("secret".to_owned()));
        write(&folder, &[known(0), known(6)], false).unwrap();
        let other = (accounts::all()[6], Secret::new("another".to_owned()));
        write(&folder, &[other], true).unwrap();
        assert_eq!(std::fs::read_to_string(file(&folder)).unwrap(), "P01: secret\ncashier: another\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(file(&folder)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
