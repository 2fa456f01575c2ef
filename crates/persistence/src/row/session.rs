//! Rows of `sessions`.

use diesel::prelude::*;
use tillgate_auth_core::{AuthenticationInfo, DialectName, Epochs, Session, SessionKind};
use tillgate_domain::{DeviceId, EndReason, Epoch, Instant, KeyId, SessionId, StoreResult, TenantId, UserId};

use super::{Column, from_millis, to_json, to_millis, uuid_bytes};
use crate::schema::sessions;

const MILLIS_PER_DAY: i64 = 86_400_000;

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub(crate) struct SessionRow {
    id: Vec<u8>,
    tenant_id: Vec<u8>,
    kind: String,
    user_id: Option<Vec<u8>>,
    device_id: Option<Vec<u8>>,
    parent_id: Option<Vec<u8>>,
    dialect: String,
    terms: String,
    generation: i64,
    key_id: Vec<u8>,
    previous_key_id: Vec<u8>,
    used: i64,
    user_epoch: i64,
    device_epoch: i64,
    tenant_epoch: i64,
    methods: String,
    proved_at: i64,
    address: Option<String>,
    rotated_from: Option<String>,
    thumbprint: Option<Vec<u8>>,
    created_at: i64,
    rotated_at: Option<i64>,
    last_used_at: Option<i64>,
    expires_at: Option<i64>,
    expires_day: Option<i64>,
    ended_at: Option<i64>,
    ended_why: Option<String>,
}

/// The number of the day, counted from the Unix epoch.
pub(crate) const fn day_number(at: Instant) -> i64 {
    at.millis().div_euclid(MILLIS_PER_DAY)
}

impl SessionRow {
    pub(crate) fn from_domain(session: &Session) -> StoreResult<Self> {
        Ok(Self {
            id: uuid_bytes(&session.id.0),
            tenant_id: uuid_bytes(&session.tenant.0),
            kind: session.kind.name().to_owned(),
            user_id: session.user.map(|id| uuid_bytes(&id.0)),
            device_id: session.device.map(|id| uuid_bytes(&id.0)),
            parent_id: session.parent.map(|id| uuid_bytes(&id.0)),
            dialect: session.dialect.as_str().to_owned(),
            terms: to_json(&session.terms)?,
            generation: session.generation,
            key_id: uuid_bytes(&session.key.0),
            previous_key_id: uuid_bytes(&session.previous_key.0),
            used: session.used_generation,
            user_epoch: session.epochs.user.0,
            device_epoch: session.epochs.device.0,
            tenant_epoch: session.epochs.tenant.0,
            methods: session.authentication.methods.clone(),
            proved_at: session.authentication.at.millis(),
            address: session.address.map(|address| address.to_string()),
            rotated_from: session.rotated_from.map(|address| address.to_string()),
            thumbprint: session.thumbprint.clone(),
            created_at: session.created_at.millis(),
            rotated_at: to_millis(session.rotated_at),
            last_used_at: to_millis(session.last_used_at),
            expires_at: to_millis(session.expires_at),
            expires_day: session.expires_at.map(day_number),
            ended_at: session.ended.map(|(at, _)| at.millis()),
            ended_why: session.ended.map(|(_, why)| why.name().to_owned()),
        })
    }

    pub(crate) fn into_domain(self) -> StoreResult<Session> {
        let cell = |column| Column("sessions", column);
        let ended = match (self.ended_at, self.ended_why) {
            (Some(at), Some(why)) => {
                let why = cell("ended_why").parse_word(&EndReason::ALL, EndReason::name, &why)?;
                Some((Instant::from_millis(at), why))
            }
            (None, None) => None,
            _ => return Err(cell("ended_why").corrupt("an end without a reason, or a reason without an end")),
        };
        Ok(Session {
            id: SessionId(cell("id").parse_uuid(&self.id)?),
            tenant: TenantId(cell("tenant_id").parse_uuid(&self.tenant_id)?),
            kind: cell("kind").parse_word(&SessionKind::ALL, SessionKind::name, &self.kind)?,
            user: cell("user_id").parse_optional_uuid(self.user_id.as_deref())?.map(UserId),
            device: cell("device_id").parse_optional_uuid(self.device_id.as_deref())?.map(DeviceId),
            parent: cell("parent_id").parse_optional_uuid(self.parent_id.as_deref())?.map(SessionId),
            dialect: DialectName::new(&self.dialect),
            terms: cell("terms").parse_json(&self.terms)?,
            generation: self.generation,
            key: KeyId(cell("key_id").parse_uuid(&self.key_id)?),
            previous_key: KeyId(cell("previous_key_id").parse_uuid(&self.previous_key_id)?),
            used_generation: self.used,
            epochs: Epochs {
                user: Epoch(self.user_epoch),
                device: Epoch(self.device_epoch),
                tenant: Epoch(self.tenant_epoch),
            },
            authentication: AuthenticationInfo { methods: self.methods, at: Instant::from_millis(self.proved_at) },
            address: cell("address").parse_address(self.address.as_deref())?,
            rotated_from: cell("rotated_from").parse_address(self.rotated_from.as_deref())?,
            thumbprint: self.thumbprint,
            created_at: Instant::from_millis(self.created_at),
            rotated_at: from_millis(self.rotated_at),
            last_used_at: from_millis(self.last_used_at),
            expires_at: from_millis(self.expires_at),
            ended,
        })
    }
}
