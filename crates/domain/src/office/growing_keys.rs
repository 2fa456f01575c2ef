//! API keys without permissions: they give whatever their user is given, so whoever promotes the user promotes the keys too.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Map, Value, json};

use super::ports::{ApiKeyFilter, OfficeTx, OfficeView};
use super::read::all;
use crate::{ApiKey, RoleId, Store, StoreExt, Stored, TenantId, User, UserId};

/// The active keys of a user that have no permissions, in the order of their ids.
pub fn growing_api_keys(store: &dyn Store<OfficeView>, tenant: TenantId, user: UserId) -> Stored<Vec<ApiKey>> {
    store.read(|tx| of_user(tx, tenant, user))
}

/// The same in a unit of work.
pub(super) fn of_user(tx: &mut dyn OfficeTx, tenant: TenantId, user: UserId) -> Stored<Vec<ApiKey>> {
    Ok(active(tx, tenant, Some(user))?.into_iter().filter(|key| key.permissions.is_empty()).collect())
}

/// The active keys without permissions whose user holds this role on their device.
pub(super) fn of_role(tx: &mut dyn OfficeTx, tenant: TenantId, role: RoleId) -> Stored<Vec<ApiKey>> {
    let mut users: BTreeMap<UserId, Option<User>> = BTreeMap::new();
    let mut growing = Vec::new();
    for key in active(tx, tenant, None)?.into_iter().filter(|key| key.permissions.is_empty()) {
        let user = match users.entry(key.user) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => place.insert(tx.users().find(key.user)?),
        };
        if user
            .as_ref()
            .and_then(|user| user.assignment.devices.get(&key.device))
            .is_some_and(|held| held.contains(&role))
        {
            growing.push(key);
        }
    }
    Ok(growing)
}

/// The active keys of the tenant, or of one user.
pub(super) fn active(tx: &mut dyn OfficeTx, tenant: TenantId, user: Option<UserId>) -> Stored<Vec<ApiKey>> {
    let filter = ApiKeyFilter { user, active: Some(true), ..ApiKeyFilter::default() };
    all(None, |page| tx.api_keys().list(tenant, &filter, page), |key| key.id)
}

/// What the audit records of the keys that grow; nothing where there is none.
pub(super) fn details(keys: &[ApiKey]) -> Map<String, Value> {
    let named = (!keys.is_empty()).then(|| ("growing_api_keys".to_owned(), names(keys)));
    named.into_iter().collect()
}

/// What the audit records of the API keys of a user whose password was changed, and whether they were revoked with it; nothing
/// where there is none.
pub fn api_key_details(keys: &[ApiKey], ended: bool) -> Map<String, Value> {
    if keys.is_empty() {
        return Map::new();
    }
    Map::from_iter([("api_keys".to_owned(), names(keys)), ("api_keys_ended".to_owned(), Value::Bool(ended))])
}

fn names(keys: &[ApiKey]) -> Value {
    keys.iter().map(|key| json!({ "id": key.id, "client": key.client, "name": key.name })).collect()
}
