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

/// An operating-system user for messages: `nobody (user id 65534)`, or without the name if
/// `/etc/passwd` does not contain it.
#[cfg(unix)]
pub(crate) fn describe_user(id: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    // the name, the password, the user id and so on (passwd(5))
    let find_name = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| format!("{name} (user id {id})"))
    };
    users.lines().find_map(find_name).unwrap_or_else(|| format!("the user id {id}"))
}

/// The machine and the number of this process, such as `pos-1:4711`.
pub(crate) fn process_name() -> String {
    let machine = whoami::hostname().unwrap_or_else(|_| "unknown".to_owned());
    format!("{machine}:{}", std::process::id())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn user_is_described_by_name_if_it_has_one() {
        assert_eq!(describe_user(0), "root (user id 0)");
        assert_eq!(describe_user(4_000_000_123), "the user id 4000000123");
    }
}
