//! Keys of programs as the back office shows them: with the names of whom and where their requests run as, which a key's own row
//! holds by id.

use std::collections::{BTreeMap, BTreeSet};

use super::devices::devices_by_id;
use super::ports::{ApiKeyFilter, OfficeTx, OfficeView, Page};
use super::refused::{Decided, Halt, Refused, decide};
use super::stamp::Authority;
use crate::{
    ApiKey, ApiKeyId, DeviceId, DeviceName, KnownRight, Store, StoreError, StoreExt, Stored, TenantId, UserId, UserName,
};

/// The most that a part holds, and one more by which its reader sees that there are more.
const MOST: u32 = 201;

/// A key with names in the place of ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownApiKey {
    /// The key.
    pub key: ApiKey,
    /// The name of its user, who may be deleted by now.
    pub user: UserName,
    /// The name of its device.
    pub device: DeviceName,
}

/// Keys that the filter fits, in the order of their ids, 201 at most. Asks one of the rights to make, change or delete keys.
pub fn list_api_keys(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    authority: &Authority,
    filter: &ApiKeyFilter,
    page: &Page<ApiKeyId>,
) -> Decided<Vec<KnownApiKey>> {
    if let Err(refused) = may_read(authority) {
        return Ok(Err(refused));
    }
    let page = Page { after: page.after, limit: page.limit.clamp(1, MOST) };
    store.read(|tx| {
        let keys = tx.api_keys().list(tenant, filter, &page)?;
        with_names(tx, keys).map(Ok)
    })
}

/// The key with this id. Asks one of the rights to make, change or delete keys.
pub fn find_api_key(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    authority: &Authority,
    id: ApiKeyId,
) -> Decided<Option<KnownApiKey>> {
    store.read(|tx: &mut (dyn OfficeTx + '_)| {
        let mut way = || -> Result<Option<KnownApiKey>, Halt> {
            may_read(authority)?;
            let found = tx.api_keys().find(id)?.filter(|key| key.tenant == tenant);
            Ok(with_names(tx, found.into_iter().collect())?.pop())
        };
        decide(way())
    })
}

/// The key that a use case has just made, changed or deleted.
pub fn known_api_key(store: &dyn Store<OfficeView>, key: &ApiKey) -> Stored<KnownApiKey> {
    let known = store.read(|tx| with_names(tx, vec![key.clone()]))?.pop();
    known.ok_or_else(|| StoreError::Fault("a key has no names".to_owned()))
}

fn may_read(authority: &Authority) -> Result<(), Refused> {
    authority
        .ask(KnownRight::ApiKeyUpdate)
        .or_else(|_| authority.ask(KnownRight::ApiKeyDelete))
        .or_else(|_| authority.ask(KnownRight::ApiKeyCreate))
}

/// The keys with the names of whom and where they run as, in the same order.
fn with_names(tx: &mut dyn OfficeTx, keys: Vec<ApiKey>) -> Stored<Vec<KnownApiKey>> {
    let mut users: BTreeMap<UserId, UserName> = BTreeMap::new();
    for id in keys.iter().map(|key| key.user).collect::<BTreeSet<_>>() {
        let user = tx.users().find(id)?.ok_or_else(|| gone("user"))?;
        users.insert(id, user.name);
    }
    let named: BTreeSet<DeviceId> = keys.iter().map(|key| key.device).collect();
    let devices = devices_by_id(tx, &named)?;
    keys.into_iter()
        .map(|key| {
            let user = users.get(&key.user).cloned().ok_or_else(|| gone("user"))?;
            let device = devices.get(&key.device).ok_or_else(|| gone("device"))?;
            Ok(KnownApiKey { user, device: device.name.clone(), key })
        })
        .collect()
}

/// Neither users nor devices are ever removed.
fn gone(what: &str) -> StoreError {
    StoreError::Fault(format!("a key names a {what} that is not there"))
}
