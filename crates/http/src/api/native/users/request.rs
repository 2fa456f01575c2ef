//! Requests of the user operations.

use crate::context::office::{OfficeContext, context_words};
use std::net::IpAddr;

use serde::Deserialize;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::office::{
    self, DeviceRoleAssignment, DeviceRolesChange, EntityChange, NamedFields, NewUser, UnguardedOffice, UserChange,
};
use tillgate_domain::{Email, ExactJson, KnownRight, Locale, RoleName, Secret, UserId, UserName, UserStatus};
use utoipa::ToSchema;
use validator::Validate;

use super::response::RolesOnDeviceBody;
use crate::api::native::schemas;
use crate::error::{ApiError, FieldErrorCode, FieldViolation};
use crate::request::field::{
    BodyField, DisplayName, FieldError, FromJson, NewName, ObjectReader, PartialValue, check_password,
    initial_status_violation, not_null, well_typed,
};

/// A new user.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewUser)]
pub(super) struct CreateUser {
    /// Name of the user in logins: words of letters, digits and ASCII symbols except `@`, separated
    /// by single spaces (RFC 8265). It must be unique in the tenant, ignoring case.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    user_name: BodyField<NewName<UserName>>,
    /// E-mail address, which can be used in logins instead of the user name. It must be unique on
    /// the server.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    email: BodyField<NewName<Email>>,
    /// Display name of the user; the user name if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    display_name: BodyField<DisplayName>,
    /// Password of the user, if it is set now: 8 to 128 characters, not a common password, not made
    /// of the user's, the tenant's or a device's name.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 128, write_only)]
    password: BodyField<Secret<String>>,
    /// Whether the user must change the password at the next login; false if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    password_change_required: BodyField<bool>,
    /// `active` or `pending`; `active` if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::FirstStatus>)]
    status: BodyField<UserStatus>,
    /// The feature that a virtual user stands for. A virtual user has no password.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    feature: BodyField<DisplayName>,
    /// Names of the roles that the user has in general.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<String>>)]
    roles: BodyField<Vec<RoleName>>,
    /// The devices on which the user may log in, with the roles there.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<RolesOnDeviceBody>>)]
    devices: BodyField<Vec<DeviceRoleAssignment>>,
    /// Language of the user, as a BCP 47 tag; that of the tenant if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 35)]
    locale: BodyField<Locale>,
}

/// Changes to a user, as a merge patch (RFC 7396): omitted members stay unchanged.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[schema(as = UserChange)]
pub(super) struct UpdateUser {
    /// New name of the user in logins.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    user_name: BodyField<UserName>,
    /// New e-mail address; null removes it. A change of your own address requires
    /// `current_password`.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    email: BodyField<Email>,
    /// Your password, required to change your own e-mail address, because a password reset is
    /// mailed to that address.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, write_only)]
    current_password: BodyField<Secret<String>>,
    /// New display name of the user.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    display_name: BodyField<String>,
    /// New status. If it is not `active`, all sessions of the user end; `deleted` is permanent.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = schemas::UserStatus)]
    status: BodyField<UserStatus>,
    /// The complete new list of roles that the user has in general.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = Vec<String>)]
    roles: BodyField<Vec<RoleName>>,
    /// The complete new list of devices on which the user may log in, with the roles there.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = Vec<RolesOnDeviceBody>)]
    devices: BodyField<Vec<DeviceRoleAssignment>>,
    /// Whether the user must change the password at the next login. Ends no session.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = bool)]
    password_change_required: BodyField<bool>,
    /// New language of the user, as a BCP 47 tag; null for that of the tenant.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 35)]
    locale: BodyField<Locale>,
}

/// How an invitation gets to the user.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewInvitation)]
pub(super) struct InviteUser {
    /// `show` returns the token in the response; `mail` mails a link to the user's e-mail address
    /// instead. `show` if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::InvitationDelivery>)]
    deliver: BodyField<InvitationDelivery>,
}

/// How the token of an invitation is delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum InvitationDelivery {
    /// In the response, once.
    #[default]
    Show,
    /// By a mail with a link.
    Mail,
}

impl FromJson for InvitationDelivery {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        match String::from_json(value)?.as_str() {
            "show" => Ok(Self::Show),
            "mail" => Ok(Self::Mail),
            _ => Err(FieldError::for_value(FieldErrorCode::Format, "must be show or mail")),
        }
    }
}

impl InviteUser {
    pub(super) fn delivery(self) -> InvitationDelivery {
        self.deliver.into_value().unwrap_or_default()
    }
}

impl CreateUser {
    /// Validates fields against each other: the password against the policy and the user's names,
    /// and the status against those allowed for a new user.
    pub(super) fn violations(&self, policy: &PasswordPolicy) -> Vec<FieldViolation> {
        let mut violations = check_password(policy, "password", &self.password, &self.name_words());
        if matches!(self.status.as_value(), Some(UserStatus::Suspended | UserStatus::Deleted)) {
            violations.push(initial_status_violation());
        }
        violations
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
            devices: self.devices.as_value().map(Vec::as_slice),
            ..NamedFields::default()
        }
    }

    /// Returns the words in the names that are sent with the password.
    fn name_words(&self) -> Vec<String> {
        let names = self.user_name.as_value().map(|NewName(name)| name.to_string());
        let display_name = self.display_name.as_value().map(|DisplayName(name)| name.clone());
        let email = self.email.as_value().into_iter().flat_map(|NewName(email)| office::email_context_words(email));
        names.into_iter().chain(display_name).chain(email).collect()
    }

    /// Creates the user with a new id and the hash of the password, which must not consist of these
    /// words. The password waits for its turn in the hash queue under the caller's `address`.
    pub(super) fn into_new_user(
        self,
        context: &OfficeContext<'_>,
        words: &[String],
        address: Option<IpAddr>,
    ) -> Result<NewUser, ApiError> {
        let NewName(name) = self.user_name.require_value()?;
        let email = self.email.into_value().map(|NewName(email)| email);
        let display_name = self.display_name.into_value().map_or_else(|| name.to_string(), |DisplayName(name)| name);
        let verifier = match self.password.into_value() {
            Some(password) => Some(context.auth.hash_new_password(&password, words, address)?),
            None => None,
        };
        Ok(NewUser {
            id: context.auth.new_id(UserId::new)?,
            email,
            display_name,
            name,
            status: self.status.into_value().unwrap_or(UserStatus::Active),
            feature: self.feature.into_value().map(|DisplayName(feature)| feature),
            roles: self.roles.into_value().unwrap_or_default(),
            devices: self.devices.into_value().unwrap_or_default(),
            verifier,
            password_change_required: self.password_change_required.into_value().unwrap_or(false),
            locale: self.locale.into_value(),
        })
    }
}

impl UpdateUser {
    /// Returns the password that confirms a change of the e-mail address.
    pub(super) fn email_change_password(&self) -> Option<Secret<String>> {
        self.email.clone().into_patch().and_then(|_| self.current_password.clone().into_value())
    }

    /// Returns the names in the request that must exist in the tenant, and the change as a whole.
    pub(super) fn names<'a>(&'a self, change: EntityChange<'a>) -> NamedFields<'a> {
        NamedFields {
            roles: self.roles.as_value().map(Vec::as_slice),
            devices: self.devices.as_value().map(Vec::as_slice),
            change: Some(change),
            ..NamedFields::default()
        }
    }

    /// Returns the right that the change requires.
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
            locale: self.locale.into_patch(),
            password_confirmed: false,
        }
    }
}

/// The parts of an assignment are its device with the roles that are valid.
impl FromJson for DeviceRoleAssignment {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::from_json_partially(value).require_complete()
    }

    fn from_json_partially(value: ExactJson) -> PartialValue<Self> {
        ObjectReader::read_object(value, |sent| {
            let (device, roles) = (sent.require("device"), sent.require::<Vec<_>>("roles"));
            device.map(|device| Self { device, roles: roles.unwrap_or_default() })
        })
    }
}
