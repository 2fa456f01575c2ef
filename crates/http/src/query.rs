//! Reading the query: known parameters by name, all faults at once, unknown ones ignored.

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
}

impl Parameters {
    pub(crate) fn of(head: &Head) -> Self {
        let pairs = Query::<Vec<(String, String)>>::from_query(head.query()).map(Query::into_inner).unwrap_or_default();
        Self { pairs, faults: Vec::new() }
    }

    /// The parameter, where it is there and reads as a `T`; `what` says what it must be.
    pub(crate) fn take<T: FromStr>(&mut self, name: &'static str, what: &'static str) -> Option<T> {
        let text = self.pairs.iter().rev().find(|(each, _)| each == name).map(|(_, text)| text)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.fault(name, "type", what);
        }
        value
    }

    /// The parameter as text, where it is there and not empty.
    pub(crate) fn word(&self, name: &str) -> Option<String> {
        let text = self.pairs.iter().rev().find(|(each, _)| each == name).map(|(_, text)| text)?;
        (!text.is_empty()).then(|| text.clone())
    }

    /// Notes that a parameter cannot be.
    pub(crate) fn fault(&mut self, name: &'static str, code: &'static str, message: &'static str) {
        let (field, code, message) = (Cow::Borrowed(name), Cow::Borrowed(code), Cow::Borrowed(message));
        self.faults.push(FieldFault { field, query: true, code, message });
    }

    /// The value where no parameter is at fault.
    pub(crate) fn checked<T>(self, value: T) -> Result<T, Failure> {
        if self.faults.is_empty() { Ok(value) } else { Err(Protocol::Fields(self.faults).into()) }
    }
}
