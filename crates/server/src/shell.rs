//! Identifies the operating-system user who runs a command, for the audit log, and the process of a
//! server, for the operator.

/// The operating-system user and the machine, such as `tillgate@pos-1`, with the user who called
/// `sudo`: `root@pos-1 (anna)`.
pub(crate) fn shell_user() -> String {
    let user = whoami::username().unwrap_or_else(|_| "unknown".to_owned());
    let machine = whoami::hostname().unwrap_or_else(|_| "unknown".to_owned());
    match std::env::var("SUDO_USER") {
        Ok(caller) if !caller.is_empty() && caller != user => format!("{user}@{machine} ({caller})"),
        _ => format!("{user}@{machine}"),
    }
}

/// The machine and the number of this process, such as `pos-1:4711`.
pub(crate) fn process_name() -> String {
    let machine = whoami::hostname().unwrap_or_else(|_| "unknown".to_owned());
    format!("{machine}:{}", std::process::id())
}
