//! Sends mail through a mail server, or writes it to a spool folder if none is configured.
//! Recipients and contents are in `mail/resets` and `mail/links`.

mod links;
mod resets;
mod smtp;
mod stop;
mod texts;
mod thread;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox};
use lettre::{Address, Message};
use tillgate_domain::Email;

use crate::command::CommandError;
use crate::configuration::Settings;
use smtp::{BuiltMail, SmtpServer};

pub(crate) use smtp::SmtpTimeouts;
pub(crate) use stop::{MailStop, UnsentMail};
pub(crate) use thread::MailThread;

/// The longest line in bytes that is sent without an encoding.
const MAX_LINE_BYTES: usize = 990;

/// The folder for mails if no mail server is configured, in the data folder.
pub(crate) const SPOOL_FOLDER: &str = "spool";

/// How long a mail is reserved for the process that claimed it: longer than the longest attempt,
/// whose message is written and replied to after all commands.
const MAIL_LEASE: Duration = Duration::from_mins(35);

/// The delay after the first failed attempt; it doubles with each further one.
const MIN_BACKOFF: Duration = Duration::from_secs(5);

/// The maximum delay between two attempts.
const MAX_BACKOFF: Duration = Duration::from_mins(15);

/// The delay before the next attempt after `tries` attempts.
fn backoff(tries: i64) -> Duration {
    let doubled = u32::try_from(tries.clamp(0, 16)).map_or(u32::MAX, |tries| 1 << tries);
    MIN_BACKOFF.saturating_mul(doubled).min(MAX_BACKOFF)
}

/// Why a mail is not sent while the server stops.
const STOPPING: &str = "the server is stopping";

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct MailError {
    why: String,
    /// Whether a retry is pointless: the mail server refused the recipient or the message
    /// permanently (RFC 5321, section 4.2.1), or the address is invalid.
    pub(crate) permanent: bool,
}

impl MailError {
    fn temporary(error: &dyn std::fmt::Display) -> Self {
        Self { why: error.to_string(), permanent: false }
    }
}

/// A mail to send.
pub(crate) struct OutgoingMail<'m> {
    /// The name of its file in the spool folder.
    pub(crate) id: &'m str,
    /// Its recipient.
    pub(crate) to: &'m Email,
    /// Its subject.
    pub(crate) subject: &'m str,
    /// Its text.
    pub(crate) text: &'m str,
}

/// Sends mails from the configured sender.
pub(crate) struct Mailer {
    from: Mailbox,
    transport: MailTransport,
}

enum MailTransport {
    Server(Box<SmtpServer>),
    Spool(PathBuf),
}

impl Mailer {
    /// Creates a mailer from the settings. No connection is opened yet.
    pub(crate) fn from_settings(settings: &Settings, timeouts: SmtpTimeouts) -> Result<Self, CommandError> {
        let mail = &settings.mail;
        let from = mail.from.parse().map_err(|_| CommandError::usage("mail.from must be an e-mail address"))?;
        let Some(host) = &mail.host else {
            return Ok(Self { from, transport: MailTransport::Spool(settings.server.data.join(SPOOL_FOLDER)) });
        };
        let server = SmtpServer::from_settings(settings, host, timeouts)?;
        Ok(Self { from, transport: MailTransport::Server(Box::new(server)) })
    }

    /// Sends a mail, and returns the reply of the mail server; `None` if there is no mail server,
    /// so that the mail was written to the spool folder. Calls `may_send` immediately before the
    /// mail can be accepted, and sends nothing if it returns false.
    pub(crate) fn send(
        &self,
        mail: &OutgoingMail<'_>,
        may_send: &dyn Fn() -> bool,
    ) -> Result<Option<String>, MailError> {
        let unreachable =
            |why: &str| MailError { why: format!("the address is not valid for mail: {why}"), permanent: true };
        let smtp_address = mail.to.to_smtp_address().ok_or_else(|| unreachable("its domain is not a host name"))?;
        let address: Address =
            smtp_address.parse().map_err(|error: lettre::address::AddressError| unreachable(&error.to_string()))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address.clone()))
            .subject(mail.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(build_body(mail.text))
            .map_err(|error| MailError::temporary(&error))?;
        match &self.transport {
            MailTransport::Server(server) => {
                let message = message.formatted();
                let built = BuiltMail { from: &self.from.email, to: &address, message: &message };
                let reply = server.send(&built, may_send)?;
                let text: Vec<&str> = reply.message().collect();
                Ok(Some(format!("{} {}", reply.code(), text.join(" "))))
            }
            MailTransport::Spool(folder) => {
                if !may_send() {
                    return Err(MailError::temporary(&STOPPING));
                }
                let file = write_to_spool(folder, mail.id, &message.formatted())
                    .map_err(|error| MailError::temporary(&error))?;
                tracing::warn!(file = %file.display(), "no mail server is configured (mail.host): the mail was \
                                                        written to the spool folder");
                Ok(None)
            }
        }
    }

    /// Checks that the mail server accepts mail of this server, without sending any.
    pub(crate) fn check_server(&self) -> Result<(), MailError> {
        match &self.transport {
            MailTransport::Server(server) => server.check(&self.from.email),
            MailTransport::Spool(_) => Ok(()),
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
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_maximum() {
        let seconds: Vec<u64> = [0, 1, 2, 7, 8, 16, 1_000_000, -1].map(|tries| backoff(tries).as_secs()).to_vec();
        assert_eq!(seconds, [5, 10, 20, 640, 900, 900, 900, 5]);
    }

    #[test]
    fn mail_is_reserved_for_longer_than_an_attempt_takes() {
        let SmtpTimeouts { session, message, .. } = SmtpTimeouts::BACKGROUND;
        assert!(MAIL_LEASE > session + 2 * message);
    }
}
