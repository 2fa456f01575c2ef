//! JSON with its numbers as they were written: no amount of money passes through floating point on its way in or out.

use std::fmt;

use actix_web::http::header::HeaderMap;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::body;
use crate::failure::Failure;

/// A value of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exact {
    Null,
    Truth(bool),
    /// By its digits (RFC 8259, section 6).
    Number(String),
    Text(String),
    List(Vec<Exact>),
    /// Its members in their order.
    Object(Vec<(String, Exact)>),
}

/// How deep values may lie in one another.
const DEEPEST: usize = 32;

impl Exact {
    /// Reads a body that is JSON of any kind.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn read(headers: &HeaderMap, sent: &[u8]) -> Result<Self, Failure> {
        let bytes = body::json_of_any_kind(headers, sent)?;
        let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| body::malformed(&error))?;
        Self::of(raw, 0).map_err(|error| body::malformed(&error))
    }

    fn of(raw: &RawValue, depth: usize) -> Result<Self, serde_json::Error> {
        let text = raw.get();
        if depth > DEEPEST {
            return Err(serde::de::Error::custom("lies too deep"));
        }
        Ok(match text.as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text)?;
                let read = |(name, value): (String, &RawValue)| Ok((name, Self::of(value, depth + 1)?));
                Self::Object(members.into_iter().map(read).collect::<Result<_, serde_json::Error>>()?)
            }
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(text)?;
                Self::List(values.into_iter().map(|value| Self::of(value, depth + 1)).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Self::Text(serde_json::from_str(text)?),
            Some(b't' | b'f') => Self::Truth(serde_json::from_str(text)?),
            Some(b'n') => Self::Null,
            _ => Self::Number(text.to_owned()),
        })
    }

    /// The member of this name, whatever its case: of several the last.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().rev().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A text, or nothing where it is empty.
    pub(crate) fn filled(text: &str) -> Self {
        if text.is_empty() { Self::Null } else { Self::text(text) }
    }

    /// A decimal as it is displayed, without the zeros that say nothing.
    pub(crate) fn number(shown: impl fmt::Display) -> Self {
        let shown = shown.to_string();
        let short = if shown.contains('.') { shown.trim_end_matches('0').trim_end_matches('.') } else { &shown };
        Self::Number(short.to_owned())
    }

    /// An object of these members.
    pub(crate) fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// As a value to compare by; its numbers have 15 digits at most, which a double tells apart.
    pub(crate) fn compared(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Truth(truth) => Value::Bool(*truth),
            Self::Number(digits) => serde_json::from_str(digits).unwrap_or_default(),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(list) => list.iter().map(Self::compared).collect(),
            Self::Object(members) => members.iter().map(|(name, value)| (name.clone(), value.compared())).collect(),
        }
    }
}

impl From<&Value> for Exact {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Truth(*truth),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(list) => Self::List(list.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (name.clone(), Self::from(value))).collect())
            }
        }
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Truth(truth) => serializer.serialize_bool(*truth),
            Self::Number(digits) => {
                RawValue::from_string(digits.clone()).map_err(S::Error::custom)?.serialize(serializer)
            }
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => {
                let mut sequence = serializer.serialize_seq(Some(list.len()))?;
                list.iter().try_for_each(|value| sequence.serialize_element(value))?;
                sequence.end()
            }
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
}

/// The members of an object in their order, not yet read.
struct Members<'de>(Vec<(String, &'de RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut sent: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = sent.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{CONTENT_TYPE, HeaderValue};

    use super::*;

    fn read(body: &str) -> Result<Exact, Failure> {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect();
        Exact::read(&headers, body.as_bytes())
    }

    #[test]
    fn numbers_come_and_go_as_they_are_written() {
        let text =
            r#"{"a":5.363636,"b":[1e400,0.1000,-0,123456789012345678901234567890],"c":{"d":null,"a":true,"x":"ž\n"}}"#;
        let exact = read(text).unwrap();
        assert_eq!(serde_json::to_string(&exact).unwrap(), text);
        assert_eq!(exact.member("A"), Some(&Exact::Number("5.363636".into())));
        assert_eq!(exact.member("b").unwrap().member("a"), None);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for no in
            ["", " ", "{", "{\"a\":}", "[1,]", "{\"a\":01}", "nul", "{\"a\":1 2}", "\u{1}", "{'a':1}", "{\"a\":+1}"]
        {
            assert!(read(no).is_err(), "{no}");
        }
        assert!(read(&format!("{}{}", "[".repeat(33), "]".repeat(33))).is_ok());
        assert!(read(&format!("{}{}", "[".repeat(40), "]".repeat(40))).is_err());
        assert!(read(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
    }

    #[test]
    fn of_members_that_are_one_the_last_counts() {
        let exact = read(r#"{"Name":"a","name":"b"}"#).unwrap();
        assert_eq!(exact.member("NAME"), Some(&Exact::text("b")));
    }

    #[test]
    fn a_number_has_no_zeros_that_say_nothing() {
        for (shown, short) in
            [("5.900000", "5.9"), ("20.000000", "20"), ("0.00", "0"), ("-0.05", "-0.05"), ("100", "100")]
        {
            assert_eq!(Exact::number(shown), Exact::Number(short.into()));
        }
    }
}
