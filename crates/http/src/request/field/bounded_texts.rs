//! Fields with texts and settings of new resources, validated with the rest of the body. Updates
//! use plain types instead: a text that stays unchanged may violate today's rules, so the use case
//! validates them.

use std::collections::BTreeMap;

use tillgate_domain::office::{
    MAX_SETTINGS, check_description, check_new_label, check_new_name, check_setting, validate_preferences,
};
use tillgate_domain::{ExactJson, InvalidText, JsonObject};

use super::from_json::{FieldError, FromJson, PartialValue};
use crate::error::FieldErrorCode;
use crate::error::office::name_error_code;

/// A display name: 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DisplayName(pub(crate) String);

/// A label: at most 200 characters, may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LabelText(pub(crate) String);

/// A description: at most 2,000 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description(pub(crate) String);

/// Settings of a device; in a merge patch, null removes a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceSettings(pub(crate) BTreeMap<String, Option<String>>);

/// Preferences that the program on a device stores for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DevicePreferences(pub(crate) JsonObject);

/// A list with at least one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NonEmptyList<T>(pub(crate) Vec<T>);

fn name_errors(why: &InvalidText) -> Vec<FieldError> {
    FieldError::for_value(name_error_code(why), why)
}

macro_rules! texts {
    ($($name:ident: $check:expr),* $(,)?) => {$(
        impl FromJson for $name {
            fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
                let text = String::from_json(value)?;
                $check(&text).map_err(|why| name_errors(&why))?;
                Ok(Self(text))
            }
        }
    )*};
}

texts! {
    DisplayName: check_new_name,
    LabelText: check_new_label,
    Description: check_description,
}

/// The parts of settings are the valid ones.
impl FromJson for DeviceSettings {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::from_json_partially(value).require_complete()
    }

    fn from_json_partially(value: ExactJson) -> PartialValue<Self> {
        let PartialValue { parts, mut errors } = BTreeMap::<String, Option<String>>::from_json_partially(value);
        let Some(mut settings) = parts else { return PartialValue { parts: None, errors } };
        let fits = settings.values().flatten().count() <= MAX_SETTINGS;
        if !fits {
            errors.extend(FieldError::for_value(
                FieldErrorCode::Length,
                format!("must have at most {MAX_SETTINGS} members"),
            ));
        }
        settings.retain(|key, value| {
            let invalid = value.as_ref().and_then(|value| check_setting(key, value).err());
            errors.extend(invalid.iter().flat_map(|why| FieldError::nested_under(name_errors(why), key)));
            invalid.is_none()
        });
        PartialValue { parts: fits.then_some(Self(settings)), errors }
    }
}

impl FromJson for DevicePreferences {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let preferences = JsonObject::from_json(value)?;
        validate_preferences(&preferences).map_err(|why| name_errors(&why))?;
        Ok(Self(preferences))
    }
}

impl<T: FromJson> FromJson for NonEmptyList<T> {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let all = Vec::from_json(value)?;
        if all.is_empty() {
            Err(FieldError::for_value(FieldErrorCode::Required, "must have at least one element"))
        } else {
            Ok(Self(all))
        }
    }
}
