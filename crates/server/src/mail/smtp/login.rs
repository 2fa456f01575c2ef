//! The login at the mail server.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use tillgate_domain::Secret;

use super::{DeliveryStep, MailError};

/// The code of the reply to a wrong user name or password (RFC 4954, section 6).
const WRONG_CREDENTIALS: u16 = 535;

/// The user name and the password for the mail server.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Secret<String>,
}

impl Login {
    pub(super) fn to_credentials(&self) -> Credentials {
        Credentials::new(self.user.clone(), self.password.expose().clone())
    }

    /// The error of a login. Some mail servers repeat a command that they do not understand: such a
    /// reply is left out, because errors are logged.
    pub(super) fn to_mail_error(&self, error: &Error) -> MailError {
        let mut failure = DeliveryStep::Login.to_mail_error(error);
        if self.is_revealed_by(&failure.why) {
            return MailError::temporary(
                &"AUTH: the mail server refused the login, and its reply contains the password",
            );
        }
        if error.status().map(u16::from) == Some(WRONG_CREDENTIALS) {
            failure.why.push_str("; check mail.user and mail.password");
        }
        failure
    }

    /// Whether a text contains the password, or what the mechanisms PLAIN and LOGIN make of it.
    fn is_revealed_by(&self, text: &str) -> bool {
        let password = self.password.expose();
        [password.clone(), STANDARD.encode(password), STANDARD.encode(format!("\0{}\0{password}", self.user))]
            .iter()
            .any(|secret| text.contains(secret))
    }
}
