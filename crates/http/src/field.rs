//! A field of a request body that never fails to be read, so that all faults of a body are told at once.
//!
//! A body is a struct of [`Field`]s, each of the type that it is to be read as, under validator's `Validate`; [`validate_body`] hands the
//! struct back where nothing is wrong with any of them. Domain's own types are read by domain's own rules.

mod bounded_texts;
mod from_json;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::{ExactJson, Secret};
use validator::{Validate, ValidateLength, ValidateRequired, ValidationError};

pub(crate) use bounded_texts::{Description, DevicePreferences, DeviceSettings, DisplayName, LabelText, NonEmptyList};
pub(crate) use from_json::{FieldError, FromJson, NewName, ObjectReader, name_error_code, parse_integer};

use crate::error::{ApiError, FieldViolation, ProtocolError};

/// A field as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyField<T> {
    /// Not there.
    #[default]
    Missing,
    /// Null: in a merge patch (RFC 7396) what takes the value away, elsewhere as if it were missing.
    Null,
    /// There, and of its type.
    Value(T),
    /// There, and not of its type: everything that is wrong with it.
    Invalid(Vec<FieldError>),
}

impl<T> BodyField<T> {
    /// The value, where there is one.
    pub(crate) fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Null | Self::Invalid(_) => None,
        }
    }

    /// The value as it was sent, where there is one.
    pub(crate) fn as_value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Null | Self::Invalid(_) => None,
        }
    }

    /// The value of a field that the validator has asked to be there.
    ///
    /// # Errors
    /// It is not there: nobody has asked, and that is a fault of ours.
    pub(crate) fn require_value(self) -> Result<T, ApiError> {
        self.into_value().ok_or_else(|| ApiError::Fault("a field that was required is missing".to_owned()))
    }

    /// Whether nothing was sent, or null.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing | Self::Null)
    }

    /// What a merge patch makes of the value: nothing, another value, or none any more.
    #[expect(clippy::option_option, reason = "two kinds of nothing")]
    pub(crate) fn into_patch(self) -> Option<Option<T>> {
        match self {
            Self::Missing | Self::Invalid(_) => None,
            Self::Null => Some(None),
            Self::Value(value) => Some(Some(value)),
        }
    }
}

impl<'de, T: FromJson> Deserialize<'de> for BodyField<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ExactJson::deserialize(deserializer)?;
        Ok(if value.is_null() { Self::Null } else { T::from_json(value).map_or_else(Self::Invalid, Self::Value) })
    }
}

/// Shows nothing: the validator keeps the value of a field at fault beside the error, and it may be a password.
impl<T> Serialize for BodyField<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<T> ValidateRequired for BodyField<T> {
    // what is of another type is there: it is told as such, not as missing
    fn is_some(&self) -> bool {
        !self.is_missing()
    }
}

impl ValidateLength<u64> for BodyField<String> {
    fn length(&self) -> Option<u64> {
        match self {
            Self::Value(text) => Some(text.chars().count() as u64),
            Self::Missing | Self::Null | Self::Invalid(_) => None,
        }
    }
}

/// The parameter of a validator's error that holds what is wrong inside a field.
const FIELD_ERRORS_PARAM: &str = "within";

/// For `#[validate(custom)]`: what is there is of its type.
pub(crate) fn well_typed<T>(field: &BodyField<T>) -> Result<(), ValidationError> {
    let BodyField::Invalid(unfit) = field else { return Ok(()) };
    let mut error = ValidationError::new("type");
    error.add_param(Cow::Borrowed(FIELD_ERRORS_PARAM), unfit);
    Err(error)
}

/// A text that may be a password.
pub(crate) trait PasswordText {
    /// The text.
    fn escape_formula(&self) -> &str;
}

impl PasswordText for String {
    fn escape_formula(&self) -> &str {
        self
    }
}

impl PasswordText for Secret<String> {
    fn escape_formula(&self) -> &str {
        self.expose()
    }
}

/// What is wrong with the password of this field, which is to be set for an account that these words belong to: its names in the same
/// body. It is for [`validate_body_with`], so that it is named among the other faults of the body.
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
        code: "weak".into(),
        message: why.to_string().into(),
    };
    policy.check(password.escape_formula(), words).map_err(weak).err().into_iter().collect()
}

/// A status that nothing new may have.
pub(crate) fn first_status() -> FieldViolation {
    FieldViolation {
        field: "status".into(),
        in_query: false,
        code: "format".into(),
        message: "must be active or pending".into(),
    }
}

/// For `#[validate(custom)]` on a merge patch: what cannot be taken away is not null.
pub(crate) fn not_null<T>(field: &BodyField<T>) -> Result<(), ValidationError> {
    match field {
        BodyField::Null => Err(ValidationError::new("required").with_message(Cow::Borrowed("cannot be null"))),
        field => well_typed(field),
    }
}

/// The body, where nothing is wrong with its fields: otherwise everything that is, in the order of their names.
pub(crate) fn validate_body<T: Validate>(body: T) -> Result<T, ProtocolError> {
    validate_body_with(body, |_| Vec::new())
}

/// The same where `more` finds what no field tells by itself.
pub(crate) fn validate_body_with<T: Validate>(
    body: T,
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Result<T, ProtocolError> {
    let mut faults = field_faults(&body, more);
    if faults.is_empty() {
        return Ok(body);
    }
    faults.sort();
    Err(ProtocolError::InvalidFields(faults))
}

/// What is wrong with the fields of a body, and what `more` finds, in no order.
pub(crate) fn field_faults<T: Validate>(body: &T, more: impl FnOnce(&T) -> Vec<FieldViolation>) -> Vec<FieldViolation> {
    let mut faults = more(body);
    if let Err(errors) = body.validate() {
        let of_fields = errors.field_errors();
        faults.extend(
            of_fields
                .iter()
                .flat_map(|(field, faults)| faults.iter().flat_map(move |fault| to_violations(field, fault))),
        );
    }
    faults
}

fn to_violations(field: &str, fault: &ValidationError) -> Vec<FieldViolation> {
    let of = |field: String, code: String, message: String| FieldViolation {
        field: field.into(),
        in_query: false,
        code: code.into(),
        message: message.into(),
    };
    if let Some(within) = fault.params.get(FIELD_ERRORS_PARAM) {
        let unfit = Vec::<FieldError>::deserialize(within).unwrap_or_default();
        return unfit.into_iter().map(|each| of(format!("{field}{}", each.pointer), each.code, each.message)).collect();
    }
    let most = || fault.params.get("max").map(ToString::to_string);
    let message = match (fault.message.clone(), fault.code.as_ref(), most()) {
        (Some(message), _, _) => message.into_owned(),
        (None, "required", _) => "is required".to_owned(),
        (None, "length", Some(most)) => format!("must have at most {most} characters"),
        (None, _, _) => "is not valid".to_owned(),
    };
    vec![of(field.to_owned(), fault.code.to_string(), message)]
}

#[cfg(test)]
mod tests;
