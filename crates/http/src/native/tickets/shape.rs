//! A ticket as the native API shows it: money and quantities are decimals in strings, beside the currency of the ticket.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tillgate_domain::office::Shown;
use tillgate_domain::ticket::{Customer, Item, Payment, Rate, TicketState, TicketStatus, Totals};
use tillgate_domain::{DeviceId, DeviceName, Instant, TicketId, User, UserId};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

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

/// What is sold.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketArticle)]
#[expect(clippy::struct_excessive_bools, reason = "an article has them")]
pub(super) struct ArticleShape {
    #[schema(max_length = 200, required = false)]
    name: String,
    #[schema(max_length = 2000, required = false)]
    description: String,
    #[schema(max_length = 200, required = false)]
    stock: String,
    #[schema(max_length = 200, required = false)]
    code: String,
    #[schema(max_length = 200, required = false)]
    category: String,
    #[schema(max_length = 200, required = false)]
    kind: String,
    #[schema(max_length = 200, required = false)]
    vat_category: String,
    /// In percent; null for none.
    #[schema(schema_with = maybe_decimal, required = false)]
    vat_rate: Option<String>,
    /// True where nothing is sent.
    #[schema(required = false)]
    discount_allowed: bool,
    #[schema(required = false)]
    price_fixed: bool,
    #[schema(required = false)]
    splittable: bool,
    #[schema(required = false)]
    cashback_allowed: bool,
    #[schema(required = false)]
    order_endpoints: Vec<String>,
}

/// An item as it is sent.
#[derive(ToSchema)]
#[schema(as = NewTicketItem)]
#[expect(dead_code, reason = "it describes what is read elsewhere")]
pub(super) struct NewItem {
    /// Its number on the ticket; the next that is free where nothing is sent.
    #[schema(minimum = 0, maximum = 4_294_967_295_u32)]
    id: Option<u32>,
    #[schema(max_length = 200)]
    external_id: Option<String>,
    #[schema(schema_with = kind, required = false)]
    kind: String,
    article: Option<ArticleShape>,
    #[schema(max_length = 2000)]
    comment: Option<String>,
    /// The price of one unit, without VAT and before discounts: 6 places.
    #[schema(schema_with = decimal)]
    unit_price: String,
    /// How much: 6 places.
    #[schema(schema_with = decimal)]
    quantity: String,
    #[schema(max_length = 200)]
    unit: Option<String>,
    /// The item's own discount, in percent.
    #[schema(schema_with = maybe_decimal, required = false)]
    discount_rate: String,
}

/// An item.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketItem)]
pub(super) struct ItemShape {
    id: u32,
    external_id: String,
    #[schema(schema_with = kind)]
    kind: String,
    article: ArticleShape,
    comment: String,
    #[schema(schema_with = decimal)]
    unit_price: String,
    #[schema(schema_with = decimal)]
    unit_price_including_vat: String,
    #[schema(schema_with = decimal)]
    unit_price_after_discount: String,
    #[schema(schema_with = decimal)]
    unit_price_after_discount_including_vat: String,
    #[schema(schema_with = decimal)]
    quantity: String,
    unit: String,
    #[schema(schema_with = decimal)]
    discount_rate: String,
    totals: TotalsShape,
}

/// What an item or a ticket comes to.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketTotals)]
pub(super) struct TotalsShape {
    #[schema(schema_with = decimal)]
    total: String,
    #[schema(schema_with = decimal)]
    including_vat: String,
    #[schema(schema_with = decimal)]
    after_discount: String,
    #[schema(schema_with = decimal)]
    after_discount_including_vat: String,
    #[schema(schema_with = decimal)]
    discount: String,
    #[schema(schema_with = decimal)]
    discount_including_vat: String,
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

impl ItemShape {
    fn of(item: &Item, discount: Rate) -> Self {
        let (unit, article) = (item.unit_prices(discount), &item.article);
        Self {
            id: item.id,
            external_id: item.external_id.to_string(),
            kind: item.kind.name().to_ascii_lowercase(),
            article: ArticleShape {
                name: article.name.to_string(),
                description: article.description.to_string(),
                stock: article.stock.to_string(),
                code: article.code.to_string(),
                category: article.category.to_string(),
                kind: article.kind.to_string(),
                vat_category: article.vat_category.to_string(),
                vat_rate: article.vat.map(|rate| rate.to_string()),
                discount_allowed: article.discount_allowed,
                price_fixed: article.price_fixed,
                splittable: article.splittable,
                cashback_allowed: article.cashback_allowed,
                order_endpoints: article.order_endpoints.iter().map(ToString::to_string).collect(),
            },
            comment: item.comment.to_string(),
            unit_price: unit.amount.to_string(),
            unit_price_including_vat: unit.including_vat.to_string(),
            unit_price_after_discount: unit.after_discount.to_string(),
            unit_price_after_discount_including_vat: unit.after_discount_including_vat.to_string(),
            quantity: item.quantity.to_string(),
            unit: item.unit.to_string(),
            discount_rate: item.discount.to_string(),
            totals: TotalsShape::of(&item.totals(discount)),
        }
    }
}

impl TotalsShape {
    fn of(totals: &Totals) -> Self {
        Self {
            total: totals.total.to_string(),
            including_vat: totals.including_vat.to_string(),
            after_discount: totals.after_discount.to_string(),
            after_discount_including_vat: totals.after_discount_including_vat.to_string(),
            discount: totals.discount.to_string(),
            discount_including_vat: totals.discount_including_vat.to_string(),
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

fn kind() -> Schema {
    words(vec!["positive", "negative", "returned"])
}

fn means() -> Schema {
    words(vec!["cash", "card", "voucher", "other"])
}

fn words(words: Vec<&'static str>) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
}
