//! Mail: to a mail server where one is set, else into a spool folder beside the database. Who is written to, and what of, stands in
//! `mail/resets`; nothing here knows.

mod resets;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::response::Code;
use lettre::{Message, SmtpTransport, Transport};
use tillgate_domain::Email;

use crate::command::CommandError;
use crate::configuration::{MailTls, Settings};

pub(crate) use resets::ResetMailThread;

/// How long the mail server may take for each step.
const SMTP_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest line that is sent as it stands, in bytes.
const MAX_LINE_BYTES: usize = 990;

/// The folder of mails that no mail server was set for, in the data folder.
pub(crate) const SPOOL_FOLDER: &str = "spool";

/// Replies that are about the server's own login at the mail server (RFC 4954, section 6), not about the mail: somebody mends the
/// configuration, and then it can be sent.
const LOGIN_REPLY_CODES: [u16; 4] = [530, 534, 535, 538];

/// Why a mail could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct MailError {
    why: String,
    /// Whether the same mail will never be sent: the mail server has refused it for good (RFC 5321, section 4.2.1), or there is no
    /// such address.
    pub(crate) permanent: bool,
}

impl MailError {
    fn temporary(error: &dyn std::fmt::Display) -> Self {
        Self { why: error.to_string(), permanent: false }
    }

    fn from_smtp(error: &lettre::transport::smtp::Error, to: &lettre::Address) -> Self {
        let refused = error.is_permanent() && error.status().is_none_or(is_about_mail);
        // the mail server does not know SMTPUTF8 (RFC 6531), and the address needs it
        let unspeakable = error.is_client() && !to.user().is_ascii();
        Self { why: error.to_string(), permanent: refused || unspeakable }
    }
}

/// Whether a reply of the mail server is about the mail, and not about the login there.
fn is_about_mail(code: Code) -> bool {
    !LOGIN_REPLY_CODES.contains(&u16::from(code))
}

/// Where mail goes.
pub(crate) struct Mailer {
    from: Mailbox,
    way: MailTransport,
}

enum MailTransport {
    Server(Box<SmtpTransport>),
    Spool(PathBuf),
}

impl Mailer {
    /// The way that the settings say. Nothing is connected to yet.
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, CommandError> {
        let mail = &settings.mail;
        let from = mail.from.parse().map_err(|_| CommandError::usage("mail.from must be an e-mail address"))?;
        let Some(host) = &mail.host else {
            return Ok(Self { from, way: MailTransport::Spool(settings.server.data.join(SPOOL_FOLDER)) });
        };
        let builder = match mail.tls {
            MailTls::Tls => SmtpTransport::relay(host),
            MailTls::StartTls => SmtpTransport::starttls_relay(host),
            MailTls::Off => Ok(SmtpTransport::builder_dangerous(host)),
        };
        let mut builder =
            builder.map_err(|error| CommandError::usage(format!("mail.host: {error}")))?.timeout(Some(SMTP_TIMEOUT));
        if let Some(port) = mail.port {
            builder = builder.port(u16::try_from(port).map_err(|_| CommandError::usage("mail.port is no port"))?);
        }
        if let (Some(user), Some(password)) = (&mail.user, &mail.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().clone()));
        }
        Ok(Self { from, way: MailTransport::Server(Box::new(builder.build())) })
    }

    /// Sends a text, or says why it could not be sent. `id` names it in the spool folder.
    pub(crate) fn send(&self, id: &str, to: &Email, subject: &str, text: &str) -> Result<(), MailError> {
        let unreachable =
            |why: &str| MailError { why: format!("the address cannot be written to: {why}"), permanent: true };
        let told = to.to_smtp_address().ok_or_else(|| unreachable("its domain is no name of a host"))?;
        let address: lettre::Address =
            told.parse().map_err(|error: lettre::address::AddressError| unreachable(&error.to_string()))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address.clone()))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(build_body(text))
            .map_err(|error| MailError::temporary(&error))?;
        match &self.way {
            MailTransport::Server(server) => {
                server.send(&message).map(drop).map_err(|error| MailError::from_smtp(&error, &address))
            }
            MailTransport::Spool(folder) => {
                let file =
                    write_to_spool(folder, id, &message.formatted()).map_err(|error| MailError::temporary(&error))?;
                let file = file.display();
                tracing::warn!(%file, "no mail server is set (mail.host): a mail was put into the spool folder");
                Ok(())
            }
        }
    }
}

/// As it stands where SMTP takes that (RFC 5321, 4.5.3.1.6), so that a long link stays in one piece.
fn build_body(text: &str) -> Body {
    if text.is_ascii() && text.lines().all(|line| line.len() <= MAX_LINE_BYTES) {
        Body::dangerous_pre_encoded(text.as_bytes().to_vec(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text.to_owned())
    }
}

/// Writes a mail whole or not at all, for the server's own user alone.
fn write_to_spool(folder: &Path, id: &str, message: &[u8]) -> std::io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let (half, whole) = (folder.join(format!("{id}.part")), folder.join(format!("{id}.eml")));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
    file.write_all(message)?;
    file.sync_all()?;
    std::fs::rename(&half, &whole)?;
    File::open(folder)?.sync_all()?;
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use lettre::transport::smtp::response::{Category, Detail, Severity};

    use super::*;

    #[test]
    fn login_replies_are_not_about_the_mail() {
        let code = |category, detail| Code::new(Severity::PermanentNegativeCompletion, category, detail);
        assert!(is_about_mail(code(Category::MailSystem, Detail::Zero)), "550");
        assert!(is_about_mail(code(Category::MailSystem, Detail::Three)), "553");
        assert!(!is_about_mail(code(Category::Unspecified3, Detail::Five)), "535");
        assert!(!is_about_mail(code(Category::Unspecified3, Detail::Zero)), "530");
    }
}
