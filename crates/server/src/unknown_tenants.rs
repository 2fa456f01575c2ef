//! Tenants that mounts and rows of the access table name and the database does not have: every login and every token there is refused.

use tillgate_domain::office::{self, OfficePorts};
use tillgate_domain::{Slug, Store, StoreResult};

use crate::configuration::Settings;
use crate::suggestions::did_you_mean;

/// A sentence for each place that names one.
pub(crate) fn find_unknown_tenants(settings: &Settings, store: &dyn Store<OfficePorts>) -> StoreResult<Vec<String>> {
    let tenants = office::collect_pages(None, |page| office::list_tenants(store, page), |tenant| tenant.id)?;
    let known = || tenants.iter().map(|tenant| tenant.slug.as_str());
    let unknown = |tenant: &&Slug| !known().any(|known| known == tenant.as_str());
    let said = |place: String, tenant: &Slug| {
        format!(
            "{place} is for the tenant \"{tenant}\", which does not exist{}",
            did_you_mean(tenant.as_str(), known())
        )
    };
    let mounts = settings.mounts.iter().filter_map(|mount| {
        let tenant = mount.tenant.as_ref().filter(unknown)?;
        Some(said(format!("the mount of {} at {}/", mount.dialect, mount.prefix), tenant))
    });
    let rows = settings.access.iter().zip(1..).filter_map(|(row, number)| {
        let tenant = row.tenant.as_ref().filter(unknown)?;
        Some(said(format!("row {number} of the access table ({})", row.path), tenant))
    });
    Ok(mounts.chain(rows).collect())
}

/// Says so in the log.
pub(crate) fn warn_unknown_tenants(settings: &Settings, store: &dyn Store<OfficePorts>) {
    match find_unknown_tenants(settings, store) {
        Ok(found) => found.iter().for_each(|said| tracing::warn!("{said}: everybody there is refused")),
        Err(error) => tracing::warn!(%error, "whether the tenants of the mounts exist cannot be told"),
    }
}
