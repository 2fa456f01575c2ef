//! The chain of seals over the audit log. Events are read as bytes, whatever somebody may have
//! written to their columns, so that an event that is no longer valid text can still be identified.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable};
use tillgate_domain::audit::seal::{Seal, SealedEvent, StoredEvent};
use tillgate_domain::office::ports::{Seals, UnsealedCount};
use tillgate_domain::{StoreError, StoreResult};

use crate::connection::AnyConnection;
use crate::error_class::classify;
use crate::row::EventKeys;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

/// Selects complete events. The first two parts enclose a text column, so that its bytes are
/// returned.
macro_rules! load_events {
    ($open:literal, $close:literal, $which:literal) => {
        concat!(
            "SELECT id, at, tenant_id, user_id, device_id, session_id, ",
            $open,
            "address",
            $close,
            " AS address, ",
            $open,
            "action",
            $close,
            " AS action, ",
            $open,
            "subject",
            $close,
            " AS subject, subject_id, ",
            $open,
            "outcome",
            $close,
            " AS outcome, ",
            $open,
            "details",
            $close,
            " AS details, ",
            "approver_id, operation, sequence, previous, hash FROM audit ",
            $which
        )
    };
}

macro_rules! on_both {
    ($name:ident, $which:literal) => {
        /// The statement for SQLite, and the one for PostgreSQL.
        const $name: [&str; 2] =
            [load_events!("CAST(", " AS BLOB)", $which), load_events!("convert_to(", ", 'UTF8')", $which)];
    };
}

on_both!(UNSEALED, "WHERE sequence IS NULL ORDER BY id LIMIT $1");
on_both!(SEALED, "WHERE sequence >= $1 ORDER BY sequence LIMIT $2");

const SELECT_NEWEST_SEAL: &str = "SELECT sequence, hash FROM audit_seal WHERE id = 1";
// on PostgreSQL, a second claim waits here until the first has ended, and then returns what that
// one wrote
const CLAIM_NEWEST_SEAL: &str = "UPDATE audit_seal SET sequence = sequence WHERE id = 1 RETURNING sequence, hash";
// one event per statement: SQLite would join a list of values by scanning all events that wait
const SEAL_EVENT: &str = "UPDATE audit SET sequence = $1, previous = $2, hash = $3 WHERE id = $4 AND sequence IS NULL";
const UPDATE_NEWEST_SEAL: &str = "UPDATE audit_seal SET sequence = $1, hash = $2 WHERE id = 1";
const COUNT_UNSEALED: &str = "SELECT COUNT(*) AS lines, MIN(at) AS since FROM \
     (SELECT at FROM audit WHERE sequence IS NULL ORDER BY id LIMIT $1) waiting";

#[derive(QueryableByName)]
struct SealedEventRow {
    #[diesel(embed)]
    keys: EventKeys,
    #[diesel(sql_type = Nullable<Binary>)]
    address: Option<Vec<u8>>,
    #[diesel(sql_type = Binary)]
    action: Vec<u8>,
    #[diesel(sql_type = Binary)]
    subject: Vec<u8>,
    #[diesel(sql_type = Binary)]
    outcome: Vec<u8>,
    #[diesel(sql_type = Binary)]
    details: Vec<u8>,
    #[diesel(sql_type = Nullable<Binary>)]
    operation: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    sequence: Option<i64>,
    #[diesel(sql_type = Nullable<Binary>)]
    previous: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    hash: Option<Vec<u8>>,
}

impl SealedEventRow {
    fn into_sealed_event(self) -> SealedEvent {
        let keys = self.keys;
        let line = StoredEvent {
            id: keys.id,
            at: keys.at,
            tenant: keys.tenant_id,
            user: keys.user_id,
            device: keys.device_id,
            session: keys.session_id,
            address: self.address,
            action: self.action,
            subject: self.subject,
            subject_id: keys.subject_id,
            outcome: self.outcome,
            details: self.details,
            approver: keys.approver_id,
            operation: self.operation,
        };
        SealedEvent {
            event: line,
            sequence: self.sequence.unwrap_or_default(),
            previous: self.previous,
            hash: self.hash,
        }
    }
}

#[derive(QueryableByName)]
struct SealRow {
    #[diesel(sql_type = BigInt)]
    sequence: i64,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
}

impl SealRow {
    fn into_seal(self) -> Seal {
        Seal { sequence: self.sequence, hash: self.hash }
    }
}

#[derive(QueryableByName)]
struct UnsealedRow {
    #[diesel(sql_type = BigInt)]
    lines: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    since: Option<i64>,
}

impl Transaction<'_> {
    fn load_events<'b>(
        &mut self,
        [sqlite, postgres]: [&'static str; 2],
        binds: impl Into<Vec<Bind<'b>>>,
    ) -> StoreResult<Vec<SealedEvent>> {
        let text = match self.connection {
            AnyConnection::Sqlite(_) => sqlite,
            AnyConnection::Postgres(_) => postgres,
        };
        let rows: Vec<SealedEventRow> = Statement::new(text, binds).load(self.connection).map_err(classify)?;
        Ok(rows.into_iter().map(SealedEventRow::into_sealed_event).collect())
    }
}

impl Seals for Transaction<'_> {
    fn find_newest(&mut self) -> StoreResult<Seal> {
        let row: SealRow = Statement::new(SELECT_NEWEST_SEAL, []).get_result(self.connection).map_err(classify)?;
        Ok(row.into_seal())
    }

    fn claim(&mut self) -> StoreResult<Seal> {
        let row: SealRow =
            Statement::new(CLAIM_NEWEST_SEAL, []).get_result(self.write_connection()?).map_err(classify)?;
        Ok(row.into_seal())
    }

    fn count_unsealed(&mut self, most: u32) -> StoreResult<UnsealedCount> {
        let statement = Statement::new(COUNT_UNSEALED, [i64::from(most).into()]);
        let row: UnsealedRow = statement.get_result(self.connection).map_err(classify)?;
        Ok(UnsealedCount { events: u32::try_from(row.lines).unwrap_or(u32::MAX), since: row.since })
    }

    fn list_unsealed(&mut self, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        let lines = self.load_events(UNSEALED, [i64::from(limit).into()])?;
        Ok(lines.into_iter().map(|sealed| sealed.event).collect())
    }

    fn insert_seals(&mut self, before: &Seal, seals: &[(Vec<u8>, Seal)]) -> StoreResult<()> {
        let Some((_, newest)) = seals.last() else { return Ok(()) };
        let mut previous: &[u8] = &before.hash;
        for (id, seal) in seals {
            let previous = std::mem::replace(&mut previous, &seal.hash);
            let binds = [seal.sequence.into(), Bind::Bytes(previous), Bind::Bytes(&seal.hash), Bind::Bytes(id)];
            if self.execute(&Statement::new(SEAL_EVENT, binds))? != 1 {
                return Err(StoreError::Conflict("a line of the audit has a seal already".to_owned()));
            }
        }
        self.execute(&Statement::new(UPDATE_NEWEST_SEAL, [newest.sequence.into(), Bind::Bytes(&newest.hash)]))?;
        Ok(())
    }

    fn list_sealed(&mut self, from: i64, limit: u32) -> StoreResult<Vec<SealedEvent>> {
        self.load_events(SEALED, [from.into(), i64::from(limit).into()])
    }
}
