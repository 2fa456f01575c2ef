//! Payments: what was given for a ticket, what change is due, how a sum is split among several who pay, and the rounding of cash.

use std::num::NonZeroU16;

use super::decimal::{Amount, rounded};
use super::refused::TicketRefused;
use super::text::Label;

/// By what somebody pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Means {
    /// Coins and notes: the one means that change is given on.
    Cash,
    /// A card.
    Card,
    /// A voucher.
    Voucher,
    /// Anything else; the payment's name says what.
    Other,
}

impl Means {
    /// Every means.
    pub const ALL: [Self; 4] = [Self::Cash, Self::Card, Self::Voucher, Self::Other];

    /// The word in requests and the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Card => "card",
            Self::Voucher => "voucher",
            Self::Other => "other",
        }
    }
}

/// A payment: above zero where the customer pays, below zero where money is paid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// By what.
    pub means: Means,
    /// What the till calls it.
    pub name: Label,
    /// How much.
    pub amount: Amount,
}

/// The change that is due when `payable` is paid so. Where something is due, payments are above zero, cover it, and exceed it by
/// no more than their cash; where money is paid out, they are below zero and make it up exactly.
pub fn change_due(payable: Amount, payments: &[Payment]) -> Result<Amount, TicketRefused> {
    let out = payable.is_negative();
    if payments.iter().any(|each| each.amount.is_zero() || each.amount.is_negative() != out) {
        return Err(TicketRefused::Payment { out });
    }
    let sum = |counts: fn(&Payment) -> bool| {
        payments.iter().filter(|each| counts(each)).map(|each| each.amount.wide()).sum::<i128>()
    };
    let paid = sum(|_| true);
    // Seen from who pays: the customer, or the till.
    let over = if out { payable.wide() - paid } else { paid - payable.wide() };
    let given_back = if out { 0 } else { sum(|each| each.means == Means::Cash) };
    if over < 0 {
        Err(TicketRefused::Unpaid { left: Amount::bounded(if out { over } else { -over }) })
    } else if over > given_back {
        Err(TicketRefused::Overpaid { over: Amount::bounded(over - given_back) })
    } else {
        Ok(Amount::bounded(over))
    }
}

/// Splits a sum into this many parts that differ by a cent at most, the larger first. They add up to the sum, to the cent.
pub fn split(sum: Amount, ways: NonZeroU16) -> Vec<Amount> {
    let (all, ways) = (sum.wide(), i128::from(ways.get()));
    let (each, rest) = (all / ways, all % ways);
    (0..ways).map(|number| Amount::bounded(each + if number < rest.abs() { rest.signum() } else { 0 })).collect()
}

/// What is added to a sum so that it can be paid in cash: less than the step of cash, either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rounding(Amount);

impl Rounding {
    /// No rounding.
    pub const NONE: Self = Self(Amount::ZERO);

    /// The rounding, where it is smaller than the step. A wider one would be a discount that asks no right.
    pub fn within(amount: Amount, step: Amount) -> Result<Self, TicketRefused> {
        if amount.is_zero() || amount.wide().abs() < step.wide() {
            Ok(Self(amount))
        } else {
            Err(TicketRefused::Rounding { step })
        }
    }

    /// The widest step of cash that is rounded to without asking which coins there are.
    pub fn step() -> Amount {
        Amount::bounded(Amount::ONE.into())
    }

    /// What brings the sum to the nearest whole number of steps, half away from zero; none where the step is not above zero.
    pub fn nearest(sum: Amount, step: Amount) -> Self {
        let wide = step.wide();
        if wide <= 0 {
            return Self::NONE;
        }
        // Twice the step, so that the divisor is even.
        Self(Amount::bounded(rounded(2 * sum.wide(), 2 * wide) * wide - sum.wide()))
    }

    /// How much is added.
    pub const fn amount(self) -> Amount {
        self.0
    }

    /// As a ticket has it already: judged when it was made. A refund has one of its own, which may be wider.
    pub const fn kept(amount: Amount) -> Self {
        Self(amount)
    }
}

#[cfg(test)]
mod tests;
