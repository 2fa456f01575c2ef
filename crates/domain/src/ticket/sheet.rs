//! What people write on a ticket, as a whole: a change of a ticket is the sheet that is wanted instead of the one there is.

use std::collections::BTreeSet;
use std::ops::Deref;

use super::arithmetic::Totals;
use super::customer::{Customer, Location};
use super::decimal::Amount;
use super::item::Item;
use super::payment::{Payment, Rounding};
use super::rate::Rate;
use super::refused::TicketRefused;
use super::text::Label;
use crate::UserId;

/// What a sheet is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Whose ticket it is.
    pub owner: UserId,
    /// The client's own id of it.
    pub external_id: Label,
    /// What people call it.
    pub name: Label,
    /// Where it is served.
    pub location: Location,
    /// Who buys.
    pub customer: Option<Customer>,
    /// The discount on everything that takes one, besides the items' own.
    pub discount: Rate,
    /// What is sold, in the order of the ticket.
    pub items: Vec<Item>,
    /// What is added so that it can be paid in cash.
    pub rounding: Rounding,
    /// What was paid so far.
    pub payments: Vec<Payment>,
}

impl Draft {
    /// A blank sheet.
    pub fn of(owner: UserId) -> Self {
        Self {
            owner,
            external_id: Label::default(),
            name: Label::default(),
            location: Location::default(),
            customer: None,
            discount: Rate::ZERO,
            items: Vec::new(),
            rounding: Rounding::NONE,
            payments: Vec::new(),
        }
    }

    /// The same for this customer, at their own discount.
    pub fn sold_to(self, customer: Customer) -> Self {
        Self { discount: customer.discount, customer: Some(customer), ..self }
    }

    /// Checks the whole.
    pub fn check(self) -> Result<Sheet, TicketRefused> {
        if self.items.len() > Sheet::ITEMS {
            return Err(TicketRefused::TooMany { what: "items", most: Sheet::ITEMS });
        }
        if self.payments.len() > Sheet::PAYMENTS {
            return Err(TicketRefused::TooMany { what: "payments", most: Sheet::PAYMENTS });
        }
        let mut seen = BTreeSet::new();
        for item in &self.items {
            if !seen.insert(item.id) {
                return Err(TicketRefused::Twice(item.id));
            }
        }
        // Without their signs, so that no sum on the way is larger either.
        let sizes =
            |of: fn(&Totals) -> Amount| self.items.iter().map(|item| of(&item.full()).wide().abs()).sum::<i128>();
        let most = sizes(|totals| totals.total).max(sizes(|totals| totals.including_vat));
        if most + self.rounding.amount().wide().abs() > i128::from(Amount::MOST) {
            return Err(TicketRefused::TooLarge);
        }
        Ok(Sheet(self))
    }
}

/// A draft whose items have ids of their own and whose sums have room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet(Draft);

impl Sheet {
    /// The most items on a ticket.
    pub const ITEMS: usize = 1_000;
    /// The most payments on a ticket.
    pub const PAYMENTS: usize = 100;

    /// The sums of the items' totals.
    pub fn totals(&self) -> Totals {
        let mut sum = Totals::default();
        for item in &self.0.items {
            sum += item.totals(self.0.discount);
        }
        sum
    }

    /// What is to be paid: the total after discounts with VAT, and the rounding.
    pub fn payable(&self) -> Amount {
        Amount::bounded(self.totals().after_discount_including_vat.wide() + self.0.rounding.amount().wide())
    }

    /// What the sheet was made of, to make another of it.
    pub const fn draft(&self) -> &Draft {
        &self.0
    }

    /// An id for another item: above every one on the sheet.
    pub fn next_item(&self) -> u32 {
        self.0.items.iter().map(|item| item.id).max().map_or(1, |id| id.saturating_add(1))
    }
}

impl Deref for Sheet {
    type Target = Draft;
    fn deref(&self) -> &Draft {
        &self.0
    }
}

#[cfg(test)]
mod tests;
