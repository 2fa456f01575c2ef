//! A ticket and its states: open, then closed or void for good.

use std::ops::Deref;

use super::amount::Amount;
use super::customer::Meta;
use super::error::TicketError;
use super::item::ItemKind;
use super::payment;
use super::sheet::Sheet;
use super::text::{Label, Note};
use crate::{DeviceId, Instant, TenantId, TicketId, UserId};

/// The state of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketState {
    /// The ticket can be changed.
    Open,
    /// The ticket was paid and cannot be changed.
    Closed(Box<Closing>),
    /// The ticket was voided before it was paid and cannot be changed.
    Void(Box<Voiding>),
}

impl TicketState {
    /// The name of the state.
    pub const fn status(&self) -> TicketStatus {
        match self {
            Self::Open => TicketStatus::Open,
            Self::Closed(_) => TicketStatus::Closed,
            Self::Void(_) => TicketStatus::Void,
        }
    }

    /// The instant at which the ticket was closed or voided.
    pub fn ended_at(&self) -> Option<Instant> {
        match self {
            Self::Open => None,
            Self::Closed(closing) => Some(closing.at),
            Self::Void(voiding) => Some(voiding.at),
        }
    }
}

/// The name of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TicketStatus {
    /// The ticket can be changed.
    Open,
    /// The ticket was paid.
    Closed,
    /// The ticket was voided before it was paid.
    Void,
}

impl TicketStatus {
    /// All states, in the order of declaration.
    pub const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::Void];

    /// The name in requests and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Void => "void",
        }
    }
}

/// The closing of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The instant of the closing.
    pub at: Instant,
    /// The user who closed the ticket.
    pub by: UserId,
    /// The device on which it was closed.
    pub on: DeviceId,
    /// The receipt of the ticket.
    pub receipt: Receipt,
}

/// The receipt of a closed ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The receipt number.
    pub number: u64,
    /// The fiscal memory that has assigned the number.
    pub fiscal: Label,
    /// The daily sales report that includes the ticket.
    pub daily_sales_report: Option<u64>,
    /// Further properties that a dialect defines, such as the response of the fiscal device. They
    /// are returned as they were sent.
    pub extra: Meta,
}

/// The voiding of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voiding {
    /// The instant of the voiding.
    pub at: Instant,
    /// The user who voided the ticket.
    pub by: UserId,
    /// The device on which it was voided; `None` in the office.
    pub on: Option<DeviceId>,
    /// The reason, in the user's words.
    pub reason: Note,
}

/// The content of a ticket, as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRecord {
    /// The identifier of the ticket.
    pub id: TicketId,
    /// The tenant to which it belongs.
    pub tenant: TenantId,
    /// The instant at which it was opened.
    pub opened_at: Instant,
    /// The device on which it was opened.
    pub opened_on: DeviceId,
    /// The instant of its newest change.
    pub updated_at: Instant,
    /// The closed ticket that this one refunds; items have the same ids there.
    pub refund_of: Option<TicketId>,
    /// The sheet of the ticket.
    pub sheet: Sheet,
    /// The state of the ticket.
    pub state: TicketState,
    /// Increased by every change.
    pub version: i64,
}

/// A consistent ticket: a closed one is paid, and a refund refunds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket(TicketRecord);

impl Ticket {
    /// Restores a stored ticket.
    pub fn restore(record: TicketRecord) -> Result<Self, TicketError> {
        let no = |why| Err(TicketError::Inconsistent(why));
        if record.version < 1 {
            return no("its version is below 1");
        }
        if record.refund_of == Some(record.id) {
            return no("it refunds itself");
        }
        if record.refund_of.is_some() && record.sheet.items.is_empty() {
            return no("it is a refund of nothing");
        }
        if let TicketState::Closed(_) = record.state {
            if record.sheet.items.is_empty() {
                return no("it is closed and empty");
            }
            if sheet_change_due(&record.sheet).is_err() {
                return no("it is closed and its payments do not make up what was due");
            }
        }
        Ok(Self(record))
    }

    /// The content of the ticket, to store it.
    pub const fn record(&self) -> &TicketRecord {
        &self.0
    }

    /// The change that was given, or that would be due if the ticket were closed now.
    pub fn change_due(&self) -> Result<Amount, TicketError> {
        sheet_change_due(&self.0.sheet)
    }

    /// Returns an error if the ticket is closed or void.
    pub(super) const fn require_open(&self) -> Result<(), TicketError> {
        match self.0.state {
            TicketState::Open => Ok(()),
            TicketState::Closed(_) => Err(TicketError::Closed),
            TicketState::Void(_) => Err(TicketError::Void),
        }
    }

    /// Returns an error if the ticket has none of these versions; `None` matches every version.
    pub(super) fn require_version(&self, seen: Option<&[i64]>) -> Result<(), TicketError> {
        match seen {
            Some(seen) if !seen.contains(&self.0.version) => {
                Err(TicketError::VersionMismatch { current: self.0.version })
            }
            _ => Ok(()),
        }
    }

    /// The ticket after a change, with the next version.
    pub(super) fn next_version(&self, at: Instant, sheet: Sheet, state: TicketState) -> Self {
        let version = self.0.version.saturating_add(1);
        Self(TicketRecord { sheet, state, version, updated_at: at, ..self.0.clone() })
    }

    /// A new ticket.
    pub(super) const fn new(record: TicketRecord) -> Self {
        Self(record)
    }

    /// The kind of a refund's item for a sold item of this kind.
    pub(super) const fn reversed_kind(kind: ItemKind) -> ItemKind {
        match kind {
            ItemKind::Positive => ItemKind::Returned,
            ItemKind::Negative | ItemKind::Returned => ItemKind::Positive,
        }
    }
}

fn sheet_change_due(sheet: &Sheet) -> Result<Amount, TicketError> {
    payment::change_due(sheet.currency, sheet.payable(), &sheet.payments)
}

impl Deref for Ticket {
    type Target = TicketRecord;
    fn deref(&self) -> &TicketRecord {
        &self.0
    }
}

#[cfg(test)]
mod tests;
