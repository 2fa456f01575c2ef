//! API keys as the back office shows them: with the names of their user and device, which the row
//! of a key references by id.

use std::collections::{BTreeMap, BTreeSet};

use crate::office::context::Authority;
use crate::office::devices::lookup::find_devices_by_id;
use crate::office::error::{OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{ApiKeyFilter, OfficePorts, OfficeTx, PageRequest};
use crate::{
    ApiKey, ApiKeyId, DeviceId, DeviceName, KnownRight, Store, StoreError, StoreExt, StoreResult, TenantId, UserId,
    UserName,
};

/// The greatest number of rows of a page, and one more to know whether another page follows.
const MAX_FETCH_ROWS: u32 = 201;

/// An API key with names instead of ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyView {
    /// The API key itself.
    pub key: ApiKey,
    /// The name of its user, which may be deleted by now.
    pub user: UserName,
    /// The name of its device.
    pub device: DeviceName,
}

/// Lists at most 201 keys that the filter matches, in the order of their ids. Requires one of the
/// rights to create, change or delete keys.
pub fn list_api_keys(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    authority: &Authority,
    filter: &ApiKeyFilter,
    page: &PageRequest<ApiKeyId>,
) -> UseCaseResult<Vec<ApiKeyView>> {
    if let Err(refused) = authorize_read(authority) {
        return Ok(Err(refused));
    }
    let page = PageRequest { after: page.after, limit: page.limit.clamp(1, MAX_FETCH_ROWS) };
    store.read("list_api_keys", |tx| {
        let keys = tx.api_keys().list(tenant, filter, &page)?;
        load_views(tx, keys).map(Ok)
    })
}

/// Finds the key with this id. Requires one of the rights to create, change or delete keys.
pub fn find_api_key(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    authority: &Authority,
    id: ApiKeyId,
) -> UseCaseResult<Option<ApiKeyView>> {
    store.read("find_api_key", |tx: &mut (dyn OfficeTx + '_)| {
        let mut run = || -> Result<Option<ApiKeyView>, UseCaseError> {
            authorize_read(authority)?;
            let found = tx.api_keys().find(id)?.filter(|key| key.tenant == tenant);
            Ok(load_views(tx, found.into_iter().collect())?.pop())
        };
        commit_refusal(run())
    })
}

/// The view of a key that a use case has just added, changed or deleted.
pub fn load_api_key_view(store: &dyn Store<OfficePorts>, key: &ApiKey) -> StoreResult<ApiKeyView> {
    let known = store.read("find_api_key", |tx| load_views(tx, vec![key.clone()]))?.pop();
    known.ok_or_else(|| StoreError::Fault("an API key has neither a user nor a device".to_owned()))
}

fn authorize_read(authority: &Authority) -> Result<(), OfficeError> {
    authority
        .require(KnownRight::ApiKeyUpdate)
        .or_else(|_| authority.require(KnownRight::ApiKeyDelete))
        .or_else(|_| authority.require(KnownRight::ApiKeyCreate))
}

/// The keys with the names of their users and devices, in the same order.
fn load_views(tx: &mut dyn OfficeTx, keys: Vec<ApiKey>) -> StoreResult<Vec<ApiKeyView>> {
    let mut users: BTreeMap<UserId, UserName> = BTreeMap::new();
    for id in keys.iter().map(|key| key.user).collect::<BTreeSet<_>>() {
        let user = tx.users().find(id)?.ok_or_else(|| dangling_reference("user"))?;
        users.insert(id, user.name);
    }
    let named: BTreeSet<DeviceId> = keys.iter().map(|key| key.device).collect();
    let devices = find_devices_by_id(tx, &named)?;
    keys.into_iter()
        .map(|key| {
            let user = users.get(&key.user).cloned().ok_or_else(|| dangling_reference("user"))?;
            let device = devices.get(&key.device).ok_or_else(|| dangling_reference("device"))?;
            Ok(ApiKeyView { user, device: device.name.clone(), key })
        })
        .collect()
}

/// The error for a missing user or device; neither is ever removed.
fn dangling_reference(what: &str) -> StoreError {
    StoreError::Fault(format!("an API key references a {what} that does not exist"))
}
