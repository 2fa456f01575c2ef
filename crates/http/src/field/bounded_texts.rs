//! Texts that people read, of something new, and what devices keep: each is judged with everything else about the body. Where a body
//! changes something, what stays as it is may be kept, so there the use case judges.

use std::collections::BTreeMap;

use tillgate_domain::office::{
    MAX_SETTINGS, check_description, check_new_label, check_new_name, check_setting, validate_preferences,
};
use tillgate_domain::{ExactJson, InvalidText, JsonObject};

use super::from_json::{FieldError, FromJson, name_error_code};

/// A name that people read: 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DisplayName(pub(crate) String);

/// A label, which may be empty: 200 characters at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LabelText(pub(crate) String);

/// What something is for: 2,000 characters at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description(pub(crate) String);

/// Settings of a device; in a merge patch one that is null goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceSettings(pub(crate) BTreeMap<String, Option<String>>);

/// What the program on a device remembers of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DevicePreferences(pub(crate) JsonObject);

/// A list that names one thing at least.
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

impl FromJson for DeviceSettings {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let settings = BTreeMap::<String, Option<String>>::from_json(value)?;
        let set = settings.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        let (mut count, mut faults) = (0, Vec::new());
        for (key, value) in set {
            count += 1;
            if let Err(why) = check_setting(key, value) {
                faults.extend(FieldError::nested_under(name_errors(&why), key));
            }
        }
        if count > MAX_SETTINGS {
            faults.extend(FieldError::for_value("length", format!("must have at most {MAX_SETTINGS} members")));
        }
        if faults.is_empty() { Ok(Self(settings)) } else { Err(faults) }
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
        if all.is_empty() { Err(FieldError::for_value("required", "must name at least one")) } else { Ok(Self(all)) }
    }
}
