//! The checks, in the order in which one stands on another: what cannot be looked at because an earlier one failed is left out.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tillgate_auth_core::ports::AuthView;
use tillgate_domain::office::ports::Unsealed;
use tillgate_domain::office::{EventFilter, Part};
use tillgate_domain::{Action, Instant, Outcome, Store, StoreExt, Stored, office};
use tillgate_persistence::{Address, Database};

use crate::command::{Context, Stop, show::instant};
use crate::configuration::Settings;
use crate::draw::Draw;
use crate::sealing::Outside;
use crate::{compose, exposure, master, tls};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    check: &'static str,
    found: String,
    mend: Option<String>,
}

impl Finding {
    fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, found: found.into(), mend: None }
    }

    fn bad(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, found: found.into(), mend: Some(mend.into()) }
    }

    /// Whether there is nothing to mend.
    pub(super) fn well(&self) -> bool {
        self.mend.is_none()
    }

    /// For people.
    pub(super) fn line(&self) -> String {
        match &self.mend {
            None => format!("ok    {}: {}", self.check, self.found),
            Some(mend) => format!("MEND  {}: {}\n      {mend}", self.check, self.found),
        }
    }

    /// For machines.
    pub(super) fn document(&self) -> Value {
        json!({ "check": self.check, "ok": self.well(), "found": self.found, "mend": self.mend })
    }
}

/// Looks at everything.
pub(super) fn all(context: &Context) -> Vec<Finding> {
    let settings = match context.settings(|_| ()) {
        Ok(settings) => settings,
        Err(stop) => {
            return vec![Finding::bad(
                "configuration",
                stop.to_string(),
                "correct it; config/tillgate.toml shows every key",
            )];
        }
    };
    let mut findings = vec![configuration(&settings)];
    findings.push(folder(&settings.server.data));
    findings.push(master_key(&settings));
    match database(&settings) {
        Err(finding) => findings.push(finding),
        Ok(database) => {
            findings.push(Finding::good(
                "database",
                compose::address(&settings).map(|address| address.to_string()).unwrap_or_default(),
            ));
            match migrations(&database) {
                finding if !finding.well() => findings.push(finding),
                finding => {
                    findings.push(finding);
                    findings.push(clock(&database));
                    findings.push(keys(&settings, &database));
                    findings.push(history(&database));
                    findings.push(audit(&settings, &database));
                    findings.push(users(&database));
                }
            }
        }
    }
    findings
}

fn configuration(settings: &Settings) -> Finding {
    const CHECK: &str = "configuration";
    if let Err(exposed) = exposure::check(settings) {
        return Finding::bad(CHECK, format!("serve would refuse to start: {exposed}"), "set one of the two");
    }
    if let Err(stop) = compose::mounts(settings) {
        return Finding::bad(
            CHECK,
            format!("serve would refuse to start: {stop}"),
            "move one of the two to another prefix or host",
        );
    }
    match tls::server(settings) {
        Err(stop) => Finding::bad(
            CHECK,
            format!("TLS: {stop}"),
            "point server.tls_cert and server.tls_key at a chain and its key in PEM",
        ),
        Ok(_) => Finding::good(CHECK, format!("listens on {}", settings.server.listen)),
    }
}

fn folder(data: &Path) -> Finding {
    const CHECK: &str = "data folder";
    match std::fs::metadata(data) {
        Err(error) => Finding::bad(
            CHECK,
            format!("{}: {error}", data.display()),
            "start the server once, or name the folder with --data",
        ),
        Ok(found) if !found.is_dir() => {
            Finding::bad(CHECK, format!("{} is no folder", data.display()), "name a folder with --data")
        }
        Ok(found) if others_may(&found) => Finding::bad(
            CHECK,
            format!("{} is open to other users of this machine", data.display()),
            format!("chmod 700 '{}'", data.display()),
        ),
        Ok(_) => Finding::good(CHECK, data.display().to_string()),
    }
}

fn master_key(settings: &Settings) -> Finding {
    const CHECK: &str = "master key";
    match (master::find(settings), master::place(settings)) {
        (Err(stop), _) => Finding::bad(CHECK, stop.to_string(), "put back the key that this database was made with"),
        (Ok(None), _) => Finding::bad(
            CHECK,
            "there is none",
            "start the server once where the database is new; else put the key back from its backup",
        ),
        (Ok(Some(_)), master::Place::Given) => Finding::good(CHECK, "given by keys.master"),
        (Ok(Some(_)), master::Place::File(path)) => match std::fs::metadata(&path) {
            Ok(found) if others_may(&found) => Finding::bad(
                CHECK,
                format!("{} can be read by other users of this machine", path.display()),
                format!("chmod 600 '{}'", path.display()),
            ),
            _ => Finding::good(CHECK, path.display().to_string()),
        },
    }
}

/// Whether anybody but the owner may do anything with it.
#[cfg(unix)]
fn others_may(found: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn others_may(_: &std::fs::Metadata) -> bool {
    false
}

fn database(settings: &Settings) -> Result<Arc<Database>, Finding> {
    const CHECK: &str = "database";
    let bad = |stop: Stop, mend: &str| Finding::bad(CHECK, stop.to_string(), mend);
    match compose::address(settings).map_err(|stop| bad(stop, "correct database.url"))? {
        Address::Sqlite(path) if !path.exists() => Err(Finding::bad(
            CHECK,
            format!("there is none at {}", path.display()),
            "start the server once, or name its folder with --data",
        )),
        Address::Sqlite(_) => compose::open(settings).map_err(|stop| {
            bad(stop, "look at the file's owner, mode and disk; a damaged file is replaced by its backup")
        }),
        Address::Postgres(_) => compose::open(settings)
            .map_err(|stop| bad(stop, "look at the server's address, its pg_hba.conf and its log")),
    }
}

fn migrations(database: &Database) -> Finding {
    const CHECK: &str = "migrations";
    match database.pending() {
        Ok(pending) if pending.is_empty() => Finding::good(CHECK, "up to date"),
        Ok(pending) => {
            Finding::bad(CHECK, format!("missing: {}", pending.join(", ")), "run tillgate migrate, or start the server")
        }
        Err(error) => Finding::bad(CHECK, error.to_string(), "use a program that is as new as the database"),
    }
}

/// How far the newest instant in the store may lie ahead of the clock.
const TOLERATED: Duration = Duration::from_mins(1);

fn clock(database: &Database) -> Finding {
    let store: &dyn Store<AuthView> = database;
    match store.read(|tx| tx.instances().newest()) {
        Err(error) => Finding::bad("clock", error.to_string(), "see database"),
        Ok(newest) => judge_clock(newest, Draw::default().now()),
    }
}

fn judge_clock(newest: Option<Instant>, now: Instant) -> Finding {
    const CHECK: &str = "clock";
    match newest {
        Some(newest) if newest.since(now) > TOLERATED => Finding::bad(
            CHECK,
            format!("this machine says {}, but the database has seen {}", instant(now), instant(newest)),
            "set the machine's clock (timedatectl, chrony); where it is right and the database is not: tillgate doctor --accept-clock",
        ),
        _ => Finding::good(CHECK, instant(now)),
    }
}

fn keys(settings: &Settings, database: &Arc<Database>) -> Finding {
    const CHECK: &str = "keys";
    match compose::engine_beside(settings, database).and_then(|auth| auth.keys().map_err(Stop::failed)) {
        Ok(keys) => Finding::good(CHECK, format!("{} in the database, and the master key opens them", keys.len())),
        Err(stop) => Finding::bad(
            CHECK,
            stop.to_string(),
            "start the server once where the database is new; else give the master key that it was made with",
        ),
    }
}

/// Whether the store has gone back without anybody having said so since.
fn history(database: &Database) -> Finding {
    match went_back(database) {
        Err(error) => Finding::bad("history", error.to_string(), "see database"),
        Ok(told) => judge_history(told),
    }
}

/// When the newest refresh token that was ahead of the store came since the last declaration, and how many there were.
fn went_back(database: &Database) -> Stored<Option<(Instant, u64)>> {
    let of = |action| EventFilter { actions: vec![action], outcome: Some(Outcome::Done), ..EventFilter::default() };
    let declared = office::read_audit(database, &of(Action::StoreRestored), &Part::first(1))?;
    let from = declared.first().map(|told| told.event.at);
    let since = EventFilter { from, ..of(Action::StoreWentBack) };
    let found = office::search_audit(database, &since, &Part::first(1))?;
    Ok(found.items.first().map(|told| (told.event.at, found.total)))
}

fn judge_history(told: Option<(Instant, u64)>) -> Finding {
    const CHECK: &str = "history";
    match told {
        None => Finding::good(CHECK, "no session was ahead of the database"),
        Some((last, times)) => Finding::bad(
            CHECK,
            format!(
                "the database went back: {times} refresh token{} ahead of it, last at {}",
                if times == 1 { " was" } else { "s were" },
                instant(last)
            ),
            "it was restored, or a standby took over that lacked what was committed last. Lock, suspend and revoke again whom and what \
             was locked, suspended and revoked since (docs/backup.md), then: tillgate doctor --restored",
        ),
    }
}

/// How long a line of the audit may wait for its seal while a server runs.
const SEALED_WITHIN: Duration = Duration::from_mins(1);

/// Up to how many lines without a seal are counted.
const COUNTED: u32 = 10_000;

/// Whether lines are sealed, and whether the chain still has the seal that was kept outside: its end alone is looked at.
fn audit(settings: &Settings, database: &Database) -> Finding {
    const CHECK: &str = "audit";
    let bad = |error: &dyn std::fmt::Display| Finding::bad(CHECK, error.to_string(), "see database");
    let outside = Outside::of(settings);
    let noted = match outside.read() {
        Ok(noted) => noted,
        Err(why) => {
            return Finding::bad(CHECK, why, "put back the file from its backup, or move it away: a new one is begun");
        }
    };
    if let Some(noted) = &noted {
        let store: &dyn Store<AuthView> = database;
        match store.read(|tx| tx.instances().find()) {
            Err(error) => return bad(&error),
            Ok(instance) if instance.id != noted.instance => {
                return Finding::bad(CHECK, outside.foreign(), "move the file away, or name the right database");
            }
            Ok(_) => {}
        }
        match office::has_seal(database, &noted.seal) {
            Err(error) => return bad(&error),
            Ok(false) => {
                return Finding::bad(
                    CHECK,
                    outside.broken(noted),
                    "look at it with tillgate audit verify before you change anything",
                );
            }
            Ok(true) => {}
        }
    }
    let now = Draw::default().now();
    let store: &dyn Store<AuthView> = database;
    let served = store.read(|tx| tx.nodes().live(now.before(SEALED_WITHIN))).map(|nodes| !nodes.is_empty());
    match (office::unsealed_audit(database, COUNTED), served) {
        (Err(error), _) | (_, Err(error)) => bad(&error),
        (Ok((waiting, newest)), Ok(served)) => judge_audit(waiting, newest.sequence, served, now),
    }
}

fn judge_audit(waiting: Unsealed, sealed: i64, served: bool, now: Instant) -> Finding {
    const CHECK: &str = "audit";
    let Unsealed { lines, since } = waiting;
    let number = if lines >= COUNTED {
        format!("{lines} lines or more have")
    } else if lines == 1 {
        "1 line has".to_owned()
    } else {
        format!("{lines} lines have")
    };
    let late = since.is_some_and(|since| now.since(Instant::from_millis(since)) > SEALED_WITHIN);
    if served && late {
        return Finding::bad(
            CHECK,
            format!("{number} waited for a seal for over a minute, though a server runs"),
            "look for \"the audit is not sealed\" in the servers' logs, and at it with tillgate audit verify",
        );
    }
    let wait = if lines == 0 { String::new() } else { format!("; {number} none yet, until a server runs") };
    Finding::good(CHECK, format!("{sealed} lines are sealed{wait}"))
}

fn users(database: &Database) -> Finding {
    const CHECK: &str = "users";
    match office::any_user(database) {
        Ok(true) => Finding::good(CHECK, "there are some"),
        Ok(false) => {
            Finding::good(CHECK, "there is none yet; make the first admin: tillgate user add admin --role admin")
        }
        Err(error) => Finding::bad(CHECK, error.to_string(), "see database"),
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
        assert!(!ahead.well() && ahead.line().contains("--accept-clock"));
    }

    #[test]
    fn a_store_that_went_back_is_told_with_how_to_mend_it() {
        assert!(judge_history(None).well());
        let once = judge_history(Some((NOON, 1)));
        assert!(!once.well() && once.line().contains("1 refresh token was ahead"), "{}", once.line());
        let often = judge_history(Some((NOON, 12)));
        assert!(often.line().contains("12 refresh tokens were ahead") && often.line().contains("doctor --restored"));
    }

    #[test]
    fn lines_that_a_running_server_leaves_unsealed_are_told() {
        let waiting = |lines, age: u64| Unsealed { lines, since: Some(NOON.before(Duration::from_secs(age)).millis()) };
        assert!(judge_audit(Unsealed::default(), 5, true, NOON).well());
        assert!(judge_audit(waiting(3, 59), 5, true, NOON).well());
        assert!(judge_audit(waiting(3, 7_200), 5, false, NOON).line().contains("3 lines have none yet"));
        let late = judge_audit(waiting(3, 61), 5, true, NOON);
        assert!(!late.well() && late.line().contains("3 lines have waited"), "{}", late.line());
        assert!(judge_audit(waiting(COUNTED, 61), 5, true, NOON).line().contains("10000 lines or more have"));
    }

    #[test]
    fn every_fault_says_how_to_mend_it() {
        let folder = std::env::temp_dir().join(format!("tillgate-doctor-{}", std::process::id()));
        assert!(super::folder(&folder).line().contains("--data"));
        std::fs::create_dir_all(&folder).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
            assert!(super::folder(&folder).line().contains("chmod 700"));
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        assert!(super::folder(&folder).well());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
