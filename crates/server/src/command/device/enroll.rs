//! `device enroll`: starts the enrollment of a device and shows its code, or writes the codes of
//! many devices to a file.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde_json::json;
use tillgate_auth_core::{Auth, EnrollmentCode};
use tillgate_domain::office::{NewEnrollment, OfficeError};
use tillgate_domain::{Device, DeviceName, DeviceStatus, Enrollment};
use tillgate_http::native_bodies::{EnrollmentBody, format_code_headings, format_code_row};

use super::super::confirmation::{ConfirmationArgs, count_text};
use super::super::csv_file::begins_with_bom;
use super::super::json::format_instant;
use super::super::office::{CommandOffice, check_decided};
use super::super::password::open_secret_file;
use super::super::store::find_branch;
use super::super::{CommandError, parse, print};
use super::keys::find_current_key;
use super::waiting::find_waiting_enrollment;
use crate::composition;

/// The greatest number of devices that a question names.
const MAX_LISTED_DEVICES: usize = 5;

/// The arguments of `device enroll`.
#[derive(Debug, Args)]
pub(crate) struct EnrollArgs {
    /// Name of the device
    #[arg(value_parser = parse::device, required_unless_present = "all")]
    name: Option<DeviceName>,
    /// All active tills and handhelds without a key; their codes are written to --output
    #[arg(long, conflicts_with = "name", requires = "output")]
    all: bool,
    /// Only devices in this store (name or id)
    #[arg(long, requires = "all", conflicts_with = "name")]
    store: Option<String>,
    /// How long a code is valid, 1m to 30d; one that is valid for more than 1h has 12 letters
    /// instead of 8
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse::duration)]
    lifetime: Duration,
    /// Replace the current key of the device: all sessions on it, except permanent ones, end when
    /// the code is used
    #[arg(long)]
    replace: bool,
    /// Let the machine that presents the code wait until `device accept` confirms it
    #[arg(long)]
    confirm: bool,
    /// File to which the codes of --all are appended, readable by you alone: comma-separated values
    /// with a header row
    #[arg(long, value_name = "FILE", requires = "all", conflicts_with = "name")]
    output: Option<PathBuf>,
    /// Begin a new file with a byte order mark, by which Excel recognizes UTF-8 [default: true if
    /// the file name ends in .csv]
    #[arg(
        long,
        value_name = "YES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        requires = "all",
        conflicts_with = "name"
    )]
    bom: Option<bool>,
    #[command(flatten)]
    confirmation: ConfirmationArgs,
}

/// What the codes of several devices do to earlier codes and keys.
struct EnrollmentImpact {
    /// The devices whose earlier codes become void.
    voided: Vec<DeviceName>,
    /// The devices whose keys are replaced.
    replaced: Vec<DeviceName>,
}

impl EnrollmentImpact {
    /// The sentence that asks for confirmation, without a period; `None` if nothing is lost.
    fn question(&self) -> Option<String> {
        let codes = count_text(self.voided.len(), "earlier code");
        let voided = format!("makes {codes} void that nobody has used ({})", list_some(&self.voided));
        let (devices, it) = (count_text(self.replaced.len(), "device"), list_some(&self.replaced));
        let replaced = format!("lets new codes replace the keys of {devices} ({it}), which ends their sessions");
        let parts = [(voided, self.voided.is_empty()), (replaced, self.replaced.is_empty())];
        let parts: Vec<String> = parts.into_iter().filter(|(_, is_empty)| !is_empty).map(|(part, _)| part).collect();
        (!parts.is_empty()).then(|| format!("This {}", parts.join(", and ")))
    }
}

/// The first few names, and the number of the others.
fn list_some(names: &[DeviceName]) -> String {
    let (first, rest) = names.split_at(names.len().min(MAX_LISTED_DEVICES));
    let first: Vec<&str> = first.iter().map(DeviceName::as_str).collect();
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("{}{more}", first.join(", "))
}

impl EnrollArgs {
    pub(super) fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let engine = composition::build_command_engine(&office.settings, &office.database)?;
        match (&self.name, &self.output) {
            (Some(name), _) => self.enroll_one(office, &engine, &office.find_device(name)?, json),
            (None, Some(output)) => self.enroll_all(office, &engine, output, json),
            (None, None) => Err(CommandError::usage("name a device, or use --all with --output")),
        }
    }

    /// Starts the enrollment of a device. An error of the office is returned as a value.
    fn start(
        &self,
        office: &CommandOffice,
        engine: &Auth,
        device: &Device,
    ) -> Result<Result<(EnrollmentCode, Enrollment), OfficeError>, CommandError> {
        let code = engine.generate_enrollment_code(self.lifetime).map_err(CommandError::failed)?;
        let new = NewEnrollment {
            digest: code.digest,
            lifetime: self.lifetime,
            replaces_key: self.replace,
            confirms: self.confirm,
        };
        let started = office.for_operator()?.start_enrollment(device.id, &new).map_err(CommandError::failed)?;
        Ok(started.map(|enrollment| (code, enrollment)))
    }

    fn enroll_one(
        &self,
        office: &CommandOffice,
        engine: &Auth,
        device: &Device,
        json: bool,
    ) -> Result<(), CommandError> {
        let earlier = find_waiting_enrollment(office, device)?;
        let (code, enrollment) = check_decided(Ok(self.start(office, engine, device)?))?;
        let body = EnrollmentBody::from_enrollment(&enrollment, office.ids.now()).with_code(&code);
        print::print_result(json, code.code.expose(), &body);
        if !json && std::io::stdout().is_terminal() {
            print::print_line(&draw_qr_code(code.letters().expose())?);
        }
        let until = format_instant(enrollment.expires_at);
        print::print_note(&format!("{}: enter the code at the device until {until}; it works once", device.name));
        if let Some(earlier) = earlier {
            let until = format_instant(earlier.expires_at);
            print::print_note(&format!("the earlier code, which was valid until {until}, is void"));
        }
        if self.confirm {
            print::print_note(
                "the machine then shows four digits: confirm it with \
                 tillgate device accept CODE --device DEVICE --fingerprint DIGITS",
            );
        }
        Ok(())
    }

    /// Which earlier codes and keys of these devices the new codes make void or replace.
    fn compute_impact(&self, office: &CommandOffice, devices: &[Device]) -> Result<EnrollmentImpact, CommandError> {
        let mut impact = EnrollmentImpact { voided: Vec::new(), replaced: Vec::new() };
        for device in devices {
            let has_key = find_current_key(office, device)?.is_some();
            // a device with a key gets no code
            if has_key && !self.replace {
                continue;
            }
            if has_key {
                impact.replaced.push(device.name.clone());
            }
            if find_waiting_enrollment(office, device)?.is_some() {
                impact.voided.push(device.name.clone());
            }
        }
        Ok(impact)
    }

    fn enroll_all(&self, office: &CommandOffice, engine: &Auth, output: &Path, json: bool) -> Result<(), CommandError> {
        let branch = find_branch(office, self.store.as_deref())?;
        let is_named = |device: &Device| {
            device.status == DeviceStatus::Active
                && device.environment.sells()
                && branch.is_none_or(|branch| device.branch == Some(branch))
        };
        let devices: Vec<Device> = office.list_devices()?.into_iter().filter(is_named).collect();
        let impact = self.compute_impact(office, &devices)?;
        impact.question().map_or(Ok(()), |question| self.confirmation.ask(&question))?;
        // opened before any code is drawn, so that no code is lost
        let mut file = open_secret_file(output)?;
        let failed = |error: std::io::Error| CommandError::failed(format!("{}: {error}", output.display()));
        if file.metadata().map_err(failed)?.len() == 0 {
            let headings = format_code_headings(begins_with_bom(self.bom, Some(output)));
            file.write_all(headings.as_bytes()).map_err(failed)?;
        }
        let (mut written, mut enrolled) = (0, 0);
        for device in &devices {
            match self.start(office, engine, device)? {
                Ok((code, enrollment)) => {
                    let row = format_code_row(&device.name, &code.code, enrollment.expires_at);
                    file.write_all(row.expose().as_bytes()).map_err(failed)?;
                    written += 1;
                }
                Err(OfficeError::DeviceEnrolled(_)) => enrolled += 1,
                Err(error) => return check_decided(Ok(Err(error))),
            }
        }
        file.sync_all().map_err(failed)?;
        let path = output.display().to_string();
        let voided = impact.voided.len();
        let line = format!("{path}: {}", count_text(written, "code"));
        let document = json!({ "file": path, "codes": written, "voided": voided, "already_enrolled": enrolled });
        print::print_result(json, &line, &document);
        if !json && voided > 0 {
            print::print_note(&format!("{} void", count_text(voided, "earlier code")));
        }
        if !json && enrolled > 0 {
            let devices = count_text(enrolled, "device");
            print::print_note(&format!("{devices} with a key omitted; --replace includes them"));
        }
        Ok(())
    }
}

/// Draws a QR code of these letters with block characters, for a terminal with a dark background.
fn draw_qr_code(letters: &str) -> Result<String, CommandError> {
    let code = QrCode::with_error_correction_level(letters, EcLevel::M).map_err(CommandError::failed)?;
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qr_code_of_a_long_code_fits_into_a_small_terminal() {
        let drawn = draw_qr_code("BCDFGHJKLMNP").unwrap();
        // 21 modules and a quiet zone of 4 on each side, two rows of modules on a line
        assert_eq!(drawn.lines().count(), 15, "{drawn}");
        assert!(drawn.lines().all(|line| line.chars().count() == 29), "{drawn}");
        assert_ne!(drawn, draw_qr_code("BCDFGHJKLMNQ").unwrap());
    }
}
