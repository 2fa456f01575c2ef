//! Checks on the audit log: whether the database was rolled back, and whether events are sealed.

use std::time::Duration;

use tillgate_auth_core::ports::{AuthPorts, Node};
use tillgate_domain::office::ports::UnsealedCount;
use tillgate_domain::office::{EventFilter, OffsetPageRequest};
use tillgate_domain::{Action, EventOutcome, Instant, Store, StoreExt, StoreResult, office};
use tillgate_persistence::Database;

use crate::audit_sealing::SealFile;
use crate::command::confirmation::count_text;
use crate::command::doctor::finding::Finding;
use crate::command::json::format_instant;
use crate::configuration::Settings;
use crate::ids::IdSource;

/// Whether the database was rolled back since the last `doctor --restored`.
pub(super) fn check_history(settings: &Settings, database: &Database) -> Finding {
    match find_rollback(database) {
        Err(error) => Finding::problem("history", error.to_string(), "see the check \"database\""),
        Ok(rollback) => history_finding(rollback).with_command(settings, "doctor --restored"),
    }
}

/// The time of the latest refresh token that was ahead of the database since the last declaration,
/// and the number of such tokens.
fn find_rollback(database: &Database) -> StoreResult<Option<(Instant, u64)>> {
    let of =
        |action| EventFilter { actions: vec![action], outcome: Some(EventOutcome::Done), ..EventFilter::default() };
    let declared = office::unguarded::read_audit(database, &of(Action::StoreRestored), &OffsetPageRequest::first(1))?;
    let from = declared.first().map(|view| view.event.at);
    let since = EventFilter { from, ..of(Action::StoreRollback) };
    let found = office::unguarded::search_audit(database, &since, &OffsetPageRequest::first(1))?;
    Ok(found.items.first().map(|view| (view.event.at, found.total)))
}

fn history_finding(rollback: Option<(Instant, u64)>) -> Finding {
    const CHECK: &str = "history";
    match rollback {
        None => Finding::ok(CHECK, "no refresh token was ahead of the database"),
        Some((last, times)) => Finding::problem(
            CHECK,
            format!(
                "the database was rolled back: {times} refresh token{} ahead of it, last at {}",
                if times == 1 { " was" } else { "s were" },
                format_instant(last)
            ),
            "a backup was restored, or a standby that lacked the latest commits took over. Repeat the locks, \
             suspensions and revocations that were made in the lost time (docs/backup.md), then run",
        ),
    }
}

/// How long an event may wait for its seal while a server runs, and the age of a heartbeat up to
/// which a server counts as running.
const MAX_UNSEALED_AGE: Duration = Duration::from_mins(1);

/// The maximum number of events without a seal that are counted.
const MAX_COUNTED_EVENTS: u32 = 10_000;

/// Whether events are sealed, and whether the chain still contains the seal kept outside the
/// database. Only the end of the chain is checked.
pub(super) fn check_seals(settings: &Settings, database: &Database) -> Finding {
    const CHECK: &str = "audit";
    let store_problem =
        |error: &dyn std::fmt::Display| Finding::problem(CHECK, error.to_string(), "see the check \"database\"");
    let seal_file = SealFile::from_settings(settings);
    let stored = match seal_file.read() {
        Ok(stored) => stored,
        Err(why) => {
            return Finding::problem(
                CHECK,
                why,
                "restore the file from its backup; if there is none, move it away and run",
            )
            .with_command(settings, "audit reseal --yes");
        }
    };
    if let Some(stored) = &stored {
        let store: &dyn Store<AuthPorts> = database;
        match store.read("doctor", |tx| tx.instances().find()) {
            Err(error) => return store_problem(&error),
            Ok(instance) if instance.id != stored.instance => {
                return Finding::problem(
                    CHECK,
                    seal_file.foreign_text(),
                    "select the right database; if this is the right one, run",
                )
                .with_command(settings, "audit reseal --yes");
            }
            Ok(_) => {}
        }
        match office::unguarded::has_seal(database, &stored.seal) {
            Err(error) => return store_problem(&error),
            Ok(false) => {
                return Finding::problem(
                    CHECK,
                    seal_file.broken_text(stored),
                    "investigate before you change anything",
                )
                .with_command(settings, "audit verify");
            }
            Ok(true) => {}
        }
    }
    let now = IdSource::default().now();
    let store: &dyn Store<AuthPorts> = database;
    let servers = store.read("doctor", |tx| tx.nodes().list_live(now.saturating_sub(MAX_UNSEALED_AGE)));
    match (office::unguarded::count_unsealed_audit(database, MAX_COUNTED_EVENTS), servers) {
        (Err(error), _) | (_, Err(error)) => store_problem(&error),
        _ if stored.is_none() => {
            Finding::problem(CHECK, seal_file.missing_text(), "investigate before you create a new one")
                .with_command(settings, "audit verify")
        }
        (Ok((waiting, newest)), Ok(servers)) => {
            seals_finding(waiting, newest.sequence, &servers).with_command(settings, "audit verify")
        }
    }
}

/// Judges the events without a seal. The time in which no server ran does not count: events of
/// commands wait for the next one, and a server that was killed seals nothing.
fn seals_finding(waiting: UnsealedCount, sealed: i64, servers: &[Node]) -> Finding {
    const CHECK: &str = "audit";
    let UnsealedCount { events, since } = waiting;
    let number = if events >= MAX_COUNTED_EVENTS {
        format!("{events} or more events")
    } else {
        count_text(events as usize, "event")
    };
    let is_late = |server: &Node| {
        let since = since.map(|since| Instant::from_millis(since).max(server.id.started_at()));
        since.is_some_and(|since| server.seen_at.duration_since(since) > MAX_UNSEALED_AGE)
    };
    if servers.iter().any(is_late) {
        return Finding::problem(
            CHECK,
            format!("{number} without a seal for over a minute, although a server runs"),
            "look for \"the audit log is not sealed\" in the logs of the servers, and verify the audit log",
        );
    }
    let when = if servers.is_empty() { "until a server runs" } else { "yet" };
    let wait = if events == 0 { String::new() } else { format!("; {number} not sealed {when}") };
    Finding::ok(CHECK, format!("{sealed} events sealed{wait}"))
}

#[cfg(test)]
mod tests {
    use tillgate_auth_core::ports::FeedCursor;
    use tillgate_domain::NodeId;

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
        let before = |age: u64| NOON.saturating_sub(Duration::from_secs(age));
        let waiting = |events, age: u64| UnsealedCount { events, since: Some(before(age).millis()) };
        let server = |started: u64, seen: u64| Node {
            id: NodeId::new(before(started), [7; 10]),
            applied: FeedCursor(0),
            seen_at: before(seen),
            clock: None,
        };
        let old = [server(86_400, 0)];
        assert!(seals_finding(UnsealedCount::default(), 5, &old).is_ok());
        assert!(seals_finding(waiting(3, 59), 5, &old).is_ok());
        assert!(seals_finding(waiting(3, 7_200), 5, &[]).to_line().contains("3 events not sealed until"));
        let late = seals_finding(waiting(3, 61), 5, &old);
        assert!(!late.is_ok() && late.to_line().contains("3 events without a seal"), "{}", late.to_line());
        assert!(seals_finding(waiting(MAX_COUNTED_EVENTS, 61), 5, &old).to_line().contains("10000 or more events"));
        // a server that has just started, and one that was killed a moment after its start
        for young in [server(5, 0), server(62, 58)] {
            let found = seals_finding(waiting(3, 7_200), 5, std::slice::from_ref(&young));
            assert!(found.is_ok() && found.to_line().contains("3 events not sealed yet"), "{}", found.to_line());
            assert!(!seals_finding(waiting(3, 7_200), 5, &[young, server(62, 0)]).is_ok());
        }
    }
}
