//! Sends mail through a mail server, or writes it to a spool folder if none is configured.
//! Recipients and contents are in `mail/resets` and `mail/links`.

mod links;
mod resets;
mod texts;
mod thread;

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

pub(crate) use thread::MailThread;

/// The timeout for each step with the mail server.
const SMTP_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest line in bytes that is sent without an encoding.
const MAX_LINE_BYTES: usize = 990;

/// The folder for mails if no mail server is configured, in the data folder.
pub(crate) const SPOOL_FOLDER: &str = "spool";

/// How long a mail is reserved for the process that claimed it.
const MAIL_LEASE: Duration = Duration::from_mins(2);

/// The delay after the first failed attempt; it doubles with each further one.
const MIN_BACKOFF: Duration = Duration::from_secs(5);

/// The maximum delay between two attempts.
const MAX_BACKOFF: Duration = Duration::from_mins(15);

/// The delay before the next attempt after `tries` attempts.
fn backoff(tries: i64) -> Duration {
    let doubled = u32::try_from(tries.clamp(0, 16)).map_or(u32::MAX, |tries| 1 << tries);
    MIN_BACKOFF.saturating_mul(doubled).min(MAX_BACKOFF)
}

/// Replies that concern the server's login at the mail server (RFC 4954, section 6) and not the
/// mail. The mail can be sent once the configuration is fixed.
const LOGIN_REPLY_CODES: [u16; 4] = [530, 534, 535, 538];

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct MailError {
    why: String,
    /// Whether a retry is pointless: the mail server rejected the mail permanently (RFC 5321,
    /// section 4.2.1), or the address is invalid.
    pub(crate) permanent: bool,
}

impl MailError {
    fn temporary(error: &dyn std::fmt::Display) -> Self {
        Self { why: error.to_string(), permanent: false }
    }

    fn from_smtp(error: &lettre::transport::smtp::Error, to: &lettre::Address) -> Self {
        let refused = error.is_permanent() && error.status().is_none_or(is_about_mail);
        // the mail server does not support SMTPUTF8 (RFC 6531), which the address requires
        let not_supported = error.is_client() && !to.user().is_ascii();
        Self { why: error.to_string(), permanent: refused || not_supported }
    }
}

/// Whether a reply of the mail server concerns the mail and not the login there.
fn is_about_mail(code: Code) -> bool {
    !LOGIN_REPLY_CODES.contains(&u16::from(code))
}

/// Sends mails from the configured sender.
pub(crate) struct Mailer {
    from: Mailbox,
    transport: MailTransport,
}

enum MailTransport {
    Server(Box<SmtpTransport>),
    Spool(PathBuf),
}

impl Mailer {
    /// Creates a mailer from the settings. No connection is opened yet.
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, CommandError> {
        let mail = &settings.mail;
        let from = mail.from.parse().map_err(|_| CommandError::usage("mail.from must be an e-mail address"))?;
        let Some(host) = &mail.host else {
            return Ok(Self { from, transport: MailTransport::Spool(settings.server.data.join(SPOOL_FOLDER)) });
        };
        let builder = match mail.tls {
            MailTls::Tls => SmtpTransport::relay(host),
            MailTls::StartTls => SmtpTransport::starttls_relay(host),
            MailTls::Off => Ok(SmtpTransport::builder_dangerous(host)),
        };
        let mut builder =
            builder.map_err(|error| CommandError::usage(format!("mail.host: {error}")))?.timeout(Some(SMTP_TIMEOUT));
        if let Some(port) = mail.port {
            builder = builder
                .port(u16::try_from(port).map_err(|_| CommandError::usage("mail.port must be between 1 and 65535"))?);
        }
        if let (Some(user), Some(password)) = (&mail.user, &mail.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().clone()));
        }
        Ok(Self { from, transport: MailTransport::Server(Box::new(builder.build())) })
    }

    /// Sends a mail, and returns the reply of the mail server; `None` if there is no mail server,
    /// so that the mail was written to the spool folder. `id` is its file name there.
    pub(crate) fn send(&self, id: &str, to: &Email, subject: &str, text: &str) -> Result<Option<String>, MailError> {
        let unreachable =
            |why: &str| MailError { why: format!("the address is not valid for mail: {why}"), permanent: true };
        let smtp_address = to.to_smtp_address().ok_or_else(|| unreachable("its domain is not a host name"))?;
        let address: lettre::Address =
            smtp_address.parse().map_err(|error: lettre::address::AddressError| unreachable(&error.to_string()))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address.clone()))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(build_body(text))
            .map_err(|error| MailError::temporary(&error))?;
        match &self.transport {
            MailTransport::Server(server) => {
                let reply = server.send(&message).map_err(|error| MailError::from_smtp(&error, &address))?;
                let text: Vec<&str> = reply.message().collect();
                Ok(Some(format!("{} {}", reply.code(), text.join(" "))))
            }
            MailTransport::Spool(folder) => {
                let file =
                    write_to_spool(folder, id, &message.formatted()).map_err(|error| MailError::temporary(&error))?;
                tracing::warn!(file = %file.display(), "no mail server is configured (mail.host): the mail was \
                                                        written to the spool folder");
                Ok(None)
            }
        }
    }
}

/// The body without an encoding if SMTP allows it (RFC 5321, 4.5.3.1.6), so that a long link is not
/// split.
fn build_body(text: &str) -> Body {
    if text.is_ascii() && text.lines().all(|line| line.len() <= MAX_LINE_BYTES) {
        Body::dangerous_pre_encoded(text.as_bytes().to_vec(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text.to_owned())
    }
}

/// Writes a mail to the spool folder atomically, readable by the server's user alone.
fn write_to_spool(folder: &Path, id: &str, message: &[u8]) -> std::io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let (draft, path) = (folder.join(format!("{id}.part")), folder.join(format!("{id}.eml")));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(message)?;
    file.sync_all()?;
    std::fs::rename(&draft, &path)?;
    File::open(folder)?.sync_all()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use lettre::transport::smtp::response::{Category, Detail, Severity};

    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_maximum() {
        let seconds: Vec<u64> = [0, 1, 2, 7, 8, 16, 1_000_000, -1].map(|tries| backoff(tries).as_secs()).to_vec();
        assert_eq!(seconds, [5, 10, 20, 640, 900, 900, 900, 5]);
    }

    #[test]
    fn login_replies_are_not_about_the_mail() {
        let code = |category, detail| Code::new(Severity::PermanentNegativeCompletion, category, detail);
        assert!(is_about_mail(code(Category::MailSystem, Detail::Zero)), "550");
        assert!(is_about_mail(code(Category::MailSystem, Detail::Three)), "553");
        assert!(!is_about_mail(code(Category::Unspecified3, Detail::Five)), "535");
        assert!(!is_about_mail(code(Category::Unspecified3, Detail::Zero)), "530");
    }
}
