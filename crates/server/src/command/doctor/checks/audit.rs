//! What the audit tells: whether the database has gone back, and whether its lines are sealed.

use std::time::Duration;

use tillgate_auth_core::ports::AuthView;
use tillgate_domain::office::ports::Unsealed;
use tillgate_domain::office::{EventFilter, Part};
use tillgate_domain::{Action, Instant, Outcome, Store, StoreExt, Stored, office};
use tillgate_persistence::Database;

use crate::command::doctor::finding::Finding;
use crate::command::show::instant;
use crate::configuration::Settings;
use crate::draw::Draw;
use crate::sealing::Outside;

/// Whether the store has gone back without anybody having said so since.
pub(super) fn history(settings: &Settings, database: &Database) -> Finding {
    match went_back(database) {
        Err(error) => Finding::bad("history", error.to_string(), "see database"),
        Ok(told) => judge_history(told).run(settings, "doctor --restored"),
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
             was locked, suspended and revoked since (docs/backup.md), then run",
        ),
    }
}

/// How long a line of the audit may wait for its seal while a server runs.
const SEALED_WITHIN: Duration = Duration::from_mins(1);

/// Up to how many lines without a seal are counted.
const COUNTED: u32 = 10_000;

/// Whether lines are sealed, and whether the chain still has the seal that was kept outside: its end alone is looked at.
pub(super) fn seals(settings: &Settings, database: &Database) -> Finding {
    const CHECK: &str = "audit";
    let bad = |error: &dyn std::fmt::Display| Finding::bad(CHECK, error.to_string(), "see database");
    let outside = Outside::of(settings);
    let noted = match outside.read() {
        Ok(noted) => noted,
        Err(why) => {
            return Finding::bad(
                CHECK,
                why,
                "put back the file from its backup; if there is none, move it away and run",
            )
            .run(settings, "audit reseal --yes");
        }
    };
    if let Some(noted) = &noted {
        let store: &dyn Store<AuthView> = database;
        match store.read(|tx| tx.instances().find()) {
            Err(error) => return bad(&error),
            Ok(instance) if instance.id != noted.instance => {
                return Finding::bad(CHECK, outside.foreign(), "name the right database; if this one is, run")
                    .run(settings, "audit reseal --yes");
            }
            Ok(_) => {}
        }
        match office::has_seal(database, &noted.seal) {
            Err(error) => return bad(&error),
            Ok(false) => {
                return Finding::bad(CHECK, outside.broken(noted), "look at it before you change anything")
                    .run(settings, "audit verify");
            }
            Ok(true) => {}
        }
    }
    let now = Draw::default().now();
    let store: &dyn Store<AuthView> = database;
    let served = store.read(|tx| tx.nodes().live(now.before(SEALED_WITHIN))).map(|nodes| !nodes.is_empty());
    match (office::unsealed_audit(database, COUNTED), served) {
        (Err(error), _) | (_, Err(error)) => bad(&error),
        (Ok((_, newest)), _) if noted.is_none() && newest.sequence > 0 => {
            Finding::bad(CHECK, outside.missing(), "look at it before you begin a new one")
                .run(settings, "audit verify")
        }
        (Ok((waiting, newest)), Ok(served)) => {
            judge_audit(waiting, newest.sequence, served, now).run(settings, "audit verify")
        }
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
            "look for \"the audit is not sealed\" in the servers' logs, and at the audit",
        );
    }
    let when = if served { "within a second" } else { "until a server runs" };
    let wait = if lines == 0 { String::new() } else { format!("; {number} none yet, {when}") };
    Finding::good(CHECK, format!("{sealed} lines are sealed{wait}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Instant = Instant::from_millis(1_800_014_400_000);

    #[test]
    fn a_store_that_went_back_is_told_with_how_to_mend_it() {
        assert!(judge_history(None).well());
        let once = judge_history(Some((NOON, 1)));
        assert!(!once.well() && once.line().contains("1 refresh token was ahead"), "{}", once.line());
        let often = judge_history(Some((NOON, 12)));
        assert!(often.line().contains("12 refresh tokens were ahead"));
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
}
