//! Keys of programs in memory, and the signatures that have been seen.

use std::ops::Bound;

use tillgate_domain::office::all;
use tillgate_domain::office::ports as office;
use tillgate_domain::office::ports::{ApiKeyFilter, Page};
use tillgate_domain::{ApiKey, ApiKeyId, Instant, Stored, TenantId, UserId};

use super::transaction::{Transaction, broken, many, most};
use crate::ports::{ApiKeys, SignatureDigest, Signatures, WrappedApiKey};

impl ApiKeys for Transaction<'_> {
    fn named(&mut self, client: &str) -> Stored<Option<WrappedApiKey>> {
        let tables = self.tables();
        Ok(tables.clients.get(&client.to_owned()).and_then(|id| tables.api_keys.get(id)).cloned())
    }

    fn active_of(&mut self, tenant: TenantId, user: UserId) -> Stored<Vec<ApiKey>> {
        let filter = ApiKeyFilter { user: Some(user), active: Some(true), ..ApiKeyFilter::default() };
        all(None, |page| office::ApiKeys::list(self, tenant, &filter, page), |key| key.id)
    }

    fn revoke(&mut self, key: &ApiKey) -> Stored<bool> {
        office::ApiKeys::update(self, &ApiKey { active: false, ..key.clone() })
    }
}

impl Signatures for Transaction<'_> {
    fn see(&mut self, signature: &SignatureDigest, at: Instant) -> Stored<bool> {
        let tables = self.writing()?;
        let first = !tables.seen.has(signature);
        if first {
            tables.seen.put(*signature, at);
            tables.by_seen.put((at, *signature), ());
        }
        Ok(first)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        let tables = self.writing()?;
        let old = tables.by_seen.rows().keys().take_while(|(at, _)| *at < before).take(most(limit));
        let old: Vec<_> = old.copied().collect();
        for (at, signature) in &old {
            tables.by_seen.remove(&(*at, *signature));
            tables.seen.remove(signature);
        }
        Ok(many(old.len()))
    }
}

impl office::ApiKeys for Transaction<'_> {
    fn find(&mut self, id: ApiKeyId) -> Stored<Option<ApiKey>> {
        Ok(self.tables().api_keys.get(&id).map(|row| row.key.clone()))
    }

    fn insert(&mut self, key: &ApiKey, wrapped: &[u8]) -> Stored<bool> {
        let tables = self.writing()?;
        if tables.clients.has(&key.client) {
            return Ok(false);
        }
        if tables.api_keys.has(&key.id) {
            return broken("the id of a program's key is new");
        }
        if !(tables.tenants.has(&key.tenant) && tables.users.has(&key.user) && tables.devices.has(&key.device)) {
            return broken("a program's key belongs to a tenant, a user and a device");
        }
        tables.clients.put(key.client.clone(), key.id);
        tables.api_keys.put(key.id, WrappedApiKey { key: key.clone(), wrapped: wrapped.to_vec() });
        Ok(true)
    }

    fn update(&mut self, key: &ApiKey) -> Stored<bool> {
        let tables = self.writing()?;
        if !(tables.users.has(&key.user) && tables.devices.has(&key.device)) {
            return broken("a program's key belongs to a user and a device");
        }
        let stands = tables.api_keys.get(&key.id).is_some_and(|row| row.key.version == key.version);
        if stands {
            tables.api_keys.change(&key.id, |row| {
                let old = row.key.clone();
                let version = key.version.saturating_add(1);
                row.key = ApiKey {
                    tenant: old.tenant,
                    client: old.client,
                    created_at: old.created_at,
                    version,
                    ..key.clone()
                };
            });
        }
        Ok(stands)
    }

    fn remove(&mut self, id: ApiKeyId, version: i64) -> Stored<bool> {
        let tables = self.writing()?;
        let Some(row) = tables.api_keys.get(&id).filter(|row| row.key.version == version).cloned() else {
            return Ok(false);
        };
        tables.clients.remove(&row.key.client);
        Ok(tables.api_keys.remove(&id))
    }

    fn list(&mut self, tenant: TenantId, filter: &ApiKeyFilter, page: &Page<ApiKeyId>) -> Stored<Vec<ApiKey>> {
        let start = page.after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.tables().api_keys.rows().range((start, Bound::Unbounded)).map(|(_, row)| &row.key);
        Ok(rows.filter(|key| key.tenant == tenant && filter.fits(key)).take(most(page.limit)).cloned().collect())
    }
}
