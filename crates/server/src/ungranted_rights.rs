//! Finds custom rights that rows of the access table require and no role has: they are probably
//! misspelled. Such a row allows administrators only.

use tillgate_domain::office::{self, OfficePorts, UnguardedOffice};
use tillgate_domain::{KnownRight, Right, Slug, Store, StoreResult};
use tillgate_http::{AccessRequirement, AccessRule};

use crate::configuration::Settings;
use crate::suggestions::did_you_mean;

/// One sentence for each such right of a row.
pub(crate) fn find_ungranted_rights(settings: &Settings, store: &dyn Store<OfficePorts>) -> StoreResult<Vec<String>> {
    let required: Vec<(usize, &AccessRule, &Right)> =
        (1..).zip(&settings.access).flat_map(|(number, row)| list_custom_rights(number, row)).collect();
    if required.is_empty() {
        return Ok(Vec::new());
    }
    let mut granted: Vec<(Slug, Right)> = Vec::new();
    for tenant in office::collect_pages(None, |page| office::unguarded::list_tenants(store, page), |tenant| tenant.id)?
    {
        for role in UnguardedOffice::new(store, tenant.id).list_roles()? {
            granted.extend(role.rights.iter().map(|right| (tenant.slug.clone(), right)));
        }
    }
    let is_granted = |row: &AccessRule, right: &Right| {
        granted.iter().any(|(tenant, known)| known == right && row.tenant.as_ref().is_none_or(|only| only == tenant))
    };
    let known =
        || KnownRight::ALL.iter().map(|known| known.as_str()).chain(granted.iter().map(|(_, right)| right.as_str()));
    let missing = required.into_iter().filter(|(_, row, right)| !is_granted(row, right));
    Ok(missing
        .map(|(number, row, right)| {
            format!(
                "row {number} of the access table ({}) requires the right \"{right}\", which no role has{}",
                row.path,
                did_you_mean(right.as_str(), known())
            )
        })
        .collect())
}

fn list_custom_rights(number: usize, row: &AccessRule) -> impl Iterator<Item = (usize, &AccessRule, &Right)> {
    let rights = match &row.requirement {
        AccessRequirement::Rights(rights) => rights.as_slice(),
        AccessRequirement::Role(_) => &[],
    };
    rights.iter().filter(|right| matches!(right, Right::Custom(_))).map(move |right| (number, row, right))
}
