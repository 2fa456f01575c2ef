//! A field of a request body that never fails to be read, so that all faults of a body are told at once.
//!
//! A body is a struct of [`Field`]s, each of the type that it is to be read as, under validator's `Validate`; [`validated`] hands the
//! struct back where nothing is wrong with any of them. Domain's own types are read by domain's own rules.

mod fit;
mod texts;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::{ExactJson, Secret};
use validator::{Validate, ValidateLength, ValidateRequired, ValidationError};

pub(crate) use fit::{Fit, Members, NewName, Unfit, invalid_name, whole};
pub(crate) use texts::{AtLeastOne, Description, DevicePreferences, DeviceSettings, DisplayName, Label};

use crate::failure::{Failure, FieldFault, Protocol};

/// A field as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Field<T> {
    /// Not there.
    #[default]
    Missing,
    /// Null: in a merge patch (RFC 7396) what takes the value away, elsewhere as if it were missing.
    Null,
    /// There, and of its type.
    Given(T),
    /// There, and not of its type: everything that is wrong with it.
    Wrong(Vec<Unfit>),
}

impl<T> Field<T> {
    /// The value, where there is one.
    pub(crate) fn given(self) -> Option<T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Missing | Self::Null | Self::Wrong(_) => None,
        }
    }

    /// The value as it was sent, where there is one.
    pub(crate) fn value(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Missing | Self::Null | Self::Wrong(_) => None,
        }
    }

    /// The value of a field that the validator has asked to be there.
    ///
    /// # Errors
    /// It is not there: nobody has asked, and that is a fault of ours.
    pub(crate) fn needed(self) -> Result<T, Failure> {
        self.given().ok_or_else(|| Failure::Fault("a field that was required is missing".to_owned()))
    }

    /// Whether nothing was sent, or null.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing | Self::Null)
    }

    /// What a merge patch makes of the value: nothing, another value, or none any more.
    #[expect(clippy::option_option, reason = "two kinds of nothing")]
    pub(crate) fn patch(self) -> Option<Option<T>> {
        match self {
            Self::Missing | Self::Wrong(_) => None,
            Self::Null => Some(None),
            Self::Given(value) => Some(Some(value)),
        }
    }
}

impl<'de, T: Fit> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ExactJson::deserialize(deserializer)?;
        Ok(if value.is_null() { Self::Null } else { T::fit(value).map_or_else(Self::Wrong, Self::Given) })
    }
}

/// Shows nothing: the validator keeps the value of a field at fault beside the error, and it may be a password.
impl<T> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<T> ValidateRequired for Field<T> {
    // what is of another type is there: it is told as such, not as missing
    fn is_some(&self) -> bool {
        !self.is_missing()
    }
}

impl ValidateLength<u64> for Field<String> {
    fn length(&self) -> Option<u64> {
        match self {
            Self::Given(text) => Some(text.chars().count() as u64),
            Self::Missing | Self::Null | Self::Wrong(_) => None,
        }
    }
}

/// The parameter of a validator's error that holds what is wrong inside a field.
const WITHIN: &str = "within";

/// For `#[validate(custom)]`: what is there is of its type.
pub(crate) fn fits<T>(field: &Field<T>) -> Result<(), ValidationError> {
    let Field::Wrong(unfit) = field else { return Ok(()) };
    let mut error = ValidationError::new("type");
    error.add_param(Cow::Borrowed(WITHIN), unfit);
    Err(error)
}

/// A text that may be a password.
pub(crate) trait Password {
    /// The text.
    fn text(&self) -> &str;
}

impl Password for String {
    fn text(&self) -> &str {
        self
    }
}

impl Password for Secret<String> {
    fn text(&self) -> &str {
        self.expose()
    }
}

/// What is wrong with the password of this field, which is to be set for an account that these words belong to: its names in the same
/// body. It is for [`validated_with`], so that it is named among the other faults of the body.
pub(crate) fn weak_password<T: Password>(
    policy: &PasswordPolicy,
    name: &'static str,
    field: &Field<T>,
    words: &[String],
) -> Vec<FieldFault> {
    let Field::Given(password) = field else { return Vec::new() };
    let weak = |why: tillgate_auth_core::passwords::WeakPassword| FieldFault {
        field: name.into(),
        query: false,
        code: "weak".into(),
        message: why.to_string().into(),
    };
    policy.check(password.text(), words).map_err(weak).err().into_iter().collect()
}

/// A status that nothing new may have.
pub(crate) fn first_status() -> FieldFault {
    FieldFault {
        field: "status".into(),
        query: false,
        code: "format".into(),
        message: "must be active or pending".into(),
    }
}

/// For `#[validate(custom)]` on a merge patch: what cannot be taken away is not null.
pub(crate) fn stays<T>(field: &Field<T>) -> Result<(), ValidationError> {
    match field {
        Field::Null => Err(ValidationError::new("required").with_message(Cow::Borrowed("cannot be null"))),
        field => fits(field),
    }
}

/// The body, where nothing is wrong with its fields: otherwise everything that is, in the order of their names.
pub(crate) fn validated<T: Validate>(body: T) -> Result<T, Protocol> {
    validated_with(body, |_| Vec::new())
}

/// The same where `more` finds what no field tells by itself.
pub(crate) fn validated_with<T: Validate>(body: T, more: impl FnOnce(&T) -> Vec<FieldFault>) -> Result<T, Protocol> {
    let mut faults = field_faults(&body, more);
    if faults.is_empty() {
        return Ok(body);
    }
    faults.sort();
    Err(Protocol::Fields(faults))
}

/// What is wrong with the fields of a body, and what `more` finds, in no order.
pub(crate) fn field_faults<T: Validate>(body: &T, more: impl FnOnce(&T) -> Vec<FieldFault>) -> Vec<FieldFault> {
    let mut faults = more(body);
    if let Err(errors) = body.validate() {
        let of_fields = errors.field_errors();
        faults.extend(
            of_fields.iter().flat_map(|(field, faults)| faults.iter().flat_map(move |fault| named(field, fault))),
        );
    }
    faults
}

fn named(field: &str, fault: &ValidationError) -> Vec<FieldFault> {
    let of = |field: String, code: String, message: String| FieldFault {
        field: field.into(),
        query: false,
        code: code.into(),
        message: message.into(),
    };
    if let Some(within) = fault.params.get(WITHIN) {
        let unfit = Vec::<Unfit>::deserialize(within).unwrap_or_default();
        return unfit.into_iter().map(|each| of(format!("{field}{}", each.at), each.code, each.why)).collect();
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
