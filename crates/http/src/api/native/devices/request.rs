//! Requests of the device operations.

use crate::context::office::{OfficeContext, context_words};
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::office::{
    DeviceChange, EntityChange, NamedFields, NewDevice, PreferencesChange, SettingsChange, UnguardedOffice,
};
use tillgate_domain::{
    BranchId, DeviceId, DeviceName, DeviceStatus, Environment, JsonObject, KnownRight, RoleName, Secret,
};
use utoipa::ToSchema;
use validator::Validate;

use crate::api::native::schemas;
use crate::error::{ApiError, FieldViolation};
use crate::request::field::{
    BodyField, Description, DevicePreferences, DeviceSettings, NewName, check_password, initial_status_violation,
    not_null, well_typed,
};

/// A new device.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewDevice)]
pub(super) struct CreateDevice {
    /// Name of the device in logins. It must be unique in the tenant, ignoring case; names of
    /// retired devices can be used again.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    name: BodyField<NewName<DeviceName>>,
    /// Kind of the device.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = schemas::Environment, required = true)]
    environment: BodyField<Environment>,
    /// `active` or `pending`; `active` if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::FirstStatus>)]
    status: BodyField<DeviceStatus>,
    /// Where the device is or what it is for.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// Preferences that the program on the device stores for itself.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Object>)]
    preferences: BodyField<DevicePreferences>,
    /// Settings that the back office makes for the program on the device.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    settings: BodyField<DeviceSettings>,
    /// Id of the store in which the device is; in none if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<uuid::Uuid>)]
    store: BodyField<BranchId>,
    /// Names of the roles that apply when the device logs in as itself.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<String>>)]
    roles: BodyField<Vec<RoleName>>,
    /// Password with which the device logs in as itself, 8 to 128 characters. Without a password it
    /// cannot log in as itself.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 128, write_only)]
    password: BodyField<Secret<String>>,
}

/// Changes to a device, as a merge patch (RFC 7396): omitted members stay unchanged.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DeviceChange)]
pub(super) struct UpdateDevice {
    /// New name of the device in logins.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: BodyField<DeviceName>,
    /// New kind of the device; all sessions on the device end.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = schemas::Environment)]
    environment: BodyField<Environment>,
    /// New status. If it is not `active`, all sessions on the device end; `retired` is permanent.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = schemas::DeviceStatus)]
    status: BodyField<DeviceStatus>,
    /// New description; null removes it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// Merge patch of the preferences: null removes a member, or all preferences if sent instead of
    /// the object.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Object>)]
    preferences: BodyField<JsonObject>,
    /// Merge patch of the settings: null removes a setting, or all settings if sent instead of the
    /// object.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    settings: BodyField<DeviceSettings>,
    /// Id of the store in which the device is from now on; null removes it from its store.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<uuid::Uuid>)]
    store: BodyField<BranchId>,
    /// Whether users work on the device as operators, who sign in under its own session. A change
    /// ends the session of the person who is logged in on it.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = bool)]
    till_mode: BodyField<bool>,
    /// The complete new list of roles that apply when the device logs in as itself.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = Vec<String>)]
    roles: BodyField<Vec<RoleName>>,
}

impl CreateDevice {
    /// Validates fields against each other: the password against the policy and the device's name,
    /// and the status against those allowed for a new device.
    pub(super) fn violations(&self, policy: &PasswordPolicy) -> Vec<FieldViolation> {
        let mut violations = self.password_violations(policy, &self.name_words());
        if matches!(self.status.as_value(), Some(DeviceStatus::Locked | DeviceStatus::Retired)) {
            violations.push(initial_status_violation());
        }
        violations
    }

    fn name_words(&self) -> Vec<String> {
        self.name.as_value().map(|NewName(name)| name.to_string()).into_iter().collect()
    }

    /// Returns the words that the password must not consist of, including the tenant's. Reads
    /// nothing from the store if there is no password.
    pub(super) fn words(&self, office: UnguardedOffice<'_>) -> Result<Vec<String>, ApiError> {
        context_words(office, self.password.as_value().is_some(), self.name_words())
    }

    /// Validates the password against these words.
    pub(super) fn password_violations(&self, policy: &PasswordPolicy, words: &[String]) -> Vec<FieldViolation> {
        check_password(policy, "password", &self.password, words)
    }

    /// Returns the names in the request that must exist in the tenant.
    pub(super) fn names(&self) -> NamedFields<'_> {
        NamedFields {
            roles: self.roles.as_value().map(Vec::as_slice),
            store: self.store.as_value().copied(),
            ..NamedFields::default()
        }
    }

    /// Creates the device with a new id and the hash of its password, which must not consist of
    /// these words. The password waits for its turn in the hash queue under the caller's `address`.
    pub(super) fn into_new_device(
        self,
        context: &OfficeContext<'_>,
        words: &[String],
        address: Option<IpAddr>,
    ) -> Result<NewDevice, ApiError> {
        let NewName(name) = self.name.require_value()?;
        let verifier = match self.password.into_value() {
            Some(password) => Some(context.auth.hash_new_password(&password, words, address)?),
            None => None,
        };
        let settings = self.settings.into_value().map(|DeviceSettings(settings)| settings).unwrap_or_default();
        Ok(NewDevice {
            id: context.auth.new_id(DeviceId::new)?,
            name,
            environment: self.environment.require_value()?,
            status: self.status.into_value().unwrap_or(DeviceStatus::Active),
            description: self.description.into_value().map(|Description(text)| text).unwrap_or_default(),
            preferences: self.preferences.into_value().map(|DevicePreferences(object)| object).unwrap_or_default(),
            settings: settings.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
            branch: self.store.into_value(),
            roles: self.roles.into_value().unwrap_or_default(),
            verifier,
        })
    }
}

impl UpdateDevice {
    /// Returns the names in the request that must exist in the tenant, and the change as a whole.
    pub(super) fn names<'a>(&'a self, change: EntityChange<'a>) -> NamedFields<'a> {
        NamedFields {
            roles: self.roles.as_value().map(Vec::as_slice),
            store: self.store.as_value().copied(),
            change: Some(change),
            ..NamedFields::default()
        }
    }

    /// Returns the right that the change requires.
    pub(super) fn right(&self) -> KnownRight {
        if self.status.as_value() == Some(&DeviceStatus::Retired) {
            KnownRight::DeviceDelete
        } else {
            KnownRight::DeviceUpdate
        }
    }

    pub(super) fn into_change(self) -> DeviceChange {
        DeviceChange {
            name: self.name.into_value(),
            environment: self.environment.into_value(),
            status: self.status.into_value(),
            description: self
                .description
                .into_patch()
                .map(|text| text.map(|Description(text)| text).unwrap_or_default()),
            preferences: match self.preferences.into_patch() {
                None => PreferencesChange::Keep,
                Some(None) => PreferencesChange::Replace(JsonObject::default()),
                Some(Some(patch)) => PreferencesChange::Patch(patch),
            },
            settings: match self.settings.into_patch() {
                None => SettingsChange::Keep,
                Some(None) => SettingsChange::Replace(BTreeMap::new()),
                Some(Some(DeviceSettings(patch))) => SettingsChange::Patch(patch),
            },
            branch: self.store.into_patch(),
            till_mode: self.till_mode.into_value(),
            roles: self.roles.into_value(),
        }
    }
}
