//! A ticket as the native API shows it, but for its items: money and quantities are decimals in strings, beside the currency of the ticket.

use serde::Serialize;
use tillgate_domain::office::TicketView;
use tillgate_domain::ticket::{Customer, Payment, Sheet, Ticket, TicketState};
use tillgate_domain::{DeviceId, DeviceName, ExactJson, Instant, JsonObject, TicketId, User, UserId};
use utoipa::ToSchema;

use super::item::{ItemBody, TotalsBody};
use crate::native::schemas::{self, Currency, Decimal, PaymentMeans};
use crate::timestamps::serialize_instant;

/// A ticket.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket)]
pub(super) struct TicketBody {
    /// It stays for good.
    #[schema(value_type = uuid::Uuid)]
    id: TicketId,
    /// Only an open one changes.
    #[schema(value_type = schemas::TicketState)]
    state: &'static str,
    /// In what it is paid (ISO 4217). Its amounts have as many places as the currency has: 2 of EUR, 3 of KWD, none of JPY.
    #[schema(value_type = Currency)]
    currency: String,
    /// The client's own id of it; empty for none.
    external_id: String,
    /// What people call it; empty for none.
    name: String,
    /// Where it is served.
    location: LocationBody,
    /// Whose it is.
    owner: TicketPersonBody,
    /// The device that it was opened on.
    device: TicketDeviceBody,
    /// Who buys; null for nobody known.
    customer: Option<CustomerBody>,
    /// The ticket's own discount, in percent.
    #[schema(value_type = Decimal)]
    discount_rate: String,
    /// What is sold.
    items: Vec<ItemBody>,
    /// What it comes to, rounded to the places of the currency.
    totals: TotalsBody,
    /// What is added so that it can be paid in cash; of a refund also what makes it give back exactly its share of what was paid.
    #[schema(value_type = Decimal)]
    rounding: String,
    /// The total after discounts with VAT, and the rounding.
    #[schema(value_type = Decimal)]
    payable: String,
    /// What was paid so far.
    payments: Vec<PaymentBody>,
    /// What another contract shows of it besides, such as the kind of purchase.
    #[serde(skip_serializing_if = "JsonObject::is_empty")]
    #[schema(value_type = Object, required = false)]
    extra: JsonObject,
    /// The change on what was paid; null where that is not enough yet.
    #[schema(value_type = Option<Decimal>)]
    change: Option<String>,
    /// The ticket that this one takes goods back from.
    #[schema(value_type = Option<uuid::Uuid>)]
    refund_of: Option<TicketId>,
    /// When it was opened.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    opened_at: Instant,
    /// When it was last changed.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// How it was closed.
    closed: Option<ClosingBody>,
    /// How it became void.
    voided: Option<VoidingBody>,
    /// Its version, as `ETag` has it.
    version: i64,
}

/// A person; the name is null where they are gone.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketPerson)]
pub(super) struct TicketPersonBody {
    /// Which user.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// The name that they have now.
    user_name: Option<String>,
}

/// A device.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketDevice)]
pub(super) struct TicketDeviceBody {
    /// Which device.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// The name that it has now.
    name: Option<String>,
}

/// Where a ticket is served.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketLocation)]
pub(super) struct LocationBody {
    /// The room or part of it.
    #[schema(max_length = 200, required = false)]
    zone: String,
    /// The table.
    #[schema(max_length = 200, required = false)]
    table: String,
}

/// Who buys, as they were when they came onto the ticket.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketCustomer)]
pub(super) struct CustomerBody {
    /// The customer's id with whoever keeps customers.
    #[schema(max_length = 200, required = false)]
    id: String,
    /// The client's own id of them.
    #[schema(max_length = 200, required = false)]
    external_id: String,
    /// The number of their card.
    #[schema(max_length = 200, required = false)]
    card_serial_number: String,
    /// Their first name.
    #[schema(max_length = 200, required = false)]
    first_name: String,
    /// Their last name.
    #[schema(max_length = 200, required = false)]
    last_name: String,
    /// Their whole name.
    #[schema(max_length = 200, required = false)]
    full_name: String,
    /// Their telephone number.
    #[schema(max_length = 200, required = false)]
    phone: String,
    /// Their e-mail address.
    #[schema(max_length = 200, required = false)]
    email: String,
    /// How much of what they pay is credited to them, in percent.
    #[schema(value_type = Decimal, required = false)]
    credit_rate: String,
    /// Their own discount: giving it to the ticket asks no right to give discounts.
    #[schema(value_type = Decimal, required = false)]
    discount_rate: String,
    /// What the client keeps besides: 4,000 bytes of JSON at most.
    #[schema(value_type = Object, required = false)]
    meta: JsonObject,
    /// What another contract shows of them besides, such as an address: 4,000 bytes of JSON at most, kept as it came.
    #[serde(skip_serializing_if = "JsonObject::is_empty")]
    #[schema(value_type = Object, required = false)]
    extra: JsonObject,
}

/// A payment: above zero where the customer pays, below zero where money is paid out.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketPayment)]
pub(super) struct PaymentBody {
    /// By which means. Change is given on cash alone.
    #[schema(value_type = PaymentMeans)]
    means: &'static str,
    /// What people call it.
    #[schema(max_length = 200, required = false)]
    name: String,
    /// How much, to the places of the currency.
    #[schema(value_type = Decimal)]
    amount: String,
}

/// So much of an item.
#[derive(ToSchema)]
#[schema(as = ReturnedItem)]
#[expect(dead_code, reason = "it describes what is read elsewhere")]
pub(super) struct RefundItemBody {
    /// Its number on the sold ticket.
    #[schema(minimum = 0, maximum = 4_294_967_295_u32)]
    id: u32,
    /// How much of it: 6 places.
    #[schema(value_type = Decimal)]
    quantity: String,
}

/// How a ticket was closed.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketClosed)]
pub(super) struct ClosingBody {
    /// When.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// By whom.
    by: TicketPersonBody,
    /// On which device.
    device: TicketDeviceBody,
    /// The number of the receipt.
    number: u64,
    /// What made the number; empty where the device counted by itself.
    fiscal: String,
    /// The report of daily sales that it counts in; null for none.
    daily_sales_report: Option<u64>,
    /// What another contract shows of it besides, such as what the fiscal device answered.
    #[serde(skip_serializing_if = "JsonObject::is_empty")]
    #[schema(value_type = Object, required = false)]
    extra: JsonObject,
}

/// How a ticket became void.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketVoided)]
pub(super) struct VoidingBody {
    /// When.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// By whom.
    by: TicketPersonBody,
    /// On which device; null in the office.
    device: Option<TicketDeviceBody>,
    /// Why, in words; empty where nobody said.
    reason: String,
}

impl TicketBody {
    pub(super) fn from_view(shown: &TicketView) -> Self {
        let ticket = &shown.ticket;
        let sheet = &ticket.sheet;
        let device =
            |id: DeviceId, name: Option<&DeviceName>| TicketDeviceBody { id, name: name.map(ToString::to_string) };
        let ended_by = |id: UserId| TicketPersonBody::from_user(id, shown.ended_by.as_ref());
        let (closed, voided) = match &ticket.state {
            TicketState::Open => (None, None),
            TicketState::Closed(closing) => {
                let closed = ClosingBody {
                    at: closing.at,
                    by: ended_by(closing.by),
                    device: device(closing.on, shown.ended_on.as_ref()),
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
                    device: voiding.on.map(|id| device(id, shown.ended_on.as_ref())),
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
            owner: TicketPersonBody::from_user(sheet.owner, shown.owner.as_ref()),
            device: device(ticket.opened_on, shown.opened_on.as_ref()),
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

/// A member that is an object itself, as it is now; null where there is none.
pub(super) fn nested_member(shown: &TicketView, name: &str) -> Result<ExactJson, serde_json::Error> {
    let sheet = &shown.ticket.sheet;
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

/// How many bytes a page of tickets shows at most; it has one ticket in any case.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// How many bytes a ticket takes on a page at most: what it takes in the store, the names of all members, and what is computed.
fn estimate_bytes(ticket: &Ticket) -> usize {
    const TICKET_BYTES: usize = 2_048;
    const ITEM_BYTES: usize = 1_280;
    const PAYMENT_BYTES: usize = 96;
    TICKET_BYTES
        + ticket.sheet.size_bytes()
        + ITEM_BYTES * ticket.sheet.items.len()
        + PAYMENT_BYTES * ticket.sheet.payments.len()
}

/// Whether these tickets fit on a page, and there may be room for more.
pub(super) fn fits_page(found: &[Ticket]) -> bool {
    found.iter().map(estimate_bytes).sum::<usize>() <= MAX_PAGE_BYTES
}

/// How many of the tickets fit on a page.
pub(super) fn count_fitting(found: &[TicketView]) -> usize {
    let mut left = MAX_PAGE_BYTES;
    let fit = |shown: &&TicketView| {
        let rest = left.checked_sub(estimate_bytes(&shown.ticket));
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    found.iter().take_while(fit).count()
}
