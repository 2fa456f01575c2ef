//! API keys without permissions: they grant whatever their user is given, so that promoting the
//! user promotes the keys, too.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Map, Value, json};

use crate::office::UnguardedOffice;
use crate::office::ports::{ApiKeyFilter, OfficeTx};
use crate::office::queries::collect_pages;
use crate::{ApiKey, RoleId, StoreExt, StoreResult, TenantId, User, UserId};

impl UnguardedOffice<'_> {
    /// The active keys of a user without permissions, in the order of their ids.
    pub fn list_unrestricted_api_keys(&self, user: UserId) -> StoreResult<Vec<ApiKey>> {
        self.store.read("list_api_keys", |tx| list_by_user(tx, self.tenant, user))
    }
}

/// The active keys of a user without permissions, in a unit of work.
pub(in crate::office) fn list_by_user(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    user: UserId,
) -> StoreResult<Vec<ApiKey>> {
    Ok(list_active(tx, tenant, Some(user))?.into_iter().filter(|key| key.permissions.is_empty()).collect())
}

/// The active keys without permissions whose user has this role on their device.
pub(in crate::office) fn list_by_role(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    role: RoleId,
) -> StoreResult<Vec<ApiKey>> {
    let mut users: BTreeMap<UserId, Option<User>> = BTreeMap::new();
    let mut growing = Vec::new();
    for key in list_active(tx, tenant, None)?.into_iter().filter(|key| key.permissions.is_empty()) {
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

/// The active keys without permissions of the tenant, or of one user.
pub(in crate::office) fn list_active(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    user: Option<UserId>,
) -> StoreResult<Vec<ApiKey>> {
    let filter = ApiKeyFilter { user, active: Some(true), ..ApiKeyFilter::default() };
    collect_pages(None, |page| tx.api_keys().list(tenant, &filter, page), |key| key.id)
}

/// The detail of an audit event with the keys that grow; empty if there are none.
pub(in crate::office) fn audit_details(keys: &[ApiKey]) -> Map<String, Value> {
    let named = (!keys.is_empty()).then(|| ("growing_api_keys".to_owned(), describe_keys(keys)));
    named.into_iter().collect()
}

/// The details of an audit event with the API keys of a user whose password was changed, and
/// whether they were revoked; empty if there are none.
pub fn audit_api_keys(keys: &[ApiKey], ended: bool) -> Map<String, Value> {
    if keys.is_empty() {
        return Map::new();
    }
    Map::from_iter([("api_keys".to_owned(), describe_keys(keys)), ("api_keys_ended".to_owned(), Value::Bool(ended))])
}

fn describe_keys(keys: &[ApiKey]) -> Value {
    keys.iter().map(|key| json!({ "id": key.id, "client": key.client_id, "name": key.name })).collect()
}
