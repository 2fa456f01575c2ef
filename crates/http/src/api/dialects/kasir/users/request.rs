//! Requests to create or update a user.

use serde::Deserialize;
use tillgate_domain::office::email_context_words;
use tillgate_domain::{Email, ExactJson, Rank, Secret, UserName};
use validator::Validate;

use crate::error::{ApiError, FieldErrorCode};
use crate::request::Request;
use crate::request::body;
use crate::request::field::{
    BodyField, FieldError, FromJson, NewName, check_password, validate_body, validate_body_with, well_typed,
};

/// The body of a new user.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct CreateUser {
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
struct UpdateUser {
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

/// A validated new user.
pub(super) struct CreateUserInput {
    pub(super) name: UserName,
    pub(super) email: Email,
    pub(super) password: Secret<String>,
    pub(super) rank: Rank,
    pub(super) active: bool,
}

/// A validated change of a user; `None` for members that were not sent.
pub(super) struct UpdateUserInput {
    pub(super) name: Option<UserName>,
    pub(super) email: Option<Email>,
    /// The caller's password, required to change their own e-mail address. The published body has
    /// no such member.
    pub(super) current_password: Option<Secret<String>>,
    pub(super) rank: Option<Rank>,
    pub(super) active: Option<bool>,
}

impl CreateUser {
    /// Returns the words in the names that are sent with the password.
    fn name_words(&self) -> Vec<String> {
        let name = self.username.as_value().map(|NewName(name)| name.to_string());
        let email = self.email.as_value().into_iter().flat_map(|NewName(email)| email_context_words(email));
        name.into_iter().chain(email).collect()
    }
}

impl CreateUserInput {
    /// Reads the body. All members except `is_active` are required.
    pub(super) fn read(call: &Request) -> Result<Self, ApiError> {
        let (sent, policy) =
            (body::read_object::<CreateUser>(call.head().headers(), call.body())?, call.auth().build_password_policy());
        let sent =
            validate_body_with(sent, |sent| check_password(policy, "password", &sent.password, &sent.name_words()))?;
        let (NewName(name), NewName(email)) = (sent.username.require_value()?, sent.email.require_value()?);
        Ok(Self {
            name,
            email,
            password: sent.password.require_value()?,
            rank: sent.role.require_value()?,
            active: sent.is_active.into_value().unwrap_or(true),
        })
    }
}

impl UpdateUserInput {
    /// Reads the body of a change.
    pub(super) fn read(call: &Request) -> Result<Self, ApiError> {
        let sent: UpdateUser = validate_body(body::read_object(call.head().headers(), call.body())?)?;
        Ok(Self {
            name: sent.username.into_value(),
            email: sent.email.into_value(),
            current_password: sent.old_password.into_value(),
            rank: sent.role.into_value(),
            active: sent.is_active.into_value(),
        })
    }
}

pub(super) const ROLE_MESSAGE: &str = "must be admin, manager or cashier";

pub(super) fn parse_rank(text: &str) -> Option<Rank> {
    Rank::ALL.into_iter().find(|rank| rank.name() == text)
}
