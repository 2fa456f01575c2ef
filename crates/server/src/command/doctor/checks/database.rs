//! What is looked at in the database: whether it opens and is up to date, what it has seen of the time, its keys and its users.

use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::ports::AuthView;
use tillgate_domain::office::UserCount;
use tillgate_domain::{Instant, Store, StoreExt, office};
use tillgate_persistence::{Address, Database};

use crate::command::doctor::finding::Finding;
use crate::command::{Stop, show::instant};
use crate::configuration::Settings;
use crate::draw::Draw;
use crate::{compose, unknown_tenants};

pub(super) fn open(settings: &Settings) -> Result<Arc<Database>, Finding> {
    const CHECK: &str = "database";
    let bad = |stop: Stop, mend: &str| Finding::bad(CHECK, stop.to_string(), mend);
    match compose::address(settings).map_err(|stop| bad(stop, "correct database.url"))? {
        Address::Sqlite(path) if !path.exists() => Err(Finding::bad(
            CHECK,
            format!("there is none at {}", path.display()),
            "mount its volume or name its folder with --data; a new installation makes it once",
        )
        .run(settings, "init")),
        Address::Sqlite(_) => compose::open(settings).map_err(|stop| {
            bad(stop, "look at the file's owner, mode and disk; a damaged file is replaced by its backup")
        }),
        Address::Postgres(_) => compose::open(settings)
            .map_err(|stop| bad(stop, "look at the server's address, its pg_hba.conf and its log")),
    }
}

/// Whether what was committed survives a crash of the database's machine.
pub(super) fn durability(database: &Database) -> Finding {
    const CHECK: &str = "durability";
    match database.unsafe_settings() {
        Ok(off) if off.is_empty() => Finding::good(CHECK, "what is committed is on disk"),
        Ok(off) => Finding::bad(
            CHECK,
            format!(
                "PostgreSQL runs with {} = off: a crash of its machine loses or damages data",
                off.join(" = off, ")
            ),
            "turn it on in postgresql.conf and restart PostgreSQL",
        ),
        Err(error) => Finding::bad(CHECK, error.to_string(), "see database"),
    }
}

pub(super) fn migrations(settings: &Settings, database: &Database) -> Finding {
    const CHECK: &str = "migrations";
    match database.pending() {
        Ok(pending) if pending.is_empty() => Finding::good(CHECK, "up to date"),
        Ok(pending) => Finding::bad(CHECK, format!("missing: {}", pending.join(", ")), "start the server, or run")
            .run(settings, "migrate"),
        Err(error) => Finding::bad(CHECK, error.to_string(), "use a program that is as new as the database"),
    }
}

/// Whether the database takes writes; nothing of one without tables.
pub(super) fn writes(database: &Database) -> Option<Finding> {
    const CHECK: &str = "writes";
    if !database.has_tables().unwrap_or_default() {
        return None;
    }
    Some(match database.try_write() {
        Ok(()) => Finding::good(CHECK, "the database takes them"),
        Err(error) => Finding::bad(
            CHECK,
            error.to_string(),
            "look at its disk, at the owner of its file, and at whether it is a standby or default_transaction_read_only is on",
        ),
    })
}

/// Whether the tenants exist that the configuration names.
pub(super) fn tenants(settings: &Settings, database: &Database) -> Finding {
    const CHECK: &str = "mounts";
    match unknown_tenants::find(settings, database) {
        Ok(found) if found.is_empty() => {
            Finding::good(CHECK, format!("{}, each for tenants that exist", settings.mounts.len()))
        }
        Ok(found) => Finding::bad(CHECK, found.join("; "), "correct the name, or add the tenant with")
            .run(settings, "tenant add"),
        Err(error) => Finding::bad(CHECK, error.to_string(), "see database"),
    }
}

/// How far the newest instant in the store may lie ahead of the clock.
const TOLERATED: Duration = Duration::from_mins(1);

pub(super) fn clock(settings: &Settings, database: &Database) -> Finding {
    let store: &dyn Store<AuthView> = database;
    match store.read(|tx| tx.instances().newest()) {
        Err(error) => Finding::bad("clock", error.to_string(), "see database"),
        Ok(newest) => judge_clock(newest, Draw::default().now()).run(settings, "doctor --accept-clock"),
    }
}

fn judge_clock(newest: Option<Instant>, now: Instant) -> Finding {
    const CHECK: &str = "clock";
    match newest {
        Some(newest) if newest.since(now) > TOLERATED => Finding::bad(
            CHECK,
            format!("this machine says {}, but the database has seen {}", instant(now), instant(newest)),
            "set the machine's clock (timedatectl, chrony); if it is right and the database is not, run",
        ),
        _ => Finding::good(CHECK, instant(now)),
    }
}

pub(super) fn keys(settings: &Settings, database: &Arc<Database>) -> Finding {
    const CHECK: &str = "keys";
    match compose::engine_beside(settings, database).and_then(|auth| auth.keys().map_err(Stop::failed)) {
        Ok(keys) => Finding::good(CHECK, format!("{} in the database, and the master key opens them", keys.len())),
        Err(stop) => Finding::bad(CHECK, stop.to_string(), "give the master key that the database was made with"),
    }
}

pub(super) fn users(settings: &Settings, database: &Database) -> Finding {
    match office::count_users(database) {
        Ok(counts) => judge_users(settings, &counts),
        Err(error) => Finding::bad("users", error.to_string(), "see database"),
    }
}

/// How many tenants without an administrator are named.
const MAX_NAMED: usize = 3;

fn judge_users(settings: &Settings, counts: &[UserCount]) -> Finding {
    const CHECK: &str = "users";
    let users: u64 = counts.iter().map(|count| count.users).sum();
    let admins: u64 = counts.iter().map(|count| count.active_admins).sum();
    if users == 0 {
        let add = settings.command("user add admin --role admin");
        return Finding::good(CHECK, format!("there is none yet; make the first admin: {add}"));
    }
    let without: Vec<&UserCount> = counts.iter().filter(|count| count.users > 0 && count.active_admins == 0).collect();
    let Some(first) = without.first() else { return Finding::good(CHECK, number_of_users(users, admins)) };
    let mut named: Vec<String> = without.iter().take(MAX_NAMED).map(|count| format!("\"{}\"", count.tenant)).collect();
    if without.len() > MAX_NAMED {
        named.push(format!("{} more", without.len() - MAX_NAMED));
    }
    let found = format!("{}; no active administrator in tenant {}", number_of_users(users, admins), named.join(", "));
    let tenant = if first.tenant.as_str() == "default" { String::new() } else { format!(" --tenant {}", first.tenant) };
    Finding::bad(CHECK, found, "activate one with user status, or make one")
        .run(settings, &format!("user add NAME --role admin{tenant}"))
}

fn number_of_users(users: u64, admins: u64) -> String {
    let users = if users == 1 { "1 user".to_owned() } else { format!("{users} users") };
    match admins {
        0 => format!("{users}, none of them an active administrator"),
        1 => format!("{users}, 1 of them an active administrator"),
        _ => format!("{users}, {admins} of them active administrators"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Instant = Instant::from_millis(1_800_014_400_000);

    #[test]
    fn a_clock_behind_what_the_store_has_seen_is_told() {
        assert!(judge_clock(None, NOON).well());
        assert!(judge_clock(Some(NOON.before(Duration::from_hours(9))), NOON).well());
        assert!(judge_clock(Some(NOON.after(TOLERATED)), NOON).well());
        let ahead = judge_clock(Some(NOON.after(TOLERATED + Duration::from_millis(1))), NOON);
        assert!(!ahead.well());
    }

    #[test]
    fn users_are_counted_and_a_tenant_without_active_administrator_is_to_be_mended() {
        let settings = crate::configuration::load(&crate::configuration::Flags::default(), &[]).unwrap();
        let count = |tenant: &str, users, active_admins| UserCount {
            tenant: tillgate_domain::Slug::parse(tenant).unwrap(),
            users,
            active_admins,
        };
        let judge = |counts: &[UserCount]| judge_users(&settings, counts).line();
        assert!(judge(&[count("default", 0, 0)]).starts_with("ok    users: there is none yet"));
        assert_eq!(judge(&[count("default", 203, 1)]), "ok    users: 203 users, 1 of them an active administrator");
        let two = judge(&[count("default", 3, 1), count("bakery", 2, 1), count("empty", 0, 0)]);
        assert_eq!(two, "ok    users: 5 users, 2 of them active administrators");
        let none = judge(&[count("default", 1, 0)]);
        assert!(none.starts_with("MEND  users: 1 user, none of them an active administrator; "), "{none}");
        assert!(none.contains("tillgate user add NAME --role admin") && !none.contains("--tenant"), "{none}");
        let names = ["a1", "a2", "a3", "a4", "a5"].map(|name| count(name, 1, 0));
        let many = judge(&names);
        assert!(many.contains("in tenant \"a1\", \"a2\", \"a3\", 2 more") && many.contains("--tenant a1"), "{many}");
    }
}
