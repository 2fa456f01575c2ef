//! Who runs a command in a shell of the server's machine, for the audit.

/// The user of the operating system and the machine, such as `tillgate@pos-1`, with who called `sudo` for it: `root@pos-1 (anna)`.
pub(crate) fn shell_user() -> String {
    let user = whoami::username().unwrap_or_else(|_| "unknown".to_owned());
    let machine = whoami::hostname().unwrap_or_else(|_| "unknown".to_owned());
    match std::env::var("SUDO_USER") {
        Ok(caller) if !caller.is_empty() && caller != user => format!("{user}@{machine} ({caller})"),
        _ => format!("{user}@{machine}"),
    }
}
