//! A ticket as the native API shows it, but for its items: money and quantities are decimals in strings, beside the currency of the ticket.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tillgate_domain::office::Shown;
use tillgate_domain::ticket::{Customer, Payment, TicketState, TicketStatus};
use tillgate_domain::{DeviceId, DeviceName, Instant, TicketId, User, UserId};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use super::item::{ItemShape, TotalsShape};
use crate::instants::instant;

/// A ticket.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket)]
pub(super) struct Shape {
    #[schema(value_type = uuid::Uuid)]
    id: TicketId,
    #[schema(schema_with = state)]
    state: &'static str,
    #[schema(schema_with = currency)]
    currency: String,
    external_id: String,
    name: String,
    location: LocationShape,
    /// Whose it is.
    owner: PersonShape,
    /// The device that it was opened on.
    device: DeviceShape,
    customer: Option<CustomerShape>,
    /// The ticket's own discount, in percent.
    #[schema(schema_with = decimal)]
    discount_rate: String,
    items: Vec<ItemShape>,
    totals: TotalsShape,
    #[schema(schema_with = decimal)]
    rounding: String,
    /// The total after discounts with VAT, and the rounding.
    #[schema(schema_with = decimal)]
    payable: String,
    payments: Vec<PaymentShape>,
    /// The change on what was paid; null where that is not enough yet.
    #[schema(schema_with = maybe_decimal)]
    change: Option<String>,
    /// The ticket that this one takes goods back from.
    #[schema(value_type = Option<uuid::Uuid>)]
    refund_of: Option<TicketId>,
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    opened_at: Instant,
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// How it was closed.
    closed: Option<ClosedShape>,
    /// How it became void.
    voided: Option<VoidedShape>,
    /// Its version, as `ETag` has it.
    version: i64,
}

/// A person; the name is null where they are gone.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketPerson)]
pub(super) struct PersonShape {
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    user_name: Option<String>,
}

/// A device.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketDevice)]
pub(super) struct DeviceShape {
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    name: Option<String>,
}

/// Where a ticket is served.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketLocation)]
pub(super) struct LocationShape {
    #[schema(max_length = 200, required = false)]
    zone: String,
    #[schema(max_length = 200, required = false)]
    table: String,
}

/// Who buys, as they were when they came onto the ticket.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketCustomer)]
pub(super) struct CustomerShape {
    #[schema(max_length = 200, required = false)]
    id: String,
    #[schema(max_length = 200, required = false)]
    external_id: String,
    #[schema(max_length = 200, required = false)]
    card_serial_number: String,
    #[schema(max_length = 200, required = false)]
    first_name: String,
    #[schema(max_length = 200, required = false)]
    last_name: String,
    #[schema(max_length = 200, required = false)]
    full_name: String,
    #[schema(max_length = 200, required = false)]
    phone: String,
    #[schema(max_length = 200, required = false)]
    email: String,
    #[schema(schema_with = decimal, required = false)]
    credit_rate: String,
    /// Their own discount: giving it to the ticket asks no right to give discounts.
    #[schema(schema_with = decimal, required = false)]
    discount_rate: String,
    /// What the client keeps besides: 4,000 bytes of JSON at most.
    #[schema(value_type = Object, required = false)]
    meta: Map<String, Value>,
}

/// A payment: above zero where the customer pays, below zero where money is paid out.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketPayment)]
pub(super) struct PaymentShape {
    #[schema(schema_with = means)]
    means: &'static str,
    #[schema(max_length = 200, required = false)]
    name: String,
    #[schema(schema_with = decimal)]
    amount: String,
}

/// So much of an item.
#[derive(ToSchema)]
#[schema(as = ReturnedItem)]
#[expect(dead_code, reason = "it describes what is read elsewhere")]
pub(super) struct ReturnedShape {
    /// Its number on the sold ticket.
    #[schema(minimum = 0, maximum = 4_294_967_295_u32)]
    id: u32,
    #[schema(schema_with = decimal)]
    quantity: String,
}

/// How a ticket was closed.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketClosed)]
pub(super) struct ClosedShape {
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    by: PersonShape,
    device: DeviceShape,
    number: u64,
    fiscal: String,
    daily_sales_report: Option<u64>,
}

/// How a ticket became void.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketVoided)]
pub(super) struct VoidedShape {
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    by: PersonShape,
    device: Option<DeviceShape>,
    reason: String,
}

impl Shape {
    pub(super) fn of(shown: &Shown) -> Self {
        let ticket = &shown.ticket;
        let sheet = &ticket.sheet;
        let device = |id: DeviceId, name: Option<&DeviceName>| DeviceShape { id, name: name.map(ToString::to_string) };
        let ended_by = |id: UserId| PersonShape::of(id, shown.ended_by.as_ref());
        let (closed, voided) = match &ticket.state {
            TicketState::Open => (None, None),
            TicketState::Closed(closing) => {
                let closed = ClosedShape {
                    at: closing.at,
                    by: ended_by(closing.by),
                    device: device(closing.on, shown.ended_on.as_ref()),
                    number: closing.receipt.number,
                    fiscal: closing.receipt.fiscal.to_string(),
                    daily_sales_report: closing.receipt.daily_sales_report,
                };
                (Some(closed), None)
            }
            TicketState::Void(voiding) => {
                let voided = VoidedShape {
                    at: voiding.at,
                    by: ended_by(voiding.by),
                    device: voiding.on.map(|id| device(id, shown.ended_on.as_ref())),
                    reason: voiding.reason.to_string(),
                };
                (None, Some(voided))
            }
        };
        Self {
            id: ticket.id,
            state: ticket.state.status().name(),
            currency: ticket.currency.to_string(),
            external_id: sheet.external_id.to_string(),
            name: sheet.name.to_string(),
            location: LocationShape { zone: sheet.location.zone.to_string(), table: sheet.location.table.to_string() },
            owner: PersonShape::of(sheet.owner, shown.owner.as_ref()),
            device: device(ticket.opened_on, shown.opened_on.as_ref()),
            customer: sheet.customer.as_ref().map(CustomerShape::of),
            discount_rate: sheet.discount.to_string(),
            items: sheet.items.iter().map(|item| ItemShape::of(item, sheet.discount)).collect(),
            totals: TotalsShape::of(&sheet.totals()),
            rounding: sheet.rounding.amount().to_string(),
            payable: sheet.payable().to_string(),
            payments: sheet.payments.iter().map(PaymentShape::of).collect(),
            change: ticket.change().ok().map(|change| change.to_string()),
            refund_of: ticket.refund_of,
            opened_at: ticket.opened_at,
            updated_at: ticket.updated_at,
            closed,
            voided,
            version: ticket.version,
        }
    }
}

impl PersonShape {
    fn of(id: UserId, user: Option<&User>) -> Self {
        Self { id, user_name: user.map(|user| user.name.to_string()) }
    }
}

impl CustomerShape {
    fn of(customer: &Customer) -> Self {
        Self {
            id: customer.id.to_string(),
            external_id: customer.external_id.to_string(),
            card_serial_number: customer.card_serial_number.to_string(),
            first_name: customer.first_name.to_string(),
            last_name: customer.last_name.to_string(),
            full_name: customer.full_name.to_string(),
            phone: customer.phone.to_string(),
            email: customer.email.to_string(),
            credit_rate: customer.credit.to_string(),
            discount_rate: customer.discount.to_string(),
            meta: customer.meta.map().clone(),
        }
    }
}

impl PaymentShape {
    fn of(payment: &Payment) -> Self {
        Self { means: payment.means.name(), name: payment.name.to_string(), amount: payment.amount.to_string() }
    }
}

/// A member that is an object itself, as it is now; null where there is none.
pub(super) fn within(shown: &Shown, name: &str) -> Value {
    let sheet = &shown.ticket.sheet;
    match (name, &sheet.customer) {
        ("location", _) => {
            json!({ "zone": sheet.location.zone.as_str(), "table": sheet.location.table.as_str() })
        }
        ("customer", Some(customer)) => json!(CustomerShape::of(customer)),
        _ => Value::Null,
    }
}

/// The schema of a decimal in a string.
pub(super) fn decimal() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$")).into()
}

/// The same of one that may be null.
pub(super) fn maybe_decimal() -> Schema {
    let nullable = SchemaType::Array(vec![Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(nullable).pattern(Some(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$")).into()
}

/// The schema of a currency.
pub(super) fn currency() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Z]{3}$")).into()
}

/// The schema of a state.
pub(super) fn state() -> Schema {
    words(TicketStatus::ALL.map(TicketStatus::name).to_vec())
}

fn means() -> Schema {
    words(vec!["cash", "card", "voucher", "other"])
}

pub(super) fn words(words: Vec<&'static str>) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
}
