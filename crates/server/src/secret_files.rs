//! Whether other users of this machine can read the files with secrets that settings name. The
//! master key in the data folder is checked in `master_key`.

use std::path::Path;

use crate::configuration::{SecretFile, Settings};

/// The folder in which container engines mount secrets. Their permissions in the container differ
/// from those on the host, and often allow everybody to read.
const CONTAINER_SECRETS: &str = "/run/secrets";

/// The files with secrets that settings name.
pub(crate) fn list_secret_files(settings: &Settings) -> Vec<SecretFile> {
    let tls_key = settings.server.tls_key.clone();
    let tls_key = tls_key.map(|path| SecretFile { key: "server.tls_key".to_owned(), path });
    settings.secret_files.iter().cloned().chain(tls_key).collect()
}

/// Whether other users of this machine can read the file.
pub(crate) fn can_others_read(file: &SecretFile) -> bool {
    !file.path.starts_with(CONTAINER_SECRETS) && is_open(&file.path)
}

/// Whether the mode of the file gives other users access. That of a group counts only if the file
/// belongs to the user of this process: otherwise the process may read the file as a member of the
/// group.
#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid();
    std::fs::metadata(path).is_ok_and(|found| {
        let is_own = !user.is_root() && found.uid() == user.as_raw();
        found.mode() & 0o007 != 0 || (is_own && found.mode() & 0o070 != 0)
    })
}

/// Always false: files have no mode on this system.
#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}

/// Logs a warning for each file that other users of the machine can read.
pub(crate) fn warn_if_open(settings: &Settings) {
    for file in list_secret_files(settings).iter().filter(|file| can_others_read(file)) {
        let (setting, file) = (&file.key, file.path.display());
        tracing::warn!(setting, %file, "other users of this machine can read a secret: chmod 600 the file");
    }
}
