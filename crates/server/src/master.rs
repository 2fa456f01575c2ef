//! The master key: given by a setting, else a file in the data folder that only its owner reads, made once.

use std::io::Write;
use std::path::{Path, PathBuf};

use tillgate_auth_core::entropy::Entropy;
use tillgate_auth_core::keys::MasterKey;
use tillgate_auth_core::system::SystemEntropy;

use crate::command::Stop;
use crate::configuration::Settings;

/// Where the master key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A setting.
    Given,
    /// A file.
    File(PathBuf),
}

/// Where these settings say that the master key is.
pub(crate) fn place(settings: &Settings) -> Place {
    match settings.keys.master {
        Some(_) => Place::Given,
        None => Place::File(settings.server.data.join("master.key")),
    }
}

/// The master key that there is; `None` where there is no file.
pub(crate) fn find(settings: &Settings) -> Result<Option<MasterKey>, Stop> {
    if let Some(text) = &settings.keys.master {
        return MasterKey::parse(text.expose()).map(Some).map_err(|why| Stop::usage(format!("keys.master: {why}")));
    }
    let Place::File(path) = place(settings) else { return Ok(None) };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let key = MasterKey::parse(&text).map_err(|why| Stop::failed(format!("{}: {why}", path.display())));
            drop(tillgate_domain::Secret::new(text));
            key.map(Some)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Stop::failed(format!("{}: {error}", path.display()))),
    }
}

/// The master key, made where there is none and `keyless` says that the store has no key that another one has wrapped.
pub(crate) fn find_or_make(settings: &Settings, keyless: bool) -> Result<MasterKey, Stop> {
    match (find(settings)?, place(settings)) {
        (Some(key), _) => Ok(key),
        (None, Place::File(path)) if keyless => {
            make(&path)?;
            find(settings)?.ok_or_else(|| Stop::failed(format!("{} is gone again", path.display())))
        }
        (None, _) => Err(Stop::failed(missing(settings))),
    }
}

/// Whether others of this machine than its owner may do anything with a file or a folder.
#[cfg(unix)]
pub(crate) fn others_may(found: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 != 0
}

/// Never, where files have no modes.
#[cfg(not(unix))]
pub(crate) fn others_may(_: &std::fs::Metadata) -> bool {
    false
}

/// Warns of a master key that others of this machine may read.
pub(crate) fn warn_if_open(settings: &Settings) {
    let Place::File(path) = place(settings) else { return };
    if std::fs::metadata(&path).is_ok_and(|found| others_may(&found)) {
        let key = path.display();
        tracing::warn!(%key, "the master key can be read by other users of this machine: chmod 600 the file");
    }
}

/// What to say where the store has keys and nobody has the master key.
pub(crate) fn missing(settings: &Settings) -> String {
    match place(settings) {
        Place::Given => "keys.master is empty".to_owned(),
        Place::File(path) => format!(
            "{} is missing, but the database has keys that only it opens: put it back from its backup, or give the key as keys.master",
            path.display()
        ),
    }
}

/// Writes a new key whole under another name first: of two processes that start at once one makes it and both read the same.
fn make(path: &Path) -> Result<(), Stop> {
    let failed = |error: std::io::Error| Stop::failed(format!("{}: {error}", path.display()));
    let entropy: &dyn Entropy = &SystemEntropy::new();
    let key = MasterKey::draw(entropy).map_err(Stop::failed)?;
    // no process id: two containers over one folder are both number 1
    let draft =
        path.with_extension(format!("draft-{:016x}", u64::from_be_bytes(entropy.draw().map_err(Stop::failed)?)));
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
    // the name of the file has to survive a power cut as the database does that its key opens
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Flags, load};

    fn settings(name: &str) -> Settings {
        let data = std::env::temp_dir().join(format!("tillgate-master-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data).unwrap();
        load(&Flags { data: Some(data), ..Flags::default() }, &[]).unwrap()
    }

    #[test]
    fn it_is_made_once_and_only_where_the_store_has_no_key() {
        let settings = settings("once");
        assert!(find(&settings).unwrap().is_none());
        let refused = find_or_make(&settings, false).unwrap_err().to_string();
        assert!(refused.contains("master.key") && refused.contains("keys.master"), "{refused}");
        assert!(find(&settings).unwrap().is_none());
        let made = find_or_make(&settings, true).unwrap();
        assert_eq!(find_or_make(&settings, true).unwrap().encode(), made.encode());
        assert_eq!(find_or_make(&settings, false).unwrap().encode(), made.encode());
        assert_eq!(std::fs::read_dir(&settings.server.data).unwrap().count(), 1, "no draft stays behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(settings.server.data.join("master.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::remove_dir_all(&settings.server.data).unwrap();
    }

    #[test]
    fn those_who_start_at_once_all_have_the_same() {
        let settings = settings("race");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let started: Vec<_> =
                (0..8).map(|_| scope.spawn(|| find_or_make(&settings, true).unwrap().encode())).collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        std::fs::remove_dir_all(&settings.server.data).unwrap();
    }

    #[test]
    fn what_is_no_key_is_not_replaced() {
        let settings = settings("damaged");
        let path = settings.server.data.join("master.key");
        std::fs::write(&path, "not a key").unwrap();
        assert!(find_or_make(&settings, true).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a key");
        std::fs::remove_dir_all(&settings.server.data).unwrap();
    }
}
