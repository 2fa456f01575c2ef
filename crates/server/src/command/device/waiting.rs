//! `device waiting` and `device cancel`: list the machines that wait to be accepted, and cancel the
//! enrollment of a device.

use clap::Args;
use serde::Serialize;
use serde_json::json;
use tillgate_domain::office::PendingKeyView;
use tillgate_domain::{Device, DeviceName, Enrollment, EnrollmentState, Instant, PendingKey};
use tillgate_http::native_bodies::PendingKeyBody;

use super::super::json::format_instant;
use super::super::office::{CommandOffice, check_decided};
use super::super::{CommandError, parse, print};

/// The arguments of `device waiting`.
#[derive(Debug, Args)]
pub(crate) struct WaitingArgs {
    /// Maximum number of rows
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = parse::limit::<u32>())]
    limit: u32,
}

/// A machine that waits, as the native API shows it, with the device that is chosen for it.
#[derive(Serialize)]
struct PendingMachineBody<'v> {
    device: Option<&'v str>,
    #[serde(flatten)]
    key: PendingKeyBody<'v>,
}

impl<'v> PendingMachineBody<'v> {
    fn from_view(view: &'v PendingKeyView, now: Instant) -> Self {
        let device = view.device.as_ref().map(DeviceName::as_str);
        Self { device, key: PendingKeyBody::from_key(&view.key, None, now) }
    }
}

impl WaitingArgs {
    pub(super) fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        // one more shows whether there are more
        let limit = self.limit.saturating_add(1);
        let mut views = check_decided(office.reader_for_operator().list_pending_keys(limit))?;
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_more = views.len() > most;
        views.truncate(most);
        let row = |view: &PendingKeyView| {
            let key = &view.key;
            let cells = [
                key.label.clone(),
                key.app.clone(),
                key.storage.name().to_owned(),
                key.address.map_or_else(|| "-".to_owned(), |address| address.to_string()),
                view.device.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
                format_instant(key.created_at),
                format_instant(key.expires_at),
            ];
            cells.to_vec()
        };
        let now = office.ids.now();
        let rows: Vec<_> = views.iter().map(|view| (row(view), PendingMachineBody::from_view(view, now))).collect();
        print::print_table(json, &["LABEL", "APP", "STORAGE", "ADDRESS", "DEVICE", "SINCE", "UNTIL"], &rows);
        if has_more {
            print::print_note("more machines wait; --limit shows them");
        }
        Ok(())
    }
}

/// The arguments of `device cancel`.
#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// Name of the device
    #[arg(value_parser = parse::device)]
    name: DeviceName,
}

impl CancelArgs {
    pub(super) fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let (name, device) = (&self.name, office.find_device(&self.name)?);
        if find_waiting_enrollment(office, &device)?.is_none() {
            return Err(CommandError::failed(format!("no enrollment of the device \"{name}\" waits for its machine")));
        }
        check_decided(office.for_operator()?.cancel_enrollment(device.id))?;
        print::print_result(json, &format!("{name}: enrollment canceled"), &json!({ "canceled": name }));
        Ok(())
    }
}

/// The enrollment of a device whose code waits to be used.
pub(super) fn find_waiting_enrollment(
    office: &CommandOffice,
    device: &Device,
) -> Result<Option<Enrollment>, CommandError> {
    let found = check_decided(office.reader_for_operator().find_enrollment(device.id))?;
    Ok(found.filter(|enrollment| enrollment.state(office.ids.now()) == EnrollmentState::Waiting))
}

/// The enrollment that is under way to give the device a key, with the machine that waits to be
/// accepted.
pub(super) fn find_unfinished_enrollment(
    office: &CommandOffice,
    device: &Device,
) -> Result<Option<(Enrollment, Option<PendingKey>)>, CommandError> {
    let found = check_decided(office.reader_for_operator().find_enrollment_with_key(device.id))?;
    let now = office.ids.now();
    Ok(found.filter(|(enrollment, key)| key.is_some() || enrollment.state(now) == EnrollmentState::Waiting))
}

/// What an enrollment that is under way waits for.
pub(super) fn describe_enrollment((enrollment, key): &(Enrollment, Option<PendingKey>)) -> String {
    match key {
        Some(key) => format!("a machine waits to be accepted until {}", format_instant(key.expires_at)),
        None => format!("waits for its machine until {}", format_instant(enrollment.expires_at)),
    }
}
