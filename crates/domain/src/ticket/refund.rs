//! Takes goods back: a new ticket that refers to the closed one and mirrors its items, and gives back no more than was paid.
//!
//! Whoever stores it claims the sold ticket first: what is left depends on all its refunds.

use std::collections::BTreeMap;

use super::decimal::Amount;
use super::item::{Item, Line, Quantity};
use super::open::Opening;
use super::payment::Rounding;
use super::refused::TicketRefused;
use super::right::{Hand, Operation};
use super::sheet::Draft;
use super::state::{Record, Ticket, TicketState};

/// What of a closed ticket was taken back so far, by its refunds that are open or closed. Void ones count for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct TakenBack {
    /// In millionths, by item.
    quantities: BTreeMap<u32, i128>,
    /// In hundredths.
    money: i128,
}

impl TakenBack {
    fn of(sold: &Ticket, refunds: &[Ticket]) -> Self {
        let mut taken = Self::default();
        let counts =
            |refund: &&Ticket| refund.refund_of == Some(sold.id) && !matches!(refund.state, TicketState::Void(_));
        for refund in refunds.iter().filter(counts) {
            for item in &refund.sheet.items {
                *taken.quantities.entry(item.id).or_default() += item.quantity.size();
            }
            taken.money -= refund.sheet.payable().wide();
        }
        taken
    }
}

/// Makes a refund of these items of the sold ticket, each in such a quantity. `refunds` are all tickets that refer to the sold
/// one; others among them are passed over.
///
/// Items keep the prices, discounts and arithmetic of the sold ticket. What parts of an item come to may be a cent more or less
/// than their share; the refund's rounding makes that good: no refund gives back more than is left of what was paid, and the one
/// that takes back the last gives back exactly what is left, the rounding of the sold ticket included.
pub fn refund(
    sold: &Ticket,
    refunds: &[Ticket],
    returned: &BTreeMap<u32, Quantity>,
    opening: Opening,
    hand: &Hand,
) -> Result<Ticket, TicketRefused> {
    hand.may(Operation::Refund, hand.whose(sold.sheet.owner))?;
    if !matches!(sold.state, TicketState::Closed(_)) {
        return Err(TicketRefused::NotSold);
    }
    if sold.refund_of.is_some() {
        return Err(TicketRefused::RefundOfRefund);
    }
    if returned.is_empty() || returned.values().any(|quantity| quantity.amount().units() <= 0) {
        return Err(TicketRefused::NothingReturned);
    }
    let mut taken = TakenBack::of(sold, refunds);
    let mut items = Vec::new();
    for (id, quantity) in returned {
        let item = sold.sheet.items.iter().find(|item| item.id == *id).ok_or(TicketRefused::NoItem(*id))?;
        let before = taken.quantities.entry(*id).or_default();
        if *before + quantity.size() > item.quantity.size() {
            return Err(TicketRefused::more_than_sold(*id, item.quantity.less(*before)));
        }
        *before += quantity.size();
        items.push(mirror(item, *quantity)?);
    }
    let blank = Draft::of(hand.person()?);
    let draft = Draft { customer: sold.sheet.customer.clone(), discount: sold.sheet.discount, items, ..blank };
    let sheet = draft.check()?;
    let worth = -sheet.payable().wide();
    let left = sold.sheet.payable().wide() - taken.money;
    let all = |item: &Item| taken.quantities.get(&item.id).copied().unwrap_or_default() == item.quantity.size();
    let given = if sold.sheet.items.iter().all(all) {
        left
    } else if worth > 0 {
        worth.min(left.max(0))
    } else {
        worth
    };
    let rounding = Rounding::kept(Amount::fit(worth - given).ok_or(TicketRefused::TooLarge)?);
    let sheet = Draft { rounding, ..sheet.draft().clone() }.check()?;
    Ok(Ticket::first(Record {
        id: opening.id,
        tenant: sold.tenant,
        currency: sold.currency,
        opened_at: opening.at,
        opened_on: hand.till()?,
        updated_at: opening.at,
        refund_of: Some(sold.id),
        sheet,
        state: TicketState::Open,
        version: 1,
    }))
}

/// What of a closed ticket is left to be taken back, by item.
pub fn left_of(sold: &Ticket, refunds: &[Ticket]) -> BTreeMap<u32, Quantity> {
    let taken = TakenBack::of(sold, refunds);
    let left = sold.sheet.items.iter().map(|item| {
        let taken = taken.quantities.get(&item.id).copied().unwrap_or_default();
        (item.id, item.quantity.less(taken))
    });
    left.filter(|(_, quantity)| !quantity.amount().is_zero()).collect()
}

/// The item the other way round, in this quantity.
fn mirror(item: &Item, quantity: Quantity) -> Result<Item, TicketRefused> {
    Item::new(Line {
        kind: Ticket::taken_back(item.kind),
        unit_price: item.unit_price.opposite(),
        quantity: quantity.along(item.quantity),
        ..item.line().clone()
    })
}

#[cfg(test)]
mod tests;
