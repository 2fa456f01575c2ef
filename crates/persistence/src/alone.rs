//! A unit of work in a transaction of its own, on a connection of the pool: every one on PostgreSQL, and those that only read on
//! SQLite. Knows when to run again; what a failure means stands in `failure`.

use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection, TransactionManager};
use tillgate_domain::{Mode, StoreError, Stored};

use crate::connection::AnyConnection;
use crate::database::nesting::Number;
use crate::database::{Job, RUNS};
use crate::deadline::Deadline;
use crate::failure::{LOST, READ_ONLY, classify, spoils};
use crate::pool::{Pool, Pooled};
use crate::transaction::{Transaction, Written};
use crate::{postgres, sqlite};

/// The first pause before another run is twice this long, and each further one twice the one before.
const MOMENT: Duration = Duration::from_millis(1);

type Manager = <AnyConnection as Connection>::TransactionManager;

/// Runs the unit of work until it is committed, has failed or is out of time, and returns the changes that it committed.
pub(crate) fn run(pool: &Pool, number: Number, mode: Mode, deadline: &Deadline, work: Job<'_>) -> Stored<Written> {
    let mut runs = 0;
    loop {
        let mut lent = pool.lend(deadline)?;
        // Stays set where the closure panics.
        lent.spoiled = true;
        lent.trouble.take();
        match begin(&mut lent.connection, mode, deadline).map_err(classify) {
            Ok(()) => {}
            // It broke while it lay in the pool. The closure has not run, so this is no run; the next one may live.
            Err(StoreError::Conflict(_)) if !deadline.passed() => continue,
            Err(StoreError::Conflict(say)) => return Err(StoreError::Unavailable(say)),
            Err(error) => return Err(error),
        }
        runs += 1;
        let mut written = Written::default();
        let outcome = {
            let _inside = number.enter();
            work(&mut Transaction::new(&mut lent.connection, &mut written, mode))
        };
        match end(&mut lent, mode, outcome) {
            Ok(()) => return Ok(written),
            Err(StoreError::Conflict(say)) if runs >= RUNS || deadline.passed() => {
                return Err(StoreError::Unavailable(format!("in conflict {runs} times, last: {say}")));
            }
            Err(StoreError::Conflict(say)) => {
                tracing::debug!(say, runs, "a unit of work runs again");
                // After a moment: whoever it was in the way of was waiting for a lock and must get it first.
                drop(lent);
                std::thread::sleep(MOMENT.saturating_mul(1 << runs).min(deadline.left()));
            }
            Err(error) => return Err(error),
        }
    }
}

fn begin(connection: &mut AnyConnection, mode: Mode, deadline: &Deadline) -> diesel::QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            AnsiTransactionManager::begin_transaction_sql(connection, &sqlite::begin_reading(deadline))
        }
        AnyConnection::Postgres(connection) => {
            AnsiTransactionManager::begin_transaction_sql(connection, &postgres::begin(mode, deadline))
        }
    }
}

/// Commits or rolls back. `Conflict` asks for another run.
fn end(lent: &mut Pooled, mode: Mode, outcome: Stored<()>) -> Stored<()> {
    let outcome = outcome.and_then(|()| unbroken(lent));
    let error = match outcome {
        Ok(()) => match Manager::commit_transaction(&mut lent.connection).map_err(classify) {
            Ok(()) => {
                lent.spoiled = false;
                return Ok(());
            }
            // Whether the server has committed before it was lost, nobody knows.
            Err(StoreError::Conflict(say)) if say == LOST && mode == Mode::Write => StoreError::Unavailable(
                "the connection was lost in COMMIT; the unit of work may have been committed".to_owned(),
            ),
            Err(error) => error,
        },
        Err(error) => {
            let error = written(lent, mode, error);
            lent.spoiled = spoils(&error) || Manager::rollback_transaction(&mut lent.connection).is_err();
            error
        }
    };
    Err(error)
}

/// Refuses to commit where a statement has failed and the closure passed over it: PostgreSQL answers the COMMIT of a failed
/// transaction with a rollback that diesel takes for success.
fn unbroken(lent: &mut Pooled) -> Stored<()> {
    if !lent.trouble.take() {
        return Ok(());
    }
    lent.connection.batch_execute("SELECT 1").map_err(|error| match classify(error) {
        StoreError::Fault(_) => StoreError::Fault("a statement failed and the unit of work went on".to_owned()),
        other => other,
    })
}

/// A write in a unit of work that only reads is a fault of ours, while a database that takes no writes is unavailable to those who
/// write. SQLite says the same of both, and of a file that it cannot even read: the one who can still read has tried to write.
fn written(lent: &mut Pooled, mode: Mode, error: StoreError) -> StoreError {
    let read_only = matches!(&error, StoreError::Unavailable(say) if say == READ_ONLY);
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
