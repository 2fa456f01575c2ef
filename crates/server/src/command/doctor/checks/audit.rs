//! What the audit tells: whether the database has gone back, and whether its lines are sealed.

use std::time::Duration;

use tillgate_auth_core::ports::AuthPorts;
use tillgate_domain::office::ports::UnsealedCount;
use tillgate_domain::office::{EventFilter, OffsetPageRequest};
use tillgate_domain::{Action, EventOutcome, Instant, Store, StoreExt, StoreResult, office};
use tillgate_persistence::Database;

use crate::audit_sealing::SealFile;
use crate::command::doctor::finding::Finding;
use crate::command::json::format_instant;
use crate::configuration::Settings;
use crate::ids::IdSource;

/// Whether the store has gone back without anybody having said so since.
pub(super) fn check_history(settings: &Settings, database: &Database) -> Finding {
    match find_rollback(database) {
        Err(error) => Finding::problem("history", error.to_string(), "see database"),
        Ok(told) => history_finding(told).with_command(settings, "doctor --restored"),
    }
}

/// When the newest refresh token that was ahead of the store came since the last declaration, and how many there were.
fn find_rollback(database: &Database) -> StoreResult<Option<(Instant, u64)>> {
    let of =
        |action| EventFilter { actions: vec![action], outcome: Some(EventOutcome::Done), ..EventFilter::default() };
    let declared = office::read_audit(database, &of(Action::StoreRestored), &OffsetPageRequest::first(1))?;
    let from = declared.first().map(|told| told.event.at);
    let since = EventFilter { from, ..of(Action::StoreRollback) };
    let found = office::search_audit(database, &since, &OffsetPageRequest::first(1))?;
    Ok(found.items.first().map(|told| (told.event.at, found.total)))
}

fn history_finding(told: Option<(Instant, u64)>) -> Finding {
    const CHECK: &str = "history";
    match told {
        None => Finding::ok(CHECK, "no session was ahead of the database"),
        Some((last, times)) => Finding::problem(
            CHECK,
            format!(
                "the database went back: {times} refresh token{} ahead of it, last at {}",
                if times == 1 { " was" } else { "s were" },
                format_instant(last)
            ),
            "it was restored, or a standby took over that lacked what was committed last. Lock, suspend and revoke again whom and what \
             was locked, suspended and revoked since (docs/backup.md), then run",
        ),
    }
}

/// How long a line of the audit may wait for its seal while a server runs.
const MAX_UNSEALED_AGE: Duration = Duration::from_mins(1);

/// Up to how many lines without a seal are counted.
const MAX_COUNTED_EVENTS: u32 = 10_000;

/// Whether lines are sealed, and whether the chain still has the seal that was kept outside: its end alone is looked at.
pub(super) fn check_seals(settings: &Settings, database: &Database) -> Finding {
    const CHECK: &str = "audit";
    let bad = |error: &dyn std::fmt::Display| Finding::problem(CHECK, error.to_string(), "see database");
    let outside = SealFile::from_settings(settings);
    let noted = match outside.read() {
        Ok(noted) => noted,
        Err(why) => {
            return Finding::problem(
                CHECK,
                why,
                "put back the file from its backup; if there is none, move it away and run",
            )
            .with_command(settings, "audit reseal --yes");
        }
    };
    if let Some(noted) = &noted {
        let store: &dyn Store<AuthPorts> = database;
        match store.read(|tx| tx.instances().find()) {
            Err(error) => return bad(&error),
            Ok(instance) if instance.id != noted.instance => {
                return Finding::problem(CHECK, outside.foreign_text(), "name the right database; if this one is, run")
                    .with_command(settings, "audit reseal --yes");
            }
            Ok(_) => {}
        }
        match office::has_seal(database, &noted.seal) {
            Err(error) => return bad(&error),
            Ok(false) => {
                return Finding::problem(CHECK, outside.broken_text(noted), "look at it before you change anything")
                    .with_command(settings, "audit verify");
            }
            Ok(true) => {}
        }
    }
    let now = IdSource::default().now();
    let store: &dyn Store<AuthPorts> = database;
    let served =
        store.read(|tx| tx.nodes().list_live(now.saturating_sub(MAX_UNSEALED_AGE))).map(|nodes| !nodes.is_empty());
    match (office::count_unsealed_audit(database, MAX_COUNTED_EVENTS), served) {
        (Err(error), _) | (_, Err(error)) => bad(&error),
        (Ok((_, newest)), _) if noted.is_none() && newest.sequence > 0 => {
            Finding::problem(CHECK, outside.missing_text(), "look at it before you begin a new one")
                .with_command(settings, "audit verify")
        }
        (Ok((waiting, newest)), Ok(served)) => {
            seals_finding(waiting, newest.sequence, served, now).with_command(settings, "audit verify")
        }
    }
}

fn seals_finding(waiting: UnsealedCount, sealed: i64, served: bool, now: Instant) -> Finding {
    const CHECK: &str = "audit";
    let UnsealedCount { events: lines, since } = waiting;
    let number = if lines >= MAX_COUNTED_EVENTS {
        format!("{lines} lines or more have")
    } else if lines == 1 {
        "1 line has".to_owned()
    } else {
        format!("{lines} lines have")
    };
    let late = since.is_some_and(|since| now.duration_since(Instant::from_millis(since)) > MAX_UNSEALED_AGE);
    if served && late {
        return Finding::problem(
            CHECK,
            format!("{number} waited for a seal for over a minute, though a server runs"),
            "look for \"the audit is not sealed\" in the servers' logs, and at the audit",
        );
    }
    let when = if served { "within a second" } else { "until a server runs" };
    let wait = if lines == 0 { String::new() } else { format!("; {number} none yet, {when}") };
    Finding::ok(CHECK, format!("{sealed} lines are sealed{wait}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Instant = Instant::from_millis(1_800_014_400_000);

    #[test]
    fn rolled_back_store_is_reported_with_a_remedy() {
        assert!(history_finding(None).is_ok());
        let once = history_finding(Some((NOON, 1)));
        assert!(!once.is_ok() && once.to_line().contains("1 refresh token was ahead"), "{}", once.to_line());
        let often = history_finding(Some((NOON, 12)));
        assert!(often.to_line().contains("12 refresh tokens were ahead"));
    }

    #[test]
    fn unsealed_events_beside_a_running_server_are_reported() {
        let waiting = |lines, age: u64| UnsealedCount {
            events: lines,
            since: Some(NOON.saturating_sub(Duration::from_secs(age)).millis()),
        };
        assert!(seals_finding(UnsealedCount::default(), 5, true, NOON).is_ok());
        assert!(seals_finding(waiting(3, 59), 5, true, NOON).is_ok());
        assert!(seals_finding(waiting(3, 7_200), 5, false, NOON).to_line().contains("3 lines have none yet"));
        let late = seals_finding(waiting(3, 61), 5, true, NOON);
        assert!(!late.is_ok() && late.to_line().contains("3 lines have waited"), "{}", late.to_line());
        assert!(
            seals_finding(waiting(MAX_COUNTED_EVENTS, 61), 5, true, NOON)
                .to_line()
                .contains("10000 lines or more have")
        );
    }
}
