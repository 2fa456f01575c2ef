//! A ticket with the names of those that it names: as people see it.

use std::collections::BTreeMap;

use crate::office::ports::OfficeTx;
use crate::ticket::{Ticket, TicketState};
use crate::{DeviceId, DeviceName, Stored, User, UserId};

/// A ticket, and who its ids are.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
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
struct Names {
    users: BTreeMap<UserId, Option<User>>,
    devices: BTreeMap<DeviceId, Option<DeviceName>>,
}

/// The ticket with its names.
pub(super) fn shown(tx: &mut dyn OfficeTx, ticket: Ticket) -> Stored<Shown> {
    Names::default().shown(tx, ticket)
}

/// The same of many.
pub(super) fn all_shown(tx: &mut dyn OfficeTx, tickets: Vec<Ticket>) -> Stored<Vec<Shown>> {
    let mut names = Names::default();
    tickets.into_iter().map(|ticket| names.shown(tx, ticket)).collect()
}

impl Names {
    fn shown(&mut self, tx: &mut dyn OfficeTx, ticket: Ticket) -> Stored<Shown> {
        let (by, on) = match &ticket.state {
            TicketState::Open => (None, None),
            TicketState::Closed(closing) => (Some(closing.by), Some(closing.on)),
            TicketState::Void(voiding) => (Some(voiding.by), voiding.on),
        };
        Ok(Shown {
            owner: self.user(tx, Some(ticket.sheet.owner))?,
            opened_on: self.device(tx, Some(ticket.opened_on))?,
            ended_by: self.user(tx, by)?,
            ended_on: self.device(tx, on)?,
            ticket,
        })
    }

    fn user(&mut self, tx: &mut dyn OfficeTx, id: Option<UserId>) -> Stored<Option<User>> {
        let Some(id) = id else { return Ok(None) };
        if let Some(known) = self.users.get(&id) {
            return Ok(known.clone());
        }
        let found = tx.users().find(id)?;
        self.users.insert(id, found.clone());
        Ok(found)
    }

    fn device(&mut self, tx: &mut dyn OfficeTx, id: Option<DeviceId>) -> Stored<Option<DeviceName>> {
        let Some(id) = id else { return Ok(None) };
        if let Some(known) = self.devices.get(&id) {
            return Ok(known.clone());
        }
        let found = tx.devices().find(id)?.map(|device| device.name);
        self.devices.insert(id, found.clone());
        Ok(found)
    }
}
