//! Sends a mail to the mail server (RFC 5321). Each step has its timeout, and each error names its
//! step: only a refusal of the recipient or of the message is permanent.

mod login;
mod refusal;

use std::error::Error as _;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use lettre::transport::smtp::{Error, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use tillgate_auth_core::{Clock, SystemClock};

use super::{MailError, STOPPING};
use crate::command::CommandError;
use crate::configuration::{MailTls, Settings};
use login::Login;
use refusal::concerns_mail;

/// The timeout of the last command, which changes nothing any more.
const QUIT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait for the mail server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SmtpTimeouts {
    /// For a connection, and for the reply to each command before the message.
    pub(super) command: Duration,
    /// For everything before the message together.
    pub(super) session: Duration,
    /// For each write of the message, and for the reply to it. If the mail server accepts the
    /// message later than that, it is sent twice.
    pub(super) message: Duration,
}

impl SmtpTimeouts {
    /// For mails that nobody waits for: at least those of RFC 5321, section 4.5.3.2, for each step.
    pub(crate) const BACKGROUND: Self =
        Self { command: Duration::from_mins(5), session: Duration::from_mins(10), message: Duration::from_mins(10) };

    /// For a command of the command line, during which a person waits.
    pub(crate) const INTERACTIVE: Self =
        Self { command: Duration::from_secs(30), session: Duration::from_mins(1), message: Duration::from_mins(10) };
}

/// A step of the conversation with the mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DeliveryStep {
    Connection,
    StartTls,
    Login,
    Sender,
    Recipient,
    Data,
    Message,
}

impl DeliveryStep {
    /// The command or the event, for errors.
    const fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection and EHLO",
            Self::StartTls => "STARTTLS",
            Self::Login => "AUTH",
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Message => "the message",
        }
    }

    /// Whether a reply can concern the recipient or the message.
    const fn has_mail(self) -> bool {
        matches!(self, Self::Recipient | Self::Data | Self::Message)
    }

    fn to_mail_error(self, error: &Error) -> MailError {
        let permanent = self.has_mail() && concerns_mail(error);
        let why = if is_timeout(error) { "no reply in time".to_owned() } else { error.to_string() };
        MailError { why: format!("{}: {why}", self.name()), permanent }
    }
}

/// Whether the mail server did not reply in time. The error of a socket depends on the system.
fn is_timeout(error: &Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    source.is_some_and(|source| matches!(source.kind(), TimedOut | WouldBlock))
}

enum ServerTls {
    Off,
    StartTls(TlsParameters),
    FromFirstByte(TlsParameters),
}

/// A mail that is built.
pub(super) struct BuiltMail<'m> {
    pub(super) from: &'m Address,
    pub(super) to: &'m Address,
    pub(super) message: &'m [u8],
}

/// The configured mail server.
pub(super) struct SmtpServer {
    host: String,
    port: u16,
    hello_name: ClientId,
    tls: ServerTls,
    login: Option<Login>,
    timeouts: SmtpTimeouts,
}

impl SmtpServer {
    /// The mail server of the settings. No connection is opened yet.
    pub(super) fn from_settings(settings: &Settings, host: &str, timeouts: SmtpTimeouts) -> Result<Self, CommandError> {
        let mail = &settings.mail;
        let parameters =
            || TlsParameters::new(host.to_owned()).map_err(|error| CommandError::usage(format!("mail.host: {error}")));
        let (tls, default_port) = match mail.tls {
            MailTls::Tls => (ServerTls::FromFirstByte(parameters()?), SUBMISSIONS_PORT),
            MailTls::StartTls => (ServerTls::StartTls(parameters()?), SUBMISSION_PORT),
            MailTls::Off => (ServerTls::Off, SMTP_PORT),
        };
        let port = match mail.port {
            Some(port) => {
                u16::try_from(port).map_err(|_| CommandError::usage("mail.port must be between 1 and 65535"))?
            }
            None => default_port,
        };
        let login = match (&mail.user, &mail.password) {
            (Some(user), Some(password)) => Some(Login { user: user.clone(), password: password.clone() }),
            _ => None,
        };
        Ok(Self { host: host.to_owned(), port, hello_name: ClientId::default(), tls, login, timeouts })
    }

    /// Sends a mail, and returns the reply of the mail server. Calls `may_send` immediately before
    /// the mail server may accept the mail, and sends nothing if it returns false.
    pub(super) fn send(&self, mail: &BuiltMail<'_>, may_send: &dyn Fn() -> bool) -> Result<Response, MailError> {
        let mut session = self.open()?;
        let outcome = session.transfer(mail, may_send);
        session.close();
        outcome
    }

    /// Checks that the mail server accepts the connection, the login and the sender. Sends no mail.
    pub(super) fn check(&self, from: &Address) -> Result<(), MailError> {
        let mut session = self.open()?;
        let outcome = session.command(DeliveryStep::Sender, Mail::new(Some(from.clone()), Vec::new()));
        session.close();
        outcome
    }

    /// Connects and logs in.
    fn open(&self) -> Result<SmtpSession, MailError> {
        let (timeouts, started) = (self.timeouts, SystemClock.monotonic());
        let tls = match &self.tls {
            ServerTls::FromFirstByte(parameters) => Some(parameters),
            ServerTls::Off | ServerTls::StartTls(_) => None,
        };
        let address = (self.host.as_str(), self.port);
        let connection = SmtpConnection::connect(address, Some(timeouts.command), &self.hello_name, tls, None)
            .map_err(|error| DeliveryStep::Connection.to_mail_error(&error))?;
        let mut session = SmtpSession { connection, timeouts, started };
        if let ServerTls::StartTls(parameters) = &self.tls {
            session.start_tls(parameters, &self.hello_name)?;
        }
        if let Some(login) = &self.login {
            session.log_in(login)?;
        }
        Ok(session)
    }
}

/// A connection to the mail server.
struct SmtpSession {
    connection: SmtpConnection,
    timeouts: SmtpTimeouts,
    /// When the connection was opened, by the monotonic clock.
    started: Duration,
}

impl SmtpSession {
    /// Continues over TLS.
    fn start_tls(&mut self, parameters: &TlsParameters, hello_name: &ClientId) -> Result<(), MailError> {
        if !self.connection.can_starttls() {
            return Err(MailError::temporary(
                &"STARTTLS: the mail server does not offer it, so nothing is sent; if it expects TLS from the first \
                  byte, set mail.tls to \"tls\"",
            ));
        }
        self.limit_wait()?;
        self.connection.starttls(parameters, hello_name).map_err(|error| DeliveryStep::StartTls.to_mail_error(&error))
    }

    fn log_in(&mut self, login: &Login) -> Result<(), MailError> {
        if self.connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
            return Err(MailError::temporary(
                &"AUTH: the mail server offers no login by PLAIN or LOGIN; check mail.host, mail.port and mail.tls",
            ));
        }
        self.limit_wait()?;
        let outcome = self.connection.auth(DEFAULT_MECHANISMS, &login.to_credentials());
        outcome.map(drop).map_err(|error| login.to_mail_error(&error))
    }

    fn transfer(&mut self, mail: &BuiltMail<'_>, may_send: &dyn Fn() -> bool) -> Result<Response, MailError> {
        let parameters = self.sender_parameters(mail)?;
        self.command(DeliveryStep::Sender, Mail::new(Some(mail.from.clone()), parameters))?;
        self.command(DeliveryStep::Recipient, Rcpt::new(mail.to.clone(), Vec::new()))?;
        if !may_send() {
            return Err(MailError::temporary(&STOPPING));
        }
        self.command(DeliveryStep::Data, Data)?;
        self.set_timeout(self.timeouts.message)?;
        self.connection.message(mail.message).map_err(|error| DeliveryStep::Message.to_mail_error(&error))
    }

    /// The parameters of `MAIL FROM`, if the mail server has the extensions that the mail requires.
    fn sender_parameters(&self, mail: &BuiltMail<'_>) -> Result<Vec<MailParameter>, MailError> {
        let server = self.connection.server_info();
        let mut parameters = Vec::new();
        let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if !is_ascii(mail.from) || !is_ascii(mail.to) {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                let why = "the mail server does not accept addresses outside ASCII (SMTPUTF8)".to_owned();
                return Err(MailError { why, permanent: !is_ascii(mail.to) });
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !mail.message.is_ascii() {
            if !server.supports_feature(Extension::EightBitMime) {
                return Err(MailError::temporary(&"the mail server does not accept 8-bit mail (8BITMIME)"));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }

    /// Sends a command, and waits for a positive reply.
    fn command(&mut self, step: DeliveryStep, command: impl std::fmt::Display) -> Result<(), MailError> {
        self.limit_wait()?;
        self.connection.command(command).map(drop).map_err(|error| step.to_mail_error(&error))
    }

    /// Sets the timeout of the next command before the message.
    fn limit_wait(&mut self) -> Result<(), MailError> {
        let left = self.timeouts.session.saturating_sub(SystemClock.monotonic().saturating_sub(self.started));
        if left.is_zero() {
            return Err(MailError::temporary(&format!("it took longer than {:?}", self.timeouts.session)));
        }
        self.set_timeout(left.min(self.timeouts.command))
    }

    fn set_timeout(&mut self, timeout: Duration) -> Result<(), MailError> {
        self.connection.set_timeout(Some(timeout)).map_err(|error| MailError::temporary(&error))
    }

    /// Says goodbye. Errors change nothing any more.
    fn close(mut self) {
        if self.set_timeout(QUIT_TIMEOUT).is_ok() {
            drop(self.connection.quit());
        }
    }
}

#[cfg(test)]
mod tests;
