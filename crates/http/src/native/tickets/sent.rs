//! What requests say of tickets.

use std::collections::BTreeMap;

use serde::Deserialize;
use tillgate_auth_core::Caller;
use tillgate_domain::merge_patch::merged;
use tillgate_domain::office::{
    NamedFields, NewRefund, NewTicket, Owner, Refused, Shown, TicketChange, TicketClosing, WantedLine,
};
use tillgate_domain::ticket::{
    Amount, Currency, Customer, Label, Location, Meta, NumberSeries, Payment, Rate, TicketRefused,
};
use tillgate_domain::{ExactJson, JsonObject, TicketId};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::fit::Returned;
use super::item::NewItem;
use super::shape::{self, CustomerShape, LocationShape, PaymentShape, ReturnedShape};
use crate::failure::{Failure, FieldFault};
use crate::field::{Field, fits, stays};
use crate::native::{body, schemas};
use crate::office::faults;

/// A ticket that is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewTicket)]
pub(super) struct New {
    /// In what it is paid: a currency of ISO 4217, by its three capital letters. Amounts have at most its places: 2 of EUR, 3 of KWD, none
    /// of JPY.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = schemas::Currency, required = true)]
    currency: Field<Currency>,
    /// Whose it is: a user's id or name; the caller's own where nothing is sent.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>)]
    owner: Field<Owner>,
    /// The client's own id of it.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    external_id: Field<Label>,
    /// What people call it.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    name: Field<Label>,
    /// Where it is served.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<LocationShape>)]
    location: Field<Location>,
    /// Who buys.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<CustomerShape>)]
    customer: Field<Customer>,
    /// The discount on everything that takes one, in percent.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    discount_rate: Field<Rate>,
    /// What is sold.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Vec<NewItem>>)]
    items: Field<Vec<WantedLine>>,
    /// What is added so that it can be paid in cash: less than the currency's smallest coin either way, such as 0.05 of EUR or 5.00 of
    /// HUF.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    rounding: Field<Amount>,
    /// What was paid so far.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Vec<PaymentShape>>)]
    payments: Field<Vec<Payment>>,
    /// What another contract shows of it besides, such as the kind of purchase: 4,000 bytes of JSON at most, kept as it came.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Object>)]
    extra: Field<Meta>,
}

/// What becomes of a ticket, as a merge patch (RFC 7396): what is not sent stays as it is; items and payments are the whole of them.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = TicketChange)]
pub(super) struct Change {
    /// Another owner: a user's id or name.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = String)]
    owner: Field<Owner>,
    /// Another id of the client's; null for none.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    external_id: Field<Label>,
    /// Another name; null for none.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    name: Field<Label>,
    /// Another place; null for none.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<LocationShape>)]
    location: Field<Location>,
    /// Another customer; null for none.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<CustomerShape>)]
    customer: Field<Customer>,
    /// Another discount, in percent; null for none.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    discount_rate: Field<Rate>,
    /// Other items, in the place of those there are.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Vec<NewItem>>)]
    items: Field<Vec<WantedLine>>,
    /// Another rounding; null for none. That of a refund may differ by less than the smallest coin from what the refund was made with.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<schemas::Decimal>)]
    rounding: Field<Amount>,
    /// Other payments, in the place of those there are.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Vec<PaymentShape>>)]
    payments: Field<Vec<Payment>>,
    /// Something else of what another contract shows of it besides; null for nothing.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Object>)]
    extra: Field<Meta>,
}

/// How a ticket is closed.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = TicketClosing)]
pub(super) struct Closing {
    /// Payments in the place of those on the ticket; others than those ask the right to change the ticket.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Vec<PaymentShape>>)]
    payments: Field<Vec<Payment>>,
    /// The number that a fiscal device has given it, which no other receipt of the same fiscal memory has; it asks the right to change
    /// the ticket. Otherwise the ticket gets the next number of the fiscal memory, or of the device where none is named.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<u64>, minimum = 0)]
    number: Field<u64>,
    /// What made the number: the fiscal memory, by a name, whatever the case. One that is not the till's own, by its setting
    /// `DefaultFiscalName`, requires the right to change the ticket.
    #[serde(default)]
    #[validate(custom(function = "not_blank"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    fiscal: Field<Label>,
    /// The report of daily sales that it counts in.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<u64>, minimum = 0)]
    daily_sales_report: Field<u64>,
}

/// The name of a fiscal memory, if one is given, says something.
fn not_blank(field: &Field<Label>) -> Result<(), ValidationError> {
    match field {
        Field::Given(name) if NumberSeries::is_blank(name.as_str()) => Err(ValidationError::new("required")
            .with_message("must not be blank; leave it out for the device's own numbers".into())),
        field => fits(field),
    }
}

/// What is taken back.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewRefund)]
pub(super) struct Refunding {
    /// How much of which item; all that is left where nothing is sent.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Vec<ReturnedShape>>)]
    items: Field<Vec<Returned>>,
}

/// Amounts that the currency does not pay, so that they are told with everything else.
fn unpayable(currency: Currency, rounding: &Field<Amount>, payments: &Field<Vec<Payment>>) -> Vec<FieldFault> {
    let payments = payments.value().into_iter().flatten().enumerate();
    let places = currency.decimal_places();
    std::iter::once((None, rounding.value().copied()))
        .chain(payments.map(|(at, payment)| (Some(at), Some(payment.amount))))
        .filter(|(_, amount)| amount.is_some_and(|amount| !currency.pays(amount)))
        .flat_map(|(payment, _)| faults(&Refused::Ticket(TicketRefused::Unpayable { payment, places })))
        .collect()
}

impl New {
    /// The amounts that its currency does not pay.
    pub(super) fn unpayable(&self) -> Vec<FieldFault> {
        self.currency.value().map_or_else(Vec::new, |currency| unpayable(*currency, &self.rounding, &self.payments))
    }

    /// Whom it names, as a caller who would own the ticket.
    pub(super) fn names(&self, caller: &Caller) -> NamedFields<'_> {
        NamedFields { owner: self.owner.value().zip(caller.user()), ..NamedFields::default() }
    }

    /// The ticket, under this id.
    pub(super) fn ticket(self, id: TicketId) -> Result<NewTicket, Failure> {
        Ok(NewTicket {
            id,
            currency: self.currency.needed()?,
            sheet: TicketChange {
                owner: self.owner.given(),
                external_id: self.external_id.given(),
                name: self.name.given(),
                location: self.location.given(),
                customer: self.customer.given().map(Some),
                discount: self.discount_rate.given(),
                items: self.items.given(),
                rounding: self.rounding.given(),
                payments: self.payments.given(),
                extra: self.extra.given(),
            },
        })
    }
}

/// The members that are objects themselves: a patch of them is merged with what there is.
const WITHIN: [&str; 3] = ["location", "customer", "extra"];

/// What a merge patch makes of the ticket that is there.
///
/// # Errors
/// Fields cannot be: all of them are told, with what `more` finds in the store.
pub(super) fn patched(
    found: &Shown,
    patch: &JsonObject,
    more: impl FnOnce(&NamedFields<'_>) -> Result<Vec<FieldFault>, Failure>,
) -> Result<TicketChange, Failure> {
    let mut patch = patch.clone().into_members();
    for (name, sent) in &mut patch {
        if WITHIN.contains(&name.as_str()) && matches!(sent, ExactJson::Object(_)) {
            let there = shape::within(found, name)
                .map_err(|error| Failure::Fault(format!("what a ticket shows cannot be read: {error}")))?;
            *sent = merged(there, std::mem::take(sent));
        }
    }
    let currency = found.ticket.sheet.currency;
    let change = body::made_so_far(&ExactJson::Object(patch), |change: &Change| {
        unpayable(currency, &change.rounding, &change.payments)
    })?;
    let now = found.ticket.sheet.owner;
    let change = change.checked(|change| {
        more(&NamedFields { owner: change.owner.value().map(|owner| (owner, now)), ..NamedFields::default() })
    })?;
    Ok(TicketChange {
        owner: change.owner.given(),
        external_id: change.external_id.patch().map(Option::unwrap_or_default),
        name: change.name.patch().map(Option::unwrap_or_default),
        location: change.location.patch().map(Option::unwrap_or_default),
        customer: change.customer.patch(),
        discount: change.discount_rate.patch().map(Option::unwrap_or_default),
        items: change.items.patch().map(Option::unwrap_or_default),
        rounding: change.rounding.patch().map(Option::unwrap_or_default),
        payments: change.payments.patch().map(Option::unwrap_or_default),
        extra: change.extra.patch().map(Option::unwrap_or_default),
    })
}

impl Closing {
    pub(super) fn closing(self) -> TicketClosing {
        TicketClosing {
            payments: self.payments.given(),
            number: self.number.given(),
            fiscal: self.fiscal.given().unwrap_or_default(),
            daily_sales_report: self.daily_sales_report.given(),
            ..TicketClosing::default()
        }
    }
}

impl Refunding {
    /// The refund, under this id.
    pub(super) fn refund(self, id: TicketId) -> Result<NewRefund, Failure> {
        let Some(items) = self.items.given() else { return Ok(NewRefund { id, items: None }) };
        let mut sums = BTreeMap::new();
        for Returned { id, quantity } in items {
            if sums.insert(id, quantity).is_some() {
                return Err(Refused::Ticket(TicketRefused::Twice(id)).into());
            }
        }
        Ok(NewRefund { id, items: Some(sums) })
    }
}
