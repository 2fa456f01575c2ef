//! What the fields of bodies are read as: JSON's own types, lists and maps of them, and domain's names, each with a sentence for
//! whoever sent something else.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tillgate_domain::{
    DeviceId, DeviceName, DeviceStatus, Email, Environment, ExactJson, InvalidText, JsonObject, Locale, Right,
    RoleName, Secret, Slug, UserId, UserName, UserStatus, Zone,
};

/// Something about a value that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FieldError {
    /// Where in the value: a pointer (RFC 6901), empty for the value as a whole.
    pub(crate) pointer: String,
    /// A stable word for what is wrong: `type`, `format`, `length`, `required`, `unknown`.
    pub(crate) code: String,
    /// A sentence that says what to do.
    pub(crate) message: String,
}

impl FieldError {
    /// The whole value is at fault.
    pub(crate) fn for_value(code: &str, why: impl fmt::Display) -> Vec<Self> {
        vec![Self { pointer: String::new(), code: code.to_owned(), message: why.to_string() }]
    }

    /// There is no member of this name.
    pub(crate) fn unknown_member(name: &str) -> Vec<Self> {
        Self::nested_under(Self::for_value("unknown", "is no member of this"), name).collect()
    }

    /// The same faults, as a member or an element of something sees them.
    pub(super) fn nested_under(faults: Vec<Self>, key: &str) -> impl Iterator<Item = Self> {
        let key = key.replace('~', "~0").replace('/', "~1");
        faults.into_iter().map(move |fault| Self { pointer: format!("/{key}{}", fault.pointer), ..fault })
    }
}

/// What a field can be read as.
pub(crate) trait FromJson: Sized {
    /// Reads a value that is not null, or says everything that is wrong with it.
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>>;
}

/// A whole number, by its digits.
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
            _ => Err(FieldError::for_value("type", "must be a string")),
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
            _ => Err(FieldError::for_value("type", "must be true or false")),
        }
    }
}

impl FromJson for i64 {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        parse_integer(&value).ok_or_else(|| FieldError::for_value("type", "must be a whole number"))
    }
}

/// Seconds.
impl FromJson for Duration {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let seconds: Option<u64> = parse_integer(&value).filter(|seconds| *seconds < 1 << 32);
        seconds.map(Self::from_secs).ok_or_else(|| FieldError::for_value("type", "must be a whole number of seconds"))
    }
}

impl FromJson for JsonObject {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        match value {
            ExactJson::Object(members) => Ok(Self::new(members)),
            _ => Err(FieldError::for_value("type", "must be an object")),
        }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let ExactJson::Array(values) = value else { return Err(FieldError::for_value("type", "must be a list")) };
        let (mut all, mut faults) = (Self::with_capacity(values.len()), Vec::new());
        for (at, value) in values.into_iter().enumerate() {
            match T::from_json(value) {
                Ok(value) => all.push(value),
                Err(unfit) => faults.extend(FieldError::nested_under(unfit, &at.to_string())),
            }
        }
        if faults.is_empty() { Ok(all) } else { Err(faults) }
    }
}

/// A null among the values is a value of its own: a merge patch takes a member away by it.
impl<T: FromJson> FromJson for BTreeMap<String, Option<T>> {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let ExactJson::Object(values) = value else { return Err(FieldError::for_value("type", "must be an object")) };
        let (mut all, mut faults) = (Self::new(), Vec::new());
        for (key, value) in values {
            match if value.is_null() { Ok(None) } else { T::from_json(value).map(Some) } {
                Ok(value) => drop(all.insert(key, value)),
                Err(unfit) => faults.extend(FieldError::nested_under(unfit, &key)),
            }
        }
        if faults.is_empty() { Ok(all) } else { Err(faults) }
    }
}

/// The members of an object inside a field.
pub(crate) struct ObjectReader {
    members: Vec<(String, ExactJson)>,
    errors: Vec<FieldError>,
}

impl ObjectReader {
    /// Takes an object apart.
    pub(crate) fn open(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        match value {
            ExactJson::Object(members) => Ok(Self { members, errors: Vec::new() }),
            _ => Err(FieldError::for_value("type", "must be an object")),
        }
    }

    /// The member of this name, where it is there and not null.
    pub(crate) fn read<T: FromJson>(&mut self, name: &str) -> Option<T> {
        let at = self.members.iter().position(|(own, _)| own == name)?;
        let (_, value) = self.members.remove(at);
        if value.is_null() {
            return None;
        }
        T::from_json(value).map_err(|unfit| self.errors.extend(FieldError::nested_under(unfit, name))).ok()
    }

    /// The same of one that has to be there.
    pub(crate) fn require<T: FromJson>(&mut self, name: &str) -> Option<T> {
        if !self.members.iter().any(|(own, value)| own == name && !value.is_null()) {
            self.errors.extend(FieldError::nested_under(FieldError::for_value("required", "is required"), name));
        }
        self.read(name)
    }

    /// Members that an answer shows and nobody sets: whoever sends back what they were answered may leave them in.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        self.members.retain(|(name, _)| !names.contains(&name.as_str()));
    }

    /// What was made of the members, where none is at fault and none is left.
    pub(crate) fn finish<T>(mut self, made: Option<T>) -> Result<T, Vec<FieldError>> {
        self.errors.extend(self.members.iter().flat_map(|(name, _)| FieldError::unknown_member(name)));
        match made {
            Some(made) if self.errors.is_empty() => Ok(made),
            _ => Err(self.errors),
        }
    }
}

/// The stable word for what is wrong with a name.
pub(crate) fn name_error_code(why: &InvalidText) -> &'static str {
    match why {
        InvalidText::Empty => "required",
        InvalidText::TooLong(_) | InvalidText::TooDeep(_) => "length",
        InvalidText::ControlCharacter
        | InvalidText::DisallowedCharacter(_)
        | InvalidText::MixedDirection
        | InvalidText::AtSign
        | InvalidText::Email
        | InvalidText::Slug => "format",
    }
}

/// A name that something new is to have: the rules for new names are asked with everything else about the body. The name alone reads
/// what something may be called already.
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
                String::from_json(value)?.parse().map_err(|_| FieldError::for_value("format", "must be an id"))
            }
        }
    )*};
}

ids!(DeviceId, UserId);

/// Reads what is a text in JSON by a rule of domain's.
macro_rules! texts {
    ($($name:ty: $read:expr),* $(,)?) => {$(
        impl FromJson for $name {
            fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
                let read = $read;
                read(&String::from_json(value)?).map_err(|message| FieldError::for_value("format", message))
            }
        }
    )*};
}
texts! {
    UserStatus: |text: &str| text.parse::<UserStatus>(),
    Right: Right::parse,
    Environment: |text: &str| text.parse::<Environment>(),
    DeviceStatus: |text: &str| text.parse::<DeviceStatus>(),
    Locale: Locale::parse,
    Zone: Zone::parse,
}
