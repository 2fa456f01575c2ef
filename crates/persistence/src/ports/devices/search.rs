//! Finds devices by what is known of them, in the order of their ids. The ids come in one query, the devices in two more.

use diesel::prelude::*;
use tillgate_domain::office::ports::{DeviceFilter, Page};
use tillgate_domain::{Device, DeviceId, Folded, Stored, TenantId};

use crate::conditions::{Conditions, holds};
use crate::failure::classify;
use crate::row::{DeviceRow, Id};
use crate::schema::devices;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

pub(super) fn part(
    transaction: &mut Transaction<'_>,
    tenant: TenantId,
    filter: &DeviceFilter,
    page: &Page<DeviceId>,
) -> Stored<Vec<Device>> {
    let after = page.after.map_or(uuid::Uuid::nil(), |id| id.0);
    let sought = filter.text.as_deref().map(Folded::of);
    let mut all = Conditions::default();
    all.and("devices.tenant_id = ?", &[Bind::from(&tenant.0)]);
    all.and("devices.id > ?", &[Bind::from(&after)]);
    let statuses: Vec<Bind<'_>> = filter.statuses.iter().map(|status| status.name().into()).collect();
    all.and_among("devices.status", &statuses);
    all.and_maybe("devices.environment = ?", filter.environment.map(|environment| environment.name().into()));
    let holds = holds(transaction.connection, "devices.searched");
    all.and_maybe(&holds, sought.as_ref().map(|text| text.as_str().into()));
    let (text, mut binds) = all.after("SELECT devices.id FROM devices");
    binds.push(Bind::Number(i64::from(page.limit)));
    let text = format!("{text} ORDER BY devices.id LIMIT ${}", binds.len());
    let ids: Vec<Id> = Statement::once(text, binds).load(transaction.connection).map_err(classify)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = devices::table
        .filter(devices::id.eq_any(ids.iter().map(|row| row.id.as_slice())))
        .order(devices::id)
        .select(DeviceRow::as_select())
        .load(transaction.connection)
        .map_err(classify)?;
    transaction.with_roles(rows)
}
