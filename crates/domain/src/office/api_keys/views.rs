//! API keys as the back office shows them: with the names of their user and device, which the row
//! of a key references by id.

use std::collections::{BTreeMap, BTreeSet};

use crate::office::devices::lookup::find_devices_by_id;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{ApiKeyFilter, MAX_FETCH_ROWS, OfficeTx, PageRequest};
use crate::office::{OfficeReader, UnguardedOffice};
use crate::{
    ApiKey, ApiKeyId, DeviceId, DeviceName, KnownRight, MissingRight, StoreError, StoreExt, StoreResult, UserId,
    UserName,
};

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

impl OfficeReader<'_> {
    /// Lists at most [`MAX_FETCH_ROWS`] keys that the filter matches, in the order of their ids.
    /// Requires one of the rights to create, change or delete keys.
    pub fn list_api_keys(&self, filter: &ApiKeyFilter, page: &PageRequest<ApiKeyId>) -> UseCaseResult<Vec<ApiKeyView>> {
        if let Err(refused) = self.authorize_key_read() {
            return Ok(Err(refused.into()));
        }
        let page = PageRequest { after: page.after, limit: page.limit.clamp(1, MAX_FETCH_ROWS) };
        self.store.read("list_api_keys", |tx| {
            let keys = tx.api_keys().list(self.tenant, filter, &page)?;
            load_views(tx, keys).map(Ok)
        })
    }

    /// Finds the key with this id. Requires one of the rights to create, change or delete keys.
    pub fn find_api_key(&self, id: ApiKeyId) -> UseCaseResult<Option<ApiKeyView>> {
        self.store.read("find_api_key", |tx: &mut (dyn OfficeTx + '_)| {
            let mut run = || -> Result<Option<ApiKeyView>, UseCaseError> {
                self.authorize_key_read()?;
                let found = tx.api_keys().find(id)?.filter(|key| key.tenant == self.tenant);
                Ok(load_views(tx, found.into_iter().collect())?.pop())
            };
            commit_refusal(run())
        })
    }

    fn authorize_key_read(&self) -> Result<(), MissingRight> {
        self.authority.require_any(KnownRight::API_KEY_RIGHTS)
    }
}

impl UnguardedOffice<'_> {
    /// The view of a key that a use case has just added, changed or deleted.
    pub fn load_api_key_view(&self, key: &ApiKey) -> StoreResult<ApiKeyView> {
        let known = self.store.read("find_api_key", |tx| load_views(tx, vec![key.clone()]))?.pop();
        known.ok_or_else(|| StoreError::Fault("an API key has neither a user nor a device".to_owned()))
    }
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
