//! Ends sessions and publishes changes.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool};
use tillgate_domain::{Change, EndReason, Epoch, Instant, Revocations, Scope, SessionId, StoreResult};
use uuid::Uuid;

use crate::error_class::classify;
use crate::row::Column;
use crate::schema::{devices, tenants, users};
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

/// A session that has just ended, and whether its end must be published by itself because no raised
/// epoch implies it.
#[derive(QueryableByName)]
struct EndedRow {
    #[diesel(sql_type = Binary)]
    id: Vec<u8>,
    #[diesel(sql_type = Bool)]
    apart: bool,
}

/// Ends the live sessions that match the first condition and all of their descendants, and returns
/// for each whether the second condition holds. `$1` is the instant, `$2` the reason, `$3` an id.
macro_rules! end_sessions_sql {
    ($which:literal, $apart:literal) => {
        concat!(
            "WITH RECURSIVE over (id) AS (SELECT id FROM sessions WHERE ",
            $which,
            " AND ended_at IS NULL UNION SELECT child.id FROM sessions child JOIN over ON child.parent_id = over.id) ",
            "UPDATE sessions SET ended_at = $1, ended_why = $2 ",
            "WHERE id IN (SELECT id FROM over) AND ended_at IS NULL RETURNING id, ",
            $apart,
            " AS apart"
        )
    };
}

const END_SESSION: &str = end_sessions_sql!("id = $3", "ended_at IS NOT NULL");
const END_CHILDREN: &str = end_sessions_sql!("parent_id = $3", "ended_at IS NOT NULL");
// a raised epoch implies the end of the sessions it is compared with; a permanent session or one of
// another principal may descend from an ended one
const END_SESSIONS_OF_USER: &str = end_sessions_sql!(
    "user_id = $3 AND kind <> 'permanent'",
    "(kind = 'permanent' OR user_id IS NULL OR user_id <> $3)"
);
const END_SESSIONS_ON_DEVICE: &str = end_sessions_sql!(
    "device_id = $3 AND kind <> 'permanent'",
    "(kind = 'permanent' OR device_id IS NULL OR device_id <> $3)"
);
const END_SESSIONS_IN_TENANT: &str =
    end_sessions_sql!("tenant_id = $3 AND kind <> 'permanent'", "(kind = 'permanent' OR tenant_id <> $3)");

const END_PERMANENT_OF_USER: &str = end_sessions_sql!("user_id = $3 AND kind = 'permanent'", "ended_at IS NOT NULL");
const END_PERMANENT_ON_DEVICE: &str =
    end_sessions_sql!("device_id = $3 AND kind = 'permanent'", "ended_at IS NOT NULL");
const END_PERMANENT_IN_TENANT: &str =
    end_sessions_sql!("tenant_id = $3 AND kind = 'permanent'", "ended_at IS NOT NULL");

impl Transaction<'_> {
    /// Ends sessions and returns the changes for those whose end nothing else implies.
    fn end_sessions(&mut self, text: &'static str, of: &Uuid, why: EndReason, at: Instant) -> StoreResult<Vec<Change>> {
        let binds = [at.into(), why.name().into(), Bind::from(of)];
        let ended: Vec<EndedRow> = Statement::new(text, binds).load(self.write_connection()?).map_err(classify)?;
        let change =
            |each: &EndedRow| Ok(Change::SessionEnded(SessionId(Column("sessions", "id").parse_uuid(&each.id)?)));
        ended.iter().filter(|each| each.apart).map(change).collect()
    }

    fn increment_epoch(&mut self, scope: Scope) -> StoreResult<Option<Epoch>> {
        let connection = self.write_connection()?;
        let raised: Option<i64> = match &scope {
            Scope::User(id) => diesel::update(users::table.find(id.0.as_bytes().as_slice()))
                .set(users::epoch.eq(users::epoch + 1_i64))
                .returning(users::epoch)
                .get_result(connection)
                .optional(),
            Scope::Device(id) => diesel::update(devices::table.find(id.0.as_bytes().as_slice()))
                .set(devices::epoch.eq(devices::epoch + 1_i64))
                .returning(devices::epoch)
                .get_result(connection)
                .optional(),
            Scope::Tenant(id) => diesel::update(tenants::table.find(id.0.as_bytes().as_slice()))
                .set(tenants::epoch.eq(tenants::epoch + 1_i64))
                .returning(tenants::epoch)
                .get_result(connection)
                .optional(),
            Scope::Keys | Scope::Clock => Ok(None),
        }
        .map_err(classify)?;
        Ok(raised.map(Epoch))
    }
}

impl Revocations for Transaction<'_> {
    fn end_session(&mut self, session: SessionId, why: EndReason, at: Instant) -> StoreResult<bool> {
        let mut changes = self.end_sessions(END_SESSION, &session.0, why, at)?;
        if changes.contains(&Change::SessionEnded(session)) {
            // on PostgreSQL, the first statement does not see a child that another unit of work
            // inserted while it had the session locked
            changes.extend(self.end_sessions(END_CHILDREN, &session.0, why, at)?);
        }
        self.record_changes(&changes, at)?;
        Ok(changes.contains(&Change::SessionEnded(session)))
    }

    fn bump_epoch(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<Option<Epoch>> {
        let Some(epoch) = self.increment_epoch(scope)? else { return Ok(None) };
        let mut changes = vec![Change::EpochBumped { scope, epoch }];
        changes.extend(match &scope {
            Scope::User(id) => self.end_sessions(END_SESSIONS_OF_USER, &id.0, why, at)?,
            Scope::Device(id) => self.end_sessions(END_SESSIONS_ON_DEVICE, &id.0, why, at)?,
            Scope::Tenant(id) => self.end_sessions(END_SESSIONS_IN_TENANT, &id.0, why, at)?,
            Scope::Keys | Scope::Clock => Vec::new(),
        });
        self.record_changes(&changes, at)?;
        Ok(Some(epoch))
    }

    fn end_permanent(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<()> {
        let changes = match &scope {
            Scope::User(id) => self.end_sessions(END_PERMANENT_OF_USER, &id.0, why, at)?,
            Scope::Device(id) => self.end_sessions(END_PERMANENT_ON_DEVICE, &id.0, why, at)?,
            Scope::Tenant(id) => self.end_sessions(END_PERMANENT_IN_TENANT, &id.0, why, at)?,
            Scope::Keys | Scope::Clock => Vec::new(),
        };
        self.record_changes(&changes, at)
    }

    fn invalidate(&mut self, scope: Scope, at: Instant) -> StoreResult<()> {
        self.record_changes(&[Change::Invalidated(scope)], at)
    }

    fn invalidate_all(&mut self, scopes: &[Scope], at: Instant) -> StoreResult<()> {
        let changes: Vec<Change> = scopes.iter().copied().map(Change::Invalidated).collect();
        self.record_changes(&changes, at)
    }
}
