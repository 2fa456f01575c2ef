//! Searches users by a filter. One query returns the ids, two more the users.

use std::collections::BTreeMap;

use diesel::prelude::*;
use tillgate_domain::office::ports::{OffsetPageRequest, UserCursor, UserFilter, UserOrder};
use tillgate_domain::{FoldedText, LiveEventKind, StoreResult, TenantId, User};

use crate::connection::AnyConnection;
use crate::error_class::classify;
use crate::ports::live_events::marks::{changed_condition, changed_values};
use crate::row::{Column, CountRow, IdRow, UserRow};
use crate::schema::users;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;
use crate::where_clause::{WhereClause, bytewise_order_expression, contains_condition};

/// The folded search text of a filter.
fn search_text(filter: &UserFilter) -> Option<FoldedText> {
    filter.text.as_deref().map(FoldedText::of)
}

fn filter_clause<'a>(
    connection: &AnyConnection,
    tenant: &'a TenantId,
    filter: &'a UserFilter,
    folded: Option<&'a FoldedText>,
) -> WhereClause<'a> {
    const HOLDS_ROLE: &str =
        "EXISTS (SELECT 1 FROM user_roles held WHERE held.user_id = users.id AND held.role_id = ?)";
    const IS_ASSIGNED_ROLE: &str = "(EXISTS (SELECT 1 FROM user_roles held WHERE held.user_id = users.id AND held.role_id = ?) \
         OR EXISTS (SELECT 1 FROM user_device_roles held WHERE held.user_id = users.id AND held.role_id = ?))";
    const IS_IN_STORE: &str = "EXISTS (SELECT 1 FROM user_devices listed JOIN devices ON devices.id = listed.device_id \
         WHERE listed.user_id = users.id AND devices.branch_id = ?)";
    let mut all = WhereClause::default();
    all.and("users.tenant_id = ?", &[Bind::from(&tenant.0)]);
    let statuses: Vec<Bind<'_>> = filter.statuses.iter().map(|status| status.name().into()).collect();
    all.and_in("users.status", &statuses);
    if let Some(role) = &filter.assigned_role {
        all.and(IS_ASSIGNED_ROLE, &[Bind::from(&role.0); 2]);
    }
    all.and_if_some(HOLDS_ROLE, filter.with_role.as_ref().map(|role| Bind::from(&role.0)));
    for role in &filter.without_roles {
        all.and(&format!("NOT {HOLDS_ROLE}"), &[Bind::from(&role.0)]);
    }
    all.and_if_some(IS_IN_STORE, filter.branch.as_ref().map(|branch| Bind::from(&branch.0)));
    all.and_if_some(&contains_condition(connection, "users.searched"), folded.map(|text| text.as_str().into()));
    if let Some(since) = filter.changed_since {
        all.and(&changed_condition(LiveEventKind::User, "users.id"), &changed_values(tenant, since));
    }
    all
}

pub(super) fn search_page(
    transaction: &mut Transaction<'_>,
    tenant: TenantId,
    filter: &UserFilter,
    order: UserOrder,
    part: &OffsetPageRequest<UserCursor>,
) -> StoreResult<Vec<User>> {
    let folded = search_text(filter);
    let mut conditions = filter_clause(transaction.connection, &tenant, filter, folded.as_ref());
    let name = bytewise_order_expression(transaction.connection, "users.name");
    let beyond = if order.is_descending() { '<' } else { '>' };
    let direction = if order.is_descending() { " DESC" } else { "" };
    let by_name = matches!(order, UserOrder::Name | UserOrder::NameDescending);
    if let Some(UserCursor { key, id }) = &part.after {
        let id = Bind::from(&id.0);
        if by_name {
            let key = Bind::from(key.as_str());
            // the first condition uses the index in both databases, which a comparison of rows
            // would not
            let past = format!("{name} {beyond}= ? AND ({name} {beyond} ? OR users.id {beyond} ?)");
            conditions.and(&past, &[key, key, id]);
        } else {
            conditions.and(&format!("users.id {beyond} ?"), &[id]);
        }
    }
    let order =
        if by_name { format!("{name}{direction}, users.id{direction}") } else { format!("users.id{direction}") };
    let (text, binds) = conditions.build_page("SELECT users.id FROM users", &order, part);
    let ids: Vec<IdRow> = Statement::uncached(text, binds).load(transaction.connection).map_err(classify)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = users::table
        .filter(users::id.eq_any(ids.iter().map(|row| row.id.as_slice())))
        .select(UserRow::as_select())
        .load(transaction.connection)
        .map_err(classify)?;
    let found = transaction.load_assignments(rows)?;
    let mut found: BTreeMap<Vec<u8>, User> =
        found.into_iter().map(|user| (user.id.0.as_bytes().to_vec(), user)).collect();
    let missing = || Column("users", "id").corrupt("an id that was found a moment ago");
    ids.iter().map(|row| found.remove(&row.id).ok_or_else(missing)).collect()
}

pub(super) fn count_users(
    transaction: &mut Transaction<'_>,
    tenant: TenantId,
    filter: &UserFilter,
) -> StoreResult<u64> {
    let folded = search_text(filter);
    let conditions = filter_clause(transaction.connection, &tenant, filter, folded.as_ref());
    let (text, binds) = conditions.build_statement("SELECT COUNT(*) AS number FROM users");
    let counted: CountRow = Statement::uncached(text, binds).get_result(transaction.connection).map_err(classify)?;
    Ok(counted.count())
}
