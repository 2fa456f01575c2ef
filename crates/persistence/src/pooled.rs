//! Runs a unit of work in a transaction of its own, on a connection of the pool: all on PostgreSQL,
//! and those that only read on SQLite. It repeats a unit of work after a conflict; `error_class`
//! classifies the errors.

use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection, TransactionManager};
use tillgate_domain::{Mode, StoreError, StoreResult};

use crate::connection::AnyConnection;
use crate::database::nesting::DatabaseNumber;
use crate::deadline::Deadline;
use crate::error_class::{Cause, UnitError, classify, clear_last_cause};
use crate::pool::{Pool, PoolConnection};
use crate::transaction::{MAX_RUNS, Transaction, TransactionWork, WRITE_IN_READ_UNIT, WrittenChanges};
use crate::{postgres, sqlite};

/// The first pause before another run is twice as long, and each further pause is twice the
/// previous one.
const RETRY_BACKOFF_BASE: Duration = Duration::from_millis(1);

type Manager = <AnyConnection as Connection>::TransactionManager;

/// Runs the unit of work until it is committed, has failed or reaches the deadline, and returns the
/// changes that it committed.
pub(crate) fn run_unit(
    pool: &Pool,
    number: DatabaseNumber,
    mode: Mode,
    deadline: &Deadline,
    work: TransactionWork<'_>,
) -> Result<WrittenChanges, UnitError> {
    let mut runs = 0;
    loop {
        let mut pooled = pool.acquire(deadline)?;
        // Remains set if the closure panics.
        pooled.is_broken = true;
        pooled.statement_failure.take();
        clear_last_cause();
        match begin_transaction(&mut pooled.connection, mode, deadline).map_err(UnitError::of_statement) {
            Ok(()) => {}
            // It broke while it was idle in the pool. The closure has not run, so this is no run;
            // the next one may work.
            Err(UnitError { error: StoreError::Conflict(_), .. }) if !deadline.has_passed() => continue,
            Err(UnitError { error: StoreError::Conflict(text), .. }) => {
                return Err(StoreError::Unavailable(text).into());
            }
            Err(failed) => return Err(failed),
        }
        runs += 1;
        let mut written = WrittenChanges::default();
        let outcome = {
            let _inside = number.enter();
            work(&mut Transaction::new(&mut pooled.connection, &mut written, mode))
        };
        match end_transaction(&mut pooled, mode, outcome) {
            Ok(()) => return Ok(written),
            Err(UnitError { error: StoreError::Conflict(text), .. }) if runs >= MAX_RUNS || deadline.has_passed() => {
                return Err(StoreError::Unavailable(format!("in conflict {runs} times, last: {text}")).into());
            }
            Err(UnitError { error: StoreError::Conflict(text), .. }) => {
                tracing::debug!(text, runs, "a unit of work runs again");
                // The pause lets the other transaction take the lock that it waits for.
                drop(pooled);
                std::thread::sleep(RETRY_BACKOFF_BASE.saturating_mul(1 << runs).min(deadline.remaining()));
            }
            Err(failed) => return Err(failed),
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

/// Commits or rolls back. `Conflict` requests another run.
fn end_transaction(pooled: &mut PoolConnection, mode: Mode, outcome: StoreResult<()>) -> Result<(), UnitError> {
    let outcome = outcome.and_then(|()| check_no_failed_statement(pooled));
    match outcome {
        Ok(()) => match Manager::commit_transaction(&mut pooled.connection).map_err(UnitError::of_statement) {
            Ok(()) => {
                pooled.is_broken = false;
                Ok(())
            }
            // The server may have committed before the connection was lost.
            Err(failed) if failed.cause == Some(Cause::ConnectionLost) && mode == Mode::Write => {
                let text = "the connection was lost in COMMIT; the unit of work may have been committed";
                Err(StoreError::Unavailable(text.to_owned()).into())
            }
            Err(failed) => Err(failed),
        },
        Err(error) => {
            let failed = reclassify_read_only(pooled, mode, UnitError::of_closure(error));
            pooled.is_broken = failed.cause.is_some_and(Cause::spoils_connection)
                || Manager::rollback_transaction(&mut pooled.connection).is_err();
            Err(failed)
        }
    }
}

/// Fails if a statement has failed and the closure ignored the error: PostgreSQL answers the COMMIT
/// of a failed transaction with a rollback, which diesel takes for success.
fn check_no_failed_statement(pooled: &mut PoolConnection) -> StoreResult<()> {
    if !pooled.statement_failure.take() {
        return Ok(());
    }
    pooled.connection.batch_execute("SELECT 1").map_err(|error| match classify(error) {
        StoreError::Fault(_) => StoreError::Fault("a statement failed and the unit of work continued".to_owned()),
        other => other,
    })
}

/// A write in a unit of work that only reads is an internal fault, while a database that accepts no
/// writes is unavailable to those that write. SQLite reports both in the same way, and also a file
/// that it cannot read at all. If it can still be read, the unit of work has tried to write.
fn reclassify_read_only(pooled: &mut PoolConnection, mode: Mode, failed: UnitError) -> UnitError {
    if failed.cause != Some(Cause::ReadOnly) || mode == Mode::Write {
        return failed;
    }
    let readable = match &mut pooled.connection {
        AnyConnection::Sqlite(connection) => connection.batch_execute("SELECT 1 FROM sqlite_schema LIMIT 1").is_ok(),
        AnyConnection::Postgres(_) => true,
    };
    if readable { StoreError::Fault(WRITE_IN_READ_UNIT.to_owned()).into() } else { failed }
}

#[cfg(test)]
mod tests;
