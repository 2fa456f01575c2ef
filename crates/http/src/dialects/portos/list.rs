//! What PORTOS' lists take and answer: `$skip`, `$take`, `$sort`, `$count` and conditions on members, over rows that are JSON already.
//! It knows no resource; whose rows they are and who may see them was decided before.

mod condition;

use std::borrow::Cow;
use std::cmp::Ordering;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use tillgate_domain::{Environment, ExactJson, Instant};

use crate::answer;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::head::Head;
use crate::query;

use condition::{Condition, compared};
pub(super) use condition::{Kind, Member};

/// The published names of devices' environments.
pub(super) const ENVIRONMENTS: Kind = Kind::Word(&[
    Environment::CashRegister.name(),
    Environment::Pda.name(),
    Environment::BackOffice.name(),
    Environment::Tool.name(),
]);

/// The options of a list.
const OPTIONS: [&str; 4] = ["$skip", "$take", "$count", "$sort"];

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

/// A row of a list.
pub(super) trait Row: Serialize {
    /// Its members as conditions and orders compare them.
    fn compared(&self) -> Cow<'_, Value>;
}

impl Row for Value {
    fn compared(&self) -> Cow<'_, Value> {
        Cow::Borrowed(self)
    }
}

impl Row for ExactJson {
    fn compared(&self) -> Cow<'_, Value> {
        Cow::Owned(self.compared())
    }
}

/// What rows are sorted by: numbers among themselves as such, all else as text.
#[derive(Debug, PartialEq)]
pub(super) struct Key {
    number: Option<f64>,
    text: String,
}

impl Asked {
    /// Reads the query. `members` are those of the rows that can be asked about. What names neither a member nor an option is ignored.
    ///
    /// # Errors
    /// An option or a member has a value that it cannot have.
    pub(super) fn of(head: &Head, members: &[Member]) -> Result<Self, Failure> {
        Self::read(head.query(), members)
    }

    /// The same of a query by itself.
    pub(super) fn read(query: &str, members: &[Member]) -> Result<Self, Failure> {
        let member = |name: &str| members.iter().find(|member| member.name.eq_ignore_ascii_case(name));
        let (mut asked, mut faults) = (Self::default(), Vec::new());
        for (name, text) in query::pairs(query) {
            let Some(text) = text.as_deref() else {
                // what it names has a value that it cannot have
                match OPTIONS.iter().find(|option| name.eq_ignore_ascii_case(option)) {
                    Some(option) => fault(&mut faults, option),
                    None => member(&name).into_iter().for_each(|member| fault(&mut faults, member.name)),
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "$skip" => asked.skip = number(text).unwrap_or_else(|| fault(&mut faults, "$skip")),
                "$take" => asked.take = Some(number(text).unwrap_or_else(|| fault(&mut faults, "$take"))),
                "$count" if text.eq_ignore_ascii_case("true") => asked.count = true,
                "$count" if text.eq_ignore_ascii_case("false") => asked.count = false,
                "$count" => fault(&mut faults, "$count"),
                "$sort" => asked.sort.extend(text.split(',').filter_map(|part| {
                    let (part, down) = ordered(part.trim());
                    Some((member(part)?.of, down))
                })),
                _ => {
                    let Some(member) = member(&name) else { continue };
                    for text in text.split(';') {
                        match Condition::read(member, text) {
                            Some(condition) => asked.conditions.push(condition),
                            None => fault(&mut faults, member.name),
                        }
                    }
                }
            }
        }
        if faults.is_empty() { Ok(asked) } else { Err(Protocol::Fields(faults).into()) }
    }

    /// The rows that the request asks for, how many these are, and how many fit.
    fn chosen<R: Row>(&self, mut rows: Vec<R>) -> Part<R> {
        rows.retain(|row| self.fits(&row.compared()));
        let total = rows.len();
        if self.count {
            return Part { count: total, items: None, total };
        }
        let sorted = self.sorted(rows, |row| self.keys(&row.compared()));
        let items: Vec<R> = sorted.into_iter().skip(self.skip).take(self.take.unwrap_or(usize::MAX)).collect();
        Part { count: items.len(), items: Some(items), total }
    }

    /// What a row is sorted by.
    pub(super) fn keys(&self, row: &Value) -> Vec<Key> {
        self.sort.iter().map(|(member, _)| Key::of(row.get(*member).unwrap_or(&Value::Null))).collect()
    }

    /// The rows in the order that is asked for; what each is sorted by is made once.
    pub(super) fn sorted<R>(&self, rows: Vec<R>, keys: impl Fn(&R) -> Vec<Key>) -> Vec<R> {
        if self.sort.is_empty() {
            return rows;
        }
        let mut keyed: Vec<(Vec<Key>, R)> = rows.into_iter().map(|row| (keys(&row), row)).collect();
        self.sort_keyed(&mut keyed);
        keyed.into_iter().map(|(_, row)| row).collect()
    }

    /// The same of rows that have what they are sorted by beside them.
    pub(super) fn sort_keyed<R>(&self, rows: &mut [(Vec<Key>, R)]) {
        rows.sort_by(|(one, _), (other, _)| {
            let by = |((one, other), (_, down)): ((&Key, &Key), &(&str, bool))| {
                let order = one.order(other);
                if *down { order.reverse() } else { order }
            };
            let mut orders = one.iter().zip(other).zip(&self.sort).map(by);
            orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
    }

    /// Whether a row is one that the request asks for.
    pub(super) fn fits(&self, row: &Value) -> bool {
        self.conditions.iter().all(|condition| condition.holds(row))
    }

    /// Whether a row is one, as far as these members of it are concerned.
    pub(super) fn fits_in(&self, members: &[&str], row: &Value) -> bool {
        self.about(members).all(|condition| condition.holds(row))
    }

    fn about(&self, members: &[&str]) -> impl Iterator<Item = &Condition> {
        self.conditions.iter().filter(|condition| members.contains(&condition.member))
    }

    /// Whether only how many there are is asked for.
    pub(super) const fn counts(&self) -> bool {
        self.count
    }

    /// The first instant that a member may have and the first that is too late for it, as far as the request says so; and whether
    /// they say all that it asks of the member.
    pub(super) fn span(&self, member: &str) -> (Option<Instant>, Option<Instant>, bool) {
        let (mut from, mut until, mut whole) = (None, None, true);
        for condition in self.about(&[member]) {
            let Some((least, late)) = condition.span() else {
                whole = false;
                continue;
            };
            from = from.max(least);
            until = match (until, late) {
                (Some(one), Some(other)) => Some(std::cmp::min::<Instant>(one, other)),
                (one, other) => one.or(other),
            };
        }
        (from, until, whole)
    }

    /// Whether nothing is asked but of these members.
    pub(super) fn asks_only(&self, members: &[&str]) -> bool {
        self.conditions.iter().all(|condition| members.contains(&condition.member))
    }

    /// The members that conditions or the order are about.
    pub(super) fn members(&self) -> impl Iterator<Item = &'static str> {
        self.conditions.iter().map(|condition| condition.member).chain(self.sort.iter().map(|(member, _)| *member))
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
    pub(super) fn answer<R: Row>(&self, rows: Vec<R>) -> Result<HttpResponse, Failure> {
        answer::json(StatusCode::OK, &self.chosen(rows))
    }
}

/// A part of a list, or only how long the list is.
#[derive(Serialize)]
struct Part<R> {
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<R>>,
    #[serde(rename = "totalCount")]
    total: usize,
}

/// The answer where only how many rows there are is asked for.
pub(super) fn counted(total: usize) -> Value {
    json!({ "count": total, "totalCount": total })
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

impl Key {
    fn of(value: &Value) -> Self {
        Self { number: value.as_f64(), text: compared(value) }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self.number, other.number) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            _ => self.text.cmp(&other.text),
        }
    }
}

#[cfg(test)]
mod tests;
