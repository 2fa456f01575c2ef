//! `user pin`: draws the PIN of a user, or removes it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tillgate_domain::UserName;

use super::super::office::{CommandOffice, check_decided};
use super::super::password::{SecretDelivery, open_pin_delivery};
use super::super::{CommandError, parse, print};
use crate::composition;

/// The arguments of `user pin`.
#[derive(Debug, Args)]
pub(crate) struct PinArgs {
    /// Name of the user
    #[arg(value_parser = parse::user)]
    name: UserName,
    /// File to which the PIN is appended instead of showing it on the terminal; it must be readable
    /// by you alone
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Remove the PIN instead
    #[arg(long, conflicts_with = "output")]
    remove: bool,
}

impl PinArgs {
    pub(super) fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let user = office.find_user(&self.name)?;
        if self.remove {
            let removed = check_decided(office.for_operator()?.remove_pin(user.id))?;
            let line = if removed { "PIN removed" } else { "there was no PIN" };
            print::print_result(json, &format!("{}: {line}", user.name), &json!({ "removed": removed }));
            return Ok(());
        }
        // before the PIN is set, so that none is set and then lost
        let delivery: SecretDelivery = open_pin_delivery(self.output.as_deref())?;
        let user = check_decided(office.for_operator()?.authorize_set_pin(user.id))?;
        let engine = composition::build_command_engine(&office.settings, &office.database)?;
        let operator = office.for_operator()?;
        let drawn = engine.draw_pin(&user, None, |pin| operator.set_pin(user.id, pin)).map_err(CommandError::failed)?;
        let drawn = check_decided(Ok(drawn))?;
        delivery.deliver_pin(user.name.as_str(), &drawn.pin)?;
        let line = format!("{}: PIN drawn; the user should set another one", user.name);
        print::print_result(json, &line, &json!({ "due": drawn.due }));
        Ok(())
    }
}
