//! Refunds: a new ticket that references the closed one and mirrors its items. Items are refunded
//! for what they cost, however little the whole ticket came to, and all refunds of a ticket
//! together return exactly what was paid for it.
//!
//! A refund locks a row beside the sold ticket (`ticket_claims`), since the sold ticket is closed
//! and accepts no UPDATE. Without this lock, two concurrent refunds would both read that nothing
//! had been refunded yet.

use std::collections::{BTreeMap, BTreeSet};

use super::actor::{TicketActor, TicketOperation};
use super::amount::Amount;
use super::cash_rounding::Rounding;
use super::decimal::div_round_half_away;
use super::error::TicketError;
use super::item::{Item, ItemDraft};
use super::open::Opening;
use super::quantity::Quantity;
use super::sheet::Draft;
use super::state::{Ticket, TicketRecord, TicketState};

/// What was refunded of a closed ticket so far, by its open and closed refunds. Void ones do not
/// count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RefundTotals {
    /// The refunded quantities in millionths, by item.
    quantities: BTreeMap<u32, i128>,
    /// The refunded money in ten-thousandths.
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

    /// The cost of these quantities of the sold items: what was paid for goods, and what was paid
    /// out for others, such as deposits.
    fn worth(&self, sold: &Ticket) -> Worth {
        let mut worth = Worth::default();
        for item in &sold.sheet.items {
            worth.add(prorated_cost(sold, item, self.quantity(item)));
        }
        worth
    }
}

/// The cost of items in ten-thousandths, separately for those that were paid for and those that
/// were paid out.
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

/// The cost of a quantity of an item, in ten-thousandths: its part of the item's total, rounded
/// once so that all parts add up to the item, in whatever steps they are refunded.
fn prorated_cost(sold: &Ticket, item: &Item, quantity: i128) -> i128 {
    let (all, smallest) = (item.quantity.abs_millionths(), sold.sheet.currency.minor_unit());
    if all == 0 {
        return 0;
    }
    let cost = sold.sheet.item_totals(item).after_discount_including_vat.as_i128() / smallest;
    // Both twice, so that the divisor is even.
    div_round_half_away(2 * cost * quantity, 2 * all) * smallest
}

/// Opens a refund of these quantities of items of the sold ticket. `refunds` are all tickets that
/// may reference the sold one; others are ignored.
///
/// Items keep the prices, discounts and arithmetic of the sold ticket. By these, parts of an item
/// may cost a smallest coin more or less than their share of the item; the refund's rounding
/// compensates that. Goods are refunded for at most what was paid for all goods, including the
/// rounding of cash. The refund of the last item returns exactly what is left of the payment for
/// the whole ticket.
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
    let requested: Vec<_> = returned.iter().map(|(id, quantity)| (*id, Some(*quantity))).collect();
    TicketError::combine(find_refund_faults(sold, &requested))?;
    let find = |id: &u32| sold.sheet.items.iter().find(|item| item.id == *id);
    let before = RefundTotals::of(sold, refunds);
    let mut taken = before.clone();
    let mut items = Vec::new();
    for (item, quantity) in returned.iter().filter_map(|(id, quantity)| Some((find(id)?, *quantity))) {
        let so_far = taken.quantities.entry(item.id).or_default();
        if *so_far + quantity.abs_millionths() > item.quantity.abs_millionths() {
            return Err(TicketError::refund_too_large(item.id, item.quantity.remaining_after(*so_far)));
        }
        *so_far += quantity.abs_millionths();
        items.push(mirror_item(item, quantity)?);
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
        // Of what was refunded so far, what was paid back for deposits is not for goods.
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

/// What is wrong with the items of a refund of this ticket; the quantity of an item is `None` if it
/// is invalid.
pub fn find_refund_faults(sold: &Ticket, returned: &[(u32, Option<Quantity>)]) -> Vec<TicketError> {
    let sold_ids: BTreeSet<u32> = sold.sheet.items.iter().map(|item| item.id).collect();
    let is_nothing = |quantity: Quantity| quantity.value().units() <= 0;
    let is_empty = returned.is_empty() || returned.iter().any(|(_, quantity)| quantity.is_some_and(is_nothing));
    let unknown: BTreeSet<u32> = returned.iter().map(|(id, _)| *id).filter(|id| !sold_ids.contains(id)).collect();
    let unknown = unknown.into_iter().map(TicketError::UnknownItem);
    is_empty.then_some(TicketError::EmptyRefund).into_iter().chain(unknown).collect()
}

/// The quantities of a closed ticket that can still be refunded, by item.
pub fn compute_refundable(sold: &Ticket, refunds: &[Ticket]) -> BTreeMap<u32, Quantity> {
    let taken = RefundTotals::of(sold, refunds);
    let left = sold.sheet.items.iter().map(|item| (item.id, item.quantity.remaining_after(taken.quantity(item))));
    left.filter(|(_, quantity)| !quantity.value().is_zero()).collect()
}

/// The item with the opposite sign, in this quantity.
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
