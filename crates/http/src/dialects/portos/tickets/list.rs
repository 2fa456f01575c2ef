//! PORTOS' list of tickets. What the store can be asked is asked of it (state, date of opening, and the order of that); the other
//! conditions are tried on what it finds, part by part, until there are enough.

use std::time::Duration;

use serde_json::Value;
use tillgate_domain::TenantId;
use tillgate_domain::office::ports::{OrderedBy, Part, TicketFilter, TicketOrder};
use tillgate_domain::office::{TicketSearch, count_tickets, list_tickets};
use tillgate_domain::ticket::TicketStatus;

use super::super::list;
use super::row;
use crate::exact::Exact;
use crate::failure::Failure;
use crate::head::Head;
use crate::office::Office;

/// What can be asked about. A name with a point is that of a member within a member.
const MEMBERS: &[(&str, &str)] = &[
    ("id", "id"),
    ("externalId", "externalId"),
    ("state", "state"),
    ("type", "type"),
    ("name", "name"),
    ("openDate", "openDate"),
    ("issueDate", "issueDate"),
    ("closeDate", "closeDate"),
    ("closeInfo.number", "closeInfo.number"),
    ("closeInfo.deviceName", "closeInfo.deviceName"),
    ("purchaseType", "purchaseType"),
    ("location.zoneName", "location.zoneName"),
    ("location.tableName", "location.tableName"),
    ("customer.id", "customer.id"),
    ("customer.fullName", "customer.fullName"),
    ("customer.cardSerialNumber", "customer.cardSerialNumber"),
    ("originDeviceName", "originDeviceName"),
    ("deviceName", "originDeviceName"),
    ("employee.userName", "employee.userName"),
    ("userName", "employee.userName"),
    ("employee.name", "employee.name"),
    ("discountRate", "discountRate"),
    ("roundingAmount", "roundingAmount"),
    ("totalPriceIncludingVat", "totalPriceIncludingVat"),
    ("totalPriceAfterDiscountIncludingVat", "totalPriceAfterDiscountIncludingVat"),
    ("discountPriceIncludingVat", "discountPriceIncludingVat"),
    ("payable", "payable"),
    ("_v", "_v"),
];

/// How many tickets are read at once, looked through at most, and answered at most.
const PART: u32 = 200;
const LOOKED_THROUGH: usize = 10_000;
const ANSWERED: usize = 1_000;

/// What a request asks of the list.
pub(super) struct Asked(list::Asked);

impl Asked {
    /// Reads the query.
    pub(super) fn of(head: &Head) -> Result<Self, Failure> {
        list::Asked::of(head, MEMBERS).map(Self)
    }

    /// What of it the store is asked. Void tickets are not there.
    fn filter(&self) -> TicketFilter {
        let statuses = match self.0.equal("state") {
            Some("opened") => vec![TicketStatus::Open],
            Some("closed") => vec![TicketStatus::Closed],
            _ => vec![TicketStatus::Open, TicketStatus::Closed],
        };
        let (from, to) = self.0.between("openDate");
        // the store's bound is the first instant that is too late
        let until = to.map(|to| to.after(Duration::from_millis(1)));
        TicketFilter { statuses, from, until, ..TicketFilter::default() }
    }

    /// Whether the filter says all that is asked.
    fn is_all(&self) -> bool {
        self.0.asks_at_most("state") && matches!(self.0.equal("state"), None | Some("opened" | "closed"))
    }

    /// The order that the store is asked for; `None` where what is found has to be sorted.
    fn order(&self) -> Option<TicketOrder> {
        match self.0.sorts() {
            [] => Some(TicketOrder::default()),
            [("openDate", backwards)] => Some(TicketOrder { by: OrderedBy::Opened, backwards: *backwards }),
            _ => None,
        }
    }
}

/// What the list answers.
pub(super) fn found(office: &Office<'_>, tenant: TenantId, asked: &Asked) -> Result<Exact, Failure> {
    let filter = asked.filter();
    if asked.0.counts() && asked.is_all() {
        let count = count_tickets(office.store, tenant, &filter)?;
        return Ok(Exact::object([("items", Exact::List(Vec::new())), ("count", Exact::number(count))]));
    }
    let (skip, take) = asked.0.part();
    let take = take.unwrap_or(ANSWERED).min(ANSWERED);
    let order = asked.order();
    let enough = match order {
        Some(_) if !asked.0.counts() => skip.saturating_add(take),
        _ => usize::MAX,
    };
    // whoever sorts by what the store has no order for sees the newest
    let order_asked = order.unwrap_or(TicketOrder { by: OrderedBy::Opened, backwards: true });
    let mut rows =
        fitting(office, tenant, asked, TicketSearch { filter, order: order_asked, part: Part::first(PART) }, enough)?;
    if asked.0.counts() {
        return Ok(Exact::object([("items", Exact::List(Vec::new())), ("count", Exact::number(rows.len()))]));
    }
    if order.is_none() {
        rows = asked.0.sorted(rows, |(values, _)| values);
    }
    let items = rows.into_iter().skip(skip).take(take).map(|(_, row)| row).collect();
    Ok(Exact::object([("items", Exact::List(items))]))
}

/// The first rows that fit, each with what it is compared by.
fn fitting(
    office: &Office<'_>,
    tenant: TenantId,
    asked: &Asked,
    mut search: TicketSearch,
    enough: usize,
) -> Result<Vec<(Value, Exact)>, Failure> {
    let (mut rows, mut looked) = (Vec::new(), 0);
    while rows.len() < enough && looked < LOOKED_THROUGH {
        let part = list_tickets(office.store, tenant, &search)?;
        looked += part.len();
        let full = u32::try_from(part.len()).is_ok_and(|length| length == PART);
        search.part.after = part.last().map(|last| search.order.by.place(&last.ticket));
        rows.extend(part.iter().map(row::of).map(|row| (flat(&row), row)).filter(|(values, _)| asked.0.fits(values)));
        if !full {
            break;
        }
    }
    Ok(rows)
}

/// The members that can be asked about, each under its whole name.
fn flat(row: &Exact) -> Value {
    let value = |name: &str| {
        let found = name.split('.').try_fold(row, |value, part| value.member(part));
        found.map_or(Value::Null, Exact::compared)
    };
    MEMBERS.iter().map(|(_, name)| ((*name).to_owned(), value(name))).collect()
}
