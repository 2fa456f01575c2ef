//! The user under which tests run programs without the rights of root.

use std::path::Path;
use std::process::Command;

/// The id of the user `nobody` and of its group.
const NOBODY: u32 = 65_534;

/// A command that runs as the user `nobody` if the tests run as root, which requires `setpriv`, and
/// otherwise as the user of the tests.
pub fn unprivileged_command(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let id = NOBODY.to_string();
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]).arg(program);
    command
}

/// Makes the user of [`unprivileged_command`] the owner of the path.
///
/// # Errors
///
/// The owner cannot be changed.
#[cfg(unix)]
pub fn give_to_unprivileged_user(path: &Path) -> std::io::Result<()> {
    if is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY))?;
    }
    Ok(())
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    #[cfg(unix)]
    return std::fs::metadata("/proc/self").is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0);
    #[cfg(not(unix))]
    return false;
}
