//! Checks on the database: whether it opens, is durable, writable and up to date, and on the clock,
//! keys, users and tenants that it contains.

use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::ports::{AuthPorts, NodeAcknowledgment};
use tillgate_domain::office::UserCount;
use tillgate_domain::{Instant, Store, StoreExt, office};
use tillgate_persistence::{Address, Database};

use crate::command::doctor::finding::Finding;
use crate::command::{CommandError, confirmation::count_text, json::format_instant};
use crate::configuration::Settings;
use crate::ids::IdSource;
use crate::{composition, shell, ungranted_rights, unknown_tenants};

pub(super) fn open_database(settings: &Settings) -> Result<Arc<Database>, Finding> {
    const CHECK: &str = "database";
    let bad = |error: CommandError, remedy: &str| Finding::problem(CHECK, error.to_string(), remedy);
    match composition::database_address(settings).map_err(|stop| bad(stop, "correct database.url"))? {
        Address::Sqlite(path) if !path.exists() => Err(Finding::problem(
            CHECK,
            format!("there is no database at {}", path.display()),
            "mount its volume or set its folder with --data; for a new installation, create it once",
        )
        .with_command(settings, "init")),
        Address::Sqlite(_) => composition::open_database(settings).map_err(|stop| {
            bad(stop, "check the owner and mode of the file and its disk; restore a damaged file from its backup")
        }),
        Address::Postgres(_) => composition::open_database(settings).map_err(|stop| match stop {
            CommandError::Usage(_) => bad(stop, "correct database.url"),
            _ => bad(stop, "check the address, pg_hba.conf and the log of the PostgreSQL server"),
        }),
    }
}

/// Whether committed data survives a crash of the database's machine.
pub(super) fn check_durability(database: &Database) -> Finding {
    const CHECK: &str = "durability";
    match database.unsafe_settings() {
        Ok(off) if off.is_empty() => Finding::ok(CHECK, "commits are written to disk"),
        Ok(off) => Finding::problem(
            CHECK,
            format!(
                "PostgreSQL runs with {} = off: a crash of its machine loses or damages data",
                off.join(" = off, ")
            ),
            "enable it in postgresql.conf and restart PostgreSQL",
        ),
        Err(error) => Finding::problem(CHECK, error.to_string(), "see the check \"database\""),
    }
}

pub(super) fn check_migrations(settings: &Settings, database: &Database) -> Finding {
    const CHECK: &str = "migrations";
    match database.pending_migrations() {
        Ok(pending) if pending.is_empty() => Finding::ok(CHECK, "up to date"),
        Ok(_) if !database.has_tables().unwrap_or(true) => {
            Finding::problem(CHECK, "the database is empty", "for a new installation, create its tables once with")
                .with_command(settings, "init")
        }
        Ok(pending) => Finding::problem(CHECK, format!("missing: {}", pending.join(", ")), "start the server, or run")
            .with_command(settings, "migrate"),
        Err(error) => {
            Finding::problem(CHECK, error.to_string(), "use a tillgate version at least as new as the database")
        }
    }
}

/// Whether the database accepts writes; `None` if it has no tables yet.
pub(super) fn check_writes(database: &Database) -> Option<Finding> {
    const CHECK: &str = "writes";
    if !database.has_tables().unwrap_or_default() {
        return None;
    }
    Some(match database.try_write() {
        Ok(()) => Finding::ok(CHECK, "the database accepts writes"),
        Err(error) => Finding::problem(
            CHECK,
            error.to_string(),
            "check the disk, the owner of the database file, whether the database is a standby, and \
             default_transaction_read_only",
        ),
    })
}

/// Whether the tenants that the configuration mentions exist.
pub(super) fn check_tenants(settings: &Settings, database: &Database) -> Finding {
    const CHECK: &str = "mounts";
    match unknown_tenants::find_unknown_tenants(settings, database) {
        Ok(found) if found.is_empty() => {
            Finding::ok(CHECK, format!("{}, each for tenants that exist", settings.mounts.len()))
        }
        Ok(found) => Finding::problem(CHECK, found.join("; "), "correct the name, or add the tenant with")
            .with_command(settings, "tenant add SLUG"),
        Err(error) => Finding::problem(CHECK, error.to_string(), "see the check \"database\""),
    }
}

/// Whether roles have the custom rights that rows of the access table require; `None` without rows.
pub(super) fn check_access_rights(settings: &Settings, database: &Database) -> Option<Finding> {
    const CHECK: &str = "access";
    if settings.access.is_empty() {
        return None;
    }
    Some(match ungranted_rights::find_ungranted_rights(settings, database) {
        Ok(found) if found.is_empty() => {
            let rows = count_text(settings.access.len(), "row");
            Finding::ok(CHECK, format!("{rows} of the access table; roles have the rights that they require"))
        }
        Ok(found) => Finding::problem(
            CHECK,
            found.join("; "),
            "correct the name in the configuration, or give the right to a role: --new-right of role add and role set",
        ),
        Err(error) => Finding::problem(CHECK, error.to_string(), "see the check \"database\""),
    })
}

/// The age of a heartbeat up to which a server is shown.
const MAX_HEARTBEAT_AGE: Duration = Duration::from_mins(1);

/// The servers that have not stopped in good order within the last minute: the short name that
/// clients see, and the machine and number of the process. One that was killed stays for a minute.
pub(super) fn list_processes(database: &Database) -> Finding {
    const CHECK: &str = "processes";
    let store: &dyn Store<AuthPorts> = database;
    let now = IdSource::default().now();
    let since = now.saturating_sub(MAX_HEARTBEAT_AGE);
    let found = store.read("doctor", |tx| Ok((tx.nodes().list_acknowledgments(since)?, tx.nodes().list_live(since)?)));
    match found {
        Err(error) => Finding::problem(CHECK, error.to_string(), "see the check \"database\""),
        Ok((processes, _)) if processes.is_empty() => Finding::ok(CHECK, "no server is running"),
        Ok((processes, heartbeats)) => {
            let describe = |process: &NodeAcknowledgment| {
                let seen_at = heartbeats.iter().find(|node| node.id == process.id).map(|node| node.seen_at);
                describe_process(process, seen_at.map_or(Duration::ZERO, |seen_at| now.duration_since(seen_at)))
            };
            Finding::ok(CHECK, processes.iter().map(describe).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A server whose last heartbeat is that old.
fn describe_process(process: &NodeAcknowledgment, heartbeat_age: Duration) -> String {
    let (short_name, name) = (process.id.short_name(), &process.name);
    let seconds = heartbeat_age.as_secs();
    if shell::may_be_running(name) {
        format!("{short_name} is {name} (heartbeat {seconds} s ago)")
    } else {
        format!("{short_name} was {name} (heartbeat {seconds} s ago; this machine has no such process any more)")
    }
}

/// How far the newest time in the database may be ahead of the clock.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(1);

pub(super) fn check_clock(settings: &Settings, database: &Database) -> Finding {
    let store: &dyn Store<AuthPorts> = database;
    match store.read("doctor", |tx| tx.instances().newest_instant()) {
        Err(error) => Finding::problem("clock", error.to_string(), "see the check \"database\""),
        Ok(newest) => clock_finding(newest, IdSource::default().now()).with_command(settings, "doctor --accept-clock"),
    }
}

fn clock_finding(newest: Option<Instant>, now: Instant) -> Finding {
    const CHECK: &str = "clock";
    match newest {
        Some(newest) if newest.duration_since(now) > CLOCK_TOLERANCE => Finding::problem(
            CHECK,
            format!(
                "this machine's clock is at {}, but the database contains the time {}",
                format_instant(now),
                format_instant(newest)
            ),
            "set the machine's clock (timedatectl, chrony); if the clock is right and the database is not, run",
        ),
        _ => Finding::ok(CHECK, format_instant(now)),
    }
}

pub(super) fn check_keys(settings: &Settings, database: &Arc<Database>) -> Finding {
    const CHECK: &str = "keys";
    match composition::build_command_engine(settings, database)
        .and_then(|auth| auth.list_keys().map_err(CommandError::failed))
    {
        Ok(keys) => Finding::ok(CHECK, format!("{} in the database; the master key decrypts them", keys.len())),
        Err(stop) => {
            let remedy = "use the master key with which the database was created; if it is lost, follow \"A lost master \
                          key\" in docs/backup.md";
            Finding::problem(CHECK, stop.to_string(), remedy)
        }
    }
}

pub(super) fn check_users(settings: &Settings, database: &Database) -> Finding {
    match office::unguarded::count_users(database) {
        Ok(counts) => users_finding(settings, &counts),
        Err(error) => Finding::problem("users", error.to_string(), "see the check \"database\""),
    }
}

/// The maximum number of tenants without an administrator that are named.
const MAX_NAMED_TENANTS: usize = 3;

fn users_finding(settings: &Settings, counts: &[UserCount]) -> Finding {
    const CHECK: &str = "users";
    let users: u64 = counts.iter().map(|count| count.users).sum();
    let admins: u64 = counts.iter().map(|count| count.active_admins).sum();
    if users == 0 {
        let add = settings.command("user add admin --role admin");
        return Finding::ok(CHECK, format!("there is no user yet; create the first admin: {add}"));
    }
    let without: Vec<&UserCount> = counts.iter().filter(|count| count.users > 0 && count.active_admins == 0).collect();
    let Some(first) = without.first() else { return Finding::ok(CHECK, user_count_text(users, admins)) };
    let mut named: Vec<String> =
        without.iter().take(MAX_NAMED_TENANTS).map(|count| format!("\"{}\"", count.tenant)).collect();
    if without.len() > MAX_NAMED_TENANTS {
        named.push(format!("{} more", without.len() - MAX_NAMED_TENANTS));
    }
    let found = format!("{}; no active administrator in tenant {}", user_count_text(users, admins), named.join(", "));
    let tenant = if first.tenant.as_str() == "default" { String::new() } else { format!(" --tenant {}", first.tenant) };
    Finding::problem(CHECK, found, "activate one with user status, or create one")
        .with_command(settings, &format!("user add NAME --role admin{tenant}"))
}

fn user_count_text(users: u64, admins: u64) -> String {
    let users = if users == 1 { "1 user".to_owned() } else { format!("{users} users") };
    match admins {
        0 => users,
        1 => format!("{users}, 1 active administrator"),
        _ => format!("{users}, {admins} active administrators"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Instant = Instant::from_millis(1_800_014_400_000);

    #[test]
    fn clock_behind_the_newest_instant_is_reported() {
        assert!(clock_finding(None, NOON).is_ok());
        assert!(clock_finding(Some(NOON.saturating_sub(Duration::from_hours(9))), NOON).is_ok());
        assert!(clock_finding(Some(NOON.saturating_add(CLOCK_TOLERANCE)), NOON).is_ok());
        let ahead = clock_finding(Some(NOON.saturating_add(CLOCK_TOLERANCE + Duration::from_millis(1))), NOON);
        assert!(!ahead.is_ok());
    }

    #[test]
    fn users_are_counted_and_a_tenant_without_admin_is_reported() {
        let settings = crate::configuration::load_settings(&crate::configuration::Flags::default(), &[]).unwrap();
        let count = |tenant: &str, users, active_admins| UserCount {
            tenant: tillgate_domain::Slug::parse(tenant).unwrap(),
            users,
            active_admins,
        };
        let line = |counts: &[UserCount]| users_finding(&settings, counts).to_line();
        assert!(line(&[count("default", 0, 0)]).starts_with("ok    users: there is no user yet"));
        assert_eq!(line(&[count("default", 203, 1)]), "ok    users: 203 users, 1 active administrator");
        let two = line(&[count("default", 3, 1), count("bakery", 2, 1), count("empty", 0, 0)]);
        assert_eq!(two, "ok    users: 5 users, 2 active administrators");
        let none = line(&[count("default", 1, 0)]);
        assert!(none.starts_with("FIX   users: 1 user; no active administrator in tenant "), "{none}");
        assert!(none.contains("tillgate user add NAME --role admin") && !none.contains("--tenant"), "{none}");
        let names = ["a1", "a2", "a3", "a4", "a5"].map(|name| count(name, 1, 0));
        let many = line(&names);
        assert!(many.contains("in tenant \"a1\", \"a2\", \"a3\", 2 more") && many.contains("--tenant a1"), "{many}");
    }
}
