//! `mail`: checks that mail can be sent.

use clap::Subcommand;
use serde_json::json;
use tillgate_domain::Email;

use super::{CommandError, Context, parse, print};
use crate::mail::{Mailer, OutgoingMail, SPOOL_FOLDER, SmtpTimeouts};

/// The subcommands of `mail`.
#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// Send a mail with the settings of the server, and print the response of the mail server
    #[command(after_help = "Example:\n  tillgate mail test anna@example.com")]
    Test {
        /// Address to send the mail to
        #[arg(value_parser = parse::email)]
        address: Email,
    },
}

impl MailCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let Self::Test { address } = self;
        let settings = context.settings(|_| ())?;
        // nothing is written to the folder: as root, this command would create it for root alone
        let Some(host) = &settings.mail.host else {
            return Err(CommandError::failed(format!(
                "no mail server is configured, so the server writes mails to {}: set mail.host",
                settings.server.data.join(SPOOL_FOLDER).display()
            )));
        };
        let text = "This mail was sent by the command \"tillgate mail test\". The server can send mail.\r\n";
        let mail = OutgoingMail { id: "test", to: address, subject: "Test of tillgate", text };
        let reply = Mailer::from_settings(&settings, SmtpTimeouts::INTERACTIVE)?
            .send(&mail, &|| true)
            .map_err(|error| CommandError::failed(format!("{host} did not accept the mail for {address}: {error}")))?
            .unwrap_or_default();
        let line = format!("{host} has accepted the mail for {address}: {reply}");
        print::print_result(context.json, &line, &json!({ "to": address, "host": host, "reply": reply }));
        Ok(())
    }
}
