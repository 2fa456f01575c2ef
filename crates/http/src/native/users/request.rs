//! What requests say of users.

use std::net::IpAddr;

use serde::Deserialize;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::office::{self, DeviceRoleAssignment, DeviceRolesChange, NamedFields, NewUser, UserChange};
use tillgate_domain::{Email, ExactJson, KnownRight, RoleName, Secret, TenantId, UserId, UserName, UserStatus};
use utoipa::ToSchema;
use validator::Validate;

use super::response::RolesOnDeviceBody;
use crate::error::{ApiError, FieldViolation};
use crate::field::{
    BodyField, DisplayName, FieldError, FromJson, NewName, ObjectReader, check_password, first_status, not_null,
    well_typed,
};
use crate::native::schemas;
use crate::office::Office;

/// A user who is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewUser)]
pub(super) struct CreateUser {
    /// The name to log in under: words of letters, digits and the symbols of ASCII but `@`, with blanks between them (RFC 8265).
    /// Unique in the tenant, whatever the case.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    user_name: BodyField<NewName<UserName>>,
    /// An address to log in with instead. Unique over the server.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    email: BodyField<NewName<Email>>,
    /// The name that people read; the user name where it is not sent.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    display_name: BodyField<DisplayName>,
    /// The password, where they have one from the start: 8 to 128 characters, none of the commonest, not made of their names, the
    /// tenant's or a device's.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 128, write_only)]
    password: BodyField<Secret<String>>,
    /// Whether they must change the password at the next login; false if not sent.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    password_change_required: BodyField<bool>,
    /// `active`, which it is where nothing is sent, or `pending`.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::FirstStatus>)]
    status: BodyField<UserStatus>,
    /// The feature that a virtual user stands for, who has no password.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    feature: BodyField<DisplayName>,
    /// Roles without a device, by name.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<String>>)]
    roles: BodyField<Vec<RoleName>>,
    /// The devices that they may log in on, with the roles there.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<RolesOnDeviceBody>>)]
    devices: BodyField<Vec<DeviceRoleAssignment>>,
}

/// What becomes of a user, as a merge patch (RFC 7396): what is not sent stays as it is.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = UserChange)]
pub(super) struct UpdateUser {
    /// Another name to log in under.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    user_name: BodyField<UserName>,
    /// Another e-mail address; null for none any more. One of your own requires `current_password`.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    email: BodyField<Email>,
    /// Your password, with another e-mail address of your own: whoever has the address can reset the password.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, write_only)]
    current_password: BodyField<Secret<String>>,
    /// Another name that people read.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    display_name: BodyField<String>,
    /// Another status. Whoever is no longer active loses every session; who is deleted is gone for good.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = schemas::UserStatus)]
    status: BodyField<UserStatus>,
    /// The roles without a device, in the place of those there are.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = Vec<String>)]
    roles: BodyField<Vec<RoleName>>,
    /// The devices with the roles there, in the place of those there are.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = Vec<RolesOnDeviceBody>)]
    devices: BodyField<Vec<DeviceRoleAssignment>>,
    /// Whether they must change the password at the next login. Ends no session.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = bool)]
    password_change_required: BodyField<bool>,
}

impl CreateUser {
    /// What is wrong with the fields together: the password by the policy and the names that come with it, and a status that nobody
    /// begins with.
    pub(super) fn faults(&self, policy: &PasswordPolicy) -> Vec<FieldViolation> {
        let mut faults = check_password(policy, "password", &self.password, &self.name_words());
        if matches!(self.status.as_value(), Some(UserStatus::Suspended | UserStatus::Deleted)) {
            faults.push(first_status());
        }
        faults
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
        NamedFields {
            roles: self.roles.as_value().map(Vec::as_slice),
            devices: self.devices.as_value().map(Vec::as_slice),
            ..NamedFields::default()
        }
    }

    /// The words in the names that come with the password.
    fn name_words(&self) -> Vec<String> {
        let names = self.user_name.as_value().map(|NewName(name)| name.to_string());
        let display_name = self.display_name.as_value().map(|DisplayName(name)| name.clone());
        let email = self.email.as_value().into_iter().flat_map(|NewName(email)| office::email_context_words(email));
        names.into_iter().chain(display_name).chain(email).collect()
    }

    /// The user, with an id of their own and the hash of the password, which is made of none of these words. It waits in the
    /// turn of the caller's `address`.
    pub(super) fn into_new_user(
        self,
        office: &Office<'_>,
        words: &[String],
        address: Option<IpAddr>,
    ) -> Result<NewUser, ApiError> {
        let NewName(name) = self.user_name.require_value()?;
        let email = self.email.into_value().map(|NewName(email)| email);
        let display_name = self.display_name.into_value().map_or_else(|| name.to_string(), |DisplayName(name)| name);
        let verifier = match self.password.into_value() {
            Some(password) => Some(office.auth.hash_new_password(&password, words, address)?),
            None => None,
        };
        Ok(NewUser {
            id: office.auth.new_id(UserId::new)?,
            email,
            display_name,
            name,
            status: self.status.into_value().unwrap_or(UserStatus::Active),
            feature: self.feature.into_value().map(|DisplayName(feature)| feature),
            roles: self.roles.into_value().unwrap_or_default(),
            devices: self.devices.into_value().unwrap_or_default(),
            verifier,
            password_change_required: self.password_change_required.into_value().unwrap_or(false),
        })
    }
}

impl UpdateUser {
    /// The password that came with another e-mail address.
    pub(super) fn email_change_password(&self) -> Option<Secret<String>> {
        self.email.clone().into_patch().and_then(|_| self.current_password.clone().into_value())
    }

    /// What it names of the tenant, and the status that it gives this user.
    pub(super) fn names(&self, id: UserId) -> NamedFields<'_> {
        NamedFields {
            roles: self.roles.as_value().map(Vec::as_slice),
            devices: self.devices.as_value().map(Vec::as_slice),
            user_status: self.status.as_value().map(|status| (id, *status)),
            ..NamedFields::default()
        }
    }

    /// The right that the change requires.
    pub(super) fn right(&self) -> KnownRight {
        if self.status.as_value() == Some(&UserStatus::Deleted) {
            KnownRight::UserDelete
        } else {
            KnownRight::UserUpdate
        }
    }

    pub(super) fn into_change(self) -> UserChange {
        UserChange {
            name: self.user_name.into_value(),
            email: self.email.into_patch(),
            display_name: self.display_name.into_value(),
            status: self.status.into_value(),
            roles: self.roles.into_value(),
            rank: None,
            devices: self.devices.into_value().map_or(DeviceRolesChange::Keep, DeviceRolesChange::Replace),
            password_change_required: self.password_change_required.into_value(),
            password_confirmed: false,
        }
    }
}

impl FromJson for DeviceRoleAssignment {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let mut sent = ObjectReader::open(value)?;
        let (device, roles) = (sent.require("device"), sent.require("roles"));
        sent.finish(device.zip(roles).map(|(device, roles)| Self { device, roles }))
    }
}
