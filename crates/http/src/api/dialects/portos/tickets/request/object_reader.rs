//! A reader of the members of an object, whose names are case-insensitive. Violations are collected
//! with their paths, so that all are reported at once.

use std::str::FromStr;

use tillgate_domain::ticket::{BoundedText, InvalidDecimal, Label};

use super::build_violation;
use crate::error::{FieldErrorCode, FieldViolation};
use crate::json::exact::ExactJson;

/// An object that is being read.
pub(super) struct TicketObjectReader<'e, 'f> {
    exact: &'e ExactJson,
    path: String,
    violations: &'f mut Vec<FieldViolation>,
}

/// A scalar value of a member.
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
    /// Starts to read an object. Any other value is a violation, and read as an object without
    /// members.
    pub(super) fn new(exact: &'e ExactJson, path: &str, violations: &'f mut Vec<FieldViolation>) -> Self {
        if !matches!(exact, ExactJson::Object(_)) {
            violations.push(build_violation(path.trim_end_matches('.').to_owned(), FieldErrorCode::Type));
        }
        Self { exact, path: path.to_owned(), violations }
    }

    /// How many violations were found so far.
    pub(super) fn violation_count(&self) -> usize {
        self.violations.len()
    }

    /// Adds a violation of a member.
    pub(super) fn add_violation(&mut self, name: &str, code: FieldErrorCode) {
        self.violations.push(build_violation(format!("{}{name}", self.path), code));
    }

    /// Returns the member as sent; `None` if it is absent or null.
    pub(super) fn get_non_null(&self, name: &str) -> Option<&'e ExactJson> {
        self.exact.find_member(name).filter(|value| **value != ExactJson::Null)
    }

    /// Returns the member as sent, including null; `None` if it is absent.
    pub(super) fn get(&self, name: &str) -> Option<&'e ExactJson> {
        self.exact.find_member(name)
    }

    /// Whether the member is null.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.exact.find_member(name) == Some(&ExactJson::Null)
    }

    /// Reads a scalar value of its type.
    pub(super) fn read_plain<T: PlainValue>(&mut self, name: &str, required: bool) -> Option<T> {
        let Some(value) = self.get_non_null(name) else {
            if required {
                self.add_violation(name, FieldErrorCode::Required);
            }
            return None;
        };
        let read = T::from_exact(value);
        if read.is_none() {
            self.add_violation(name, FieldErrorCode::Type);
        }
        read
    }

    /// Reads a boolean.
    pub(super) fn read_bool(&mut self, name: &str) -> Option<bool> {
        self.read_plain(name, false)
    }

    /// Reads a text of bounded length; empty if it is absent.
    pub(super) fn read_text<const MAX_CHARS: usize>(&mut self, name: &str) -> BoundedText<MAX_CHARS> {
        let Some(text) = self.read_plain::<String>(name, false) else { return BoundedText::default() };
        BoundedText::parse(&text).unwrap_or_else(|_| {
            self.add_violation(name, FieldErrorCode::Format);
            BoundedText::default()
        })
    }

    /// Reads an optional text of bounded length: `None` if it is absent, empty if it is null.
    pub(super) fn read_optional_label(&mut self, name: &str) -> Option<Label> {
        self.exact.find_member(name)?;
        Some(self.read_text(name))
    }

    /// Reads an exact decimal.
    pub(super) fn read_decimal<T: FromStr<Err = InvalidDecimal>>(&mut self, name: &str, required: bool) -> Option<T> {
        let code = match self.get_non_null(name) {
            Some(ExactJson::Number(digits)) => match digits.parse() {
                Ok(decimal) => return Some(decimal),
                Err(_) => FieldErrorCode::Range,
            },
            Some(_) => FieldErrorCode::Type,
            None if required => FieldErrorCode::Required,
            None => return None,
        };
        self.add_violation(name, code);
        None
    }

    /// Reads an integer.
    pub(super) fn read_integer<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let code = match self.get_non_null(name)? {
            ExactJson::Number(digits) => match digits.parse() {
                Ok(number) => return Some(number),
                Err(_) => FieldErrorCode::Range,
            },
            _ => FieldErrorCode::Type,
        };
        self.add_violation(name, code);
        None
    }

    /// Reads a nested object; `None` if it is absent or null.
    pub(super) fn read_object(&mut self, name: &str) -> Option<TicketObjectReader<'e, '_>> {
        let value = self.get_non_null(name)?;
        Some(TicketObjectReader::new(value, &format!("{}{name}.", self.path), self.violations))
    }

    /// Reads a nested object that must be present.
    pub(super) fn require_object(&mut self, name: &str) -> Option<TicketObjectReader<'e, '_>> {
        if self.get_non_null(name).is_none() {
            self.add_violation(name, FieldErrorCode::Required);
        }
        self.read_object(name)
    }

    /// Reads each object of a list by `read`; `None` if the list is absent, empty if it is null.
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
                    made.push(read(&mut TicketObjectReader::new(each, &path, self.violations)));
                }
                Some(made)
            }
            _ => {
                self.add_violation(name, FieldErrorCode::Type);
                None
            }
        }
    }

    /// Reads a list of names; empty if it is absent.
    pub(super) fn read_labels(&mut self, name: &str) -> Vec<Label> {
        let Some(value) = self.get_non_null(name) else { return Vec::new() };
        let ExactJson::Array(list) = value else {
            self.add_violation(name, FieldErrorCode::Type);
            return Vec::new();
        };
        let read = |each: &ExactJson| String::from_exact(each).and_then(|text| Label::parse(&text).ok());
        let labels: Option<Vec<Label>> = list.iter().map(read).collect();
        labels.unwrap_or_else(|| {
            self.add_violation(name, FieldErrorCode::Format);
            Vec::new()
        })
    }
}
