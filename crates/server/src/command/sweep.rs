//! `sweep`: removes by hand what a server removes once a minute: sessions that have been over for long, changes that no living token
//! is older than, old counts of failed logins, signatures that are too old to be good again, idempotency keys that are two days old.

use serde_json::json;
use tillgate_auth_core::auth::Swept;

use super::{Context, Stop, print};
use crate::{compose, sweeping};

/// How many rows go between two words on how far it is.
const EVERY: u32 = 10_000;

pub(super) fn run(context: &Context) -> Result<(), Stop> {
    let settings = context.settings(|_| ())?;
    let database = compose::open_existing(&settings)?;
    let engine = compose::engine_beside(&settings, &database)?;
    let mut told = 0;
    let swept = engine.sweep(&mut |swept| {
        if total(&swept) - told >= EVERY {
            told = total(&swept);
            print::note(&format!("removed so far: {}", words(&swept)));
        }
    });
    let swept = swept.map_err(Stop::failed)?;
    let Swept { sessions, changes, attempts, places, signatures } = swept;
    let keys = sweeping::sweep(&database, &engine).map_err(Stop::failed)?;
    let all = json!({
        "sessions": sessions, "changes": changes, "attempts": attempts, "places": places, "signatures": signatures,
        "idempotency_keys": keys,
    });
    print::answer(context.json, &format!("removed: {}, {keys} idempotency keys", words(&swept)), &all);
    Ok(())
}

fn total(swept: &Swept) -> u32 {
    swept.sessions + swept.changes + swept.attempts + swept.places + swept.signatures
}

fn words(swept: &Swept) -> String {
    let Swept { sessions, changes, attempts, places, signatures } = swept;
    format!(
        "{sessions} sessions, {changes} changes, {attempts} counts of failed logins, {places} places, {signatures} signatures"
    )
}
