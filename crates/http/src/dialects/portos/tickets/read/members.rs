//! The members of one object of a body, whatever the case of their names; what is wrong with any of them is put down with its path,
//! so that all faults are told at once.

use std::str::FromStr;

use tillgate_domain::ticket::{Amount, Currency, InvalidDecimal, Label, Text};

use super::fault;
use crate::exact::Exact;
use crate::failure::FieldFault;

/// An object that is being read.
pub(super) struct Members<'e, 'f> {
    exact: &'e Exact,
    path: String,
    /// In what amounts are paid, if it is known before the ticket is read; otherwise the ticket judges them.
    currency: Option<Currency>,
    faults: &'f mut Vec<FieldFault>,
}

/// A plain value of a member.
pub(super) trait Plain: Sized {
    fn of(exact: &Exact) -> Option<Self>;
}

impl Plain for String {
    fn of(exact: &Exact) -> Option<Self> {
        match exact {
            Exact::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl Plain for bool {
    fn of(exact: &Exact) -> Option<Self> {
        match exact {
            Exact::Truth(truth) => Some(*truth),
            _ => None,
        }
    }
}

impl<'e, 'f> Members<'e, 'f> {
    /// Begins to read an object; anything else is one without members, and a fault.
    pub(super) fn of(exact: &'e Exact, path: &str, faults: &'f mut Vec<FieldFault>) -> Self {
        if !matches!(exact, Exact::Object(_)) {
            faults.push(fault(path.trim_end_matches('.').to_owned(), "type"));
        }
        Self { exact, path: path.to_owned(), currency: None, faults }
    }

    /// The same where amounts are paid in this currency.
    pub(super) fn paid_in(self, currency: Option<Currency>) -> Self {
        Self { currency, ..self }
    }

    /// Puts down what is wrong with a member.
    pub(super) fn fault(&mut self, name: &str, code: &'static str) {
        self.faults.push(fault(format!("{}{name}", self.path), code));
    }

    /// The member as it was sent; nothing where it is missing or null.
    pub(super) fn raw(&self, name: &str) -> Option<&'e Exact> {
        self.exact.member(name).filter(|value| **value != Exact::Null)
    }

    /// The member as it was sent, null too; nothing where it is missing.
    pub(super) fn sent(&self, name: &str) -> Option<&'e Exact> {
        self.exact.member(name)
    }

    /// Whether it was sent and says nothing.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.exact.member(name) == Some(&Exact::Null)
    }

    /// A value of its type.
    pub(super) fn given<T: Plain>(&mut self, name: &str, required: bool) -> Option<T> {
        let Some(value) = self.raw(name) else {
            if required {
                self.fault(name, "required");
            }
            return None;
        };
        let read = T::of(value);
        if read.is_none() {
            self.fault(name, "type");
        }
        read
    }

    /// Yes or no.
    pub(super) fn truth(&mut self, name: &str) -> Option<bool> {
        self.given(name, false)
    }

    /// A text of bounded length; empty where it is missing.
    pub(super) fn text<const MOST: usize>(&mut self, name: &str) -> Text<MOST> {
        let Some(text) = self.given::<String>(name, false) else { return Text::default() };
        Text::parse(&text).unwrap_or_else(|_| {
            self.fault(name, "format");
            Text::default()
        })
    }

    /// The same; `None` where it is missing, and an empty text for null.
    pub(super) fn blank_or(&mut self, name: &str) -> Option<Label> {
        self.exact.member(name)?;
        Some(self.text(name))
    }

    /// An exact decimal.
    pub(super) fn decimal<T: FromStr<Err = InvalidDecimal>>(&mut self, name: &str, required: bool) -> Option<T> {
        let code = match self.raw(name) {
            Some(Exact::Number(digits)) => match digits.parse() {
                Ok(decimal) => return Some(decimal),
                Err(_) => "range",
            },
            Some(_) => "type",
            None if required => "required",
            None => return None,
        };
        self.fault(name, code);
        None
    }

    /// An amount, which the currency pays if it is known.
    pub(super) fn amount(&mut self, name: &str, required: bool) -> Option<Amount> {
        let amount = self.decimal(name, required)?;
        if self.currency.is_some_and(|currency| !currency.pays(amount)) {
            self.fault(name, "range");
            return None;
        }
        Some(amount)
    }

    /// A whole number.
    pub(super) fn whole<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let code = match self.raw(name)? {
            Exact::Number(digits) => match digits.parse() {
                Ok(number) => return Some(number),
                Err(_) => "range",
            },
            _ => "type",
        };
        self.fault(name, code);
        None
    }

    /// Another object within this one; nothing where it is missing or null.
    pub(super) fn inner(&mut self, name: &str) -> Option<Members<'e, '_>> {
        let value = self.raw(name)?;
        Some(Members::of(value, &format!("{}{name}.", self.path), self.faults).paid_in(self.currency))
    }

    /// The same where it has to be there.
    pub(super) fn required(&mut self, name: &str) -> Option<Members<'e, '_>> {
        if self.raw(name).is_none() {
            self.fault(name, "required");
        }
        self.inner(name)
    }

    /// What `read` makes of each object of a list; nothing where it is missing, none for null.
    pub(super) fn each<T>(&mut self, name: &str, mut read: impl FnMut(&mut Members<'e, '_>) -> T) -> Option<Vec<T>> {
        match self.exact.member(name)? {
            Exact::Null => Some(Vec::new()),
            Exact::List(list) => {
                let mut made = Vec::new();
                for (index, each) in list.iter().enumerate() {
                    let path = format!("{}{name}[{index}].", self.path);
                    made.push(read(&mut Members::of(each, &path, self.faults).paid_in(self.currency)));
                }
                Some(made)
            }
            _ => {
                self.fault(name, "type");
                None
            }
        }
    }

    /// A list of names; empty where it is missing.
    pub(super) fn labels(&mut self, name: &str) -> Vec<Label> {
        let Some(value) = self.raw(name) else { return Vec::new() };
        let Exact::List(list) = value else {
            self.fault(name, "type");
            return Vec::new();
        };
        let read = |each: &Exact| String::of(each).and_then(|text| Label::parse(&text).ok());
        let labels: Option<Vec<Label>> = list.iter().map(read).collect();
        labels.unwrap_or_else(|| {
            self.fault(name, "format");
            Vec::new()
        })
    }
}
