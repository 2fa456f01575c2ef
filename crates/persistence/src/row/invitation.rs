//! Rows of `invitations`.

use diesel::prelude::*;
use tillgate_domain::office::ports::Invitation;
use tillgate_domain::{Email, Instant, StoreResult, UserId};

use super::Column;
use crate::schema::invitations;

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = invitations)]
pub(crate) struct InvitationRow {
    user_id: Vec<u8>,
    digest: Vec<u8>,
    created_at: i64,
    expires_at: i64,
    email: Option<String>,
}

impl InvitationRow {
    pub(crate) fn into_domain(self) -> StoreResult<Invitation> {
        let cell = |column| Column("invitations", column);
        Ok(Invitation {
            digest: cell("digest").parse_digest(&self.digest)?,
            user: UserId(cell("user_id").parse_uuid(&self.user_id)?),
            email: self.email.map(Email::from_stored),
            created_at: Instant::from_millis(self.created_at),
            expires_at: Instant::from_millis(self.expires_at),
        })
    }
}
