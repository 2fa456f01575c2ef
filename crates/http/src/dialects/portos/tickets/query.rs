//! What PORTOS' list of tickets can be asked. What the store can tell is asked of it (state, date of opening, and the order of that); the
//! other conditions are tried on what it finds.

use serde_json::{Map, Value, json};
use tillgate_domain::office::TicketView;
use tillgate_domain::office::ports::{TicketFilter, TicketOrder, TicketSortKey};
use tillgate_domain::ticket::{ItemKind, TicketStatus};

use super::super::list::{ListMember, ListQuery, MemberKind, SortValue};
use super::response;
use crate::error::ApiError;
use crate::exact::ExactJson;

/// What can be asked about. A name with a point is that of a member within a member.
const LIST_MEMBERS: &[ListMember] = &[
    ListMember::new("id", MemberKind::Text),
    ListMember::new("externalId", MemberKind::Text),
    ListMember::new("state", MemberKind::OneOf(&["Opened", "Closed"])),
    ListMember::new("type", MemberKind::Text),
    ListMember::new("name", MemberKind::Text),
    ListMember::new("openDate", MemberKind::Instant),
    ListMember::new("issueDate", MemberKind::Instant),
    ListMember::new("closeDate", MemberKind::Instant),
    ListMember::new("closeInfo.number", MemberKind::Number),
    ListMember::new("closeInfo.deviceName", MemberKind::Text),
    ListMember::alias("closeInfoDeviceName", "closeInfo.deviceName", MemberKind::Text),
    ListMember::new("closeInfo.fiscalName", MemberKind::Text),
    ListMember::alias("closeInfoFiscalName", "closeInfo.fiscalName", MemberKind::Text),
    ListMember::new("purchaseType", MemberKind::Text),
    ListMember::new("location.zoneName", MemberKind::Text),
    ListMember::new("location.tableName", MemberKind::Text),
    ListMember::new("customer.id", MemberKind::Text),
    ListMember::new("customer.fullName", MemberKind::Text),
    ListMember::new("customer.cardSerialNumber", MemberKind::Text),
    ListMember::new("originDeviceName", MemberKind::Text),
    ListMember::alias("deviceName", "originDeviceName", MemberKind::Text),
    ListMember::new("employee.userName", MemberKind::Text),
    ListMember::alias("userName", "employee.userName", MemberKind::Text),
    ListMember::new("employee.name", MemberKind::Text),
    ListMember::new("discountRate", MemberKind::Number),
    ListMember::new("roundingAmount", MemberKind::Number),
    ListMember::new("totalPriceIncludingVat", MemberKind::Number),
    ListMember::new("totalPriceAfterDiscountIncludingVat", MemberKind::Number),
    ListMember::new("discountPriceIncludingVat", MemberKind::Number),
    ListMember::new("payable", MemberKind::Number),
    ListMember::new("_v", MemberKind::Number),
    // what no row shows by these names
    ListMember::new("isClosed", MemberKind::Bool),
    ListMember::new("hasCustomer", MemberKind::Bool),
    ListMember::new("hasDiscount", MemberKind::Bool),
    ListMember::new("hasNegativeItem", MemberKind::Bool),
    ListMember::new("hasReturnedItem", MemberKind::Bool),
    ListMember::new("currencyLabel", MemberKind::Text),
];

/// The members that a ticket's status tells.
const STATUS_MEMBERS: [&str; 2] = ["state", "isClosed"];

/// The members that the store is asked about.
const STORE_MEMBERS: [&str; 3] = ["state", "isClosed", "openDate"];

/// What a request asks of the list.
pub(in crate::dialects::portos) struct TicketQuery {
    list_query: ListQuery,
    /// The members that conditions and the order are about.
    members: Vec<&'static str>,
}

impl TicketQuery {
    /// Reads the query.
    ///
    /// # Errors
    /// An option or a member has a value that it cannot have.
    pub(in crate::dialects::portos) fn parse(query: &str) -> Result<Self, ApiError> {
        let asked = ListQuery::parse(query, LIST_MEMBERS)?;
        let mut members: Vec<&'static str> = asked.referenced_members().collect();
        members.sort_unstable();
        members.dedup();
        Ok(Self { list_query: asked, members })
    }

    /// What of it the store is asked; `None` where no ticket can fit. Void tickets are not there.
    pub(super) fn store_filter(&self) -> Option<TicketFilter> {
        let of_status = |status: &TicketStatus| {
            let closed = *status == TicketStatus::Closed;
            self.list_query
                .matches_members(&STATUS_MEMBERS, &json!({ "state": state_name(closed), "isClosed": closed }))
        };
        let statuses: Vec<_> = [TicketStatus::Open, TicketStatus::Closed].into_iter().filter(of_status).collect();
        let (from, until, _) = self.list_query.time_range("openDate");
        (!statuses.is_empty()).then(|| TicketFilter { statuses, from, until, ..TicketFilter::default() })
    }

    /// Whether the filter says all that is asked.
    pub(super) fn is_fully_filtered(&self) -> bool {
        let (.., whole) = self.list_query.time_range("openDate");
        whole && self.list_query.concerns_only(&STORE_MEMBERS)
    }

    /// The order that the store is asked for; `None` where what is found has to be sorted.
    pub(super) fn store_order(&self) -> Option<TicketOrder> {
        match self.list_query.sort_order() {
            [] => Some(TicketOrder::default()),
            [("openDate", backwards)] => Some(TicketOrder { sort_key: TicketSortKey::Opened, descending: *backwards }),
            _ => None,
        }
    }

    /// Whether only how many there are is asked for.
    pub(super) const fn is_count_only(&self) -> bool {
        self.list_query.is_count_only()
    }

    /// How many tickets are passed over, and how many are asked for then.
    pub(super) const fn page_bounds(&self) -> (usize, Option<usize>) {
        self.list_query.page_bounds()
    }

    /// What a ticket is sorted by, where it is one that the request asks for.
    pub(super) fn match_ticket(&self, shown: &TicketView) -> Option<Vec<SortValue>> {
        let values = collect_values(shown, &self.members);
        self.matches(&values).then(|| self.list_query.sort_values(&values))
    }

    /// Sorts tickets by what [`tried`](Self::tried) has told of them.
    pub(super) fn sort_matches<T>(&self, tickets: &mut [(Vec<SortValue>, T)]) {
        self.list_query.sort_by_values(tickets);
    }

    /// Whether a ticket is one, by its values under the names that [`MEMBERS`] has for rows.
    pub(in crate::dialects::portos) fn matches(&self, values: &Value) -> bool {
        self.list_query.matches(values)
    }
}

/// The published name of the state.
const fn state_name(closed: bool) -> &'static str {
    if closed { "Closed" } else { "Opened" }
}

/// What a ticket has under these names.
fn collect_values(shown: &TicketView, members: &[&'static str]) -> Value {
    let row = response::build_row_without_items(shown);
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
            let found = path.split('.').try_fold(&row, |value, part| value.find_member(part));
            found.map_or(Value::Null, ExactJson::to_value_lossy)
        }
    };
    Value::Object(members.iter().map(|name| ((*name).to_owned(), value(name))).collect::<Map<_, _>>())
}
