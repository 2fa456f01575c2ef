//! Rows of `api_keys`.

use diesel::prelude::*;
use tillgate_auth_core::ports::WrappedApiKey;
use tillgate_domain::{ApiKey, ApiKeyId, DeviceId, Instant, Stored, TenantId, UserId};

use super::{Cell, bytes, to_json};
use crate::schema::api_keys;

/// A row of `api_keys`.
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
}

impl ApiKeyRow {
    /// The row of a key with this secret, wrapped.
    pub(crate) fn of(key: &ApiKey, wrapped: &[u8]) -> Stored<Self> {
        Ok(Self {
            id: bytes(&key.id.0),
            tenant_id: bytes(&key.tenant.0),
            client_id: key.client.clone(),
            wrapped: wrapped.to_vec(),
            name: key.name.clone(),
            description: key.description.clone(),
            active: key.active,
            user_id: bytes(&key.user.0),
            device_id: bytes(&key.device.0),
            permissions: to_json(&key.permissions)?,
            created_at: key.created_at.millis(),
            version: key.version,
        })
    }

    /// The key of the row.
    pub(crate) fn key(self) -> Stored<WrappedApiKey> {
        let cell = |column| Cell("api_keys", column);
        let key = ApiKey {
            id: ApiKeyId(cell("id").uuid(&self.id)?),
            tenant: TenantId(cell("tenant_id").uuid(&self.tenant_id)?),
            client: self.client_id,
            name: self.name,
            description: self.description,
            active: self.active,
            user: UserId(cell("user_id").uuid(&self.user_id)?),
            device: DeviceId(cell("device_id").uuid(&self.device_id)?),
            permissions: cell("permissions").json(&self.permissions)?,
            created_at: Instant::from_millis(self.created_at),
            version: self.version,
        };
        Ok(WrappedApiKey { key, wrapped: self.wrapped })
    }
}
