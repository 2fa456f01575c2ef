//! Reading the query: known parameters by name, all faults at once. Whether others may be there is for each contract to say.

use std::borrow::Cow;
use std::str::FromStr;

use actix_web::web::Query;

use crate::failure::{Failure, FieldFault, Protocol};
use crate::head::Head;

/// The parameters of a query. Of a repeated one the last counts.
#[derive(Debug)]
pub(crate) struct Parameters {
    pairs: Vec<(String, String)>,
    faults: Vec<FieldFault>,
    /// The names that were asked for, where no others may be there.
    known: Option<Vec<&'static str>>,
}

impl Parameters {
    /// The parameters of a contract that passes over those which it does not know.
    pub(crate) fn of(head: &Head) -> Self {
        let pairs = Query::<Vec<(String, String)>>::from_query(head.query()).map(Query::into_inner).unwrap_or_default();
        Self { pairs, faults: Vec::new(), known: None }
    }

    /// The same where one that nobody asks for is at fault, and so is one that comes twice: a list that passed over a filter would show
    /// more than was asked for.
    pub(crate) fn all_known(head: &Head) -> Self {
        Self { known: Some(Vec::new()), ..Self::of(head) }
    }

    fn text(&mut self, name: &'static str) -> Option<&str> {
        if let Some(known) = &mut self.known {
            known.push(name);
        }
        self.pairs.iter().rev().find(|(each, _)| each == name).map(|(_, text)| text.as_str())
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
        let value = read(self.text(name)?);
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
        self.text(name).filter(|text| !text.is_empty()).map(str::to_owned)
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
