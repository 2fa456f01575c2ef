//! `audit verify`: seals events that have no seal yet, verifies the whole chain, and reports the
//! first event that does not match its seal.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tillgate_domain::hex;
use tillgate_http::native_bodies::{AuditFaultBody, report_fault, report_missing_seal};

use super::super::{CommandError, Context, print};
use crate::audit_sealing::{SealFile, StoredSeal};
use crate::audit_verification::{FileVerification, SealFileSource, verify_audit_log};
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
        let database = context.open_database(&settings)?;
        let auth = composition::build_command_engine(&settings, &database)?;
        let seal_file = match &self.seal {
            Some(path) => SealFile::from_path(path),
            None => SealFile::from_settings(&settings),
        };
        let source = match &self.seal {
            Some(_) => SealFileSource::Given(&seal_file),
            None => SealFileSource::Installation(&seal_file),
        };
        let mut reported = 0;
        let found = verify_audit_log(&database, &auth, source, &mut |why| print::print_note(&why), &mut |number| {
            if number - reported >= PROGRESS_INTERVAL_EVENTS {
                reported = number;
                print::print_note(&format!("{number} events verified"));
            }
        });
        print_result(context.json, &found.map_err(CommandError::failed)?, &seal_file)
    }
}

fn print_result(json: bool, found: &FileVerification, seal_file: &SealFile) -> Result<(), CommandError> {
    let FileVerification { instance, stored, verified } = found;
    let lines = verified.last.sequence;
    let newest = StoredSeal { instance: *instance, seal: verified.last.clone(), at: IdSource::default().now() };
    let report = match &verified.fault {
        Some(fault) => Some(report_fault(fault, lines, &found.explain_fault(fault, seal_file))),
        None if found.is_seal_missing() => Some(report_missing_seal(seal_file.missing_text())),
        None => None,
    };
    // the command line also prints how much was verified if only the seal is missing
    let error = report.as_ref().map(|report| match &verified.fault {
        Some(_) => report.detail.clone(),
        None => format!("{lines} events verified, but {}", report.detail),
    });
    let document = json!({
        "whole": report.is_none(),
        "lines": lines,
        "seal": newest.to_document(),
        "outside": stored.as_ref().map(StoredSeal::to_document),
        "fault": report.map(AuditFaultBody::from_report),
    });
    if let Some(error) = error {
        if json {
            print::print_line(&document.to_string());
        }
        return Err(CommandError::failed(error));
    }
    let matching = stored.as_ref().map_or_else(String::new, |stored| {
        format!("; the seal of event {} outside the database matches", stored.seal.sequence)
    });
    let line = format!("{lines} events verified{matching}. Newest seal: {}", hex::encode(&newest.seal.hash));
    print::print_result(json, &line, &document);
    Ok(())
}
