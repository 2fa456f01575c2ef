//! The JSON documents of a ticket's row: its sheet, and how it was closed or made void.
//!
//! The number of decimal places of a ticket's amounts is part of its document (`places`). Documents
//! without it were written when every currency had two, and keep that. Lists sort by two columns,
//! hundredths and the remainder, so that no row had to be rewritten.
//!
//! Every number is an integer in units of its last decimal place, so that no reader of the database
//! meets a fraction. Empty members are omitted.

use serde::{Deserialize, Serialize};
use tillgate_domain::ticket::{
    Article, BoundedText, Closing, Currency, Customer, Decimal, Draft, Item, ItemDraft, ItemKind, Location, Meta, Note,
    Payment, PaymentMethod, Quantity, Rate, Receipt, Rounding, Sheet, TicketState, Voiding,
};
use tillgate_domain::{DeviceId, Instant, JsonObject, StoreResult, UserId};
use uuid::Uuid;

use super::super::Column;

/// The decimal places of documents without `places`.
const DEFAULT_DECIMAL_PLACES: u32 = 2;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires this signature")]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires this signature")]
const fn is_set(mark: &bool) -> bool {
    *mark
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires this signature")]
const fn is_unset(mark: &bool) -> bool {
    !*mark
}

const fn yes() -> bool {
    true
}

/// The content of a ticket.
#[derive(Serialize, Deserialize)]
pub(super) struct SheetDocument {
    owner: Uuid,
    /// The decimal places of the amounts.
    places: Option<u32>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    external_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    zone: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    table: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerDocument>,
    #[serde(default, skip_serializing_if = "is_zero")]
    discount: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    rounding: i64,
    /// The part of the rounding that a refund returns proportionally.
    share: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    items: Vec<ItemDocument>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    payments: Vec<PaymentDocument>,
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    extra: JsonObject,
}

#[derive(Serialize, Deserialize)]
struct CustomerDocument {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    external_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    card: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    first_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    last_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    full_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    phone: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    email: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    credit: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    discount: i64,
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    meta: JsonObject,
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    extra: JsonObject,
}

#[derive(Serialize, Deserialize)]
struct ItemDocument {
    id: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    external_id: String,
    kind: String,
    article: ArticleDocument,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    comment: String,
    unit_price: i64,
    quantity: i64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    unit: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    discount: i64,
}

#[derive(Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "an article has them")]
struct ArticleDocument {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    stock: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    category: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    vat_category: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vat: Option<i64>,
    #[serde(default = "yes", skip_serializing_if = "is_set")]
    discount_allowed: bool,
    #[serde(default, skip_serializing_if = "is_unset")]
    price_fixed: bool,
    #[serde(default, skip_serializing_if = "is_unset")]
    splittable: bool,
    #[serde(default, skip_serializing_if = "is_unset")]
    cashback_allowed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    order_endpoints: Vec<String>,
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    extra: JsonObject,
}

#[derive(Serialize, Deserialize)]
struct PaymentDocument {
    means: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    amount: i64,
}

/// How a ticket was closed or made void.
#[derive(Serialize, Deserialize)]
pub(super) struct EndingDocument {
    at: i64,
    by: Uuid,
    on: Option<Uuid>,
    number: Option<u64>,
    fiscal: Option<String>,
    daily_sales_report: Option<u64>,
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    extra: JsonObject,
}

fn parse_text<const MAX_CHARS: usize>(cell: Column, text: &str) -> StoreResult<BoundedText<MAX_CHARS>> {
    cell.check_parsed(BoundedText::parse(text))
}

fn parse_decimal<const PLACES: u32>(cell: Column, units: i64) -> StoreResult<Decimal<PLACES>> {
    cell.check_parsed(Decimal::from_units(units))
}

fn parse_rate(cell: Column, units: i64) -> StoreResult<Rate> {
    cell.check_parsed(Rate::new(parse_decimal(cell, units)?))
}

impl SheetDocument {
    pub(super) fn from_domain(sheet: &Sheet) -> Self {
        Self {
            owner: sheet.owner.0,
            places: Some(sheet.currency.decimal_places()),
            external_id: sheet.external_id.to_string(),
            name: sheet.name.to_string(),
            zone: sheet.location.zone.to_string(),
            table: sheet.location.table.to_string(),
            customer: sheet.customer.as_ref().map(CustomerDocument::from_domain),
            discount: sheet.discount.percent().units(),
            rounding: sheet.currency.to_minor_units(sheet.rounding.amount()),
            share: Some(sheet.currency.to_minor_units(sheet.rounding.share())),
            items: sheet.items.iter().map(|item| ItemDocument::from_domain(item)).collect(),
            payments: sheet.payments.iter().map(|each| PaymentDocument::from_domain(each, sheet.currency)).collect(),
            extra: sheet.extra.object().clone(),
        }
    }

    /// The sheet in the document. `currency` is that of the ticket, and `refund` says whether it
    /// takes goods back.
    pub(super) fn into_domain(self, cell: Column, currency: &str, refund: bool) -> StoreResult<Sheet> {
        let currency =
            cell.check_parsed(Currency::from_stored(currency, self.places.unwrap_or(DEFAULT_DECIMAL_PLACES)))?;
        let amount = |units| cell.check_parsed(currency.amount_from_minor_units(units));
        // older documents do not distinguish the two: a refund's rounding was only its share
        let share = self.share.unwrap_or(if refund { self.rounding } else { 0 });
        let draft = Draft {
            currency,
            owner: UserId(self.owner),
            external_id: parse_text(cell, &self.external_id)?,
            name: parse_text(cell, &self.name)?,
            location: Location { zone: parse_text(cell, &self.zone)?, table: parse_text(cell, &self.table)? },
            customer: self.customer.map(|customer| customer.into_domain(cell)).transpose()?,
            discount: parse_rate(cell, self.discount)?,
            rounding: Rounding::from_stored(amount(self.rounding)?, amount(share)?),
            items: self.items.into_iter().map(|item| item.into_domain(cell)).collect::<StoreResult<_>>()?,
            payments: self
                .payments
                .into_iter()
                .map(|payment| payment.into_domain(cell, currency))
                .collect::<StoreResult<_>>()?,
            extra: cell.check_parsed(Meta::new(self.extra))?,
        };
        cell.check_parsed(draft.check())
    }
}

impl CustomerDocument {
    fn from_domain(customer: &Customer) -> Self {
        Self {
            id: customer.id.to_string(),
            external_id: customer.external_id.to_string(),
            card: customer.card_serial_number.to_string(),
            first_name: customer.first_name.to_string(),
            last_name: customer.last_name.to_string(),
            full_name: customer.full_name.to_string(),
            phone: customer.phone.to_string(),
            email: customer.email.to_string(),
            credit: customer.credit.percent().units(),
            discount: customer.discount.percent().units(),
            meta: customer.meta.object().clone(),
            extra: customer.extra.object().clone(),
        }
    }

    fn into_domain(self, cell: Column) -> StoreResult<Customer> {
        Ok(Customer {
            id: parse_text(cell, &self.id)?,
            external_id: parse_text(cell, &self.external_id)?,
            card_serial_number: parse_text(cell, &self.card)?,
            first_name: parse_text(cell, &self.first_name)?,
            last_name: parse_text(cell, &self.last_name)?,
            full_name: parse_text(cell, &self.full_name)?,
            phone: parse_text(cell, &self.phone)?,
            email: parse_text(cell, &self.email)?,
            credit: parse_rate(cell, self.credit)?,
            discount: parse_rate(cell, self.discount)?,
            meta: cell.check_parsed(Meta::new(self.meta))?,
            extra: cell.check_parsed(Meta::new(self.extra))?,
        })
    }
}

impl ItemDocument {
    fn from_domain(line: &ItemDraft) -> Self {
        Self {
            id: line.id,
            external_id: line.external_id.to_string(),
            kind: line.kind.name().to_owned(),
            article: ArticleDocument::from_domain(&line.article),
            comment: line.comment.to_string(),
            unit_price: line.unit_price.units(),
            quantity: line.quantity.value().units(),
            unit: line.unit.to_string(),
            discount: line.discount.percent().units(),
        }
    }

    fn into_domain(self, cell: Column) -> StoreResult<Item> {
        let line = ItemDraft {
            id: self.id,
            external_id: parse_text(cell, &self.external_id)?,
            kind: cell.parse_word(&ItemKind::ALL, ItemKind::name, &self.kind)?,
            article: self.article.into_domain(cell)?,
            comment: parse_text(cell, &self.comment)?,
            unit_price: parse_decimal(cell, self.unit_price)?,
            quantity: cell.check_parsed(Quantity::new(parse_decimal(cell, self.quantity)?))?,
            unit: parse_text(cell, &self.unit)?,
            discount: parse_rate(cell, self.discount)?,
        };
        cell.check_parsed(Item::new(line))
    }
}

impl ArticleDocument {
    fn from_domain(article: &Article) -> Self {
        Self {
            name: article.name.to_string(),
            description: article.description.to_string(),
            stock: article.stock.to_string(),
            code: article.code.to_string(),
            category: article.category.to_string(),
            kind: article.kind.to_string(),
            vat_category: article.vat_category.to_string(),
            vat: article.vat.map(|rate| rate.percent().units()),
            discount_allowed: article.discount_allowed,
            price_fixed: article.price_fixed,
            splittable: article.splittable,
            cashback_allowed: article.cashback_allowed,
            order_endpoints: article.order_endpoints.iter().map(ToString::to_string).collect(),
            extra: article.extra.object().clone(),
        }
    }

    fn into_domain(self, cell: Column) -> StoreResult<Article> {
        Ok(Article {
            name: parse_text(cell, &self.name)?,
            description: parse_text(cell, &self.description)?,
            stock: parse_text(cell, &self.stock)?,
            code: parse_text(cell, &self.code)?,
            category: parse_text(cell, &self.category)?,
            kind: parse_text(cell, &self.kind)?,
            vat_category: parse_text(cell, &self.vat_category)?,
            vat: self.vat.map(|units| parse_rate(cell, units)).transpose()?,
            discount_allowed: self.discount_allowed,
            price_fixed: self.price_fixed,
            splittable: self.splittable,
            cashback_allowed: self.cashback_allowed,
            order_endpoints: self
                .order_endpoints
                .iter()
                .map(|each| parse_text(cell, each))
                .collect::<StoreResult<_>>()?,
            extra: cell.check_parsed(Meta::new(self.extra))?,
        })
    }
}

impl PaymentDocument {
    fn from_domain(payment: &Payment, currency: Currency) -> Self {
        let amount = currency.to_minor_units(payment.amount);
        Self { means: payment.method.name().to_owned(), name: payment.name.to_string(), amount }
    }

    fn into_domain(self, cell: Column, currency: Currency) -> StoreResult<Payment> {
        let amount = cell.check_parsed(currency.amount_from_minor_units(self.amount))?;
        Ok(Payment {
            method: cell.parse_word(&PaymentMethod::ALL, PaymentMethod::name, &self.means)?,
            name: parse_text(cell, &self.name)?,
            amount,
        })
    }
}

impl EndingDocument {
    pub(super) fn from_domain(state: &TicketState) -> Option<Self> {
        match state {
            TicketState::Open => None,
            TicketState::Closed(closing) => Some(Self {
                at: closing.at.millis(),
                by: closing.by.0,
                on: Some(closing.on.0),
                number: Some(closing.receipt.number),
                fiscal: Some(closing.receipt.fiscal.to_string()),
                daily_sales_report: closing.receipt.daily_sales_report,
                reason: None,
                extra: closing.receipt.extra.object().clone(),
            }),
            TicketState::Void(voiding) => Some(Self {
                at: voiding.at.millis(),
                by: voiding.by.0,
                on: voiding.on.map(|device| device.0),
                number: None,
                fiscal: None,
                daily_sales_report: None,
                reason: Some(voiding.reason.to_string()),
                extra: JsonObject::default(),
            }),
        }
    }

    /// Parses how a ticket was closed.
    pub(super) fn parse_closing(cell: Column, json: &str) -> StoreResult<TicketState> {
        let Self {
            at, by, on: Some(on), number: Some(number), fiscal: Some(fiscal), daily_sales_report, extra, ..
        } = cell.parse_json(json)?
        else {
            return Err(cell.corrupt("not how a ticket is closed"));
        };
        let extra = cell.check_parsed(Meta::new(extra))?;
        let receipt = Receipt { number, fiscal: parse_text::<200>(cell, &fiscal)?, daily_sales_report, extra };
        let closing = Closing { at: Instant::from_millis(at), by: UserId(by), on: DeviceId(on), receipt };
        Ok(TicketState::Closed(Box::new(closing)))
    }

    /// Parses how a ticket was made void.
    pub(super) fn parse_voiding(cell: Column, json: &str) -> StoreResult<TicketState> {
        let Self { at, by, on, reason: Some(reason), .. } = cell.parse_json(json)? else {
            return Err(cell.corrupt("not how a ticket becomes void"));
        };
        let reason: Note = parse_text(cell, &reason)?;
        let voiding = Voiding { at: Instant::from_millis(at), by: UserId(by), on: on.map(DeviceId), reason };
        Ok(TicketState::Void(Box::new(voiding)))
    }
}
