//! `setup-token`: draws a new one-time token for the set-up of the first administrator.

use serde_json::json;

use super::{CommandError, Context, print};
use crate::first_admin;

pub(super) fn run(context: &Context) -> Result<(), CommandError> {
    let settings = context.settings(|_| ())?;
    let database = context.open_database(&settings)?;
    let scheme = if settings.server.tls_cert.is_some() { "https" } else { "http" };
    let page =
        first_admin::set_up_page(&settings, &format!("{scheme}://{}", settings.server.listen)).ok_or_else(|| {
            CommandError::failed(
                "the server has no back office without a host name; create the first admin with user add",
            )
        })?;
    let token = first_admin::draw_token(&*database)?;
    first_admin::remove_token_file(&settings);
    let line = first_admin::link_line(&page, &token);
    print::print_result(context.json, &line, &json!({ "page": page, "token": token.expose() }));
    if !context.json {
        print::print_note("The previous token is no longer valid. This one is not shown again.");
    }
    Ok(())
}
