//! PORTOS' list options `$skip`, `$take`, `$sort`, `$count` and conditions on members, applied to
//! rows that are already JSON. It is independent of the resource; the caller has decided whose rows
//! are visible.

mod condition;

use std::borrow::Cow;
use std::cmp::Ordering;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use tillgate_domain::{Environment, ExactJson, Instant};

use crate::error::{ApiError, FieldErrorCode, FieldViolation, ProtocolError};
use crate::request::head::RequestHead;
use crate::request::query;
use crate::serving::response;

use condition::{Condition, comparison_text};
pub(super) use condition::{ListMember, MemberKind};

/// The published names of device environments.
pub(super) const ENVIRONMENT_KIND: MemberKind = MemberKind::OneOf(&[
    Environment::CashRegister.name(),
    Environment::Pda.name(),
    Environment::BackOffice.name(),
    Environment::Tool.name(),
]);

/// The options of a list.
const LIST_OPTIONS: [&str; 4] = ["$skip", "$take", "$count", "$sort"];

/// The query of a list.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ListQuery {
    skip: usize,
    take: Option<usize>,
    count: bool,
    /// Members to sort by, each with whether the order is descending.
    order: Vec<(&'static str, bool)>,
    conditions: Vec<Condition>,
}

/// A row of a list.
pub(super) trait ListRow: Serialize {
    /// Returns the members as conditions and orders compare them.
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

/// A value to sort by: numbers are compared with numbers numerically, everything else as text.
#[derive(Debug, PartialEq)]
pub(super) struct SortValue {
    number: Option<f64>,
    text: String,
}

impl ListQuery {
    /// Reads the query. `members` are the members that conditions may use. A parameter that is
    /// neither a member nor an option is ignored.
    ///
    /// # Errors
    /// An option or a member has an invalid value.
    pub(super) fn from_head(head: &RequestHead, members: &[ListMember]) -> Result<Self, ApiError> {
        Self::parse(head.query(), members)
    }

    /// Reads a query string.
    pub(super) fn parse(query: &str, members: &[ListMember]) -> Result<Self, ApiError> {
        let member = |name: &str| find_member(members, name);
        let (mut parsed, mut violations) = (Self::default(), Vec::new());
        for (name, text) in query::parse_pairs(query) {
            let Some(text) = text.as_deref() else {
                // the value of the option or member cannot be decoded
                match LIST_OPTIONS.iter().find(|option| name.eq_ignore_ascii_case(option)) {
                    Some(option) => push_violation(&mut violations, option),
                    None => member(&name).into_iter().for_each(|member| push_violation(&mut violations, member.name)),
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "$skip" => parsed.skip = parse_usize(text).unwrap_or_else(|| push_violation(&mut violations, "$skip")),
                "$take" => {
                    parsed.take = Some(parse_usize(text).unwrap_or_else(|| push_violation(&mut violations, "$take")));
                }
                "$count" if text.eq_ignore_ascii_case("true") => parsed.count = true,
                "$count" if text.eq_ignore_ascii_case("false") => parsed.count = false,
                "$count" => push_violation(&mut violations, "$count"),
                "$sort" => match parse_sort(text, members) {
                    Some(order) => parsed.order.extend(order),
                    None => push_violation(&mut violations, "$sort"),
                },
                _ => {
                    let Some(member) = member(&name) else { continue };
                    for text in text.split(';') {
                        match Condition::parse(member, text) {
                            Some(condition) => parsed.conditions.push(condition),
                            None => push_violation(&mut violations, member.name),
                        }
                    }
                }
            }
        }
        if violations.is_empty() { Ok(parsed) } else { Err(ProtocolError::InvalidFields(violations).into()) }
    }

    /// Selects the rows of the requested page, their number, and the number of all matching rows.
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

    /// Returns the values by which a row is sorted.
    pub(super) fn sort_values(&self, row: &Value) -> Vec<SortValue> {
        self.order.iter().map(|(member, _)| SortValue::from_json(row.get(*member).unwrap_or(&Value::Null))).collect()
    }

    /// Sorts rows in the requested order, computing the sort values of each row once.
    pub(super) fn sort_rows<R>(&self, rows: Vec<R>, keys: impl Fn(&R) -> Vec<SortValue>) -> Vec<R> {
        if self.order.is_empty() {
            return rows;
        }
        let mut keyed: Vec<(Vec<SortValue>, R)> = rows.into_iter().map(|row| (keys(&row), row)).collect();
        self.sort_by_values(&mut keyed);
        keyed.into_iter().map(|(_, row)| row).collect()
    }

    /// Sorts rows that come with their sort values.
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

    /// Whether a row matches all conditions.
    pub(super) fn matches(&self, row: &Value) -> bool {
        self.conditions.iter().all(|condition| condition.matches(row))
    }

    /// Whether a row matches all conditions on these members.
    pub(super) fn matches_members(&self, members: &[&str], row: &Value) -> bool {
        self.conditions_on(members).all(|condition| condition.matches(row))
    }

    fn conditions_on(&self, members: &[&str]) -> impl Iterator<Item = &Condition> {
        self.conditions.iter().filter(|condition| members.contains(&condition.member))
    }

    /// Whether only the number of rows is requested.
    pub(super) const fn is_count_only(&self) -> bool {
        self.count
    }

    /// Returns the range of timestamps of a member (start inclusive, end exclusive) that the
    /// conditions allow, and whether the range is equivalent to all conditions on the member.
    pub(super) fn time_range(&self, member: &str) -> (Option<Instant>, Option<Instant>, bool) {
        let (mut from, mut until, mut is_equivalent) = (None, None, true);
        for condition in self.conditions_on(&[member]) {
            let Some((start, end)) = condition.time_range() else {
                is_equivalent = false;
                continue;
            };
            from = from.max(start);
            until = match (until, end) {
                (Some(one), Some(other)) => Some(std::cmp::min::<Instant>(one, other)),
                (one, other) => one.or(other),
            };
        }
        (from, until, is_equivalent)
    }

    /// Whether all conditions concern these members.
    pub(super) fn concerns_only(&self, members: &[&str]) -> bool {
        self.conditions.iter().all(|condition| members.contains(&condition.member))
    }

    /// Returns the members that conditions or the order refer to.
    pub(super) fn referenced_members(&self) -> impl Iterator<Item = &'static str> {
        self.conditions.iter().map(|condition| condition.member).chain(self.order.iter().map(|(member, _)| *member))
    }

    /// Returns the members to sort by, each with whether the order is descending.
    pub(super) fn sort_order(&self) -> &[(&'static str, bool)] {
        &self.order
    }

    /// Returns the number of rows to skip, and the maximum number to return.
    pub(super) const fn page_bounds(&self) -> (usize, Option<usize>) {
        (self.skip, self.take)
    }

    /// Renders the list.
    pub(super) fn render<R: ListRow>(&self, rows: Vec<R>) -> Result<HttpResponse, ApiError> {
        response::render_json(StatusCode::OK, &self.select_rows(rows))
    }
}

/// A page of a list, or only its length.
#[derive(Serialize)]
struct ListBody<R> {
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<R>>,
    #[serde(rename = "totalCount")]
    total: usize,
}

/// Returns the body of a response with only the number of rows.
pub(super) fn count_body(total: usize) -> Value {
    json!({ "count": total, "totalCount": total })
}

fn parse_usize(text: &str) -> Option<usize> {
    text.parse().ok()
}

fn push_violation<T: Default>(violations: &mut Vec<FieldViolation>, name: &'static str) -> T {
    violations.push(FieldViolation {
        field: name.into(),
        in_query: true,
        code: FieldErrorCode::Type,
        message: "is not valid".into(),
    });
    T::default()
}

/// The member of this name, or the structure that contains it.
fn find_member<'m>(members: &'m [ListMember], name: &str) -> Option<&'m ListMember> {
    let find = |name: &str| members.iter().find(|member| member.name.eq_ignore_ascii_case(name));
    let outer = || find(name.split_once('.')?.0).filter(|member| member.kind == MemberKind::Structure);
    find(name).or_else(outer)
}

/// Parses the value of `$sort`; `None` if a part is not a member with a valid direction. A blank
/// value requests no order.
fn parse_sort(text: &str, members: &[ListMember]) -> Option<Vec<(&'static str, bool)>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let order = |part: &str| {
        let (name, down) = parse_direction(part.trim())?;
        let member = find_member(members, name).filter(|member| member.kind != MemberKind::Structure)?;
        Some((member.row_name, down))
    };
    text.split(',').map(order).collect()
}

/// Parses a part of an order, such as `a`, `-b`, `c:desc` or `d:asc`, to a name and whether the
/// direction is descending.
fn parse_direction(part: &str) -> Option<(&str, bool)> {
    if let Some(name) = part.strip_prefix('-') {
        return Some((name, true));
    }
    let Some((name, direction)) = part.split_once(':') else { return Some((part, false)) };
    let down = direction.eq_ignore_ascii_case("desc");
    (down || direction.eq_ignore_ascii_case("asc")).then_some((name, down))
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
