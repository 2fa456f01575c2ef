//! Who may do what with a ticket, and where: the table of rights and the rule of the sale device.

use crate::{DeviceId, Environment, KnownRight, Rights, UserId};

use super::error::TicketError;

/// What is done with a ticket, as far as rights tell it apart. One request may do several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TicketOperation {
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
pub enum Ownership {
    /// Their own.
    Own,
    /// Somebody else's.
    Others,
}

impl TicketOperation {
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
    pub const fn required_rights(self, whose: Ownership) -> &'static [KnownRight] {
        match (self, whose) {
            (Self::Create, _) => &[KnownRight::TicketCreate],
            (Self::Change, Ownership::Own) => &[KnownRight::TicketUpdate],
            (Self::Change, Ownership::Others) => &[KnownRight::TicketUpdateAny],
            (Self::Rename, _) => &[KnownRight::TicketRename],
            (Self::Discount, _) => &[KnownRight::TicketSetDiscount],
            (Self::Customer, _) => &[KnownRight::TicketSetCustomer],
            (Self::HandOver, _) => &[KnownRight::TicketHandover],
            (Self::TakeOver, _) => &[KnownRight::TicketTakeover, KnownRight::TicketUpdateAny],
            (Self::Storno, _) => &[KnownRight::Storno],
            (Self::Delete, Ownership::Own) => &[KnownRight::TicketDelete],
            (Self::Delete, Ownership::Others) => &[KnownRight::TicketDelete, KnownRight::TicketUpdateAny],
            (Self::Close, _) => &[KnownRight::TicketClose],
            (Self::Refund, _) => &[KnownRight::TicketCreate, KnownRight::Storno],
        }
    }

    /// Whether it is open only to a user who is logged in where goods are sold. All is but deleting, so that the office can clear
    /// away what was left open on a till.
    pub const fn requires_sale_device(self) -> bool {
        !matches!(self, Self::Delete)
    }
}

/// Who works on a ticket, where, and with which rights: those that they hold on that device now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketActor {
    /// The person; `None` where a device is logged in as itself.
    pub user: Option<UserId>,
    /// The device and its environment; `None` in the office.
    pub device: Option<(DeviceId, Environment)>,
    /// What they may do there.
    pub rights: Rights,
}

impl TicketActor {
    /// The person.
    pub fn require_person(&self) -> Result<UserId, TicketError> {
        self.user.ok_or(TicketError::PersonRequired)
    }

    /// The device, where it sells.
    pub fn require_sale_device(&self) -> Result<DeviceId, TicketError> {
        match self.device {
            Some((device, environment)) if environment.sells() => Ok(device),
            _ => Err(TicketError::SaleDeviceRequired),
        }
    }

    /// Whose a ticket of this owner is.
    pub fn ownership_of(&self, owner: UserId) -> Ownership {
        if self.user == Some(owner) { Ownership::Own } else { Ownership::Others }
    }

    /// Whether they may do this here: a person, on a device that sells where it is asked, with every right of the table.
    pub fn authorize(&self, operation: TicketOperation, whose: Ownership) -> Result<(), TicketError> {
        self.require_person()?;
        if operation.requires_sale_device() {
            self.require_sale_device()?;
        }
        match operation.required_rights(whose).iter().find(|right| !self.rights.allows(**right)) {
            Some(right) => Err(TicketError::RightMissing((*right).into())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
