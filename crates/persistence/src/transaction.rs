//! An open transaction: every port is implemented on it, once for both databases.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tillgate_auth_core::ports::{self as auth, AuthTx, InstanceState};
use tillgate_domain::office::ports::{self as office, OfficeTx};
use tillgate_domain::{Audit, Change, Endings, Instant, Mode, Scope, SessionId, StoreError, Stored, Tx};
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::failure::classify;
use crate::ports::instances::state;
use crate::schema::meta;
use crate::statement::{Bind, Statement, places};

/// The changes that a unit of work has written.
#[derive(Default)]
pub(crate) struct Written {
    /// What the observers are told once it is committed.
    pub(crate) changes: Vec<Change>,
    /// Their numbers in the feed.
    pub(crate) numbers: Vec<i64>,
}

impl Written {
    /// Adds what another unit of work of the same commit has written.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.changes.append(&mut other.changes);
        self.numbers.append(&mut other.numbers);
    }
}

/// An open transaction on either database.
pub(crate) struct Transaction<'a> {
    /// The connection that it is open on.
    pub(crate) connection: &'a mut AnyConnection,
    /// The changes that it has written.
    pub(crate) written: &'a mut Written,
    mode: Mode,
    /// The store is known to take writes.
    open: bool,
}

impl<'a> Transaction<'a> {
    /// A transaction that has just been opened.
    pub(crate) fn new(connection: &'a mut AnyConnection, written: &'a mut Written, mode: Mode) -> Self {
        Self { connection, written, mode, open: false }
    }
}

impl Transaction<'_> {
    /// The connection for a statement that writes.
    ///
    /// In a unit of work that only reads that is a fault of ours, and is not even sent: a database's own "read-only" would read
    /// as one that takes no writes for a while. Before the first write the store is asked whether it takes any, so a unit that
    /// may write and need not (a refresh that is repeated) pays nothing for it.
    pub(crate) fn writing(&mut self) -> Stored<&mut AnyConnection> {
        if self.mode == Mode::Read {
            return Err(StoreError::Fault("a unit of work that only reads has tried to write".to_owned()));
        }
        if !self.open {
            self.writable()?;
            self.open = true;
        }
        Ok(self.connection)
    }

    /// Whether a statement that writes was asked for.
    pub(crate) fn has_written(&self) -> bool {
        self.open
    }

    /// Says whether the store takes writes: one read of one row by its primary key, prepared once. Whoever moves the store
    /// elsewhere sets the state and then waits until the units that began before have ended, which the deadline of a unit bounds.
    fn writable(&mut self) -> Stored<()> {
        let found: String =
            meta::table.find(1_i64).select(meta::state).get_result(self.connection).map_err(classify)?;
        match state(&found)? {
            InstanceState::Open => Ok(()),
            InstanceState::Draining => Err(StoreError::Unavailable("the store is being moved elsewhere".to_owned())),
            InstanceState::Moved => Err(StoreError::Unavailable("the store has been moved elsewhere".to_owned())),
        }
    }

    /// Gives the store its identity where it has none yet; true where it had none.
    pub(crate) fn born(&mut self, instance: Uuid) -> Stored<bool> {
        let unborn = meta::table.find(1_i64).filter(meta::instance.is_null());
        let given = diesel::update(unborn)
            .set(meta::instance.eq(instance.as_bytes().as_slice()))
            .execute(self.writing()?)
            .map_err(classify)?;
        Ok(given == 1)
    }

    /// Runs a statement that is text and says how many rows it wrote.
    pub(crate) fn run(&mut self, statement: &Statement<'_>) -> Stored<usize> {
        self.writing()?.execute_returning_count(statement).map_err(classify)
    }

    /// Inserts rows of `width` values each into a table and its columns, as `user_roles (user_id, role_id)` names them. An error is
    /// read by somebody who knows what it means there.
    pub(crate) fn insert_or(
        &mut self,
        into: &str,
        width: usize,
        values: &[Bind<'_>],
        read: fn(diesel::result::Error) -> StoreError,
    ) -> Stored<()> {
        // SQLite takes 32766 values in a statement, PostgreSQL 65535
        for part in values.chunks(width.max(1) * 1000) {
            let text = format!("INSERT INTO {into} VALUES {}", places(1, part.len() / width.max(1), width));
            self.writing()?.execute_returning_count(&Statement::once(text, part.to_vec())).map_err(read)?;
        }
        Ok(())
    }

    /// Writes changes into the feed and puts them down for the observer.
    pub(crate) fn tell(&mut self, changes: &[Change], at: Instant) -> Stored<()> {
        // SQLite takes 32766 values in a statement, PostgreSQL 65535
        for part in changes.chunks(1000) {
            let values: Vec<Bind<'_>> = part.iter().flat_map(|change| row(change, at)).collect();
            let number = match self.connection {
                AnyConnection::Sqlite(_) => "position",
                AnyConnection::Postgres(_) => "number",
            };
            let text = format!("{INTO_CHANGES} {} RETURNING {number} AS number", places(1, part.len(), 5));
            // one change at a time is what nearly all tell of
            let insert = if part.len() == 1 { Statement::kept(text, values) } else { Statement::once(text, values) };
            let numbers: Vec<Numbered> = insert.load(self.writing()?).map_err(classify)?;
            self.written.numbers.extend(numbers.iter().map(|row| row.number));
        }
        self.written.changes.extend_from_slice(changes);
        Ok(())
    }
}

const INTO_CHANGES: &str = "INSERT INTO changes (kind, scope, subject_id, epoch, written_at) VALUES";

/// The number that the feed gave a change.
#[derive(QueryableByName)]
struct Numbered {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// The columns of a change, in the order of `Transaction::tell`.
fn row(change: &Change, at: Instant) -> [Bind<'_>; 5] {
    let (kind, (scope, subject), epoch) = match change {
        Change::Ended(SessionId(id)) => ("ended", ("session", Bind::from(id)), None),
        Change::Raised { scope, epoch } => ("raised", of(scope), Some(epoch.0)),
        Change::Touched(scope) => ("touched", of(scope), None),
    };
    [kind.into(), scope.into(), subject, epoch.into(), at.into()]
}

fn of(scope: &Scope) -> (&'static str, Bind<'_>) {
    match scope {
        Scope::User(id) => ("user", Bind::from(&id.0)),
        Scope::Device(id) => ("device", Bind::from(&id.0)),
        Scope::Tenant(id) => ("tenant", Bind::from(&id.0)),
        Scope::Keys => ("keys", Bind::NoBytes),
        Scope::Clock => ("clock", Bind::NoBytes),
    }
}

impl Tx for Transaction<'_> {
    fn endings(&mut self) -> &mut dyn Endings {
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
    places: auth::Places,
    keys: auth::Keys,
    feed: auth::Feed,
    nodes: auth::Nodes,
    instances: auth::Instances,
    api_keys: auth::ApiKeys,
    signatures: auth::Signatures,
});

shows!(OfficeTx {
    tenants: office::Tenants,
    users: office::Users,
    devices: office::Devices,
    roles: office::Roles,
    passwords: office::Passwords,
    resets: office::Resets,
    api_keys: office::ApiKeys,
    tickets: office::Tickets,
    idempotency_keys: office::IdempotencyKeys,
    events: office::Events,
    seals: office::Seals,
});
