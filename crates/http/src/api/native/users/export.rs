//! The export of users.

use serde_json::Value;
use tillgate_auth_core::Caller;
use tillgate_domain::office::{ExportedList, UserView, UserViewQuery};

use super::response::UserBody;
use crate::api::native::export::{Column, ExportSource};
use crate::context::office::OfficeContext;
use crate::error::ApiError;
use crate::error::office::into_api_result;

/// The users that are still to be exported.
pub(super) struct UserExport(pub(super) UserViewQuery);

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
        let found = into_api_result(context.reader_for_caller(caller).list_user_views(&self.0))?;
        if let Some(last) = found.last() {
            self.0.after = Some(self.0.order.cursor(&last.user));
        }
        Ok(found)
    }

    fn render(item: &UserView) -> serde_json::Result<Value> {
        serde_json::to_value(UserBody::from_view(item))
    }
}
