//! `device accept` and `device deny`: decide about a machine that shows a code and waits.

use clap::Args;
use tillgate_domain::DeviceName;
use tillgate_domain::office::{KeyAcceptance, TypedCode};
use tillgate_http::native_bodies::EnrollmentBody;

use super::super::json::format_instant;
use super::super::office::{CommandOffice, check_decided};
use super::super::{CommandError, parse, print};
use crate::composition;

/// The arguments of `device accept`.
#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    /// Code that the machine shows, or with which it was enrolled
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
        let acceptance = KeyAcceptance {
            device: self.device.clone(),
            fingerprint: self.fingerprint.clone(),
            replaces_key: self.replace,
        };
        let enrollment = check_decided(office.for_operator()?.accept_pending_key(code, &acceptance))?;
        let body = EnrollmentBody::from_enrollment(&enrollment, office.ids.now());
        let until = format_instant(enrollment.expires_at);
        print::print_answer(json, &format!("{}: accepted; the machine has until {until}", self.device), &body);
        Ok(())
    }
}

/// The arguments of `device deny`.
#[derive(Debug, Args)]
pub(crate) struct DenyArgs {
    /// Code that the machine shows, or with which it was enrolled
    code: String,
}

impl DenyArgs {
    pub(super) fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let engine = composition::build_command_engine(&office.settings, &office.database)?;
        let digest = engine.digest_enrollment_code(&self.code);
        let code = TypedCode { digest: &digest, text: &self.code };
        check_decided(office.for_operator()?.deny_pending_key(code))?;
        print::print_answer(json, &format!("{}: denied", self.code), &serde_json::json!({ "denied": self.code }));
        Ok(())
    }
}
