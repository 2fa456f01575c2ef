//! A condition on a member of a list: `Member=op:value`, read by what the member holds. A value that cannot be read for it is at
//! fault: compared as text it would show nothing, or everything.

use std::cmp::Ordering;

use serde_json::Value;
use tillgate_domain::{FoldedText, Instant};

use crate::timestamps::Rfc3339Instant;

/// A member that lists can be asked about.
#[derive(Clone, Copy, Debug)]
pub(in crate::dialects::portos) struct ListMember {
    /// Its name in queries.
    pub(super) name: &'static str,
    /// Its name in rows.
    pub(super) row_name: &'static str,
    pub(super) kind: MemberKind,
}

/// What a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialects::portos) enum MemberKind {
    /// Text, or a list of texts.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    Number,
    Instant,
    Bool,
}

impl ListMember {
    /// A member that queries call as rows do.
    pub(in crate::dialects::portos) const fn new(name: &'static str, kind: MemberKind) -> Self {
        Self { name, row_name: name, kind }
    }

    /// A member that queries call by another name.
    pub(in crate::dialects::portos) const fn alias(name: &'static str, of: &'static str, kind: MemberKind) -> Self {
        Self { name, row_name: of, kind }
    }
}

/// What a member must be.
#[derive(Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) member: &'static str,
    operator: Operator,
    operand: Operand,
}

/// What a condition compares with.
#[derive(Debug, PartialEq)]
enum Operand {
    /// As texts are compared.
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

/// The words for them, in lower case.
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
    /// Whether it looks for a piece of text.
    const fn is_textual(self) -> bool {
        matches!(self, Self::Contains | Self::StartsWith | Self::EndsWith)
    }

    const fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }

    /// Whether a value stands to the operand as it says; `None` where it looks for a piece of text.
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
    /// Reads `op:value`; what stands before a colon and is no operator belongs to the value. `None` where the member cannot have such
    /// a value, or is not asked about so.
    pub(super) fn parse(member: &ListMember, text: &str) -> Option<Self> {
        let said = text.split_once(':').and_then(|(word, rest)| {
            let known = OPERATOR_NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
            known.map(|(_, operator)| (*operator, rest))
        });
        let (operator, text) = said.unwrap_or((Operator::Equal, text));
        let operand = match member.kind {
            MemberKind::Text => Operand::Text(fold_text(text)),
            MemberKind::OneOf(words) => parse_word(words, operator, text)?,
            MemberKind::Number if operator.is_textual() => parse_fragment(text, b"-.")?,
            MemberKind::Number => Operand::Number(parse_number(text)?),
            MemberKind::Instant if operator.is_textual() => parse_fragment(text, b"-:.TZtz")?,
            MemberKind::Instant => Operand::Instant(parse_instant(text)?),
            MemberKind::Bool => Operand::Bool(parse_bool(text).filter(|_| operator.is_equality())?),
        };
        Some(Self { member: member.row_name, operator, operand })
    }

    /// Whether a row is as the condition asks.
    pub(super) fn matches(&self, row: &Value) -> bool {
        match row.get(self.member) {
            // of several values one is enough; to be another, all have to be
            Some(Value::Array(values)) if self.operator == Operator::NotEqual => {
                values.iter().all(|value| self.matches_value(value))
            }
            Some(Value::Array(values)) => values.iter().any(|value| self.matches_value(value)),
            value => self.matches_value(value.unwrap_or(&Value::Null)),
        }
    }

    fn matches_value(&self, value: &Value) -> bool {
        let order = match &self.operand {
            // nothing reads as an empty text; it is neither before nor after another
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

    /// The first instant that it lets through, and the first that is too late. `None` where it does not say so.
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

/// One of the words, or a piece of one.
fn parse_word(words: &[&str], operator: Operator, text: &str) -> Option<Operand> {
    let text = fold_text(text);
    let known = |word: &&str| match operator {
        Operator::Equal | Operator::NotEqual => fold_text(word) == text,
        _ => operator.is_textual() && operator.matches_text(&fold_text(word), &text),
    };
    words.iter().any(known).then_some(Operand::Text(text))
}

/// A piece of how digits and these signs are written.
fn parse_fragment(text: &str, signs: &[u8]) -> Option<Operand> {
    let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || signs.contains(&byte));
    fits.then(|| Operand::Text(fold_text(text)))
}

/// A number by its digits; neither infinity nor what is none.
fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

fn parse_bool(text: &str) -> Option<bool> {
    let is = |word: &str| text.trim().eq_ignore_ascii_case(word);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}

/// The instant that a text says, by whatever offset and however exactly. One without an offset is in UTC, and a day stands for its
/// beginning there. The plus of an offset that came unescaped, and so reads as a blank, is taken for what it was.
pub(super) fn parse_instant(text: &str) -> Option<Instant> {
    let text = text.trim();
    let given = |text: &str| text.parse().ok().map(|Rfc3339Instant(at)| at);
    if text.len() == "2026-11-21".len() {
        return given(&format!("{text}T00:00:00Z"));
    }
    given(text).or_else(|| given(&text.replacen(' ', "+", 1))).or_else(|| given(&format!("{text}Z")))
}

/// A value as it is compared as text: names as names are, nothing as an empty text.
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
