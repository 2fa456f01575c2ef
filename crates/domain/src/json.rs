//! JSON that preserves what a client wrote: the digits of numbers and the order of members. Nothing
//! is converted to floating point, so a stored value is returned exactly as it was sent.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A JSON value (RFC 8259) with its numbers as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ExactJson {
    /// The literal `null`.
    #[default]
    Null,
    /// The literal `true` or `false`.
    Bool(bool),
    /// A number by its digits (RFC 8259, section 6).
    Number(String),
    /// A string without its escapes.
    String(String),
    /// An array of values.
    Array(Vec<Self>),
    /// The members of an object in their order.
    Object(Vec<(String, Self)>),
}

/// The greatest depth of nested values, which is also that of `serde_json`.
const MAX_DEPTH: usize = 128;

impl ExactJson {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// The text is not JSON, or its values are nested deeper than 128 levels.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        // The syntax is checked here, in one pass; the scanner below only finds the ends of values.
        let checked: &RawValue = serde_json::from_str(text)?;
        let mut scanner = Scanner { text: checked.get(), at: 0 };
        let value = scanner.parse_value(0)?;
        scanner.skip_blanks();
        if scanner.at == scanner.text.len() { Ok(value) } else { Err(syntax_error()) }
    }

    /// The member with this name, ignoring case; of several, the last one.
    pub fn find_member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().rev().find(|(member, _)| member.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// A string value.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// A string value, or `null` for an empty string.
    pub fn string_or_null(text: &str) -> Self {
        if text.is_empty() { Self::Null } else { Self::string(text) }
    }

    /// A number from the displayed form of a decimal, without trailing zeros.
    pub fn number(shown: impl fmt::Display) -> Self {
        let shown = shown.to_string();
        let short = if shown.contains('.') { shown.trim_end_matches('0').trim_end_matches('.') } else { &shown };
        Self::Number(short.to_owned())
    }

    /// An object with these members.
    pub fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Whether the value is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The object with these members after its own.
    #[must_use]
    pub fn with_members(mut self, members: impl Iterator<Item = (String, Self)>) -> Self {
        if let Self::Object(own) = &mut self {
            own.extend(members);
        }
        self
    }

    /// A value for comparisons: its numbers are floating-point numbers, which distinguish 15
    /// digits.
    pub fn to_value_lossy(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Number(digits) => serde_json::from_str(digits).unwrap_or_default(),
            Self::String(text) => Value::String(text.clone()),
            Self::Array(list) => list.iter().map(Self::to_value_lossy).collect(),
            Self::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), value.to_value_lossy())).collect()
            }
        }
    }

    /// The same value with the members of all objects sorted by name, so that values that differ
    /// only in that order are equal.
    #[must_use]
    pub fn with_sorted_members(self) -> Self {
        match self {
            Self::Array(list) => Self::Array(list.into_iter().map(Self::with_sorted_members).collect()),
            Self::Object(members) => {
                let mut members: Vec<_> =
                    members.into_iter().map(|(name, value)| (name, value.with_sorted_members())).collect();
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                Self::Object(members)
            }
            plain => plain,
        }
    }
}

impl From<&Value> for ExactJson {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::String(text.clone()),
            Value::Array(list) => Self::Array(list.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (name.clone(), Self::from(value))).collect())
            }
        }
    }
}

impl From<&JsonObject> for ExactJson {
    fn from(object: &JsonObject) -> Self {
        Self::Object(object.0.clone())
    }
}

/// Writes numbers as they are, with the serializers of `serde_json` only.
impl Serialize for ExactJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Number(digits) => {
                RawValue::from_string(digits.clone()).map_err(S::Error::custom)?.serialize(serializer)
            }
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(list) => {
                let mut sequence = serializer.serialize_seq(Some(list.len()))?;
                list.iter().try_for_each(|value| sequence.serialize_element(value))?;
                sequence.end()
            }
            Self::Object(members) => serialize_members(members, serializer),
        }
    }
}

fn serialize_members<S: Serializer>(members: &[(String, ExactJson)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(members.len()))?;
    members.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
    map.end()
}

/// Reads with the deserializers of `serde_json` only.
impl<'de> Deserialize<'de> for ExactJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(D::Error::custom)
    }
}

/// An object that a client stores for itself, such as the preferences of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonObject(Vec<(String, ExactJson)>);

impl JsonObject {
    /// An object with these members.
    pub const fn new(members: Vec<(String, ExactJson)>) -> Self {
        Self(members)
    }

    /// The members in their order.
    pub fn members(&self) -> &[(String, ExactJson)] {
        &self.0
    }

    /// The members in their order, by value.
    pub fn into_members(self) -> Vec<(String, ExactJson)> {
        self.0
    }

    /// Whether it has no members.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Map<String, Value>> for JsonObject {
    fn from(members: Map<String, Value>) -> Self {
        Self(members.iter().map(|(name, value)| (name.clone(), ExactJson::from(value))).collect())
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_members(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match ExactJson::deserialize(deserializer)? {
            ExactJson::Object(members) => Ok(Self(members)),
            _ => Err(D::Error::custom("expected an object")),
        }
    }
}

/// Finds the values of a text whose syntax was checked.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

fn syntax_error() -> serde_json::Error {
    serde::de::Error::custom("is no JSON")
}

impl<'t> Scanner<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_while(&mut self, fits: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&fits) {
            self.at += 1;
        }
    }

    fn skip_blanks(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    }

    /// Consumes this byte if it is the next one that is not blank.
    fn consume(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn slice_from(&self, start: usize) -> Result<&'t str, serde_json::Error> {
        self.text.get(start..self.at).ok_or_else(syntax_error)
    }

    fn parse_value(&mut self, depth: usize) -> Result<ExactJson, serde_json::Error> {
        if depth > MAX_DEPTH {
            return Err(serde::de::Error::custom("lies too deep"));
        }
        self.skip_blanks();
        let start = self.at;
        match self.peek().ok_or_else(syntax_error)? {
            b'{' => self.parse_members(depth).map(ExactJson::Object),
            b'[' => self.parse_elements(depth).map(ExactJson::Array),
            b'"' => self.parse_string().map(ExactJson::String),
            byte if byte.is_ascii_alphabetic() => {
                self.skip_while(|byte| byte.is_ascii_alphabetic());
                match self.slice_from(start)? {
                    "null" => Ok(ExactJson::Null),
                    "true" => Ok(ExactJson::Bool(true)),
                    "false" => Ok(ExactJson::Bool(false)),
                    _ => Err(syntax_error()),
                }
            }
            _ => {
                self.skip_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
                Some(self.slice_from(start)?)
                    .filter(|digits| !digits.is_empty())
                    .map(str::to_owned)
                    .map(ExactJson::Number)
                    .ok_or_else(syntax_error)
            }
        }
    }

    fn parse_members(&mut self, depth: usize) -> Result<Vec<(String, ExactJson)>, serde_json::Error> {
        let mut members = Vec::new();
        self.at += 1;
        while !self.consume(b'}') {
            if !members.is_empty() && !self.consume(b',') {
                return Err(syntax_error());
            }
            self.skip_blanks();
            let name = self.parse_string()?;
            if !self.consume(b':') {
                return Err(syntax_error());
            }
            members.push((name, self.parse_value(depth + 1)?));
        }
        Ok(members)
    }

    fn parse_elements(&mut self, depth: usize) -> Result<Vec<ExactJson>, serde_json::Error> {
        let mut elements = Vec::new();
        self.at += 1;
        while !self.consume(b']') {
            if !elements.is_empty() && !self.consume(b',') {
                return Err(syntax_error());
            }
            elements.push(self.parse_value(depth + 1)?);
        }
        Ok(elements)
    }

    fn parse_string(&mut self) -> Result<String, serde_json::Error> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek().ok_or_else(syntax_error)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.slice_from(start)?)
    }
}

#[cfg(test)]
mod tests;
