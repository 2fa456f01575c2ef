//! `device keys` and `device revoke-key`: list the keys of a device and revoke the current one.

use clap::Args;
use serde_json::json;
use tillgate_auth_core::dpop::encode_base64url;
use tillgate_auth_core::session::SessionKind;
use tillgate_domain::{Device, DeviceKey, DeviceKeyState, DeviceName};
use tillgate_http::native_bodies::DeviceKeyBody;

use super::super::confirmation::{ConfirmationArgs, count_text};
use super::super::json::format_instant;
use super::super::office::{CommandOffice, check_decided};
use super::super::session::count_live_device_sessions;
use super::super::{CommandError, parse, print};

/// The arguments of `device keys`.
#[derive(Debug, Args)]
pub(crate) struct KeyListArgs {
    /// Name of the device
    #[arg(value_parser = parse::device)]
    name: DeviceName,
}

impl KeyListArgs {
    pub(super) fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let keys = list_keys(office, &office.find_device(&self.name)?)?;
        let row = |key: &DeviceKey| {
            let cells = [
                encode_base64url(&key.thumbprint),
                key.state.name().to_owned(),
                key.storage.name().to_owned(),
                key.label.clone(),
                key.app.clone(),
                format_instant(key.enrolled_at),
                key.used_at.map_or_else(|| "-".to_owned(), format_instant),
            ];
            cells.to_vec()
        };
        let rows: Vec<_> = keys.iter().map(|key| (row(key), DeviceKeyBody::from_key(key))).collect();
        print::print_table(json, &["THUMBPRINT", "STATE", "STORAGE", "LABEL", "APP", "ENROLLED", "LAST USED"], &rows);
        Ok(())
    }
}

/// The arguments of `device revoke-key`.
#[derive(Debug, Args)]
pub(crate) struct RevokeKeyArgs {
    /// Name of the device
    #[arg(value_parser = parse::device)]
    name: DeviceName,
    #[command(flatten)]
    confirmation: ConfirmationArgs,
}

impl RevokeKeyArgs {
    pub(super) fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let (name, device) = (&self.name, office.find_device(&self.name)?);
        let key = find_current_key(office, &device)?
            .ok_or_else(|| CommandError::failed(format!("the device \"{name}\" has no key")))?;
        let ended = count_live_device_sessions(office, device.id, &[SessionKind::Person, SessionKind::Device])?;
        let sessions = count_text(ended, "session");
        self.confirmation.ask(&format!(
            "This permanently revokes the key of the device \"{name}\" ({}) and ends {sessions}",
            describe_key(&key)
        ))?;
        if !check_decided(office.for_operator()?.revoke_device_key(device.id, &key.thumbprint))? {
            return Err(CommandError::failed(format!("the key of \"{name}\" has changed; run the command again")));
        }
        let document = json!({ "revoked": encode_base64url(&key.thumbprint), "ended": ended });
        print::print_result(json, &format!("{name}: key revoked; sessions ended: {ended}"), &document);
        Ok(())
    }
}

fn list_keys(office: &CommandOffice, device: &Device) -> Result<Vec<DeviceKey>, CommandError> {
    check_decided(office.reader_for_operator().list_device_keys(device.id))
}

/// The current key of a device.
pub(super) fn find_current_key(office: &CommandOffice, device: &Device) -> Result<Option<DeviceKey>, CommandError> {
    Ok(list_keys(office, device)?.into_iter().find(|key| key.state == DeviceKeyState::Current))
}

/// What the machine said of itself, where it keeps the key, and when the key was used.
pub(super) fn describe_key(key: &DeviceKey) -> String {
    let used = key.used_at.map_or_else(|| "never used since".to_owned(), |at| format!("used {}", format_instant(at)));
    let enrolled = format!("enrolled {}, {used}", format_instant(key.enrolled_at));
    let texts = [key.label.as_str(), &key.app, key.storage.name(), &enrolled];
    texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}
