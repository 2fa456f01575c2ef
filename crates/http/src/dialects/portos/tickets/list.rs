//! What PORTOS' list of tickets can be asked. What the store can tell is asked of it (state, date of opening, and the order of that); the
//! other conditions are tried on what it finds.

use serde_json::{Map, Value, json};
use tillgate_domain::office::Shown;
use tillgate_domain::office::ports::{OrderedBy, TicketFilter, TicketOrder};
use tillgate_domain::ticket::{ItemKind, TicketStatus};

use super::super::list::{Asked, Key, Kind, Member};
use super::row;
use crate::exact::Exact;
use crate::failure::Failure;

/// What can be asked about. A name with a point is that of a member within a member.
const MEMBERS: &[Member] = &[
    Member::new("id", Kind::Text),
    Member::new("externalId", Kind::Text),
    Member::new("state", Kind::Word(&["Opened", "Closed"])),
    Member::new("type", Kind::Text),
    Member::new("name", Kind::Text),
    Member::new("openDate", Kind::Instant),
    Member::new("issueDate", Kind::Instant),
    Member::new("closeDate", Kind::Instant),
    Member::new("closeInfo.number", Kind::Number),
    Member::new("closeInfo.deviceName", Kind::Text),
    Member::alias("closeInfoDeviceName", "closeInfo.deviceName", Kind::Text),
    Member::new("closeInfo.fiscalName", Kind::Text),
    Member::alias("closeInfoFiscalName", "closeInfo.fiscalName", Kind::Text),
    Member::new("purchaseType", Kind::Text),
    Member::new("location.zoneName", Kind::Text),
    Member::new("location.tableName", Kind::Text),
    Member::new("customer.id", Kind::Text),
    Member::new("customer.fullName", Kind::Text),
    Member::new("customer.cardSerialNumber", Kind::Text),
    Member::new("originDeviceName", Kind::Text),
    Member::alias("deviceName", "originDeviceName", Kind::Text),
    Member::new("employee.userName", Kind::Text),
    Member::alias("userName", "employee.userName", Kind::Text),
    Member::new("employee.name", Kind::Text),
    Member::new("discountRate", Kind::Number),
    Member::new("roundingAmount", Kind::Number),
    Member::new("totalPriceIncludingVat", Kind::Number),
    Member::new("totalPriceAfterDiscountIncludingVat", Kind::Number),
    Member::new("discountPriceIncludingVat", Kind::Number),
    Member::new("payable", Kind::Number),
    Member::new("_v", Kind::Number),
    // what no row shows by these names
    Member::new("isClosed", Kind::Truth),
    Member::new("hasCustomer", Kind::Truth),
    Member::new("hasDiscount", Kind::Truth),
    Member::new("hasNegativeItem", Kind::Truth),
    Member::new("hasReturnedItem", Kind::Truth),
    Member::new("currencyLabel", Kind::Text),
];

/// The members that a ticket's status tells.
const OF_STATUS: [&str; 2] = ["state", "isClosed"];

/// The members that the store is asked about.
const OF_STORE: [&str; 3] = ["state", "isClosed", "openDate"];

/// What a request asks of the list.
pub(in crate::dialects::portos) struct TicketQuery {
    asked: Asked,
    /// The members that conditions and the order are about.
    members: Vec<&'static str>,
}

impl TicketQuery {
    /// Reads the query.
    ///
    /// # Errors
    /// An option or a member has a value that it cannot have.
    pub(in crate::dialects::portos) fn read(query: &str) -> Result<Self, Failure> {
        let asked = Asked::read(query, MEMBERS)?;
        let mut members: Vec<&'static str> = asked.members().collect();
        members.sort_unstable();
        members.dedup();
        Ok(Self { asked, members })
    }

    /// What of it the store is asked; `None` where no ticket can fit. Void tickets are not there.
    pub(super) fn filter(&self) -> Option<TicketFilter> {
        let of_status = |status: &TicketStatus| {
            let closed = *status == TicketStatus::Closed;
            self.asked.fits_in(&OF_STATUS, &json!({ "state": state(closed), "isClosed": closed }))
        };
        let statuses: Vec<_> = [TicketStatus::Open, TicketStatus::Closed].into_iter().filter(of_status).collect();
        let (from, until, _) = self.asked.span("openDate");
        (!statuses.is_empty()).then(|| TicketFilter { statuses, from, until, ..TicketFilter::default() })
    }

    /// Whether the filter says all that is asked.
    pub(super) fn is_all(&self) -> bool {
        let (.., whole) = self.asked.span("openDate");
        whole && self.asked.asks_only(&OF_STORE)
    }

    /// The order that the store is asked for; `None` where what is found has to be sorted.
    pub(super) fn order(&self) -> Option<TicketOrder> {
        match self.asked.sorts() {
            [] => Some(TicketOrder::default()),
            [("openDate", backwards)] => Some(TicketOrder { by: OrderedBy::Opened, backwards: *backwards }),
            _ => None,
        }
    }

    /// Whether only how many there are is asked for.
    pub(super) const fn counts(&self) -> bool {
        self.asked.counts()
    }

    /// How many tickets are passed over, and how many are asked for then.
    pub(super) const fn part(&self) -> (usize, Option<usize>) {
        self.asked.part()
    }

    /// What a ticket is sorted by, where it is one that the request asks for.
    pub(super) fn tried(&self, shown: &Shown) -> Option<Vec<Key>> {
        let values = values(shown, &self.members);
        self.fits(&values).then(|| self.asked.keys(&values))
    }

    /// Sorts tickets by what [`tried`](Self::tried) has told of them.
    pub(super) fn sort<T>(&self, tickets: &mut [(Vec<Key>, T)]) {
        self.asked.sort_keyed(tickets);
    }

    /// Whether a ticket is one, by its values under the names that [`MEMBERS`] has for rows.
    pub(in crate::dialects::portos) fn fits(&self, values: &Value) -> bool {
        self.asked.fits(values)
    }
}

/// The published name of the state.
const fn state(closed: bool) -> &'static str {
    if closed { "Closed" } else { "Opened" }
}

/// What a ticket has under these names.
fn values(shown: &Shown, members: &[&'static str]) -> Value {
    let row = row::without_items(shown);
    let sheet = &shown.ticket.sheet;
    let value = |name: &str| match name {
        "isClosed" => json!(shown.ticket.state.status() == TicketStatus::Closed),
        "hasCustomer" => json!(sheet.customer.is_some()),
        // whatever the discounts of all items come to: one of goods that are taken back is below zero
        "hasDiscount" => json!(sheet.items.iter().any(|item| item.is_discounted(sheet.discount))),
        // how a till writes what gives money back is its own: by the kind, the price or the quantity
        "hasNegativeItem" => json!(
            sheet
                .items
                .iter()
                .any(|item| item.kind == ItemKind::Negative || sheet.item_totals(item).including_vat.is_negative())
        ),
        "hasReturnedItem" => json!(sheet.items.iter().any(|item| item.kind == ItemKind::Returned)),
        "currencyLabel" => json!(sheet.currency.as_str()),
        path => {
            let found = path.split('.').try_fold(&row, |value, part| value.member(part));
            found.map_or(Value::Null, Exact::compared)
        }
    };
    Value::Object(members.iter().map(|name| ((*name).to_owned(), value(name))).collect::<Map<_, _>>())
}
