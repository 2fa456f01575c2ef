//! What requests say of devices.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::office::{DeviceChange, NamedFields, NewDevice, PreferencesChange, SettingsChange};
use tillgate_domain::{
    DeviceId, DeviceName, DeviceStatus, Environment, JsonObject, KnownRight, RoleName, Secret, TenantId,
};
use utoipa::ToSchema;
use validator::Validate;

use crate::error::{ApiError, FieldViolation};
use crate::field::{
    BodyField, Description, DevicePreferences, DeviceSettings, NewName, check_password, first_status, not_null,
    well_typed,
};
use crate::native::schemas;
use crate::office::Office;

/// A device that is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewDevice)]
pub(super) struct CreateDevice {
    /// The name to log in under. Unique in the tenant, whatever the case; that of a retired one is free.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    name: BodyField<NewName<DeviceName>>,
    /// What kind it is.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = schemas::Environment, required = true)]
    environment: BodyField<Environment>,
    /// `active`, which it is where nothing is sent, or `pending`.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::FirstStatus>)]
    status: BodyField<DeviceStatus>,
    /// Where it stands, what it is for.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// What the program on it remembers of its own.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Object>)]
    preferences: BodyField<DevicePreferences>,
    /// What the back office sets for the program on it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    settings: BodyField<DeviceSettings>,
    /// The roles that it has when it logs in as itself, by name.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<String>>)]
    roles: BodyField<Vec<RoleName>>,
    /// The password that it logs in as itself with: 8 to 128 characters. Without one it does not.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 128, write_only)]
    password: BodyField<Secret<String>>,
}

/// What becomes of a device, as a merge patch (RFC 7396): what is not sent stays as it is.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = DeviceChange)]
pub(super) struct UpdateDevice {
    /// Another name to log in under.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: BodyField<DeviceName>,
    /// Another kind of device: every session on it ends.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = schemas::Environment)]
    environment: BodyField<Environment>,
    /// Another status. What is no longer active loses every session on it; what is retired is so for good.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = schemas::DeviceStatus)]
    status: BodyField<DeviceStatus>,
    /// Another description; null for none.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// Members of what the program remembers; one that is null goes, and all of it where this is null.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Object>)]
    preferences: BodyField<JsonObject>,
    /// Settings; one that is null goes, and all of them where this is null.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    settings: BodyField<DeviceSettings>,
    /// The roles that it has as itself, in the place of those there are.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = Vec<String>)]
    roles: BodyField<Vec<RoleName>>,
}

impl CreateDevice {
    /// What is wrong with the fields together: the password by the policy and the name that comes with it, and a status that no
    /// device begins with.
    pub(super) fn faults(&self, policy: &PasswordPolicy) -> Vec<FieldViolation> {
        let mut faults = self.weak_by(policy, &self.name_words());
        if matches!(self.status.as_value(), Some(DeviceStatus::Locked | DeviceStatus::Retired)) {
            faults.push(first_status());
        }
        faults
    }

    fn name_words(&self) -> Vec<String> {
        self.name.as_value().map(|NewName(name)| name.to_string()).into_iter().collect()
    }

    /// The words that the password may not be made of, those of the tenant among them. None are read if there is no password.
    pub(super) fn words(&self, office: &Office<'_>, tenant: TenantId) -> Result<Vec<String>, ApiError> {
        office.context_words(tenant, self.password.as_value().is_some(), self.name_words())
    }

    /// What is wrong with the password by these words.
    pub(super) fn weak_by(&self, policy: &PasswordPolicy, words: &[String]) -> Vec<FieldViolation> {
        check_password(policy, "password", &self.password, words)
    }

    /// What it names of the tenant.
    pub(super) fn names(&self) -> NamedFields<'_> {
        NamedFields { roles: self.roles.as_value().map(Vec::as_slice), ..NamedFields::default() }
    }

    /// The device, with an id of its own and the hash of its password, which is made of none of these words. It waits in the
    /// turn of the caller's `address`.
    pub(super) fn into_new_device(
        self,
        office: &Office<'_>,
        words: &[String],
        address: Option<IpAddr>,
    ) -> Result<NewDevice, ApiError> {
        let NewName(name) = self.name.require_value()?;
        let verifier = match self.password.into_value() {
            Some(password) => Some(office.auth.hash_new_password(&password, words, address)?),
            None => None,
        };
        let settings = self.settings.into_value().map(|DeviceSettings(settings)| settings).unwrap_or_default();
        Ok(NewDevice {
            id: office.auth.new_id(DeviceId::new)?,
            name,
            environment: self.environment.require_value()?,
            status: self.status.into_value().unwrap_or(DeviceStatus::Active),
            description: self.description.into_value().map(|Description(text)| text).unwrap_or_default(),
            preferences: self.preferences.into_value().map(|DevicePreferences(object)| object).unwrap_or_default(),
            settings: settings.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
            roles: self.roles.into_value().unwrap_or_default(),
            verifier,
        })
    }
}

impl UpdateDevice {
    /// What it names of the tenant, and the status that it gives this device.
    pub(super) fn names(&self, id: DeviceId) -> NamedFields<'_> {
        NamedFields {
            roles: self.roles.as_value().map(Vec::as_slice),
            device_status: self.status.as_value().map(|status| (id, *status)),
            ..NamedFields::default()
        }
    }

    /// The right that the change requires.
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
            roles: self.roles.into_value(),
        }
    }
}
