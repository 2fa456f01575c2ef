//! Parsing of field values from JSON: JSON types, lists and maps of them, and types of the domain.
//! Each error is a sentence that tells the client what the value must be.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tillgate_domain::{
    AccentColor, BranchId, DeviceId, DeviceName, DeviceStatus, Email, Environment, ExactJson, JsonObject, KeyStorage,
    Locale, Right, RoleName, Secret, Slug, UserId, UserName, UserStatus, Zone,
};

use crate::error::office::name_error_code;
use crate::error::{FieldErrorCode, ViolatedRule, ViolationMessage};
use crate::timestamps::Rfc3339Instant;

/// A violation inside a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FieldError {
    /// Position in the value as a JSON pointer (RFC 6901); empty for the whole value.
    pub(crate) pointer: String,
    /// The code, for programs.
    pub(crate) code: FieldErrorCode,
    /// What the value must be, as a message for the client.
    pub(crate) message: ViolationMessage,
}

impl FieldError {
    /// A violation of the whole value.
    pub(crate) fn for_value(code: FieldErrorCode, why: impl Into<ViolationMessage>) -> Vec<Self> {
        vec![Self { pointer: String::new(), code, message: why.into() }]
    }

    /// The violation for a member that the object cannot have.
    pub(crate) fn unknown_member(name: &str) -> Vec<Self> {
        Self::nested_under(Self::for_value(FieldErrorCode::Unknown, "is not a member of this object"), name).collect()
    }

    /// Moves violations below a member or an element of the enclosing value.
    pub(super) fn nested_under(violations: Vec<Self>, key: &str) -> impl Iterator<Item = Self> {
        let key = key.replace('~', "~0").replace('/', "~1");
        violations
            .into_iter()
            .map(move |violation| Self { pointer: format!("/{key}{}", violation.pointer), ..violation })
    }
}

/// What was parsed of a value: its valid parts, and all violations of the others.
pub(crate) struct PartialValue<T> {
    /// The valid parts; `None` if there are none of use.
    pub(crate) parts: Option<T>,
    /// The violations.
    pub(crate) errors: Vec<FieldError>,
}

impl<T> PartialValue<T> {
    /// Returns the value if all of it is valid; otherwise all violations.
    pub(crate) fn require_complete(self) -> Result<T, Vec<FieldError>> {
        match self.parts {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(self.errors),
        }
    }
}

/// A type that can be parsed from a field value.
pub(crate) trait FromJson: Sized {
    /// Parses a value that is not null, or returns all violations.
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>>;

    /// Parses what is valid of a value that is not null, so that it can be checked although the
    /// request is rejected for the rest. A type without such parts is valid as a whole or not.
    fn from_json_partially(value: ExactJson) -> PartialValue<Self> {
        match Self::from_json(value) {
            Ok(value) => PartialValue { parts: Some(value), errors: Vec::new() },
            Err(errors) => PartialValue { parts: None, errors },
        }
    }
}

/// Parses an integer from its digits.
pub(crate) fn parse_integer<T: std::str::FromStr>(value: &ExactJson) -> Option<T> {
    match value {
        ExactJson::Number(digits) => digits.parse().ok(),
        _ => None,
    }
}

impl FromJson for String {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        match value {
            ExactJson::String(text) => Ok(text),
            _ => Err(FieldError::for_value(FieldErrorCode::Type, "must be a string")),
        }
    }
}

impl FromJson for Secret<String> {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        String::from_json(value).map(Secret::new)
    }
}

impl FromJson for bool {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        match value {
            ExactJson::Bool(truth) => Ok(truth),
            _ => Err(FieldError::for_value(FieldErrorCode::Type, "must be true or false")),
        }
    }
}

impl FromJson for i64 {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        parse_integer(&value).ok_or_else(|| FieldError::for_value(FieldErrorCode::Type, "must be a whole number"))
    }
}

/// A number of seconds.
impl FromJson for Duration {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let seconds: Option<u64> = parse_integer(&value).filter(|seconds| *seconds < 1 << 32);
        seconds
            .map(Self::from_secs)
            .ok_or_else(|| FieldError::for_value(FieldErrorCode::Type, "must be a whole number of seconds"))
    }
}

/// An instant in RFC 3339.
impl FromJson for Rfc3339Instant {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let wrong = || FieldError::for_value(FieldErrorCode::Type, Self::MESSAGE);
        match value {
            ExactJson::String(text) => text.parse().map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

impl FromJson for JsonObject {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        match value {
            ExactJson::Object(members) => Ok(Self::new(members)),
            _ => Err(FieldError::for_value(FieldErrorCode::Type, "must be an object")),
        }
    }
}

/// The parts of a list are its valid elements.
impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::from_json_partially(value).require_complete()
    }

    fn from_json_partially(value: ExactJson) -> PartialValue<Self> {
        let ExactJson::Array(values) = value else {
            return PartialValue { parts: None, errors: FieldError::for_value(FieldErrorCode::Type, "must be a list") };
        };
        let (mut all, mut errors) = (Self::with_capacity(values.len()), Vec::new());
        for (at, value) in values.into_iter().enumerate() {
            let element = T::from_json_partially(value);
            all.extend(element.parts);
            errors.extend(FieldError::nested_under(element.errors, &at.to_string()));
        }
        PartialValue { parts: Some(all).filter(|all| errors.is_empty() || !all.is_empty()), errors }
    }
}

/// A map whose values may be null, which removes a member in a merge patch. Its parts are the
/// members with valid values.
impl<T: FromJson> FromJson for BTreeMap<String, Option<T>> {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::from_json_partially(value).require_complete()
    }

    fn from_json_partially(value: ExactJson) -> PartialValue<Self> {
        let ExactJson::Object(values) = value else {
            let errors = FieldError::for_value(FieldErrorCode::Type, "must be an object");
            return PartialValue { parts: None, errors };
        };
        let (mut all, mut errors) = (Self::new(), Vec::new());
        for (key, value) in values {
            match if value.is_null() { Ok(None) } else { T::from_json(value).map(Some) } {
                Ok(value) => drop(all.insert(key, value)),
                Err(field_errors) => errors.extend(FieldError::nested_under(field_errors, &key)),
            }
        }
        PartialValue { parts: Some(all), errors }
    }
}

/// A reader of the members of an object inside a field.
pub(crate) struct ObjectReader {
    members: Vec<(String, ExactJson)>,
    errors: Vec<FieldError>,
}

impl ObjectReader {
    /// Reads an object by `read`, which returns its valid parts.
    pub(crate) fn read_object<T>(value: ExactJson, read: impl FnOnce(&mut Self) -> Option<T>) -> PartialValue<T> {
        match Self::open(value) {
            Ok(mut members) => {
                let parts = read(&mut members);
                members.finish_partially(parts)
            }
            Err(errors) => PartialValue { parts: None, errors },
        }
    }

    /// Starts to read an object.
    pub(crate) fn open(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        match value {
            ExactJson::Object(members) => Ok(Self { members, errors: Vec::new() }),
            _ => Err(FieldError::for_value(FieldErrorCode::Type, "must be an object")),
        }
    }

    /// Parses the member `name`; `None` if it is absent or null. Of a member that is invalid, the
    /// valid parts.
    pub(crate) fn read<T: FromJson>(&mut self, name: &str) -> Option<T> {
        let at = self.members.iter().position(|(member, _)| member == name)?;
        let (_, value) = self.members.remove(at);
        if value.is_null() {
            return None;
        }
        let PartialValue { parts, errors } = T::from_json_partially(value);
        self.errors.extend(FieldError::nested_under(errors, name));
        parts
    }

    /// Parses a member that must be present.
    pub(crate) fn require<T: FromJson>(&mut self, name: &str) -> Option<T> {
        if !self.members.iter().any(|(member, value)| member == name && !value.is_null()) {
            self.errors
                .extend(FieldError::nested_under(FieldError::for_value(FieldErrorCode::Required, "is required"), name));
        }
        self.read(name)
    }

    /// Ignores members that responses have and requests cannot set, so that a client can send back
    /// what it received.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        self.members.retain(|(name, _)| !names.contains(&name.as_str()));
    }

    /// Returns `made` if no violation was found and all members were read.
    pub(crate) fn finish<T>(self, made: Option<T>) -> Result<T, Vec<FieldError>> {
        self.finish_partially(made).require_complete()
    }

    /// Returns `made` as the valid parts, with all violations; members that were not read are
    /// violations.
    fn finish_partially<T>(mut self, made: Option<T>) -> PartialValue<T> {
        self.errors.extend(self.members.iter().flat_map(|(name, _)| FieldError::unknown_member(name)));
        PartialValue { parts: made, errors: self.errors }
    }
}

/// A name of a new resource, which must satisfy the rules for new names. The plain name type also
/// accepts names that existing resources may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewName<N>(pub(crate) N);

macro_rules! names {
    ($($name:ty),*) => {$(
        impl FromJson for $name {
            fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
                Self::parse(&String::from_json(value)?).map_err(|message| FieldError::for_value(name_error_code(&message), message))
            }
        }

        impl FromJson for NewName<$name> {
            fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
                let name = <$name>::from_json(value)?;
                name.check_new().map_err(|message| FieldError::for_value(name_error_code(&message), message))?;
                Ok(Self(name))
            }
        }
    )*};
}

names!(UserName, DeviceName, RoleName, Email, Slug);

macro_rules! ids {
    ($($name:ty),*) => {$(
        impl FromJson for $name {
            fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
                String::from_json(value)?.parse().map_err(|_| FieldError::for_value(FieldErrorCode::Format, "must be an id"))
            }
        }
    )*};
}

ids!(BranchId, DeviceId, UserId);

/// Implements parsing of strings by a parser of the domain.
macro_rules! texts {
    ($($name:ty: $read:expr),* $(,)?) => {$(
        impl FromJson for $name {
            fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
                let read = $read;
                read(&String::from_json(value)?).map_err(|message| FieldError::for_value(FieldErrorCode::Format, message))
            }
        }
    )*};
}
texts! {
    UserStatus: |text: &str| text.parse::<UserStatus>().map_err(|why| why.to_string()),
    Right: |text: &str| Right::parse(text).map_err(|why| why.to_string()),
    Environment: |text: &str| text.parse::<Environment>().map_err(|why| why.to_string()),
    DeviceStatus: |text: &str| text.parse::<DeviceStatus>().map_err(|why| why.to_string()),
    KeyStorage: |text: &str| {
        KeyStorage::ALL.iter().copied().find(|each| each.name() == text).ok_or("must be hardware or software")
    },
    Locale: |text: &str| {
        Locale::parse(text).map_err(|why| ViolationMessage::with_rule(why.to_string(), ViolatedRule::Locale))
    },
    AccentColor: AccentColor::parse,
    Zone: |text: &str| Zone::parse(text).map_err(|why| ViolationMessage::with_rule(why.to_string(), ViolatedRule::Zone)),
}
