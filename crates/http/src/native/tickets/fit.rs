//! What the fields of tickets are read as: bounded texts, and decimals as strings, exact to the last digit.

use std::fmt::Display;

use tillgate_domain::office::{Owner, WantedLine};
use tillgate_domain::ticket::{
    Amount, Article, Currency, Customer, Decimal, ItemKind, Line, Location, Means, Meta, Payment, Quantity, Rate, Text,
};
use tillgate_domain::{ExactJson, JsonObject, UserId, UserName};

use crate::field::{Fit, Members, Unfit, invalid_name, whole};

impl<const MOST: usize> Fit for Text<MOST> {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        Self::parse(&String::fit(value)?).map_err(|why| Unfit::whole(invalid_name(&why), why))
    }
}

fn decimal<T: std::str::FromStr<Err: Display>>(value: ExactJson) -> Result<T, Vec<Unfit>> {
    let ExactJson::Text(text) = value else {
        return Err(Unfit::whole("type", "must be a decimal in a string, such as \"12.50\""));
    };
    text.parse().map_err(|why| Unfit::whole("range", why))
}

impl<const PLACES: u32> Fit for Decimal<PLACES> {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        decimal(value)
    }
}

impl Fit for Amount {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        decimal(value)
    }
}

impl Fit for Rate {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        decimal(value)
    }
}

impl Fit for Quantity {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        decimal(value)
    }
}

impl Fit for Currency {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        Self::parse(&String::fit(value)?).map_err(|why| Unfit::whole("format", why))
    }
}

/// Whole numbers that are not below zero.
impl Fit for u64 {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        whole(&value).ok_or_else(|| Unfit::whole("type", "must be a whole number, not below zero"))
    }
}

impl Fit for u32 {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        Self::try_from(u64::fit(value)?).map_err(|_| Unfit::whole("range", "must be at most 4294967295"))
    }
}

impl Fit for Owner {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let text = String::fit(value)?;
        // a user name may look like an id, and then it is one
        match text.parse::<UserId>() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => UserName::parse(&text).map(Self::Named).map_err(|why| Unfit::whole(invalid_name(&why), why)),
        }
    }
}

impl Fit for Location {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let mut members = Members::of(value)?;
        let (zone, table) = (members.take("zone"), members.take("table"));
        members.made(Some(Self { zone: zone.unwrap_or_default(), table: table.unwrap_or_default() }))
    }
}

impl Fit for Meta {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        Self::new(JsonObject::fit(value)?).map_err(|why| Unfit::whole("length", why))
    }
}

impl Fit for Customer {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let mut members = Members::of(value)?;
        let customer = Self {
            id: members.take("id").unwrap_or_default(),
            external_id: members.take("external_id").unwrap_or_default(),
            card_serial_number: members.take("card_serial_number").unwrap_or_default(),
            first_name: members.take("first_name").unwrap_or_default(),
            last_name: members.take("last_name").unwrap_or_default(),
            full_name: members.take("full_name").unwrap_or_default(),
            phone: members.take("phone").unwrap_or_default(),
            email: members.take("email").unwrap_or_default(),
            credit: members.take("credit_rate").unwrap_or_default(),
            discount: members.take("discount_rate").unwrap_or_default(),
            meta: members.take("meta").unwrap_or_default(),
            extra: members.take("extra").unwrap_or_default(),
        };
        members.made(Some(customer))
    }
}

impl Fit for Article {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let mut members = Members::of(value)?;
        let article = Self {
            name: members.take("name").unwrap_or_default(),
            description: members.take("description").unwrap_or_default(),
            stock: members.take("stock").unwrap_or_default(),
            code: members.take("code").unwrap_or_default(),
            category: members.take("category").unwrap_or_default(),
            kind: members.take("kind").unwrap_or_default(),
            vat_category: members.take("vat_category").unwrap_or_default(),
            vat: members.take("vat_rate"),
            discount_allowed: members.take("discount_allowed").unwrap_or(true),
            price_fixed: members.take("price_fixed").unwrap_or_default(),
            splittable: members.take("splittable").unwrap_or_default(),
            cashback_allowed: members.take("cashback_allowed").unwrap_or_default(),
            order_endpoints: members.take("order_endpoints").unwrap_or_default(),
            extra: members.take("extra").unwrap_or_default(),
        };
        members.made(Some(article))
    }
}

/// One of a closed set of words.
struct Word<T>(T);

impl Fit for Word<ItemKind> {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let text = String::fit(value)?;
        let found = ItemKind::ALL.into_iter().find(|kind| kind.name().to_ascii_lowercase() == text);
        found.map(Self).ok_or_else(|| Unfit::whole("format", "must be positive, negative or returned"))
    }
}

impl Fit for Word<Means> {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let text = String::fit(value)?;
        let found = Means::ALL.into_iter().find(|means| means.name() == text);
        found.map(Self).ok_or_else(|| Unfit::whole("format", "must be cash, card, voucher or other"))
    }
}

/// What an item shows that follows from the rest of it.
const COMPUTED: [&str; 4] =
    ["unit_price_including_vat", "unit_price_after_discount", "unit_price_after_discount_including_vat", "totals"];

impl Fit for WantedLine {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let mut members = Members::of(value)?;
        members.pass_over(&COMPUTED);
        let id = members.take("id");
        let article = members.take("article");
        let (unit_price, quantity) = (members.need("unit_price"), members.need("quantity"));
        let (external_id, comment, unit) = (members.take("external_id"), members.take("comment"), members.take("unit"));
        let (kind, discount) = (members.take::<Word<ItemKind>>("kind"), members.take("discount_rate"));
        let line = unit_price.zip(quantity).map(|(unit_price, quantity)| Line {
            id: 0,
            external_id: external_id.unwrap_or_default(),
            kind: kind.map_or(ItemKind::Positive, |Word(kind)| kind),
            article: article.unwrap_or_else(|| Article { discount_allowed: true, ..Article::default() }),
            comment: comment.unwrap_or_default(),
            unit_price,
            quantity,
            unit: unit.unwrap_or_default(),
            discount: discount.unwrap_or_default(),
        });
        members.made(line.map(|line| Self { id, line }))
    }
}

impl Fit for Payment {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let mut members = Members::of(value)?;
        let (means, amount) = (members.need::<Word<Means>>("means"), members.need("amount"));
        let name = members.take("name").unwrap_or_default();
        members.made(means.zip(amount).map(|(Word(means), amount)| Self { means, name, amount }))
    }
}

/// So much of an item that is taken back.
pub(super) struct Returned {
    pub(super) id: u32,
    pub(super) quantity: Quantity,
}

impl Fit for Returned {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let mut members = Members::of(value)?;
        let (id, quantity) = (members.need("id"), members.need("quantity"));
        members.made(id.zip(quantity).map(|(id, quantity)| Self { id, quantity }))
    }
}
