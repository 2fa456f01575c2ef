//! Verifies the audit log against the seal file, for the command line and for requests.

use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_domain::audit::chain::ChainError;
use tillgate_domain::office::{self, AuditFault, AuditVerification};
use tillgate_http::{AuditVerifier, VerifiedAudit};
use tillgate_persistence::Database;
use uuid::Uuid;

use crate::audit_sealing::{SealFile, StoredSeal, read_instance_id};
use crate::command::json::format_instant;
use crate::configuration::Settings;
use crate::priority;

/// The pause between two batches of events, during which requests can use the database.
const BATCH_PAUSE: Duration = Duration::from_millis(5);

/// A seal file, and whether it must exist.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SealFileSource<'f> {
    /// That of the installation, whose absence is part of the result.
    Installation(&'f SealFile),
    /// One that was kept elsewhere, which must exist.
    Given(&'f SealFile),
}

/// The result of a verification, and the seal in the file with which it was compared.
pub(crate) struct FileVerification {
    /// The id of the database.
    pub(crate) instance: Uuid,
    /// The seal in the file; `None` if there is no file.
    pub(crate) stored: Option<StoredSeal>,
    /// The result.
    pub(crate) verified: AuditVerification,
}

impl FileVerification {
    /// Whether events that were removed from the end of the log could not be found: there is no
    /// seal outside of the database. An empty log is no exception, because all events may have been
    /// removed.
    pub(crate) fn is_seal_missing(&self) -> bool {
        self.stored.is_none() && self.verified.fault.is_none()
    }

    /// A likely harmless cause of the fault, with the command that settles it.
    pub(crate) fn explain_fault(&self, fault: &AuditFault, seal_file: &SealFile) -> String {
        match (&fault.error, &self.stored) {
            (ChainError::Truncated { .. } | ChainError::SealMismatch { .. }, Some(stored)) => format!(
                ". If the database was restored from a backup made before {}, that is the reason: run {}",
                format_instant(stored.at),
                seal_file.restored_hint()
            ),
            _ => String::new(),
        }
    }
}

/// Seals the events that have no seal yet, and verifies the whole chain against the seal in the
/// file. `report` gets the reason if events cannot be sealed; the verification of the chain then
/// shows why.
pub(crate) fn verify_audit_log(
    database: &Database,
    auth: &Auth,
    source: SealFileSource<'_>,
    report: &mut dyn FnMut(String),
    progress: &mut dyn FnMut(i64),
) -> Result<FileVerification, String> {
    let instance = read_instance_id(database).map_err(|error| error.to_string())?;
    let (SealFileSource::Installation(seal_file) | SealFileSource::Given(seal_file)) = source;
    // read before sealing: an event that is sealed meanwhile is not a missing one
    let stored = seal_file.read()?;
    if matches!(source, SealFileSource::Given(_)) && stored.is_none() {
        return Err(format!("there is no seal file at {}", seal_file.path().display()));
    }
    if stored.as_ref().is_some_and(|stored| stored.instance != instance) {
        return Err(seal_file.foreign_text());
    }
    seal_events(database, auth, report);
    let outside = stored.as_ref().map(|stored| &stored.seal);
    let verified = office::unguarded::verify_audit(database, auth.audit_seal_key(), outside, progress)
        .map_err(|error| error.to_string())?;
    Ok(FileVerification { instance, stored, verified })
}

fn seal_events(database: &Database, auth: &Auth, report: &mut dyn FnMut(String)) {
    loop {
        match office::unguarded::seal_audit(database, auth.audit_seal_key()) {
            Ok(sealed) if sealed.has_more => std::thread::sleep(BATCH_PAUSE),
            Ok(_) => return,
            Err(error) => return report(format!("events without a seal cannot be sealed: {error}")),
        }
    }
}

/// Verifies the audit log of a running server.
pub(crate) struct ServerVerifier {
    seal_file: SealFile,
    database: Arc<Database>,
    auth: Arc<Auth>,
}

impl ServerVerifier {
    /// A verifier that compares with the seal file of the installation.
    pub(crate) fn new(settings: &Settings, database: &Arc<Database>, auth: &Arc<Auth>) -> Self {
        // responses must not contain paths of the server
        let seal_file = SealFile::from_settings(settings).without_flags();
        Self { seal_file, database: Arc::clone(database), auth: Arc::clone(auth) }
    }
}

impl AuditVerifier for ServerVerifier {
    fn verify_audit(&self, progress: &mut dyn FnMut(i64)) -> Result<VerifiedAudit, String> {
        priority::lower_priority(priority::BLOCKING_NICENESS);
        let found = verify_audit_log(
            &self.database,
            &self.auth,
            SealFileSource::Installation(&self.seal_file),
            &mut |why| tracing::warn!(why, "the audit log is verified as far as it is sealed"),
            &mut |verified| {
                progress(verified);
                std::thread::sleep(BATCH_PAUSE);
            },
        )?;
        let fault = found.verified.fault.as_ref();
        let explanation = fault.map(|fault| found.explain_fault(fault, &self.seal_file)).unwrap_or_default();
        let missing_seal = found.is_seal_missing().then(|| {
            "the seal file of the server is missing: events removed from the end of the audit log would not be detected. \
             Restore the file from its backup. If there is none, run tillgate audit reseal --yes"
                .to_owned()
        });
        Ok(VerifiedAudit { verification: found.verified, explanation, missing_seal })
    }
}
