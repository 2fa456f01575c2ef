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

use crate::command::Stop;
use crate::configuration::{MailTls, Settings};

pub(crate) use resets::Resets;

/// How long the mail server may take for each step.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest line that is sent as it stands, in bytes.
const LONGEST_LINE: usize = 990;

/// The folder of mails that no mail server was set for, in the data folder.
pub(crate) const SPOOL: &str = "spool";

/// Replies that are about the server's own login at the mail server (RFC 4954, section 6), not about the mail: somebody mends the
/// configuration, and then it can be sent.
const LOGIN_REPLIES: [u16; 4] = [530, 534, 535, 538];

/// Why a mail could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Unsent {
    why: String,
    /// Whether the same mail will never be sent: the mail server has refused it for good (RFC 5321, section 4.2.1), or there is no
    /// such address.
    pub(crate) permanent: bool,
}

impl Unsent {
    fn now(error: &dyn std::fmt::Display) -> Self {
        Self { why: error.to_string(), permanent: false }
    }

    fn by_server(error: &lettre::transport::smtp::Error, to: &lettre::Address) -> Self {
        let refused = error.is_permanent() && error.status().is_none_or(is_about_mail);
        // the mail server does not know SMTPUTF8 (RFC 6531), and the address needs it
        let unspeakable = error.is_client() && !to.user().is_ascii();
        Self { why: error.to_string(), permanent: refused || unspeakable }
    }
}

/// Whether a reply of the mail server is about the mail, and not about the login there.
fn is_about_mail(code: Code) -> bool {
    !LOGIN_REPLIES.contains(&u16::from(code))
}

/// Where mail goes.
pub(crate) struct Mail {
    from: Mailbox,
    way: Way,
}

enum Way {
    Server(Box<SmtpTransport>),
    Spool(PathBuf),
}

impl Mail {
    /// The way that the settings say. Nothing is connected to yet.
    pub(crate) fn of(settings: &Settings) -> Result<Self, Stop> {
        let mail = &settings.mail;
        let from = mail.from.parse().map_err(|_| Stop::usage("mail.from must be an e-mail address"))?;
        let Some(host) = &mail.host else {
            return Ok(Self { from, way: Way::Spool(settings.server.data.join(SPOOL)) });
        };
        let builder = match mail.tls {
            MailTls::Tls => SmtpTransport::relay(host),
            MailTls::StartTls => SmtpTransport::starttls_relay(host),
            MailTls::Off => Ok(SmtpTransport::builder_dangerous(host)),
        };
        let mut builder = builder.map_err(|error| Stop::usage(format!("mail.host: {error}")))?.timeout(Some(PATIENCE));
        if let Some(port) = mail.port {
            builder = builder.port(u16::try_from(port).map_err(|_| Stop::usage("mail.port is no port"))?);
        }
        if let (Some(user), Some(password)) = (&mail.user, &mail.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().clone()));
        }
        Ok(Self { from, way: Way::Server(Box::new(builder.build())) })
    }

    /// Sends a text, or says why it could not be sent. `id` names it in the spool folder.
    pub(crate) fn send(&self, id: &str, to: &Email, subject: &str, text: &str) -> Result<(), Unsent> {
        let unreachable =
            |why: &str| Unsent { why: format!("the address cannot be written to: {why}"), permanent: true };
        let told = to.for_mail_server().ok_or_else(|| unreachable("its domain is no name of a host"))?;
        let address: lettre::Address =
            told.parse().map_err(|error: lettre::address::AddressError| unreachable(&error.to_string()))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address.clone()))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(body(text))
            .map_err(|error| Unsent::now(&error))?;
        match &self.way {
            Way::Server(server) => server.send(&message).map(drop).map_err(|error| Unsent::by_server(&error, &address)),
            Way::Spool(folder) => {
                let file = put(folder, id, &message.formatted()).map_err(|error| Unsent::now(&error))?;
                let file = file.display();
                tracing::warn!(%file, "no mail server is set (mail.host): a mail was put into the spool folder");
                Ok(())
            }
        }
    }
}

/// As it stands where SMTP takes that (RFC 5321, 4.5.3.1.6), so that a long link stays in one piece.
fn body(text: &str) -> Body {
    if text.is_ascii() && text.lines().all(|line| line.len() <= LONGEST_LINE) {
        Body::dangerous_pre_encoded(text.as_bytes().to_vec(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text.to_owned())
    }
}

/// Writes a mail whole or not at all, for the server's own user alone.
fn put(folder: &Path, id: &str, message: &[u8]) -> std::io::Result<PathBuf> {
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
    fn replies_about_the_servers_own_login_are_about_no_mail() {
        let code = |category, detail| Code::new(Severity::PermanentNegativeCompletion, category, detail);
        assert!(is_about_mail(code(Category::MailSystem, Detail::Zero)), "550");
        assert!(is_about_mail(code(Category::MailSystem, Detail::Three)), "553");
        assert!(!is_about_mail(code(Category::Unspecified3, Detail::Five)), "535");
        assert!(!is_about_mail(code(Category::Unspecified3, Detail::Zero)), "530");
    }
}
