//! The bodies of PosStar's requests, and what their fields may hold.

use serde::Deserialize;
use tillgate_domain::office::email_context_words;
use tillgate_domain::{Email, check_display_name};
use validator::{Validate, ValidationError};

use crate::error::FieldErrorCode;
use crate::request::field::{BodyField, validation_error, well_typed};

/// The industries of vendors. The value is recorded in the audit event and not used otherwise.
const INDUSTRIES: [&str; 6] = ["retail", "restaurant", "distribution", "salon", "pharmacy", "grocery"];

/// Validates that the login is an e-mail address. A user name must not be accepted, because it
/// would match the user of some vendor.
fn check_email(field: &BodyField<String>) -> Result<(), ValidationError> {
    match field {
        BodyField::Value(email) if Email::parse(email).is_err() => {
            Err(validation_error(FieldErrorCode::Format).with_message("must be an e-mail address".into()))
        }
        field => well_typed(field),
    }
}

/// A login. The password may have any length: an empty or overlong one is a wrong password.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(super) struct LoginBody {
    #[validate(required, custom(function = "check_email"))]
    pub(super) email: BodyField<String>,
    #[validate(required, custom(function = "well_typed"))]
    pub(super) password: BodyField<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(super) struct ExchangeBody {
    #[validate(required, custom(function = "well_typed"))]
    pub(super) token: BodyField<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(super) struct RegisterBody {
    #[validate(required, length(max = 200), custom(function = "check_not_empty"))]
    pub(super) name: BodyField<String>,
    #[validate(required, custom(function = "check_new_email"))]
    pub(super) email: BodyField<String>,
    #[validate(required, custom(function = "well_typed"))]
    pub(super) password: BodyField<String>,
    #[validate(required, length(max = 200), custom(function = "check_not_empty"))]
    pub(super) business_name: BodyField<String>,
    #[validate(required, custom(function = "check_industry"))]
    pub(super) industry: BodyField<String>,
}

fn check_not_empty(field: &BodyField<String>) -> Result<(), ValidationError> {
    match field {
        BodyField::Value(name) if name.trim().is_empty() => {
            Err(validation_error(FieldErrorCode::Required).with_message("must not be empty".into()))
        }
        BodyField::Value(name) => check_display_name(name.trim())
            .map_err(|why| validation_error(FieldErrorCode::Format).with_message(why.to_string().into())),
        field => well_typed(field),
    }
}

/// Validates a new address, by the rules of all contracts: the admin logs in with it, and a
/// password reset is mailed to it.
fn check_new_email(field: &BodyField<String>) -> Result<(), ValidationError> {
    let parsed = field.as_value().and_then(|text| Email::parse(text).ok());
    match parsed.map(|email| email.check_new()) {
        Some(Err(why)) => Err(validation_error(FieldErrorCode::Format).with_message(why.to_string().into())),
        Some(Ok(())) | None => check_email(field),
    }
}

fn check_industry(field: &BodyField<String>) -> Result<(), ValidationError> {
    match field {
        BodyField::Value(name) if !INDUSTRIES.contains(&name.as_str()) => Err(validation_error(FieldErrorCode::Format)
            .with_message("must be one of retail, restaurant, distribution, salon, pharmacy, grocery".into())),
        field => well_typed(field),
    }
}

/// Returns the words that the password must not consist of: the names in the request.
pub(super) fn collect_name_words(sent: &RegisterBody) -> Vec<String> {
    let names = [&sent.business_name, &sent.name].into_iter().filter_map(|name| name.clone().into_value());
    let email = sent.email.clone().into_value().and_then(|text| Email::parse(&text).ok());
    names.chain(email.iter().flat_map(email_context_words)).collect()
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(super) struct ForgotPasswordBody {
    #[validate(required, custom(function = "well_typed"))]
    pub(super) email: BodyField<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(super) struct ResetPasswordBody {
    #[validate(required, custom(function = "well_typed"))]
    pub(super) token: BodyField<String>,
    #[validate(required, custom(function = "well_typed"))]
    pub(super) password: BodyField<String>,
}
