//! What PORTOS' lists take and answer: `$skip`, `$take`, `$sort`, `$count` and conditions on members, over rows that are JSON already.
//! It knows no resource; whose rows they are and who may see them was decided before.

use std::cmp::Ordering;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use serde_json::{Value, json};
use tillgate_domain::{Folded, Instant};

use crate::answer;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::head::Head;
use crate::instants::Given;

/// What a request asks of a list.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Asked {
    skip: usize,
    take: Option<usize>,
    count: bool,
    /// Members, and whether the greatest comes first.
    sort: Vec<(&'static str, bool)>,
    conditions: Vec<Condition>,
}

/// What a member must be.
#[derive(Debug, PartialEq)]
struct Condition {
    member: &'static str,
    how: How,
    value: Key,
    /// The value where it is an instant: values that are some too are compared with it as such. Rows are not sorted so, since among
    /// instants and other texts that would be no order.
    at: Option<Instant>,
}

/// What a value is compared by: numbers among themselves as such, all else as text.
#[derive(Debug, PartialEq)]
struct Key {
    number: Option<f64>,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Equal,
    Other,
    Greater,
    NotLess,
    Less,
    NotGreater,
    Contains,
    Starts,
    Ends,
}

/// The words for them, in lower case.
const WORDS: [(&str, How); 9] = [
    ("eq", How::Equal),
    ("ne", How::Other),
    ("gt", How::Greater),
    ("gte", How::NotLess),
    ("lt", How::Less),
    ("lte", How::NotGreater),
    ("contains", How::Contains),
    ("startswith", How::Starts),
    ("endswith", How::Ends),
];

impl Asked {
    /// Reads the query. `members` are those of the rows that can be asked about; each may have another name in queries. What names
    /// neither a member nor an option is ignored.
    ///
    /// # Errors
    /// An option has a value that it cannot have.
    pub(super) fn of(head: &Head, members: &[(&str, &'static str)]) -> Result<Self, Failure> {
        Self::read(head.query(), members)
    }

    fn read(query: &str, members: &[(&str, &'static str)]) -> Result<Self, Failure> {
        let pairs = Query::<Vec<(String, String)>>::from_query(query).map(Query::into_inner).unwrap_or_default();
        let member = |name: &str| members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, of)| *of);
        let (mut asked, mut faults) = (Self::default(), Vec::new());
        for (name, text) in &pairs {
            match name.to_ascii_lowercase().as_str() {
                "$skip" => asked.skip = number(text).unwrap_or_else(|| fault(&mut faults, "$skip")),
                "$take" => asked.take = Some(number(text).unwrap_or_else(|| fault(&mut faults, "$take"))),
                "$count" if text.eq_ignore_ascii_case("true") => asked.count = true,
                "$count" if text.eq_ignore_ascii_case("false") => asked.count = false,
                "$count" => fault(&mut faults, "$count"),
                "$sort" => asked.sort.extend(text.split(',').filter_map(|part| {
                    let (part, down) = ordered(part.trim());
                    Some((member(part)?, down))
                })),
                _ => {
                    if let Some(member) = member(name) {
                        asked.conditions.extend(text.split(';').map(|text| Condition::read(member, text)));
                    }
                }
            }
        }
        if faults.is_empty() { Ok(asked) } else { Err(Protocol::Fields(faults).into()) }
    }

    /// How many of the first rows the answer needs; `None` for all.
    pub(super) fn needs(&self) -> Option<usize> {
        let plain = !self.count && self.sort.is_empty() && self.conditions.is_empty();
        self.take.filter(|_| plain).map(|take| self.skip.saturating_add(take))
    }

    /// The rows that the request asks for.
    fn chosen(&self, mut rows: Vec<Value>) -> Value {
        rows.retain(|row| self.conditions.iter().all(|condition| condition.holds(row)));
        if self.count {
            return json!({ "items": [], "count": rows.len() });
        }
        let sorted = self.sorted(rows, |row| row);
        let items: Vec<Value> = sorted.into_iter().skip(self.skip).take(self.take.unwrap_or(usize::MAX)).collect();
        json!({ "items": items })
    }

    /// The rows in the order that is asked for; what each is compared by is made once.
    pub(super) fn sorted<R>(&self, rows: Vec<R>, values: impl Fn(&R) -> &Value) -> Vec<R> {
        if self.sort.is_empty() {
            return rows;
        }
        let keyed = |row: R| {
            let of = |(member, _): &(&str, bool)| Key::of(values(&row).get(*member).unwrap_or(&Value::Null));
            (self.sort.iter().map(of).collect::<Vec<Key>>(), row)
        };
        let mut keyed: Vec<(Vec<Key>, R)> = rows.into_iter().map(keyed).collect();
        keyed.sort_by(|(one, _), (other, _)| {
            let by = |((one, other), (_, down)): ((&Key, &Key), &(&str, bool))| {
                let order = one.compared(other);
                if *down { order.reverse() } else { order }
            };
            let mut orders = one.iter().zip(other).zip(&self.sort).map(by);
            orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        keyed.into_iter().map(|(_, row)| row).collect()
    }

    /// What a member must equal, where the request says so, as texts are compared.
    pub(super) fn equal(&self, member: &str) -> Option<&str> {
        let equal = |condition: &&Condition| condition.member == member && condition.how == How::Equal;
        self.conditions.iter().find(equal).map(|condition| condition.value.text.as_str())
    }

    /// Whether a row is one that the request asks for.
    pub(super) fn fits(&self, row: &Value) -> bool {
        self.conditions.iter().all(|condition| condition.holds(row))
    }

    /// Whether only how many there are is asked for.
    pub(super) const fn counts(&self) -> bool {
        self.count
    }

    /// Between which instants a member must lie, both included, as far as the request says so.
    pub(super) fn between(&self, member: &str) -> (Option<Instant>, Option<Instant>) {
        let (mut from, mut to) = (None, None);
        for condition in self.conditions.iter().filter(|condition| condition.member == member) {
            let Some(at) = condition.at else { continue };
            let (is_least, is_most) = match condition.how {
                How::Equal => (true, true),
                How::Greater | How::NotLess => (true, false),
                How::Less | How::NotGreater => (false, true),
                How::Other | How::Contains | How::Starts | How::Ends => (false, false),
            };
            from = if is_least { from.max(Some(at)) } else { from };
            to = if is_most { Some(to.map_or(at, |to: Instant| to.min(at))) } else { to };
        }
        (from, to)
    }

    /// Whether no condition is asked, but perhaps once what this member equals.
    pub(super) fn asks_at_most(&self, member: &str) -> bool {
        match &self.conditions[..] {
            [] => true,
            [condition] => condition.member == member && condition.how == How::Equal,
            _ => false,
        }
    }

    /// By which members rows are sorted, and whether the greatest comes first.
    pub(super) fn sorts(&self) -> &[(&'static str, bool)] {
        &self.sort
    }

    /// How many rows are passed over, and how many are asked for then.
    pub(super) const fn part(&self) -> (usize, Option<usize>) {
        (self.skip, self.take)
    }

    /// The answer.
    pub(super) fn answer(&self, rows: Vec<Value>) -> Result<HttpResponse, Failure> {
        answer::json(StatusCode::OK, &self.chosen(rows))
    }
}

fn number(text: &str) -> Option<usize> {
    text.parse().ok()
}

fn fault<T: Default>(faults: &mut Vec<FieldFault>, name: &'static str) -> T {
    faults.push(FieldFault { field: name.into(), query: true, code: "type".into(), message: "is not valid".into() });
    T::default()
}

/// `a`, `-b`, `c:desc`, `d:asc`.
fn ordered(part: &str) -> (&str, bool) {
    if let Some(name) = part.strip_prefix('-') {
        return (name, true);
    }
    match part.split_once(':') {
        Some((name, order)) => (name, order.eq_ignore_ascii_case("desc")),
        None => (part, false),
    }
}

impl Condition {
    /// `op:value`; what stands before a colon and is no operation belongs to the value.
    fn read(member: &'static str, text: &str) -> Self {
        let said = text.split_once(':').and_then(|(word, rest)| {
            let known = WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
            known.map(|(_, how)| (*how, rest))
        });
        let (how, text) = said.unwrap_or((How::Equal, text));
        let (value, at) = (Key { number: text.trim().parse().ok(), text: folded(text) }, instant(text));
        Self { member, how, value, at }
    }

    fn holds(&self, row: &Value) -> bool {
        match row.get(self.member) {
            // of several values one is enough; to be another, all have to be
            Some(Value::Array(values)) if self.how == How::Other => values.iter().all(|value| self.fits(value)),
            Some(Value::Array(values)) => values.iter().any(|value| self.fits(value)),
            value => self.fits(value.unwrap_or(&Value::Null)),
        }
    }

    fn fits(&self, value: &Value) -> bool {
        let (own, asked) = (Key::of(value), &self.value);
        let at = |asked: Instant| Some(value.as_str().and_then(instant)?.cmp(&asked));
        let order = self.at.and_then(at).unwrap_or_else(|| own.compared(asked));
        match self.how {
            How::Equal => order.is_eq(),
            How::Other => order.is_ne(),
            How::Greater => !value.is_null() && order.is_gt(),
            How::NotLess => !value.is_null() && order.is_ge(),
            How::Less => !value.is_null() && order.is_lt(),
            How::NotGreater => !value.is_null() && order.is_le(),
            How::Contains => own.text.contains(&asked.text),
            How::Starts => own.text.starts_with(&asked.text),
            How::Ends => own.text.ends_with(&asked.text),
        }
    }
}

impl Key {
    fn of(value: &Value) -> Self {
        Self { number: value.as_f64(), text: text(value) }
    }

    fn compared(&self, other: &Self) -> Ordering {
        match (self.number, other.number) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            _ => self.text.cmp(&other.text),
        }
    }
}

/// The instant that a text says, by whatever offset and however exactly; a day stands for its beginning.
fn instant(text: &str) -> Option<Instant> {
    let at: Result<Given, _> =
        if text.len() == "2026-11-21".len() { format!("{text}T00:00:00Z").parse() } else { text.parse() };
    at.ok().map(|Given(at)| at)
}

/// A value as it is compared: names as names are, nothing as an empty text.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => folded(text),
        other => other.to_string(),
    }
}

fn folded(text: &str) -> String {
    Folded::of(text).as_str().to_owned()
}

#[cfg(test)]
mod tests;
