//! Keys of programs: found by those who check a signature, kept by the back office. And the signatures that have been seen.

use diesel::prelude::*;
use tillgate_auth_core::ports::{ApiKeys, SignatureDigest, Signatures, WrappedApiKey};
use tillgate_domain::office::all;
use tillgate_domain::office::ports as office;
use tillgate_domain::office::ports::{ApiKeyFilter, Page};
use tillgate_domain::{ApiKey, ApiKeyId, Instant, Stored, TenantId, UserId};

use super::removed;
use crate::failure::classify;
use crate::row::{ApiKeyRow, bytes, to_json};
use crate::schema::api_keys;
use crate::statement::{Bind, OrNothing, Statement};
use crate::transaction::Transaction;

// of two in PostgreSQL that meet, the second waits for the first and then adds nothing
const SEE: &str = "INSERT INTO seen_signatures (digest, seen_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const SWEEP: &str = "DELETE FROM seen_signatures WHERE digest IN (\
     SELECT digest FROM seen_signatures WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)";
const REMOVE: &str = "DELETE FROM api_keys WHERE id = $1 AND version = $2";

impl ApiKeys for Transaction<'_> {
    fn named(&mut self, client: &str) -> Stored<Option<WrappedApiKey>> {
        // PostgreSQL stores no such text, and no key is called so
        if client.contains('\0') {
            return Ok(None);
        }
        let mut rows: Vec<ApiKeyRow> = api_keys::table
            .filter(api_keys::client_id.eq(client))
            .select(ApiKeyRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.pop().map(ApiKeyRow::key).transpose()
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
        Ok(self.run(&Statement::new(SEE, [Bind::Bytes(&signature.0), at.into()]))? == 1)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        self.run(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed)
    }
}

impl office::ApiKeys for Transaction<'_> {
    fn find(&mut self, id: ApiKeyId) -> Stored<Option<ApiKey>> {
        let mut rows: Vec<ApiKeyRow> = api_keys::table
            .find(id.0.as_bytes().as_slice())
            .select(ApiKeyRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.pop().map(|row| Ok(row.key()?.key)).transpose()
    }

    fn insert(&mut self, key: &ApiKey, wrapped: &[u8]) -> Stored<bool> {
        let insert = diesel::insert_into(api_keys::table).values(ApiKeyRow::of(key, wrapped)?);
        Ok(OrNothing(insert).execute(self.writing()?).map_err(classify)? == 1)
    }

    fn update(&mut self, key: &ApiKey) -> Stored<bool> {
        let permissions = to_json(&key.permissions)?;
        let stands = api_keys::table.find(bytes(&key.id.0)).filter(api_keys::version.eq(key.version));
        let update = diesel::update(stands).set((
            api_keys::name.eq(&key.name),
            api_keys::description.eq(&key.description),
            api_keys::active.eq(key.active),
            api_keys::user_id.eq(bytes(&key.user.0)),
            api_keys::device_id.eq(bytes(&key.device.0)),
            api_keys::permissions.eq(permissions),
            api_keys::version.eq(api_keys::version + 1),
        ));
        Ok(update.execute(self.writing()?).map_err(classify)? == 1)
    }

    fn remove(&mut self, id: ApiKeyId, version: i64) -> Stored<bool> {
        Ok(self.run(&Statement::new(REMOVE, [Bind::from(&id.0), version.into()]))? == 1)
    }

    fn list(&mut self, tenant: TenantId, filter: &ApiKeyFilter, page: &Page<ApiKeyId>) -> Stored<Vec<ApiKey>> {
        let after = page.after.map_or(uuid::Uuid::nil(), |id| id.0);
        let mut keys = api_keys::table
            .filter(api_keys::tenant_id.eq(bytes(&tenant.0)))
            .filter(api_keys::id.gt(bytes(&after)))
            .into_boxed();
        if let Some(user) = &filter.user {
            keys = keys.filter(api_keys::user_id.eq(bytes(&user.0)));
        }
        if let Some(device) = &filter.device {
            keys = keys.filter(api_keys::device_id.eq(bytes(&device.0)));
        }
        if let Some(active) = filter.active {
            keys = keys.filter(api_keys::active.eq(active));
        }
        let rows: Vec<ApiKeyRow> = keys
            .order(api_keys::id)
            .limit(i64::from(page.limit))
            .select(ApiKeyRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.into_iter().map(|row| Ok(row.key()?.key)).collect()
    }
}
