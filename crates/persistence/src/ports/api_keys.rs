//! API keys, which authentication finds and the back office changes, and the signatures that have
//! been accepted.

use diesel::prelude::*;
use tillgate_auth_core::ports::{ApiKeys, SignatureDigest, Signatures, WrappedApiKey};
use tillgate_domain::office::collect_pages;
use tillgate_domain::office::ports as office;
use tillgate_domain::office::ports::{ApiKeyFilter, PageRequest};
use tillgate_domain::{ApiKey, ApiKeyId, Instant, StoreResult, TenantId, UserId};

use super::removed_rows;
use crate::error_class::classify;
use crate::row::{ApiKeyRow, to_json, uuid_bytes};
use crate::schema::api_keys;
use crate::statement::{Bind, OnConflictDoNothing, Statement};
use crate::transaction::Transaction;

// on PostgreSQL, the second of two concurrent inserts waits for the first and then inserts nothing
const INSERT_SIGNATURE: &str = "INSERT INTO seen_signatures (digest, seen_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const SWEEP_SIGNATURES: &str = "DELETE FROM seen_signatures WHERE digest IN (\
     SELECT digest FROM seen_signatures WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)";
// the present secret becomes the previous one, unless there is no overlap
const ROTATE_API_KEY: &str = "UPDATE api_keys SET previous_wrapped = CASE WHEN $5 IS NULL THEN NULL ELSE wrapped END, \
     previous_until = $5, wrapped = $3, permissions = $4, version = version + 1 WHERE id = $1 AND version = $2";
// a use by another process may be stored already
const RECORD_USE: &str = "UPDATE api_keys SET last_used_at = $2 \
     WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
const REMOVE_API_KEY: &str = "DELETE FROM api_keys WHERE id = $1 AND version = $2";

impl ApiKeys for Transaction<'_> {
    fn find_by_client_id(&mut self, client: &str) -> StoreResult<Option<WrappedApiKey>> {
        // PostgreSQL cannot store such a text, so no key has this client id
        if client.contains('\0') {
            return Ok(None);
        }
        let mut rows: Vec<ApiKeyRow> = api_keys::table
            .filter(api_keys::client_id.eq(client))
            .select(ApiKeyRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.pop().map(ApiKeyRow::into_domain).transpose()
    }

    fn list_active_by_user(&mut self, tenant: TenantId, user: UserId) -> StoreResult<Vec<ApiKey>> {
        let filter = ApiKeyFilter { user: Some(user), active: Some(true), ..ApiKeyFilter::default() };
        collect_pages(None, |page| office::ApiKeys::list(self, tenant, &filter, page), |key| key.id)
    }

    fn revoke(&mut self, key: &ApiKey) -> StoreResult<bool> {
        office::ApiKeys::update(self, &ApiKey { active: false, ..key.clone() })
    }

    fn record_uses(&mut self, uses: &[(ApiKeyId, Instant)]) -> StoreResult<()> {
        uses.iter().try_for_each(|(id, at)| {
            self.execute(&Statement::new(RECORD_USE, [Bind::from(&id.0), (*at).into()])).map(drop)
        })
    }
}

impl Signatures for Transaction<'_> {
    fn insert_if_new(&mut self, signature: &SignatureDigest, at: Instant) -> StoreResult<bool> {
        Ok(self.execute(&Statement::new(INSERT_SIGNATURE, [Bind::Bytes(&signature.0), at.into()]))? == 1)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP_SIGNATURES, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }
}

impl office::ApiKeys for Transaction<'_> {
    fn find(&mut self, id: ApiKeyId) -> StoreResult<Option<ApiKey>> {
        let mut rows: Vec<ApiKeyRow> = api_keys::table
            .find(id.0.as_bytes().as_slice())
            .select(ApiKeyRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.pop().map(|row| Ok(row.into_domain()?.key)).transpose()
    }

    fn insert(&mut self, key: &ApiKey, wrapped: &[u8]) -> StoreResult<bool> {
        let insert = diesel::insert_into(api_keys::table).values(ApiKeyRow::from_domain(key, wrapped)?);
        Ok(OnConflictDoNothing(insert).execute(self.write_connection()?).map_err(classify)? == 1)
    }

    fn update(&mut self, key: &ApiKey) -> StoreResult<bool> {
        let permissions = to_json(&key.permissions)?;
        let current_row = api_keys::table.find(uuid_bytes(&key.id.0)).filter(api_keys::version.eq(key.version));
        let no_previous_secret =
            (api_keys::previous_wrapped.eq(None::<Vec<u8>>), api_keys::previous_until.eq(None::<i64>));
        let update = diesel::update(current_row).set((
            api_keys::name.eq(&key.name),
            api_keys::description.eq(&key.description),
            api_keys::active.eq(key.active),
            api_keys::user_id.eq(uuid_bytes(&key.user.0)),
            api_keys::device_id.eq(uuid_bytes(&key.device.0)),
            api_keys::permissions.eq(permissions),
            api_keys::expires_at.eq(key.expires_at.map(Instant::millis)),
            api_keys::version.eq(api_keys::version + 1),
            (!key.active).then_some(no_previous_secret),
        ));
        Ok(update.execute(self.write_connection()?).map_err(classify)? == 1)
    }

    fn rotate(&mut self, key: &ApiKey, wrapped: &[u8]) -> StoreResult<bool> {
        let permissions = to_json(&key.permissions)?;
        let until: Bind<'_> = key.previous_secret_until.as_ref().map(|at| at.millis()).into();
        let binds = [Bind::from(&key.id.0), key.version.into(), Bind::Bytes(wrapped), Bind::Text(&permissions), until];
        Ok(self.execute(&Statement::new(ROTATE_API_KEY, binds))? == 1)
    }

    fn remove(&mut self, id: ApiKeyId, version: i64) -> StoreResult<bool> {
        Ok(self.execute(&Statement::new(REMOVE_API_KEY, [Bind::from(&id.0), version.into()]))? == 1)
    }

    fn list(
        &mut self,
        tenant: TenantId,
        filter: &ApiKeyFilter,
        page: &PageRequest<ApiKeyId>,
    ) -> StoreResult<Vec<ApiKey>> {
        let after = page.after.map_or(uuid::Uuid::nil(), |id| id.0);
        let mut keys = api_keys::table
            .filter(api_keys::tenant_id.eq(uuid_bytes(&tenant.0)))
            .filter(api_keys::id.gt(uuid_bytes(&after)))
            .into_boxed();
        if let Some(user) = &filter.user {
            keys = keys.filter(api_keys::user_id.eq(uuid_bytes(&user.0)));
        }
        if let Some(device) = &filter.device {
            keys = keys.filter(api_keys::device_id.eq(uuid_bytes(&device.0)));
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
        rows.into_iter().map(|row| Ok(row.into_domain()?.key)).collect()
    }
}
