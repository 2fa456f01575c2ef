//! Items: what stands on a ticket, in which quantity, at which price.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use super::arithmetic::{Totals, UnitPrices};
use super::currency::Currency;
use super::customer::Meta;
use super::decimal::{Decimal, InvalidDecimal, Price};
use super::error::TicketError;
use super::rate::{DiscountFactor, Rate};
use super::text::{Label, Note};

/// How much of something: less than a million either way, at most 6 places. A quantity below zero is what comes back at the price of
/// what goes out; some tills write it so, others turn the sign of the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(Decimal<6>);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The quantity, where it lies in its bounds.
    pub fn new(amount: Decimal<6>) -> Result<Self, InvalidDecimal> {
        if amount.units().abs() < 1_000_000 * Decimal::<6>::UNITS_PER_ONE {
            Ok(Self(amount))
        } else {
            Err(InvalidDecimal::Range { least: "-999999.999999".to_owned(), most: "999999.999999".to_owned() })
        }
    }

    /// As a number.
    pub const fn value(self) -> Decimal<6> {
        self.0
    }

    /// How many millionths it is, whichever way.
    pub(super) fn abs_millionths(self) -> i128 {
        self.0.as_i128().abs()
    }

    /// The same way as `other`, which may be the other way round.
    pub(super) const fn with_sign_of(self, other: Self) -> Self {
        if self.0.is_negative() == other.0.is_negative() { self } else { Self(self.0.negate()) }
    }

    /// What is left of its size when this much is taken away.
    pub(super) fn remaining_after(self, taken: i128) -> Self {
        Self(Decimal::saturating((self.abs_millionths() - taken).max(0)))
    }
}

impl FromStr for Quantity {
    type Err = InvalidDecimal;
    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        Self::new(text.parse()?)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an item is. Which way its money flows stands in its numbers, not here: no contract says how the two go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// Sold.
    Positive,
    /// Money back without a sale before it, such as the deposit of a bottle.
    Negative,
    /// Sold before, now taken back.
    Returned,
}

impl ItemKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Positive, Self::Negative, Self::Returned];

    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Positive => "Positive",
            Self::Negative => "Negative",
            Self::Returned => "Returned",
        }
    }
}

/// What is sold: a line of the price list, as it was when it came onto the ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the published contract has them")]
pub struct Article {
    /// What it is called.
    pub name: Label,
    /// More about it.
    pub description: Note,
    /// The stock that it is taken from.
    pub stock: Label,
    /// Its code.
    pub code: Label,
    /// The label of its category.
    pub category: Label,
    /// Its published type.
    pub kind: Label,
    /// The category of its VAT.
    pub vat_category: Label,
    /// The rate of its VAT; `None` is none.
    pub vat: Option<Rate>,
    /// Whether discounts count.
    pub discount_allowed: bool,
    /// Whether its price stays as it is in the price list.
    pub price_fixed: bool,
    /// Whether a quantity of it can be split.
    pub splittable: bool,
    /// Whether cash back is given on it.
    pub cashback_allowed: bool,
    /// Where its orders go.
    pub order_endpoints: Vec<Label>,
    /// What a contract publishes of an article besides: it is read by nobody here, and comes back as it came.
    pub extra: Meta,
}

/// What an item is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemDraft {
    /// Its number on the ticket.
    pub id: u32,
    /// The client's own id of it.
    pub external_id: Label,
    /// What it does to the sum.
    pub kind: ItemKind,
    /// What is sold.
    pub article: Article,
    /// What the kitchen or the customer should know.
    pub comment: Note,
    /// The price of one unit, without VAT and before discounts; or its quantity is below zero on what gives money back.
    pub unit_price: Price,
    /// How much.
    pub quantity: Quantity,
    /// What the quantity counts.
    pub unit: Label,
    /// The item's own discount, besides the ticket's.
    pub discount: Rate,
}

/// A line whose amounts have room on a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item(ItemDraft);

/// The most places that the orders of one article go to.
const MAX_ORDER_ENDPOINTS: usize = 50;

impl Item {
    /// Checks a line.
    pub fn new(line: ItemDraft) -> Result<Self, TicketError> {
        if line.article.order_endpoints.len() > MAX_ORDER_ENDPOINTS {
            return Err(TicketError::TooMany { what: "places that an item's orders go to", most: MAX_ORDER_ENDPOINTS });
        }
        let full = UnitPrices::compute(line.unit_price, line.article.vat, DiscountFactor::NO_DISCOUNT);
        if full.is_some_and(|unit| Totals::are_representable(&unit, line.quantity)) {
            Ok(Self(line))
        } else {
            Err(TicketError::TooLarge)
        }
    }

    /// The price of one unit on a ticket with this discount.
    pub fn unit_prices(&self, ticket: Rate) -> UnitPrices {
        self.prices_with(if self.article.discount_allowed {
            DiscountFactor::from_discounts(ticket, self.discount)
        } else {
            DiscountFactor::NO_DISCOUNT
        })
    }

    /// Whether a discount lowers its price, on a ticket with this discount.
    pub fn is_discounted(&self, ticket: Rate) -> bool {
        self.article.discount_allowed
            && DiscountFactor::from_discounts(ticket, self.discount) != DiscountFactor::NO_DISCOUNT
    }

    fn prices_with(&self, left: DiscountFactor) -> UnitPrices {
        let full = UnitPrices {
            amount: self.unit_price,
            including_vat: self.unit_price,
            after_discount: self.unit_price,
            after_discount_including_vat: self.unit_price,
        };
        // The price with VAT had room when the item was made.
        UnitPrices::compute(self.unit_price, self.article.vat, left).unwrap_or(full)
    }

    /// What the item comes to on a ticket with this discount, in this currency.
    pub fn totals(&self, ticket: Rate, currency: Currency) -> Totals {
        Totals::compute(&self.unit_prices(ticket), self.quantity, currency)
    }

    /// What it comes to before discounts.
    pub(super) fn undiscounted_totals(&self, currency: Currency) -> Totals {
        Totals::compute(&self.prices_with(DiscountFactor::NO_DISCOUNT), self.quantity, currency)
    }

    /// What the item was made of, to make another of it.
    pub const fn draft(&self) -> &ItemDraft {
        &self.0
    }
}

impl Deref for Item {
    type Target = ItemDraft;
    fn deref(&self) -> &ItemDraft {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::fixtures::{amount, euro, line};

    #[test]
    fn negative_price_or_quantity_is_accepted() {
        for kind in ItemKind::ALL {
            for (price, quantity, total) in
                [("2", "3", "6.00"), ("-2", "3", "-6.00"), ("2", "-3", "-6.00"), ("2", "0", "0.00")]
            {
                let made = Item::new(ItemDraft { kind, ..line(3, price, quantity) }).unwrap();
                assert_eq!(made.totals(Rate::ZERO, euro()).total, amount(total), "{kind:?} {price} {quantity}");
            }
        }
    }

    #[test]
    fn quantity_is_below_one_million_in_size() {
        for good in ["0.000001", "1", "999999.999999", "0", "-1", "-999999.999999"] {
            assert!(good.parse::<Quantity>().is_ok(), "{good}");
        }
        for bad in ["1000000", "-1000000", "999999.9999999"] {
            assert!(bad.parse::<Quantity>().is_err(), "{bad}");
        }
    }

    #[test]
    fn article_without_discount_ignores_both_discounts() {
        let mut plain = line(1, "10", "2");
        plain.discount = "50".parse().unwrap();
        let with = Item::new(plain.clone()).unwrap();
        plain.article.discount_allowed = false;
        let without = Item::new(plain).unwrap();
        let rate: Rate = "10".parse().unwrap();
        assert_eq!(with.totals(rate, euro()).after_discount_including_vat, amount("9.00"));
        assert_eq!(without.totals(rate, euro()).after_discount_including_vat, amount("20.00"));
        assert_eq!(without.totals(rate, euro()).discount, amount("0"));
    }

    #[test]
    fn item_with_unrepresentable_totals_is_rejected() {
        assert!(Item::new(line(1, "999999999.999999", "9999")).is_ok());
        assert_eq!(Item::new(line(1, "999999999.999999", "10001")), Err(TicketError::TooLarge));
        let mut taxed = line(1, "999999999.999999", "1");
        taxed.article.vat = Some("10".parse().unwrap());
        assert_eq!(Item::new(taxed), Err(TicketError::TooLarge));
        let mut busy = line(1, "1", "1");
        busy.article.order_endpoints = vec![Label::default(); MAX_ORDER_ENDPOINTS + 1];
        assert!(matches!(Item::new(busy), Err(TicketError::TooMany { most: MAX_ORDER_ENDPOINTS, .. })));
    }
}
