//! The query of PORTOS' ticket list. The store filters by state and opening time and sorts by the
//! latter; all other conditions are applied to the tickets that it finds.

use serde_json::{Map, Value, json};
use tillgate_domain::office::TicketView;
use tillgate_domain::office::ports::{TicketFilter, TicketOrder, TicketSortKey};
use tillgate_domain::ticket::{ItemKind, TicketStatus};

use super::super::list::{ListMember, ListQuery, MemberKind, SortValue};
use super::response;
use crate::error::ApiError;
use crate::json::exact::ExactJson;

/// Members that can be used in list queries. A name with a dot is that of a nested member.
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
    ListMember::new("closeInfo.dailySalesReportNumber", MemberKind::Number),
    ListMember::new("closeInfo.deviceName", MemberKind::Text),
    ListMember::alias("closeInfoDeviceName", "closeInfo.deviceName", MemberKind::Text),
    ListMember::new("closeInfo.fiscalName", MemberKind::Text),
    ListMember::alias("closeInfoFiscalName", "closeInfo.fiscalName", MemberKind::Text),
    ListMember::new("purchaseType", MemberKind::Text),
    ListMember::new("location.zoneName", MemberKind::Text),
    ListMember::new("location.tableName", MemberKind::Text),
    ListMember::new("customer.id", MemberKind::Text),
    ListMember::new("customer.externalId", MemberKind::Text),
    ListMember::new("customer.cardSerialNumber", MemberKind::Text),
    ListMember::new("customer.firstName", MemberKind::Text),
    ListMember::new("customer.lastName", MemberKind::Text),
    ListMember::new("customer.fullName", MemberKind::Text),
    ListMember::new("customer.phone", MemberKind::Text),
    ListMember::new("customer.email", MemberKind::Text),
    ListMember::new("customer.creditRate", MemberKind::Number),
    ListMember::new("customer.discountRate", MemberKind::Number),
    ListMember::new("originDeviceName", MemberKind::Text),
    ListMember::alias("deviceName", "originDeviceName", MemberKind::Text),
    ListMember::new("employee.userName", MemberKind::Text),
    ListMember::alias("userName", "employee.userName", MemberKind::Text),
    ListMember::new("employee.name", MemberKind::Text),
    ListMember::new("employee.featureName", MemberKind::Text),
    ListMember::new("discountRate", MemberKind::Number),
    ListMember::new("roundingAmount", MemberKind::Number),
    ListMember::new("totalPriceIncludingVat", MemberKind::Number),
    ListMember::new("totalPriceAfterDiscountIncludingVat", MemberKind::Number),
    ListMember::new("discountPriceIncludingVat", MemberKind::Number),
    ListMember::new("payable", MemberKind::Number),
    ListMember::new("_v", MemberKind::Number),
    ListMember::new("closeInfo", MemberKind::Structure),
    ListMember::new("location", MemberKind::Structure),
    ListMember::new("customer", MemberKind::Structure),
    ListMember::new("employee", MemberKind::Structure),
    ListMember::new("items", MemberKind::Structure),
    ListMember::new("payments", MemberKind::Structure),
    // members that no row has by these names
    ListMember::new("isClosed", MemberKind::Bool),
    ListMember::new("hasCustomer", MemberKind::Bool),
    ListMember::new("hasDiscount", MemberKind::Bool),
    ListMember::new("hasNegativeItem", MemberKind::Bool),
    ListMember::new("hasReturnedItem", MemberKind::Bool),
    ListMember::new("currencyLabel", MemberKind::Text),
];

/// Members that depend on the ticket's status.
const STATUS_MEMBERS: [&str; 2] = ["state", "isClosed"];

/// Members by which the store filters.
const STORE_MEMBERS: [&str; 3] = ["state", "isClosed", "openDate"];

/// The query of the list.
pub(in crate::api::dialects::portos) struct TicketQuery {
    list_query: ListQuery,
    /// Members that conditions and the order refer to.
    members: Vec<&'static str>,
}

impl TicketQuery {
    /// Parses the query.
    ///
    /// # Errors
    /// An option or a member has an invalid value.
    pub(in crate::api::dialects::portos) fn parse(query: &str) -> Result<Self, ApiError> {
        let list_query = ListQuery::parse(query, LIST_MEMBERS)?;
        let mut members: Vec<&'static str> = list_query.referenced_members().collect();
        members.sort_unstable();
        members.dedup();
        Ok(Self { list_query, members })
    }

    /// Returns the filter for the store; `None` if no ticket can match. Void tickets are never
    /// included.
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

    /// Whether the filter is equivalent to all conditions.
    pub(super) fn is_fully_filtered(&self) -> bool {
        let (.., is_equivalent) = self.list_query.time_range("openDate");
        is_equivalent && self.list_query.concerns_only(&STORE_MEMBERS)
    }

    /// Returns the order for the store; `None` if the found tickets have to be sorted here.
    pub(super) fn store_order(&self) -> Option<TicketOrder> {
        match self.list_query.sort_order() {
            [] => Some(TicketOrder::default()),
            [("openDate", backwards)] => Some(TicketOrder { sort_key: TicketSortKey::Opened, descending: *backwards }),
            _ => None,
        }
    }

    /// Whether only the number of tickets is requested.
    pub(super) const fn is_count_only(&self) -> bool {
        self.list_query.is_count_only()
    }

    /// Returns the number of tickets to skip, and the maximum number to return.
    pub(super) const fn page_bounds(&self) -> (usize, Option<usize>) {
        self.list_query.page_bounds()
    }

    /// Returns the sort values of a ticket; `None` if it does not match.
    pub(super) fn match_ticket(&self, view: &TicketView) -> Option<Vec<SortValue>> {
        let values = collect_values(view, &self.members);
        self.matches(&values).then(|| self.list_query.sort_values(&values))
    }

    /// Sorts tickets by the values that [`match_ticket`](Self::match_ticket) has returned.
    pub(super) fn sort_matches<T>(&self, tickets: &mut [(Vec<SortValue>, T)]) {
        self.list_query.sort_by_values(tickets);
    }

    /// Whether the conditions match these values, which have the row names of the members.
    pub(in crate::api::dialects::portos) fn matches(&self, values: &Value) -> bool {
        self.list_query.matches(values)
    }
}

/// Returns the published name of the state.
const fn state_name(closed: bool) -> &'static str {
    if closed { "Closed" } else { "Opened" }
}

/// Returns the values of a ticket for these members.
fn collect_values(view: &TicketView, members: &[&'static str]) -> Value {
    let row = response::build_row_without_items(view);
    let sheet = &view.ticket.sheet;
    let value = |name: &str| match name {
        "isClosed" => json!(view.ticket.state.status() == TicketStatus::Closed),
        "hasCustomer" => json!(sheet.customer.is_some()),
        // the sum of the discounts of all items, which is negative for returned items
        "hasDiscount" => json!(sheet.items.iter().any(|item| item.is_discounted(sheet.discount))),
        // a till may express a refund by the kind, the price or the quantity
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
