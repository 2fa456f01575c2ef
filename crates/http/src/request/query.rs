//! Parsing of query parameters by name, with all violations at once. Each contract decides whether
//! unknown parameters are accepted.

use std::borrow::Cow;
use std::str::FromStr;

use crate::error::{ApiError, FieldErrorCode, FieldViolation, ProtocolError, ViolationMessage};
use crate::request::form;
use crate::request::head::RequestHead;

/// Message for an undecodable value.
const ENCODING_MESSAGE: &str = "must be percent-encoded UTF-8";

/// Decodes the parameters of a query in their order, as forms are decoded (URL standard, 5.1). A
/// value that is not percent-encoded UTF-8 is `None`, because no reading of it is what the client
/// meant. A name of that kind stays encoded, so it is unknown.
pub(crate) fn parse_pairs(query: &str) -> Vec<(String, Option<String>)> {
    let decoded = |text: &str| is_percent_encoded(text).then(|| form::decode_form_text(text.as_bytes()).ok()).flatten();
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name).unwrap_or_else(|| name.to_owned()), decoded(value))
        })
        .collect()
}

/// Whether every percent sign starts an encoded byte (RFC 3986, 2.1).
fn is_percent_encoded(text: &str) -> bool {
    let is_hex = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_hexdigit);
    let mut encoded = text.split('%').map(str::as_bytes).skip(1);
    encoded.all(|rest| is_hex(rest.first()) && is_hex(rest.get(1)))
}

/// The parameters of a query. If a parameter is repeated, the last value is used.
#[derive(Debug)]
pub(crate) struct QueryParameters {
    pairs: Vec<(String, Option<String>)>,
    violations: Vec<FieldViolation>,
    /// The names that were read, if other names are violations.
    known_names: Option<Vec<&'static str>>,
}

impl QueryParameters {
    /// Creates a reader that ignores unknown parameters.
    pub(crate) fn lenient(head: &RequestHead) -> Self {
        Self { pairs: parse_pairs(head.query()), violations: Vec::new(), known_names: None }
    }

    /// Creates a reader that rejects unknown and repeated parameters: a list that ignored a filter
    /// would return more than was requested.
    pub(crate) fn strict(head: &RequestHead) -> Self {
        Self { known_names: Some(Vec::new()), ..Self::lenient(head) }
    }

    /// Reads the value of a parameter; an undecodable value is a violation.
    fn read_text(&mut self, name: &'static str) -> Option<String> {
        if let Some(known) = &mut self.known_names {
            known.push(name);
        }
        let (_, sent) = self.pairs.iter().rev().find(|(each, _)| each == name)?;
        let text = sent.clone();
        if text.is_none() && !self.violations.iter().any(|violation| violation.field == name) {
            self.add_violation(name, FieldErrorCode::Format, ENCODING_MESSAGE);
        }
        text
    }

    /// Parses a parameter, if present; `what` is the message if that fails.
    pub(crate) fn parse<T: FromStr>(&mut self, name: &'static str, what: &'static str) -> Option<T> {
        self.parse_with(name, FieldErrorCode::Type, |text| text.parse().ok(), what)
    }

    /// Parses a parameter by `read`, if present; if that fails, `code` and `what` are the
    /// violation.
    pub(crate) fn parse_with<T>(
        &mut self,
        name: &'static str,
        code: FieldErrorCode,
        read: impl FnOnce(&str) -> Option<T>,
        what: &'static str,
    ) -> Option<T> {
        let value = read(&self.read_text(name)?);
        if value.is_none() {
            self.add_violation(name, code, what);
        }
        value
    }

    /// Parses a parameter with one of the values `words`; `what` is the message if it has another
    /// value.
    pub(crate) fn parse_choice<T>(
        &mut self,
        name: &'static str,
        words: impl IntoIterator<Item = (&'static str, T)>,
        what: &'static str,
    ) -> Option<T> {
        let mut words = words.into_iter();
        self.parse_with(
            name,
            FieldErrorCode::Format,
            |text| words.find(|(word, _)| *word == text).map(|(_, value)| value),
            what,
        )
    }

    /// Parses a parameter with one of the values `words`; the message names them if it has another
    /// value.
    pub(crate) fn parse_word<T>(
        &mut self,
        name: &'static str,
        words: impl IntoIterator<Item = (&'static str, T)>,
    ) -> Option<T> {
        let text = self.read_text(name)?;
        let (mut names, mut value) = (Vec::new(), None);
        for (word, each) in words {
            names.push(word);
            if word == text {
                value = Some(each);
            }
        }
        if value.is_none() {
            let message = match names.split_last() {
                Some((last, first)) if !first.is_empty() => format!("must be {} or {last}", first.join(", ")),
                _ => format!("must be {}", names.join("")),
            };
            self.push_violation(Cow::Borrowed(name), FieldErrorCode::Format, message);
        }
        value
    }

    /// Reads a parameter as text; `None` if it is absent or empty.
    pub(crate) fn read_nonempty(&mut self, name: &'static str) -> Option<String> {
        self.read_text(name).filter(|text| !text.is_empty())
    }

    /// Adds a violation.
    pub(crate) fn add_violation(&mut self, name: &'static str, code: FieldErrorCode, message: &'static str) {
        self.push_violation(Cow::Borrowed(name), code, message);
    }

    fn push_violation(&mut self, field: Cow<'static, str>, code: FieldErrorCode, message: impl Into<ViolationMessage>) {
        self.violations.push(FieldViolation { field, in_query: true, code, message: message.into() });
    }

    /// Returns `value` if there is no violation.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<T, ApiError> {
        if let Some(known) = self.known_names.take() {
            let mut seen: Vec<String> = Vec::new();
            for (name, _) in std::mem::take(&mut self.pairs) {
                if !known.contains(&name.as_str()) {
                    self.push_violation(
                        Cow::Owned(name),
                        FieldErrorCode::Unknown,
                        "is not a parameter of this operation",
                    );
                } else if seen.contains(&name) {
                    self.push_violation(Cow::Owned(name), FieldErrorCode::Repeated, "must not be repeated");
                } else {
                    seen.push(name);
                }
            }
        }
        if self.violations.is_empty() { Ok(value) } else { Err(ProtocolError::InvalidFields(self.violations).into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_decoded_as_browsers_encode_it() {
        for (query, expected) in [
            ("", &[][..]),
            ("&a=b&&c", &[("a", Some("b")), ("c", Some(""))]),
            ("a=b=c&%61=%2B+%C5%BE", &[("a", Some("b=c")), ("a", Some("+ ž"))]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
            assert_eq!(parse_pairs(query), expected, "{query}");
        }
    }

    #[test]
    fn undecodable_value_is_none() {
        for value in ["%FF", "a%c3", "%c0%af", "%", "%2", "50%", "%zz", "%ed%a0%80"] {
            assert_eq!(
                parse_pairs(&format!("x={value}&y=1")),
                [("x".into(), None), ("y".into(), Some("1".into()))],
                "{value}"
            );
        }
        assert_eq!(parse_pairs("%FF=1"), [("%FF".to_owned(), Some("1".to_owned()))]);
    }
}
