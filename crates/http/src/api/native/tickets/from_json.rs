//! Parsing of ticket fields from JSON: bounded texts, and decimals in strings without loss of
//! digits.

use std::fmt::Display;

use tillgate_domain::office::{ItemInput, OwnerRef};
use tillgate_domain::ticket::{
    Amount, Article, BoundedText, Currency, Customer, Decimal, ItemDraft, ItemKind, Label, Location, Meta,
    NumberSeries, Payment, PaymentMethod, Quantity, Rate,
};
use tillgate_domain::{ExactJson, JsonObject, UserId, UserName};

use crate::error::FieldErrorCode;
use crate::error::office::name_error_code;
use crate::request::field::{FieldError, FromJson, ObjectReader, PartialValue, parse_integer};

impl<const MAX_CHARS: usize> FromJson for BoundedText<MAX_CHARS> {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::parse(&String::from_json(value)?).map_err(|why| FieldError::for_value(name_error_code(&why), why))
    }
}

/// The name of a fiscal memory; empty if none is named.
#[derive(Clone)]
pub(super) struct FiscalName(pub(super) Label);

impl FromJson for FiscalName {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let name = Label::from_json(value)?;
        if NumberSeries::is_blank(name.as_str()) {
            let message = "must not be blank; omit it to use the device's own numbers";
            return Err(FieldError::for_value(FieldErrorCode::Required, message));
        }
        NumberSeries::check_new_name(name.as_str()).map_err(|why| FieldError::for_value(name_error_code(&why), why))?;
        Ok(Self(name))
    }
}

fn parse_decimal<T: std::str::FromStr<Err: Display>>(value: ExactJson) -> Result<T, Vec<FieldError>> {
    let ExactJson::String(text) = value else {
        return Err(FieldError::for_value(FieldErrorCode::Type, "must be a decimal in a string, such as \"12.50\""));
    };
    // a number of JSON may have an exponent, a decimal of this API may not
    if text.contains(['e', 'E']) {
        return Err(FieldError::for_value(
            FieldErrorCode::Range,
            "must be a decimal without an exponent, such as 12.50",
        ));
    }
    text.parse().map_err(|why: T::Err| FieldError::for_value(FieldErrorCode::Range, why.to_string()))
}

impl<const PLACES: u32> FromJson for Decimal<PLACES> {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        parse_decimal(value)
    }
}

impl FromJson for Amount {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        parse_decimal(value)
    }
}

impl FromJson for Rate {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        parse_decimal(value)
    }
}

impl FromJson for Quantity {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        parse_decimal(value)
    }
}

impl FromJson for Currency {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::parse(&String::from_json(value)?)
            .map_err(|why| FieldError::for_value(FieldErrorCode::Format, why.to_string()))
    }
}

/// Parses an integer that is not negative.
impl FromJson for u64 {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        parse_integer(&value)
            .ok_or_else(|| FieldError::for_value(FieldErrorCode::Type, "must be a non-negative integer"))
    }
}

impl FromJson for u32 {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::try_from(u64::from_json(value)?)
            .map_err(|_| FieldError::for_value(FieldErrorCode::Range, "must be at most 4294967295"))
    }
}

impl FromJson for OwnerRef {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let text = String::from_json(value)?;
        // a user name that looks like an id is parsed as an id
        match text.parse::<UserId>() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => {
                UserName::parse(&text).map(Self::Name).map_err(|why| FieldError::for_value(name_error_code(&why), why))
            }
        }
    }
}

impl FromJson for Location {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let mut members = ObjectReader::open(value)?;
        let (zone, table) = (members.read("zone"), members.read("table"));
        members.finish(Some(Self { zone: zone.unwrap_or_default(), table: table.unwrap_or_default() }))
    }
}

impl FromJson for Meta {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::new(JsonObject::from_json(value)?)
            .map_err(|why| FieldError::for_value(FieldErrorCode::Length, why.to_string()))
    }
}

impl FromJson for Customer {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let mut members = ObjectReader::open(value)?;
        let customer = Self {
            id: members.read("id").unwrap_or_default(),
            external_id: members.read("external_id").unwrap_or_default(),
            card_serial_number: members.read("card_serial_number").unwrap_or_default(),
            first_name: members.read("first_name").unwrap_or_default(),
            last_name: members.read("last_name").unwrap_or_default(),
            full_name: members.read("full_name").unwrap_or_default(),
            phone: members.read("phone").unwrap_or_default(),
            email: members.read("email").unwrap_or_default(),
            credit: members.read("credit_rate").unwrap_or_default(),
            discount: members.read("discount_rate").unwrap_or_default(),
            meta: members.read("meta").unwrap_or_default(),
            extra: members.read("extra").unwrap_or_default(),
        };
        members.finish(Some(customer))
    }
}

impl FromJson for Article {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::from_json_partially(value).require_complete()
    }

    fn from_json_partially(value: ExactJson) -> PartialValue<Self> {
        ObjectReader::read_object(value, |members| {
            Some(Self {
                name: members.read("name").unwrap_or_default(),
                description: members.read("description").unwrap_or_default(),
                stock: members.read("stock").unwrap_or_default(),
                code: members.read("code").unwrap_or_default(),
                category: members.read("category").unwrap_or_default(),
                kind: members.read("kind").unwrap_or_default(),
                vat_category: members.read("vat_category").unwrap_or_default(),
                vat: members.read("vat_rate"),
                discount_allowed: members.read("discount_allowed").unwrap_or(true),
                price_fixed: members.read("price_fixed").unwrap_or_default(),
                splittable: members.read("splittable").unwrap_or_default(),
                cashback_allowed: members.read("cashback_allowed").unwrap_or_default(),
                order_endpoints: members.read("order_endpoints").unwrap_or_default(),
                extra: members.read("extra").unwrap_or_default(),
            })
        })
    }
}

/// A value of an enumeration.
struct KnownWord<T>(T);

impl FromJson for KnownWord<ItemKind> {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let text = String::from_json(value)?;
        let found = ItemKind::ALL.into_iter().find(|kind| kind.name().to_ascii_lowercase() == text);
        found
            .map(Self)
            .ok_or_else(|| FieldError::for_value(FieldErrorCode::Format, "must be positive, negative or returned"))
    }
}

impl FromJson for KnownWord<PaymentMethod> {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let text = String::from_json(value)?;
        let found = PaymentMethod::ALL.into_iter().find(|means| means.name() == text);
        found
            .map(Self)
            .ok_or_else(|| FieldError::for_value(FieldErrorCode::Format, "must be cash, card, voucher or other"))
    }
}

/// Members of an item in responses that are computed from its other members; ignored in requests.
const COMPUTED_MEMBERS: [&str; 4] =
    ["unit_price_including_vat", "unit_price_after_discount", "unit_price_after_discount_including_vat", "totals"];

/// In the parts, price and quantity are zero if they are invalid.
impl FromJson for ItemInput {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::from_json_partially(value).require_complete()
    }

    fn from_json_partially(value: ExactJson) -> PartialValue<Self> {
        ObjectReader::read_object(value, |members| {
            members.ignore(&COMPUTED_MEMBERS);
            let id = members.read("id");
            let article = members.read("article");
            let (unit_price, quantity) = (members.require("unit_price"), members.require("quantity"));
            let (external_id, comment, unit) =
                (members.read("external_id"), members.read("comment"), members.read("unit"));
            let (kind, discount) = (members.read::<KnownWord<ItemKind>>("kind"), members.read("discount_rate"));
            let line = ItemDraft {
                id: 0,
                external_id: external_id.unwrap_or_default(),
                kind: kind.map_or(ItemKind::Positive, |KnownWord(kind)| kind),
                article: article.unwrap_or_else(|| Article { discount_allowed: true, ..Article::default() }),
                comment: comment.unwrap_or_default(),
                unit_price: unit_price.unwrap_or_default(),
                quantity: quantity.unwrap_or(Quantity::ZERO),
                unit: unit.unwrap_or_default(),
                discount: discount.unwrap_or_default(),
            };
            Some(Self { id, item: line })
        })
    }
}

/// In the parts, the amount is zero if it is invalid. Every value has parts, so that the other
/// payments of a list keep their positions.
impl FromJson for Payment {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::from_json_partially(value).require_complete()
    }

    fn from_json_partially(value: ExactJson) -> PartialValue<Self> {
        let mut sent = ObjectReader::read_object(value, |members| {
            let (means, amount) = (members.require("means"), members.require("amount"));
            Some(Self {
                method: means.map_or(PaymentMethod::Other, |KnownWord(means)| means),
                name: members.read("name").unwrap_or_default(),
                amount: amount.unwrap_or_default(),
            })
        });
        sent.parts.get_or_insert_with(|| Self {
            method: PaymentMethod::Other,
            name: Label::default(),
            amount: Amount::ZERO,
        });
        sent
    }
}

/// A quantity of an item to refund.
pub(super) struct RefundItem {
    pub(super) id: u32,
    /// `None` if it is invalid.
    pub(super) quantity: Option<Quantity>,
}

/// The parts are an item with a valid id.
impl FromJson for RefundItem {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::from_json_partially(value).require_complete()
    }

    fn from_json_partially(value: ExactJson) -> PartialValue<Self> {
        ObjectReader::read_object(value, |members| {
            let (id, quantity) = (members.require("id"), members.require("quantity"));
            id.map(|id| Self { id, quantity })
        })
    }
}
