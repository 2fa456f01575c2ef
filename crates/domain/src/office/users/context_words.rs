//! The words that a password may not be made of: the names that belong to an account, and that are tried first by those who know it.

use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::queries::collect_pages;
use crate::{DeviceStatus, Email, PrincipalId, Store, StoreExt, StoreResult, TenantId};

/// Names of the tenant and its stores, of the principal whose password it is, and of every device that is not retired. A principal
/// who is to be added has no row yet: whoever adds it knows its names.
pub fn list_context_words(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    principal: Option<PrincipalId>,
) -> StoreResult<Vec<String>> {
    store.read(|tx| collect_words(tx, tenant, principal))
}

fn collect_words(tx: &mut dyn OfficeTx, tenant: TenantId, principal: Option<PrincipalId>) -> StoreResult<Vec<String>> {
    let mut words = Vec::new();
    if let Some(tenant) = tx.tenants().find(tenant)? {
        words.extend([tenant.slug.to_string(), tenant.name]);
        words.extend(tenant.branches.into_iter().map(|branch| branch.name));
    }
    if let Some(PrincipalId::User(id)) = principal
        && let Some(user) = tx.users().find(id)?.filter(|user| user.tenant == tenant)
    {
        words.extend([user.name.to_string(), user.display_name]);
        words.extend(user.email.iter().flat_map(email_context_words));
    }
    let devices = collect_pages(None, |page| tx.devices().list(tenant, page), |device| device.id)?;
    let there = devices.into_iter().filter(|device| device.status != DeviceStatus::Retired);
    words.extend(there.map(|device| device.name.to_string()));
    Ok(words)
}

/// The words in an e-mail address: all of it, and what stands before the `@`. Its domain is shared with strangers.
pub fn email_context_words(email: &Email) -> [String; 2] {
    let whole = email.as_str();
    let local = whole.rsplit_once('@').map_or(whole, |(local, _)| local);
    [whole.to_owned(), local.to_owned()]
}
