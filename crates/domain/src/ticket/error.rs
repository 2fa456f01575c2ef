//! What tickets say no with: the rule, and what to do about it. Nothing was changed then.

use super::amount::Money;
use super::item::Quantity;
use crate::Right;

/// A decision to say no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// The caller lacks a right.
    #[error("the right {0} is missing; somebody who holds it can do this")]
    RightMissing(Right),
    /// The session is a device's own.
    #[error("tickets belong to people; log in as a user")]
    PersonRequired,
    /// The session is on no till and no handheld.
    #[error("this is done where goods are sold; log in on a till (CashRegister) or a handheld (PDA)")]
    SaleDeviceRequired,
    /// Somebody changed it since it was read.
    #[error(
        "somebody has changed the ticket meanwhile: it is at version {current} now; read it again and repeat the change"
    )]
    VersionMismatch {
        /// Its version now.
        current: i64,
    },
    /// It is closed.
    #[error("the ticket is closed and stays as it is; take goods back with a refund of it")]
    Closed,
    /// It is void.
    #[error("the ticket is void and stays as it is; open a new one")]
    Void,
    /// Its amounts, or those of the whole ticket, have more digits than are kept.
    #[error("the amounts are too large; the sum of all items must stay within 15 digits")]
    TooLarge,
    /// More of something than a ticket holds.
    #[error("a ticket has at most {most} {what}; open another ticket for the rest")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// Two items of one id.
    #[error("item {0}: there is another item of this id; give each its own")]
    DuplicateItem(u32),
    /// A rounding that is more than a rounding.
    #[error("the rounding must be smaller than {step} either way; a discount is for more")]
    RoundingTooLarge {
        /// The step of cash that is rounded to.
        step: Money,
    },
    /// An amount that the currency has no place for.
    #[error("{} must have at most {places} decimal places and 15 digits; round it first",
        if .payment.is_some() { "the payment" } else { "the rounding" })]
    Unpayable {
        /// Which payment, counted from 0; the rounding where it is none.
        payment: Option<usize>,
        /// How many places the currency has.
        places: u32,
    },
    /// Nothing on it.
    #[error("the ticket has no items; add some, or delete it")]
    NoItems,
    /// Less was paid than is due.
    #[error("{left} is still to be paid; add a payment")]
    Unpaid {
        /// How much is missing.
        left: Money,
    },
    /// More was paid than can be given back.
    #[error("{over} was paid too much, and change is given on cash alone; lower the other payments")]
    Overpaid {
        /// How much more than is due and than cash makes good.
        over: Money,
    },
    /// A payment of nothing, or against the direction in which money flows.
    #[error("a payment must not be zero, and must be {} zero on this ticket", if *.out { "below" } else { "above" })]
    InvalidPayment {
        /// Whether money is paid out.
        out: bool,
    },
    /// Another receipt has the number.
    #[error("another receipt of the same series has the number {0}; give the number that the fiscal device has made")]
    ReceiptNumberTaken(u64),
    /// What is to be refunded is not closed.
    #[error("only a closed ticket is refunded; change or delete an open one")]
    NotClosed,
    /// What is to be refunded is a refund.
    #[error("this ticket is a refund itself; refund the ticket that it refers to, or sell the goods again")]
    RefundOfRefund,
    /// The refund names no item, or nothing of one.
    #[error("name at least one item to take back, and of each more than nothing")]
    EmptyRefund,
    /// The sold ticket has no such item.
    #[error("item {0}: the sold ticket has no such item")]
    UnknownItem(u32),
    /// More than was sold and not yet taken back.
    #[error("item {item}: {left} of it can still be taken back; lower the quantity")]
    RefundTooLarge {
        /// The id of the item.
        item: u32,
        /// How much is left of it.
        left: String,
    },
    /// A change of what a refund takes back.
    #[error("what a refund takes back stays as it was made; delete it and make another")]
    RefundImmutable,
    /// More than one thing that no ticket may be.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Multiple(Vec<Self>),
    /// A ticket that cannot have become what it says it is.
    #[error("the ticket as it is kept contradicts itself: {0}")]
    Inconsistent(&'static str),
}

impl TicketError {
    /// A stable word for it, in answers, logs and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RightMissing(_) => "right_missing",
            Self::PersonRequired => "person_needed",
            Self::SaleDeviceRequired => "sale_device_needed",
            Self::VersionMismatch { .. } => "version_moved",
            Self::Closed => "ticket_closed",
            Self::Void => "ticket_void",
            Self::TooLarge => "ticket_too_large",
            Self::TooMany { .. } => "ticket_too_long",
            Self::DuplicateItem(_) => "item_twice",
            Self::RoundingTooLarge { .. } => "rounding_too_large",
            Self::Unpayable { .. } => "amount_unpayable",
            Self::NoItems => "ticket_empty",
            Self::Unpaid { .. } => "ticket_unpaid",
            Self::Overpaid { .. } => "ticket_overpaid",
            Self::InvalidPayment { .. } => "payment_invalid",
            Self::ReceiptNumberTaken(_) => "receipt_number_taken",
            Self::NotClosed => "refund_not_sold",
            Self::RefundOfRefund => "refund_of_refund",
            Self::EmptyRefund => "refund_empty",
            Self::UnknownItem(_) => "item_unknown",
            Self::RefundTooLarge { .. } => "refund_too_large",
            Self::RefundImmutable => "refund_fixed",
            Self::Multiple(_) => "ticket_invalid",
            Self::Inconsistent(_) => "ticket_contradiction",
        }
    }

    /// All of these in one: itself where it is one, nothing where there are none.
    pub(crate) fn combine(mut refused: Vec<Self>) -> Result<(), Self> {
        match refused.pop() {
            None => Ok(()),
            Some(only) if refused.is_empty() => Err(only),
            Some(last) => {
                refused.push(last);
                Err(Self::Multiple(refused))
            }
        }
    }

    /// Each thing that is wrong.
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
