//! A ticket and its three states: open, and from there closed or void, both for ever.

use std::ops::Deref;

use super::amount::Amount;
use super::customer::Meta;
use super::error::TicketError;
use super::item::ItemKind;
use super::payment;
use super::sheet::Sheet;
use super::text::{Label, Note};
use crate::{DeviceId, Instant, TenantId, TicketId, UserId};

/// Where a ticket stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketState {
    /// It can be changed.
    Open,
    /// It was paid, and stays as it is.
    Closed(Box<Closing>),
    /// It was deleted before it was paid, and stays as it is.
    Void(Box<Voiding>),
}

impl TicketState {
    /// Which of the three it is.
    pub const fn status(&self) -> TicketStatus {
        match self {
            Self::Open => TicketStatus::Open,
            Self::Closed(_) => TicketStatus::Closed,
            Self::Void(_) => TicketStatus::Void,
        }
    }

    /// When it came to its end.
    pub fn ended_at(&self) -> Option<Instant> {
        match self {
            Self::Open => None,
            Self::Closed(closing) => Some(closing.at),
            Self::Void(voiding) => Some(voiding.at),
        }
    }
}

/// A state by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TicketStatus {
    /// It can be changed.
    Open,
    /// It was paid.
    Closed,
    /// It was deleted before it was paid.
    Void,
}

impl TicketStatus {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::Void];

    /// The word in requests and the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Void => "void",
        }
    }
}

/// How a ticket was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: UserId,
    /// On which device.
    pub on: DeviceId,
    /// What the fiscal device said of it.
    pub receipt: Receipt,
}

/// The number that a closed ticket bears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its number.
    pub number: u64,
    /// What made the number.
    pub fiscal: Label,
    /// The report of daily sales that it counts in.
    pub daily_sales_report: Option<u64>,
    /// What a contract publishes of it besides, such as what the fiscal device answered: it comes back as it came.
    pub extra: Meta,
}

/// How a ticket became void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voiding {
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: UserId,
    /// On which device, or in the office.
    pub on: Option<DeviceId>,
    /// Why, in their words.
    pub reason: Note,
}

/// What a ticket is made of, and what a store keeps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRecord {
    /// Its id.
    pub id: TicketId,
    /// Whose it is.
    pub tenant: TenantId,
    /// When it was opened.
    pub opened_at: Instant,
    /// On which device.
    pub opened_on: DeviceId,
    /// When it was last changed.
    pub updated_at: Instant,
    /// The closed ticket that this one takes goods back from; their items go by the same ids.
    pub refund_of: Option<TicketId>,
    /// What people wrote on it.
    pub sheet: Sheet,
    /// Where it stands.
    pub state: TicketState,
    /// Raised by every change.
    pub version: i64,
}

/// A ticket that contradicts itself in nothing: a closed one is paid, and a refund takes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket(TicketRecord);

impl Ticket {
    /// Takes what a store has kept.
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

    /// What the ticket is made of, to keep it.
    pub const fn record(&self) -> &TicketRecord {
        &self.0
    }

    /// The change that was given, or that would be if the ticket were closed as it is.
    pub fn change_due(&self) -> Result<Amount, TicketError> {
        sheet_change_due(&self.0.sheet)
    }

    /// Refuses a ticket that is closed or void.
    pub(super) const fn require_open(&self) -> Result<(), TicketError> {
        match self.0.state {
            TicketState::Open => Ok(()),
            TicketState::Closed(_) => Err(TicketError::Closed),
            TicketState::Void(_) => Err(TicketError::Void),
        }
    }

    /// Refuses a version that is not the ticket's; `None` asks for none.
    pub(super) fn require_version(&self, seen: Option<i64>) -> Result<(), TicketError> {
        match seen {
            Some(seen) if seen != self.0.version => Err(TicketError::VersionMismatch { current: self.0.version }),
            _ => Ok(()),
        }
    }

    /// The ticket after a change: one version on.
    pub(super) fn next_version(&self, at: Instant, sheet: Sheet, state: TicketState) -> Self {
        let version = self.0.version.saturating_add(1);
        Self(TicketRecord { sheet, state, version, updated_at: at, ..self.0.clone() })
    }

    /// A new ticket.
    pub(super) const fn new(record: TicketRecord) -> Self {
        Self(record)
    }

    /// How an item of a refund counts for what was sold as this kind: the other way round.
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
