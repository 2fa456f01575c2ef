//! Exports of lists: what they require, and their audit events.

use serde_json::{Map, json};

use super::Office;
use super::error::{OfficeError, UseCaseResult};
use crate::{Action, KnownRight, StoreExt, Subject};

/// A list that can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportedList {
    /// The tickets of the tenant.
    Tickets,
    /// The users of the tenant.
    Users,
}

impl ExportedList {
    /// The name, with which the name of the file begins.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tickets => "tickets",
            Self::Users => "users",
        }
    }

    const fn action(self) -> Action {
        match self {
            Self::Tickets => Action::TicketExport,
            Self::Users => Action::UserExport,
        }
    }
}

impl Office<'_> {
    /// Checks what an export of the list requires.
    ///
    /// # Errors
    /// The right to read the list or a recent proof of identity is missing.
    pub fn authorize_list_export(&self, list: ExportedList) -> Result<(), OfficeError> {
        match list {
            ExportedList::Tickets => {}
            ExportedList::Users => self.require(KnownRight::UserRead)?,
        }
        self.require_recent_proof()
    }

    /// Records an export of the list as an audit event. `format` is the name of the file format.
    /// Requires the right to read the list and a recent proof of identity.
    pub fn start_list_export(&self, list: ExportedList, format: &str) -> UseCaseResult<()> {
        if let Err(refused) = self.authorize_list_export(list) {
            return Ok(Err(refused));
        }
        let details = Map::from_iter([("format".to_owned(), json!(format))]);
        let event = self.build_event(list.action(), Subject::Tenant(self.tenant), details);
        self.store.write("start_list_export", |tx| tx.audit().record(&event))?;
        Ok(Ok(()))
    }
}
