//! The master key: a setting, or a file in the data folder that only its owner can read. The file
//! is created once, for a database that has no keys yet, and never replaced by another. After it
//! was lost, it is set aside for a new one.

use std::io::Write;
use std::path::{Path, PathBuf};

use tillgate_auth_core::entropy::Entropy;
use tillgate_auth_core::keys::{self, InvalidMasterKey, MasterKey};
use tillgate_auth_core::ports::StoredKey;
use tillgate_auth_core::system::SystemEntropy;
use tillgate_domain::{Instant, Secret};

use crate::command::CommandError;
use crate::configuration::Settings;
use crate::file_access::describe_open_error;

/// The source of the master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MasterKeySource {
    /// The setting `keys.master`.
    Setting,
    /// A file in the data folder.
    File(PathBuf),
}

/// The configured source of the master key.
pub(crate) fn master_key_source(settings: &Settings) -> MasterKeySource {
    match settings.keys.master {
        Some(_) => MasterKeySource::Setting,
        None => MasterKeySource::File(settings.server.data.join("master.key")),
    }
}

/// Reads the master key; `None` if there is no file.
pub(crate) fn find_master_key(settings: &Settings) -> Result<Option<MasterKey>, CommandError> {
    if let Some(text) = &settings.keys.master {
        return MasterKey::parse(text.expose())
            .map(Some)
            .map_err(|why| CommandError::usage(format!("keys.master: {why}")));
    }
    let MasterKeySource::File(path) = master_key_source(settings) else { return Ok(None) };
    let Some(text) = read_key_file(&path)? else { return Ok(None) };
    parse_key_file(&text).map(Some).map_err(|why| CommandError::failed(format!("{}: {why}", path.display())))
}

/// Whether the master key opens any of these keys. A missing file or one that contains no key opens
/// none; a file that cannot be read is an error.
pub(crate) fn opens_any_key(settings: &Settings, stored: &[StoredKey]) -> Result<bool, CommandError> {
    let master = match master_key_source(settings) {
        MasterKeySource::Setting => find_master_key(settings)?,
        MasterKeySource::File(path) => read_key_file(&path)?.and_then(|text| parse_key_file(&text).ok()),
    };
    Ok(master.is_some_and(|master| keys::opens_any_key(stored, &master)))
}

/// Reads a key file; `None` if there is none.
fn read_key_file(path: &Path) -> Result<Option<Secret<Vec<u8>>>, CommandError> {
    match std::fs::read(path) {
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CommandError::failed(format!("{}: {}", path.display(), describe_open_error(path, &error)))),
    }
}

fn parse_key_file(text: &Secret<Vec<u8>>) -> Result<MasterKey, InvalidMasterKey> {
    std::str::from_utf8(text.expose()).map_err(|_| InvalidMasterKey).and_then(MasterKey::parse)
}

/// Renames the key file, if there is one, so that a new one can be created. Returns its new name.
pub(crate) fn set_key_file_aside(settings: &Settings, now: Instant) -> Result<Option<PathBuf>, CommandError> {
    let MasterKeySource::File(path) = master_key_source(settings) else { return Ok(None) };
    let aside = path.with_extension(format!("key.before-{}", now.millis()));
    match std::fs::rename(&path, &aside) {
        Ok(()) => Ok(Some(aside)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CommandError::failed(format!("{}: {error}", path.display()))),
    }
}

/// Reads the master key, or creates it if there is none and the database has no keys that another
/// one encrypts (`keyless`).
pub(crate) fn find_or_create_master_key(settings: &Settings, keyless: bool) -> Result<MasterKey, CommandError> {
    match (find_master_key(settings)?, master_key_source(settings)) {
        (Some(key), _) => Ok(key),
        (None, MasterKeySource::File(path)) if keyless => {
            create_key_file(&path)?;
            find_master_key(settings)?
                .ok_or_else(|| CommandError::failed(format!("{} was removed while the server started", path.display())))
        }
        (None, _) => Err(CommandError::failed(missing_key_text(settings))),
    }
}

/// Whether users other than the owner have any access to a file or folder.
#[cfg(unix)]
pub(crate) fn is_readable_by_others(found: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 != 0
}

/// Always false: files have no mode on this system.
#[cfg(not(unix))]
pub(crate) fn is_readable_by_others(_: &std::fs::Metadata) -> bool {
    false
}

/// Logs a warning if other users of the machine can read the master key.
pub(crate) fn warn_if_open(settings: &Settings) {
    let MasterKeySource::File(path) = master_key_source(settings) else { return };
    if std::fs::metadata(&path).is_ok_and(|found| is_readable_by_others(&found)) {
        let key = path.display();
        tracing::warn!(%key, "other users of this machine can read the master key: chmod 600 the file");
    }
}

/// The error if the database has keys and the master key is missing.
pub(crate) fn missing_key_text(settings: &Settings) -> String {
    match master_key_source(settings) {
        MasterKeySource::Setting => "keys.master is empty".to_owned(),
        MasterKeySource::File(path) => format!(
            "{} is missing, but it is required to decrypt the keys in the database: restore it from its backup, or \
             set keys.master",
            path.display()
        ),
    }
}

/// Creates a key file atomically: if two processes start at once, one of them creates it and both
/// read the same key.
fn create_key_file(path: &Path) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::failed(format!("{}: {}", path.display(), describe_open_error(path, &error)))
    };
    let entropy: &dyn Entropy = &SystemEntropy::new();
    let key = MasterKey::generate(entropy).map_err(CommandError::failed)?;
    // not the process id, which may be 1 in two containers over one folder
    let draft = path.with_extension(format!(
        "draft-{:016x}",
        u64::from_be_bytes(entropy.random_bytes().map_err(CommandError::failed)?)
    ));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        writeln!(file, "{}", key.encode().expose())?;
        file.sync_all()
    });
    let placed = written.and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        placed => placed,
    });
    let removed = std::fs::remove_file(&draft);
    placed.and(removed).map_err(failed)?;
    // the folder entry has to survive a power failure, as the database that depends on the key does
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tillgate_testkit::TestFolder;

    use super::*;
    use crate::configuration::{Flags, load_settings};

    fn settings_in(folder: &TestFolder) -> Settings {
        load_settings(&Flags { data: Some(folder.to_path_buf()), ..Flags::default() }, &[]).unwrap()
    }

    #[test]
    fn master_key_is_created_once_and_only_for_a_keyless_store() {
        let folder = TestFolder::new();
        let settings = settings_in(&folder);
        assert!(find_master_key(&settings).unwrap().is_none());
        let refused = find_or_create_master_key(&settings, false).unwrap_err().to_string();
        assert!(refused.contains("master.key") && refused.contains("keys.master"), "{refused}");
        assert!(find_master_key(&settings).unwrap().is_none());
        let made = find_or_create_master_key(&settings, true).unwrap();
        assert_eq!(find_or_create_master_key(&settings, true).unwrap().encode(), made.encode());
        assert_eq!(find_or_create_master_key(&settings, false).unwrap().encode(), made.encode());
        assert_eq!(std::fs::read_dir(&settings.server.data).unwrap().count(), 1, "no draft stays behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(settings.server.data.join("master.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn concurrent_starts_get_the_same_key() {
        let folder = TestFolder::new();
        let settings = settings_in(&folder);
        let keys: Vec<_> = std::thread::scope(|scope| {
            let started: Vec<_> =
                (0..8).map(|_| scope.spawn(|| find_or_create_master_key(&settings, true).unwrap().encode())).collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn invalid_key_file_is_not_replaced() {
        let folder = TestFolder::new();
        let settings = settings_in(&folder);
        let path = settings.server.data.join("master.key");
        std::fs::write(&path, "not a key").unwrap();
        let refused = find_or_create_master_key(&settings, true).unwrap_err().to_string();
        assert!(refused.contains("restore it from its backup; create one with"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a key");
    }
}
