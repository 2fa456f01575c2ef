//! Context words: the names of an account, which a password must not contain, because people who
//! know them try them first.

use crate::office::UnguardedOffice;
use crate::office::ports::OfficeTx;
use crate::office::queries::collect_pages;
use crate::{DeviceStatus, Email, PrincipalId, StoreExt, StoreResult, TenantId};

impl UnguardedOffice<'_> {
    /// The names of the tenant and its stores, of the principal whose password is set, and of all
    /// devices that are not retired. The caller adds the names of a principal that is not stored
    /// yet.
    pub fn list_context_words(&self, principal: Option<PrincipalId>) -> StoreResult<Vec<String>> {
        self.store.read("list_context_words", |tx| collect_words(tx, self.tenant, principal))
    }
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
    let in_use = devices.into_iter().filter(|device| device.status != DeviceStatus::Retired);
    words.extend(in_use.map(|device| device.name.to_string()));
    Ok(words)
}

/// The context words of an e-mail address: the address, and the part before the `@`. Its domain is
/// shared with others.
pub fn email_context_words(email: &Email) -> [String; 2] {
    let whole = email.as_str();
    let local = whole.rsplit_once('@').map_or(whole, |(local, _)| local);
    [whole.to_owned(), local.to_owned()]
}
