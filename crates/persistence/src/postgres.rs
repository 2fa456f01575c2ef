//! What is specific to PostgreSQL: connection parameters, the setup of a connection, and how a
//! transaction begins.

mod address_errors;
mod parameters;

use diesel::connection::{Connection, SimpleConnection};
use diesel::{PgConnection, RunQueryDsl, sql_query, sql_types::Text};
use tillgate_domain::Mode;

use crate::connection::AnyConnection;
use crate::database::{Limits, redact_message};
use crate::deadline::Deadline;
use crate::pool::{ConnectFailure, ConnectFn};

pub(crate) use address_errors::find_address_error;

/// Returns the function that opens connections to the server at this address.
pub(crate) fn connection_opener(address: &str, limits: &Limits) -> ConnectFn {
    let address = parameters::with_defaults(address, limits.deadline);
    let setup = session_setup_sql(limits);
    Box::new(move || {
        let mut connection = connect(&address)?;
        prepare_session(&mut connection, &setup).map_err(|error| ConnectFailure(error.to_string()))?;
        Ok(AnyConnection::Postgres(connection))
    })
}

/// Opens a connection without time-outs, for operations that may take long (migrations).
pub(crate) fn connect_plain(address: &str, limits: &Limits) -> Result<PgConnection, ConnectFailure> {
    let mut connection = connect(&parameters::with_defaults(address, limits.deadline))?;
    // a server that does not support it finds out later that a process has ended
    drop(connection.batch_execute(DETECT_LOST_CLIENT));
    Ok(connection)
}

/// Makes a server of version 14 or newer end a statement whose client has ended. Otherwise the
/// statement of a process that was stopped while it waited for a lock stays in the queue for the
/// lock, and everybody who needs the table waits behind it.
const DETECT_LOST_CLIENT: &str =
    "SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'";

fn connect(address: &str) -> Result<PgConnection, ConnectFailure> {
    PgConnection::establish(address).map_err(|error| ConnectFailure(redact_message(address, &error.to_string())))
}

/// The time-outs are set once per connection, so they cost a unit of work nothing. Each limits one
/// statement, not the unit of work; a server that supports `transaction_timeout` (version 17 and
/// newer) limits that too. If a client freezes in the middle of a transaction, the server ends its
/// session after a while and releases its locks.
fn session_setup_sql(limits: &Limits) -> String {
    let millis = limits.deadline.as_millis().max(1);
    let idle = millis.saturating_mul(5);
    format!(
        "SET statement_timeout = {millis}; SET lock_timeout = {millis}; SET idle_in_transaction_session_timeout = {idle}; \
         SELECT set_config(name, '{idle}', false) FROM pg_settings WHERE name = 'transaction_timeout'; \
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
}

#[derive(diesel::QueryableByName)]
struct LcMessagesRow {
    #[diesel(sql_type = Text)]
    lc_messages: String,
}

fn prepare_session(connection: &mut PgConnection, setup: &str) -> diesel::QueryResult<()> {
    connection.batch_execute(setup)?;
    let language: LcMessagesRow =
        sql_query("SELECT current_setting('lc_messages') AS lc_messages").get_result(connection)?;
    // Errors are classified by their English messages; see `error_class`. Only some roles may set
    // the language.
    let english = ["", "C", "POSIX"].contains(&language.lc_messages.as_str())
        || language.lc_messages.starts_with("C.")
        || language.lc_messages.starts_with("en");
    if !english && connection.batch_execute("SET lc_messages = 'C'").is_err() {
        tracing::warn!(
            lc_messages = language.lc_messages,
            "the database speaks another language than English and does not let this role choose: some failures will read as \
             faults (500) that are temporary (503); let its administrator run ALTER ROLE ... SET lc_messages = 'C'"
        );
    }
    Ok(())
}

/// The statement that begins a transaction. If a good part of the deadline has been used, it also
/// shortens the time-outs, in the same round trip.
pub(crate) fn begin_sql(mode: Mode, deadline: &Deadline) -> String {
    let begin = match mode {
        Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        Mode::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
    };
    if let Some(left) = deadline.remaining_if_shortened() {
        let millis = left.as_millis().max(1);
        return format!("{begin}; SET LOCAL statement_timeout = {millis}; SET LOCAL lock_timeout = {millis}");
    }
    begin.to_owned()
}
