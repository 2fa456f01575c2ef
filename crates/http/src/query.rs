//! Reading the query: known parameters by name, all faults at once. Whether others may be there is for each contract to say.

use std::borrow::Cow;
use std::str::FromStr;

use crate::failure::{Failure, FieldFault, Protocol};
use crate::form;
use crate::head::Head;

/// What a value must be in any case.
const ENCODED: &str = "must be percent-encoded UTF-8";

/// The parameters of a query in their order, decoded as forms are (URL standard, 5.1). A value that is no percent-encoded UTF-8 is
/// `None`: no reading of it is what the client meant. A name of that kind keeps its encoding, and so is no known name.
pub(crate) fn pairs(query: &str) -> Vec<(String, Option<String>)> {
    let decoded = |text: &str| is_encoded(text).then(|| form::decoded(text.as_bytes()).ok()).flatten();
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name).unwrap_or_else(|| name.to_owned()), decoded(value))
        })
        .collect()
}

/// Whether every percent sign begins an encoded byte (RFC 3986, 2.1).
fn is_encoded(text: &str) -> bool {
    let is_hex = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_hexdigit);
    let mut encoded = text.split('%').map(str::as_bytes).skip(1);
    encoded.all(|rest| is_hex(rest.first()) && is_hex(rest.get(1)))
}

/// The parameters of a query. Of a repeated one the last counts.
#[derive(Debug)]
pub(crate) struct Parameters {
    pairs: Vec<(String, Option<String>)>,
    faults: Vec<FieldFault>,
    /// The names that were asked for, where no others may be there.
    known: Option<Vec<&'static str>>,
}

impl Parameters {
    /// The parameters of a contract that passes over those which it does not know.
    pub(crate) fn of(head: &Head) -> Self {
        Self { pairs: pairs(head.query()), faults: Vec::new(), known: None }
    }

    /// The same where one that nobody asks for is at fault, and so is one that comes twice: a list that passed over a filter would show
    /// more than was asked for.
    pub(crate) fn all_known(head: &Head) -> Self {
        Self { known: Some(Vec::new()), ..Self::of(head) }
    }

    /// The value of a parameter; one that cannot be decoded is at fault.
    fn text(&mut self, name: &'static str) -> Option<String> {
        if let Some(known) = &mut self.known {
            known.push(name);
        }
        let (_, sent) = self.pairs.iter().rev().find(|(each, _)| each == name)?;
        let text = sent.clone();
        if text.is_none() && !self.faults.iter().any(|fault| fault.field == name) {
            self.fault(name, "format", ENCODED);
        }
        text
    }

    /// The parameter, where it is there and reads as a `T`; `what` says what it must be.
    pub(crate) fn take<T: FromStr>(&mut self, name: &'static str, what: &'static str) -> Option<T> {
        self.read(name, "type", |text| text.parse().ok(), what)
    }

    /// The parameter, where it is there and `read` makes something of it; else it is at fault by this code, and `what` says what it must be.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        code: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
        what: &'static str,
    ) -> Option<T> {
        let value = read(&self.text(name)?);
        if value.is_none() {
            self.fault(name, code, what);
        }
        value
    }

    /// The parameter, where it is there and is one of a closed set of words; `what` says which they are.
    pub(crate) fn choice<T>(
        &mut self,
        name: &'static str,
        words: impl IntoIterator<Item = (&'static str, T)>,
        what: &'static str,
    ) -> Option<T> {
        let mut words = words.into_iter();
        self.read(name, "format", |text| words.find(|(word, _)| *word == text).map(|(_, value)| value), what)
    }

    /// The parameter as text, where it is there and not empty.
    pub(crate) fn word(&mut self, name: &'static str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// Notes that a parameter cannot be.
    pub(crate) fn fault(&mut self, name: &'static str, code: &'static str, message: &'static str) {
        self.note(Cow::Borrowed(name), code, message);
    }

    fn note(&mut self, field: Cow<'static, str>, code: &'static str, message: &'static str) {
        let (code, message) = (Cow::Borrowed(code), Cow::Borrowed(message));
        self.faults.push(FieldFault { field, query: true, code, message });
    }

    /// The value where no parameter is at fault.
    pub(crate) fn checked<T>(mut self, value: T) -> Result<T, Failure> {
        if let Some(known) = self.known.take() {
            let mut seen: Vec<String> = Vec::new();
            for (name, _) in std::mem::take(&mut self.pairs) {
                if !known.contains(&name.as_str()) {
                    self.note(Cow::Owned(name), "unknown", "is no parameter of this call");
                } else if seen.contains(&name) {
                    self.note(Cow::Owned(name), "repeated", "must be there once");
                } else {
                    seen.push(name);
                }
            }
        }
        if self.faults.is_empty() { Ok(value) } else { Err(Protocol::Fields(self.faults).into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_read_as_browsers_write_it() {
        for (query, expected) in [
            ("", &[][..]),
            ("&a=b&&c", &[("a", Some("b")), ("c", Some(""))]),
            ("a=b=c&%61=%2B+%C5%BE", &[("a", Some("b=c")), ("a", Some("+ ž"))]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
            assert_eq!(pairs(query), expected, "{query}");
        }
    }

    #[test]
    fn value_that_cannot_be_decoded_is_none() {
        for value in ["%FF", "a%c3", "%c0%af", "%", "%2", "50%", "%zz", "%ed%a0%80"] {
            assert_eq!(
                pairs(&format!("x={value}&y=1")),
                [("x".into(), None), ("y".into(), Some("1".into()))],
                "{value}"
            );
        }
        assert_eq!(pairs("%FF=1"), [("%FF".to_owned(), Some("1".to_owned()))]);
    }
}
