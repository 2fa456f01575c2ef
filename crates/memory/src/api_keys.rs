//! The in-memory ports for API keys and accepted signatures.

use std::ops::Bound;

use tillgate_domain::office::collect_pages;
use tillgate_domain::office::ports as office;
use tillgate_domain::office::ports::{ApiKeyFilter, PageRequest};
use tillgate_domain::{ApiKey, ApiKeyId, Instant, StoreResult, TenantId, UserId};

use super::transaction::{Transaction, constraint_error, to_u32, to_usize};
use tillgate_auth_core::ports::{ApiKeys, SignatureDigest, Signatures, WrappedApiKey};

impl ApiKeys for Transaction<'_> {
    fn find_by_client_id(&mut self, client: &str) -> StoreResult<Option<WrappedApiKey>> {
        let tables = self.tables();
        Ok(tables.api_keys_by_client.get(&client.to_owned()).and_then(|id| tables.api_keys.get(id)).cloned())
    }

    fn list_active_by_user(&mut self, tenant: TenantId, user: UserId) -> StoreResult<Vec<ApiKey>> {
        let filter = ApiKeyFilter { user: Some(user), active: Some(true), ..ApiKeyFilter::default() };
        collect_pages(None, |page| office::ApiKeys::list(self, tenant, &filter, page), |key| key.id)
    }

    fn revoke(&mut self, key: &ApiKey) -> StoreResult<bool> {
        office::ApiKeys::update(self, &ApiKey { active: false, ..key.clone() })
    }

    fn record_uses(&mut self, uses: &[(ApiKeyId, Instant)]) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        for (id, at) in uses {
            if tables.api_keys.get(id).is_some_and(|row| row.key.last_used_at < Some(*at)) {
                tables.api_keys.change(id, |row| row.key.last_used_at = Some(*at));
            }
        }
        Ok(())
    }
}

impl Signatures for Transaction<'_> {
    fn insert_if_new(&mut self, signature: &SignatureDigest, at: Instant) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let first = !tables.signatures.has(signature);
        if first {
            tables.signatures.put(*signature, at);
            tables.signatures_by_time.put((at, *signature), ());
        }
        Ok(first)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let tables = self.tables_mut()?;
        let old = tables.signatures_by_time.rows().keys().take_while(|(at, _)| *at < before).take(to_usize(limit));
        let old: Vec<_> = old.copied().collect();
        for (at, signature) in &old {
            tables.signatures_by_time.remove(&(*at, *signature));
            tables.signatures.remove(signature);
        }
        Ok(to_u32(old.len()))
    }
}

impl office::ApiKeys for Transaction<'_> {
    fn find(&mut self, id: ApiKeyId) -> StoreResult<Option<ApiKey>> {
        Ok(self.tables().api_keys.get(&id).map(|row| row.key.clone()))
    }

    fn insert(&mut self, key: &ApiKey, wrapped: &[u8]) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        if tables.api_keys_by_client.has(&key.client_id) {
            return Ok(false);
        }
        if tables.api_keys.has(&key.id) {
            return constraint_error("the id of a program's key is new");
        }
        if !(tables.tenants.has(&key.tenant) && tables.users.has(&key.user) && tables.devices.has(&key.device)) {
            return constraint_error("a program's key belongs to a tenant, a user and a device");
        }
        tables.api_keys_by_client.put(key.client_id.clone(), key.id);
        let key = ApiKey { last_used_at: None, previous_secret_until: None, ..key.clone() };
        let row = WrappedApiKey { key, wrapped_secret: wrapped.to_vec(), previous_wrapped_secret: None };
        tables.api_keys.put(row.key.id, row);
        Ok(true)
    }

    fn update(&mut self, key: &ApiKey) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        if !(tables.users.has(&key.user) && tables.devices.has(&key.device)) {
            return constraint_error("a program's key belongs to a user and a device");
        }
        let is_current = tables.api_keys.get(&key.id).is_some_and(|row| row.key.version == key.version);
        if is_current {
            tables.api_keys.change(&key.id, |row| {
                let old = row.key.clone();
                let version = key.version.saturating_add(1);
                row.key = ApiKey {
                    tenant: old.tenant,
                    client_id: old.client_id,
                    created_at: old.created_at,
                    last_used_at: old.last_used_at,
                    previous_secret_until: old.previous_secret_until.filter(|_| key.active),
                    version,
                    ..key.clone()
                };
                row.previous_wrapped_secret = row.previous_wrapped_secret.take().filter(|_| key.active);
            });
        }
        Ok(is_current)
    }

    fn rotate(&mut self, key: &ApiKey, wrapped: &[u8]) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let is_current = tables.api_keys.get(&key.id).is_some_and(|row| row.key.version == key.version);
        if is_current {
            tables.api_keys.change(&key.id, |row| {
                let before = std::mem::replace(&mut row.wrapped_secret, wrapped.to_vec());
                row.previous_wrapped_secret = key.previous_secret_until.map(|_| before);
                row.key.previous_secret_until = key.previous_secret_until;
                row.key.permissions = key.permissions.clone();
                row.key.version = key.version.saturating_add(1);
            });
        }
        Ok(is_current)
    }

    fn remove(&mut self, id: ApiKeyId, version: i64) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let Some(row) = tables.api_keys.get(&id).filter(|row| row.key.version == version).cloned() else {
            return Ok(false);
        };
        tables.api_keys_by_client.remove(&row.key.client_id);
        Ok(tables.api_keys.remove(&id))
    }

    fn list(
        &mut self,
        tenant: TenantId,
        filter: &ApiKeyFilter,
        page: &PageRequest<ApiKeyId>,
    ) -> StoreResult<Vec<ApiKey>> {
        let start = page.after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.tables().api_keys.rows().range((start, Bound::Unbounded)).map(|(_, row)| &row.key);
        Ok(rows.filter(|key| key.tenant == tenant && filter.matches(key)).take(to_usize(page.limit)).cloned().collect())
    }
}
