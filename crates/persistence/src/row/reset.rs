//! Rows of `reset_requests` and `resets`.

use diesel::prelude::*;
use tillgate_domain::office::ports::{Reset, ResetRequest};
use tillgate_domain::{Email, Instant, ResetId, StoreResult, TenantId, UserId};

use super::{Column, uuid_bytes};
use crate::schema::{reset_requests, resets};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = reset_requests)]
pub(crate) struct ResetRequestRow {
    id: Vec<u8>,
    email: String,
    tenant_id: Option<Vec<u8>>,
    address: Option<String>,
    asked_at: i64,
    due_at: i64,
    tries: i64,
}

impl ResetRequestRow {
    pub(crate) fn from_domain(request: &ResetRequest) -> Self {
        Self {
            id: uuid_bytes(&request.id.0),
            email: request.email.to_string(),
            tenant_id: request.tenant.map(|tenant| uuid_bytes(&tenant.0)),
            address: request.address.map(|address| address.to_string()),
            asked_at: request.requested_at.millis(),
            due_at: request.due_at.millis(),
            tries: request.tries,
        }
    }

    pub(crate) fn into_domain(self) -> StoreResult<ResetRequest> {
        let cell = |column| Column("reset_requests", column);
        let tenant = self.tenant_id.map(|id| cell("tenant_id").parse_uuid(&id)).transpose()?;
        Ok(ResetRequest {
            id: ResetId(cell("id").parse_uuid(&self.id)?),
            email: Email::from_stored(self.email),
            tenant: tenant.map(TenantId),
            address: self.address.map(|address| cell("address").check_parsed(address.parse())).transpose()?,
            requested_at: Instant::from_millis(self.asked_at),
            due_at: Instant::from_millis(self.due_at),
            tries: self.tries,
        })
    }
}

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = resets)]
pub(crate) struct ResetRow {
    digest: Vec<u8>,
    request_id: Vec<u8>,
    user_id: Vec<u8>,
    email: String,
    granted_at: i64,
    expires_at: i64,
}

impl ResetRow {
    pub(crate) fn from_domain(reset: &Reset) -> Self {
        Self {
            digest: reset.digest.to_vec(),
            request_id: uuid_bytes(&reset.request.0),
            user_id: uuid_bytes(&reset.user.0),
            email: reset.email.to_string(),
            granted_at: reset.granted_at.millis(),
            expires_at: reset.expires_at.millis(),
        }
    }

    pub(crate) fn into_domain(self) -> StoreResult<Reset> {
        let cell = |column| Column("resets", column);
        Ok(Reset {
            digest: cell("digest").parse_digest(&self.digest)?,
            request: ResetId(cell("request_id").parse_uuid(&self.request_id)?),
            user: UserId(cell("user_id").parse_uuid(&self.user_id)?),
            email: Email::from_stored(self.email),
            granted_at: Instant::from_millis(self.granted_at),
            expires_at: Instant::from_millis(self.expires_at),
        })
    }
}
