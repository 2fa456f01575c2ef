//! Rows of `sessions`.

use diesel::prelude::*;
use tillgate_auth_core::{Dialect, Epochs, Proved, Session, SessionKind};
use tillgate_domain::{DeviceId, EndedWhy, Epoch, Instant, KeyId, SessionId, Stored, TenantId, UserId};

use super::{Cell, bytes, instant, millis, to_json};
use crate::schema::sessions;

const DAY: i64 = 86_400_000;

/// A row of `sessions`.
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

/// The day since the Unix epoch in which an instant lies.
pub(crate) const fn day(at: Instant) -> i64 {
    at.millis().div_euclid(DAY)
}

impl SessionRow {
    /// The row of a session.
    pub(crate) fn of(session: &Session) -> Stored<Self> {
        Ok(Self {
            id: bytes(&session.id.0),
            tenant_id: bytes(&session.tenant.0),
            kind: session.kind.name().to_owned(),
            user_id: session.user.map(|id| bytes(&id.0)),
            device_id: session.device.map(|id| bytes(&id.0)),
            parent_id: session.parent.map(|id| bytes(&id.0)),
            dialect: session.dialect.as_str().to_owned(),
            terms: to_json(&session.terms)?,
            generation: session.generation,
            key_id: bytes(&session.key.0),
            previous_key_id: bytes(&session.previous_key.0),
            used: session.used,
            user_epoch: session.epochs.user.0,
            device_epoch: session.epochs.device.0,
            tenant_epoch: session.epochs.tenant.0,
            methods: session.proved.methods.clone(),
            proved_at: session.proved.at.millis(),
            address: session.address.map(|address| address.to_string()),
            rotated_from: session.rotated_from.map(|address| address.to_string()),
            thumbprint: session.thumbprint.clone(),
            created_at: session.created_at.millis(),
            rotated_at: millis(session.rotated_at),
            last_used_at: millis(session.last_used_at),
            expires_at: millis(session.expires_at),
            expires_day: session.expires_at.map(day),
            ended_at: session.ended.map(|(at, _)| at.millis()),
            ended_why: session.ended.map(|(_, why)| why.name().to_owned()),
        })
    }

    /// The session of the row.
    pub(crate) fn session(self) -> Stored<Session> {
        let cell = |column| Cell("sessions", column);
        let ended = match (self.ended_at, self.ended_why) {
            (Some(at), Some(why)) => {
                let why = cell("ended_why").word(&EndedWhy::ALL, EndedWhy::name, &why)?;
                Some((Instant::from_millis(at), why))
            }
            (None, None) => None,
            _ => return Err(cell("ended_why").corrupt("an end without a reason, or a reason without an end")),
        };
        Ok(Session {
            id: SessionId(cell("id").uuid(&self.id)?),
            tenant: TenantId(cell("tenant_id").uuid(&self.tenant_id)?),
            kind: cell("kind").word(&SessionKind::ALL, SessionKind::name, &self.kind)?,
            user: cell("user_id").uuid_or_none(self.user_id.as_deref())?.map(UserId),
            device: cell("device_id").uuid_or_none(self.device_id.as_deref())?.map(DeviceId),
            parent: cell("parent_id").uuid_or_none(self.parent_id.as_deref())?.map(SessionId),
            dialect: Dialect::new(&self.dialect),
            terms: cell("terms").json(&self.terms)?,
            generation: self.generation,
            key: KeyId(cell("key_id").uuid(&self.key_id)?),
            previous_key: KeyId(cell("previous_key_id").uuid(&self.previous_key_id)?),
            used: self.used,
            epochs: Epochs {
                user: Epoch(self.user_epoch),
                device: Epoch(self.device_epoch),
                tenant: Epoch(self.tenant_epoch),
            },
            proved: Proved { methods: self.methods, at: Instant::from_millis(self.proved_at) },
            address: cell("address").address(self.address.as_deref())?,
            rotated_from: cell("rotated_from").address(self.rotated_from.as_deref())?,
            thumbprint: self.thumbprint,
            created_at: Instant::from_millis(self.created_at),
            rotated_at: instant(self.rotated_at),
            last_used_at: instant(self.last_used_at),
            expires_at: instant(self.expires_at),
            ended,
        })
    }
}
