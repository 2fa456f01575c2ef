//! Payments: their change, how a sum is split among several payers, and the rounding of cash.

use std::num::NonZeroU16;

use super::amount::Amount;
use super::currency::Currency;
use super::decimal::div_round_half_away;
use super::error::TicketError;
use super::text::Label;

/// The method of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentMethod {
    /// Coins and notes: the only method for which change is given.
    Cash,
    /// A payment card.
    Card,
    /// A voucher of the shop or of others.
    Voucher,
    /// Any other method; the payment's name describes it.
    Other,
}

impl PaymentMethod {
    /// All methods, in the order of declaration.
    pub const ALL: [Self; 4] = [Self::Cash, Self::Card, Self::Voucher, Self::Other];

    /// The name in requests and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Card => "card",
            Self::Voucher => "voucher",
            Self::Other => "other",
        }
    }
}

/// A payment: positive if the customer pays, negative if money is paid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The method of the payment.
    pub method: PaymentMethod,
    /// The name that the till uses.
    pub name: Label,
    /// The amount of the payment.
    pub amount: Amount,
}

/// The change that is due for these payments of `payable`. If the customer pays, payments are
/// positive, cover the amount, and exceed it by no more than their cash. If money is paid out, they
/// are negative and equal the amount.
pub fn change_due(currency: Currency, payable: Amount, payments: &[Payment]) -> Result<Amount, TicketError> {
    let out = payable.is_negative();
    if payments.iter().any(|each| each.amount.is_zero() || each.amount.is_negative() != out) {
        return Err(TicketError::InvalidPayment { out });
    }
    let sum = |counts: fn(&Payment) -> bool| {
        payments.iter().filter(|each| counts(each)).map(|each| each.amount.as_i128()).sum::<i128>()
    };
    let paid = sum(|_| true);
    // From the point of view of the payer: the customer or the till.
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

/// Splits a sum into parts that differ by at most the smallest unit of the currency, larger ones
/// first. Their total is the sum.
pub fn split_amount(currency: Currency, sum: Amount, ways: NonZeroU16) -> Vec<Amount> {
    let (all, ways) = (sum.as_i128() / currency.minor_unit(), i128::from(ways.get()));
    let (each, rest) = (all / ways, all % ways);
    let part = |number: i128| each + if number < rest.abs() { rest.signum() } else { 0 };
    (0..ways).map(|number| Amount::saturating(part(number) * currency.minor_unit())).collect()
}

/// The amount that is added to the sum of the items. It has two parts: the share, with which a
/// refund gives back exactly its part of what was paid, and which is fixed when the refund is
/// opened; and the rounding of cash, which is less than the smallest coin in either direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rounding {
    share: Amount,
    cash: Amount,
}

impl Rounding {
    /// No rounding at all.
    pub const NONE: Self = Self { share: Amount::ZERO, cash: Amount::ZERO };

    /// A rounding of cash, if it is less than the smallest coin of the currency. A larger one would
    /// be a discount that requires no right.
    pub fn of_cash(amount: Amount, currency: Currency) -> Result<Self, TicketError> {
        Self::NONE.with_amount(amount, currency)
    }

    /// The rounding with this total; its share stays as it is.
    pub fn with_amount(self, amount: Amount, currency: Currency) -> Result<Self, TicketError> {
        let (step, cash) = (currency.cash_step(), Amount::saturating(amount.as_i128() - self.share.as_i128()));
        if cash.is_zero() || cash.as_i128().abs() < step.as_i128() {
            Ok(Self { cash, ..self })
        } else {
            Err(TicketError::RoundingTooLarge { step: currency.money(step) })
        }
    }

    /// The share of a refund, without a rounding of cash.
    pub(super) const fn from_share(share: Amount) -> Self {
        Self { share, cash: Amount::ZERO }
    }

    /// The amount that brings the sum to the nearest multiple of the step, half away from zero;
    /// zero if the step is not positive.
    pub fn round_to_step(sum: Amount, step: Amount) -> Amount {
        let wide = step.as_i128();
        if wide <= 0 {
            return Amount::ZERO;
        }
        // Twice the step, so that the divisor is even.
        Amount::saturating(div_round_half_away(2 * sum.as_i128(), 2 * wide) * wide - sum.as_i128())
    }

    /// The total of both parts.
    pub fn amount(self) -> Amount {
        Amount::saturating(self.share.as_i128() + self.cash.as_i128())
    }

    /// The share of a refund in it.
    pub const fn share(self) -> Amount {
        self.share
    }

    /// The rounding of a stored ticket, which was checked when it was set.
    pub fn from_stored(amount: Amount, share: Amount) -> Self {
        Self { share, cash: Amount::saturating(amount.as_i128() - share.as_i128()) }
    }
}

#[cfg(test)]
mod tests;
