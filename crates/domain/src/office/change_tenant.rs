//! Changes a tenant: the name that people read, its time zone, its language.

use serde_json::{Map, json};

use super::ports::{OfficeTx, OfficeView};
use super::refused::{Decided, Field, Halt, Refused, decide};
use super::stamp::Stamp;
use super::text;
use crate::{Action, Locale, Scope, Store, StoreError, StoreExt, Subject, Tenant, TenantId, Zone};

/// What becomes of a tenant. `None` leaves a field as it is; the short name stays for its life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantChange {
    /// Another name that people read.
    pub name: Option<String>,
    /// Another time zone. Sessions that end at midnight end at the new one's from their next refresh on.
    pub zone: Option<Zone>,
    /// Another language.
    pub locale: Option<Locale>,
}

/// Changes the tenant and returns it as it is then. `version` is the one that was read, where the caller holds to it. Asks the right
/// `tenantUpdate`. What changes nothing writes nothing.
pub fn change_tenant(
    store: &dyn Store<OfficeView>,
    stamp: &Stamp,
    id: TenantId,
    version: Option<i64>,
    change: &TenantChange,
) -> Decided<Tenant> {
    store.write(|tx| decide(apply(tx, stamp, id, version, change)))
}

fn apply(
    tx: &mut dyn OfficeTx,
    stamp: &Stamp,
    id: TenantId,
    version: Option<i64>,
    change: &TenantChange,
) -> Result<Tenant, Halt> {
    stamp.authority.ask("tenantUpdate")?;
    let before = tx.tenants().find(id)?.ok_or_else(|| Refused::Absent { field: Field::Slug, value: id.to_string() })?;
    if version.is_some_and(|version| version != before.version) {
        return Err(Refused::Moved { current: before.version }.into());
    }
    let TenantChange { name, zone, locale } = change.clone();
    let mut after = before.clone();
    after.name = name.unwrap_or(after.name);
    after.zone = zone.unwrap_or(after.zone);
    after.locale = locale.unwrap_or(after.locale);
    text::check_filled(Field::Name, &after.name, text::LABEL)?;
    if after == before {
        return Ok(before);
    }
    if !tx.tenants().update(&after)? {
        return Err(StoreError::Conflict("the tenant moved on".to_owned()).into());
    }
    tx.endings().touch(Scope::Tenant(id), stamp.at)?;
    let details = Map::from_iter([
        ("name".to_owned(), json!(after.name)),
        ("zone".to_owned(), json!(after.zone.name())),
        ("locale".to_owned(), json!(after.locale.as_str())),
    ]);
    tx.audit().tell(&stamp.done(id, Action::TenantUpdate, Subject::Tenant(id), details))?;
    Ok(Tenant { version: after.version.saturating_add(1), ..after })
}
