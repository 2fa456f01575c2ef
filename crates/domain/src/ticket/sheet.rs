//! The sheet of a ticket: everything that people write on it. A change replaces it as a whole.

use std::collections::BTreeSet;
use std::ops::Deref;

use super::amount::{Amount, Money};
use super::arithmetic::Totals;
use super::cash_rounding::Rounding;
use super::currency::Currency;
use super::customer::{Customer, Location, Meta};
use super::error::TicketError;
use super::item::Item;
use super::payment::Payment;
use super::rate::Rate;
use super::text::Label;
use crate::UserId;

/// The content of a sheet, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The currency, which never changes.
    pub currency: Currency,
    /// The owner of the ticket.
    pub owner: UserId,
    /// The client's own id of the ticket.
    pub external_id: Label,
    /// The name for people.
    pub name: Label,
    /// The location where it is served.
    pub location: Location,
    /// The customer, if there is one.
    pub customer: Option<Customer>,
    /// The discount on every item that allows one, besides the items' own.
    pub discount: Rate,
    /// The items in the order of the ticket.
    pub items: Vec<Item>,
    /// The rounding for payment in cash.
    pub rounding: Rounding,
    /// The payments so far.
    pub payments: Vec<Payment>,
    /// Further properties that a dialect defines, such as the kind of purchase. They are returned
    /// as they were sent.
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

    /// Checks the content, and reports everything that is wrong.
    pub fn check(self) -> Result<Sheet, TicketError> {
        self.check_with_faults(Vec::new())
    }

    /// Checks the content, and reports its errors together with those found before.
    pub(crate) fn check_with_faults(self, mut found: Vec<TicketError>) -> Result<Sheet, TicketError> {
        self.add_faults(&mut found);
        TicketError::combine(found)?;
        Ok(Sheet(self))
    }

    /// Adds everything that is wrong with the content and was not found before.
    pub(crate) fn add_faults(&self, found: &mut Vec<TicketError>) {
        let mut faults = find_list_faults(&self.items, &self.payments);
        // The work for a list that is too long is bounded.
        if !faults.iter().any(|fault| matches!(fault, TicketError::TooMany { .. })) {
            self.find_unpayable(&mut faults);
            self.find_too_large(&mut faults);
        }
        add_new(found, faults);
    }

    /// Finds amounts that the currency cannot represent.
    fn find_unpayable(&self, faults: &mut Vec<TicketError>) {
        let places = self.currency.decimal_places();
        let amounts = self.payments.iter().enumerate().map(|(at, payment)| (Some(at), payment.amount));
        let unpayable = std::iter::once((None, self.rounding.amount()))
            .chain(amounts)
            .filter(|(_, amount)| !self.currency.can_represent(*amount))
            .map(|(payment, _)| TicketError::Unpayable { payment, places });
        faults.extend(unpayable);
    }

    /// Finds sums that are out of range.
    fn find_too_large(&self, faults: &mut Vec<TicketError>) {
        let currency = self.currency;
        // The absolute values, so that no intermediate sum is larger.
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

/// What is wrong with the items and payments of a sheet in every currency: too many of them, or
/// else ids that several items have.
pub(crate) fn find_list_faults(items: &[Item], payments: &[Payment]) -> Vec<TicketError> {
    let counts = [("items", items.len(), Sheet::MAX_ITEMS), ("payments", payments.len(), Sheet::MAX_PAYMENTS)];
    let too_many = counts.into_iter().filter(|(_, count, most)| count > most);
    let faults: Vec<_> = too_many.map(|(what, _, most)| TicketError::TooMany { what, most }).collect();
    if faults.is_empty() { find_repeated(items.iter().map(|item| item.id)) } else { faults }
}

/// The errors for ids that several items have, one for each id.
pub(crate) fn find_repeated(ids: impl Iterator<Item = u32>) -> Vec<TicketError> {
    let (mut seen, mut repeated) = (BTreeSet::new(), BTreeSet::new());
    ids.filter(|id| !seen.insert(*id) && repeated.insert(*id)).map(TicketError::DuplicateItem).collect()
}

/// Adds the faults that were not found before.
pub(crate) fn add_new(found: &mut Vec<TicketError>, faults: impl IntoIterator<Item = TicketError>) {
    for fault in faults {
        if !found.contains(&fault) {
            found.push(fault);
        }
    }
}

/// The checked content: items have unique ids, and sums are in range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet(Draft);

impl Sheet {
    /// The greatest number of items of a ticket.
    pub const MAX_ITEMS: usize = 1_000;
    /// The greatest number of payments of a ticket.
    pub const MAX_PAYMENTS: usize = 100;

    /// The sums of the totals of the items.
    pub fn totals(&self) -> Totals {
        let mut sum = Totals::default();
        for item in &self.0.items {
            sum += self.item_totals(item);
        }
        sum
    }

    /// The totals of one of its items.
    pub fn item_totals(&self, item: &Item) -> Totals {
        item.totals(self.0.discount, self.0.currency)
    }

    /// An amount with the places of the ticket's currency, for display.
    pub fn money(&self, amount: Amount) -> Money {
        self.0.currency.money(amount)
    }

    /// The payable amount: the total after discounts with VAT, and the rounding.
    pub fn payable(&self) -> Amount {
        Amount::saturating(self.totals().after_discount_including_vat.as_i128() + self.0.rounding.amount().as_i128())
    }

    /// The content of the sheet, to build another one from it.
    pub const fn draft(&self) -> &Draft {
        &self.0
    }
}

/// An id that is not taken: greater than all taken ones, so that a new item is not taken for an old
/// one; if the greatest id is taken, the smallest free one.
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
