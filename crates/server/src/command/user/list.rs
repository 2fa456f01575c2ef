//! `user list`: lists users.

use clap::Args;
use tillgate_domain::office::ports::{MAX_FETCH_ROWS, UserCursor, UserOrder};
use tillgate_domain::office::{self, PageRequest, UserView, UserViewQuery};
use tillgate_domain::{RoleName, UserStatus};
use tillgate_http::native_bodies::UserBody;

use super::super::argument_errors::ArgumentErrors;
use super::super::office::{CommandOffice, check_decided};
use super::super::store::find_branch;
use super::super::{CommandError, parse, print};
use super::format_assignment;

/// The filters of `user list`.
#[derive(Debug, Args)]
pub(crate) struct UserListArgs {
    /// Only users with this text in their name, e-mail address or display name
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only users in this status
    #[arg(long, value_parser = parse::one_of_words::<UserStatus>(&["pending", "active", "suspended", "deleted"]))]
    status: Option<UserStatus>,
    /// Only users with this role, in general or on a device
    #[arg(long, value_parser = parse::role)]
    role: Option<RoleName>,
    /// Only users who may log in on a device in this store (name or id)
    #[arg(long)]
    store: Option<String>,
    /// Include deleted users
    #[arg(long)]
    all: bool,
    /// Maximum number of rows
    #[arg(long, value_name = "NUMBER", value_parser = parse::limit::<usize>())]
    limit: Option<usize>,
}

impl UserListArgs {
    pub(super) fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let found = self.find_users(office)?;
        let shown = found.iter().take(self.limit.unwrap_or(usize::MAX));
        let rows: Vec<_> = shown.map(|view| (user_cells(view), UserBody::from_view(view))).collect();
        print::print_table(json, &["NAME", "STATUS", "PASSWORD", "EMAIL", "ROLES"], &rows);
        if rows.is_empty() && !json && office.list_users()?.is_empty() {
            print::print_note("there is no user yet");
        }
        print::note_omitted(found.len() - rows.len());
        Ok(())
    }

    fn find_users(&self, office: &CommandOffice) -> Result<Vec<UserView>, CommandError> {
        let role = self.role.as_ref().map(|name| office.find_role(name)).transpose();
        let branch = find_branch(office, self.store.as_deref());
        ArgumentErrors::default().with(&role).with(&branch).report()?;
        let every = if self.all { UserStatus::ALL.to_vec() } else { Vec::new() };
        let query = UserViewQuery {
            text: self.search.clone(),
            statuses: self.status.map_or(every, |status| vec![status]),
            role: role?.map(|role| role.name),
            branch: branch?,
            order: UserOrder::Oldest,
            after: None,
            limit: MAX_FETCH_ROWS,
        };
        let reader = office.reader_for_operator();
        let load_page = |page: &PageRequest<UserCursor>| {
            let part = UserViewQuery { after: page.after.clone(), limit: page.limit, ..query.clone() };
            check_decided(reader.list_user_views(&part))
        };
        office::collect_pages(None, load_page, |view| UserOrder::Oldest.cursor(&view.user))
    }
}

fn user_cells(view: &UserView) -> Vec<String> {
    let user = &view.user;
    let password = match (view.has_password, user.password_change_required) {
        (false, _) => "none",
        (true, true) => "must change",
        (true, false) => "",
    };
    let email = user.email.as_ref().map(ToString::to_string).unwrap_or_default();
    vec![user.name.to_string(), user.status.name().to_owned(), password.to_owned(), email, format_assignment(view)]
}
