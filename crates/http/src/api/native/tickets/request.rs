//! Requests of the ticket operations.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tillgate_auth_core::Caller;
use tillgate_domain::merge_patch::merge_value;
use tillgate_domain::office::{
    ItemInput, NamedFields, NewRefund, NewTicket, Office, OfficeError, OwnerRef, TicketChange, TicketClosing,
    TicketView,
};
use tillgate_domain::ticket::{Amount, Currency, Customer, Label, Location, Meta, Payment, Rate, TicketError};
use tillgate_domain::{ExactJson, JsonObject, TicketId};
use utoipa::ToSchema;
use validator::Validate;

use super::from_json::{FiscalName, RefundItem};
use super::item::NewItemBody;
use super::response::{self, CustomerBody, LocationBody, PaymentBody, RefundItemBody};
use crate::api::native::{body, schemas};
use crate::error::office::ticket_error_violations;
use crate::error::{ApiError, FieldViolation};
use crate::request::field::{BodyField, not_null, well_typed};
use crate::request::partial_body::PartialBody;

/// A new ticket.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[schema(as = NewTicket)]
pub(super) struct CreateTicket {
    /// Currency of the ticket (ISO 4217), three capital letters. Amounts have at most as many
    /// decimal places as the currency: 2 for EUR, 3 for KWD, none for JPY.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = schemas::Currency, required = true)]
    currency: BodyField<Currency>,
    /// Id or name of the user who owns the ticket; the caller if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>)]
    owner: BodyField<OwnerRef>,
    /// The client's own id of the ticket.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    external_id: BodyField<Label>,
    /// Display name of the ticket.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    name: BodyField<Label>,
    /// Where the ticket is served.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<LocationBody>)]
    location: BodyField<Location>,
    /// The customer, if known.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<CustomerBody>)]
    customer: BodyField<Customer>,
    /// Discount on all items that allow one, in percent.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    discount_rate: BodyField<Rate>,
    /// The sold items.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<NewItemBody>>)]
    items: BodyField<Vec<ItemInput>>,
    /// Rounding that makes the total payable in coins, positive or negative. Its absolute value
    /// must be less than the smallest coin of the currency, such as 0.05 for EUR or 5.00 for HUF.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    rounding: BodyField<Amount>,
    /// Payments made so far.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<PaymentBody>>)]
    payments: BodyField<Vec<Payment>>,
    /// Additional members of another dialect, such as the kind of purchase: at most 4,000 bytes of
    /// JSON, stored unchanged.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Object>)]
    extra: BodyField<Meta>,
}

/// Changes to a ticket, as a merge patch (RFC 7396): omitted members stay unchanged. Items and
/// payments are replaced as a whole.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[schema(as = TicketChange)]
pub(super) struct UpdateTicket {
    /// Id or name of the new owner.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String)]
    owner: BodyField<OwnerRef>,
    /// New id of the client's own; null removes it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    external_id: BodyField<Label>,
    /// New display name; null removes it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    name: BodyField<Label>,
    /// New location; null removes it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<LocationBody>)]
    location: BodyField<Location>,
    /// New customer; null removes it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<CustomerBody>)]
    customer: BodyField<Customer>,
    /// New discount, in percent; null removes it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    discount_rate: BodyField<Rate>,
    /// The complete new list of items.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<NewItemBody>>)]
    items: BodyField<Vec<ItemInput>>,
    /// New rounding; null removes it. The rounding of a refund may differ from its original value
    /// by less than the smallest coin.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    rounding: BodyField<Amount>,
    /// The complete new list of payments.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<PaymentBody>>)]
    payments: BodyField<Vec<Payment>>,
    /// Additional members of another dialect; null removes them.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Object>)]
    extra: BodyField<Meta>,
}

/// How a ticket is closed.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[schema(as = TicketClosing)]
pub(super) struct CloseTicket {
    /// Payments that replace those on the ticket. If they differ, the rights to update the ticket
    /// are required.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<PaymentBody>>)]
    payments: BodyField<Vec<Payment>>,
    /// Receipt number assigned by a fiscal device. It must be unique in the fiscal memory, and
    /// requires the rights to update the ticket. If omitted, the ticket gets the next number of the
    /// fiscal memory, or of the device if no fiscal memory is sent.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<u64>, minimum = 0)]
    number: BodyField<u64>,
    /// Name of the fiscal memory that assigned the number, ignoring case. A name other than the
    /// till's own, which is its setting `DefaultFiscalName`, requires the rights to update the
    /// ticket.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    fiscal: BodyField<FiscalName>,
    /// Number of the daily sales report that contains the ticket.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<u64>, minimum = 0)]
    daily_sales_report: BodyField<u64>,
}

/// A refund of items of a closed ticket.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewRefund)]
pub(super) struct RefundTicket {
    /// The items to refund and their quantities; everything not yet refunded if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<RefundItemBody>>)]
    items: BodyField<Vec<RefundItem>>,
}

/// Finds amounts with more decimal places than the currency, so that they are reported with all
/// other violations.
fn find_unpayable_amounts(
    currency: Currency,
    rounding: &BodyField<Amount>,
    payments: &BodyField<Vec<Payment>>,
) -> Vec<FieldViolation> {
    let payments = payments.as_value().into_iter().flatten().enumerate();
    let places = currency.decimal_places();
    std::iter::once((None, rounding.as_value().copied()))
        .chain(payments.map(|(at, payment)| (Some(at), Some(payment.amount))))
        .filter(|(_, amount)| amount.is_some_and(|amount| !currency.can_represent(amount)))
        .flat_map(|(payment, _)| ticket_error_violations(&[TicketError::Unpayable { payment, places }]))
        .collect()
}

impl CreateTicket {
    /// Finds what the rules of tickets reject in the valid fields.
    pub(super) fn find_rule_violations(&self) -> Vec<FieldViolation> {
        ticket_error_violations(&self.clone().into_content().find_faults_of_new(self.currency.as_value().copied()))
    }

    /// Finds amounts with more decimal places than the ticket's currency.
    pub(super) fn find_unpayable_amounts(&self) -> Vec<FieldViolation> {
        self.currency
            .as_value()
            .map_or_else(Vec::new, |currency| find_unpayable_amounts(*currency, &self.rounding, &self.payments))
    }

    /// Returns the names in the request that must exist in the tenant; `caller` is the owner if
    /// none is sent.
    pub(super) fn names(&self, caller: &Caller) -> NamedFields<'_> {
        NamedFields { owner: self.owner.as_value().zip(caller.user()), ..NamedFields::default() }
    }

    /// Creates the ticket with this id.
    pub(super) fn into_new_ticket(self, id: TicketId) -> Result<NewTicket, ApiError> {
        Ok(NewTicket { id, currency: self.currency.clone().require_value()?, sheet: self.into_content() })
    }

    fn into_content(self) -> TicketChange {
        TicketChange {
            owner: self.owner.into_value(),
            external_id: self.external_id.into_value(),
            name: self.name.into_value(),
            location: self.location.into_value(),
            customer: self.customer.into_value().map(Some),
            discount: self.discount_rate.into_value(),
            items: self.items.into_value(),
            rounding: self.rounding.into_value(),
            payments: self.payments.into_value(),
            extra: self.extra.into_value(),
        }
    }
}

/// Members that are objects: a patch of them is merged with their current value.
const NESTED_OBJECTS: [&str; 3] = ["location", "customer", "extra"];

/// The names of the members that a patch of a nested object removes; none for `extra`, whose
/// members may have any name.
fn removed_members(name: &str, patch: &ExactJson) -> Vec<String> {
    let ExactJson::Object(members) = patch else { return Vec::new() };
    let removed = members.iter().filter(|(_, value)| name != "extra" && value.is_null());
    removed.map(|(member, _)| member.clone()).collect()
}

/// Puts the removed members back as null, which has the same meaning, so that unknown ones are
/// found.
fn restore_unknown_members(merged: &mut ExactJson, removed: Vec<String>) {
    if let ExactJson::Object(members) = merged {
        members.extend(removed.into_iter().map(|name| (name, ExactJson::Null)));
    }
}

/// Applies a merge patch to the ticket.
///
/// # Errors
/// Fields are invalid: reports all of them, with those that `more` finds in the store.
pub(super) fn apply_patch(
    found: &TicketView,
    patch: &PartialBody<JsonObject>,
    more: impl FnOnce(&NamedFields<'_>) -> Result<Vec<FieldViolation>, ApiError>,
) -> Result<TicketChange, ApiError> {
    let (patch, repeated) = patch.clone().into_parts();
    let mut patch = patch.into_members();
    for (name, sent) in &mut patch {
        if NESTED_OBJECTS.contains(&name.as_str()) && matches!(sent, ExactJson::Object(_)) {
            let current = response::nested_member(found, name)
                .map_err(|error| ApiError::Fault(format!("what a ticket shows cannot be read: {error}")))?;
            let removed = removed_members(name, sent);
            *sent = merge_value(current, std::mem::take(sent));
            restore_unknown_members(sent, removed);
        }
    }
    let currency = found.ticket.sheet.currency;
    let mut change = body::read_partial_built(&ExactJson::Object(patch), |change: &UpdateTicket| {
        find_unpayable_amounts(currency, &change.rounding, &change.payments)
    })?;
    change.add(repeated);
    let now = found.ticket.sheet.owner;
    let change = change.check_body(|change| {
        let owner = change.owner.as_value().map(|owner| (owner, now));
        let mut violations = more(&NamedFields { owner, ..NamedFields::default() })?;
        violations.extend(ticket_error_violations(&change.clone().into_change().find_faults(&found.ticket.sheet)));
        Ok(violations)
    })?;
    Ok(change.into_change())
}

impl UpdateTicket {
    fn into_change(self) -> TicketChange {
        TicketChange {
            owner: self.owner.into_value(),
            external_id: self.external_id.into_patch().map(Option::unwrap_or_default),
            name: self.name.into_patch().map(Option::unwrap_or_default),
            location: self.location.into_patch().map(Option::unwrap_or_default),
            customer: self.customer.into_patch(),
            discount: self.discount_rate.into_patch().map(Option::unwrap_or_default),
            items: self.items.into_patch().map(Option::unwrap_or_default),
            rounding: self.rounding.into_patch().map(Option::unwrap_or_default),
            payments: self.payments.into_patch().map(Option::unwrap_or_default),
            extra: self.extra.into_patch().map(Option::unwrap_or_default),
        }
    }
}

impl CloseTicket {
    /// Finds what the rules of tickets reject in the valid payments of this ticket.
    pub(super) fn find_rule_violations(&self, found: &TicketView) -> Vec<FieldViolation> {
        let are_valid = matches!(self.payments, BodyField::Value(_));
        ticket_error_violations(&self.clone().into_closing().find_faults(&found.ticket.sheet, are_valid))
    }

    pub(super) fn into_closing(self) -> TicketClosing {
        TicketClosing {
            payments: self.payments.into_value(),
            number: self.number.into_value(),
            fiscal: self.fiscal.into_value().map(|FiscalName(name)| name).unwrap_or_default(),
            daily_sales_report: self.daily_sales_report.into_value(),
            ..TicketClosing::default()
        }
    }
}

impl RefundTicket {
    /// Finds what is wrong with the valid items: those that are sent more than once, and what the
    /// rules of refunds reject.
    fn find_faults(&self, office: &Office<'_>, sold: TicketId) -> Result<Vec<TicketError>, ApiError> {
        let Some(items) = self.items.as_value() else { return Ok(Vec::new()) };
        let mut seen = BTreeSet::new();
        let repeated: BTreeSet<u32> = items.iter().map(|item| item.id).filter(|id| !seen.insert(*id)).collect();
        let mut faults: Vec<_> = repeated.into_iter().map(TicketError::DuplicateItem).collect();
        let items: Vec<_> = items.iter().map(|item| (item.id, item.quantity)).collect();
        faults.extend(office.find_refund_faults(sold, &items)?);
        Ok(faults)
    }

    /// Finds what the rules of refunds reject in the valid items.
    pub(super) fn find_rule_violations(
        &self,
        office: &Office<'_>,
        sold: TicketId,
    ) -> Result<Vec<FieldViolation>, ApiError> {
        Ok(ticket_error_violations(&self.find_faults(office, sold)?))
    }

    /// Creates the refund with this id.
    ///
    /// # Errors
    /// An item is sent more than once: reports everything that is wrong with the items.
    pub(super) fn into_new_refund(
        self,
        id: TicketId,
        office: &Office<'_>,
        sold: TicketId,
    ) -> Result<NewRefund, ApiError> {
        let Some(items) = self.items.as_value() else { return Ok(NewRefund { id, items: None }) };
        let sums: BTreeMap<_, _> = items.iter().filter_map(|item| Some((item.id, item.quantity?))).collect();
        if sums.len() < items.len() {
            TicketError::combine(self.find_faults(office, sold)?).map_err(OfficeError::Ticket)?;
        }
        Ok(NewRefund { id, items: Some(sums) })
    }
}
