//! `sweep`: removes what a server removes every minute: sessions that ended long ago, changes older
//! than every live token, old counts of failed logins, expired signatures, live events older than a
//! day, idempotency keys older than two days, expired one-time tokens, enrollments of devices a day
//! after their codes expired, keys of machines that waited, and mails whose token has expired.

use serde_json::json;
use tillgate_auth_core::auth::SweepCounts;

use super::{CommandError, Context, print};
use crate::composition;
use crate::office_sweeping::{OfficeSweepCounts, sweep_office};

/// The number of removed rows between two progress messages.
const PROGRESS_INTERVAL_ROWS: u32 = 10_000;

pub(super) fn run(context: &Context) -> Result<(), CommandError> {
    let settings = context.settings(|_| ())?;
    let database = context.open_database(&settings)?;
    let engine = composition::build_command_engine(&settings, &database)?;
    let mut reported = 0;
    let swept = engine.sweep(&mut |swept| {
        if total_rows(&swept) - reported >= PROGRESS_INTERVAL_ROWS {
            reported = total_rows(&swept);
            print::print_note(&format!("removed so far: {}", describe_swept(&swept)));
        }
    });
    let swept = swept.map_err(CommandError::failed)?;
    let SweepCounts { sessions, changes, attempts, known_networks, signatures, live_events } = swept;
    let office = sweep_office(&database, &engine).map_err(CommandError::failed)?;
    let OfficeSweepCounts {
        idempotency_keys,
        resets,
        invitations,
        enrollments,
        pending_keys,
        email_verifications,
        queued_mails,
    } = office;
    let all = json!({
        "sessions": sessions, "changes": changes, "attempts": attempts, "places": known_networks, "signatures": signatures,
        "live_events": live_events, "idempotency_keys": idempotency_keys, "resets": resets, "invitations": invitations,
        "enrollments": enrollments, "pending_keys": pending_keys, "email_verifications": email_verifications, "queued_mails": queued_mails,
    });
    let line = format!("removed: {}, {}", describe_swept(&swept), describe_office(&office));
    print::print_result(context.json, &line, &all);
    Ok(())
}

fn total_rows(swept: &SweepCounts) -> u32 {
    swept.sessions + swept.changes + swept.attempts + swept.known_networks + swept.signatures + swept.live_events
}

fn describe_swept(swept: &SweepCounts) -> String {
    let SweepCounts { sessions, changes, attempts, known_networks, signatures, live_events } = swept;
    format!(
        "{sessions} sessions, {changes} changes, {attempts} counts of failed logins, {known_networks} known networks, \
         {signatures} signatures, {live_events} live events"
    )
}

fn describe_office(swept: &OfficeSweepCounts) -> String {
    let OfficeSweepCounts {
        idempotency_keys,
        resets,
        invitations,
        enrollments,
        pending_keys,
        email_verifications,
        queued_mails,
    } = swept;
    format!(
        "{idempotency_keys} idempotency keys, {resets} password resets, {invitations} invitations, \
         {enrollments} enrollments, {pending_keys} machines that waited, {email_verifications} verifications of e-mail addresses, \
         {queued_mails} mails that were not sent in time"
    )
}
