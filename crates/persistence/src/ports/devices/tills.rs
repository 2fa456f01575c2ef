//! Counts sale devices by their state, from an index of the devices and the primary key of the
//! sessions in their seats.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tillgate_domain::office::ports::{TillCountSpan, TillCounts};
use tillgate_domain::{BranchId, StoreResult, TenantId};

use crate::error_class::classify;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;
use crate::where_clause::WhereClause;

const HEAD: &str = "SELECT COUNT(CASE WHEN devices.status = 'active' THEN 1 END) AS active, \
     COUNT(CASE WHEN devices.status = 'locked' THEN 1 END) AS locked, \
     COUNT(CASE WHEN devices.status = 'pending' THEN 1 END) AS pending, \
     COUNT(CASE WHEN devices.status = 'active' THEN sessions.id END) AS logged_in, \
     COUNT(CASE WHEN devices.status = 'active' AND COALESCE(sessions.last_used_at, sessions.created_at) <= $2 \
     THEN 1 END) AS idle \
     FROM devices LEFT JOIN sessions ON sessions.id = devices.seat_id AND sessions.ended_at IS NULL \
     AND (sessions.expires_at IS NULL OR sessions.expires_at > $1)";

#[derive(QueryableByName)]
struct TillCountsRow {
    #[diesel(sql_type = BigInt)]
    active: i64,
    #[diesel(sql_type = BigInt)]
    locked: i64,
    #[diesel(sql_type = BigInt)]
    pending: i64,
    #[diesel(sql_type = BigInt)]
    logged_in: i64,
    #[diesel(sql_type = BigInt)]
    idle: i64,
}

pub(super) fn count_tills(
    transaction: &mut Transaction<'_>,
    tenant: TenantId,
    branch: Option<BranchId>,
    span: &TillCountSpan,
) -> StoreResult<TillCounts> {
    let mut all = WhereClause::after(&[span.now.into(), span.idle_since.into()]);
    all.and("devices.tenant_id = ?", &[Bind::from(&tenant.0)]);
    // literally as in the partial index
    all.and("devices.status <> 'retired' AND devices.environment IN ('CashRegister', 'PDA')", &[]);
    all.and_if_some("devices.branch_id = ?", branch.as_ref().map(|branch| Bind::from(&branch.0)));
    let (text, binds) = all.build_statement(HEAD);
    let row: TillCountsRow = Statement::uncached(text, binds).get_result(transaction.connection).map_err(classify)?;
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    Ok(TillCounts {
        active: count(row.active),
        locked: count(row.locked),
        pending: count(row.pending),
        logged_in: count(row.logged_in),
        idle: count(row.idle),
    })
}
