//! An open unit of work of the in-memory store. Each module beside this one implements a port on
//! it.

use std::sync::Mutex;

use tillgate_domain::office::OfficeTx;
use tillgate_domain::office::ports as office;
use tillgate_domain::{Audit, Change, Event, Instant, Mode, Revocations, StoreError, StoreResult, Tx};

use super::rows::{Rows, Tables};
use tillgate_auth_core::ports::{self, AuthTx};

/// An open unit of work.
pub(super) struct Transaction<'a> {
    pub(super) rows: &'a mut Rows,
    /// The committed audit events.
    pub(super) audit: &'a Mutex<Vec<Event>>,
    pub(super) mode: Mode,
    /// The changes to report to the observers after the commit.
    pub(super) changes: Vec<Change>,
    /// The numbers of the changes in the feed.
    pub(super) numbers: Vec<i64>,
}

impl Transaction<'_> {
    /// The tables, to read.
    pub(super) fn tables(&self) -> &Tables {
        &self.rows.tables
    }

    /// The tables, to write; a fault if the unit of work only reads.
    pub(super) fn tables_mut(&mut self) -> StoreResult<&mut Tables> {
        match self.mode {
            Mode::Write => Ok(&mut self.rows.tables),
            Mode::Read => Err(StoreError::Fault("a read-only unit of work has tried to write".to_owned())),
        }
    }

    /// Adds a change to the feed.
    pub(super) fn record_change(&mut self, change: Change, at: Instant) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        let number = tables.next_change.get(&()).copied().unwrap_or(1);
        tables.changes.put(number, (change, at));
        tables.next_change.put((), number.saturating_add(1));
        self.changes.push(change);
        self.numbers.push(number);
        Ok(())
    }
}

/// The error for a violated constraint, as a database would return it.
pub(super) fn constraint_error<T>(what: &str) -> StoreResult<T> {
    Err(StoreError::Fault(what.to_owned()))
}

/// A limit as a `usize`.
pub(super) fn to_usize(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// A number of removed rows as a `u32`.
pub(super) fn to_u32(removed: usize) -> u32 {
    u32::try_from(removed).unwrap_or(u32::MAX)
}

impl Tx for Transaction<'_> {
    fn revocations(&mut self) -> &mut dyn Revocations {
        self
    }
    fn audit(&mut self) -> &mut dyn Audit {
        self
    }
}

macro_rules! shows {
    ($view:ident { $($accessor:ident: $port:path),* $(,)? }) => {
        impl $view for Transaction<'_> {
            $(fn $accessor(&mut self) -> &mut dyn $port { self })*
        }
    };
}

shows!(AuthTx {
    sessions: ports::Sessions,
    credentials: ports::Credentials,
    tenants: ports::Tenants,
    users: ports::Users,
    devices: ports::Devices,
    roles: ports::Roles,
    attempts: ports::Attempts,
    known_networks: ports::KnownNetworks,
    keys: ports::Keys,
    feed: ports::Feed,
    live_events: ports::LiveEvents,
    nodes: ports::Nodes,
    instances: ports::Instances,
    api_keys: ports::ApiKeys,
    signatures: ports::Signatures,
    enrollments: ports::Enrollments,
    device_keys: ports::DeviceKeys,
    pending_keys: ports::PendingKeys,
    pins: ports::Pins,
});

shows!(OfficeTx {
    tenants: office::Tenants,
    users: office::Users,
    devices: office::Devices,
    enrollments: office::Enrollments,
    device_keys: office::DeviceKeys,
    pending_keys: office::PendingKeys,
    pins: office::Pins,
    roles: office::Roles,
    passwords: office::Passwords,
    resets: office::Resets,
    invitations: office::Invitations,
    email_verifications: office::EmailVerifications,
    mail_queue: office::MailQueue,
    api_keys: office::ApiKeys,
    tickets: office::Tickets,
    idempotency_keys: office::IdempotencyKeys,
    events: office::Events,
    seals: office::Seals,
    setup_tokens: office::SetupTokens,
});
