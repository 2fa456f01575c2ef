//! A field of a request body that never fails to be read, so that all faults of a body are told at once.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use validator::{Validate, ValidateLength, ValidateRequired, ValidationError};

use crate::failure::{FieldFault, Protocol};

/// A field as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Field<T> {
    /// Not there, or null.
    #[default]
    Missing,
    /// There, and of its type.
    Given(T),
    /// There, and of another type.
    Wrong,
}

impl<T> Field<T> {
    /// The value, where there is one.
    pub(crate) fn given(self) -> Option<T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Missing | Self::Wrong => None,
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(if value.is_null() { Self::Missing } else { T::deserialize(value).map_or(Self::Wrong, Self::Given) })
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
        !matches!(self, Self::Missing)
    }
}

impl ValidateLength<u64> for Field<String> {
    fn length(&self) -> Option<u64> {
        match self {
            Self::Given(text) => Some(text.chars().count() as u64),
            Self::Missing | Self::Wrong => None,
        }
    }
}

/// For `#[validate(custom)]`: a text is a text.
pub(crate) fn text(field: &Field<String>) -> Result<(), ValidationError> {
    match field {
        Field::Wrong => Err(ValidationError::new("type").with_message(Cow::Borrowed("must be a string"))),
        Field::Missing | Field::Given(_) => Ok(()),
    }
}

/// The same: yes or no.
pub(crate) fn truth(field: &Field<bool>) -> Result<(), ValidationError> {
    match field {
        Field::Wrong => Err(ValidationError::new("type").with_message(Cow::Borrowed("must be true or false"))),
        Field::Missing | Field::Given(_) => Ok(()),
    }
}

/// Everything that is wrong with the fields, in the order of their names.
pub(crate) fn validated<T: Validate>(body: T) -> Result<T, Protocol> {
    let Err(errors) = body.validate() else { return Ok(body) };
    let mut faults: Vec<FieldFault> = errors
        .field_errors()
        .into_iter()
        .flat_map(|(field, faults)| faults.iter().map(move |fault| named(field.clone(), fault)))
        .collect();
    faults.sort();
    Err(Protocol::Fields(faults))
}

fn named(field: Cow<'static, str>, fault: &ValidationError) -> FieldFault {
    let most = || fault.params.get("max").map(ToString::to_string);
    let message = match (fault.message.clone(), fault.code.as_ref(), most()) {
        (Some(message), _, _) => message,
        (None, "required", _) => Cow::Borrowed("is required"),
        (None, "length", Some(most)) => Cow::Owned(format!("must have at most {most} characters")),
        (None, _, _) => Cow::Borrowed("is not valid"),
    };
    FieldFault { field, query: false, code: fault.code.clone(), message }
}
