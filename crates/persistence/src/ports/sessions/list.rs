//! Lists sessions by a filter, in one of several orders, with the names of their users and devices.

use std::collections::BTreeSet;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Text};
use tillgate_auth_core::ports::{SessionCursor, SessionFilter, SessionOrder, SessionView};
use tillgate_domain::{DeviceName, FoldedText, SessionId, StoreResult, UserName};

use crate::connection::MultiBackend;
use crate::error_class::classify;
use crate::row::{Column, SessionRow};
use crate::schema::{devices, sessions, users};
use crate::transaction::Transaction;
use crate::where_clause::{contains_condition, first_searched_expression, searched_names_expression};

/// The key of the order by the newest use. There is no index for it, because it would be written at
/// every recorded use.
const LAST_USE: &str = "COALESCE(sessions.last_used_at, 0)";

/// A session with two names of its user and two of its device.
type SessionWithNames = (SessionRow, Option<String>, Option<String>, Option<String>, Option<String>);

fn into_view(found: SessionWithNames) -> StoreResult<SessionView> {
    let (row, user, display_name, device, environment) = found;
    let environment =
        environment.map(|name| Column("devices", "environment").check_parsed(name.parse())).transpose()?;
    Ok(SessionView {
        session: row.into_domain()?,
        user_name: user.map(UserName::from_stored),
        display_name,
        device_name: device.map(DeviceName::from_stored),
        environment,
    })
}

pub(super) fn list_page(
    transaction: &mut Transaction<'_>,
    filter: &SessionFilter,
    order: SessionOrder,
    after: Option<SessionCursor>,
    limit: u32,
) -> StoreResult<Vec<SessionView>> {
    let text = filter.text.as_deref().map(FoldedText::of);
    let mut query = sessions::table.left_join(users::table).left_join(devices::table).into_boxed::<MultiBackend>();
    if let Some(id) = &filter.tenant {
        query = query.filter(sessions::tenant_id.eq(id.0.as_bytes().as_slice()));
    }
    if let Some(id) = &filter.user {
        query = query.filter(sessions::user_id.eq(id.0.as_bytes().as_slice()));
    }
    if let Some(id) = &filter.device {
        query = query.filter(sessions::device_id.eq(id.0.as_bytes().as_slice()));
    }
    if let Some(id) = &filter.id {
        query = query.filter(sessions::id.eq(id.0.as_bytes().as_slice()));
    }
    if let Some(id) = &filter.branch {
        query = query.filter(
            sql::<Bool>("sessions.device_id IN (SELECT id FROM devices WHERE branch_id = ")
                .bind::<Binary, _>(id.0.as_bytes().as_slice())
                .sql(")"),
        );
    }
    if let Some(dialect) = &filter.dialect {
        query = query.filter(sessions::dialect.eq(dialect.as_str()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(sessions::kind.eq(kind.name()));
    }
    if let Some(since) = filter.used_since {
        query = query.filter(sessions::last_used_at.ge(since.millis()));
    }
    if let Some(text) = &text {
        // without the e-mail address, which is not shown to everybody who may see sessions
        let user_names = searched_names_expression(transaction.connection, "users.searched");
        let device_name = first_searched_expression(transaction.connection, "devices.searched");
        let contains = |expression: &str| {
            let clause = contains_condition(transaction.connection, expression);
            let (before, behind) = clause.split_once('?').unwrap_or_default();
            sql::<Bool>(before).bind::<Text, _>(text.as_str()).sql(behind)
        };
        query = query.filter(contains(&user_names).or(contains(&device_name)));
    }
    query = match order {
        SessionOrder::Newest => query.order(sessions::id.desc()),
        SessionOrder::Oldest => query.order(sessions::id),
        SessionOrder::LastUsed => query.order((sql::<BigInt>(LAST_USE).desc(), sessions::id.desc())),
    };
    if let Some(SessionCursor { key, id }) = &after {
        let id = id.0.as_bytes().as_slice();
        query = match order {
            SessionOrder::Newest => query.filter(sessions::id.lt(id)),
            SessionOrder::Oldest => query.filter(sessions::id.gt(id)),
            SessionOrder::LastUsed => query.filter(
                sql::<Bool>(&format!("({LAST_USE}, sessions.id) < ("))
                    .bind::<BigInt, _>(*key)
                    .sql(", ")
                    .bind::<Binary, _>(id)
                    .sql(")"),
            ),
        };
    }
    if let Some((live, at)) = filter.live {
        let expiry = sessions::expires_at;
        query = if live {
            query.filter(sessions::ended_at.is_null()).filter(expiry.is_null().or(expiry.gt(at.millis())))
        } else {
            query.filter(sessions::ended_at.is_not_null().or(expiry.le(at.millis())))
        };
    }
    let rows: Vec<SessionWithNames> = query
        .limit(i64::from(limit))
        .select((
            SessionRow::as_select(),
            users::name.nullable(),
            users::display_name.nullable(),
            devices::name.nullable(),
            devices::environment.nullable(),
        ))
        .load(transaction.connection)
        .map_err(classify)?;
    rows.into_iter().map(into_view).collect()
}

pub(super) fn find_many(transaction: &mut Transaction<'_>, ids: &BTreeSet<SessionId>) -> StoreResult<Vec<SessionView>> {
    let rows: Vec<SessionWithNames> = sessions::table
        .left_join(users::table)
        .left_join(devices::table)
        .filter(sessions::id.eq_any(ids.iter().map(|id| id.0.as_bytes().as_slice())))
        .select((
            SessionRow::as_select(),
            users::name.nullable(),
            users::display_name.nullable(),
            devices::name.nullable(),
            devices::environment.nullable(),
        ))
        .load(transaction.connection)
        .map_err(classify)?;
    rows.into_iter().map(into_view).collect()
}
