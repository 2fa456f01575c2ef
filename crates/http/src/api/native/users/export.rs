//! The export of users.

use serde_json::Value;
use tillgate_auth_core::Caller;
use tillgate_domain::office::{ExportedList, UserCursor, UserView, UserViewQuery};

use super::response::UserBody;
use super::{read_users, user_position};
use crate::api::native::export::{Column, ExportPages, ExportSource};
use crate::context::office::OfficeContext;
use crate::error::ApiError;

/// The users that are still to be exported.
pub(super) struct UserExport {
    search: UserViewQuery,
    pages: ExportPages<UserCursor>,
}

impl UserExport {
    pub(super) fn new(search: UserViewQuery) -> Self {
        let pages = ExportPages::new(search.order.is_changing());
        Self { search, pages }
    }
}

impl ExportSource for UserExport {
    const LIST: ExportedList = ExportedList::Users;
    const COLUMNS: &'static [Column] = &[
        Column::text("id", "/id"),
        Column::text("user_name", "/user_name"),
        Column::text("display_name", "/display_name"),
        Column::text("email", "/email"),
        Column::text("email_verified_at", "/email_verified_at"),
        Column::text("status", "/status"),
        Column::text("locale", "/locale"),
        Column::text("roles", "/roles"),
        Column::text("devices", "/devices"),
        Column::text("has_password", "/has_password"),
        Column::text("last_login_at", "/last_login_at"),
        Column::text("created_at", "/created_at"),
        Column::text("updated_at", "/updated_at"),
    ];
    type Item = UserView;

    fn read_page(&mut self, context: &OfficeContext<'_>, caller: &Caller) -> Result<Vec<UserView>, ApiError> {
        let (search, reader) = (&self.search, context.reader_for_caller(caller));
        self.pages.read_next(
            || Ok(context.unguarded(caller.profile.tenant.id).find_change_mark()?),
            <[UserView]>::len,
            |part| read_users(&reader, search, part),
            |view| view.user.id.0,
            |view, is_changed| user_position(search.order, view, is_changed),
        )
    }

    fn render(item: &UserView) -> serde_json::Result<Value> {
        serde_json::to_value(UserBody::from_view(item))
    }
}
