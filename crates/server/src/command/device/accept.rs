//! `device accept` and `device deny`: decide about a machine that shows a code and waits.

use clap::Args;
use tillgate_domain::office::{KeyAcceptance, OfficeError, TypedCode};
use tillgate_domain::{DeviceName, PendingKey, PendingKeyStatus};
use tillgate_http::native_bodies::EnrollmentBody;

use super::super::argument_errors::ArgumentErrors;
use super::super::json::format_instant;
use super::super::office::{CommandOffice, check_decided};
use super::super::{CommandError, parse, print};
use crate::composition;

/// The arguments of `device accept`.
#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    /// Code that the machine shows, or that was typed into it
    code: String,
    /// Name of the device whose key it becomes
    #[arg(long, value_parser = parse::device)]
    device: DeviceName,
    /// Digits that the machine shows
    #[arg(long, value_name = "DIGITS")]
    fingerprint: String,
    /// Replace the current key of the device: all sessions on it, except permanent ones, end when
    /// the machine is enrolled
    #[arg(long)]
    replace: bool,
}

impl AcceptArgs {
    pub(super) fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let engine = composition::build_command_engine(&office.settings, &office.database)?;
        let digest = engine.digest_enrollment_code(&self.code);
        let code = TypedCode { digest: &digest, text: &self.code };
        self.check_code(office, code)?;
        let acceptance = KeyAcceptance {
            device: self.device.clone(),
            fingerprint: self.fingerprint.clone(),
            replaces_key: self.replace,
        };
        let enrollment = check_decided(office.for_operator()?.accept_pending_key(code, &acceptance))?;
        let body = EnrollmentBody::from_enrollment(&enrollment, office.ids.now());
        let until = format_instant(enrollment.expires_at);
        print::print_result(json, &format!("{}: accepted; the machine has until {until}", self.device), &body);
        Ok(())
    }

    /// Checks that the machine with the code waits, and for this device if its code was started for
    /// one.
    fn check_code(&self, office: &CommandOffice, code: TypedCode<'_>) -> Result<(), CommandError> {
        let (device, key) = (office.find_device(&self.device), find_waiting_key(office, code));
        ArgumentErrors::default().with(&device).with(&key).report()?;
        let (device, key) = (device?, key?);
        match key.device {
            Some(id) if id != device.id => {
                let chosen = office.unguarded().find_device(id).map_err(CommandError::failed)?;
                let near = chosen.map(|chosen| format!("; is it --device {}?", chosen.name)).unwrap_or_default();
                // the code is a secret as long as the machine waits
                Err(CommandError::failed(format!(
                    "the code was started for another device than \"{}\"{near}",
                    self.device
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Finds the machine that waits under a code. The error says what has become of it.
fn find_waiting_key(office: &CommandOffice, code: TypedCode<'_>) -> Result<PendingKey, CommandError> {
    let text = code.text;
    let found = office.reader_for_operator().find_pending_key(code).map_err(CommandError::failed)?;
    let key = found.map_err(|error| match error {
        OfficeError::NotFound { .. } => CommandError::failed(format!(
            "the code \"{text}\" does not exist; `tillgate device waiting` lists the machines that wait"
        )),
        error => CommandError::failed(error),
    })?;
    let over = match key.status(office.ids.now()) {
        PendingKeyStatus::Waiting => return Ok(key),
        PendingKeyStatus::Accepted => "was already accepted",
        PendingKeyStatus::Denied => "was denied",
        PendingKeyStatus::Expired => "has waited too long: start it again there",
    };
    Err(CommandError::failed(format!("the machine with this code {over}")))
}

/// The arguments of `device deny`.
#[derive(Debug, Args)]
pub(crate) struct DenyArgs {
    /// Code that the machine shows, or that was typed into it
    code: String,
}

impl DenyArgs {
    pub(super) fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let engine = composition::build_command_engine(&office.settings, &office.database)?;
        let digest = engine.digest_enrollment_code(&self.code);
        let code = TypedCode { digest: &digest, text: &self.code };
        find_waiting_key(office, code)?;
        check_decided(office.for_operator()?.deny_pending_key(code))?;
        print::print_result(json, &format!("{}: denied", self.code), &serde_json::json!({ "denied": self.code }));
        Ok(())
    }
}
