//! The errors of tickets: the violated rule, and what to do about it.

use super::amount::Money;
use super::quantity::Quantity;
use crate::{DenialKind, MissingRight};

/// Why an operation on a ticket is denied. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// The caller does not have this right.
    #[error("{0}; ask somebody who has it")]
    RightMissing(#[from] MissingRight),
    /// The session is a device's own, and tickets belong to users.
    #[error("tickets belong to users; log in as a user")]
    PersonRequired,
    /// The session is not on a sale device.
    #[error("this requires a sale device; log in on a till (CashRegister) or a handheld (PDA)")]
    SaleDeviceRequired,
    /// The ticket was changed since the caller read it.
    #[error(
        "the ticket was changed in the meantime and has version {current} now; read it again and repeat the change"
    )]
    VersionMismatch {
        /// The current version.
        current: i64,
    },
    /// The ticket is closed and cannot be changed.
    #[error("the ticket is closed and cannot be changed; refund its items instead")]
    Closed,
    /// The ticket is void and cannot be changed.
    #[error("the ticket is void and cannot be changed; open a new one")]
    Void,
    /// The amounts of an item or of the ticket are out of range.
    #[error("the amounts are too large; the sum of all items must have at most 15 digits")]
    TooLarge,
    /// The ticket contains more of something than the limit.
    #[error("a ticket has at most {most} {what}; open another ticket for the rest")]
    TooMany {
        /// The kind of the items.
        what: &'static str,
        /// The greatest number of them.
        most: usize,
    },
    /// Two items have the same id.
    #[error("item {0}: another item has the same id; give each item its own id")]
    DuplicateItem(u32),
    /// The rounding is not less than the smallest coin.
    #[error("the rounding must be less than {step} in either direction; use a discount for more")]
    RoundingTooLarge {
        /// The smallest coin of the currency.
        step: Money,
    },
    /// The currency cannot represent the amount.
    #[error("{} must have at most {places} decimal places and 15 digits; round it first",
        if .payment.is_some() { "the payment" } else { "the rounding" })]
    Unpayable {
        /// The index of the payment, from 0; `None` for the rounding.
        payment: Option<usize>,
        /// The decimal places of the currency.
        places: u32,
    },
    /// The ticket has no items.
    #[error("the ticket has no items; add some, or void it")]
    NoItems,
    /// The payments do not cover the due amount.
    #[error("{left} is still due; add a payment")]
    Unpaid {
        /// The amount that is missing.
        left: Money,
    },
    /// The payments exceed the due amount by more than their cash.
    #[error(
        "the payments exceed the due amount by {over}, and change is given on cash only; reduce the other payments"
    )]
    Overpaid {
        /// The amount beyond the due amount and the cash.
        over: Money,
    },
    /// A payment is zero, or has the wrong sign.
    #[error("a payment must not be zero, and must be {} zero on this ticket", if *.out { "below" } else { "above" })]
    InvalidPayment {
        /// Whether money is paid out to the customer.
        out: bool,
    },
    /// Another receipt of the series has this number.
    #[error(
        "another receipt of the same series has the number {0}; send the number that the fiscal device has assigned"
    )]
    ReceiptNumberTaken(u64),
    /// The ticket to refund is not closed.
    #[error("only a closed ticket can be refunded; change or void an open one")]
    NotClosed,
    /// The ticket to refund is a refund itself.
    #[error("a refund cannot be refunded; refund the original ticket, or sell the items again")]
    RefundOfRefund,
    /// The refund contains no item, or an item with quantity zero.
    #[error("a refund needs at least one item, each with a quantity greater than zero")]
    EmptyRefund,
    /// The sold ticket has no item with this id.
    #[error("item {0}: the sold ticket has no such item")]
    UnknownItem(u32),
    /// The quantity exceeds what was sold and not refunded yet.
    #[error("item {item}: at most {left} can still be refunded; reduce the quantity")]
    RefundTooLarge {
        /// The id of the item.
        item: u32,
        /// The quantity that can still be refunded.
        left: String,
    },
    /// The items of a refund cannot be changed.
    #[error("the items of a refund cannot be changed; void it and open another one")]
    RefundImmutable,
    /// Several errors of one sheet.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Multiple(Vec<Self>),
    /// A stored ticket contradicts itself.
    #[error("the stored ticket contradicts itself: {0}")]
    Inconsistent(&'static str),
}

impl TicketError {
    /// What kind of denial it is: that of the first error if there are several.
    pub const fn kind(&self) -> DenialKind {
        self.classify().0
    }

    /// The stable code of the error in responses, logs and metrics.
    pub const fn code(&self) -> &'static str {
        self.classify().1
    }

    /// The kind and the code.
    const fn classify(&self) -> (DenialKind, &'static str) {
        match self {
            Self::RightMissing(_) => (DenialKind::Forbidden, "right_missing"),
            Self::PersonRequired => (DenialKind::Forbidden, "person_needed"),
            Self::SaleDeviceRequired => (DenialKind::Forbidden, "sale_device_needed"),
            Self::VersionMismatch { .. } => (DenialKind::VersionMismatch, "version_moved"),
            Self::Closed => (DenialKind::Conflict, "ticket_closed"),
            Self::Void => (DenialKind::Conflict, "ticket_void"),
            Self::TooLarge => (DenialKind::Invalid, "ticket_too_large"),
            Self::TooMany { .. } => (DenialKind::Invalid, "ticket_too_long"),
            Self::DuplicateItem(_) => (DenialKind::Invalid, "item_twice"),
            Self::RoundingTooLarge { .. } => (DenialKind::Invalid, "rounding_too_large"),
            Self::Unpayable { .. } => (DenialKind::Invalid, "amount_unpayable"),
            Self::NoItems => (DenialKind::Conflict, "ticket_empty"),
            Self::Unpaid { .. } => (DenialKind::Conflict, "ticket_unpaid"),
            Self::Overpaid { .. } => (DenialKind::Conflict, "ticket_overpaid"),
            Self::InvalidPayment { .. } => (DenialKind::Invalid, "payment_invalid"),
            Self::ReceiptNumberTaken(_) => (DenialKind::Conflict, "receipt_number_taken"),
            Self::NotClosed => (DenialKind::Conflict, "refund_not_sold"),
            Self::RefundOfRefund => (DenialKind::Conflict, "refund_of_refund"),
            Self::EmptyRefund => (DenialKind::Invalid, "refund_empty"),
            Self::UnknownItem(_) => (DenialKind::Invalid, "item_unknown"),
            Self::RefundTooLarge { .. } => (DenialKind::Conflict, "refund_too_large"),
            Self::RefundImmutable => (DenialKind::Conflict, "refund_fixed"),
            Self::Multiple(all) => match all.as_slice() {
                [first, ..] => (first.kind(), "ticket_invalid"),
                [] => (DenialKind::Invalid, "ticket_invalid"),
            },
            Self::Inconsistent(_) => (DenialKind::Inconsistent, "ticket_contradiction"),
        }
    }

    /// Combines errors: one error is returned as itself, none as `Ok`.
    ///
    /// # Errors
    ///
    /// There are errors.
    pub fn combine(mut errors: Vec<Self>) -> Result<(), Self> {
        match errors.pop() {
            None => Ok(()),
            Some(only) if errors.is_empty() => Err(only),
            Some(last) => {
                errors.push(last);
                Err(Self::Multiple(errors))
            }
        }
    }

    /// The individual errors.
    pub fn as_slice(&self) -> &[Self] {
        match self {
            Self::Multiple(all) => all,
            one => std::slice::from_ref(one),
        }
    }

    pub(super) fn refund_too_large(item: u32, left: Quantity) -> Self {
        Self::RefundTooLarge { item, left: left.to_string() }
    }
}
