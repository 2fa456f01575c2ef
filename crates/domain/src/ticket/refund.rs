//! Takes goods back: a new ticket that refers to the closed one and mirrors its items. Goods come back for what they cost, however
//! little the whole ticket came to, and all refunds of a ticket together give back exactly what was paid for it.
//!
//! Whoever stores it claims the sold ticket first: what is left depends on all its refunds.

use std::collections::BTreeMap;

use super::actor::{TicketActor, TicketOperation};
use super::amount::Amount;
use super::decimal::div_round_half_away;
use super::error::TicketError;
use super::item::{Item, ItemDraft, Quantity};
use super::open::Opening;
use super::payment::Rounding;
use super::sheet::Draft;
use super::state::{Ticket, TicketRecord, TicketState};

/// What of a closed ticket was taken back so far, by its refunds that are open or closed. Void ones count for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RefundTotals {
    /// In millionths, by item.
    quantities: BTreeMap<u32, i128>,
    /// What was given back for it, in ten-thousandths.
    money: i128,
}

impl RefundTotals {
    fn of(sold: &Ticket, refunds: &[Ticket]) -> Self {
        let mut taken = Self::default();
        let counts =
            |refund: &&Ticket| refund.refund_of == Some(sold.id) && !matches!(refund.state, TicketState::Void(_));
        for refund in refunds.iter().filter(counts) {
            for item in &refund.sheet.items {
                *taken.quantities.entry(item.id).or_default() += item.quantity.abs_millionths();
            }
            taken.money -= refund.sheet.payable().as_i128();
        }
        taken
    }

    fn quantity(&self, item: &Item) -> i128 {
        self.quantities.get(&item.id).copied().unwrap_or_default()
    }

    /// What so much of the sold items costs: what people paid for goods, and what they were given for others, such as deposits.
    fn worth(&self, sold: &Ticket) -> Worth {
        let mut worth = Worth::default();
        for item in &sold.sheet.items {
            worth.add(prorated_cost(sold, item, self.quantity(item)));
        }
        worth
    }
}

/// What items cost, in ten-thousandths, those that were paid for and those that were paid out apart.
#[derive(Clone, Copy, Debug, Default)]
struct Worth {
    paid: i128,
    given: i128,
}

impl Worth {
    fn add(&mut self, money: i128) {
        if money > 0 {
            self.paid += money;
        } else {
            self.given += money;
        }
    }
}

/// What so much of an item costs, in ten-thousandths: its part of what the whole item came to, rounded once, so that all parts of an
/// item come to the item, in whichever steps they are taken back.
fn prorated_cost(sold: &Ticket, item: &Item, quantity: i128) -> i128 {
    let (all, smallest) = (item.quantity.abs_millionths(), sold.sheet.currency.minor_unit());
    if all == 0 {
        return 0;
    }
    let cost = sold.sheet.item_totals(item).after_discount_including_vat.as_i128() / smallest;
    // Twice both, so that the divisor is even.
    div_round_half_away(2 * cost * quantity, 2 * all) * smallest
}

/// Makes a refund of these items of the sold ticket, each in such a quantity. `refunds` are all tickets that refer to the sold
/// one; others among them are passed over.
///
/// Items keep the prices, discounts and arithmetic of the sold ticket. What parts of an item come to by that may be a smallest coin
/// more or less than their share of what the item cost; the refund's rounding makes that good. Goods are given back no more than was
/// paid for all goods, what cash was rounded by included; the refund that takes back the last gives back exactly what is left of what
/// was paid for the whole ticket.
pub fn refund(
    sold: &Ticket,
    refunds: &[Ticket],
    returned: &BTreeMap<u32, Quantity>,
    opening: Opening,
    hand: &TicketActor,
) -> Result<Ticket, TicketError> {
    hand.authorize(TicketOperation::Refund, hand.ownership_of(sold.sheet.owner))?;
    if !matches!(sold.state, TicketState::Closed(_)) {
        return Err(TicketError::NotClosed);
    }
    if sold.refund_of.is_some() {
        return Err(TicketError::RefundOfRefund);
    }
    if returned.is_empty() || returned.values().any(|quantity| quantity.value().units() <= 0) {
        return Err(TicketError::EmptyRefund);
    }
    let before = RefundTotals::of(sold, refunds);
    let mut taken = before.clone();
    let mut items = Vec::new();
    for (id, quantity) in returned {
        let item = sold.sheet.items.iter().find(|item| item.id == *id).ok_or(TicketError::UnknownItem(*id))?;
        let so_far = taken.quantities.entry(*id).or_default();
        if *so_far + quantity.abs_millionths() > item.quantity.abs_millionths() {
            return Err(TicketError::refund_too_large(*id, item.quantity.remaining_after(*so_far)));
        }
        *so_far += quantity.abs_millionths();
        items.push(mirror_item(item, *quantity)?);
    }
    let blank = Draft::of(hand.require_person()?, sold.sheet.currency);
    let (customer, extra) = (sold.sheet.customer.clone(), sold.sheet.extra.clone());
    let draft = Draft { customer, discount: sold.sheet.discount, items, extra, ..blank };
    let sheet = draft.check()?;
    let given = if sold.sheet.items.iter().all(|item| taken.quantity(item) == item.quantity.abs_millionths()) {
        sold.sheet.payable().as_i128() - taken.money
    } else {
        let (earlier, now) = (before.worth(sold), taken.worth(sold));
        let all: i128 =
            sold.sheet.items.iter().map(|item| prorated_cost(sold, item, item.quantity.abs_millionths()).max(0)).sum();
        // of what was given back so far, what people paid back for deposits and the like is not for goods
        let left = all + sold.sheet.rounding.amount().as_i128() - (before.money - earlier.given);
        (now.paid - earlier.paid).min(left.max(0)) + now.given - earlier.given
    };
    let made_good = Amount::checked(-given - sheet.payable().as_i128()).ok_or(TicketError::TooLarge)?;
    let sheet = Draft { rounding: Rounding::from_share(made_good), ..sheet.draft().clone() }.check()?;
    Ok(Ticket::new(TicketRecord {
        id: opening.id,
        tenant: sold.tenant,
        opened_at: opening.at,
        opened_on: hand.require_sale_device()?,
        updated_at: opening.at,
        refund_of: Some(sold.id),
        sheet,
        state: TicketState::Open,
        version: 1,
    }))
}

/// What of a closed ticket is left to be taken back, by item.
pub fn compute_refundable(sold: &Ticket, refunds: &[Ticket]) -> BTreeMap<u32, Quantity> {
    let taken = RefundTotals::of(sold, refunds);
    let left = sold.sheet.items.iter().map(|item| (item.id, item.quantity.remaining_after(taken.quantity(item))));
    left.filter(|(_, quantity)| !quantity.value().is_zero()).collect()
}

/// The item the other way round, in this quantity.
fn mirror_item(item: &Item, quantity: Quantity) -> Result<Item, TicketError> {
    Item::new(ItemDraft {
        kind: Ticket::reversed_kind(item.kind),
        unit_price: item.unit_price.negate(),
        quantity: quantity.with_sign_of(item.quantity),
        ..item.draft().clone()
    })
}

#[cfg(test)]
mod tests;
