//! Rows of `tenants` and `branches`.

use std::time::Duration;

use diesel::prelude::*;
use tillgate_domain::{
    AccentColor, Branch, BranchId, Epoch, Instant, Locale, SessionLimits, Slug, StoreResult, Tenant, TenantId, Zone,
};

use super::{Column, uuid_bytes};
use crate::schema::{branches, tenants};

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = tenants)]
pub(crate) struct TenantRow {
    pub(crate) id: Vec<u8>,
    slug: String,
    name: String,
    zone: String,
    locale: String,
    accent_color: Option<String>,
    machine_codes: bool,
    epoch: i64,
    created_at: i64,
    version: i64,
    #[diesel(embed)]
    limits: LimitColumns,
}

/// The columns of `tenants` that limit its sessions, in milliseconds.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tenants, treat_none_as_null = true)]
#[expect(clippy::struct_field_names, reason = "the names of the columns")]
pub(crate) struct LimitColumns {
    access_limit: Option<i64>,
    idle_limit: Option<i64>,
    absolute_limit: Option<i64>,
    overlap_limit: Option<i64>,
}

impl LimitColumns {
    pub(crate) fn from_domain(limits: &SessionLimits) -> Self {
        let millis = |span: Option<Duration>| span.map(|span| i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
        Self {
            access_limit: millis(limits.access),
            idle_limit: millis(limits.idle),
            absolute_limit: millis(limits.absolute),
            overlap_limit: millis(limits.overlap),
        }
    }

    fn to_domain(&self) -> StoreResult<SessionLimits> {
        let span = |column: &'static str, millis: Option<i64>| match millis.map(u64::try_from) {
            None => Ok(None),
            Some(Ok(millis)) => Ok(Some(Duration::from_millis(millis))),
            Some(Err(_)) => Err(Column("tenants", column).corrupt("a span below zero")),
        };
        Ok(SessionLimits {
            access: span("access_limit", self.access_limit)?,
            idle: span("idle_limit", self.idle_limit)?,
            absolute: span("absolute_limit", self.absolute_limit)?,
            overlap: span("overlap_limit", self.overlap_limit)?,
        })
    }
}

impl TenantRow {
    pub(crate) fn from_domain(tenant: &Tenant) -> Self {
        Self {
            id: uuid_bytes(&tenant.id.0),
            slug: tenant.slug.as_str().to_owned(),
            name: tenant.name.clone(),
            zone: tenant.zone.name().to_owned(),
            locale: tenant.locale.as_str().to_owned(),
            accent_color: tenant.accent_color.map(|color| color.to_string()),
            machine_codes: tenant.machine_codes,
            epoch: tenant.epoch.0,
            created_at: tenant.created_at.millis(),
            version: tenant.version,
            limits: LimitColumns::from_domain(&tenant.limits),
        }
    }

    /// The tenant with its branches.
    pub(crate) fn into_domain(self, branches: Vec<Branch>) -> StoreResult<Tenant> {
        let cell = |column| Column("tenants", column);
        Ok(Tenant {
            id: TenantId(cell("id").parse_uuid(&self.id)?),
            slug: cell("slug").check_parsed(Slug::parse(&self.slug))?,
            name: self.name,
            zone: cell("zone").check_parsed(Zone::parse(&self.zone))?,
            locale: cell("locale").check_parsed(Locale::parse(&self.locale))?,
            accent_color: cell("accent_color")
                .check_parsed(self.accent_color.as_deref().map(AccentColor::parse).transpose())?,
            machine_codes: self.machine_codes,
            limits: self.limits.to_domain()?,
            branches,
            epoch: Epoch(self.epoch),
            created_at: Instant::from_millis(self.created_at),
            version: self.version,
        })
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = branches)]
pub(crate) struct BranchRow {
    id: Vec<u8>,
    pub(crate) tenant_id: Vec<u8>,
    name: String,
    zone: Option<String>,
}

impl BranchRow {
    pub(crate) fn from_domain(tenant: TenantId, branch: &Branch) -> Self {
        Self {
            id: uuid_bytes(&branch.id.0),
            tenant_id: uuid_bytes(&tenant.0),
            name: branch.name.clone(),
            zone: branch.zone.as_ref().map(|zone| zone.name().to_owned()),
        }
    }

    pub(crate) fn into_domain(self) -> StoreResult<Branch> {
        let cell = |column| Column("branches", column);
        Ok(Branch {
            id: BranchId(cell("id").parse_uuid(&self.id)?),
            name: self.name,
            zone: cell("zone").check_parsed(self.zone.as_deref().map(Zone::parse).transpose())?,
        })
    }
}
