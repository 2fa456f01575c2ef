//! Who may do what with a ticket, and where: the table of rights and the rule of the sale device.

use crate::{DeviceId, Environment, KnownRight, Rights, UserId};

use super::refused::TicketRefused;

/// What is done with a ticket, as far as rights tell it apart. One request may do several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Open a new ticket.
    Create,
    /// Change anything on an open ticket.
    Change,
    /// Change its name.
    Rename,
    /// Give it a discount that is not its customer's own.
    Discount,
    /// Give it a customer, change or remove them.
    Customer,
    /// Give one's ticket to somebody else.
    HandOver,
    /// Make another's ticket one's own.
    TakeOver,
    /// Lower an item's quantity, or remove an item.
    Storno,
    /// Make an open ticket void.
    Delete,
    /// Close it, for ever.
    Close,
    /// Take back what a closed ticket sold.
    Refund,
}

/// Whose ticket it is, seen from who works on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whose {
    /// Their own.
    Own,
    /// Somebody else's.
    Anothers,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 11] = [
        Self::Create,
        Self::Change,
        Self::Rename,
        Self::Discount,
        Self::Customer,
        Self::HandOver,
        Self::TakeOver,
        Self::Storno,
        Self::Delete,
        Self::Close,
        Self::Refund,
    ];

    /// The rights that it asks, all of them. Every row that tells what a request does holds: a rename is a change as well. A
    /// refund is a new ticket and takes goods back, which nobody published a right for.
    pub const fn rights(self, whose: Whose) -> &'static [KnownRight] {
        match (self, whose) {
            (Self::Create, _) => &[KnownRight::TicketCreate],
            (Self::Change, Whose::Own) => &[KnownRight::TicketUpdate],
            (Self::Change, Whose::Anothers) => &[KnownRight::TicketUpdateAny],
            (Self::Rename, _) => &[KnownRight::TicketRename],
            (Self::Discount, _) => &[KnownRight::TicketSetDiscount],
            (Self::Customer, _) => &[KnownRight::TicketSetCustomer],
            (Self::HandOver, _) => &[KnownRight::TicketHandover],
            (Self::TakeOver, _) => &[KnownRight::TicketTakeover, KnownRight::TicketUpdateAny],
            (Self::Storno, _) => &[KnownRight::Storno],
            (Self::Delete, Whose::Own) => &[KnownRight::TicketDelete],
            (Self::Delete, Whose::Anothers) => &[KnownRight::TicketDelete, KnownRight::TicketUpdateAny],
            (Self::Close, _) => &[KnownRight::TicketClose],
            (Self::Refund, _) => &[KnownRight::TicketCreate, KnownRight::Storno],
        }
    }

    /// Whether it is open only to a user who is logged in where goods are sold. All is but deleting, so that the office can clear
    /// away what was left open on a till.
    pub const fn sells(self) -> bool {
        !matches!(self, Self::Delete)
    }
}

/// Who works on a ticket, where, and with which rights: those that they hold on that device now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hand {
    /// The person; `None` where a device is logged in as itself.
    pub user: Option<UserId>,
    /// The device and its environment; `None` in the office.
    pub device: Option<(DeviceId, Environment)>,
    /// What they may do there.
    pub rights: Rights,
}

impl Hand {
    /// The person.
    pub fn person(&self) -> Result<UserId, TicketRefused> {
        self.user.ok_or(TicketRefused::NoPerson)
    }

    /// The device, where it sells.
    pub fn till(&self) -> Result<DeviceId, TicketRefused> {
        match self.device {
            Some((device, environment)) if environment.sells() => Ok(device),
            _ => Err(TicketRefused::NotSelling),
        }
    }

    /// Whose a ticket of this owner is.
    pub fn whose(&self, owner: UserId) -> Whose {
        if self.user == Some(owner) { Whose::Own } else { Whose::Anothers }
    }

    /// Whether they may do this here: a person, on a device that sells where it is asked, with every right of the table.
    pub fn may(&self, operation: Operation, whose: Whose) -> Result<(), TicketRefused> {
        self.person()?;
        if operation.sells() {
            self.till()?;
        }
        match operation.rights(whose).iter().find(|right| !self.rights.allow(**right)) {
            Some(right) => Err(TicketRefused::Missing((*right).into())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
