//! Searches devices by a filter, in the order of their ids. One query returns the ids, two more the
//! devices.

use diesel::prelude::*;
use tillgate_domain::office::ports::{DeviceFilter, PageRequest};
use tillgate_domain::{Device, DeviceId, FoldedText, StoreResult, TenantId};

use crate::error_class::classify;
use crate::row::{DeviceRow, IdRow};
use crate::schema::devices;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;
use crate::where_clause::{WhereClause, contains_condition};

pub(super) fn search_page(
    transaction: &mut Transaction<'_>,
    tenant: TenantId,
    filter: &DeviceFilter,
    page: &PageRequest<DeviceId>,
) -> StoreResult<Vec<Device>> {
    let after = page.after.map_or(uuid::Uuid::nil(), |id| id.0);
    let search_text = filter.text.as_deref().map(FoldedText::of);
    let mut all = WhereClause::default();
    all.and("devices.tenant_id = ?", &[Bind::from(&tenant.0)]);
    all.and("devices.id > ?", &[Bind::from(&after)]);
    let statuses: Vec<Bind<'_>> = filter.statuses.iter().map(|status| status.name().into()).collect();
    all.and_in("devices.status", &statuses);
    all.and_if_some("devices.environment = ?", filter.environment.map(|environment| environment.name().into()));
    all.and_if_some("devices.branch_id = ?", filter.branch.as_ref().map(|branch| Bind::from(&branch.0)));
    let holds = contains_condition(transaction.connection, "devices.searched");
    all.and_if_some(&holds, search_text.as_ref().map(|text| text.as_str().into()));
    let (text, mut binds) = all.build_statement("SELECT devices.id FROM devices");
    binds.push(Bind::Number(i64::from(page.limit)));
    let text = format!("{text} ORDER BY devices.id LIMIT ${}", binds.len());
    let ids: Vec<IdRow> = Statement::uncached(text, binds).load(transaction.connection).map_err(classify)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = devices::table
        .filter(devices::id.eq_any(ids.iter().map(|row| row.id.as_slice())))
        .order(devices::id)
        .select(DeviceRow::as_select())
        .load(transaction.connection)
        .map_err(classify)?;
    transaction.load_roles(rows)
}
