//! What people write on a ticket, as a whole: a change of a ticket is the sheet that is wanted instead of the one there is.

use std::collections::BTreeSet;
use std::ops::Deref;

use super::amount::{Amount, Money};
use super::arithmetic::Totals;
use super::currency::Currency;
use super::customer::{Customer, Location, Meta};
use super::error::TicketError;
use super::item::Item;
use super::payment::{Payment, Rounding};
use super::rate::Rate;
use super::text::Label;
use crate::UserId;

/// What a sheet is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// In what it is paid; it stays for the life of the ticket.
    pub currency: Currency,
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
    /// What a contract publishes of a ticket besides, such as the kind of purchase: it is read by nobody here, and comes back as it
    /// came.
    pub extra: Meta,
}

impl Draft {
    /// A blank sheet.
    pub fn of(owner: UserId, currency: Currency) -> Self {
        Self {
            currency,
            owner,
            external_id: Label::default(),
            name: Label::default(),
            location: Location::default(),
            customer: None,
            discount: Rate::ZERO,
            items: Vec::new(),
            rounding: Rounding::NONE,
            payments: Vec::new(),
            extra: Meta::default(),
        }
    }

    /// The same for this customer, at their own discount.
    pub fn with_customer(self, customer: Customer) -> Self {
        Self { discount: customer.discount, customer: Some(customer), ..self }
    }

    /// Checks the whole, and reports everything that is wrong with it.
    pub fn check(self) -> Result<Sheet, TicketError> {
        self.check_with_faults(Vec::new())
    }

    /// The same besides what was found already.
    pub(crate) fn check_with_faults(self, mut found: Vec<TicketError>) -> Result<Sheet, TicketError> {
        for fault in self.find_faults() {
            if !found.contains(&fault) {
                found.push(fault);
            }
        }
        TicketError::combine(found)?;
        Ok(Sheet(self))
    }

    fn find_faults(&self) -> Vec<TicketError> {
        let mut faults = Vec::new();
        for (what, count, most) in
            [("items", self.items.len(), Sheet::MAX_ITEMS), ("payments", self.payments.len(), Sheet::MAX_PAYMENTS)]
        {
            if count > most {
                faults.push(TicketError::TooMany { what, most });
            }
        }
        if faults.is_empty() {
            self.find_repeated(&mut faults);
            self.find_unpayable(&mut faults);
            self.find_too_large(&mut faults);
        }
        faults
    }

    /// Ids that several items have.
    fn find_repeated(&self, faults: &mut Vec<TicketError>) {
        let (mut seen, mut repeated) = (BTreeSet::new(), BTreeSet::new());
        for item in &self.items {
            if !seen.insert(item.id) && repeated.insert(item.id) {
                faults.push(TicketError::DuplicateItem(item.id));
            }
        }
    }

    /// Amounts that the currency does not pay.
    fn find_unpayable(&self, faults: &mut Vec<TicketError>) {
        let places = self.currency.decimal_places();
        let amounts = self.payments.iter().enumerate().map(|(at, payment)| (Some(at), payment.amount));
        let unpayable = std::iter::once((None, self.rounding.amount()))
            .chain(amounts)
            .filter(|(_, amount)| !self.currency.can_represent(*amount))
            .map(|(payment, _)| TicketError::Unpayable { payment, places });
        faults.extend(unpayable);
    }

    /// Sums without room.
    fn find_too_large(&self, faults: &mut Vec<TicketError>) {
        let currency = self.currency;
        // Without their signs, so that no sum on the way is larger either.
        let (mut total, mut including_vat) = (0, 0);
        for item in &self.items {
            let full = item.undiscounted_totals(currency);
            total += full.total.as_i128().abs();
            including_vat += full.including_vat.as_i128().abs();
        }
        if total.max(including_vat) + self.rounding.amount().as_i128().abs() > currency.max_sum() {
            faults.push(TicketError::TooLarge);
        }
    }
}

/// A draft whose items have ids of their own and whose sums have room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet(Draft);

impl Sheet {
    /// The most items on a ticket.
    pub const MAX_ITEMS: usize = 1_000;
    /// The most payments on a ticket.
    pub const MAX_PAYMENTS: usize = 100;

    /// The sums of the items' totals.
    pub fn totals(&self) -> Totals {
        let mut sum = Totals::default();
        for item in &self.0.items {
            sum += self.item_totals(item);
        }
        sum
    }

    /// What one of its items comes to.
    pub fn item_totals(&self, item: &Item) -> Totals {
        item.totals(self.0.discount, self.0.currency)
    }

    /// An amount as it is shown in the ticket's currency.
    pub fn money(&self, amount: Amount) -> Money {
        self.0.currency.money(amount)
    }

    /// What is to be paid: the total after discounts with VAT, and the rounding.
    pub fn payable(&self) -> Amount {
        Amount::saturating(self.totals().after_discount_including_vat.as_i128() + self.0.rounding.amount().as_i128())
    }

    /// What the sheet was made of, to make another of it.
    pub const fn draft(&self) -> &Draft {
        &self.0
    }

    /// An id for another item, as [`find_free_id`] gives it.
    pub fn next_item_id(&self) -> u32 {
        find_free_id(&self.0.items.iter().map(|item| item.id).collect())
    }
}

/// An id that none of the taken ones is: above them all, so that nobody takes a new item for one that was there before; and where
/// the last id there is is taken, the least that is free.
pub(crate) fn find_free_id(taken: &BTreeSet<u32>) -> u32 {
    match taken.last() {
        None => 1,
        Some(last) => {
            last.checked_add(1).unwrap_or_else(|| (1..=u32::MAX).find(|id| !taken.contains(id)).unwrap_or_default())
        }
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
