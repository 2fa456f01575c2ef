//! Payments, and the change that is due for them.

use super::amount::Amount;
use super::currency::Currency;
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
    check_signs(payable, payments)?;
    let out = payable.is_negative();
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

/// Checks that payments of `payable` are not zero, and go in its direction.
pub(crate) fn check_signs(payable: Amount, payments: &[Payment]) -> Result<(), TicketError> {
    let out = payable.is_negative();
    if payments.iter().any(|each| each.amount.is_zero() || each.amount.is_negative() != out) {
        return Err(TicketError::InvalidPayment { out });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
