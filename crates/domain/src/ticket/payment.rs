//! Payments: what was given for a ticket, what change is due, how a sum is split among several who pay, and the rounding of cash.

use std::num::NonZeroU16;

use super::amount::Amount;
use super::currency::Currency;
use super::decimal::rounded;
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
pub fn change_due(currency: Currency, payable: Amount, payments: &[Payment]) -> Result<Amount, TicketRefused> {
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
        Err(TicketRefused::Unpaid { left: currency.money(Amount::bounded(if out { over } else { -over })) })
    } else if over > given_back {
        Err(TicketRefused::Overpaid { over: currency.money(Amount::bounded(over - given_back)) })
    } else {
        Ok(Amount::bounded(over))
    }
}

/// Splits a sum into this many parts that differ by the currency's smallest unit at most, the larger first. They add up to the sum.
pub fn split(currency: Currency, sum: Amount, ways: NonZeroU16) -> Vec<Amount> {
    let (all, ways) = (sum.wide() / currency.smallest(), i128::from(ways.get()));
    let (each, rest) = (all / ways, all % ways);
    let part = |number: i128| each + if number < rest.abs() { rest.signum() } else { 0 };
    (0..ways).map(|number| Amount::bounded(part(number) * currency.smallest())).collect()
}

/// What is added to the sum of a ticket's items. It has two parts: what makes a refund give back exactly its share of what was paid,
/// which stays as the refund was made; and the rounding of cash, which is less than the smallest coin either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rounding {
    share: Amount,
    cash: Amount,
}

impl Rounding {
    /// No rounding.
    pub const NONE: Self = Self { share: Amount::ZERO, cash: Amount::ZERO };

    /// The rounding of cash, where it is smaller than the currency's smallest coin. A wider one would be a discount that asks no
    /// right.
    pub fn of_cash(amount: Amount, currency: Currency) -> Result<Self, TicketRefused> {
        Self::NONE.changed(amount, currency)
    }

    /// The rounding that comes to this amount in all: what a refund makes good stays as it is.
    pub fn changed(self, amount: Amount, currency: Currency) -> Result<Self, TicketRefused> {
        let (step, cash) = (currency.cash_step(), Amount::bounded(amount.wide() - self.share.wide()));
        if cash.is_zero() || cash.wide().abs() < step.wide() {
            Ok(Self { cash, ..self })
        } else {
            Err(TicketRefused::Rounding { step: currency.money(step) })
        }
    }

    /// What a refund makes good.
    pub(super) const fn of_share(share: Amount) -> Self {
        Self { share, cash: Amount::ZERO }
    }

    /// What brings the sum to the nearest whole number of steps, half away from zero; nothing where the step is not above zero.
    pub fn nearest(sum: Amount, step: Amount) -> Amount {
        let wide = step.wide();
        if wide <= 0 {
            return Amount::ZERO;
        }
        // Twice the step, so that the divisor is even.
        Amount::bounded(rounded(2 * sum.wide(), 2 * wide) * wide - sum.wide())
    }

    /// How much is added in all.
    pub fn amount(self) -> Amount {
        Amount::bounded(self.share.wide() + self.cash.wide())
    }

    /// How much of it makes a refund give back its share.
    pub const fn share(self) -> Amount {
        self.share
    }

    /// As a ticket has it already, in all and of it the share: judged when it was made.
    pub fn kept(amount: Amount, share: Amount) -> Self {
        Self { share, cash: Amount::bounded(amount.wide() - share.wide()) }
    }
}

#[cfg(test)]
mod tests;
