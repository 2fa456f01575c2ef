//! Changes a device: name, settings, roles, status, together or one by one, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::office::differences::diff_fields;
use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::stores::lookup::check_branch_exists;
use crate::office::tickets::DEFAULT_FISCAL_NAME;
use crate::office::users::assignment;
use crate::office::users::last_admin;
use crate::office::{Office, text};
use crate::ticket::NumberSeries;
use crate::{
    Action, BranchId, Device, DeviceId, DeviceName, DeviceStatus, EndReason, Environment, ExactJson, InvalidText,
    JsonObject, KnownRight, Rights, Role, RoleId, RoleName, Scope, StoreError, StoreExt, Subject, TenantId,
    principal_access,
};

/// A change of a device; `None` keeps a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceChange {
    /// A new name under which the device logs in.
    pub name: Option<DeviceName>,
    /// A new environment. All sessions on the device end, because their rights, and the number of
    /// sessions that it may have, depend on it.
    pub environment: Option<Environment>,
    /// A new status.
    pub status: Option<DeviceStatus>,
    /// A new description.
    pub description: Option<String>,
    /// The change of the preferences that the POS client stores.
    pub preferences: PreferencesChange,
    /// The change of the settings that the back office makes.
    pub settings: SettingsChange,
    /// The store in which it is from now on; `Some(None)` for none.
    pub branch: Option<Option<BranchId>>,
    /// Whether users work on the device as operators from now on. The session of the person who is
    /// logged in on it ends.
    pub till_mode: Option<bool>,
    /// The names of new roles for when the device logs in as itself.
    pub roles: Option<Vec<RoleName>>,
}

impl DeviceChange {
    /// Whether the change ends the sessions on a device that is active and of another kind.
    pub fn ends_sessions(&self) -> bool {
        self.leaves() || self.environment.is_some() || self.till_mode.is_some()
    }

    /// Whether the device is not active afterwards.
    fn leaves(&self) -> bool {
        self.status.is_some_and(|status| status != DeviceStatus::Active)
    }
}

/// A change of the preferences of a device.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PreferencesChange {
    /// The preferences stay as they are.
    #[default]
    Keep,
    /// The preferences are replaced by this object.
    Replace(JsonObject),
    /// The preferences are patched (RFC 7396): members are added or replaced, nested objects are
    /// patched, and `null` removes a member.
    Patch(JsonObject),
}

/// A change of the settings of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SettingsChange {
    /// The settings stay as they are.
    #[default]
    Keep,
    /// The settings are replaced by these.
    Replace(BTreeMap<String, String>),
    /// These settings are added or replaced; an empty value removes its key.
    Edit(BTreeMap<String, String>),
    /// The settings are patched (RFC 7396): `None` removes a key, an empty value is kept.
    Patch(BTreeMap<String, Option<String>>),
}

impl Office<'_> {
    /// Changes the device and returns it. With `versions`, fails if the device has none of them.
    /// Requires the right `deviceUpdate` (`deviceDelete` to retire), every right that the device
    /// has or gets as itself, and every right that its users gain by another environment.
    ///
    /// A change of the till mode ends the session of the person who is logged in. A device that is
    /// no longer active loses all sessions on it; the permanent one only if it is
    /// retired. A retired device is also removed from its users, loses its roles and its store, and
    /// its name becomes free. A change without a difference writes nothing.
    pub fn change_device(
        &self,
        id: DeviceId,
        versions: Option<&[i64]>,
        change: &DeviceChange,
    ) -> UseCaseResult<Device> {
        self.store.write("change_device", |tx| commit_refusal(apply(tx, self, id, versions, change)))
    }

    /// Activates, locks or retires a device; see [`change_device`](Self::change_device). A retired
    /// device stays retired.
    pub fn set_device_status(&self, id: DeviceId, status: DeviceStatus) -> UseCaseResult<Device> {
        self.change_device(id, None, &DeviceChange { status: Some(status), ..DeviceChange::default() })
    }
}

fn apply(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: DeviceId,
    versions: Option<&[i64]>,
    change: &DeviceChange,
) -> Result<Device, UseCaseError> {
    let retires = change.status == Some(DeviceStatus::Retired);
    office.require(if retires { KnownRight::DeviceDelete } else { KnownRight::DeviceUpdate })?;
    let before = load_device(tx, office.tenant, id)?;
    OfficeError::check_version(Subject::Device(id), versions, before.version)?;
    let leaves = change.leaves();
    if leaves || change.roles.is_some() || change.environment.is_some() {
        // This also excludes the concurrent start of an enrollment, whose code would stay valid.
        last_admin::claim_tenant(tx, office.tenant)?;
    }
    let roles = tx.roles().list(office.tenant)?;
    office.require_all(&assignment::collect_role_rights(&before.roles, &roles))?;
    let mut refusals = FieldRefusals::default();
    let mut after = apply_change(&before, change, &mut refusals)?;
    refusals.gather(check_branch_exists(tx, office.tenant, change.branch.flatten()))?;
    let named =
        change.roles.as_ref().map(|names| refusals.gather(assignment::resolve_role_ids(&roles, names))).transpose()?;
    refusals.checked()?;
    if let Some(named) = named.flatten() {
        after.roles = named;
        office.require_all(&assignment::collect_role_rights(&after.roles, &roles))?;
    }
    if retires {
        after.roles.clear();
    }
    if after == before {
        return Ok(before);
    }
    if retires || after.roles != before.roles || after.environment != before.environment {
        office.require_recent_proof()?;
    }
    if after.environment != before.environment {
        office.require_all(&collect_new_rights(
            &tx.users().find_roles_on_device(id)?,
            &roles,
            before.environment,
            after.environment,
        ))?;
    }
    if leaves && before.status == DeviceStatus::Active {
        last_admin::check_device_removal(tx, &roles, &before)?;
    }
    after.updated_at = office.context.at;
    let scope = Scope::Device(id);
    match end_reason(&before, &after) {
        Some(why) => {
            tx.revocations().bump_epoch(scope, why, office.context.at)?;
            // A permanent session is blocked while its device is locked, and continues afterwards.
            if retires {
                tx.revocations().end_permanent(scope, why, office.context.at)?;
                tx.users().remove_device(id)?;
            }
        }
        None => tx.revocations().invalidate(scope, office.context.at)?,
    }
    if !tx.devices().update(&after)? {
        let other = tx.devices().find_by_name(office.tenant, &after.name.to_folded())?.filter(|other| other.id != id);
        return Err(match other {
            Some(_) => OfficeError::AlreadyExists { field: FieldName::Name, value: after.name.to_string() }.into(),
            None => StoreError::Conflict("the device was changed in the meantime".to_owned()).into(),
        });
    }
    if after.roles != before.roles || after.environment != before.environment || after.status != before.status {
        // Anyone who has the code would get a device with rights that the starter may lack, or one
        // that is active again after it was locked.
        tx.enrollments().cancel(id)?;
    }
    let (action, details) = audit_details(&before, &after);
    tx.audit().record(&office.build_event(action, Subject::Device(id), details))?;
    let changed = tx.devices().find(id)?;
    let changed = changed.ok_or_else(|| StoreError::Fault("a changed device does not exist any more".to_owned()))?;
    // The update has locked the device: a sign-in either was committed before, or finds the change.
    if let (true, Some(seat)) = (after.till_mode != before.till_mode, changed.seat) {
        tx.revocations().end_session(seat, EndReason::Admin, office.context.at)?;
    }
    Ok(changed)
}

/// The device, if it belongs to this tenant.
pub(in crate::office) fn load_device(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    id: DeviceId,
) -> Result<Device, UseCaseError> {
    let found = tx.devices().find(id)?.filter(|device| device.tenant == tenant);
    Ok(found.ok_or_else(|| OfficeError::NotFound { field: FieldName::Device, value: id.to_string() })?)
}

/// The fields of the device after the change. Errors of invalid fields are collected.
pub(in crate::office) fn apply_change(
    before: &Device,
    change: &DeviceChange,
    refusals: &mut FieldRefusals,
) -> Result<Device, UseCaseError> {
    let mut after = before.clone();
    if let Some(name) = &change.name {
        if *name != before.name {
            refusals
                .gather(name.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::Name, why }))?;
        }
        after.name = name.clone();
    }
    if let Some(environment) = change.environment {
        after.environment = environment;
    }
    if let Some(branch) = change.branch {
        after.branch = branch;
    }
    if let Some(till_mode) = change.till_mode {
        after.till_mode = till_mode;
    }
    if let Some(description) = &change.description {
        refusals.gather(text::check_text(FieldName::Description, description, text::MAX_DESCRIPTION_CHARS))?;
        after.description.clone_from(description);
    }
    match &change.preferences {
        PreferencesChange::Keep => {}
        PreferencesChange::Replace(preferences) => after.preferences.clone_from(preferences),
        PreferencesChange::Patch(patch) => {
            after.preferences = crate::merge_patch::merge_object(after.preferences, patch.clone());
        }
    }
    // Preferences from before this limit existed stay as they are.
    if after.preferences != before.preferences {
        refusals.gather(check_preferences(&after.preferences))?;
    }
    match &change.settings {
        SettingsChange::Keep => {}
        SettingsChange::Replace(settings) => after.settings.clone_from(settings),
        SettingsChange::Edit(settings) => {
            after.settings.extend(settings.clone());
            after.settings.retain(|_, value| !value.is_empty());
        }
        SettingsChange::Patch(settings) => {
            for (key, value) in settings {
                match value {
                    Some(value) => drop(after.settings.insert(key.clone(), value.clone())),
                    None => drop(after.settings.remove(key)),
                }
            }
        }
    }
    refusals.gather(check_settings(&after.settings, &before.settings))?;
    if let Some(status) = change.status {
        refusals.gather(check_status(before.status, status))?;
        after.status = status;
    }
    if after.status == DeviceStatus::Retired {
        after.branch = None;
    }
    Ok(after)
}

/// Checks that a status can follow the current one.
fn check_status(from: DeviceStatus, to: DeviceStatus) -> Result<(), OfficeError> {
    if from == DeviceStatus::Retired && to != DeviceStatus::Retired {
        return Err(OfficeError::InvalidStatusTransition { from: from.name(), to: to.name() });
    }
    Ok(())
}

/// Checks the preferences of a device.
pub(in crate::office) fn check_preferences(preferences: &JsonObject) -> Result<(), OfficeError> {
    validate_preferences(preferences).map_err(|why| OfficeError::InvalidValue { field: FieldName::Preferences, why })
}

/// Checks the preferences of a device: at most 32 KiB of JSON, with arrays and objects nested at
/// most 16 levels.
///
/// # Errors
///
/// The limit that they exceed.
pub fn validate_preferences(preferences: &JsonObject) -> Result<(), InvalidText> {
    const MAX_PREFERENCES_BYTES: usize = 32 * 1024;
    const MAX_DEPTH: usize = 16;
    if preferences.members().iter().any(|(_, value)| nests_deeper(value, MAX_DEPTH - 1)) {
        return Err(InvalidText::TooDeep(MAX_DEPTH));
    }
    let text = serde_json::to_string(preferences).unwrap_or_default();
    if text.len() > MAX_PREFERENCES_BYTES { Err(InvalidText::TooLong(MAX_PREFERENCES_BYTES)) } else { Ok(()) }
}

/// Whether a value nests more than `levels` arrays and objects.
fn nests_deeper(value: &ExactJson, levels: usize) -> bool {
    match value {
        ExactJson::Array(items) => levels == 0 || items.iter().any(|item| nests_deeper(item, levels - 1)),
        ExactJson::Object(members) => levels == 0 || members.iter().any(|(_, value)| nests_deeper(value, levels - 1)),
        _ => false,
    }
}

/// The greatest number of settings of a device.
pub const MAX_SETTINGS: usize = 100;

/// Limits the number of settings, requires a name for each, and checks the name of a fiscal memory
/// that was not set `before`.
pub(in crate::office) fn check_settings(
    settings: &BTreeMap<String, String>,
    before: &BTreeMap<String, String>,
) -> Result<(), OfficeError> {
    let invalid = |why| OfficeError::InvalidValue { field: FieldName::Settings, why };
    if settings.len() > MAX_SETTINGS {
        return Err(invalid(InvalidText::TooLong(MAX_SETTINGS)));
    }
    settings.iter().try_for_each(|(key, value)| text::check_setting(key, value).map_err(invalid))?;
    let memory = |settings: &BTreeMap<String, String>| settings.get(DEFAULT_FISCAL_NAME).cloned().unwrap_or_default();
    let named = memory(settings);
    if named == memory(before) { Ok(()) } else { NumberSeries::check_new_name(&named).map_err(invalid) }
}

/// Whether a change ends all sessions on the device, and why.
fn end_reason(before: &Device, after: &Device) -> Option<EndReason> {
    if before.status != after.status && after.status != DeviceStatus::Active {
        Some(EndReason::Locked)
    } else {
        (before.environment != after.environment).then_some(EndReason::Admin)
    }
}

/// The rights that these roles grant in the new environment, and did not grant in the old one.
fn collect_new_rights(ids: &BTreeSet<RoleId>, roles: &[Role], from: Environment, to: Environment) -> Rights {
    let begins =
        |role: &&Role| ids.contains(&role.id) && role.environments.contains(&to) && !role.environments.contains(&from);
    principal_access::collect_rights(roles.iter().filter(begins))
}

/// The action and the changed fields of the audit event.
fn audit_details(before: &Device, after: &Device) -> (Action, Map<String, Value>) {
    let words = |roles: &BTreeSet<RoleId>| roles.iter().map(ToString::to_string).collect::<Vec<_>>();
    let details = diff_fields([
        ("name", json!(before.name), json!(after.name)),
        ("environment", json!(before.environment), json!(after.environment)),
        ("description", json!(before.description), json!(after.description)),
        ("preferences", json!(before.preferences), json!(after.preferences)),
        ("settings", json!(before.settings), json!(after.settings)),
        ("store", json!(before.branch), json!(after.branch)),
        ("till_mode", json!(before.till_mode), json!(after.till_mode)),
        ("roles", json!(words(&before.roles)), json!(words(&after.roles))),
        ("status", json!(before.status.name()), json!(after.status.name())),
    ]);
    let retires = before.status != after.status && after.status == DeviceStatus::Retired;
    let only_status = details.len() == 1 && details.contains_key("status");
    (if only_status || retires { Action::DeviceStatus } else { Action::DeviceUpdate }, details)
}

#[cfg(test)]
mod tests;
