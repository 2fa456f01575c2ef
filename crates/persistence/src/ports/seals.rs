//! The chain of the audit. Lines are read as bytes, whatever somebody may have put into their columns: what is no text any more
//! can still be named.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable};
use tillgate_domain::audit::seal::{Line, Seal, SealedLine};
use tillgate_domain::office::ports::{Seals, Unsealed};
use tillgate_domain::{StoreError, Stored};

use crate::connection::AnyConnection;
use crate::failure::classify;
use crate::row::LineKeys;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

/// Selects lines whole; a text stands between the first two, so that it is answered as its bytes.
macro_rules! lines {
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
        /// The statement for SQLite, and for PostgreSQL.
        const $name: [&str; 2] = [lines!("CAST(", " AS BLOB)", $which), lines!("convert_to(", ", 'UTF8')", $which)];
    };
}

on_both!(UNSEALED, "WHERE sequence IS NULL ORDER BY id LIMIT $1");
on_both!(SEALED, "WHERE sequence >= $1 ORDER BY sequence LIMIT $2");

const NEWEST: &str = "SELECT sequence, hash FROM audit_seal WHERE id = 1";
// in PostgreSQL a second claim waits here until the first has ended, and answers what that one wrote
const CLAIM: &str = "UPDATE audit_seal SET sequence = sequence WHERE id = 1 RETURNING sequence, hash";
// one line at a time: SQLite joins a list of values to the table by going through every line that waits
const SEAL: &str = "UPDATE audit SET sequence = $1, previous = $2, hash = $3 WHERE id = $4 AND sequence IS NULL";
const NOTE: &str = "UPDATE audit_seal SET sequence = $1, hash = $2 WHERE id = 1";
const WAITING: &str = "SELECT COUNT(*) AS lines, MIN(at) AS since FROM \
     (SELECT at FROM audit WHERE sequence IS NULL ORDER BY id LIMIT $1) waiting";

#[derive(QueryableByName)]
struct LineRow {
    #[diesel(embed)]
    keys: LineKeys,
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

impl LineRow {
    fn sealed(self) -> SealedLine {
        let keys = self.keys;
        let line = Line {
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
        SealedLine { line, sequence: self.sequence.unwrap_or_default(), previous: self.previous, hash: self.hash }
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
    fn seal(self) -> Seal {
        Seal { sequence: self.sequence, hash: self.hash }
    }
}

#[derive(QueryableByName)]
struct WaitingRow {
    #[diesel(sql_type = BigInt)]
    lines: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    since: Option<i64>,
}

impl Transaction<'_> {
    fn lines<'b>(
        &mut self,
        [sqlite, postgres]: [&'static str; 2],
        binds: impl Into<Vec<Bind<'b>>>,
    ) -> Stored<Vec<SealedLine>> {
        let text = match self.connection {
            AnyConnection::Sqlite(_) => sqlite,
            AnyConnection::Postgres(_) => postgres,
        };
        let rows: Vec<LineRow> = Statement::new(text, binds).load(self.connection).map_err(classify)?;
        Ok(rows.into_iter().map(LineRow::sealed).collect())
    }
}

impl Seals for Transaction<'_> {
    fn newest(&mut self) -> Stored<Seal> {
        let row: SealRow = Statement::new(NEWEST, []).get_result(self.connection).map_err(classify)?;
        Ok(row.seal())
    }

    fn claim(&mut self) -> Stored<Seal> {
        let row: SealRow = Statement::new(CLAIM, []).get_result(self.writing()?).map_err(classify)?;
        Ok(row.seal())
    }

    fn waiting(&mut self, most: u32) -> Stored<Unsealed> {
        let statement = Statement::new(WAITING, [i64::from(most).into()]);
        let row: WaitingRow = statement.get_result(self.connection).map_err(classify)?;
        Ok(Unsealed { lines: u32::try_from(row.lines).unwrap_or(u32::MAX), since: row.since })
    }

    fn unsealed(&mut self, limit: u32) -> Stored<Vec<Line>> {
        let lines = self.lines(UNSEALED, [i64::from(limit).into()])?;
        Ok(lines.into_iter().map(|sealed| sealed.line).collect())
    }

    fn seal(&mut self, before: &Seal, seals: &[(Vec<u8>, Seal)]) -> Stored<()> {
        let Some((_, newest)) = seals.last() else { return Ok(()) };
        let mut previous: &[u8] = &before.hash;
        for (id, seal) in seals {
            let previous = std::mem::replace(&mut previous, &seal.hash);
            let binds = [seal.sequence.into(), Bind::Bytes(previous), Bind::Bytes(&seal.hash), Bind::Bytes(id)];
            if self.run(&Statement::new(SEAL, binds))? != 1 {
                return Err(StoreError::Conflict("a line of the audit has a seal already".to_owned()));
            }
        }
        self.run(&Statement::new(NOTE, [newest.sequence.into(), Bind::Bytes(&newest.hash)]))?;
        Ok(())
    }

    fn sealed(&mut self, from: i64, limit: u32) -> Stored<Vec<SealedLine>> {
        self.lines(SEALED, [from.into(), i64::from(limit).into()])
    }
}
