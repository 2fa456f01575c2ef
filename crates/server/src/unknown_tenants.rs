//! Finds tenants that mounts or rows of the access table name but the database does not have. Every
//! login and token there is rejected.

use tillgate_domain::office::{self, OfficePorts};
use tillgate_domain::{Slug, Store, StoreResult};

use crate::configuration::Settings;
use crate::suggestions::did_you_mean;

/// One sentence for each such mount or row.
pub(crate) fn find_unknown_tenants(settings: &Settings, store: &dyn Store<OfficePorts>) -> StoreResult<Vec<String>> {
    let tenants = office::collect_pages(None, |page| office::unguarded::list_tenants(store, page), |tenant| tenant.id)?;
    let known = || tenants.iter().map(|tenant| tenant.slug.as_str());
    let unknown = |tenant: &&Slug| !known().any(|known| known == tenant.as_str());
    let describe = |subject: String, tenant: &Slug| {
        format!(
            "{subject} is for the tenant \"{tenant}\", which does not exist{}",
            did_you_mean(tenant.as_str(), known())
        )
    };
    let mounts = settings.mounts.iter().filter_map(|mount| {
        let tenant = mount.tenant.as_ref().filter(unknown)?;
        Some(describe(format!("the mount of {} at {}/", mount.dialect, mount.prefix), tenant))
    });
    let rows = settings.access.iter().zip(1..).filter_map(|(row, number)| {
        let tenant = row.tenant.as_ref().filter(unknown)?;
        Some(describe(format!("row {number} of the access table ({})", row.path), tenant))
    });
    Ok(mounts.chain(rows).collect())
}
