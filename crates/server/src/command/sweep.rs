//! `sweep`: removes by hand what a server removes once a minute: sessions that have been over for long, changes that no living token
//! is older than, old counts of failed logins, signatures that are too old to be good again, idempotency keys that are two days old.

use serde_json::json;
use tillgate_auth_core::auth::SweepCounts;

use super::{CommandError, Context, print};
use crate::{composition, key_sweeping};

/// How many rows go between two words on how far it is.
const PROGRESS_INTERVAL_ROWS: u32 = 10_000;

pub(super) fn run(context: &Context) -> Result<(), CommandError> {
    let settings = context.settings(|_| ())?;
    let database = composition::open_existing_database(&settings)?;
    let engine = composition::build_command_engine(&settings, &database)?;
    let mut told = 0;
    let swept = engine.sweep(&mut |swept| {
        if total_rows(&swept) - told >= PROGRESS_INTERVAL_ROWS {
            told = total_rows(&swept);
            print::print_note(&format!("removed so far: {}", describe_swept(&swept)));
        }
    });
    let swept = swept.map_err(CommandError::failed)?;
    let SweepCounts { sessions, changes, attempts, known_networks: places, signatures } = swept;
    let keys = key_sweeping::sweep_keys(&database, &engine).map_err(CommandError::failed)?;
    let all = json!({
        "sessions": sessions, "changes": changes, "attempts": attempts, "places": places, "signatures": signatures,
        "idempotency_keys": keys,
    });
    print::print_answer(context.json, &format!("removed: {}, {keys} idempotency keys", describe_swept(&swept)), &all);
    Ok(())
}

fn total_rows(swept: &SweepCounts) -> u32 {
    swept.sessions + swept.changes + swept.attempts + swept.known_networks + swept.signatures
}

fn describe_swept(swept: &SweepCounts) -> String {
    let SweepCounts { sessions, changes, attempts, known_networks: places, signatures } = swept;
    format!(
        "{sessions} sessions, {changes} changes, {attempts} counts of failed logins, {places} places, {signatures} signatures"
    )
}
