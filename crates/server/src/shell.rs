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

/// Whether the process with this [`process_name`] may still be running. Only false if it is known
/// not to be: if it was on this machine, and the machine has no process of that number.
pub(crate) fn may_be_running(process_name: &str) -> bool {
    let Ok(machine) = whoami::hostname() else { return true };
    let own = process_name.strip_prefix(machine.as_str()).and_then(|rest| rest.strip_prefix(':'));
    let Some(number) = own.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit())) else { return true };
    // Linux; this process can only see others if it is in the same process namespace
    let processes = std::path::Path::new("/proc");
    !processes.join("self").exists() || processes.join(number).exists()
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

    #[test]
    #[cfg(target_os = "linux")]
    fn only_a_process_of_this_machine_is_known_not_to_run() {
        let own = process_name();
        let machine = own.rsplit_once(':').unwrap().0;
        // above the greatest number of a process (/proc/sys/kernel/pid_max)
        let ended = format!("{machine}:4194305");
        for (name, running) in [(own.as_str(), true), (&ended, false), ("elsewhere:4194305", true), (machine, true)] {
            assert_eq!(may_be_running(name), running, "{name}");
        }
    }
}
