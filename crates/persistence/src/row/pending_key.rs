//! Rows of `pending_keys`.

use diesel::prelude::*;
use tillgate_domain::{DeviceId, Instant, KeyStorage, PendingKey, PendingKeyState, StoreResult, TenantId};

use super::{Column, from_millis, to_millis, uuid_bytes};
use crate::schema::pending_keys;

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = pending_keys, treat_none_as_default_value = false)]
pub(crate) struct PendingKeyRow {
    code_digest: Vec<u8>,
    poll_digest: Vec<u8>,
    tenant_id: Vec<u8>,
    device_id: Option<Vec<u8>>,
    thumbprint: Vec<u8>,
    jwk: String,
    algorithm: String,
    storage: String,
    label: String,
    app: String,
    address: Option<String>,
    fingerprint: String,
    fingerprint_attempts: i64,
    state: String,
    created_at: i64,
    expires_at: i64,
    polled_at: Option<i64>,
}

impl PendingKeyRow {
    pub(crate) fn from_domain(key: &PendingKey) -> Self {
        Self {
            code_digest: key.code_digest.to_vec(),
            poll_digest: key.device_code_digest.to_vec(),
            tenant_id: uuid_bytes(&key.tenant.0),
            device_id: key.device.map(|id| uuid_bytes(&id.0)),
            thumbprint: key.thumbprint.to_vec(),
            jwk: key.jwk.clone(),
            algorithm: key.algorithm.clone(),
            storage: key.storage.name().to_owned(),
            label: key.label.clone(),
            app: key.app.clone(),
            address: key.address.map(|address| address.to_string()),
            fingerprint: key.fingerprint.clone(),
            fingerprint_attempts: key.fingerprint_attempts.into(),
            state: key.state.name().to_owned(),
            created_at: key.created_at.millis(),
            expires_at: key.expires_at.millis(),
            polled_at: to_millis(key.polled_at),
        }
    }

    pub(crate) fn into_domain(self) -> StoreResult<PendingKey> {
        let cell = |column| Column("pending_keys", column);
        Ok(PendingKey {
            code_digest: cell("code_digest").parse_digest(&self.code_digest)?,
            device_code_digest: cell("poll_digest").parse_digest(&self.poll_digest)?,
            tenant: TenantId(cell("tenant_id").parse_uuid(&self.tenant_id)?),
            device: cell("device_id").parse_optional_uuid(self.device_id.as_deref())?.map(DeviceId),
            thumbprint: cell("thumbprint").parse_digest(&self.thumbprint)?,
            jwk: self.jwk,
            algorithm: self.algorithm,
            storage: cell("storage").parse_word(KeyStorage::ALL, KeyStorage::name, &self.storage)?,
            label: self.label,
            app: self.app,
            address: cell("address").parse_address(self.address.as_deref())?,
            fingerprint: self.fingerprint,
            // as a count of attempts that are limited to a few
            fingerprint_attempts: u32::try_from(self.fingerprint_attempts).unwrap_or(u32::MAX),
            state: cell("state").parse_word(PendingKeyState::ALL, PendingKeyState::name, &self.state)?,
            created_at: Instant::from_millis(self.created_at),
            expires_at: Instant::from_millis(self.expires_at),
            polled_at: from_millis(self.polled_at),
        })
    }
}
