//! Tickets as people see them: with the names that they reference.

use std::collections::BTreeMap;

use crate::office::ports::OfficeTx;
use crate::ticket::{Ticket, TicketState};
use crate::{DeviceId, DeviceName, StoreResult, User, UserId};

/// A ticket with the names of its users and devices.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketView {
    /// The ticket itself.
    pub ticket: Ticket,
    /// The owner of the ticket.
    pub owner: Option<User>,
    /// The name of the device on which it was opened.
    pub opened_on: Option<DeviceName>,
    /// The user who closed or voided it.
    pub ended_by: Option<User>,
    /// The name of the device on which it was closed or voided.
    pub ended_on: Option<DeviceName>,
}

/// A cache of names, so that each is read once.
#[derive(Default)]
struct NameCache {
    users: BTreeMap<UserId, Option<User>>,
    devices: BTreeMap<DeviceId, Option<DeviceName>>,
}

/// The ticket with its names.
pub(super) fn view_ticket(tx: &mut dyn OfficeTx, ticket: Ticket) -> StoreResult<TicketView> {
    NameCache::default().view(tx, ticket)
}

/// The tickets with their names, in the same order.
pub(super) fn view_tickets(tx: &mut dyn OfficeTx, tickets: Vec<Ticket>) -> StoreResult<Vec<TicketView>> {
    let mut names = NameCache::default();
    tickets.into_iter().map(|ticket| names.view(tx, ticket)).collect()
}

impl NameCache {
    fn view(&mut self, tx: &mut dyn OfficeTx, ticket: Ticket) -> StoreResult<TicketView> {
        let (by, on) = match &ticket.state {
            TicketState::Open => (None, None),
            TicketState::Closed(closing) => (Some(closing.by), Some(closing.on)),
            TicketState::Void(voiding) => (Some(voiding.by), voiding.on),
        };
        Ok(TicketView {
            owner: self.find_user(tx, Some(ticket.sheet.owner))?,
            opened_on: self.find_device(tx, Some(ticket.opened_on))?,
            ended_by: self.find_user(tx, by)?,
            ended_on: self.find_device(tx, on)?,
            ticket,
        })
    }

    fn find_user(&mut self, tx: &mut dyn OfficeTx, id: Option<UserId>) -> StoreResult<Option<User>> {
        let Some(id) = id else { return Ok(None) };
        if let Some(known) = self.users.get(&id) {
            return Ok(known.clone());
        }
        let found = tx.users().find(id)?;
        self.users.insert(id, found.clone());
        Ok(found)
    }

    fn find_device(&mut self, tx: &mut dyn OfficeTx, id: Option<DeviceId>) -> StoreResult<Option<DeviceName>> {
        let Some(id) = id else { return Ok(None) };
        if let Some(known) = self.devices.get(&id) {
            return Ok(known.clone());
        }
        let found = tx.devices().find(id)?.map(|device| device.name);
        self.devices.insert(id, found.clone());
        Ok(found)
    }
}
