//! Cash rounding: what is added to the sum of the items, so that it can be paid in coins, and what
//! a refund gives back of it.

use super::amount::Amount;
use super::currency::Currency;
use super::error::TicketError;

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
