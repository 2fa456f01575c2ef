//! Payments: what was given for a ticket, what change is due, how a sum is split among several who pay, and the rounding of cash.

use std::num::NonZeroU16;

use super::amount::Amount;
use super::currency::Currency;
use super::decimal::div_round_half_away;
use super::error::TicketError;
use super::text::Label;

/// By what somebody pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentMethod {
    /// Coins and notes: the one means that change is given on.
    Cash,
    /// A card.
    Card,
    /// A voucher.
    Voucher,
    /// Anything else; the payment's name says what.
    Other,
}

impl PaymentMethod {
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
    pub method: PaymentMethod,
    /// What the till calls it.
    pub name: Label,
    /// How much.
    pub amount: Amount,
}

/// The change that is due when `payable` is paid so. Where something is due, payments are above zero, cover it, and exceed it by
/// no more than their cash; where money is paid out, they are below zero and make it up exactly.
pub fn change_due(currency: Currency, payable: Amount, payments: &[Payment]) -> Result<Amount, TicketError> {
    let out = payable.is_negative();
    if payments.iter().any(|each| each.amount.is_zero() || each.amount.is_negative() != out) {
        return Err(TicketError::InvalidPayment { out });
    }
    let sum = |counts: fn(&Payment) -> bool| {
        payments.iter().filter(|each| counts(each)).map(|each| each.amount.as_i128()).sum::<i128>()
    };
    let paid = sum(|_| true);
    // Seen from who pays: the customer, or the till.
    let over = if out { payable.as_i128() - paid } else { paid - payable.as_i128() };
    let given_back = if out { 0 } else { sum(|each| each.method == PaymentMethod::Cash) };
    if over < 0 {
        Err(TicketError::Unpaid { left: currency.money(Amount::saturating(if out { over } else { -over })) })
    } else if over > given_back {
        Err(TicketError::Overpaid { over: currency.money(Amount::saturating(over - given_back)) })
    } else {
        Ok(Amount::saturating(over))
    }
}

/// Splits a sum into this many parts that differ by the currency's smallest unit at most, the larger first. They add up to the sum.
pub fn split_amount(currency: Currency, sum: Amount, ways: NonZeroU16) -> Vec<Amount> {
    let (all, ways) = (sum.as_i128() / currency.minor_unit(), i128::from(ways.get()));
    let (each, rest) = (all / ways, all % ways);
    let part = |number: i128| each + if number < rest.abs() { rest.signum() } else { 0 };
    (0..ways).map(|number| Amount::saturating(part(number) * currency.minor_unit())).collect()
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
    pub fn of_cash(amount: Amount, currency: Currency) -> Result<Self, TicketError> {
        Self::NONE.with_amount(amount, currency)
    }

    /// The rounding that comes to this amount in all: what a refund makes good stays as it is.
    pub fn with_amount(self, amount: Amount, currency: Currency) -> Result<Self, TicketError> {
        let (step, cash) = (currency.cash_step(), Amount::saturating(amount.as_i128() - self.share.as_i128()));
        if cash.is_zero() || cash.as_i128().abs() < step.as_i128() {
            Ok(Self { cash, ..self })
        } else {
            Err(TicketError::RoundingTooLarge { step: currency.money(step) })
        }
    }

    /// What a refund makes good.
    pub(super) const fn from_share(share: Amount) -> Self {
        Self { share, cash: Amount::ZERO }
    }

    /// What brings the sum to the nearest whole number of steps, half away from zero; nothing where the step is not above zero.
    pub fn round_to_step(sum: Amount, step: Amount) -> Amount {
        let wide = step.as_i128();
        if wide <= 0 {
            return Amount::ZERO;
        }
        // Twice the step, so that the divisor is even.
        Amount::saturating(div_round_half_away(2 * sum.as_i128(), 2 * wide) * wide - sum.as_i128())
    }

    /// How much is added in all.
    pub fn amount(self) -> Amount {
        Amount::saturating(self.share.as_i128() + self.cash.as_i128())
    }

    /// How much of it makes a refund give back its share.
    pub const fn share(self) -> Amount {
        self.share
    }

    /// As a ticket has it already, in all and of it the share: judged when it was made.
    pub fn from_stored(amount: Amount, share: Amount) -> Self {
        Self { share, cash: Amount::saturating(amount.as_i128() - share.as_i128()) }
    }
}

#[cfg(test)]
mod tests;
