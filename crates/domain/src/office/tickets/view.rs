//! A ticket with the names of those that it names: as people see it.

use std::collections::BTreeMap;

use crate::office::ports::OfficeTx;
use crate::ticket::{Ticket, TicketState};
use crate::{DeviceId, DeviceName, StoreResult, User, UserId};

/// A ticket, and who its ids are.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketView {
    /// The ticket.
    pub ticket: Ticket,
    /// Whose it is.
    pub owner: Option<User>,
    /// The name of the device that it was opened on.
    pub opened_on: Option<DeviceName>,
    /// Who closed it or made it void.
    pub ended_by: Option<User>,
    /// The name of the device that this was done on.
    pub ended_on: Option<DeviceName>,
}

/// Names that were looked up; each once.
#[derive(Default)]
struct NameCache {
    users: BTreeMap<UserId, Option<User>>,
    devices: BTreeMap<DeviceId, Option<DeviceName>>,
}

/// The ticket with its names.
pub(super) fn view_ticket(tx: &mut dyn OfficeTx, ticket: Ticket) -> StoreResult<TicketView> {
    NameCache::default().view(tx, ticket)
}

/// The same of many.
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
