//! What PORTOS' lists take and answer: `$skip`, `$take`, `$sort`, `$count` and conditions on members, over rows that are JSON already.
//! It knows no resource; whose rows they are and who may see them was decided before.

use std::cmp::Ordering;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use serde_json::{Value, json};
use tillgate_domain::Folded;

use crate::answer;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::head::Head;

/// What a request asks of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    skip: usize,
    take: Option<usize>,
    count: bool,
    /// Members, and whether the greatest comes first.
    sort: Vec<(&'static str, bool)>,
    conditions: Vec<Condition>,
}

/// What a member must be.
#[derive(Debug, PartialEq, Eq)]
struct Condition {
    member: &'static str,
    how: How,
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
        rows.sort_by(|one, other| {
            let by = |(member, down): &(&'static str, bool)| {
                let order = compared(&one[*member], &other[*member]);
                if *down { order.reverse() } else { order }
            };
            self.sort.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        let items: Vec<Value> = rows.into_iter().skip(self.skip).take(self.take.unwrap_or(usize::MAX)).collect();
        json!({ "items": items })
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
        Self { member, how, text: text.to_owned() }
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
        let (own, asked) = (text(value), folded(&self.text));
        let order = || match (value.as_f64(), self.text.trim().parse::<f64>()) {
            (Some(own), Ok(asked)) => own.total_cmp(&asked),
            _ => own.cmp(&asked),
        };
        match self.how {
            How::Equal => order().is_eq(),
            How::Other => order().is_ne(),
            How::Greater => !value.is_null() && order().is_gt(),
            How::NotLess => !value.is_null() && order().is_ge(),
            How::Less => !value.is_null() && order().is_lt(),
            How::NotGreater => !value.is_null() && order().is_le(),
            How::Contains => own.contains(&asked),
            How::Starts => own.starts_with(&asked),
            How::Ends => own.ends_with(&asked),
        }
    }
}

fn compared(one: &Value, other: &Value) -> Ordering {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => text(one).cmp(&text(other)),
    }
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
