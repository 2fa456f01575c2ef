//! An open transaction: every port is implemented on it, once for both databases.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tillgate_auth_core::ports::{self as auth, AuthTx, InstanceState};
use tillgate_domain::office::ports::{self as office, OfficeTx};
use tillgate_domain::{Audit, Change, Instant, Mode, Revocations, Scope, SessionId, StoreError, StoreResult, Tx};
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::error_class::classify;
use crate::row::instance::parse_state;
use crate::schema::meta;
use crate::statement::{Bind, Statement, placeholders};

/// How many times a unit of work runs at most.
pub(crate) const MAX_RUNS: u32 = 5;

/// The error text of a write in a unit of work that only reads.
pub(crate) const WRITE_IN_READ_UNIT: &str = "a unit of work that only reads has tried to write";

/// The closure of a unit of work, as this crate runs it.
pub(crate) type TransactionWork<'w> = &'w mut dyn FnMut(&mut Transaction<'_>) -> StoreResult<()>;

/// The changes that a unit of work has written to the feed.
#[derive(Default)]
pub(crate) struct WrittenChanges {
    /// The changes for the observers, after the commit.
    pub(crate) changes: Vec<Change>,
    /// The feed numbers of the changes.
    pub(crate) numbers: Vec<i64>,
}

impl WrittenChanges {
    /// Adds the changes of another unit of work in the same commit.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.changes.append(&mut other.changes);
        self.numbers.append(&mut other.numbers);
    }
}

/// An open transaction on either database.
pub(crate) struct Transaction<'a> {
    /// The connection with the open transaction.
    pub(crate) connection: &'a mut AnyConnection,
    /// The changes that the transaction has written.
    pub(crate) written_changes: &'a mut WrittenChanges,
    mode: Mode,
    /// Whether the store is known to accept writes.
    writes_allowed: bool,
    /// Whether a statement that writes was requested.
    wrote: bool,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(connection: &'a mut AnyConnection, written: &'a mut WrittenChanges, mode: Mode) -> Self {
        Self { connection, written_changes: written, mode, writes_allowed: false, wrote: false }
    }

    /// The transaction of a unit of work in a group, of which an earlier one may have checked that
    /// the store accepts writes.
    pub(crate) fn in_group(
        connection: &'a mut AnyConnection,
        written: &'a mut WrittenChanges,
        writes_allowed: bool,
    ) -> Self {
        Self { writes_allowed, ..Self::new(connection, written, Mode::Write) }
    }
}

impl Transaction<'_> {
    /// The connection for a statement that writes.
    ///
    /// In a unit of work that only reads this is an internal fault, and the statement is not sent:
    /// the database's own "read-only" error would look like a database that accepts no writes for a
    /// while. The first write checks whether the store accepts writes, so a unit of work that may
    /// write and does not (a repeated refresh) pays nothing for the check.
    pub(crate) fn write_connection(&mut self) -> StoreResult<&mut AnyConnection> {
        if self.mode == Mode::Read {
            return Err(StoreError::Fault(WRITE_IN_READ_UNIT.to_owned()));
        }
        if !self.writes_allowed {
            self.check_writable()?;
            self.writes_allowed = true;
        }
        self.wrote = true;
        Ok(self.connection)
    }

    /// Whether a statement that writes was requested.
    pub(crate) fn has_written(&self) -> bool {
        self.wrote
    }

    /// Whether the store is known to accept writes until the end of the transaction, if it holds
    /// the lock of SQLite.
    pub(crate) fn writes_allowed(&self) -> bool {
        self.writes_allowed
    }

    /// Checks whether the store accepts writes: one read of one row by its primary key, prepared
    /// once. An operator who moves the store sets its state and then waits until the units of work
    /// that began before have ended, for at most their deadline.
    fn check_writable(&mut self) -> StoreResult<()> {
        let found: String =
            meta::table.find(1_i64).select(meta::state).get_result(self.connection).map_err(classify)?;
        match parse_state(&found)? {
            InstanceState::Open => Ok(()),
            InstanceState::Draining => Err(StoreError::Unavailable("the store is being moved elsewhere".to_owned())),
            InstanceState::Moved => Err(StoreError::Unavailable("the store has been moved elsewhere".to_owned())),
        }
    }

    /// Sets the instance id if there is none yet, and returns whether it did.
    pub(crate) fn set_instance_id(&mut self, instance: Uuid) -> StoreResult<bool> {
        let without_id = meta::table.find(1_i64).filter(meta::instance.is_null());
        let updated = diesel::update(without_id)
            .set(meta::instance.eq(instance.as_bytes().as_slice()))
            .execute(self.write_connection()?)
            .map_err(classify)?;
        Ok(updated == 1)
    }

    /// Runs a statement and returns the number of affected rows.
    pub(crate) fn execute(&mut self, statement: &Statement<'_>) -> StoreResult<usize> {
        self.write_connection()?.execute_returning_count(statement).map_err(classify)
    }

    /// Inserts rows of `width` values each. `into` names the table and its columns, as in
    /// `user_roles (user_id, role_id)`. `read` classifies an error.
    pub(crate) fn insert_or(
        &mut self,
        into: &str,
        width: usize,
        values: &[Bind<'_>],
        read: fn(diesel::result::Error) -> StoreError,
    ) -> StoreResult<()> {
        // SQLite accepts 32766 values in a statement, PostgreSQL 65535
        for part in values.chunks(width.max(1) * 1000) {
            let text = format!("INSERT INTO {into} VALUES {}", placeholders(1, part.len() / width.max(1), width));
            self.write_connection()?
                .execute_returning_count(&Statement::uncached(text, part.to_vec()))
                .map_err(read)?;
        }
        Ok(())
    }

    /// Writes changes to the feed, and records them for the observers.
    pub(crate) fn record_changes(&mut self, changes: &[Change], at: Instant) -> StoreResult<()> {
        // SQLite accepts 32766 values in a statement, PostgreSQL 65535
        for part in changes.chunks(1000) {
            let values: Vec<Bind<'_>> = part.iter().flat_map(|change| change_values(change, at)).collect();
            let number = match self.connection {
                AnyConnection::Sqlite(_) => "position",
                AnyConnection::Postgres(_) => "number",
            };
            let text = format!("{INSERT_CHANGES} {} RETURNING {number} AS number", placeholders(1, part.len(), 5));
            // nearly all calls publish a single change
            let insert =
                if part.len() == 1 { Statement::cached(text, values) } else { Statement::uncached(text, values) };
            let numbers: Vec<NumberRow> = insert.load(self.write_connection()?).map_err(classify)?;
            self.written_changes.numbers.extend(numbers.iter().map(|row| row.number));
        }
        self.written_changes.changes.extend_from_slice(changes);
        Ok(())
    }
}

const INSERT_CHANGES: &str = "INSERT INTO changes (kind, scope, subject_id, epoch, written_at) VALUES";

/// The number of a change in the feed.
#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// The columns of a change, in the order of [`INSERT_CHANGES`].
fn change_values(change: &Change, at: Instant) -> [Bind<'_>; 5] {
    let (kind, (scope, subject), epoch) = match change {
        Change::SessionEnded(SessionId(id)) => ("ended", ("session", Bind::from(id)), None),
        Change::EpochBumped { scope, epoch } => ("raised", scope_values(scope), Some(epoch.0)),
        Change::Invalidated(scope) => ("touched", scope_values(scope), None),
    };
    [kind.into(), scope.into(), subject, epoch.into(), at.into()]
}

fn scope_values(scope: &Scope) -> (&'static str, Bind<'_>) {
    match scope {
        Scope::User(id) => ("user", Bind::from(&id.0)),
        Scope::Device(id) => ("device", Bind::from(&id.0)),
        Scope::Tenant(id) => ("tenant", Bind::from(&id.0)),
        Scope::Keys => ("keys", Bind::NoBytes),
        Scope::Clock => ("clock", Bind::NoBytes),
    }
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
    ($view:ident { $($name:ident: $port:path),* $(,)? }) => {
        impl $view for Transaction<'_> {
            $(fn $name(&mut self) -> &mut dyn $port { self })*
        }
    };
}

shows!(AuthTx {
    sessions: auth::Sessions,
    credentials: auth::Credentials,
    tenants: auth::Tenants,
    users: auth::Users,
    devices: auth::Devices,
    roles: auth::Roles,
    attempts: auth::Attempts,
    known_networks: auth::KnownNetworks,
    keys: auth::Keys,
    feed: auth::Feed,
    live_events: auth::LiveEvents,
    nodes: auth::Nodes,
    instances: auth::Instances,
    api_keys: auth::ApiKeys,
    signatures: auth::Signatures,
    enrollments: auth::Enrollments,
    device_keys: auth::DeviceKeys,
    pending_keys: auth::PendingKeys,
    pins: auth::Pins,
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
