//! Fields of request bodies. Deserializing a field never fails, so that all violations of a body
//! are reported at once.
//!
//! A body is a struct of [`BodyField`]s with validator's `Validate`. `partial_body` returns the
//! struct if all fields are valid. Types of the domain are parsed by the domain's own rules.

mod bounded_texts;
mod from_json;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::{ExactJson, InvalidText, Secret};
use validator::{Validate, ValidateLength, ValidateRequired, ValidationError};

pub(crate) use bounded_texts::{Description, DevicePreferences, DeviceSettings, DisplayName, LabelText, NonEmptyList};
pub(crate) use from_json::{FieldError, FromJson, NewName, ObjectReader, PartialValue, parse_integer};

use crate::error::{ApiError, FieldErrorCode, FieldViolation, ViolationMessage};

/// A field as received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyField<T> {
    /// The member is absent.
    #[default]
    Missing,
    /// The member is null: it removes the value in a merge patch (RFC 7396), and otherwise equals
    /// an absent member.
    Null,
    /// The member has a value of its type.
    Value(T),
    /// The member has a value of which only these parts are of its type, with all reasons.
    Partial(T, Vec<FieldError>),
    /// The member has a value that is not of its type, with all reasons.
    Invalid(Vec<FieldError>),
}

/// What these functions return of a value with invalid parts is for checks of a request that is
/// rejected: `partial_body` returns no body with such a field.
impl<T> BodyField<T> {
    /// Returns the value, or its valid parts, if any.
    pub(crate) fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) | Self::Partial(value, _) => Some(value),
            Self::Missing | Self::Null | Self::Invalid(_) => None,
        }
    }

    /// Borrows the value, or its valid parts, if any.
    pub(crate) fn as_value(&self) -> Option<&T> {
        match self {
            Self::Value(value) | Self::Partial(value, _) => Some(value),
            Self::Missing | Self::Null | Self::Invalid(_) => None,
        }
    }

    /// Returns the value of a field that the validator requires.
    ///
    /// # Errors
    /// [`ApiError::Fault`] if there is no value, because the field lacks its validation.
    pub(crate) fn require_value(self) -> Result<T, ApiError> {
        self.into_value().ok_or_else(|| ApiError::Fault("a required field was not validated".to_owned()))
    }

    /// Whether the member is absent or null.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing | Self::Null)
    }

    /// Returns the field as a change of a merge patch: unchanged, removed, or a new value.
    #[expect(clippy::option_option, reason = "unchanged and removed are different")]
    pub(crate) fn into_patch(self) -> Option<Option<T>> {
        match self {
            Self::Missing | Self::Invalid(_) => None,
            Self::Null => Some(None),
            Self::Value(value) | Self::Partial(value, _) => Some(Some(value)),
        }
    }
}

impl<'de, T: FromJson> Deserialize<'de> for BodyField<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ExactJson::deserialize(deserializer)?;
        if value.is_null() {
            return Ok(Self::Null);
        }
        let PartialValue { parts, errors } = T::from_json_partially(value);
        Ok(match parts {
            Some(value) if errors.is_empty() => Self::Value(value),
            Some(parts) => Self::Partial(parts, errors),
            None => Self::Invalid(errors),
        })
    }
}

/// Serializes nothing, because the validator keeps the value of an invalid field in its error, and
/// the value may be a password.
impl<T> Serialize for BodyField<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<T> ValidateRequired for BodyField<T> {
    // an invalid value is present; it is reported as invalid, not as missing
    fn is_some(&self) -> bool {
        !self.is_missing()
    }
}

impl ValidateLength<u64> for BodyField<String> {
    fn length(&self) -> Option<u64> {
        match self {
            Self::Value(text) | Self::Partial(text, _) => Some(text.chars().count() as u64),
            Self::Missing | Self::Null | Self::Invalid(_) => None,
        }
    }
}

/// Parameter of a validation error that contains the violations inside a field.
const FIELD_ERRORS_PARAM: &str = "within";

/// The error of a validator function.
pub(crate) fn validation_error(code: FieldErrorCode) -> ValidationError {
    ValidationError::new(code.name())
}

/// Validator function: the value, if any, must be of its type.
pub(crate) fn well_typed<T>(field: &BodyField<T>) -> Result<(), ValidationError> {
    let (BodyField::Invalid(field_errors) | BodyField::Partial(_, field_errors)) = field else { return Ok(()) };
    let mut error = validation_error(FieldErrorCode::Type);
    error.add_param(Cow::Borrowed(FIELD_ERRORS_PARAM), field_errors);
    Err(error)
}

/// A text type for passwords.
pub(crate) trait PasswordText {
    /// Borrows the text.
    fn as_text(&self) -> &str;
}

impl PasswordText for String {
    fn as_text(&self) -> &str {
        self
    }
}

impl PasswordText for Secret<String> {
    fn as_text(&self) -> &str {
        self.expose()
    }
}

/// Validates a new password against the policy; it must not consist of `words`, the names of its
/// account. For use with `validate_body_with`, so that a weak password is reported with all other
/// violations.
pub(crate) fn check_password<T: PasswordText>(
    policy: &PasswordPolicy,
    name: &'static str,
    field: &BodyField<T>,
    words: &[String],
) -> Vec<FieldViolation> {
    let BodyField::Value(password) = field else { return Vec::new() };
    let weak = |why: tillgate_auth_core::passwords::WeakPassword| FieldViolation {
        field: name.into(),
        in_query: false,
        code: FieldErrorCode::Weak,
        message: (&why).into(),
    };
    policy.check(password.as_text(), words).map_err(weak).err().into_iter().collect()
}

/// The violation for a status that a new resource cannot have.
pub(crate) fn initial_status_violation() -> FieldViolation {
    FieldViolation {
        field: "status".into(),
        in_query: false,
        code: FieldErrorCode::Format,
        message: "must be active or pending".into(),
    }
}

/// Validator function for merge patches: the value cannot be removed, so it must not be null.
pub(crate) fn not_null<T>(field: &BodyField<T>) -> Result<(), ValidationError> {
    match field {
        BodyField::Null => {
            Err(validation_error(FieldErrorCode::Required).with_message(Cow::Borrowed("cannot be null")))
        }
        field => well_typed(field),
    }
}

/// Returns the violations of the fields and those that `more` finds, unsorted.
pub(crate) fn field_violations<T: Validate>(
    body: &T,
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Vec<FieldViolation> {
    let mut violations = more(body);
    if let Err(errors) = body.validate() {
        let of_fields = errors.field_errors();
        violations.extend(of_fields.iter().flat_map(|(field, violations)| {
            violations.iter().flat_map(move |violation| to_violations(field, violation))
        }));
    }
    violations
}

fn to_violations(field: &str, violation: &ValidationError) -> Vec<FieldViolation> {
    let of = |field: String, code: FieldErrorCode, message: ViolationMessage| FieldViolation {
        field: field.into(),
        in_query: false,
        code,
        message,
    };
    if let Some(within) = violation.params.get(FIELD_ERRORS_PARAM) {
        let field_errors = Vec::<FieldError>::deserialize(within).unwrap_or_default();
        return field_errors
            .into_iter()
            .map(|each| of(format!("{field}{}", each.pointer), each.code, each.message))
            .collect();
    }
    // the validator's own codes have these names too
    let code = FieldErrorCode::from_name(&violation.code).unwrap_or(FieldErrorCode::Format);
    let most = || violation.params.get("max").and_then(|max| usize::try_from(max.as_u64()?).ok());
    let message = match (violation.message.clone(), code, most()) {
        (Some(message), _, _) => message.into_owned().into(),
        (None, FieldErrorCode::Required, _) => "is required".into(),
        (None, FieldErrorCode::Length, Some(most)) => InvalidText::TooLong(most).into(),
        (None, _, _) => "is not valid".into(),
    };
    vec![of(field.to_owned(), code, message)]
}

#[cfg(test)]
mod tests;
