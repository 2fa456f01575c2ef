//! The passwords of the demo: random by default, and shown or written to a file once.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use tillgate_domain::Secret;

use super::accounts::DemoAccount;
use crate::command::CommandError;
use crate::ids::IdSource;

/// How the passwords are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PasswordDelivery {
    /// The operator chose one password for all accounts.
    Chosen,
    /// Shown once on the terminal.
    Terminal,
    /// Written to a file, because standard output is not a terminal and may go to a log.
    File,
}

/// A demo account with its password.
pub(super) type DemoCredential = (DemoAccount, Secret<String>);

/// Letters and digits that are not easily confused; 32 of them, 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Generates a password of 80 random bits, such as `k3xp-9avt-...`.
pub(super) fn generate_password(ids: &IdSource) -> Result<Secret<String>, CommandError> {
    let bytes = ids.random_bytes::<16>()?;
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('a', char::from);
    let groups: Vec<String> = bytes.chunks(4).map(|group| group.iter().map(letter).collect()).collect();
    Ok(Secret::new(groups.join("-")))
}

/// The path of the password file in the data folder.
pub(super) fn password_file(data: &Path) -> PathBuf {
    data.join("demo-passwords.txt")
}

/// Writes `name: password` lines, readable by the owner alone. With `unfinished`, lines of other
/// accounts are kept; otherwise the file is replaced.
pub(super) fn write_passwords(data: &Path, passwords: &[DemoCredential], unfinished: bool) -> Result<(), CommandError> {
    let path = password_file(data);
    let failed = |error: std::io::Error| CommandError::failed(format!("{}: {error}", path.display()));
    let mut text = Secret::new(String::new());
    match std::fs::read_to_string(&path).map(Secret::new) {
        Ok(before) if unfinished => {
            let is_replaced =
                |line: &&str| passwords.iter().any(|(account, _)| line.starts_with(&format!("{}: ", account.name)));
            let kept = before.expose().lines().filter(|line| !is_replaced(line)).map(|line| format!("{line}\n"));
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

/// Reads the password file, if there is one.
pub(super) fn read_passwords(data: &Path) -> Result<BTreeMap<String, Secret<String>>, CommandError> {
    let path = password_file(data);
    match std::fs::read_to_string(&path).map(Secret::new) {
        Ok(text) => {
            let pairs = text.expose().lines().filter_map(|line| line.split_once(": "));
            Ok(pairs.map(|(name, password)| (name.to_owned(), Secret::new(password.to_owned()))).collect())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(CommandError::failed(format!("{}: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use tillgate_testkit::TestFolder;

    use super::*;
    use crate::command::demo::accounts::{ShopSize, list_accounts};

    #[test]
    fn random_passwords_pass_the_policy_and_differ() {
        let ids = IdSource::default();
        let (one, other) = (generate_password(&ids).unwrap(), generate_password(&ids).unwrap());
        assert_eq!(one.expose().len(), 19);
        assert!(tillgate_auth_core::passwords::check_default_policy(one.expose()).is_ok());
        assert_ne!(one, other);
    }

    #[test]
    fn password_file_is_private_and_continues_an_unfinished_demo() {
        let folder = TestFolder::new();
        std::fs::write(password_file(&folder), "left over from another database\n").unwrap();
        let known = |index: usize| (list_accounts(ShopSize::Small)[index], Secret::new("secret".to_owned()));
        write_passwords(&folder, &[known(0), known(6)], false).unwrap();
        let other = (list_accounts(ShopSize::Small)[6], Secret::new("another".to_owned()));
        write_passwords(&folder, &[other], true).unwrap();
        assert_eq!(std::fs::read_to_string(password_file(&folder)).unwrap(), "P01: secret\ncashier: another\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(password_file(&folder)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
