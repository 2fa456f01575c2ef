//! The text of an error that a file cannot be opened: its owner, and what to do.

use std::io::{Error, ErrorKind};
use std::path::Path;

/// The reason why a file cannot be opened. If this process lacks a permission on a file or folder
/// of another user, the text names both users and the remedy.
pub(crate) fn describe_open_error(path: &Path, error: &Error) -> String {
    match foreign_owner_text(path).filter(|_| error.kind() == ErrorKind::PermissionDenied) {
        Some(text) => format!("{error}: {text}"),
        None => error.to_string(),
    }
}

/// The owner of a file, or of the nearest folder above that this process can find, if that is
/// another user, with what to do; `None` if it belongs to the user of this process.
#[cfg(unix)]
pub(crate) fn foreign_owner_text(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    use crate::shell::describe_user;

    // if a folder cannot be searched, its owner is known
    let found = path.ancestors().find_map(|each| Some((each, std::fs::metadata(each).ok()?)));
    let (found_path, owner) = found.map(|(each, found)| (each, found.uid()))?;
    let user = rustix::process::geteuid().as_raw();
    if owner == user {
        return None;
    }
    let is_folder = found_path != path || found_path.is_dir();
    // to change the owner or the mode of a folder would affect all files in it
    let (what, remedy) = if is_folder {
        (format!("the folder {}", found_path.display()), "move the file to a folder that this user can open".to_owned())
    } else {
        (
            "the file".to_owned(),
            format!("give this user access: chown {user} {}, or chgrp and chmod 640", path.display()),
        )
    };
    Some(format!(
        "{what} belongs to {}, but this process runs as {}; run the command as the user of the server (sudo -u), or \
         {remedy}",
        describe_user(owner),
        describe_user(user),
    ))
}

/// Always `None`: files have no numbered owner on this system.
#[cfg(not(unix))]
pub(crate) fn foreign_owner_text(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_permission_is_explained() {
        let denied = Error::from(ErrorKind::PermissionDenied);
        let own = std::env::temp_dir().join(format!("tillgate-own-{}", std::process::id()));
        std::fs::write(&own, "").unwrap();
        assert_eq!(describe_open_error(&own, &denied), denied.to_string());
        std::fs::remove_file(&own).unwrap();
        let missing = Error::from(ErrorKind::NotFound);
        assert_eq!(describe_open_error(Path::new("/proc/1/mem"), &missing), missing.to_string());
    }

    #[test]
    fn file_of_another_user_names_both_users_and_the_remedy() {
        let path = std::env::temp_dir().join(format!("tillgate-foreign-{}", std::process::id()));
        std::fs::write(&path, "").unwrap();
        // only root can give a file away; another user tests with a file of root
        let path = match std::os::unix::fs::chown(&path, Some(65_534), None) {
            Ok(()) => path,
            Err(_) => "/etc/passwd".into(),
        };
        let text = describe_open_error(&path, &Error::from(ErrorKind::PermissionDenied));
        let user = rustix::process::geteuid().as_raw();
        assert!(text.contains("the file belongs to ") && text.contains("but this process runs as "), "{text}");
        assert!(text.contains(&format!("chown {user} {}", path.display())), "{text}");
        let folder = describe_open_error(path.parent().unwrap(), &Error::from(ErrorKind::PermissionDenied));
        assert!(!folder.contains("chown"), "{folder}");
        if path.starts_with(std::env::temp_dir()) {
            std::fs::remove_file(&path).unwrap();
        }
    }
}
