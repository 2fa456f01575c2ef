//! A unit of work in a transaction of its own, on a connection of the pool: every one on PostgreSQL, and those that only read on
//! SQLite. Knows when to run again; what a failure means stands in `failure`.

use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection, TransactionManager};
use tillgate_domain::{Mode, StoreError, StoreResult};

use crate::connection::AnyConnection;
use crate::database::nesting::DatabaseNumber;
use crate::database::{MAX_RUNS, TransactionWork};
use crate::deadline::Deadline;
use crate::error_class::{CONNECTION_LOST, DATABASE_READ_ONLY, classify, spoils_connection};
use crate::pool::{Pool, PoolConnection};
use crate::transaction::{Transaction, WrittenChanges};
use crate::{postgres, sqlite};

/// The first pause before another run is twice this long, and each further one twice the one before.
const RETRY_BACKOFF_BASE: Duration = Duration::from_millis(1);

type Manager = <AnyConnection as Connection>::TransactionManager;

/// Runs the unit of work until it is committed, has failed or is out of time, and returns the changes that it committed.
pub(crate) fn run_unit(
    pool: &Pool,
    number: DatabaseNumber,
    mode: Mode,
    deadline: &Deadline,
    work: TransactionWork<'_>,
) -> StoreResult<WrittenChanges> {
    let mut runs = 0;
    loop {
        let mut lent = pool.acquire(deadline)?;
        // Stays set where the closure panics.
        lent.is_broken = true;
        lent.statement_failure.take();
        match begin_transaction(&mut lent.connection, mode, deadline).map_err(classify) {
            Ok(()) => {}
            // It broke while it lay in the pool. The closure has not run, so this is no run; the next one may live.
            Err(StoreError::Conflict(_)) if !deadline.has_passed() => continue,
            Err(StoreError::Conflict(say)) => return Err(StoreError::Unavailable(say)),
            Err(error) => return Err(error),
        }
        runs += 1;
        let mut written = WrittenChanges::default();
        let outcome = {
            let _inside = number.enter();
            work(&mut Transaction::new(&mut lent.connection, &mut written, mode))
        };
        match end_transaction(&mut lent, mode, outcome) {
            Ok(()) => return Ok(written),
            Err(StoreError::Conflict(say)) if runs >= MAX_RUNS || deadline.has_passed() => {
                return Err(StoreError::Unavailable(format!("in conflict {runs} times, last: {say}")));
            }
            Err(StoreError::Conflict(say)) => {
                tracing::debug!(say, runs, "a unit of work runs again");
                // After a moment: whoever it was in the way of was waiting for a lock and must get it first.
                drop(lent);
                std::thread::sleep(RETRY_BACKOFF_BASE.saturating_mul(1 << runs).min(deadline.remaining()));
            }
            Err(error) => return Err(error),
        }
    }
}

fn begin_transaction(connection: &mut AnyConnection, mode: Mode, deadline: &Deadline) -> diesel::QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            AnsiTransactionManager::begin_transaction_sql(connection, &sqlite::begin_read_sql(deadline))
        }
        AnyConnection::Postgres(connection) => {
            AnsiTransactionManager::begin_transaction_sql(connection, &postgres::begin_sql(mode, deadline))
        }
    }
}

/// Commits or rolls back. `Conflict` asks for another run.
fn end_transaction(lent: &mut PoolConnection, mode: Mode, outcome: StoreResult<()>) -> StoreResult<()> {
    let outcome = outcome.and_then(|()| check_no_failed_statement(lent));
    let error = match outcome {
        Ok(()) => match Manager::commit_transaction(&mut lent.connection).map_err(classify) {
            Ok(()) => {
                lent.is_broken = false;
                return Ok(());
            }
            // Whether the server has committed before it was lost, nobody knows.
            Err(StoreError::Conflict(say)) if say == CONNECTION_LOST && mode == Mode::Write => StoreError::Unavailable(
                "the connection was lost in COMMIT; the unit of work may have been committed".to_owned(),
            ),
            Err(error) => error,
        },
        Err(error) => {
            let error = reclassify_read_only(lent, mode, error);
            lent.is_broken = spoils_connection(&error) || Manager::rollback_transaction(&mut lent.connection).is_err();
            error
        }
    };
    Err(error)
}

/// Refuses to commit where a statement has failed and the closure passed over it: PostgreSQL answers the COMMIT of a failed
/// transaction with a rollback that diesel takes for success.
fn check_no_failed_statement(lent: &mut PoolConnection) -> StoreResult<()> {
    if !lent.statement_failure.take() {
        return Ok(());
    }
    lent.connection.batch_execute("SELECT 1").map_err(|error| match classify(error) {
        StoreError::Fault(_) => StoreError::Fault("a statement failed and the unit of work went on".to_owned()),
        other => other,
    })
}

/// A write in a unit of work that only reads is a fault of ours, while a database that takes no writes is unavailable to those who
/// write. SQLite says the same of both, and of a file that it cannot even read: the one who can still read has tried to write.
fn reclassify_read_only(lent: &mut PoolConnection, mode: Mode, error: StoreError) -> StoreError {
    let read_only = matches!(&error, StoreError::Unavailable(say) if say == DATABASE_READ_ONLY);
    if !read_only || mode == Mode::Write {
        return error;
    }
    let readable = match &mut lent.connection {
        AnyConnection::Sqlite(connection) => connection.batch_execute("SELECT 1 FROM sqlite_schema LIMIT 1").is_ok(),
        AnyConnection::Postgres(_) => true,
    };
    if readable { StoreError::Fault("a unit of work that only reads has tried to write".to_owned()) } else { error }
}

#[cfg(test)]
mod tests;
