//! `user show`: shows a user, and what keeps the user from logging in.

use serde::Serialize;
use tillgate_domain::office::{SessionTarget, UserView};
use tillgate_domain::{Instant, Locale, PrincipalId, UserName};
use tillgate_http::native_bodies::UserBody;

use super::super::json::format_instant;
use super::super::login_throttle::{describe_login_throttle, find_login_throttle};
use super::super::office::CommandOffice;
use super::super::session::count_live_sessions;
use super::super::{CommandError, print};
use super::format_assignment;

/// A user as the native API shows it, with what only this command prints.
#[derive(Serialize)]
struct ShownUser<'u> {
    #[serde(flatten)]
    user: UserBody<'u>,
    sessions: usize,
}

/// Prints a user.
pub(super) fn show_user(office: &CommandOffice, name: &UserName, json: bool) -> Result<(), CommandError> {
    let view = office.load_user_view(&office.find_user(name)?)?;
    let throttle = find_login_throttle(office, PrincipalId::User(view.user.id))?;
    let user = &view.user;
    let sessions = count_live_sessions(office, SessionTarget::User(user.id))?.total;
    if json {
        let user = UserBody::from_view(&view).with_login_throttle(throttle);
        print::print_result(true, "", &ShownUser { user, sessions });
        return Ok(());
    }
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let or_never = |at: Option<Instant>| at.map_or_else(|| "never".to_owned(), format_instant);
    let rows = [
        ("name", user.name.to_string()),
        ("display name", user.display_name.clone()),
        ("email", or_none(user.email.as_ref().map(ToString::to_string).unwrap_or_default())),
        ("verified", or_never(user.email_verified_at)),
        ("status", user.status.name().to_owned()),
        ("roles", or_none(format_assignment(&view))),
        ("language", user.locale.as_ref().map_or("that of the tenant", Locale::as_str).to_owned()),
        ("password", password_state(&view, office.ids.now())),
        ("lockout", describe_login_throttle(throttle)),
        ("last login", or_never(user.last_login_at)),
        ("sessions", sessions.to_string()),
        ("created", format_instant(user.created_at)),
        ("changed", format_instant(user.updated_at)),
        ("id", user.id.to_string()),
    ];
    print::print_fields(&rows);
    Ok(())
}

/// Whether the user has a password or can choose one, and whether it must be changed.
fn password_state(view: &UserView, now: Instant) -> String {
    match (view.has_password, view.user.password_change_required, view.invited_until) {
        (true, true, _) => "must be changed at the next login".to_owned(),
        (true, false, _) => "need not be changed".to_owned(),
        (false, _, Some(until)) if until > now => format!("none; invited until {}", format_instant(until)),
        (false, _, Some(until)) => format!("none; the invitation expired at {}", format_instant(until)),
        (false, _, None) => "none".to_owned(),
    }
}
