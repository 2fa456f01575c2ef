//! Tickets in responses of the native API; their items are in `item.rs`. Amounts and quantities are
//! decimals in strings, in the currency of the ticket.

use serde::Serialize;
use tillgate_domain::office::TicketView;
use tillgate_domain::ticket::{Customer, Payment, Sheet, Ticket, TicketState};
use tillgate_domain::{DeviceId, DeviceName, ExactJson, Instant, JsonObject, TicketId, User, UserId};
use utoipa::ToSchema;

use super::item::{ItemBody, TotalsBody};
use crate::api::native::page::MAX_PAGE_BYTES;
use crate::api::native::schemas::{self, Currency, Decimal, PaymentMeans};
use crate::timestamps::serialize_instant;

/// A sale with its items, payments and totals.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket)]
pub struct TicketBody {
    /// Id of the ticket; it never changes.
    #[schema(value_type = uuid::Uuid)]
    id: TicketId,
    /// State of the ticket. Only an open ticket can be changed.
    #[schema(value_type = schemas::TicketState)]
    state: &'static str,
    /// Currency of the ticket (ISO 4217). Amounts have as many decimal places as the currency: 2
    /// for EUR, 3 for KWD, none for JPY.
    #[schema(value_type = Currency)]
    currency: String,
    /// The client's own id of the ticket; may be empty.
    external_id: String,
    /// Display name of the ticket; may be empty.
    name: String,
    /// Where the ticket is served.
    location: LocationBody,
    /// The user who owns the ticket.
    owner: TicketPersonBody,
    /// The device on which the ticket was opened.
    device: TicketDeviceBody,
    /// The customer; null if unknown.
    customer: Option<CustomerBody>,
    /// Discount on the whole ticket, in percent.
    #[schema(value_type = Decimal)]
    discount_rate: String,
    /// The sold items.
    items: Vec<ItemBody>,
    /// Totals, rounded to the decimal places of the currency.
    totals: TotalsBody,
    /// Rounding that makes the total payable in coins. In a refund it also includes the amount that
    /// makes the refund return exactly its share of what was paid.
    #[schema(value_type = Decimal)]
    rounding: String,
    /// The total after discounts, with VAT and rounding.
    #[schema(value_type = Decimal)]
    payable: String,
    /// Payments made so far.
    payments: Vec<PaymentBody>,
    /// Additional members of another dialect, such as the kind of purchase.
    #[serde(skip_serializing_if = "JsonObject::is_empty")]
    #[schema(value_type = Object, required = false)]
    extra: JsonObject,
    /// The change due; null while the payments do not cover the total.
    #[schema(value_type = Option<Decimal>)]
    change: Option<String>,
    /// The ticket that this ticket refunds; null if it is not a refund.
    #[schema(value_type = Option<uuid::Uuid>)]
    refund_of: Option<TicketId>,
    /// When the ticket was opened.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    opened_at: Instant,
    /// When the ticket was last changed.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// How the ticket was closed; null if it is not closed.
    closed: Option<ClosingBody>,
    /// How the ticket was voided; null if it is not void.
    voided: Option<VoidingBody>,
    /// Version of the ticket, as in `ETag`.
    version: i64,
}

/// A user, with the current user name.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketPerson)]
pub(super) struct TicketPersonBody {
    /// Id of the user.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// The current user name; null if the user no longer exists.
    user_name: Option<String>,
}

/// A device, with its current name.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketDevice)]
pub(super) struct TicketDeviceBody {
    /// Id of the device.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// The current name; null if the device no longer exists.
    name: Option<String>,
}

/// Where a ticket is served.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketLocation)]
pub(super) struct LocationBody {
    /// The room or part of a room.
    #[schema(max_length = 200, required = false)]
    zone: String,
    /// The table in the zone.
    #[schema(max_length = 200, required = false)]
    table: String,
}

/// The customer, as known when added to the ticket.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketCustomer)]
pub(super) struct CustomerBody {
    /// Id of the customer in the system that manages customers.
    #[schema(max_length = 200, required = false)]
    id: String,
    /// The client's own id of the customer.
    #[schema(max_length = 200, required = false)]
    external_id: String,
    /// Number of the customer's card.
    #[schema(max_length = 200, required = false)]
    card_serial_number: String,
    /// The customer's first name.
    #[schema(max_length = 200, required = false)]
    first_name: String,
    /// The customer's last name.
    #[schema(max_length = 200, required = false)]
    last_name: String,
    /// The customer's full name.
    #[schema(max_length = 200, required = false)]
    full_name: String,
    /// The customer's telephone number.
    #[schema(max_length = 200, required = false)]
    phone: String,
    /// The customer's e-mail address.
    #[schema(max_length = 200, required = false)]
    email: String,
    /// Share of the payments that is credited to the customer, in percent.
    #[schema(value_type = Decimal, required = false)]
    credit_rate: String,
    /// The customer's own discount, in percent. Applying it to the ticket requires no right to give
    /// discounts.
    #[schema(value_type = Decimal, required = false)]
    discount_rate: String,
    /// Data of the client's own: at most 4,000 bytes of JSON.
    #[schema(value_type = Object, required = false)]
    meta: JsonObject,
    /// Additional members of another dialect, such as an address: at most 4,000 bytes of JSON,
    /// returned unchanged.
    #[serde(skip_serializing_if = "JsonObject::is_empty")]
    #[schema(value_type = Object, required = false)]
    extra: JsonObject,
}

/// A payment: positive if the customer pays, negative if money is paid out.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketPayment)]
pub(super) struct PaymentBody {
    /// Payment method. Change is given for cash only.
    #[schema(value_type = PaymentMeans)]
    means: &'static str,
    /// Display name of the payment.
    #[schema(max_length = 200, required = false)]
    name: String,
    /// The amount, with the decimal places of the currency.
    #[schema(value_type = Decimal)]
    amount: String,
}

/// A quantity of an item to refund.
#[derive(ToSchema)]
#[schema(as = ReturnedItem)]
#[expect(dead_code, reason = "documents a body that is parsed elsewhere")]
pub(super) struct RefundItemBody {
    /// Number of the item on the sold ticket.
    #[schema(minimum = 0, maximum = 4_294_967_295_u32)]
    id: u32,
    /// Quantity to refund, with up to 6 decimal places.
    #[schema(value_type = Decimal)]
    quantity: String,
}

/// How a ticket was closed.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketClosed)]
pub(super) struct ClosingBody {
    /// When the ticket was closed.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// The user who closed the ticket.
    by: TicketPersonBody,
    /// The device on which the ticket was closed.
    device: TicketDeviceBody,
    /// The receipt number.
    number: u64,
    /// Name of the fiscal memory that assigned the number; empty if the device numbered the receipt
    /// itself.
    fiscal: String,
    /// Number of the daily sales report that contains the ticket; null if none.
    daily_sales_report: Option<u64>,
    /// Additional members of another dialect, such as the response of the fiscal device.
    #[serde(skip_serializing_if = "JsonObject::is_empty")]
    #[schema(value_type = Object, required = false)]
    extra: JsonObject,
}

/// How a ticket was voided.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketVoided)]
pub(super) struct VoidingBody {
    /// When the ticket was voided.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// The user who voided the ticket.
    by: TicketPersonBody,
    /// The device on which the ticket was voided; null if it was voided without a device.
    device: Option<TicketDeviceBody>,
    /// The reason, as text; may be empty.
    reason: String,
}

impl TicketBody {
    /// Converts a ticket with the names of its users and devices.
    pub fn from_view(view: &TicketView) -> Self {
        let ticket = &view.ticket;
        let sheet = &ticket.sheet;
        let device =
            |id: DeviceId, name: Option<&DeviceName>| TicketDeviceBody { id, name: name.map(ToString::to_string) };
        let ended_by = |id: UserId| TicketPersonBody::from_user(id, view.ended_by.as_ref());
        let (closed, voided) = match &ticket.state {
            TicketState::Open => (None, None),
            TicketState::Closed(closing) => {
                let closed = ClosingBody {
                    at: closing.at,
                    by: ended_by(closing.by),
                    device: device(closing.on, view.ended_on.as_ref()),
                    number: closing.receipt.number,
                    fiscal: closing.receipt.fiscal.to_string(),
                    daily_sales_report: closing.receipt.daily_sales_report,
                    extra: closing.receipt.extra.object().clone(),
                };
                (Some(closed), None)
            }
            TicketState::Void(voiding) => {
                let voided = VoidingBody {
                    at: voiding.at,
                    by: ended_by(voiding.by),
                    device: voiding.on.map(|id| device(id, view.ended_on.as_ref())),
                    reason: voiding.reason.to_string(),
                };
                (None, Some(voided))
            }
        };
        Self {
            id: ticket.id,
            state: ticket.state.status().name(),
            currency: sheet.currency.to_string(),
            external_id: sheet.external_id.to_string(),
            name: sheet.name.to_string(),
            location: LocationBody { zone: sheet.location.zone.to_string(), table: sheet.location.table.to_string() },
            owner: TicketPersonBody::from_user(sheet.owner, view.owner.as_ref()),
            device: device(ticket.opened_on, view.opened_on.as_ref()),
            customer: sheet.customer.as_ref().map(CustomerBody::from_customer),
            discount_rate: sheet.discount.to_string(),
            items: sheet.items.iter().map(|item| ItemBody::from_item(item, sheet)).collect(),
            totals: TotalsBody::from_totals(&sheet.totals(), sheet),
            rounding: sheet.money(sheet.rounding.amount()).to_string(),
            payable: sheet.money(sheet.payable()).to_string(),
            payments: sheet.payments.iter().map(|each| PaymentBody::from_payment(each, sheet)).collect(),
            extra: sheet.extra.object().clone(),
            change: ticket.change_due().ok().map(|change| sheet.money(change).to_string()),
            refund_of: ticket.refund_of,
            opened_at: ticket.opened_at,
            updated_at: ticket.updated_at,
            closed,
            voided,
            version: ticket.version,
        }
    }
}

impl TicketPersonBody {
    fn from_user(id: UserId, user: Option<&User>) -> Self {
        Self { id, user_name: user.map(|user| user.name.to_string()) }
    }
}

impl CustomerBody {
    fn from_customer(customer: &Customer) -> Self {
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
            meta: customer.meta.object().clone(),
            extra: customer.extra.object().clone(),
        }
    }
}

impl PaymentBody {
    fn from_payment(payment: &Payment, sheet: &Sheet) -> Self {
        let amount = sheet.money(payment.amount).to_string();
        Self { means: payment.method.name(), name: payment.name.to_string(), amount }
    }
}

/// Returns the current value of a member that is itself an object; null if the ticket has none.
pub(super) fn nested_member(view: &TicketView, name: &str) -> Result<ExactJson, serde_json::Error> {
    let sheet = &view.ticket.sheet;
    match (name, &sheet.customer) {
        ("location", _) => Ok(ExactJson::object([
            ("zone", ExactJson::string(sheet.location.zone.as_str())),
            ("table", ExactJson::string(sheet.location.table.as_str())),
        ])),
        ("extra", _) => Ok(ExactJson::from(sheet.extra.object())),
        ("customer", Some(customer)) => {
            ExactJson::parse(&serde_json::to_string(&CustomerBody::from_customer(customer))?)
        }
        _ => Ok(ExactJson::Null),
    }
}

/// Returns an upper bound of the size of a ticket on a page: its stored size, the names of all
/// members, and the computed members.
fn estimate_bytes(ticket: &Ticket) -> usize {
    const TICKET_BYTES: usize = 2_048;
    const ITEM_BYTES: usize = 1_280;
    const PAYMENT_BYTES: usize = 96;
    TICKET_BYTES
        + ticket.sheet.size_bytes()
        + ITEM_BYTES * ticket.sheet.items.len()
        + PAYMENT_BYTES * ticket.sheet.payments.len()
}

/// Returns whether all of these tickets fit on a page.
pub(super) fn fits_page(found: &[Ticket]) -> bool {
    found.iter().map(estimate_bytes).sum::<usize>() <= MAX_PAGE_BYTES
}

/// Returns how many of the tickets fit on a page.
pub(super) fn count_fitting(found: &[TicketView]) -> usize {
    let mut left = MAX_PAGE_BYTES;
    let fit = |view: &&TicketView| {
        let rest = left.checked_sub(estimate_bytes(&view.ticket));
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    found.iter().take_while(fit).count()
}
