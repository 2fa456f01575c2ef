//! Rows of `users`.

use diesel::prelude::*;
use tillgate_domain::office::ports::search_text;
use tillgate_domain::{
    Assignment, Email, Epoch, FoldedText, Instant, Locale, StoreResult, TenantId, User, UserId, UserName, UserStatus,
};

use super::{Column, from_millis, to_millis, uuid_bytes};
use crate::schema::users;

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub(crate) struct UserRow {
    pub(crate) id: Vec<u8>,
    tenant_id: Vec<u8>,
    name: String,
    pub(crate) folded: Option<String>,
    email: Option<String>,
    pub(crate) email_folded: Option<String>,
    display_name: String,
    status: String,
    feature: Option<String>,
    epoch: i64,
    created_at: i64,
    updated_at: i64,
    version: i64,
    password_change_required: bool,
    locale: Option<String>,
    email_verified_at: Option<i64>,
    last_login_at: Option<i64>,
}

/// A new row of `users`.
#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub(crate) struct NewUserRow {
    #[diesel(embed)]
    pub(crate) row: UserRow,
    pub(crate) searched: String,
}

impl NewUserRow {
    pub(crate) fn from_domain(user: &User) -> Self {
        Self { row: UserRow::from_domain(user), searched: search_text::from_user(user) }
    }
}

impl UserRow {
    /// The row of a user. A deleted user has no search keys, so the name and the address are free
    /// again.
    pub(crate) fn from_domain(user: &User) -> Self {
        let found = user.status != UserStatus::Deleted;
        let text = |folded: FoldedText| folded.as_str().to_owned();
        Self {
            id: uuid_bytes(&user.id.0),
            tenant_id: uuid_bytes(&user.tenant.0),
            name: user.name.as_str().to_owned(),
            folded: found.then(|| text(user.name.to_folded())),
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            email_folded: user.email.as_ref().filter(|_| found).map(|email| text(email.lookup_key())),
            display_name: user.display_name.clone(),
            status: user.status.name().to_owned(),
            feature: user.feature.clone(),
            epoch: user.epoch.0,
            created_at: user.created_at.millis(),
            updated_at: user.updated_at.millis(),
            version: user.version,
            password_change_required: user.password_change_required,
            locale: user.locale.as_ref().map(|locale| locale.as_str().to_owned()),
            email_verified_at: to_millis(user.email_verified_at),
            last_login_at: to_millis(user.last_login_at),
        }
    }

    /// The user with its assignment.
    pub(crate) fn into_domain(self, assignment: Assignment) -> StoreResult<User> {
        let cell = |column| Column("users", column);
        Ok(User {
            id: UserId(cell("id").parse_uuid(&self.id)?),
            tenant: TenantId(cell("tenant_id").parse_uuid(&self.tenant_id)?),
            name: UserName::from_stored(self.name),
            email: self.email.map(Email::from_stored),
            email_verified_at: from_millis(self.email_verified_at),
            display_name: self.display_name,
            status: cell("status").check_parsed(self.status.parse())?,
            feature: self.feature,
            assignment,
            password_change_required: self.password_change_required,
            locale: self.locale.map(|tag| cell("locale").check_parsed(Locale::parse(&tag))).transpose()?,
            last_login_at: from_millis(self.last_login_at),
            epoch: Epoch(self.epoch),
            created_at: Instant::from_millis(self.created_at),
            updated_at: Instant::from_millis(self.updated_at),
            version: self.version,
        })
    }
}
