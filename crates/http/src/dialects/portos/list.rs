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

use crate::error::{ApiError, FieldViolation, ProtocolError};
use crate::head::RequestHead;
use crate::query;
use crate::response;

use condition::{Condition, comparison_text};
pub(super) use condition::{ListMember, MemberKind};

/// The published names of devices' environments.
pub(super) const ENVIRONMENT_KIND: MemberKind = MemberKind::OneOf(&[
    Environment::CashRegister.name(),
    Environment::Pda.name(),
    Environment::BackOffice.name(),
    Environment::Tool.name(),
]);

/// The options of a list.
const LIST_OPTIONS: [&str; 4] = ["$skip", "$take", "$count", "$sort"];

/// What a request asks of a list.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ListQuery {
    skip: usize,
    take: Option<usize>,
    count: bool,
    /// Members, and whether the greatest comes first.
    order: Vec<(&'static str, bool)>,
    conditions: Vec<Condition>,
}

/// A row of a list.
pub(super) trait ListRow: Serialize {
    /// Its members as conditions and orders compare them.
    fn comparison_value(&self) -> Cow<'_, Value>;
}

impl ListRow for Value {
    fn comparison_value(&self) -> Cow<'_, Value> {
        Cow::Borrowed(self)
    }
}

impl ListRow for ExactJson {
    fn comparison_value(&self) -> Cow<'_, Value> {
        Cow::Owned(self.to_value_lossy())
    }
}

/// What rows are sorted by: numbers among themselves as such, all else as text.
#[derive(Debug, PartialEq)]
pub(super) struct SortValue {
    number: Option<f64>,
    text: String,
}

impl ListQuery {
    /// Reads the query. `members` are those of the rows that can be asked about. What names neither a member nor an option is ignored.
    ///
    /// # Errors
    /// An option or a member has a value that it cannot have.
    pub(super) fn from_head(head: &RequestHead, members: &[ListMember]) -> Result<Self, ApiError> {
        Self::parse(head.query(), members)
    }

    /// The same of a query by itself.
    pub(super) fn parse(query: &str, members: &[ListMember]) -> Result<Self, ApiError> {
        let member = |name: &str| members.iter().find(|member| member.name.eq_ignore_ascii_case(name));
        let (mut asked, mut faults) = (Self::default(), Vec::new());
        for (name, text) in query::parse_pairs(query) {
            let Some(text) = text.as_deref() else {
                // what it names has a value that it cannot have
                match LIST_OPTIONS.iter().find(|option| name.eq_ignore_ascii_case(option)) {
                    Some(option) => push_violation(&mut faults, option),
                    None => member(&name).into_iter().for_each(|member| push_violation(&mut faults, member.name)),
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "$skip" => asked.skip = parse_usize(text).unwrap_or_else(|| push_violation(&mut faults, "$skip")),
                "$take" => asked.take = Some(parse_usize(text).unwrap_or_else(|| push_violation(&mut faults, "$take"))),
                "$count" if text.eq_ignore_ascii_case("true") => asked.count = true,
                "$count" if text.eq_ignore_ascii_case("false") => asked.count = false,
                "$count" => push_violation(&mut faults, "$count"),
                "$sort" => asked.order.extend(text.split(',').filter_map(|part| {
                    let (part, down) = parse_order(part.trim());
                    Some((member(part)?.row_name, down))
                })),
                _ => {
                    let Some(member) = member(&name) else { continue };
                    for text in text.split(';') {
                        match Condition::parse(member, text) {
                            Some(condition) => asked.conditions.push(condition),
                            None => push_violation(&mut faults, member.name),
                        }
                    }
                }
            }
        }
        if faults.is_empty() { Ok(asked) } else { Err(ProtocolError::InvalidFields(faults).into()) }
    }

    /// The rows that the request asks for, how many these are, and how many fit.
    fn select_rows<R: ListRow>(&self, mut rows: Vec<R>) -> ListBody<R> {
        rows.retain(|row| self.matches(&row.comparison_value()));
        let total = rows.len();
        if self.count {
            return ListBody { count: total, items: None, total };
        }
        let sorted = self.sort_rows(rows, |row| self.sort_values(&row.comparison_value()));
        let items: Vec<R> = sorted.into_iter().skip(self.skip).take(self.take.unwrap_or(usize::MAX)).collect();
        ListBody { count: items.len(), items: Some(items), total }
    }

    /// What a row is sorted by.
    pub(super) fn sort_values(&self, row: &Value) -> Vec<SortValue> {
        self.order.iter().map(|(member, _)| SortValue::from_json(row.get(*member).unwrap_or(&Value::Null))).collect()
    }

    /// The rows in the order that is asked for; what each is sorted by is made once.
    pub(super) fn sort_rows<R>(&self, rows: Vec<R>, keys: impl Fn(&R) -> Vec<SortValue>) -> Vec<R> {
        if self.order.is_empty() {
            return rows;
        }
        let mut keyed: Vec<(Vec<SortValue>, R)> = rows.into_iter().map(|row| (keys(&row), row)).collect();
        self.sort_by_values(&mut keyed);
        keyed.into_iter().map(|(_, row)| row).collect()
    }

    /// The same of rows that have what they are sorted by beside them.
    pub(super) fn sort_by_values<R>(&self, rows: &mut [(Vec<SortValue>, R)]) {
        rows.sort_by(|(one, _), (other, _)| {
            let by = |((one, other), (_, down)): ((&SortValue, &SortValue), &(&str, bool))| {
                let order = one.compare(other);
                if *down { order.reverse() } else { order }
            };
            let mut orders = one.iter().zip(other).zip(&self.order).map(by);
            orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
    }

    /// Whether a row is one that the request asks for.
    pub(super) fn matches(&self, row: &Value) -> bool {
        self.conditions.iter().all(|condition| condition.matches(row))
    }

    /// Whether a row is one, as far as these members of it are concerned.
    pub(super) fn matches_members(&self, members: &[&str], row: &Value) -> bool {
        self.conditions_on(members).all(|condition| condition.matches(row))
    }

    fn conditions_on(&self, members: &[&str]) -> impl Iterator<Item = &Condition> {
        self.conditions.iter().filter(|condition| members.contains(&condition.member))
    }

    /// Whether only how many there are is asked for.
    pub(super) const fn is_count_only(&self) -> bool {
        self.count
    }

    /// The first instant that a member may have and the first that is too late for it, as far as the request says so; and whether
    /// they say all that it asks of the member.
    pub(super) fn time_range(&self, member: &str) -> (Option<Instant>, Option<Instant>, bool) {
        let (mut from, mut until, mut whole) = (None, None, true);
        for condition in self.conditions_on(&[member]) {
            let Some((least, late)) = condition.time_range() else {
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
    pub(super) fn concerns_only(&self, members: &[&str]) -> bool {
        self.conditions.iter().all(|condition| members.contains(&condition.member))
    }

    /// The members that conditions or the order are about.
    pub(super) fn referenced_members(&self) -> impl Iterator<Item = &'static str> {
        self.conditions.iter().map(|condition| condition.member).chain(self.order.iter().map(|(member, _)| *member))
    }

    /// By which members rows are sorted, and whether the greatest comes first.
    pub(super) fn sort_order(&self) -> &[(&'static str, bool)] {
        &self.order
    }

    /// How many rows are passed over, and how many are asked for then.
    pub(super) const fn page_bounds(&self) -> (usize, Option<usize>) {
        (self.skip, self.take)
    }

    /// The answer.
    pub(super) fn render<R: ListRow>(&self, rows: Vec<R>) -> Result<HttpResponse, ApiError> {
        response::render_json(StatusCode::OK, &self.select_rows(rows))
    }
}

/// A part of a list, or only how long the list is.
#[derive(Serialize)]
struct ListBody<R> {
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<R>>,
    #[serde(rename = "totalCount")]
    total: usize,
}

/// The answer where only how many rows there are is asked for.
pub(super) fn count_body(total: usize) -> Value {
    json!({ "count": total, "totalCount": total })
}

fn parse_usize(text: &str) -> Option<usize> {
    text.parse().ok()
}

fn push_violation<T: Default>(faults: &mut Vec<FieldViolation>, name: &'static str) -> T {
    faults.push(FieldViolation {
        field: name.into(),
        in_query: true,
        code: "type".into(),
        message: "is not valid".into(),
    });
    T::default()
}

/// `a`, `-b`, `c:desc`, `d:asc`.
fn parse_order(part: &str) -> (&str, bool) {
    if let Some(name) = part.strip_prefix('-') {
        return (name, true);
    }
    match part.split_once(':') {
        Some((name, order)) => (name, order.eq_ignore_ascii_case("desc")),
        None => (part, false),
    }
}

impl SortValue {
    fn from_json(value: &Value) -> Self {
        Self { number: value.as_f64(), text: comparison_text(value) }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self.number, other.number) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            _ => self.text.cmp(&other.text),
        }
    }
}

#[cfg(test)]
mod tests;
