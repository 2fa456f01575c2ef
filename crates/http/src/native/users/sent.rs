//! What requests say of users.

use std::net::IpAddr;

use serde::Deserialize;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::office::{self, DeviceRoles, NamedFields, NewUser, RolesOn, UserChange};
use tillgate_domain::{Email, ExactJson, KnownRight, RoleName, Secret, TenantId, UserId, UserName, UserStatus};
use utoipa::ToSchema;
use validator::Validate;

use super::shape::On;
use crate::failure::{Failure, FieldFault};
use crate::field::{DisplayName, Field, Fit, Members, NewName, Unfit, first_status, fits, stays, weak_password};
use crate::native::schemas;
use crate::office::Office;

/// A user who is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewUser)]
pub(super) struct New {
    /// The name to log in under: words of letters, digits and the symbols of ASCII but `@`, with blanks between them (RFC 8265).
    /// Unique in the tenant, whatever the case.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    user_name: Field<NewName<UserName>>,
    /// An address to log in with instead. Unique over the server.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    email: Field<NewName<Email>>,
    /// The name that people read; the user name where it is not sent.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    display_name: Field<DisplayName>,
    /// The password, where they have one from the start: 8 to 128 characters, none of the commonest, not made of their names, the
    /// tenant's or a device's.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 128, write_only)]
    password: Field<Secret<String>>,
    /// Whether they must change the password at the next login; false if not sent.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<bool>)]
    password_change_required: Field<bool>,
    /// `active`, which it is where nothing is sent, or `pending`.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<schemas::FirstStatus>)]
    status: Field<UserStatus>,
    /// The feature that a virtual user stands for, who has no password.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    feature: Field<DisplayName>,
    /// Roles without a device, by name.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Vec<String>>)]
    roles: Field<Vec<RoleName>>,
    /// The devices that they may log in on, with the roles there.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Vec<On>>)]
    devices: Field<Vec<RolesOn>>,
}

/// What becomes of a user, as a merge patch (RFC 7396): what is not sent stays as it is.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = UserChange)]
pub(super) struct Change {
    /// Another name to log in under.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    user_name: Field<UserName>,
    /// Another e-mail address; null for none any more. One of your own requires `current_password`.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    email: Field<Email>,
    /// Your password, with another e-mail address of your own: whoever has the address can reset the password.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, write_only)]
    current_password: Field<Secret<String>>,
    /// Another name that people read.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    display_name: Field<String>,
    /// Another status. Whoever is no longer active loses every session; who is deleted is gone for good.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = schemas::UserStatus)]
    status: Field<UserStatus>,
    /// The roles without a device, in the place of those there are.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = Vec<String>)]
    roles: Field<Vec<RoleName>>,
    /// The devices with the roles there, in the place of those there are.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = Vec<On>)]
    devices: Field<Vec<RolesOn>>,
    /// Whether they must change the password at the next login. Ends no session.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = bool)]
    password_change_required: Field<bool>,
}

impl New {
    /// What is wrong with the fields together: the password by the policy and the names that come with it, and a status that nobody
    /// begins with.
    pub(super) fn faults(&self, policy: &PasswordPolicy) -> Vec<FieldFault> {
        let mut faults = weak_password(policy, "password", &self.password, &self.own_words());
        if matches!(self.status.value(), Some(UserStatus::Suspended | UserStatus::Deleted)) {
            faults.push(first_status());
        }
        faults
    }

    /// The words that the password may not be made of, those of the tenant among them. None are read if there is no password.
    pub(super) fn words(&self, office: &Office<'_>, tenant: TenantId) -> Result<Vec<String>, Failure> {
        office.context_words(tenant, self.password.value().is_some(), self.own_words())
    }

    /// What is wrong with the password by these words.
    pub(super) fn weak_by(&self, policy: &PasswordPolicy, words: &[String]) -> Vec<FieldFault> {
        weak_password(policy, "password", &self.password, words)
    }

    /// What it names of the tenant.
    pub(super) fn names(&self) -> NamedFields<'_> {
        NamedFields {
            roles: self.roles.value().map(Vec::as_slice),
            devices: self.devices.value().map(Vec::as_slice),
            ..NamedFields::default()
        }
    }

    /// The words in the names that come with the password.
    fn own_words(&self) -> Vec<String> {
        let names = self.user_name.value().map(|NewName(name)| name.to_string());
        let display_name = self.display_name.value().map(|DisplayName(name)| name.clone());
        let email = self.email.value().into_iter().flat_map(|NewName(email)| office::email_words(email));
        names.into_iter().chain(display_name).chain(email).collect()
    }

    /// The user, with an id of their own and the hash of the password, which is made of none of these words. It waits in the
    /// turn of the caller's `address`.
    pub(super) fn user(
        self,
        office: &Office<'_>,
        words: &[String],
        address: Option<IpAddr>,
    ) -> Result<NewUser, Failure> {
        let NewName(name) = self.user_name.needed()?;
        let email = self.email.given().map(|NewName(email)| email);
        let display_name = self.display_name.given().map_or_else(|| name.to_string(), |DisplayName(name)| name);
        let verifier = match self.password.given() {
            Some(password) => Some(office.engine.verifier(&password, words, address)?),
            None => None,
        };
        Ok(NewUser {
            id: office.engine.id(UserId::new)?,
            email,
            display_name,
            name,
            status: self.status.given().unwrap_or(UserStatus::Active),
            feature: self.feature.given().map(|DisplayName(feature)| feature),
            roles: self.roles.given().unwrap_or_default(),
            devices: self.devices.given().unwrap_or_default(),
            verifier,
            password_change_required: self.password_change_required.given().unwrap_or(false),
        })
    }
}

impl Change {
    /// The password that came with another e-mail address.
    pub(super) fn proof(&self) -> Option<Secret<String>> {
        self.email.clone().patch().and_then(|_| self.current_password.clone().given())
    }

    /// What it names of the tenant, and the status that it gives this user.
    pub(super) fn names(&self, id: UserId) -> NamedFields<'_> {
        NamedFields {
            roles: self.roles.value().map(Vec::as_slice),
            devices: self.devices.value().map(Vec::as_slice),
            user_status: self.status.value().map(|status| (id, *status)),
            ..NamedFields::default()
        }
    }

    /// The right that the change requires.
    pub(super) fn right(&self) -> KnownRight {
        if self.status.value() == Some(&UserStatus::Deleted) { KnownRight::UserDelete } else { KnownRight::UserUpdate }
    }

    pub(super) fn change(self) -> UserChange {
        UserChange {
            name: self.user_name.given(),
            email: self.email.patch(),
            display_name: self.display_name.given(),
            status: self.status.given(),
            roles: self.roles.given(),
            rank: None,
            devices: self.devices.given().map_or(DeviceRoles::Keep, DeviceRoles::Replace),
            password_change_required: self.password_change_required.given(),
            proved: false,
        }
    }
}

impl Fit for RolesOn {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let mut sent = Members::of(value)?;
        let (device, roles) = (sent.need("device"), sent.need("roles"));
        sent.made(device.zip(roles).map(|(device, roles)| Self { device, roles }))
    }
}
