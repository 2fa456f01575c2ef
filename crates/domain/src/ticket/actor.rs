//! The rights that operations on tickets require, and the rule that they happen on sale devices.

use crate::{Authority, DeviceId, Environment, KnownRight, UserId};

use super::error::TicketError;

/// An operation on a ticket, as rights distinguish them. One request may include several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TicketOperation {
    /// Open a new ticket.
    Create,
    /// Change anything on an open ticket.
    Change,
    /// Change the name of a ticket.
    Rename,
    /// Give a discount that is not the customer's own.
    Discount,
    /// Set, change or remove the customer.
    Customer,
    /// Give an own ticket to another owner.
    HandOver,
    /// Make another owner's ticket one's own.
    TakeOver,
    /// Reduce the quantity of an item, or remove it.
    Storno,
    /// Void an open ticket.
    Delete,
    /// Close a ticket for good.
    Close,
    /// Refund items of a closed ticket.
    Refund,
}

/// The owner of a ticket, from the actor's point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ownership {
    /// The ticket belongs to the actor.
    Own,
    /// The ticket belongs to somebody else.
    Others,
}

impl TicketOperation {
    /// All operations, in the order of declaration.
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

    /// The rights that the operation requires, all of them. A request requires the rights of all
    /// its operations: a rename is also a change. A refund is a new ticket and a storno, because no
    /// published API has a right for it.
    pub const fn required_rights(self, ownership: Ownership) -> &'static [KnownRight] {
        match (self, ownership) {
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

    /// Whether the operation is possible on sale devices only. All are, except voiding, so that the
    /// office can void tickets that were left open on a till.
    pub const fn requires_sale_device(self) -> bool {
        !matches!(self, Self::Delete)
    }
}

/// The user who works on a ticket, with its device and its current rights there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketActor {
    /// The user; `None` if a device is logged in as itself.
    pub user: Option<UserId>,
    /// The device and its environment; `None` in the office.
    pub device: Option<(DeviceId, Environment)>,
    /// The authority of the user on the device.
    pub authority: Authority,
}

impl TicketActor {
    /// Returns the user, or an error for a device as itself.
    pub fn require_person(&self) -> Result<UserId, TicketError> {
        self.user.ok_or(TicketError::PersonRequired)
    }

    /// Returns the device, or an error if it is not a sale device.
    pub fn require_sale_device(&self) -> Result<DeviceId, TicketError> {
        match self.device {
            Some((device, environment)) if environment.sells() => Ok(device),
            _ => Err(TicketError::SaleDeviceRequired),
        }
    }

    /// Whether a ticket of this owner belongs to the actor.
    pub fn ownership_of(&self, owner: UserId) -> Ownership {
        if self.user == Some(owner) { Ownership::Own } else { Ownership::Others }
    }

    /// Checks that the actor may do the operation here: a user, on a sale device if required, with
    /// every required right.
    pub fn authorize(&self, operation: TicketOperation, ownership: Ownership) -> Result<(), TicketError> {
        self.require_person()?;
        if operation.requires_sale_device() {
            self.require_sale_device()?;
        }
        let mut required = operation.required_rights(ownership).iter();
        Ok(required.try_for_each(|right| self.authority.require(*right))?)
    }
}

#[cfg(test)]
mod tests;
