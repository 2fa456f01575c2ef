//! Finds users by what is known of them. The ids come in one query, the users in two more.

use std::collections::BTreeMap;

use diesel::prelude::*;
use tillgate_domain::office::ports::{Part, UserCursor, UserFilter, UserOrder};
use tillgate_domain::{Folded, Stored, TenantId, User};

use crate::conditions::{Conditions, bytewise, holds};
use crate::connection::AnyConnection;
use crate::failure::classify;
use crate::row::{Cell, Counted, Id, UserRow};
use crate::schema::users;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

/// What a filter looks for.
fn sought(filter: &UserFilter) -> Option<Folded> {
    filter.text.as_deref().map(Folded::of)
}

fn conditions<'a>(
    connection: &AnyConnection,
    tenant: &'a TenantId,
    filter: &'a UserFilter,
    sought: Option<&'a Folded>,
) -> Conditions<'a> {
    const HELD: &str = "EXISTS (SELECT 1 FROM user_roles held WHERE held.user_id = users.id AND held.role_id = ?)";
    let mut all = Conditions::default();
    all.and("users.tenant_id = ?", &[Bind::from(&tenant.0)]);
    let statuses: Vec<Bind<'_>> = filter.statuses.iter().map(|status| status.name().into()).collect();
    all.and_among("users.status", &statuses);
    all.and_maybe(HELD, filter.holding.as_ref().map(|role| Bind::from(&role.0)));
    for role in &filter.lacking {
        all.and(&format!("NOT {HELD}"), &[Bind::from(&role.0)]);
    }
    all.and_maybe(&holds(connection, "users.searched"), sought.map(|text| text.as_str().into()));
    all
}

pub(super) fn part(
    transaction: &mut Transaction<'_>,
    tenant: TenantId,
    filter: &UserFilter,
    order: UserOrder,
    part: &Part<UserCursor>,
) -> Stored<Vec<User>> {
    let sought = sought(filter);
    let mut conditions = conditions(transaction.connection, &tenant, filter, sought.as_ref());
    let name = bytewise(transaction.connection, "users.name");
    let beyond = if order.is_backwards() { '<' } else { '>' };
    let direction = if order.is_backwards() { " DESC" } else { "" };
    let by_name = matches!(order, UserOrder::Name | UserOrder::NameBackwards);
    if let Some(UserCursor { key, id }) = &part.after {
        let id = Bind::from(&id.0);
        if by_name {
            let key = Bind::from(key.as_str());
            // the first half is what both databases look up in the index; they would not for a comparison of rows
            let past = format!("{name} {beyond}= ? AND ({name} {beyond} ? OR users.id {beyond} ?)");
            conditions.and(&past, &[key, key, id]);
        } else {
            conditions.and(&format!("users.id {beyond} ?"), &[id]);
        }
    }
    let order =
        if by_name { format!("{name}{direction}, users.id{direction}") } else { format!("users.id{direction}") };
    let (text, binds) = conditions.part("SELECT users.id FROM users", &order, part);
    let ids: Vec<Id> = Statement::once(text, binds).load(transaction.connection).map_err(classify)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = users::table
        .filter(users::id.eq_any(ids.iter().map(|row| row.id.as_slice())))
        .select(UserRow::as_select())
        .load(transaction.connection)
        .map_err(classify)?;
    let found = transaction.with_assignments(rows)?;
    let mut found: BTreeMap<Vec<u8>, User> =
        found.into_iter().map(|user| (user.id.0.as_bytes().to_vec(), user)).collect();
    let missing = || Cell("users", "id").corrupt("an id that was found a moment ago");
    ids.iter().map(|row| found.remove(&row.id).ok_or_else(missing)).collect()
}

pub(super) fn count(transaction: &mut Transaction<'_>, tenant: TenantId, filter: &UserFilter) -> Stored<u64> {
    let sought = sought(filter);
    let conditions = conditions(transaction.connection, &tenant, filter, sought.as_ref());
    let (text, binds) = conditions.after("SELECT COUNT(*) AS number FROM users");
    let counted: Counted = Statement::once(text, binds).get_result(transaction.connection).map_err(classify)?;
    Ok(counted.number())
}
