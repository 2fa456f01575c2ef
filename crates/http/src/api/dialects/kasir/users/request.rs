//! Requests to create or update a user.

use std::net::IpAddr;

use serde::Deserialize;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::office::{NewUser, UnguardedOffice, UserChange, email_context_words};
use tillgate_domain::{Email, ExactJson, Rank, RoleName, Secret, UserId, UserName, UserStatus};
use validator::Validate;

use crate::context::office::{OfficeContext, context_words};
use crate::error::{ApiError, FieldErrorCode, FieldViolation};
use crate::request::Request;
use crate::request::body;
use crate::request::field::{BodyField, FieldError, FromJson, NewName, check_password, well_typed};
use crate::request::partial_body::PartialBody;

/// The body of a new user.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(super) struct CreateUser {
    #[validate(required, custom(function = "well_typed"))]
    username: BodyField<NewName<UserName>>,
    #[validate(required, custom(function = "well_typed"))]
    email: BodyField<NewName<Email>>,
    #[validate(required, custom(function = "well_typed"))]
    password: BodyField<Secret<String>>,
    #[validate(required, custom(function = "well_typed"))]
    role: BodyField<Rank>,
    #[validate(custom(function = "well_typed"))]
    is_active: BodyField<bool>,
}

/// The body of a change; all members are optional.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(super) struct UpdateUser {
    #[validate(custom(function = "well_typed"))]
    username: BodyField<UserName>,
    #[validate(custom(function = "well_typed"))]
    email: BodyField<Email>,
    #[validate(custom(function = "well_typed"))]
    old_password: BodyField<Secret<String>>,
    #[validate(custom(function = "well_typed"))]
    role: BodyField<Rank>,
    #[validate(custom(function = "well_typed"))]
    is_active: BodyField<bool>,
}

impl FromJson for Rank {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        parse_rank(&String::from_json(value)?)
            .ok_or_else(|| FieldError::for_value(FieldErrorCode::Format, ROLE_MESSAGE))
    }
}

impl CreateUser {
    /// Reads the body, with all violations but those that only the store reveals.
    pub(super) fn read(call: &Request) -> Result<PartialBody<Self>, ApiError> {
        let sent = body::read_object::<Self>(call.head().headers(), call.body())?;
        let policy = call.auth().build_password_policy();
        Ok(sent.validate(|sent| sent.password_violations(policy, &sent.name_words())))
    }

    /// Validates the password against these words.
    pub(super) fn password_violations(&self, policy: &PasswordPolicy, words: &[String]) -> Vec<FieldViolation> {
        check_password(policy, "password", &self.password, words)
    }

    /// Returns the words that the password must not consist of, including the tenant's.
    pub(super) fn words(&self, office: UnguardedOffice<'_>) -> Result<Vec<String>, ApiError> {
        context_words(office, self.password.as_value().is_some(), self.name_words())
    }

    /// Returns the words in the names that are sent with the password.
    fn name_words(&self) -> Vec<String> {
        let name = self.username.as_value().map(|NewName(name)| name.to_string());
        let email = self.email.as_value().into_iter().flat_map(|NewName(email)| email_context_words(email));
        name.into_iter().chain(email).collect()
    }

    /// Returns the requested role, if it is valid.
    pub(super) fn rank(&self) -> Option<Rank> {
        self.role.as_value().copied()
    }

    /// Creates the user with a new id and the hash of the password, which must not consist of these
    /// words. The password waits for its turn in the hash queue under the caller's `address`.
    pub(super) fn into_new_user(
        self,
        context: &OfficeContext<'_>,
        words: &[String],
        address: Option<IpAddr>,
    ) -> Result<NewUser, ApiError> {
        let (NewName(name), NewName(email)) = (self.username.require_value()?, self.email.require_value()?);
        let rank = self.role.require_value()?;
        let role = RoleName::parse(rank.name()).map_err(|why| ApiError::Fault(format!("a rank is no role: {why}")))?;
        let verifier = context.auth.hash_new_password(&self.password.require_value()?, words, address)?;
        Ok(NewUser {
            id: context.auth.new_id(UserId::new)?,
            display_name: name.to_string(),
            name,
            email: Some(email),
            status: status_of_active(self.is_active.into_value().unwrap_or(true), UserStatus::Pending),
            feature: None,
            roles: vec![role],
            devices: Vec::new(),
            verifier: Some(verifier),
            password_change_required: false,
            locale: None,
        })
    }
}

impl UpdateUser {
    /// Reads the body of a change, with all violations but those that only the store reveals.
    pub(super) fn read(call: &Request) -> Result<PartialBody<Self>, ApiError> {
        Ok(body::read_object::<Self>(call.head().headers(), call.body())?.validate(|_| Vec::new()))
    }

    /// Returns the password that confirms a change of the caller's own e-mail address. The
    /// published body has no such member.
    pub(super) fn email_change_password(&self) -> Option<Secret<String>> {
        self.email.as_value().and_then(|_| self.old_password.clone().into_value())
    }

    pub(super) fn to_change(&self) -> UserChange {
        UserChange {
            name: self.username.as_value().cloned(),
            email: self.email.as_value().cloned().map(Some),
            status: self.is_active.as_value().map(|active| status_of_active(*active, UserStatus::Suspended)),
            rank: self.role.as_value().copied(),
            ..UserChange::default()
        }
    }
}

fn status_of_active(active: bool, otherwise: UserStatus) -> UserStatus {
    if active { UserStatus::Active } else { otherwise }
}

pub(super) const ROLE_MESSAGE: &str = "must be admin, manager or cashier";

pub(super) fn parse_rank(text: &str) -> Option<Rank> {
    Rank::ALL.into_iter().find(|rank| rank.name() == text)
}
