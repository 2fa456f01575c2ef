//! Reading the query: known parameters by name, all faults at once. Whether others may be there is for each contract to say.

use std::borrow::Cow;
use std::str::FromStr;

use crate::error::{ApiError, FieldViolation, ProtocolError};
use crate::form;
use crate::head::RequestHead;

/// What a value must be in any case.
const ENCODING_MESSAGE: &str = "must be percent-encoded UTF-8";

/// The parameters of a query in their order, decoded as forms are (URL standard, 5.1). A value that is no percent-encoded UTF-8 is
/// `None`: no reading of it is what the client meant. A name of that kind keeps its encoding, and so is no known name.
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

/// Whether every percent sign begins an encoded byte (RFC 3986, 2.1).
fn is_percent_encoded(text: &str) -> bool {
    let is_hex = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_hexdigit);
    let mut encoded = text.split('%').map(str::as_bytes).skip(1);
    encoded.all(|rest| is_hex(rest.first()) && is_hex(rest.get(1)))
}

/// The parameters of a query. Of a repeated one the last counts.
#[derive(Debug)]
pub(crate) struct QueryParameters {
    pairs: Vec<(String, Option<String>)>,
    violations: Vec<FieldViolation>,
    /// The names that were asked for, where no others may be there.
    known_names: Option<Vec<&'static str>>,
}

impl QueryParameters {
    /// The parameters of a contract that passes over those which it does not know.
    pub(crate) fn lenient(head: &RequestHead) -> Self {
        Self { pairs: parse_pairs(head.query()), violations: Vec::new(), known_names: None }
    }

    /// The same where one that nobody asks for is at fault, and so is one that comes twice: a list that passed over a filter would show
    /// more than was asked for.
    pub(crate) fn strict(head: &RequestHead) -> Self {
        Self { known_names: Some(Vec::new()), ..Self::lenient(head) }
    }

    /// The value of a parameter; one that cannot be decoded is at fault.
    fn read_text(&mut self, name: &'static str) -> Option<String> {
        if let Some(known) = &mut self.known_names {
            known.push(name);
        }
        let (_, sent) = self.pairs.iter().rev().find(|(each, _)| each == name)?;
        let text = sent.clone();
        if text.is_none() && !self.violations.iter().any(|fault| fault.field == name) {
            self.add_violation(name, "format", ENCODING_MESSAGE);
        }
        text
    }

    /// The parameter, where it is there and reads as a `T`; `what` says what it must be.
    pub(crate) fn parse<T: FromStr>(&mut self, name: &'static str, what: &'static str) -> Option<T> {
        self.parse_with(name, "type", |text| text.parse().ok(), what)
    }

    /// The parameter, where it is there and `read` makes something of it; else it is at fault by this code, and `what` says what it must be.
    pub(crate) fn parse_with<T>(
        &mut self,
        name: &'static str,
        code: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
        what: &'static str,
    ) -> Option<T> {
        let value = read(&self.read_text(name)?);
        if value.is_none() {
            self.add_violation(name, code, what);
        }
        value
    }

    /// The parameter, where it is there and is one of a closed set of words; `what` says which they are.
    pub(crate) fn parse_choice<T>(
        &mut self,
        name: &'static str,
        words: impl IntoIterator<Item = (&'static str, T)>,
        what: &'static str,
    ) -> Option<T> {
        let mut words = words.into_iter();
        self.parse_with(name, "format", |text| words.find(|(word, _)| *word == text).map(|(_, value)| value), what)
    }

    /// The parameter as text, where it is there and not empty.
    pub(crate) fn read_nonempty(&mut self, name: &'static str) -> Option<String> {
        self.read_text(name).filter(|text| !text.is_empty())
    }

    /// Notes that a parameter cannot be.
    pub(crate) fn add_violation(&mut self, name: &'static str, code: &'static str, message: &'static str) {
        self.push_violation(Cow::Borrowed(name), code, message);
    }

    fn push_violation(&mut self, field: Cow<'static, str>, code: &'static str, message: &'static str) {
        let (code, message) = (Cow::Borrowed(code), Cow::Borrowed(message));
        self.violations.push(FieldViolation { field, in_query: true, code, message });
    }

    /// The value where no parameter is at fault.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<T, ApiError> {
        if let Some(known) = self.known_names.take() {
            let mut seen: Vec<String> = Vec::new();
            for (name, _) in std::mem::take(&mut self.pairs) {
                if !known.contains(&name.as_str()) {
                    self.push_violation(Cow::Owned(name), "unknown", "is no parameter of this call");
                } else if seen.contains(&name) {
                    self.push_violation(Cow::Owned(name), "repeated", "must be there once");
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
