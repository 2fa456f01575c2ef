//! `audit verify`: seals events that have no seal yet, verifies the whole chain, and reports the
//! first event that does not match its seal.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tillgate_domain::audit::chain::ChainError;
use tillgate_domain::audit::seal::SealedEvent;
use tillgate_domain::office::{self, AuditFault, AuditVerification};
use tillgate_domain::{Instant, hex};
use uuid::Uuid;

use super::super::json::format_instant;
use super::super::{CommandError, Context, print};
use crate::audit_sealing::{SealFile, StoredSeal, read_instance_id};
use crate::composition;
use crate::ids::IdSource;

/// The arguments of `audit verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// File with a seal that was kept elsewhere, to use instead of the seal file
    #[arg(long, value_name = "FILE")]
    seal: Option<PathBuf>,
}

/// The pause between two batches of events that are sealed.
const BATCH_PAUSE: Duration = Duration::from_millis(5);

/// The number of verified events between two progress messages.
const PROGRESS_INTERVAL_EVENTS: i64 = 100_000;

impl VerifyArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let settings = context.settings(|_| ())?;
        let database = composition::open_existing_database(&settings)?;
        let auth = composition::build_command_engine(&settings, &database)?;
        let instance = read_instance_id(&database).map_err(CommandError::failed)?;
        // read before sealing: an event that is sealed meanwhile is not a missing one
        let seal_file = match &self.seal {
            Some(path) => SealFile::from_path(path),
            None => SealFile::from_settings(&settings),
        };
        if self.seal.is_none() {
            seal_file.create_if_missing(&database, IdSource::default().now()).map_err(CommandError::failed)?;
        }
        let stored = seal_file.read().map_err(CommandError::failed)?;
        if self.seal.is_some() && stored.is_none() {
            return Err(CommandError::failed(format!("there is no seal file at {}", seal_file.path().display())));
        }
        if stored.as_ref().is_some_and(|stored| stored.instance != instance) {
            return Err(CommandError::failed(seal_file.foreign_text()));
        }
        seal_events(&database, &auth);
        let mut reported = 0;
        let verified = office::unguarded::verify_audit(
            &*database,
            auth.audit_seal_key(),
            stored.as_ref().map(|stored| &stored.seal),
            &mut |number| {
                if number - reported >= PROGRESS_INTERVAL_EVENTS {
                    reported = number;
                    print::print_note(&format!("{number} events verified"));
                }
            },
        );
        let verified = verified.map_err(CommandError::failed)?;
        print_result(context.json, instance, &verified, stored.as_ref(), &seal_file)
    }
}

/// Seals events that have no seal yet. If that fails, the verification of the chain shows why.
fn seal_events(database: &tillgate_persistence::Database, auth: &tillgate_auth_core::Auth) {
    loop {
        match office::unguarded::seal_audit(database, auth.audit_seal_key()) {
            // let a running server use the database in between
            Ok(sealed) if sealed.has_more => std::thread::sleep(BATCH_PAUSE),
            Ok(_) => return,
            Err(error) => return print::print_note(&format!("events without a seal cannot be sealed: {error}")),
        }
    }
}

fn print_result(
    json: bool,
    instance: Uuid,
    verified: &AuditVerification,
    stored: Option<&StoredSeal>,
    seal_file: &SealFile,
) -> Result<(), CommandError> {
    let lines = verified.last.sequence;
    let newest = StoredSeal { instance, seal: verified.last.clone(), at: IdSource::default().now() };
    // without a seal outside the database, events removed from the end cannot be detected
    let unwitnessed = stored.is_none() && lines > 0 && verified.fault.is_none();
    let document = json!({
        "whole": verified.fault.is_none() && !unwitnessed,
        "lines": lines,
        "seal": newest.to_json(),
        "outside": stored.map(StoredSeal::to_json),
        "fault": match &verified.fault {
            Some(fault) => fault_json(fault),
            None if unwitnessed => json!({ "code": "seal_missing", "wrong": seal_file.missing_text() }),
            None => Value::Null,
        },
    });
    match &verified.fault {
        None if unwitnessed => {
            if json {
                print::print_line(&document.to_string());
            }
            Err(CommandError::failed(format!("{lines} events verified, but {}", seal_file.missing_text())))
        }
        None => {
            let kept = stored.map_or_else(String::new, |stored| {
                format!("; the seal of event {} outside the database matches", stored.seal.sequence)
            });
            let line = format!("{lines} events verified{kept}. Newest seal: {}", hex::encode(&newest.seal.hash));
            print::print_answer(json, &line, &document);
            Ok(())
        }
        Some(fault) => {
            if json {
                print::print_line(&document.to_string());
            }
            Err(CommandError::failed(format!(
                "{}. The {lines} events before it are intact{}",
                describe_fault(fault),
                explain_fault(fault, stored, seal_file)
            )))
        }
    }
}

fn describe_fault(fault: &AuditFault) -> String {
    match &fault.event {
        Some(line) => format!(
            "event {}, id {}, at {}: {}",
            line.sequence,
            event_id_text(line),
            format_instant(Instant::from_millis(line.event.at)),
            fault.error
        ),
        None => format!("no event is sealed, and {}", fault.error),
    }
}

/// A likely harmless cause of a fault, with the command that settles it.
fn explain_fault(fault: &AuditFault, stored: Option<&StoredSeal>, seal_file: &SealFile) -> String {
    match (&fault.error, stored) {
        (ChainError::Truncated { .. } | ChainError::SealMismatch { .. }, Some(stored)) => format!(
            ". If the database was restored from a backup made before {}, that is the reason: run {}",
            format_instant(stored.at),
            seal_file.restored_hint()
        ),
        _ => String::new(),
    }
}

fn fault_json(fault: &AuditFault) -> Value {
    let line = fault.event.as_ref();
    json!({
        "code": fault.error.code(),
        "wrong": fault.error.to_string(),
        "sequence": line.map(|line| line.sequence),
        "id": line.map(event_id_text),
        "at": line.map(|line| format_instant(Instant::from_millis(line.event.at))),
    })
}

/// The id of an event; in hexadecimal digits if it is damaged.
fn event_id_text(line: &SealedEvent) -> String {
    Uuid::from_slice(&line.event.id).map_or_else(|_| hex::encode(&line.event.id), |id| id.to_string())
}
