//! `token`: the permanent token of a device, for programs that speak krmpesan.

use clap::{Args, Subcommand};
use serde_json::json;
use tillgate_auth_core::session::Dialect;
use tillgate_auth_core::{Login, Proof, Tenancy, Who};
use tillgate_domain::{DeviceName, UserName};
use tillgate_http::Krmpesan;

use super::office::Office;
use super::{Context, Stop, pairs, password, print};
use crate::compose;

/// What is done with permanent tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Generate the permanent token of a device and end the one before; the user's password is asked for
    Generate(Generate),
}

/// Whose token it is to be.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The user
    #[arg(long, value_name = "NAME", value_parser = pairs::user)]
    user: UserName,
    /// The device
    #[arg(long, value_name = "NAME", value_parser = pairs::device)]
    device: DeviceName,
}

impl Token {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        match self {
            Self::Generate(generate) => generate.run(context),
        }
    }
}

impl Generate {
    fn run(&self, context: &Context) -> Result<(), Stop> {
        let office = Office::open(context)?;
        let auth = compose::engine_beside(&office.settings, &office.database)?;
        let login = Login {
            dialect: Dialect::new(Krmpesan::NAME),
            terms: Krmpesan::terms(),
            tenancy: Tenancy { fixed: Some(office.tenant.slug.clone()), asked: None },
            who: Who::User { login: self.user.to_string(), device: Some(self.device.to_string()) },
            proof: Proof::Password(password::prove(self.user.as_str())?),
            least: None,
            previous: Vec::new(),
            reports_password_change: true,
            address: None,
        };
        let granted = auth.generate(&login).map_err(Stop::failed)?;
        let (Some(id_token), Some(refresh_token)) = (&granted.id_token, &granted.refresh_token) else {
            return Err(Stop::failed("a permanent session without its tokens"));
        };
        let (id_token, refresh_token, id) = (id_token.expose(), refresh_token.expose(), granted.session.id);
        let lines = format!("IdToken: {id_token}\nRefreshToken: {refresh_token}\nDeviceId: {id}");
        let document = json!({ "IdToken": id_token, "RefreshToken": refresh_token, "DeviceId": id });
        print::answer(context.json, &lines, &document);
        if !context.json {
            print::note("Keep them now: they are not shown again. An earlier token of this device is over.");
        }
        Ok(())
    }
}
