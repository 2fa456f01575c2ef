//! The members of one object of a body, whatever the case of their names; what is wrong with any of them is put down with its path,
//! so that all faults are told at once.

use std::str::FromStr;

use tillgate_domain::ticket::{Amount, BoundedText, Currency, InvalidDecimal, Label};

use super::build_violation;
use crate::error::FieldViolation;
use crate::exact::ExactJson;

/// An object that is being read.
pub(super) struct TicketObjectReader<'e, 'f> {
    exact: &'e ExactJson,
    path: String,
    /// In what amounts are paid, if it is known before the ticket is read; otherwise the ticket judges them.
    currency: Option<Currency>,
    violations: &'f mut Vec<FieldViolation>,
}

/// A plain value of a member.
pub(super) trait PlainValue: Sized {
    fn from_exact(exact: &ExactJson) -> Option<Self>;
}

impl PlainValue for String {
    fn from_exact(exact: &ExactJson) -> Option<Self> {
        match exact {
            ExactJson::String(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl PlainValue for bool {
    fn from_exact(exact: &ExactJson) -> Option<Self> {
        match exact {
            ExactJson::Bool(truth) => Some(*truth),
            _ => None,
        }
    }
}

impl<'e, 'f> TicketObjectReader<'e, 'f> {
    /// Begins to read an object; anything else is one without members, and a fault.
    pub(super) fn new(exact: &'e ExactJson, path: &str, faults: &'f mut Vec<FieldViolation>) -> Self {
        if !matches!(exact, ExactJson::Object(_)) {
            faults.push(build_violation(path.trim_end_matches('.').to_owned(), "type"));
        }
        Self { exact, path: path.to_owned(), currency: None, violations: faults }
    }

    /// The same where amounts are paid in this currency.
    pub(super) fn with_currency(self, currency: Option<Currency>) -> Self {
        Self { currency, ..self }
    }

    /// Puts down what is wrong with a member.
    pub(super) fn add_violation(&mut self, name: &str, code: &'static str) {
        self.violations.push(build_violation(format!("{}{name}", self.path), code));
    }

    /// The member as it was sent; nothing where it is missing or null.
    pub(super) fn get_non_null(&self, name: &str) -> Option<&'e ExactJson> {
        self.exact.find_member(name).filter(|value| **value != ExactJson::Null)
    }

    /// The member as it was sent, null too; nothing where it is missing.
    pub(super) fn get(&self, name: &str) -> Option<&'e ExactJson> {
        self.exact.find_member(name)
    }

    /// Whether it was sent and says nothing.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.exact.find_member(name) == Some(&ExactJson::Null)
    }

    /// A value of its type.
    pub(super) fn read_plain<T: PlainValue>(&mut self, name: &str, required: bool) -> Option<T> {
        let Some(value) = self.get_non_null(name) else {
            if required {
                self.add_violation(name, "required");
            }
            return None;
        };
        let read = T::from_exact(value);
        if read.is_none() {
            self.add_violation(name, "type");
        }
        read
    }

    /// Yes or no.
    pub(super) fn read_bool(&mut self, name: &str) -> Option<bool> {
        self.read_plain(name, false)
    }

    /// A text of bounded length; empty where it is missing.
    pub(super) fn read_text<const MOST: usize>(&mut self, name: &str) -> BoundedText<MOST> {
        let Some(text) = self.read_plain::<String>(name, false) else { return BoundedText::default() };
        BoundedText::parse(&text).unwrap_or_else(|_| {
            self.add_violation(name, "format");
            BoundedText::default()
        })
    }

    /// The same; `None` where it is missing, and an empty text for null.
    pub(super) fn read_optional_label(&mut self, name: &str) -> Option<Label> {
        self.exact.find_member(name)?;
        Some(self.read_text(name))
    }

    /// An exact decimal.
    pub(super) fn read_decimal<T: FromStr<Err = InvalidDecimal>>(&mut self, name: &str, required: bool) -> Option<T> {
        let code = match self.get_non_null(name) {
            Some(ExactJson::Number(digits)) => match digits.parse() {
                Ok(decimal) => return Some(decimal),
                Err(_) => "range",
            },
            Some(_) => "type",
            None if required => "required",
            None => return None,
        };
        self.add_violation(name, code);
        None
    }

    /// An amount, which the currency pays if it is known.
    pub(super) fn read_amount(&mut self, name: &str, required: bool) -> Option<Amount> {
        let amount = self.read_decimal(name, required)?;
        if self.currency.is_some_and(|currency| !currency.can_represent(amount)) {
            self.add_violation(name, "range");
            return None;
        }
        Some(amount)
    }

    /// A whole number.
    pub(super) fn read_integer<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let code = match self.get_non_null(name)? {
            ExactJson::Number(digits) => match digits.parse() {
                Ok(number) => return Some(number),
                Err(_) => "range",
            },
            _ => "type",
        };
        self.add_violation(name, code);
        None
    }

    /// Another object within this one; nothing where it is missing or null.
    pub(super) fn read_object(&mut self, name: &str) -> Option<TicketObjectReader<'e, '_>> {
        let value = self.get_non_null(name)?;
        Some(
            TicketObjectReader::new(value, &format!("{}{name}.", self.path), self.violations)
                .with_currency(self.currency),
        )
    }

    /// The same where it has to be there.
    pub(super) fn require_object(&mut self, name: &str) -> Option<TicketObjectReader<'e, '_>> {
        if self.get_non_null(name).is_none() {
            self.add_violation(name, "required");
        }
        self.read_object(name)
    }

    /// What `read` makes of each object of a list; nothing where it is missing, none for null.
    pub(super) fn read_list<T>(
        &mut self,
        name: &str,
        mut read: impl FnMut(&mut TicketObjectReader<'e, '_>) -> T,
    ) -> Option<Vec<T>> {
        match self.exact.find_member(name)? {
            ExactJson::Null => Some(Vec::new()),
            ExactJson::Array(list) => {
                let mut made = Vec::new();
                for (index, each) in list.iter().enumerate() {
                    let path = format!("{}{name}[{index}].", self.path);
                    made.push(read(
                        &mut TicketObjectReader::new(each, &path, self.violations).with_currency(self.currency),
                    ));
                }
                Some(made)
            }
            _ => {
                self.add_violation(name, "type");
                None
            }
        }
    }

    /// A list of names; empty where it is missing.
    pub(super) fn read_labels(&mut self, name: &str) -> Vec<Label> {
        let Some(value) = self.get_non_null(name) else { return Vec::new() };
        let ExactJson::Array(list) = value else {
            self.add_violation(name, "type");
            return Vec::new();
        };
        let read = |each: &ExactJson| String::from_exact(each).and_then(|text| Label::parse(&text).ok());
        let labels: Option<Vec<Label>> = list.iter().map(read).collect();
        labels.unwrap_or_else(|| {
            self.add_violation(name, "format");
            Vec::new()
        })
    }
}
