//! Rows of `enrollments` and `device_keys`.

use diesel::prelude::*;
use tillgate_domain::{
    ApiKeyId, DeviceId, DeviceKey, DeviceKeyState, Enrollment, EnrollmentCompletion, Instant, KeyStorage, SessionId,
    StoreResult, TenantId, UserId,
};

use super::{Column, from_millis, to_millis, uuid_bytes};
use crate::schema::{device_keys, enrollments};

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = enrollments)]
pub(crate) struct EnrollmentRow {
    device_id: Vec<u8>,
    tenant_id: Vec<u8>,
    digest: Vec<u8>,
    replaces_key: bool,
    started_by: Option<Vec<u8>>,
    created_at: i64,
    expires_at: i64,
    completed_at: Option<i64>,
    thumbprint: Option<Vec<u8>>,
    session_id: Option<Vec<u8>>,
    started_with: Option<Vec<u8>>,
    confirms: bool,
}

impl EnrollmentRow {
    pub(crate) fn into_domain(self) -> StoreResult<Enrollment> {
        let cell = |column| Column("enrollments", column);
        let completion = match (self.completed_at, &self.thumbprint, &self.session_id) {
            (Some(at), Some(thumbprint), Some(session)) => Some(EnrollmentCompletion {
                at: Instant::from_millis(at),
                thumbprint: cell("thumbprint").parse_digest(thumbprint)?,
                session: SessionId(cell("session_id").parse_uuid(session)?),
            }),
            (None, None, None) => None,
            _ => return Err(cell("completed_at").corrupt("an enrollment that is completed in part")),
        };
        Ok(Enrollment {
            device: DeviceId(cell("device_id").parse_uuid(&self.device_id)?),
            tenant: TenantId(cell("tenant_id").parse_uuid(&self.tenant_id)?),
            digest: cell("digest").parse_digest(&self.digest)?,
            replaces_key: self.replaces_key,
            confirms: self.confirms,
            started_by: cell("started_by").parse_optional_uuid(self.started_by.as_deref())?.map(UserId),
            started_with: cell("started_with").parse_optional_uuid(self.started_with.as_deref())?.map(ApiKeyId),
            created_at: Instant::from_millis(self.created_at),
            expires_at: Instant::from_millis(self.expires_at),
            completion,
        })
    }
}

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = device_keys, treat_none_as_default_value = false)]
pub(crate) struct DeviceKeyRow {
    tenant_id: Vec<u8>,
    thumbprint: Vec<u8>,
    device_id: Vec<u8>,
    jwk: String,
    algorithm: String,
    storage: String,
    state: String,
    label: String,
    app: String,
    enrolled_by: Option<Vec<u8>>,
    enrolled_at: i64,
    ended_at: Option<i64>,
    used_at: Option<i64>,
}

impl DeviceKeyRow {
    pub(crate) fn from_domain(key: &DeviceKey) -> Self {
        Self {
            tenant_id: uuid_bytes(&key.tenant.0),
            thumbprint: key.thumbprint.to_vec(),
            device_id: uuid_bytes(&key.device.0),
            jwk: key.jwk.clone(),
            algorithm: key.algorithm.clone(),
            storage: key.storage.name().to_owned(),
            state: key.state.name().to_owned(),
            label: key.label.clone(),
            app: key.app.clone(),
            enrolled_by: key.enrolled_by.map(|id| uuid_bytes(&id.0)),
            enrolled_at: key.enrolled_at.millis(),
            ended_at: to_millis(key.ended_at),
            used_at: to_millis(key.used_at),
        }
    }

    pub(crate) fn into_domain(self) -> StoreResult<DeviceKey> {
        let cell = |column| Column("device_keys", column);
        Ok(DeviceKey {
            tenant: TenantId(cell("tenant_id").parse_uuid(&self.tenant_id)?),
            thumbprint: cell("thumbprint").parse_digest(&self.thumbprint)?,
            device: DeviceId(cell("device_id").parse_uuid(&self.device_id)?),
            jwk: self.jwk,
            algorithm: self.algorithm,
            storage: cell("storage").parse_word(KeyStorage::ALL, KeyStorage::name, &self.storage)?,
            state: cell("state").parse_word(DeviceKeyState::ALL, DeviceKeyState::name, &self.state)?,
            label: self.label,
            app: self.app,
            enrolled_by: cell("enrolled_by").parse_optional_uuid(self.enrolled_by.as_deref())?.map(UserId),
            enrolled_at: Instant::from_millis(self.enrolled_at),
            ended_at: from_millis(self.ended_at),
            used_at: from_millis(self.used_at),
        })
    }
}
