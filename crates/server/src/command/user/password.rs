//! `user password`: sets a user's password.

use clap::Args;
use tillgate_domain::office::{PasswordOptions, SessionTarget};
use tillgate_domain::{PrincipalId, UserName};
use tillgate_http::native_bodies::UserBody;

use super::{must_change_note, note_api_keys};
use crate::command::confirmation::{ConfirmationArgs, count_text};
use crate::command::office::{CommandOffice, check_decided};
use crate::command::password::{GenerateArgs, MustChangeArgs};
use crate::command::session::count_live_sessions;
use crate::command::{CommandError, parse, print};

/// The arguments of `user password`.
#[derive(Debug, Args)]
pub(crate) struct PasswordArgs {
    /// Name of the user
    #[arg(value_parser = parse::user)]
    name: UserName,
    /// Revoke the user's API keys too
    #[arg(long)]
    keys: bool,
    #[command(flatten)]
    generate: GenerateArgs,
    #[command(flatten)]
    must_change: MustChangeArgs,
    #[command(flatten)]
    confirmation: ConfirmationArgs,
}

impl PasswordArgs {
    pub(super) fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let name = &self.name;
        let user = office.find_user(name)?;
        let principal = PrincipalId::User(user.id);
        let sessions = count_live_sessions(office, SessionTarget::User(user.id))?;
        sessions.confirm_end(self.confirmation, "A new password")?;
        let new_password = office.choose_password(&self.generate, name.as_str(), Some(principal), [])?;
        let verifier = office.hash_password(&new_password.password)?;
        let require_change = self.must_change.is_required(&self.generate);
        let options = PasswordOptions { revoke_api_keys: self.keys, require_change };
        let keys = check_decided(office.for_operator()?.set_password_with(principal, &verifier, options))?;
        let user = office.find_user(name)?;
        new_password.deliver(user.name.as_str())?;
        let state = if self.keys { "was revoked" } else { "does not depend on the password and stays valid" };
        note_api_keys(&keys, state);
        let ended = count_text(sessions.total, "session");
        let line = format!("{}: password changed; {ended} ended{}", user.name, must_change_note(&user));
        print::print_result(json, &line, &UserBody::from_view(&office.load_user_view(&user)?));
        Ok(())
    }
}
