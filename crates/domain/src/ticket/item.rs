//! The items of a ticket, with quantity and price.
//!
//! The sign of an amount is in its numbers. An item of kind `Returned` may have a negative price or
//! a negative quantity; no published API specifies which, and the arithmetic is the same.

use std::ops::Deref;

use super::arithmetic::{Totals, UnitPrices};
use super::currency::Currency;
use super::customer::Meta;
use super::decimal::Price;
use super::error::TicketError;
use super::quantity::Quantity;
use super::rate::{DiscountFactor, Rate};
use super::text::{Label, Note};

/// The kind of an item. It does not determine the sign of the amounts: no published API specifies
/// the relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// The item is sold.
    Positive,
    /// Money is paid out without an earlier sale, such as for the deposit of a bottle.
    Negative,
    /// The item was sold before and comes back.
    Returned,
}

impl ItemKind {
    /// All kinds, in the order of declaration.
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

/// An article of the price list, as at the time of the sale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the published contract has them")]
pub struct Article {
    /// The name of the article.
    pub name: Label,
    /// A longer description.
    pub description: Note,
    /// The stock from which it is taken.
    pub stock: Label,
    /// The code of the article.
    pub code: Label,
    /// The name of its category.
    pub category: Label,
    /// The published type of the article.
    pub kind: Label,
    /// The name of its VAT category.
    pub vat_category: Label,
    /// The VAT rate; `None` means no VAT.
    pub vat: Option<Rate>,
    /// Whether discounts apply.
    pub discount_allowed: bool,
    /// Whether the price of the price list is fixed.
    pub price_fixed: bool,
    /// Whether a quantity can be split.
    pub splittable: bool,
    /// Whether cash back is granted.
    pub cashback_allowed: bool,
    /// The places to which its orders are sent.
    pub order_endpoints: Vec<Label>,
    /// Further properties that a dialect defines. They are returned as they were sent.
    pub extra: Meta,
}

/// The content of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemDraft {
    /// The id of the item on the ticket.
    pub id: u32,
    /// The client's own id of the item.
    pub external_id: Label,
    /// The kind of the item.
    pub kind: ItemKind,
    /// The article that is sold.
    pub article: Article,
    /// A comment for the kitchen or the customer.
    pub comment: Note,
    /// The price of one unit, without VAT and before discounts. What is paid out has a negative
    /// price or quantity.
    pub unit_price: Price,
    /// The quantity that is sold.
    pub quantity: Quantity,
    /// The unit of the quantity.
    pub unit: Label,
    /// The item's own discount, besides that of the ticket.
    pub discount: Rate,
}

/// An item whose amounts are in range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item(ItemDraft);

/// The greatest number of places to which the orders of an article are sent.
const MAX_ORDER_ENDPOINTS: usize = 50;

impl Item {
    /// Checks the amounts of an item.
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

    /// Whether a discount reduces the price, on a ticket with this discount.
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
        // The price with VAT was in range when the item was checked.
        UnitPrices::compute(self.unit_price, self.article.vat, left).unwrap_or(full)
    }

    /// The totals on a ticket with this discount, in this currency.
    pub fn totals(&self, ticket: Rate, currency: Currency) -> Totals {
        Totals::compute(&self.unit_prices(ticket), self.quantity, currency)
    }

    /// The totals before discounts.
    pub(super) fn undiscounted_totals(&self, currency: Currency) -> Totals {
        Totals::compute(&self.prices_with(DiscountFactor::NO_DISCOUNT), self.quantity, currency)
    }

    /// The content of the item, to build another one from it.
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
