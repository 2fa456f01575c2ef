//! Rows of `api_keys`.

use diesel::prelude::*;
use tillgate_auth_core::ports::WrappedApiKey;
use tillgate_domain::{ApiKey, ApiKeyId, DeviceId, Instant, StoreResult, TenantId, UserId};

use super::{Column, to_json, uuid_bytes};
use crate::schema::api_keys;

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys)]
pub(crate) struct ApiKeyRow {
    id: Vec<u8>,
    tenant_id: Vec<u8>,
    client_id: String,
    wrapped: Vec<u8>,
    name: String,
    description: String,
    active: bool,
    user_id: Vec<u8>,
    device_id: Vec<u8>,
    permissions: String,
    created_at: i64,
    version: i64,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    previous_wrapped: Option<Vec<u8>>,
    previous_until: Option<i64>,
}

impl ApiKeyRow {
    /// The row of a new key. The secret is passed in wrapped form.
    pub(crate) fn from_domain(key: &ApiKey, wrapped: &[u8]) -> StoreResult<Self> {
        Ok(Self {
            id: uuid_bytes(&key.id.0),
            tenant_id: uuid_bytes(&key.tenant.0),
            client_id: key.client_id.clone(),
            wrapped: wrapped.to_vec(),
            name: key.name.clone(),
            description: key.description.clone(),
            active: key.active,
            user_id: uuid_bytes(&key.user.0),
            device_id: uuid_bytes(&key.device.0),
            permissions: to_json(&key.permissions)?,
            created_at: key.created_at.millis(),
            version: key.version,
            expires_at: key.expires_at.map(Instant::millis),
            last_used_at: None,
            previous_wrapped: None,
            previous_until: None,
        })
    }

    pub(crate) fn into_domain(self) -> StoreResult<WrappedApiKey> {
        let cell = |column| Column("api_keys", column);
        let key = ApiKey {
            id: ApiKeyId(cell("id").parse_uuid(&self.id)?),
            tenant: TenantId(cell("tenant_id").parse_uuid(&self.tenant_id)?),
            client_id: self.client_id,
            name: self.name,
            description: self.description,
            active: self.active,
            user: UserId(cell("user_id").parse_uuid(&self.user_id)?),
            device: DeviceId(cell("device_id").parse_uuid(&self.device_id)?),
            permissions: cell("permissions").parse_json(&self.permissions)?,
            created_at: Instant::from_millis(self.created_at),
            expires_at: self.expires_at.map(Instant::from_millis),
            last_used_at: self.last_used_at.map(Instant::from_millis),
            previous_secret_until: self.previous_until.map(Instant::from_millis),
            version: self.version,
        };
        Ok(WrappedApiKey { key, wrapped_secret: self.wrapped, previous_wrapped_secret: self.previous_wrapped })
    }
}
