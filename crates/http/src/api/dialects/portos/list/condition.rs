//! A condition on a member in a list query, `Member=op:value`, parsed by the type of the member. A
//! value that is invalid for the type is an error: compared as text it would match nothing or
//! everything.

use std::cmp::Ordering;

use serde_json::Value;
use tillgate_domain::{FoldedText, Instant};

use crate::timestamps::Rfc3339Instant;

/// A member that conditions and orders can use.
#[derive(Clone, Copy, Debug)]
pub(in crate::api::dialects::portos) struct ListMember {
    /// Name of the member in queries.
    pub(super) name: &'static str,
    /// Name of the member in rows.
    pub(super) row_name: &'static str,
    pub(super) kind: MemberKind,
}

/// The type of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api::dialects::portos) enum MemberKind {
    /// Text, or a list of texts.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    Number,
    Instant,
    Bool,
    /// An object, or a list of objects, with which nothing is compared: a condition on it, or on a
    /// member of it that is not listed, is an error.
    Structure,
}

impl ListMember {
    /// Creates a member with the same name in queries and rows.
    pub(in crate::api::dialects::portos) const fn new(name: &'static str, kind: MemberKind) -> Self {
        Self { name, row_name: name, kind }
    }

    /// Creates a member with different names in queries and rows.
    pub(in crate::api::dialects::portos) const fn alias(
        name: &'static str,
        of: &'static str,
        kind: MemberKind,
    ) -> Self {
        Self { name, row_name: of, kind }
    }
}

/// A condition on a member.
#[derive(Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) member: &'static str,
    operator: Operator,
    operand: Operand,
}

/// The value that a condition compares with.
#[derive(Debug, PartialEq)]
enum Operand {
    /// A folded text.
    Text(String),
    Number(f64),
    Instant(Instant),
    Bool(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Contains,
    StartsWith,
    EndsWith,
}

/// The names of the operators, in lower case.
const OPERATOR_NAMES: [(&str, Operator); 9] = [
    ("eq", Operator::Equal),
    ("ne", Operator::NotEqual),
    ("gt", Operator::Greater),
    ("gte", Operator::GreaterOrEqual),
    ("lt", Operator::Less),
    ("lte", Operator::LessOrEqual),
    ("contains", Operator::Contains),
    ("startswith", Operator::StartsWith),
    ("endswith", Operator::EndsWith),
];

impl Operator {
    /// Whether the operator searches for a substring.
    const fn is_textual(self) -> bool {
        matches!(self, Self::Contains | Self::StartsWith | Self::EndsWith)
    }

    const fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }

    /// Whether the operator accepts this order of value and operand; `None` for a substring search.
    const fn accepts_order(self, order: Ordering) -> Option<bool> {
        Some(match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Contains | Self::StartsWith | Self::EndsWith => return None,
        })
    }

    fn matches_text(self, text: &str, piece: &str) -> bool {
        match self {
            Self::StartsWith => text.starts_with(piece),
            Self::EndsWith => text.ends_with(piece),
            _ => text.contains(piece),
        }
    }
}

impl Condition {
    /// Parses `op:value`. A text before a colon that is not an operator is part of the value.
    /// `None` if the value or the operator is invalid for the member.
    pub(super) fn parse(member: &ListMember, text: &str) -> Option<Self> {
        let named = text.split_once(':').and_then(|(word, rest)| {
            let known = OPERATOR_NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
            known.map(|(_, operator)| (*operator, rest))
        });
        let (operator, text) = named.unwrap_or((Operator::Equal, text));
        let operand = match member.kind {
            MemberKind::Text => Operand::Text(fold_text(text)),
            MemberKind::OneOf(words) => parse_word(words, operator, text)?,
            MemberKind::Number if operator.is_textual() => parse_fragment(text, b"-.")?,
            MemberKind::Number => Operand::Number(parse_number(text)?),
            MemberKind::Instant if operator.is_textual() => parse_fragment(text, b"-:.TZtz")?,
            MemberKind::Instant => Operand::Instant(parse_instant(text)?),
            MemberKind::Bool => Operand::Bool(parse_bool(text).filter(|_| operator.is_equality())?),
            MemberKind::Structure => return None,
        };
        Some(Self { member: member.row_name, operator, operand })
    }

    /// Whether a row satisfies the condition.
    pub(super) fn matches(&self, row: &Value) -> bool {
        match row.get(self.member) {
            // one value of a list is sufficient, except for `ne`, which requires all values to
            // differ
            Some(Value::Array(values)) if self.operator == Operator::NotEqual => {
                values.iter().all(|value| self.matches_value(value))
            }
            Some(Value::Array(values)) => values.iter().any(|value| self.matches_value(value)),
            value => self.matches_value(value.unwrap_or(&Value::Null)),
        }
    }

    fn matches_value(&self, value: &Value) -> bool {
        let order = match &self.operand {
            // null equals the empty text, and is neither less nor greater than any text
            Operand::Text(_) if value.is_null() && !self.operator.is_equality() && !self.operator.is_textual() => None,
            Operand::Text(piece) if self.operator.is_textual() => {
                return self.operator.matches_text(&comparison_text(value), piece);
            }
            Operand::Text(text) => Some(comparison_text(value).as_str().cmp(text)),
            Operand::Number(number) => value.as_f64().map(|own| own.total_cmp(number)),
            Operand::Instant(at) => value.as_str().and_then(parse_instant).map(|own| own.cmp(at)),
            Operand::Bool(truth) => value.as_bool().map(|own| own.cmp(truth)),
        };
        match order {
            Some(order) => self.operator.accepts_order(order).unwrap_or_default(),
            None => self.operator == Operator::NotEqual,
        }
    }

    /// Returns the range of timestamps that the condition accepts (start inclusive, end exclusive).
    /// `None` if it does not define one.
    pub(super) fn time_range(&self) -> Option<(Option<Instant>, Option<Instant>)> {
        let Operand::Instant(at) = self.operand else { return None };
        let next = at.saturating_add(std::time::Duration::from_millis(1));
        Some(match self.operator {
            Operator::Equal => (Some(at), Some(next)),
            Operator::Greater => (Some(next), None),
            Operator::GreaterOrEqual => (Some(at), None),
            Operator::Less => (None, Some(at)),
            Operator::LessOrEqual => (None, Some(next)),
            Operator::NotEqual | Operator::Contains | Operator::StartsWith | Operator::EndsWith => return None,
        })
    }
}

/// Parses one of the words, or a substring of one.
fn parse_word(words: &[&str], operator: Operator, text: &str) -> Option<Operand> {
    let text = fold_text(text);
    let known = |word: &&str| match operator {
        Operator::Equal | Operator::NotEqual => fold_text(word) == text,
        _ => operator.is_textual() && operator.matches_text(&fold_text(word), &text),
    };
    words.iter().any(known).then_some(Operand::Text(text))
}

/// Parses a substring of a text of digits and these signs.
fn parse_fragment(text: &str, signs: &[u8]) -> Option<Operand> {
    let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || signs.contains(&byte));
    fits.then(|| Operand::Text(fold_text(text)))
}

/// Parses a finite number.
fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

fn parse_bool(text: &str) -> Option<bool> {
    let is = |word: &str| text.trim().eq_ignore_ascii_case(word);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}

/// Parses a timestamp with any offset and precision. Without an offset it is in UTC, and a date is
/// the start of its day in UTC. An unencoded plus sign of the offset is decoded as a space, and
/// accepted.
pub(super) fn parse_instant(text: &str) -> Option<Instant> {
    let text = text.trim();
    let given = |text: &str| text.parse().ok().map(|Rfc3339Instant(at)| at);
    if text.len() == "2026-11-21".len() {
        return given(&format!("{text}T00:00:00Z"));
    }
    given(text).or_else(|| given(&text.replacen(' ', "+", 1))).or_else(|| given(&format!("{text}Z")))
}

/// Returns a value as text for comparison: strings are folded like names, null is empty.
pub(super) fn comparison_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => fold_text(text),
        other => other.to_string(),
    }
}

fn fold_text(text: &str) -> String {
    FoldedText::of(text).as_str().to_owned()
}
