//! `token`: generates the permanent token of a device, for clients of the krmpesan dialect.

use clap::{Args, Subcommand};
use serde_json::json;
use tillgate_auth_core::session::DialectName;
use tillgate_auth_core::{LoginIdentity, LoginRequest, LoginSecret, Tenancy};
use tillgate_domain::{DeviceName, UserName};
use tillgate_http::Krmpesan;

use super::office::CommandOffice;
use super::{CommandError, Context, parse, password, print};
use crate::composition;

/// The subcommands of `token`.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Generate a device's permanent token and end the previous one; asks for the user's password
    #[command(after_help = "Example:\n  tillgate token generate --user anna --device P01")]
    Generate(GenerateTokenArgs),
}

/// The arguments of `token generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateTokenArgs {
    /// User who owns the token
    #[arg(long, value_name = "NAME", value_parser = parse::user)]
    user: UserName,
    /// Device for which the token is generated
    #[arg(long, value_name = "NAME", value_parser = parse::device)]
    device: DeviceName,
}

impl TokenCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        match self {
            Self::Generate(generate) => generate.run(context),
        }
    }
}

impl GenerateTokenArgs {
    fn run(&self, context: &Context) -> Result<(), CommandError> {
        let office = CommandOffice::open(context)?;
        let auth = composition::build_command_engine(&office.settings, &office.database)?;
        let login = LoginRequest {
            dialect: DialectName::new(Krmpesan::NAME),
            terms: Krmpesan::default_terms(),
            tenancy: Tenancy { fixed: Some(office.tenant.slug.clone()), requested: None },
            identity: LoginIdentity::User { login: self.user.to_string(), device: Some(self.device.to_string()) },
            secret: LoginSecret::Password(password::read_current_password(self.user.as_str())?),
            proven_key: None,
            min_rank: None,
            requires_office_right: false,
            previous_refresh_tokens: Vec::new(),
            reports_password_change: true,
            address: None,
        };
        let granted = auth.generate_permanent_token(&login).map_err(CommandError::failed)?;
        let (Some(id_token), Some(refresh_token)) = (&granted.id_token, &granted.refresh_token) else {
            return Err(CommandError::failed("internal error: the permanent session has no tokens"));
        };
        let (id_token, refresh_token, id) = (id_token.expose(), refresh_token.expose(), granted.session.id);
        let lines = format!("IdToken: {id_token}\nRefreshToken: {refresh_token}\nDeviceId: {id}");
        let document = json!({ "IdToken": id_token, "RefreshToken": refresh_token, "DeviceId": id });
        print::print_result(context.json, &lines, &document);
        if !context.json {
            print::print_note(
                "Save the tokens now: they are not shown again. The previous token of this device is no longer valid.",
            );
        }
        Ok(())
    }
}
