//! What requests say of tickets.

use std::collections::BTreeMap;

use serde::Deserialize;
use tillgate_auth_core::Caller;
use tillgate_domain::merge_patch::merge_value;
use tillgate_domain::office::{
    ItemInput, NamedFields, NewRefund, NewTicket, OfficeError, OwnerRef, TicketChange, TicketClosing, TicketView,
};
use tillgate_domain::ticket::{
    Amount, Currency, Customer, Label, Location, Meta, NumberSeries, Payment, Rate, TicketError,
};
use tillgate_domain::{ExactJson, JsonObject, TicketId};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::from_json::RefundItem;
use super::item::NewItemBody;
use super::response::{self, CustomerBody, LocationBody, PaymentBody, RefundItemBody};
use crate::error::{ApiError, FieldViolation};
use crate::field::{BodyField, not_null, well_typed};
use crate::native::{body, schemas};
use crate::office::office_error_violations;

/// A ticket that is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewTicket)]
pub(super) struct CreateTicket {
    /// In what it is paid: a currency of ISO 4217, by its three capital letters. Amounts have at most its places: 2 of EUR, 3 of KWD, none
    /// of JPY.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = schemas::Currency, required = true)]
    currency: BodyField<Currency>,
    /// Whose it is: a user's id or name; the caller's own where nothing is sent.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>)]
    owner: BodyField<OwnerRef>,
    /// The client's own id of it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    external_id: BodyField<Label>,
    /// What people call it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    name: BodyField<Label>,
    /// Where it is served.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<LocationBody>)]
    location: BodyField<Location>,
    /// Who buys.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<CustomerBody>)]
    customer: BodyField<Customer>,
    /// The discount on everything that takes one, in percent.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    discount_rate: BodyField<Rate>,
    /// What is sold.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<NewItemBody>>)]
    items: BodyField<Vec<ItemInput>>,
    /// What is added so that it can be paid in cash: less than the currency's smallest coin either way, such as 0.05 of EUR or 5.00 of
    /// HUF.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    rounding: BodyField<Amount>,
    /// What was paid so far.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<PaymentBody>>)]
    payments: BodyField<Vec<Payment>>,
    /// What another contract shows of it besides, such as the kind of purchase: 4,000 bytes of JSON at most, kept as it came.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Object>)]
    extra: BodyField<Meta>,
}

/// What becomes of a ticket, as a merge patch (RFC 7396): what is not sent stays as it is; items and payments are the whole of them.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = TicketChange)]
pub(super) struct UpdateTicket {
    /// Another owner: a user's id or name.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String)]
    owner: BodyField<OwnerRef>,
    /// Another id of the client's; null for none.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    external_id: BodyField<Label>,
    /// Another name; null for none.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    name: BodyField<Label>,
    /// Another place; null for none.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<LocationBody>)]
    location: BodyField<Location>,
    /// Another customer; null for none.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<CustomerBody>)]
    customer: BodyField<Customer>,
    /// Another discount, in percent; null for none.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    discount_rate: BodyField<Rate>,
    /// Other items, in the place of those there are.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<NewItemBody>>)]
    items: BodyField<Vec<ItemInput>>,
    /// Another rounding; null for none. That of a refund may differ by less than the smallest coin from what the refund was made with.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    rounding: BodyField<Amount>,
    /// Other payments, in the place of those there are.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<PaymentBody>>)]
    payments: BodyField<Vec<Payment>>,
    /// Something else of what another contract shows of it besides; null for nothing.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Object>)]
    extra: BodyField<Meta>,
}

/// How a ticket is closed.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = TicketClosing)]
pub(super) struct CloseTicket {
    /// Payments in the place of those on the ticket; others than those ask the right to change the ticket.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<PaymentBody>>)]
    payments: BodyField<Vec<Payment>>,
    /// The number that a fiscal device has given it, which no other receipt of the same fiscal memory has; it asks the right to change
    /// the ticket. Otherwise the ticket gets the next number of the fiscal memory, or of the device where none is named.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<u64>, minimum = 0)]
    number: BodyField<u64>,
    /// What made the number: the fiscal memory, by a name, whatever the case. One that is not the till's own, by its setting
    /// `DefaultFiscalName`, requires the right to change the ticket.
    #[serde(default)]
    #[validate(custom(function = "not_blank"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    fiscal: BodyField<Label>,
    /// The report of daily sales that it counts in.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<u64>, minimum = 0)]
    daily_sales_report: BodyField<u64>,
}

/// The name of a fiscal memory, if one is given, says something.
fn not_blank(field: &BodyField<Label>) -> Result<(), ValidationError> {
    match field {
        BodyField::Value(name) if NumberSeries::is_blank(name.as_str()) => Err(ValidationError::new("required")
            .with_message("must not be blank; leave it out for the device's own numbers".into())),
        field => well_typed(field),
    }
}

/// What is taken back.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewRefund)]
pub(super) struct RefundTicket {
    /// How much of which item; all that is left where nothing is sent.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<RefundItemBody>>)]
    items: BodyField<Vec<RefundItem>>,
}

/// Amounts that the currency does not pay, so that they are told with everything else.
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
        .flat_map(|(payment, _)| {
            office_error_violations(&OfficeError::Ticket(TicketError::Unpayable { payment, places }))
        })
        .collect()
}

impl CreateTicket {
    /// The amounts that its currency does not pay.
    pub(super) fn find_unpayable_amounts(&self) -> Vec<FieldViolation> {
        self.currency
            .as_value()
            .map_or_else(Vec::new, |currency| find_unpayable_amounts(*currency, &self.rounding, &self.payments))
    }

    /// Whom it names, as a caller who would own the ticket.
    pub(super) fn names(&self, caller: &Caller) -> NamedFields<'_> {
        NamedFields { owner: self.owner.as_value().zip(caller.user()), ..NamedFields::default() }
    }

    /// The ticket, under this id.
    pub(super) fn into_new_ticket(self, id: TicketId) -> Result<NewTicket, ApiError> {
        Ok(NewTicket {
            id,
            currency: self.currency.require_value()?,
            sheet: TicketChange {
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
            },
        })
    }
}

/// The members that are objects themselves: a patch of them is merged with what there is.
const NESTED_OBJECTS: [&str; 3] = ["location", "customer", "extra"];

/// What a merge patch makes of the ticket that is there.
///
/// # Errors
/// Fields cannot be: all of them are told, with what `more` finds in the store.
pub(super) fn apply_patch(
    found: &TicketView,
    patch: &JsonObject,
    more: impl FnOnce(&NamedFields<'_>) -> Result<Vec<FieldViolation>, ApiError>,
) -> Result<TicketChange, ApiError> {
    let mut patch = patch.clone().into_members();
    for (name, sent) in &mut patch {
        if NESTED_OBJECTS.contains(&name.as_str()) && matches!(sent, ExactJson::Object(_)) {
            let there = response::nested_member(found, name)
                .map_err(|error| ApiError::Fault(format!("what a ticket shows cannot be read: {error}")))?;
            *sent = merge_value(there, std::mem::take(sent));
        }
    }
    let currency = found.ticket.sheet.currency;
    let change = body::made_so_far(&ExactJson::Object(patch), |change: &UpdateTicket| {
        find_unpayable_amounts(currency, &change.rounding, &change.payments)
    })?;
    let now = found.ticket.sheet.owner;
    let change = change.check_body(|change| {
        more(&NamedFields { owner: change.owner.as_value().map(|owner| (owner, now)), ..NamedFields::default() })
    })?;
    Ok(TicketChange {
        owner: change.owner.into_value(),
        external_id: change.external_id.into_patch().map(Option::unwrap_or_default),
        name: change.name.into_patch().map(Option::unwrap_or_default),
        location: change.location.into_patch().map(Option::unwrap_or_default),
        customer: change.customer.into_patch(),
        discount: change.discount_rate.into_patch().map(Option::unwrap_or_default),
        items: change.items.into_patch().map(Option::unwrap_or_default),
        rounding: change.rounding.into_patch().map(Option::unwrap_or_default),
        payments: change.payments.into_patch().map(Option::unwrap_or_default),
        extra: change.extra.into_patch().map(Option::unwrap_or_default),
    })
}

impl CloseTicket {
    pub(super) fn into_closing(self) -> TicketClosing {
        TicketClosing {
            payments: self.payments.into_value(),
            number: self.number.into_value(),
            fiscal: self.fiscal.into_value().unwrap_or_default(),
            daily_sales_report: self.daily_sales_report.into_value(),
            ..TicketClosing::default()
        }
    }
}

impl RefundTicket {
    /// The refund, under this id.
    pub(super) fn into_new_refund(self, id: TicketId) -> Result<NewRefund, ApiError> {
        let Some(items) = self.items.into_value() else { return Ok(NewRefund { id, items: None }) };
        let mut sums = BTreeMap::new();
        for RefundItem { id, quantity } in items {
            if sums.insert(id, quantity).is_some() {
                return Err(OfficeError::Ticket(TicketError::DuplicateItem(id)).into());
            }
        }
        Ok(NewRefund { id, items: Some(sums) })
    }
}
