//! `audit verify`: seals events that have no seal yet, verifies the whole chain, and reports the
//! first event that does not match its seal.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tillgate_domain::hex;
use tillgate_http::native_bodies::{AuditFaultBody, describe_fault};

use super::super::{CommandError, Context, print};
use crate::audit_sealing::{SealFile, StoredSeal};
use crate::audit_verification::{FileVerification, verify_audit_log};
use crate::composition;
use crate::ids::IdSource;

/// The arguments of `audit verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// File with a seal that was kept elsewhere, to use instead of the seal file
    #[arg(long, value_name = "FILE")]
    seal: Option<PathBuf>,
}

/// The number of verified events between two progress messages.
const PROGRESS_INTERVAL_EVENTS: i64 = 100_000;

impl VerifyArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let settings = context.settings(|_| ())?;
        let database = composition::open_existing_database(&settings)?;
        let auth = composition::build_command_engine(&settings, &database)?;
        let seal_file = match &self.seal {
            Some(path) => SealFile::from_path(path),
            None => SealFile::from_settings(&settings),
        };
        let mut reported = 0;
        let found = verify_audit_log(
            &database,
            &auth,
            (&seal_file, self.seal.is_none()),
            &mut |why| print::print_note(&why),
            &mut |number| {
                if number - reported >= PROGRESS_INTERVAL_EVENTS {
                    reported = number;
                    print::print_note(&format!("{number} events verified"));
                }
            },
        );
        print_result(context.json, &found.map_err(CommandError::failed)?, &seal_file)
    }
}

fn print_result(json: bool, found: &FileVerification, seal_file: &SealFile) -> Result<(), CommandError> {
    let FileVerification { instance, stored, verified } = found;
    let (lines, unwitnessed) = (verified.last.sequence, found.is_unwitnessed());
    let newest = StoredSeal { instance: *instance, seal: verified.last.clone(), at: IdSource::default().now() };
    let document = json!({
        "whole": verified.fault.is_none() && !unwitnessed,
        "lines": lines,
        "seal": newest.to_json(),
        "outside": stored.as_ref().map(StoredSeal::to_json),
        "fault": match &verified.fault {
            Some(fault) => json!(AuditFaultBody::from_fault(fault)),
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
            let kept = stored.as_ref().map_or_else(String::new, |stored| {
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
            Err(CommandError::failed(describe_fault(fault, lines, &found.explain_fault(fault, seal_file))))
        }
    }
}
