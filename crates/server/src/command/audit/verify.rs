//! `audit verify`: seals what has no seal yet, goes along the whole chain, and names the first line that is not as it was sealed.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tillgate_domain::Instant;
use tillgate_domain::audit::seal::SealedEvent;
use tillgate_domain::office::{self, AuditFault, AuditVerification};
use uuid::Uuid;

use super::super::json::format_instant;
use super::super::{CommandError, Context, print};
use crate::audit_sealing::{SealFile, StoredSeal, encode_hex, read_instance_id};
use crate::composition;
use crate::ids::IdSource;

/// What is said to whoever verifies.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A file with a seal that was kept elsewhere, instead of the newest one outside the database
    #[arg(long, value_name = "FILE")]
    seal: Option<PathBuf>,
}

/// The pause between two batches that are sealed.
const BATCH_PAUSE: Duration = Duration::from_millis(5);

/// How many lines go between two words on how far it is.
const PROGRESS_INTERVAL_EVENTS: i64 = 100_000;

impl VerifyArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let settings = context.settings(|_| ())?;
        let database = composition::open_existing_database(&settings)?;
        let auth = composition::build_command_engine(&settings, &database)?;
        let instance = read_instance_id(&database).map_err(CommandError::failed)?;
        // read first: what is sealed meanwhile is then no line that the chain lacks
        let outside = match &self.seal {
            Some(path) => SealFile::from_path(path),
            None => SealFile::from_settings(&settings),
        };
        if self.seal.is_none() {
            outside.create_if_missing(&database, IdSource::default().now()).map_err(CommandError::failed)?;
        }
        let noted = outside.read().map_err(CommandError::failed)?;
        if self.seal.is_some() && noted.is_none() {
            return Err(CommandError::failed(format!("there is no seal at {}", outside.path().display())));
        }
        if noted.as_ref().is_some_and(|noted| noted.instance != instance) {
            return Err(CommandError::failed(outside.foreign_text()));
        }
        seal_events(&database, &auth);
        let mut told = 0;
        let verified = office::verify_audit(
            &*database,
            auth.audit_seal_key(),
            noted.as_ref().map(|noted| &noted.seal),
            &mut |number| {
                if number - told >= PROGRESS_INTERVAL_EVENTS {
                    told = number;
                    print::print_note(&format!("{number} lines so far are as they were sealed"));
                }
            },
        );
        let verified = verified.map_err(CommandError::failed)?;
        print_result(context.json, instance, &verified, noted.as_ref(), &outside)
    }
}

/// Seals what has no seal. Where that cannot be, the chain itself shows why.
fn seal_events(database: &tillgate_persistence::Database, auth: &tillgate_auth_core::Auth) {
    loop {
        match office::seal_audit(database, auth.audit_seal_key()) {
            // a server beside this gets its turn at the database
            Ok(sealed) if sealed.has_more => std::thread::sleep(BATCH_PAUSE),
            Ok(_) => return,
            Err(error) => return print::print_note(&format!("lines that have no seal yet cannot be sealed: {error}")),
        }
    }
}

fn print_result(
    json: bool,
    instance: Uuid,
    verified: &AuditVerification,
    noted: Option<&StoredSeal>,
    outside: &SealFile,
) -> Result<(), CommandError> {
    let lines = verified.last.sequence;
    let newest = StoredSeal { instance, seal: verified.last.clone(), at: IdSource::default().now() };
    // without a seal outside nobody can tell that the end is there
    let unwitnessed = noted.is_none() && lines > 0 && verified.fault.is_none();
    let document = json!({
        "whole": verified.fault.is_none() && !unwitnessed,
        "lines": lines,
        "seal": newest.to_json(),
        "outside": noted.map(StoredSeal::to_json),
        "fault": match &verified.fault {
            Some(fault) => fault_json(fault),
            None if unwitnessed => json!({ "code": "seal_missing", "wrong": outside.missing_text() }),
            None => Value::Null,
        },
    });
    match &verified.fault {
        None if unwitnessed => {
            if json {
                print::print_line(&document.to_string());
            }
            Err(CommandError::failed(format!(
                "{lines} lines are each as they were sealed, but {}",
                outside.missing_text()
            )))
        }
        None => {
            let kept = noted.map_or_else(String::new, |noted| {
                format!("; the seal outside the database, of line {}, is in it", noted.seal.sequence)
            });
            let line =
                format!("{lines} lines, each as it was sealed{kept}. Newest seal: {}", encode_hex(&newest.seal.hash));
            print::print_answer(json, &line, &document);
            Ok(())
        }
        Some(fault) => {
            if json {
                print::print_line(&document.to_string());
            }
            Err(CommandError::failed(format!(
                "{}. {lines} lines before it are as they were sealed{}",
                describe_fault(fault),
                explain_fault(fault, noted, outside)
            )))
        }
    }
}

fn describe_fault(fault: &AuditFault) -> String {
    match &fault.event {
        Some(line) => format!(
            "line {}, id {}, of {}: {}",
            line.sequence,
            event_id_text(line),
            format_instant(Instant::from_millis(line.event.at)),
            fault.error
        ),
        None => format!("no line is sealed, and {}", fault.error),
    }
}

/// What else to think of.
fn explain_fault(fault: &AuditFault, noted: Option<&StoredSeal>, outside: &SealFile) -> String {
    match (fault.error.code(), noted) {
        ("cut" | "other", Some(noted)) => format!(
            ". If the database was restored from a backup of before {}, that is why: run {}",
            format_instant(noted.at),
            outside.restored_hint()
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

/// The id of a line, whatever somebody has made of it.
fn event_id_text(line: &SealedEvent) -> String {
    Uuid::from_slice(&line.event.id).map_or_else(|_| encode_hex(&line.event.id), |id| id.to_string())
}
